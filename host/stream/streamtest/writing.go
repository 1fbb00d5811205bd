package streamtest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"sandbar/host/stream"
)

var appendTests = map[string]func(t *testing.T, open func() stream.Store){
	"append nothing":      appendNothing,
	"append too large":    appendTooLarge,
	"append elsewhere":    appendElsewhere,
	"append cancelled":    appendCancelled,
	"append at once":      appendAtOnce,
	"append across opens": appendAcrossOpens,
}

var commitTests = map[string]func(t *testing.T, open func() stream.Store){
	"commit":             commitAll,
	"commit keeps":       commitKeeps,
	"commit refused":     commitRefused,
	"commit cancelled":   commitCancelled,
	"commit at once":     commitAtOnce,
	"commit many states": commitManyStates,
	"commit forgets":     commitForgets,
	"readers are copies": readersAreCopies,
}

var trimTests = map[string]func(t *testing.T, open func() stream.Store){
	"trim below the slowest": trimBelowSlowest,
	"identity":               identity,
	"distance":               distance,
	"trim without limits":    trimWithoutLimits,
	"trim under a reader":    trimUnderReader,
}

func appendNothing(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		end := appendRaw(t, s, msgs("m", 0, 3))
		if got := appendRaw(t, s, nil); got != end {
			t.Errorf("appending nothing went to %s from %s", got, end)
		}
		if _, err := s.Log(stream.Raw).Append(t.Context(), []byte("a"), nil); err == nil {
			t.Error("an empty message was taken")
		}
		wantMessages(t, s.Log(stream.Raw), stream.Position{}, msgs("m", 0, 3))
	})
}

func appendTooLarge(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		_, err := s.Log(stream.Raw).Append(t.Context(), []byte("small"), make([]byte, MaxMessage+1))
		wantError(t, err, stream.ErrTooLarge)
		wantMessages(t, s.Log(stream.Raw), stream.Position{}, nil)
		largest := [][]byte{bytes.Repeat([]byte{7}, MaxMessage)}
		appendRaw(t, s, largest)
		wantMessages(t, s.Log(stream.Raw), stream.Position{}, largest)
	})
}

func appendElsewhere(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		for _, name := range stream.Names() {
			if _, err := s.Log(name).Append(t.Context(), []byte("x")); (err == nil) != (name == stream.Raw) {
				t.Errorf("append to %s: %v", name, err)
			}
		}
	})
}

func appendCancelled(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Log(stream.Raw).Append(ctx, []byte("x"))
		wantError(t, err, context.Canceled)
		wantMessages(t, s.Log(stream.Raw), stream.Position{}, nil)
	})
}

// Whoever appends at the same time: nothing is lost or doubled, each caller's messages are in its order,
// those of one call lie together, and the positions returned are where they end.
func appendAtOnce(t *testing.T, open func() stream.Store) {
	const callers, calls = 16, 25
	with(t, open, func(s stream.Store) {
		l := s.Log(stream.Raw)
		var mu sync.Mutex
		after := map[stream.Position]string{}
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range calls {
					a, b := fmt.Sprintf("%d/%d/a", c, i), fmt.Sprintf("%d/%d/b", c, i)
					end, err := l.Append(t.Context(), []byte(a), []byte(b))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					after[end] = b
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		got, ends := read(t, l, stream.Position{}, 10_000)
		if len(got) != 2*callers*calls {
			t.Fatalf("%d messages, want %d", len(got), 2*callers*calls)
		}
		next := make([]int, callers)
		for i := 0; i < len(got); i += 2 {
			var c, n int
			fmt.Sscanf(string(got[i]), "%d/%d/a", &c, &n)
			want := fmt.Sprintf("%d/%d/b", c, n)
			if n != next[c] || string(got[i+1]) != want || after[ends[i+1]] != want {
				t.Fatalf("%q and %q are not in order or end at the wrong place", got[i], got[i+1])
			}
			next[c]++
		}
	})
}

func appendAcrossOpens(t *testing.T, open func() stream.Store) {
	var want [][]byte
	var last stream.Position
	for i := range 5 {
		with(t, open, func(s stream.Store) {
			wantMessages(t, s.Log(stream.Raw), stream.Position{}, want)
			list := msgs("m", i*10, i*10+10)
			want = append(want, list...)
			end := appendRaw(t, s, list)
			if !last.Before(end) {
				t.Errorf("after %s came %s", last, end)
			}
			last = end
		})
	}
}

func commitAll(t *testing.T, open func() stream.Store) {
	v, d, state := msgs("v", 0, 100), msgs("d", 0, 7), bytes.Repeat([]byte("state"), 10_000)
	var readers map[string]map[string]stream.Position
	with(t, open, func(s stream.Store) {
		end := appendRaw(t, s, msgs("m", 0, 10))
		readers = positions("decoder", stream.Raw, end)
		commit(t, s, &stream.Commit{
			Appends:   map[string][][]byte{stream.Valid: v, stream.Errors: nil, stream.Derived: d},
			Positions: readers,
			States:    map[string][]byte{"large": state, "empty": {}},
		})
	})
	for range 2 { // before and after another restart
		with(t, open, func(s stream.Store) {
			wantMessages(t, s.Log(stream.Valid), stream.Position{}, v)
			wantMessages(t, s.Log(stream.Errors), stream.Position{}, nil)
			wantMessages(t, s.Log(stream.Derived), stream.Position{}, d)
			wantReaders(t, s, readers)
			wantState(t, s, "large", state)
			wantState(t, s, "empty", []byte{})
		})
	}
}

func commitKeeps(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		one := appendRaw(t, s, msgs("m", 0, 1))
		two := appendRaw(t, s, msgs("m", 1, 2))
		commit(t, s, &stream.Commit{
			Positions: map[string]map[string]stream.Position{"a": {stream.Raw: one, stream.Valid: {}}, "b": {stream.Raw: one}},
			States:    map[string][]byte{"a": []byte("1"), "b": []byte("1"), "c": []byte("1")},
		})
		commit(t, s, &stream.Commit{Positions: positions("a", stream.Raw, two), States: map[string][]byte{"b": []byte("2"), "c": nil, "none": nil}})
		commit(t, s, &stream.Commit{})
		wantReaders(t, s, map[string]map[string]stream.Position{"a": {stream.Raw: two, stream.Valid: {}}, "b": {stream.Raw: one}})
		wantState(t, s, "a", []byte("1"))
		wantState(t, s, "b", []byte("2"))
		wantState(t, s, "c", nil)
	})
}

// A commit that is refused leaves nothing behind.
func commitRefused(t *testing.T, open func() stream.Store) {
	v := map[string][][]byte{stream.Valid: msgs("v", 0, 3)}
	states := map[string][]byte{"s": []byte("x")}
	bad := map[string]*stream.Commit{
		"to raw":           {Appends: map[string][][]byte{stream.Valid: msgs("v", 0, 3), stream.Raw: msgs("v", 0, 3)}, States: states},
		"to no stream":     {Appends: map[string][][]byte{stream.Valid: msgs("v", 0, 3), "none": msgs("v", 0, 3)}, States: states},
		"too large":        {Appends: map[string][][]byte{stream.Valid: msgs("v", 0, 3), stream.Derived: {make([]byte, MaxMessage+1)}}, States: states},
		"empty message":    {Appends: map[string][][]byte{stream.Valid: {[]byte("v"), nil}}, States: states},
		"reader of none":   {Appends: v, States: states, Positions: positions("r", "none", stream.Position{})},
		"negative":         {Appends: v, States: states, Positions: positions("r", stream.Raw, stream.Position{Segment: -1})},
		"ahead of raw":     {Appends: v, States: states, Positions: positions("r", stream.Raw, stream.Position{Segment: 1 << 40})},
		"ahead of valid":   {Appends: v, States: states, Positions: positions("r", stream.Valid, stream.Position{Segment: 1 << 40})},
		"reader no name":   {Appends: v, States: states, Positions: positions("", stream.Raw, stream.Position{})},
		"state no name":    {Appends: v, States: map[string][]byte{"s": []byte("x"), "": []byte("x")}},
		"state large name": {Appends: v, States: map[string][]byte{"s": []byte("x"), string(make([]byte, 300)): []byte("x")}},
	}
	verify := func(s stream.Store) {
		for _, name := range stream.Names() {
			wantMessages(t, s.Log(name), stream.Position{}, nil)
		}
		wantReaders(t, s, nil)
		wantState(t, s, "s", nil)
	}
	with(t, open, func(s stream.Store) {
		for name, c := range bad {
			if err := s.Commit(t.Context(), c); err == nil {
				t.Errorf("%s: taken", name)
			}
			verify(s)
		}
	})
	with(t, open, func(s stream.Store) {
		verify(s)
		commit(t, s, &stream.Commit{Appends: v, States: states})
		wantMessages(t, s.Log(stream.Valid), stream.Position{}, v[stream.Valid])
	})
}

func commitCancelled(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		// It may have been taken before the context was looked at, but an error means that nothing is there.
		if s.Commit(ctx, &stream.Commit{States: map[string][]byte{"s": []byte("x")}}) != nil {
			wantState(t, s, "s", nil)
		}
	})
}

// Commits at the same time follow one another: what each appends lies together.
func commitAtOnce(t *testing.T, open func() stream.Store) {
	const writers, commits = 6, 10
	with(t, open, func(s stream.Store) {
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range commits {
					m := []byte(fmt.Sprintf("%d/%d", w, i))
					err := s.Commit(t.Context(), &stream.Commit{
						Appends: map[string][][]byte{stream.Valid: {m, m}, stream.Derived: {m}},
						States:  map[string][]byte{fmt.Sprint(w): m},
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		v, _ := read(t, s.Log(stream.Valid), stream.Position{}, 100)
		d, _ := read(t, s.Log(stream.Derived), stream.Position{}, 100)
		if len(d) != writers*commits || len(v) != 2*len(d) {
			t.Fatalf("%d messages in derived, %d in valid", len(d), len(v))
		}
		for i, m := range d {
			wantEqual(t, v[2*i:2*i+2], [][]byte{m, m})
		}
		for w := range writers {
			wantState(t, s, fmt.Sprint(w), []byte(fmt.Sprintf("%d/%d", w, commits-1)))
		}
	})
}

// Whatever of many states changes in whichever commit, each is what it was last.
func commitManyStates(t *testing.T, open func() stream.Store) {
	rnd := rand.New(rand.NewPCG(1, 2))
	want := map[string][]byte{}
	for range 4 {
		with(t, open, func(s stream.Store) {
			for range 20 {
				changed := map[string][]byte{}
				for range rnd.IntN(5) {
					name := fmt.Sprint("plugin ", rnd.IntN(12))
					changed[name] = bytes.Repeat([]byte{byte(rnd.Uint32())}, rnd.IntN(3000))
					if rnd.IntN(8) == 0 {
						changed[name] = nil
					}
				}
				commit(t, s, &stream.Commit{States: changed})
				for name, b := range changed {
					want[name] = b
				}
			}
			for name, b := range want {
				wantState(t, s, name, b)
			}
		})
	}
}

func commitForgets(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		end := appendRaw(t, s, msgs("m", 0, 3))
		for _, r := range []string{"a", "b", "c"} {
			commit(t, s, &stream.Commit{Positions: map[string]map[string]stream.Position{r: {stream.Raw: end, stream.Errors: {}}}})
		}
		commit(t, s, &stream.Commit{Forget: []string{"a", "b", "none"}, Positions: positions("b", stream.Raw, stream.Position{})})
	})
	with(t, open, func(s stream.Store) {
		end := s.Log(stream.Raw).End()
		wantReaders(t, s, map[string]map[string]stream.Position{"b": {stream.Raw: {}}, "c": {stream.Raw: end, stream.Errors: {}}})
	})
}

func readersAreCopies(t *testing.T, open func() stream.Store) {
	with(t, open, func(s stream.Store) {
		want := positions("a", stream.Raw, stream.Position{})
		commit(t, s, &stream.Commit{Positions: positions("a", stream.Raw, stream.Position{})})
		s.Readers()["a"][stream.Raw] = stream.Position{Segment: 9}
		s.Readers()["b"] = nil
		wantReaders(t, s, want)
	})
}

// However much is trimmed, the slowest committed reader finds all that it has not read.
func trimBelowSlowest(t *testing.T, open func() stream.Store) {
	want := msgs("m", 0, 2000)
	with(t, open, func(s stream.Store) {
		l := s.Log(stream.Raw)
		commit(t, s, &stream.Commit{Positions: positions("required", stream.Raw, stream.Position{})})
		for i := 0; i < len(want); i += 20 {
			appendRaw(t, s, want[i:i+20])
		}
		_, ends := read(t, l, stream.Position{}, 1<<20)
		removed, err := l.Trim(t.Context(), 0, 0)
		check(t, err)
		wantMessages(t, l, stream.Position{}, want)
		if removed != 0 {
			t.Errorf("%d bytes were removed before anybody had them", removed)
		}
		commit(t, s, &stream.Commit{Positions: map[string]map[string]stream.Position{"required": {stream.Raw: ends[1499]}, "fast": {stream.Raw: ends[1999]}}})
		before := l.Stats().Stored
		removed, err = l.Trim(t.Context(), 0, 0)
		check(t, err)
		if after := l.Stats().Stored; after != before-removed {
			t.Errorf("%d of %d bytes were removed, and %d are left", removed, before, after)
		}
		wantMessages(t, l, ends[1499], want[1500:])
		wantMessages(t, l, ends[1999], nil)
		got, _ := read(t, l, stream.Position{}, 1<<20)
		wantEqual(t, got, want[len(want)-len(got):])
		if removed > 0 && l.First() == (stream.Position{}) {
			t.Error("something was removed, and First did not move")
		}
	})
	with(t, open, func(s stream.Store) {
		got, _ := read(t, s.Log(stream.Raw), stream.Position{}, 1<<20)
		wantEqual(t, got, want[len(want)-len(got):])
		end := appendRaw(t, s, msgs("m", 2000, 2001))
		if _, ends := read(t, s.Log(stream.Raw), stream.Position{}, 1<<20); end != ends[len(ends)-1] {
			t.Errorf("append ended at %s, reading at %s", end, ends[len(ends)-1])
		}
	})
}

func trimWithoutLimits(t *testing.T, open func() stream.Store) {
	want := msgs("m", 0, 500)
	with(t, open, func(s stream.Store) {
		appendRaw(t, s, want)
		l := s.Log(stream.Raw)
		for _, keepBytes := range []int64{-1, 1 << 40} {
			removed, err := l.Trim(t.Context(), keepBytes, -1)
			check(t, err)
			if removed != 0 {
				t.Errorf("%d bytes were removed though %d may be kept", removed, keepBytes)
			}
		}
		wantMessages(t, l, stream.Position{}, want)
	})
}

// A reader that nobody committed may lose messages, but it is told, and then goes on.
func trimUnderReader(t *testing.T, open func() stream.Store) {
	want := msgs("m", 0, 2000)
	with(t, open, func(s stream.Store) {
		for i := 0; i < len(want); i += 20 {
			appendRaw(t, s, want[i:i+20])
		}
		l := s.Log(stream.Raw)
		r, err := l.NewReader(stream.Position{})
		check(t, err)
		defer r.Close()
		var b stream.Batch
		check(t, r.Read(&b, 1))
		got := [][]byte{bytes.Clone(b.Messages[0])}
		removed, err := l.Trim(t.Context(), 0, 0)
		check(t, err)
		told := false
		for len(got) < len(want) {
			err := r.Read(&b, 1000)
			if !told && err != nil {
				wantError(t, err, stream.ErrTrimmed)
				told = true
				if r.Position() != l.First() {
					t.Fatalf("goes on at %s, First is %s", r.Position(), l.First())
				}
				left, _ := read(t, l, stream.Position{}, 1<<20)
				got = append(got[:0], want[:len(want)-len(left)]...)
				continue
			}
			check(t, err)
			for _, m := range b.Messages {
				got = append(got, bytes.Clone(m))
			}
		}
		wantEqual(t, got, want)
		if told && removed == 0 {
			t.Error("messages are said to be trimmed, and nothing was removed")
		}
	})
}

func identity(t *testing.T, open func() stream.Store) {
	s := open()
	id := s.ID()
	if id == (stream.ID{}) || s.Log(stream.Raw).Store() != id || s.Log(stream.Derived).Store() != id {
		t.Errorf("the store is %s, its logs are of %s", id, s.Log(stream.Raw).Store())
	}
	if err := s.Commit(t.Context(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: {[]byte("a")}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	if s.ID() != id {
		t.Errorf("opened again it is %s, was %s", s.ID(), id)
	}
}

func distance(t *testing.T, open func() stream.Store) {
	s := open()
	defer s.Close()
	log := s.Log(stream.Valid)
	start := log.End()
	var ends []stream.Position
	for range 200 {
		if err := s.Commit(t.Context(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: {make([]byte, 1000)}}}); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, log.End())
	}
	whole := log.Distance(start, log.End())
	if whole < 200*1000 || whole > 200*1100 {
		t.Errorf("200 messages of 1 000 bytes are %d bytes", whole)
	}
	for i, p := range ends {
		if d := log.Distance(start, p) + log.Distance(p, log.End()); d != whole {
			t.Fatalf("the parts before and after message %d are %d bytes, the whole %d", i, d, whole)
		}
	}
	if d := log.Distance(log.End(), start); d != 0 {
		t.Errorf("backwards it is %d", d)
	}
}
