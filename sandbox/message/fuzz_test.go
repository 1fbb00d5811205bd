package message_test

import (
	"bytes"
	"testing"

	"github.com/klauspost/compress/snappy"

	"sandbar/sandbox/message"
)

func FuzzView(f *testing.F) {
	f.Add(sample())
	f.Add([]byte("\x52\x08\x0a\x01n\x10\x02\x30\x05"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v message.View
		if v.Parse(b) != nil {
			return
		}
		use(&v)
		if v.Check() != nil {
			return
		}
		// What can be shown can be read back, and then shows the same.
		text := message.AppendJSON(nil, &v)
		for field := range v.Fields() {
			if field.Type() > message.Bool {
				return // shown by its number, which is not read back
			}
		}
		msg, err := message.FromJSON(text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		var again message.View
		if err := again.Parse(msg); err != nil {
			t.Fatal(err)
		}
		if got := message.AppendJSON(nil, &again); !bytes.Equal(got, text) {
			t.Fatalf("%s became %s", text, got)
		}
	})
}

func FuzzReader(f *testing.F) {
	good := message.AppendFrame(message.AppendFrame(nil, sample()), []byte("x"))
	f.Add(good, 1000)
	f.Add(good[5:], 3)
	f.Fuzz(func(t *testing.T, b []byte, max int) {
		r := message.NewReader(bytes.NewReader(b), max)
		var whole int64
		for {
			msg, err := r.Next()
			if err != nil {
				break
			}
			if len(msg) == 0 || len(msg) > max {
				t.Fatalf("a message of %d bytes, with a maximum of %d", len(msg), max)
			}
			whole += int64(len(msg))
		}
		if whole+r.Skipped().Bytes > int64(len(b)) || r.Offset() > int64(len(b)) {
			t.Fatalf("%d bytes of messages and %d skipped out of %d", whole, r.Skipped().Bytes, len(b))
		}
	})
}

func FuzzFromJSON(f *testing.F) {
	f.Add([]byte(`{"Timestamp":1,"Fields":{"a":[1,2],"b":"x"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		msg, err := message.FromJSON(b)
		if err != nil {
			return
		}
		var v message.View
		if err := v.Parse(msg); err != nil {
			t.Fatalf("made a message that cannot be read: %v", err)
		}
		use(&v)
		if err := v.Check(); err != nil {
			t.Fatalf("made a message with a damaged field: %v", err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(sample())
	f.Add(snappy.Encode(nil, sample()))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v message.View
		if _, err := message.Decode(&v, b, nil); err == nil {
			use(&v)
		}
	})
}
