package streamtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"sandbar/host/stream"
)

var readingTests = map[string]func(t *testing.T, open func() stream.Store){
	"empty":                emptyLogs,
	"names":                names,
	"read back":            readBack,
	"read from every end":  readFromEveryEnd,
	"small batches":        smallBatches,
	"batch memory":         batchMemory,
	"follow":               follow,
	"position after end":   positionAfterEnd,
	"wait":                 waitForEnd,
	"wait for the context": waitForContext,
	"closed":               closed,
}

func emptyLogs(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		for _, name := range stream.Names() {
			l := s.Log(name)
			if l.First() != l.End() {
				t.Errorf("stream %s goes from %s to %s", name, l.First(), l.End())
			}
			wantMessages(t, l, stream.Position{}, nil)
		}
		wantReaders(t, s, nil)
		wantState(t, s, "none", nil)
	})
}

func names(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		if s.Log("none") != nil {
			t.Error("there is a stream of any name")
		}
	})
}

func readBack(t *testing.T, open func() stream.Store) {
	want := msgs("m", 0, 1000)
	with(t, open, func(s stream.Store) {
		end := appendRaw(t, s, want)
		l := s.Log(stream.Raw)
		if l.End() != end {
			t.Errorf("End is %s, Append said %s", l.End(), end)
		}
		wantMessages(t, l, stream.Position{}, want)
		wantMessages(t, l, end, nil)
		if st := l.Stats(); st.Messages != 1000 || st.Bytes <= 0 || st.Stored < 0 || st.Skipped != 0 {
			t.Errorf("stats are %+v", st)
		}
	})
	with(t, open, func(s stream.Store) { wantMessages(t, s.Log(stream.Raw), stream.Position{}, want) })
}

func readFromEveryEnd(t *testing.T, open func() stream.Store) {
	want := msgs("m", 0, 200)
	with(t, open, func(s stream.Store) {
		appendRaw(t, s, want)
		l := s.Log(stream.Raw)
		_, ends := read(t, l, stream.Position{}, 4<<10)
		for i, end := range ends {
			wantMessages(t, l, end, want[i+1:])
			if i > 0 && !ends[i-1].Before(end) {
				t.Fatalf("end %s is not after %s", end, ends[i-1])
			}
			if p, err := stream.ParsePosition(end.String()); err != nil || p != end {
				t.Fatalf("%s parses to %s, %v", end, p, err)
			}
		}
	})
}

func smallBatches(t *testing.T, open func() stream.Store) {
	large := bytes.Repeat([]byte("x"), MaxMessage)
	want := append(msgs("m", 0, 50), large, []byte("y"))
	with(t, open, func(s stream.Store) {
		appendRaw(t, s, want)
		for _, maxBytes := range []int{1, 100, 5000, MaxMessage} {
			got, _ := read(t, s.Log(stream.Raw), stream.Position{}, maxBytes)
			wantEqual(t, got, want)
		}
		r, err := s.Log(stream.Raw).NewReader(stream.Position{})
		check(t, err)
		defer r.Close()
		var b stream.Batch
		check(t, r.Read(&b, 1))
		if len(b.Messages) != 1 {
			t.Errorf("a batch of 1 byte has %d messages", len(b.Messages))
		}
	})
}

// A batch keeps its messages until it is passed again.
func batchMemory(t *testing.T, open func() stream.Store) {
	want := msgs("m", 0, 300)
	with(t, open, func(s stream.Store) {
		appendRaw(t, s, want)
		r, err := s.Log(stream.Raw).NewReader(stream.Position{})
		check(t, err)
		defer r.Close()
		var first, again stream.Batch
		check(t, r.Read(&first, 2000))
		kept := len(first.Messages)
		for err == nil {
			err = r.Read(&again, 2000)
		}
		wantError(t, err, io.EOF)
		wantEqual(t, first.Messages, want[:kept])
		appended := append(first.Messages[0], "behind"...)
		wantEqual(t, first.Messages, want[:kept])
		_ = appended
	})
}

func follow(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		l := s.Log(stream.Raw)
		r, err := l.NewReader(stream.Position{})
		check(t, err)
		defer r.Close()
		var b stream.Batch
		for i := range 300 {
			wantError(t, r.Read(&b, 1000), io.EOF)
			if r.Position() != l.End() {
				t.Fatalf("at the end the position is %s, End %s", r.Position(), l.End())
			}
			want := msgs("m", i, i+1)
			appendRaw(t, s, want)
			check(t, r.Read(&b, 1000))
			wantEqual(t, b.Messages, want)
		}
	})
}

func positionAfterEnd(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		end := appendRaw(t, s, msgs("m", 0, 3))
		for _, p := range []stream.Position{{Segment: end.Segment, Offset: end.Offset + 1}, {Segment: end.Segment + 1}} {
			_, err := s.Log(stream.Raw).NewReader(p)
			wantError(t, err, stream.ErrAhead)
		}
	})
}

func waitForEnd(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		raw, valid := s.Log(stream.Raw), s.Log(stream.Valid)
		waits := []<-chan error{waiting(t, t.Context(), raw), waiting(t, t.Context(), raw), waiting(t, t.Context(), valid)}
		before, err := raw.NewReader(raw.End())
		check(t, err)
		defer before.Close()
		appendRaw(t, s, msgs("m", 0, 1))
		check(t, <-waits[0])
		check(t, <-waits[1])
		check(t, before.Wait(t.Context()))
		select {
		case err := <-waits[2]:
			t.Fatalf("a wait for another stream ended: %v", err)
		default:
		}
		commit(t, s, &stream.Commit{Appends: map[string][][]byte{stream.Valid: msgs("v", 0, 1)}})
		check(t, <-waits[2])
	})
}

func waitForContext(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		result := waiting(t, ctx, s.Log(stream.Valid))
		cancel()
		wantError(t, <-result, context.Canceled)
	})
}

func closed(t *testing.T, open func() stream.Store) {
	s := open()
	appendRaw(t, s, msgs("m", 0, 3))
	l := s.Log(stream.Raw)
	r, err := l.NewReader(stream.Position{})
	check(t, err)
	result := waiting(t, t.Context(), l)
	check(t, s.Close())
	wantError(t, <-result, stream.ErrClosed)
	wantError(t, r.Read(new(stream.Batch), 100), stream.ErrClosed)
	check(t, r.Close())
	_, err = l.NewReader(stream.Position{})
	wantError(t, err, stream.ErrClosed)
	_, err = l.Append(t.Context(), []byte("x"))
	wantError(t, err, stream.ErrClosed)
	wantError(t, s.Commit(t.Context(), &stream.Commit{Forget: []string{"x"}}), stream.ErrClosed)
	_, err = s.State(t.Context(), "x")
	wantError(t, err, stream.ErrClosed)
	_, err = l.Trim(t.Context(), 0, 0)
	wantError(t, err, stream.ErrClosed)
	if err := s.Close(); err != nil && !errors.Is(err, stream.ErrClosed) {
		t.Error(err)
	}
}
