package tap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

func reading(n int, typ string) []byte {
	var b message.Builder
	b.SetTimestamp(int64(n) * 1e9)
	b.SetHeader(message.Type, typ)
	b.SetHeader(message.Logger, "sensors")
	b.AddInt("n", "", int64(n))
	b.AddString("docType", "", fmt.Sprint("type", n%3))
	b.AddString("remote_addr", "ipv4", "192.0.2.1")
	b.AddDouble("degrees", "C", 20.5, float64(n))
	b.AddBool("ok", "", n%2 == 0)
	return b.AppendTo(nil)
}

func query(t *testing.T, text string) Query {
	t.Helper()
	m, err := matcher.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return Query{stream.Valid, m}
}

// newTap makes one of so many partitions, over which messages were spread.
func newTap(partitions, messages int) (*Tap, []*viewtest.Log) {
	var all []*viewtest.Log
	var logs []stream.Log
	for range partitions {
		l := viewtest.New(7)
		all, logs = append(all, l), append(logs, l)
	}
	for n := range messages {
		all[n%partitions].Put(reading(n, []string{"a", "b"}[n%2]))
	}
	return New(map[string][]stream.Log{stream.Valid: logs}, time.Now), all
}

func numbers(t *testing.T, list []Message) (all []int) {
	t.Helper()
	for _, m := range list {
		raw, err := message.FromJSON(m.Message)
		if err != nil {
			t.Fatalf("%s: %v", m.Message, err)
		}
		var v message.View
		if err := v.Parse(raw); err != nil {
			t.Fatal(err)
		}
		f, _ := v.Field("n", 0)
		n, _ := f.Int(0)
		all = append(all, int(n))
	}
	return all
}

func TestNewest(t *testing.T) {
	t.Parallel()
	for _, partitions := range []int{1, 3} {
		for _, c := range []struct {
			matcher string
			n       int
			want    []int
			all     bool // it had to look at everything
		}{
			{"TRUE", 3, []int{99, 98, 97}, false},
			{"Type == 'a'", 3, []int{98, 96, 94}, false},
			{"Fields[n] < 2", 10, []int{1, 0}, true},
			{"Type == 'never'", 10, nil, true},
			{"TRUE", 0, nil, false},
			{"TRUE", 1000, nil, true},
		} {
			tap, _ := newTap(partitions, 100)
			list, seen, err := tap.Newest(t.Context(), query(t, c.matcher), c.n)
			if err != nil {
				t.Fatal(err)
			}
			if got := numbers(t, list); c.n <= MaxMessages && fmt.Sprint(got) != fmt.Sprint(c.want) || c.n > MaxMessages && len(got) != 100 {
				t.Errorf("%d partitions, %s: %d messages: %v, want %v", partitions, c.matcher, c.n, got, c.want)
			}
			if seen.All != c.all || (seen.Messages == 100) != c.all || (seen.Since == time.Unix(0, 0).UTC()) != c.all || seen.Matched < int64(len(list)) {
				t.Errorf("%d partitions, %s: saw %+v", partitions, c.matcher, seen)
			}
			for _, m := range list {
				again, err := tap.Get(stream.Valid, m.Position)
				if err != nil || string(again.Message) != string(m.Message) {
					t.Errorf("at %s there is %s, %v, want %s", m.Position, again.Message, err, m.Message)
				}
			}
		}
	}
}

func TestBadPlaces(t *testing.T) {
	t.Parallel()
	one, _ := newTap(1, 10)
	three, logs := newTap(3, 10)
	logs[0].Drop(2)
	for _, c := range []struct {
		tap           *Tap
		stream, place string
		want          error
	}{
		{one, stream.Valid, "nowhere", ErrWrong},
		{one, stream.Valid, "9:0", ErrGone},
		{one, "none", "0:0", ErrWrong},
		{three, stream.Valid, "3-0:0", ErrGone},
		{three, stream.Valid, "x-0:0", ErrGone},
		{three, stream.Valid, "0-9:9", ErrGone},
		{three, stream.Valid, "0-0:0", ErrGone}, // trimmed away: the next one is another
		{one, stream.Valid, "0:1", ErrGone},     // inside of a message
	} {
		if _, err := c.tap.Get(c.stream, c.place); !errors.Is(err, c.want) {
			t.Errorf("at %q of %s: %v, want %v", c.place, c.stream, err, c.want)
		}
	}
	if _, _, err := one.Newest(t.Context(), Query{Stream: "none"}, 1); !errors.Is(err, ErrWrong) {
		t.Errorf("a stream that is none: %v", err)
	}
}

// TestLargeMessages: what is shown of a message is bounded, however large it is.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	tap, logs := newTap(1, 0)
	var long, wide message.Builder
	long.SetTimestamp(1)
	long.SetHeader(message.Payload, strings.Repeat("é", 5<<20))
	wide.SetTimestamp(2)
	for i := range 20_000 {
		wide.AddString(fmt.Sprint("field", i), "", "0123456789")
	}
	logs[0].Put(long.AppendTo(nil), wide.AppendTo(nil), []byte{0xff})
	list, seen, err := tap.Newest(t.Context(), query(t, "TRUE"), 10)
	if err != nil || len(list) != 2 || seen.Damaged != 1 {
		t.Fatalf("%d messages, %+v, %v", len(list), seen, err)
	}
	for _, m := range list {
		if !m.Cut || !json.Valid(m.Message) || len(m.Message) > 80<<10 || m.Bytes < 400_000 {
			t.Errorf("a message of %d bytes: %d are shown, cut: %v", m.Bytes, len(m.Message), m.Cut)
		}
	}
	fields, _, err := tap.Fields(t.Context(), query(t, "TRUE"), 10)
	if err != nil || len(fields) != maxFields {
		t.Errorf("%d fields, %v", len(fields), err)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	tap, _ := newTap(2, 100)
	list, seen, err := tap.Fields(t.Context(), query(t, "Type == 'a'"), 1000)
	if err != nil || seen.Matched != 50 {
		t.Fatalf("%+v, %v", seen, err)
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"name":"Type","types":["string"],"present":50,"values":50,"bytes":50,"largest":1,"distinct":1,"top":[{"value":"a","count":50}],"example":"`,
		`{"name":"Fields[docType]","types":["string"],"present":50,"values":50,"bytes":250,"largest":5,"distinct":3,"top":[{"value":"type0","count":17},{"value":"type2","count":17},{"value":"type1","count":16}],"example":"`,
		`{"name":"Fields[remote_addr]","types":["string"],"representation":"ipv4","personal":true,"present":50`,
		`{"name":"Fields[ok]","types":["bool"],"present":50,"values":50,"bytes":200,"largest":4,"distinct":1,"top":[{"value":"true","count":50}],"example":"`,
		`"lowest":0,"highest":98`,
		`{"name":"Fields[degrees]","types":["double"],"representation":"C","present":50,"values":100`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
	for _, f := range list {
		if m, err := tap.Get(stream.Valid, f.Example); err != nil || !strings.Contains(string(m.Message), `"Type":"a"`) {
			t.Errorf("the example of %s at %s is %s, %v", f.Name, f.Example, m.Message, err)
		}
	}
	if list[0].Name != "Type" || list[1].Name != "Logger" {
		t.Errorf("the first are %s and %s", list[0].Name, list[1].Name)
	}
}

// TestFollow: what comes is told with counts, and the newest of it; what was there before is not.
func TestFollow(t *testing.T) {
	t.Parallel()
	tap, logs := newTap(2, 10)
	over := errors.New("enough")
	var seen Seen
	var last []Message
	told := 0
	err := tap.Follow(t.Context(), query(t, "Type == 'a'"), 3, func(e Event) error {
		if told++; told == 1 { // at once, with nothing
			if e.Seen.Messages != 0 {
				t.Errorf("before anything came there is %+v", e)
			}
			for n := range 100 {
				logs[n%2].Put(reading(1000+n, []string{"a", "b"}[n/2%2]))
			}
		}
		seen.Messages += e.Seen.Messages
		seen.Matched += e.Matched
		if len(e.Messages) > 3 {
			t.Errorf("%d messages are told at once", len(e.Messages))
		}
		if len(e.Messages) > 0 {
			last = e.Messages
		}
		if seen.Messages < 100 {
			return nil
		}
		return over
	})
	if !errors.Is(err, over) {
		t.Fatal(err)
	}
	if seen.Messages != 100 || seen.Matched != 50 || len(last) == 0 || numbers(t, last)[0] < 1000 {
		t.Errorf("saw %+v, last %d", seen, len(last))
	}
}

// TestFollowers: they are bounded, end with their context, and a place is free again.
func TestFollowers(t *testing.T) {
	t.Parallel()
	tap, _ := newTap(1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), make(chan error)
	for range followers {
		go func() {
			first := true
			ended <- tap.Follow(ctx, query(t, "TRUE"), 1, func(Event) error {
				if first {
					begun <- struct{}{}
				}
				first = false
				return nil
			})
		}()
	}
	for range followers {
		<-begun
	}
	if err := tap.Follow(ctx, query(t, "TRUE"), 1, func(Event) error { return nil }); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	for range followers {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	}
	over := errors.New("over")
	if err := tap.Follow(t.Context(), query(t, "TRUE"), 1, func(Event) error { return over }); !errors.Is(err, over) {
		t.Errorf("then one more: %v", err)
	}
}

// FuzzShown: what is shown of any message is JSON, bounded, and read again as a message; fields are counted without a mistake.
func FuzzShown(f *testing.F) {
	f.Add(reading(7, "a"))
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var v message.View
		if v.Parse(b) != nil {
			return
		}
		bounds := message.JSON{MaxText: 20, MaxBytes: 200}
		text, _ := bounds.Append(nil, &v)
		if !json.Valid(text) {
			t.Fatalf("no JSON: %s", text)
		}
		if most := 4 << 10; len(text) > most {
			t.Fatalf("%d bytes are shown", len(text))
		}
		k := fields{known: map[string]*Field{}, place: func(int, stream.Position) string { return "here" }}
		k.take(0, stream.Position{}, &v)
		if _, err := json.Marshal(k.sorted()); err != nil {
			t.Fatal(err)
		}
		for _, field := range k.known {
			if field.Present < 1 || len(field.Top) > topValues {
				t.Fatalf("%+v", field)
			}
		}
	})
}

// BenchmarkFollow is what a message costs that a follower looks at.
func BenchmarkFollow(b *testing.B) {
	m, err := matcher.Parse("Type == 'a' && Fields[docType] == 'type1'")
	if err != nil {
		b.Fatal(err)
	}
	msgs := make([][]byte, 100)
	for i := range msgs {
		msgs[i] = reading(i, []string{"a", "b"}[i%2])
	}
	tap, _ := newTap(1, 0)
	var seen Seen
	var v message.View
	keep := newest{most: 20, place: tap.places(stream.Valid)}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		seen.count(msgs[n%len(msgs)], &v, m, func() { keep.take(0, stream.Position{}, &v) })
	}
}
