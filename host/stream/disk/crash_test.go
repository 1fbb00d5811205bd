package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/disk/faultfs"
)

// A world is a store on a file system with faults, and what must be true of it: every append that was
// answered is there, once and in order; every commit is there whole or not at all.
type world struct {
	t     *testing.T
	what  string // for messages: which run this is
	rnd   *rand.Rand
	fs    *faultfs.FS
	store *disk.Store
	made  int // messages so far, for their numbers

	raw      [][]byte // all that was ever acknowledged, also what was trimmed since
	truth    truth    // after the newest commit that was answered
	inFlight *truth   // after the commit whose answer was an error, if it was the last thing done
	needed   int      // raw messages from here on are not read by the slowest reader
}

// truth is what commits make true.
type truth struct {
	logs    map[string][][]byte
	readers map[string]map[string]stream.Position
	states  map[string][]byte
}

func newWorld(t *testing.T, what string, seed uint64) *world {
	w := &world{t: t, what: what, rnd: rand.New(rand.NewPCG(seed, 1)), fs: faultfs.New(seed),
		truth: truth{logs: map[string][][]byte{}, readers: map[string]map[string]stream.Position{}, states: map[string][]byte{}}}
	return w
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf(w.what+": "+format, args...)
}

func (w *world) open() error {
	s, err := disk.Open("/data/streams", disk.Options{FS: w.fs, SegmentSize: 700, MinFree: -1, Now: func() time.Time { return time.Unix(1e9, 0) }})
	w.store = s
	return err
}

// run does random things until steps are done or something fails, and returns that error.
func (w *world) run(steps int) error {
	if w.store == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	for range steps {
		var err error
		switch n := w.rnd.IntN(20); {
		case n < 9:
			err = w.append()
		case n < 16:
			err = w.commit()
		case n < 18:
			err = w.trim()
		default:
			err = w.reopen()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) messages(n int) [][]byte {
	var list [][]byte
	for range n {
		w.made++
		m := fmt.Appendf(nil, "message %d ", w.made)
		list = append(list, append(m, bytes.Repeat([]byte{'#'}, w.rnd.IntN(200))...))
	}
	return list
}

func (w *world) append() error {
	list := w.messages(1 + w.rnd.IntN(4))
	if _, err := w.store.Log(stream.Raw).Append(w.t.Context(), list...); err != nil {
		return err
	}
	w.raw = append(w.raw, list...)
	return nil
}

// trim trims any stream, but raw only once a reader of it is known.
func (w *world) trim() error {
	name := stream.Names()[w.rnd.IntN(4)]
	if name == stream.Raw && len(w.truth.readers) == 0 {
		return nil
	}
	_, err := w.store.Log(name).Trim(w.t.Context(), int64(w.rnd.IntN(2000)), -1)
	return err
}

// commit does what a decoder does: it goes on some way in raw and writes about it.
func (w *world) commit() error {
	c, next := w.nextCommit()
	if err := w.store.Commit(w.t.Context(), c); err != nil {
		w.inFlight = &next
		return err
	}
	w.settle(next)
	return nil
}

func (w *world) nextCommit() (*stream.Commit, truth) {
	next := truth{logs: maps.Clone(w.truth.logs), readers: maps.Clone(w.truth.readers), states: maps.Clone(w.truth.states)}
	c := &stream.Commit{Appends: map[string][][]byte{}, Positions: map[string]map[string]stream.Position{}, States: map[string][]byte{}}
	for _, name := range stream.Names()[1:] {
		if w.rnd.IntN(2) == 0 {
			c.Appends[name] = w.messages(w.rnd.IntN(8))
			next.logs[name] = append(slices.Clip(next.logs[name]), c.Appends[name]...)
		}
	}
	if w.rnd.IntN(2) == 0 {
		p := w.store.Log(stream.Raw).End()
		c.Positions["decoder"] = map[string]stream.Position{stream.Raw: p}
		next.readers["decoder"] = c.Positions["decoder"]
	}
	for range w.rnd.IntN(3) {
		name := fmt.Sprint("plugin ", w.rnd.IntN(4))
		c.States[name] = bytes.Repeat([]byte{byte(w.rnd.Uint32())}, w.rnd.IntN(500))
		next.states[name] = c.States[name]
		if w.rnd.IntN(5) == 0 {
			c.States[name] = nil
			delete(next.states, name)
		}
	}
	return c, next
}

func (w *world) settle(next truth) {
	w.truth, w.inFlight = next, nil
	if _, ok := next.readers["decoder"]; ok {
		p := next.readers["decoder"][stream.Raw]
		w.needed = len(w.raw) - len(w.read(stream.Raw, p))
	}
}

func (w *world) reopen() error {
	if err := w.store.Close(); err != nil {
		return err
	}
	return w.open()
}

func (w *world) read(name string, from stream.Position) (list [][]byte) {
	w.t.Helper()
	r, err := w.store.Log(name).NewReader(from)
	if err != nil {
		w.fatalf("read %s from %s: %v", name, from, err)
	}
	defer r.Close()
	for {
		var b stream.Batch
		if err := r.Read(&b, 300); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			w.fatalf("read %s: %v", name, err)
		}
		list = append(list, b.Messages...)
	}
}

// verify compares the store with what must be true. What raw has behind the acknowledged messages was
// under way, and stays from now on, as somebody may have read it.
func (w *world) verify() {
	w.t.Helper()
	got := w.read(stream.Raw, stream.Position{})
	from := w.firstOf(got, w.raw)
	if from > w.needed {
		w.fatalf("raw begins with message %d of %d, and a reader needs %d", from, len(w.raw), w.needed)
	}
	w.wantPrefix(stream.Raw, got, w.raw[from:])
	w.raw = append(w.raw, got[len(w.raw)-from:]...)

	if w.inFlight != nil && w.holds(*w.inFlight) == nil {
		w.settle(*w.inFlight)
	} else if err := w.holds(w.truth); err != nil {
		w.fatalf("neither the newest commit nor the one under way (%t) is what is there: %v", w.inFlight != nil, err)
	}
	w.inFlight = nil
}

// firstOf finds where in all the kept ones begin.
func (w *world) firstOf(kept, all [][]byte) int {
	if len(kept) == 0 {
		return len(all)
	}
	for i, m := range all {
		if bytes.Equal(m, kept[0]) {
			return i
		}
	}
	return len(all)
}

func (w *world) wantPrefix(name string, got, want [][]byte) {
	w.t.Helper()
	for i, m := range want {
		if i >= len(got) {
			w.fatalf("stream %s has %d messages, and %d were acknowledged; missing is %.20q", name, len(got), len(want), m)
		}
		if !bytes.Equal(got[i], m) {
			w.fatalf("message %d of stream %s is %.20q, not %.20q", i, name, got[i], m)
		}
	}
}

// holds says what is not as the truth has it.
func (w *world) holds(tr truth) error {
	for _, name := range stream.Names()[1:] {
		got, want := w.read(name, stream.Position{}), tr.logs[name]
		from := w.firstOf(got, want)
		if len(got) != len(want)-from {
			return fmt.Errorf("stream %s has %d messages, not %d", name, len(got), len(want)-from)
		}
		if from > 0 && w.store.Log(name).First() == (stream.Position{}) {
			return fmt.Errorf("stream %s has lost its first %d messages", name, from)
		}
		for i, m := range got {
			if !bytes.Equal(m, want[from+i]) {
				return fmt.Errorf("message %d of stream %s is %.20q, not %.20q", i, name, m, want[from+i])
			}
		}
		if n := w.store.Log(name).Stats().Skipped; n > 0 {
			return fmt.Errorf("stream %s has %d damaged bytes", name, n)
		}
	}
	readers := w.store.Readers()
	if !maps.EqualFunc(readers, tr.readers, func(a, b map[string]stream.Position) bool { return maps.Equal(a, b) }) {
		return fmt.Errorf("readers are %v, not %v", readers, tr.readers)
	}
	for i := range 4 {
		name := fmt.Sprint("plugin ", i)
		got, err := w.store.State(w.t.Context(), name)
		if err != nil {
			return err
		}
		if want, ok := tr.states[name]; !bytes.Equal(got, want) || (got != nil) != ok {
			return fmt.Errorf("state %s has %d bytes, not %d", name, len(got), len(want))
		}
	}
	return nil
}

func seeds(n int) []uint64 {
	if testing.Short() {
		n = 1
	}
	list := make([]uint64, n)
	for i := range list {
		list[i] = uint64(i)
	}
	return list
}

// The power goes at every single operation of a random history, also while starting again after that.
func TestCrashAtEveryOperation(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			for at := int64(0); crashAt(t, seed, at); at++ {
			}
		})
	}
}

// crashAt reports whether the history is long enough for a crash at that operation.
func crashAt(t *testing.T, seed uint64, at int64) bool {
	w := newWorld(t, fmt.Sprintf("seed %d, crash at operation %d", seed, at), seed)
	w.fs.Fault = func(op faultfs.Op) error {
		if op.N >= at {
			return faultfs.ErrCrashed
		}
		return nil
	}
	err := w.run(40)
	crashed := err != nil
	if crashed && !errors.Is(err, faultfs.ErrCrashed) {
		w.fatalf("error is %v", err)
	}
	// Crash a few operations into each of two recoveries, then recover for good.
	for i := range 3 {
		if w.store != nil {
			w.store.Close() // an error is fine: the power is gone
		}
		w.fs, w.store = w.fs.Crash(), nil
		if i < 2 {
			again := int64(w.rnd.IntN(40))
			w.fs.Fault = func(op faultfs.Op) error {
				if op.N >= again {
					return faultfs.ErrCrashed
				}
				return nil
			}
		}
		if err := w.open(); err == nil {
			w.verify()
		} else if !errors.Is(err, faultfs.ErrCrashed) {
			w.fatalf("open after the crash: %v", err)
		}
	}
	if err := w.run(10); err != nil {
		w.fatalf("after the crash: %v", err)
	}
	w.verify()
	if err := w.store.Close(); err != nil {
		w.fatalf("close: %v", err)
	}
	return crashed
}

// One operation fails at every place of a random history: the disk is full, or it has an error. Nothing
// that was answered is lost, what failed is not there, and what can go on goes on.
func TestErrorAtEveryOperation(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		for _, seed := range seeds(3) {
			t.Run(fmt.Sprintf("%v/seed %d", cause, seed), func(t *testing.T) {
				t.Parallel()
				for at := int64(0); errorAt(t, seed, at, cause); at++ {
				}
			})
		}
	}
}

func errorAt(t *testing.T, seed uint64, at int64, cause error) bool {
	w := newWorld(t, fmt.Sprintf("seed %d, %v at operation %d", seed, cause, at), seed)
	var failed *faultfs.Op
	w.fs.Fault = func(op faultfs.Op) error {
		if op.N == at {
			failed = &op
			return cause
		}
		return nil
	}
	err := w.run(40)
	switch {
	case failed == nil:
		w.store.Close()
		return false
	case err == nil && failed.Kind != "remove": // old state files are removed when that is possible
		w.fatalf("nobody noticed that %s of %s failed", failed.Kind, failed.Name)
	case err == nil:
	case w.store == nil:
		if err := w.open(); err != nil {
			w.fatalf("open again: %v", err)
		}
	case errors.Is(err, stream.ErrBroken):
		w.wantBroken()
		w.fs.Fault = nil
		if err := w.reopen(); err != nil {
			w.fatalf("open again: %v", err)
		}
	case errors.Is(cause, syscall.ENOSPC) && failed.Kind == "write" && !errors.Is(err, stream.ErrFull):
		w.fatalf("a full disk is %v", err)
	default:
		w.inFlight = nil // it failed, so nothing of it may be there
	}
	w.verify()
	if err := w.run(10); err != nil {
		w.fatalf("after %s of %s failed: %v", failed.Kind, failed.Name, err)
	}
	w.verify()
	if err := w.store.Close(); err != nil {
		w.fatalf("close: %v", err)
	}
	// And all that is durable.
	w.fs = w.fs.Crash()
	if err := w.open(); err != nil {
		w.fatalf("open after a crash: %v", err)
	}
	w.verify()
	w.store.Close()
	return true
}

func (w *world) wantBroken() {
	w.t.Helper()
	if _, err := w.store.Log(stream.Raw).Append(w.t.Context(), []byte("x")); err != nil && !errors.Is(err, stream.ErrBroken) {
		w.fatalf("append to a broken store: %v", err)
	}
	if err := w.store.Commit(w.t.Context(), &stream.Commit{States: map[string][]byte{"x": nil}}); !errors.Is(err, stream.ErrBroken) {
		w.fatalf("commit to a broken store: %v", err)
	}
}
