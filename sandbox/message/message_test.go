package message_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sandbar/sandbox/message"
)

// sample has the size of the messages that Hindsight's own figures are for: 525 bytes, ten fields.
func sample() []byte {
	var b message.Builder
	u := message.NewUUID(1, 2)
	b.SetUUID(u[:])
	b.SetTimestamp(1_700_000_000_000_000_000)
	b.SetHeader(message.Type, "telemetry")
	b.SetHeader(message.Logger, "telemetry")
	b.SetHeader(message.Payload, strings.Repeat("p", 181))
	b.SetHeader(message.Hostname, "edge-01.example.com")
	b.SetSeverity(6)
	b.SetPid(4321)
	for i, name := range []string{"docType", "appName", "appVersion", "appUpdateChannel", "geoCountry", "os", "documentId"} {
		b.AddString(name, "", strings.Repeat(string(rune('a'+i)), 12))
	}
	b.AddInt("sampleId", "", 42)
	b.AddDouble("elapsed", "ms", 12.5)
	b.AddBool("first", "", true)
	return b.AppendTo(nil)
}

func TestViewGivesBackWhatTheBuilderTook(t *testing.T) {
	t.Parallel()
	var b message.Builder
	u := message.NewUUID(rand.Uint64(), rand.Uint64())
	b.SetUUID(u[:])
	b.SetTimestamp(-5)
	for h := range message.Header(message.Headers) {
		b.SetHeader(h, "the "+h.String())
	}
	b.SetSeverity(-1)
	b.SetPid(0)
	b.AddString("s", "text", "a", "", "c\x00d")
	b.AddString("none", "")
	b.AddBytes("b", "json", []byte{0xff, 0}, nil)
	b.AddInt("i", "", math.MinInt64, -1, 0, 1, math.MaxInt64)
	b.AddInt("one", "B", 300)
	b.AddDouble("d", "", 1.5, math.Inf(-1))
	b.AddDouble("d1", "", -0.25)
	b.AddBool("t", "", true, false)
	b.AddBool("t1", "", true)
	b.AddString("s", "", "second of its name")
	msg := b.AppendTo(nil)
	if len(msg) != b.Len() {
		t.Errorf("Len says %d, AppendTo wrote %d", b.Len(), len(msg))
	}
	var v message.View
	if err := v.Parse(msg); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(v.UUID(), u[:]) || v.Timestamp() != -5 || v.Severity() != -1 {
		t.Errorf("uuid %x, timestamp %d, severity %d", v.UUID(), v.Timestamp(), v.Severity())
	}
	if pid, ok := v.Pid(); pid != 0 || !ok {
		t.Errorf("pid %d %v", pid, ok)
	}
	for h := range message.Header(message.Headers) {
		if got, ok := v.Header(h); !ok || string(got) != "the "+h.String() {
			t.Errorf("header %s: %q %v", h, got, ok)
		}
	}
	var got []string
	for f := range v.Fields() {
		got = append(got, show(f))
	}
	want := []string{`s 0 text ["a" "" "c\x00d"]`, `none 0  []`, `b 1 json ["\xff\x00" ""]`,
		`i 2  [-9223372036854775808 -1 0 1 9223372036854775807]`, `one 2 B [300]`, `d 3  [1.5 -Inf]`, `d1 3  [-0.25]`,
		`t 4  [true false]`, `t1 4  [true]`, `s 0  ["second of its name"]`}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("fields\n%v, want\n%v", got, want)
	}
	if f, ok := v.Field("s", 1); !ok || show(f) != want[9] {
		t.Error("the second field named s is not found")
	}
	for _, missing := range []struct {
		name string
		fi   int
	}{{"s", 2}, {"S", 0}, {"", 0}, {"nonesuch", 0}} {
		if _, ok := v.Field(missing.name, missing.fi); ok {
			t.Errorf("found field %v", missing)
		}
	}
	var again message.Builder
	for f := range v.Fields() {
		again.AddField(f)
	}
	if !bytes.HasSuffix(msg, again.AppendTo(nil)[2:]) { // but for its timestamp of 0
		t.Error("copied fields are not the same bytes")
	}
}

func show(f message.Field) string {
	var vals []string
	for i := range f.Len() {
		switch f.Type() {
		case message.Integer:
			n, _ := f.Int(i)
			vals = append(vals, fmt.Sprint(n))
		case message.Double:
			d, _ := f.Double(i)
			vals = append(vals, fmt.Sprint(d))
		case message.Bool:
			b, _ := f.Bool(i)
			vals = append(vals, fmt.Sprint(b))
		default:
			b, _ := f.Bytes(i)
			vals = append(vals, fmt.Sprintf("%q", b))
		}
	}
	return fmt.Sprintf("%s %d %s %v", f.Name(), f.Type(), f.Representation(), vals)
}

func TestToleratesWhatOthersWrite(t *testing.T) {
	t.Parallel()
	field := func(body string) string { return "\x52" + string(rune(len(body))) + body }
	cases := []struct{ name, msg, want string }{
		{"no uuid, no timestamp", field("\x0a\x01n\x22\x01v"), `n 0  ["v"]`},
		{"unknown tags of every wire type", "\x58\x07\x61AAAAAAAA\x6a\x02xx\x75BBBB" + field("\x0a\x01n\x22\x01v"), `n 0  ["v"]`},
		{"a tag of two bytes", "\x82\x06\x02xx" + field("\x0a\x01n\x22\x01v"), `n 0  ["v"]`},
		{"unknown tags in a field", field("\x0a\x01n\x4a\x02xx\x50\x05\x22\x01v"), `n 0  ["v"]`},
		{"values before the type", field("\x30\x05\x10\x02\x0a\x01n"), `n 2  [5]`},
		{"numbers repeated without packing", field("\x0a\x01n\x10\x02\x30\x05\x30\x06"), `n 2  [5 6]`},
		{"one number, packed", field("\x0a\x01n\x10\x02\x32\x01\x05"), `n 2  [5]`},
		{"an empty packed run", field("\x0a\x01n\x10\x02\x32\x00"), `n 2  []`},
		{"fields between headers", field("\x0a\x01n\x22\x01v") + "\x1a\x01T" + field("\x0a\x01m\x22\x01w"), `n 0  ["v"] m 0  ["w"]`},
		{"a type nobody knows", field("\x0a\x01n\x10\x09\x22\x01v"), `n 9  []`},
		{"a value of another type", field("\x0a\x01n\x10\x02\x22\x01v"), `n 2  []`},
		{"an empty message", "", ``},
		{"a uuid of 15 bytes", "\x0a\x0f" + strings.Repeat("u", 15) + field("\x0a\x01n\x22\x01v"), `n 0  ["v"]`},
	}
	for _, c := range cases {
		var v message.View
		if err := v.Parse([]byte(c.msg)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for f := range v.Fields() {
			got = append(got, show(f))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s", c.name, strings.Join(got, " "), c.want)
		}
	}
}

func TestRefusesWithTheByte(t *testing.T) {
	t.Parallel()
	whole := sample()
	cases := []struct{ name, msg, want string }{
		{"length past the end", "\x1a\x05abc", "at byte 1"},
		{"number that does not end", "\x10\xff\xff", "at byte 1"},
		{"timestamp as text", "\x12\x01x", "byte"},
		{"type as a number", "\x18\x01", "wire type 0 for tag 3"},
		{"group", "\x5b", "wire type"},
		{"tag 0", "\x00\x01", "wire type"},
		{"fixed number cut off", "\x61AAA", "cut off"},
		{"field without a name", "\x52\x03\x22\x01v", "without a name"},
		{"field's value past its end", "\x52\x05\x0a\x01n\x22\x05", "past its end"},
		{"packed doubles of 7 bytes", "\x52\x0e\x0a\x01n\x10\x03\x3a\x07AAAAAAA", "packed doubles"},
		{"packed number without end", "\x52\x08\x0a\x01n\x10\x02\x32\x01\xff", "packed number"},
	}
	for _, c := range cases {
		var v message.View
		err := v.Parse([]byte(c.msg))
		if err == nil {
			use(&v)
			err = v.Check()
		}
		if !errors.Is(err, message.ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
	for n := 1; n < len(whole); n++ { // cut anywhere it is refused, or a shorter message
		var v message.View
		if v.Parse(whole[:n]) == nil {
			use(&v)
		}
	}
}

// use calls every accessor; a fuzzed message must not make one panic.
func use(v *message.View) {
	v.UUID()
	v.Pid()
	for h := range message.Header(message.Headers) {
		v.Header(h)
	}
	for f := range v.Fields() {
		for i := range f.Len() + 1 {
			f.Bytes(i)
			f.Int(i)
			f.Double(i)
			f.Bool(i)
			f.Number(i)
		}
		if g, ok := v.Field(string(f.Name()), 0); !ok || string(g.Name()) != string(f.Name()) {
			panic("a field is not found by its name")
		} else {
			want, ok := g.Value(0)
			if got, found := v.Value(string(g.Name()), 0, 0); found != ok || found && (got.Type != want.Type || string(got.Text) != string(want.Text) || got.Number != want.Number && got.Number == got.Number) {
				panic(fmt.Sprintf("the message has %v (%v), Field %v (%v)", got, found, want, ok))
			}
		}
	}
}

// A flipped byte loses the frame that it is in and no other.
func TestReaderFindsAllOtherFrames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var ends []int
		var msgs [][]byte
		for i := range rapid.IntRange(1, 30).Draw(t, "frames") {
			msg := append(fmt.Appendf(nil, "%d:", i), rapid.SliceOfN(rapid.SampledFrom([]byte{0x1e, 0x1f, 0x08, 2, 3, 'x'}), 0, 300).Draw(t, "body")...)
			msgs = append(msgs, msg)
			stream = message.AppendFrame(stream, msg)
			ends = append(ends, len(stream))
		}
		at := rapid.IntRange(0, len(stream)-1).Draw(t, "at")
		stream[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		hit := 0
		for ends[hit] <= at {
			hit++
		}
		got := map[string]int{}
		r := message.NewReader(bytes.NewReader(stream), 1024)
		for {
			msg, err := r.Next()
			if err == io.EOF {
				break
			}
			got[string(msg)]++
		}
		lost := 0
		for i, msg := range msgs {
			if got[string(msg)] == 0 && i != hit {
				lost++
			}
		}
		// A flip that makes a length larger takes the frames that it now covers with it; with bodies of at most
		// 302 bytes and a maximum of 1024 that is bounded.
		length := at - ends[hit] + message.FrameSize(len(msgs[hit]))
		inHeader := length < message.FrameSize(len(msgs[hit]))-len(msgs[hit])
		if lost > 0 && !inHeader {
			t.Fatalf("a flip in the body of frame %d lost %d others", hit, lost)
		}
	})
}

func TestReaderCountsAndBounds(t *testing.T) {
	t.Parallel()
	var s []byte
	s = append(s, "garbage"...)
	s = message.AppendFrame(s, []byte("one"))
	s = message.AppendFrame(s, bytes.Repeat([]byte("x"), 2000)) // above the maximum
	s = append(s, 0x1e, 9, 8, 3, 0x1a, 4, 's', 'i', 'g', 'n', 1, 0x1f, 't', 'w', 'o')
	end := len(s)
	s = append(s, message.AppendFrame(nil, []byte("torn"))[:6]...)
	r := message.NewReader(bytes.NewReader(s), 1024)
	var got []string
	for {
		msg, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(msg))
	}
	if fmt.Sprint(got) != "[one two]" {
		t.Errorf("got %q", got)
	}
	if r.Offset() != int64(end) {
		t.Errorf("offset %d, want %d", r.Offset(), end)
	}
	if want := (message.Skipped{Bytes: 7 + int64(message.FrameSize(2000)) + 6, Times: 3, Oversized: 1}); r.Skipped() != want {
		t.Errorf("skipped %+v, want %+v", r.Skipped(), want)
	}
	broken := errors.New("disk on fire")
	if _, err := message.NewReader(io.MultiReader(bytes.NewReader(s[:12]), failing{broken}), 1024).Next(); !errors.Is(err, broken) {
		t.Errorf("the underlying error is lost: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestWriterAndReader(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	w := message.NewWriter(&buf)
	const n = 3000
	for i := range n {
		if err := w.Write(bytes.Repeat([]byte{byte(i)}, i%500+1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	r := message.NewReader(&buf, message.MaxSize)
	for i := range n {
		msg, err := r.Next()
		if err != nil || len(msg) != i%500+1 || msg[0] != byte(i) {
			t.Fatalf("message %d: %d bytes, %v", i, len(msg), err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
}

// The counts are those of the README beside the files; the payload's seq goes from 0 to 9.
func TestFilesOfAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "data", "heka")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no test data: %v", err)
	}
	for name, snappy := range map[string]int{"test_plain.heka": 0, "test_snappy.heka": 10, "test_mixed.heka": 5} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		r := message.NewReader(bytes.NewReader(data), message.MaxSize)
		n, blocks := 0, 0
		for {
			msg, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var v message.View
			if v.Parse(msg) != nil {
				blocks++
			}
			if _, err := message.Decode(&v, msg, nil); err != nil {
				t.Fatalf("%s: message %d: %v", name, n, err)
			}
			payload, _ := v.Header(message.Payload)
			if !bytes.Contains(payload, fmt.Appendf(nil, `"seq": %d`, n)) && !bytes.Contains(payload, fmt.Appendf(nil, `"seq":%d`, n)) {
				t.Errorf("%s: message %d has payload %.80s", name, n, payload)
			}
			n++
		}
		if n != 10 || blocks != snappy || r.Skipped() != (message.Skipped{}) {
			t.Errorf("%s: %d messages, %d of them snappy, skipped %+v; want 10 and %d", name, n, blocks, r.Skipped(), snappy)
		}
	}
}

func TestUUID(t *testing.T) {
	t.Parallel()
	u := message.NewUUID(math.MaxUint64, math.MaxUint64)
	if s := message.FormatUUID(u[:]); s != "ffffffff-ffff-4fff-bfff-ffffffffffff" {
		t.Error(s)
	}
	if got, ok := message.ParseUUID("0A1b2c3d-0000-4000-8000-00000000000f"); !ok || message.FormatUUID(got[:]) != "0a1b2c3d-0000-4000-8000-00000000000f" {
		t.Error(got, ok)
	}
	for _, s := range []string{"", "0a1b2c3d00004000800000000000000f", "0a1b2c3d-0000-4000-8000-00000000000g", "0a1b2c3d-0000-4000-800-000000000000f0"} {
		if _, ok := message.ParseUUID(s); ok {
			t.Errorf("%q is taken for a uuid", s)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	msg := sample()
	if n := len(msg); n < 500 || n > 550 {
		b.Fatalf("the sample has %d bytes", n)
	}
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	var v message.View
	for b.Loop() {
		if err := v.Parse(msg); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFindField is what a matcher does with a message: parse it and look at one of ten fields.
func BenchmarkFindField(b *testing.B) {
	msg := sample()
	for _, name := range []string{"docType", "os", "sampleId"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var v message.View
			if err := v.Parse(msg); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, ok := v.Field(name, 0); !ok {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	var mb message.Builder
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		mb.Reset()
		mb.SetTimestamp(1)
		mb.SetHeader(message.Type, "telemetry")
		mb.AddString("docType", "", "main")
		mb.AddInt("sampleId", "", 42)
		dst = mb.AppendTo(dst[:0])
	}
}

func BenchmarkReader(b *testing.B) {
	var stream []byte
	msg := sample()
	for range 2000 {
		stream = message.AppendFrame(stream, msg)
	}
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		r := message.NewReader(bytes.NewReader(stream), message.MaxSize)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
