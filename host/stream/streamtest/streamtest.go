// Package streamtest is the suite that every stream.Store passes. It knows nothing of files.
package streamtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"sandbar/host/stream"
)

// MaxMessage is the largest message that the stores of the suite take.
const MaxMessage = 256 << 10

// Run runs the suite. place makes an empty place for streams and returns a function that opens them with
// MaxMessage; called again after Close it opens the same streams.
func Run(t *testing.T, place func(t *testing.T) (open func() stream.Store)) {
	groups := []map[string]func(t *testing.T, open func() stream.Store){readingTests, appendTests, commitTests, trimTests}
	for _, tests := range groups {
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tests[name](t, place(t))
			})
		}
	}
}

func with(t *testing.T, open func() stream.Store, use func(s stream.Store)) {
	t.Helper()
	s := open()
	defer func() { check(t, s.Close()) }()
	use(s)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// msgs are messages that tell their number, of several sizes.
func msgs(prefix string, from, to int) (list [][]byte) {
	for i := from; i < to; i++ {
		m := fmt.Appendf(nil, "%s %d ", prefix, i)
		list = append(list, append(m, bytes.Repeat([]byte{'.'}, i*37%500)...))
	}
	return list
}

func appendRaw(t *testing.T, s stream.Store, list [][]byte) (end stream.Position) {
	t.Helper()
	end, err := s.Log(stream.Raw).Append(t.Context(), list...)
	check(t, err)
	return end
}

// read reads from a position to the end, maxBytes at a time, and returns the messages and the places after them.
func read(t *testing.T, l stream.Log, from stream.Position, maxBytes int) (list [][]byte, ends []stream.Position) {
	t.Helper()
	r, err := l.NewReader(from)
	check(t, err)
	defer r.Close()
	for {
		var b stream.Batch
		err := r.Read(&b, maxBytes)
		if errors.Is(err, io.EOF) {
			if len(b.Messages) > 0 || len(b.Ends) > 0 {
				t.Fatal("a batch at the end of the log is not empty")
			}
			return list, ends
		}
		check(t, err)
		if len(b.Messages) == 0 || len(b.Messages) != len(b.Ends) || b.Ends[len(b.Ends)-1] != r.Position() {
			t.Fatalf("a batch has %d messages, %d ends; position %s, ends %v", len(b.Messages), len(b.Ends), r.Position(), b.Ends)
		}
		list, ends = append(list, b.Messages...), append(ends, b.Ends...)
	}
}

func wantMessages(t *testing.T, l stream.Log, from stream.Position, want [][]byte) {
	t.Helper()
	got, _ := read(t, l, from, 1<<20)
	wantEqual(t, got, want)
}

func wantEqual(t *testing.T, got, want [][]byte) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("got %d messages, want %d; the first that is missing is %.40q", len(got), len(want), want[i])
		case i >= len(want):
			t.Fatalf("got %d messages, want %d; the first too many is %.40q", len(got), len(want), got[i])
		case !bytes.Equal(got[i], want[i]):
			t.Fatalf("message %d of %d is %.40q, want %.40q", i, len(got), got[i], want[i])
		}
	}
}

func positions(reader, name string, p stream.Position) map[string]map[string]stream.Position {
	return map[string]map[string]stream.Position{reader: {name: p}}
}

func commit(t *testing.T, s stream.Store, c *stream.Commit) {
	t.Helper()
	check(t, s.Commit(t.Context(), c))
}

func wantState(t *testing.T, s stream.Store, name string, want []byte) {
	t.Helper()
	got, err := s.State(t.Context(), name)
	check(t, err)
	if !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		t.Fatalf("state %s is %.40q (nil: %t), want %.40q (nil: %t)", name, got, got == nil, want, want == nil)
	}
}

func wantReaders(t *testing.T, s stream.Store, want map[string]map[string]stream.Position) {
	t.Helper()
	got := s.Readers()
	if !maps.EqualFunc(got, want, func(a, b map[string]stream.Position) bool { return maps.Equal(a, b) }) {
		t.Fatalf("readers are %v, want %v", got, want)
	}
}

// waiting starts a reader's Wait at the end of a log, and returns where its result comes.
func waiting(t *testing.T, ctx context.Context, l stream.Log) <-chan error {
	t.Helper()
	r, err := l.NewReader(l.End())
	check(t, err)
	result := make(chan error, 1)
	go func() {
		result <- r.Wait(ctx)
		r.Close()
	}()
	return result
}
