package failures

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/message"
)

func refused(typ, cause string, content []byte) []byte {
	var b message.Builder
	b.SetTimestamp(7e9)
	b.SetHeader(message.Type, typ)
	b.SetHeader(message.Logger, "sensors")
	b.AddString("uri", "", "/submit/sensors/reading/1/id")
	b.AddString("documentId", "", "id")
	b.AddString("docType", "", "reading")
	b.AddInt("docVersion", "", 1)
	b.AddBytes("content", "", content)
	b.AddString("DecodeErrorType", "", cause)
	b.AddString("DecodeError", "", "why it was refused")
	b.AddString("DecodeErrorDetail", "", `{"path":"/a"}`)
	return b.AppendTo(nil)
}

func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func TestFailures(t *testing.T) {
	t.Parallel()
	log := viewtest.New(100)
	v := New([]stream.Log{log}, Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler), Max: 4, MaxPreview: 100})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- v.Run(ctx) }()
	log.Put(refused("error", "json", []byte("first")), refused("duplicate", "", nil), refused("error", "schema", []byte(`{"a":1}`)),
		refused("telemetry.error", "schema", zip(t, []byte(`{"zipped":true}`))), refused("error", "json", zip(t, make([]byte, 50<<20))),
		refused("error", "json", []byte(strings.Repeat("\xff", 500))), []byte("no message"))
	wait, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	total := func() (n int64) {
		counts, _ := v.Counts()
		for _, c := range counts {
			n += c.Count
		}
		return n
	}
	for seen := v.Version(); total() < 5; {
		var err error
		if seen, err = v.Wait(wait, seen); err != nil {
			t.Fatalf("%d failures: %v", total(), err)
		}
	}
	list, kept, err := v.List(10, Filter{})
	if len(list) != 4 || kept != 4 || err != nil {
		t.Fatalf("%d of %d failures are kept, %v", len(list), kept, err)
	}
	for i := range list {
		whole, err := v.Get(list[i].Position)
		if err != nil || whole.Error != list[i].Error || whole.Payload == nil || list[i].Payload != nil {
			t.Fatalf("%s: %+v, %v", list[i].Position, whole, err)
		}
		list[i] = whole
	}
	if page, n, err := v.List(1, Filter{Before: list[1].Position}); err != nil || n != 4 || len(page) != 1 || page[0].Position != list[2].Position {
		t.Errorf("after the second: %+v, %d, %v", page, n, err)
	}
	if page, n, err := v.List(9, Filter{Type: "schema", Namespace: "sensors"}); err != nil || n != 2 || len(page) != 2 {
		t.Errorf("by kind: %+v, %d, %v", page, n, err)
	}
	if _, _, err := v.List(1, Filter{Before: "x"}); err == nil {
		t.Error("a cursor that is no position was taken")
	}
	if _, err := v.Get("7:7"); err == nil {
		t.Error("a position beyond the end was found")
	}
	zipped, plain := list[2], list[3]
	if plain.Type != "schema" || plain.Error != "why it was refused" || plain.Detail == "" || plain.Namespace != "sensors" || plain.DocType != "reading" ||
		plain.DocVersion != "1" || plain.DocumentID != "id" || plain.URI == "" || plain.Payload.Text != `{"a":1}` {
		t.Errorf("%+v", plain)
	}
	if zipped.Payload.Text != `{"zipped":true}` {
		t.Errorf("a zipped payload is shown as %+v", zipped.Payload)
	}
	for _, f := range list {
		if len(f.Payload.Text) > 400 || strings.ToValidUTF8(f.Payload.Text, "") != f.Payload.Text {
			t.Errorf("a preview of %d bytes", len(f.Payload.Text))
		}
	}
	if counts, duplicates := v.Counts(); duplicates != 1 || len(counts) != 2 {
		t.Errorf("counts %v, duplicates %d", counts, duplicates)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestPartitions: failures of several partitions are one list, and each is found again by its position.
func TestPartitions(t *testing.T) {
	t.Parallel()
	logs := []*viewtest.Log{viewtest.New(100), viewtest.New(100)}
	v := New([]stream.Log{logs[0], logs[1]}, Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- v.Run(ctx) }()
	read := func(n int) []Failure {
		t.Helper()
		wait, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		for seen := v.Version(); ; {
			list, total, err := v.List(10, Filter{})
			if err != nil {
				t.Fatal(err)
			}
			if total == n {
				return list
			}
			if seen, err = v.Wait(wait, seen); err != nil {
				t.Fatalf("%d failures: %v", total, err)
			}
		}
	}
	for i, text := range []string{"a", "b", "c", "d"} { // one after the other
		logs[i%2].Put(refused("error", "json", []byte(text)))
		read(i + 1)
	}
	list := read(4)
	for i, want := range []string{"d", "c", "b", "a"} {
		if f, err := v.Get(list[i].Position); err != nil || f.Payload.Text != want {
			t.Errorf("at %s: %+v %v, want %s", list[i].Position, f.Payload, err, want)
		}
	}
	if page, _, err := v.List(1, Filter{Before: list[1].Position}); err != nil || len(page) != 1 || page[0].Position != list[2].Position {
		t.Errorf("before %s: %+v, %v", list[1].Position, page, err)
	}
	for _, position := range []string{"2-0:0", "x-0:0", "0:0-", "-1-0:0"} {
		if _, _, err := v.List(1, Filter{Before: position}); err == nil {
			t.Errorf("position %q was taken", position)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestCauses: errors that differ by numbers, quoted values, addresses and places in lists are one cause.
func TestCauses(t *testing.T) {
	t.Parallel()
	failure := func(minute int, typ, namespace, text, detail string) *Failure {
		return &Failure{Type: typ, Namespace: namespace, DocType: "d", Error: text, Detail: detail, Time: time.Unix(int64(minute)*60, 0).UTC(), Position: strconv.Itoa(minute)}
	}
	now := time.Unix(100*60, 0)
	w := New(nil, Options{Now: func() time.Time { return now }})
	for _, f := range []*Failure{
		failure(1, "json", "a", "unexpected 'x' at byte 12", ""), failure(50, "json", "a", "unexpected 'yz' at byte 7", ""), failure(51, "json", "b", "unexpected 'x' at byte 12", ""),
		failure(60, "uri", "a", "the path is no submission: /a/b", ""), failure(99, "uri", "a", "the path is no submission: /c", ""),
		failure(100, "schema", "a", "at 7 one", `{"path":"/l/0/1/x","keyword":"type"}`), failure(90, "schema", "a", "at 8 two", `{"path":"/l/3/4/x","keyword":"type"}`),
		failure(91, "schema", "a", "at 8 two", `{"path":"/l/3/4/x","keyword":"enum"}`),
	} {
		w.count(f)
	}
	got := map[string]int64{}
	for _, c := range w.Causes() {
		got[fmt.Sprint(c.Type, " ", c.Namespace, " ", c.Path, " ", c.Keyword)] = c.Count
		sum := 0
		for _, n := range c.Minutes {
			sum += n
		}
		want := int(c.Count)
		if c.Type == "json" && c.Namespace == "a" {
			want = 1 // the first came before the hour
			if c.First.Unix() != 60 || c.Last.Unix() != 50*60 || !slices.Equal(c.Samples, []string{"50", "1"}) || c.Error != "unexpected 'yz' at byte 7" {
				t.Errorf("%+v", c)
			}
		}
		if sum != want || len(c.Minutes) != 60 || c.Path == "/l/*/*/x" && c.Keyword == "type" && (c.Minutes[59] != 1 || c.Minutes[49] != 1) {
			t.Errorf("%s: minutes %v", c.Type, c.Minutes)
		}
	}
	if want := map[string]int64{"json a  ": 2, "json b  ": 1, "uri a  ": 2, "schema a /l/*/*/x type": 2, "schema a /l/*/*/x enum": 1}; !maps.Equal(got, want) {
		t.Errorf("causes %v, want %v", got, want)
	}
	for i := range 2 * maxCauses {
		w.count(failure(101, "json", fmt.Sprint("n", i), "", ""))
	}
	if n := len(w.Causes()); n != maxCauses {
		t.Errorf("%d causes are kept", n)
	}
}

// TestContent: what was submitted is there as it came, and as the message that it was, without what the decoder added.
func TestContent(t *testing.T) {
	t.Parallel()
	log := viewtest.New(100)
	v := New([]stream.Log{log}, Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- v.Run(ctx) }()
	var raw, whole message.Builder
	for _, b := range []*message.Builder{&raw, &whole} {
		b.SetUUID(bytes.Repeat([]byte{7}, 16))
		b.SetTimestamp(9e9)
		b.SetHeader(message.Type, "raw")
		b.SetHeader(message.Logger, "moz_ingest")
		b.SetHeader(message.Hostname, "h")
		b.AddString("uri", "", "/submit/a/b/1/id")
		b.AddString("User-Agent", "", "curl")
		b.AddBytes("content", "", []byte{0, 255, 1})
	}
	whole.SetHeader(message.Type, "error")
	whole.SetHeader(message.Logger, "a")
	whole.AddString("docType", "", "b")
	whole.AddString("DecodeErrorType", "", "json")
	log.Put(whole.AppendTo(nil), refused("error", "json", nil))
	for seen := uint64(0); ; {
		list, n, err := v.List(9, Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if n < 2 {
			seen, _ = v.Wait(ctx, seen)
			continue
		}
		at := list[1].Position
		if b, err := v.Content(at); err != nil || !bytes.Equal(b, []byte{0, 255, 1}) {
			t.Errorf("content %v %v", b, err)
		}
		if b, err := v.Submission(at); err != nil || !bytes.Equal(b, raw.AppendTo(nil)) {
			t.Errorf("submission %q %v", b, err)
		}
		if same, n, err := v.List(9, Filter{Cause: list[1].Cause}); err != nil || n != 1 || same[0].Position != at {
			t.Errorf("by cause: %v %d %v", same, n, err)
		}
		break
	}
	if _, err := v.Content("9:9"); !errors.Is(err, ErrGone) {
		t.Errorf("beyond the end: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// FuzzCause: whatever a plugin writes as a cause has one, and the same for the same.
func FuzzCause(f *testing.F) {
	f.Add("schema", "a", "at 7", `{"path":"/l/0/1/x","keyword":"type"}`)
	f.Add("", "", "'\"`/\xff0123456789abcdef-0", `{"path":1}`)
	f.Fuzz(func(t *testing.T, typ, namespace, text, detail string) {
		one := &Failure{Type: typ, Namespace: namespace, Error: text, Detail: detail}
		if a, b := causeOf(one), causeOf(one); a.Key != b.Key || len(a.Key) != 16 {
			t.Errorf("%v %v", a, b)
		}
		w := New(nil, Options{Now: time.Now})
		w.count(one)
		if list := w.Causes(); len(list) != 1 || list[0].Count != 1 || len(list[0].Error) > maxShown {
			t.Errorf("%+v", list)
		}
	})
}
