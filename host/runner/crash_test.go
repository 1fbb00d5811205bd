package runner_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// fragile is a store whose commits fail when the test says so.
type fragile struct {
	*disk.Store
	mu     sync.Mutex // held by a commit; who holds it may copy the folder
	commit func(do func() error) error
}

func (f *fragile) Commit(ctx context.Context, c *stream.Commit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.commit(func() error { return f.Store.Commit(ctx, c) })
}

// totals counts in its state what it saw, and says its count with every message: the counts that it made are
// exact only when state, position and what was made are of one moment.
func totals() *script {
	s := &script{}
	s.process = func(v *message.View, emit func([]byte) error) sandbox.Result {
		n := atoi(s.state) + 1
		s.state = fmt.Append(nil, n)
		emit(numbered("total", int64(n)))
		return sandbox.Result{}
	}
	return s
}

func startLine(b *bench) {
	even := config(sandbox.Decoder, "even", "Fields[n] < 1000000")
	even.Workers = 3
	b.start(even, runner.Oldest, pass("telemetry"))
	b.start(config(sandbox.Analysis, "totals", "Type == 'telemetry'"), runner.Oldest, totals)
	out := config(sandbox.Output, "back", "Type == 'total'") // makes of a derived message a valid one
	out.ReadQueue = sandbox.ReadAnalysis
	b.start(out, runner.Oldest, pass("back"))
}

func checkLine(t *testing.T, b *bench, n int64) {
	t.Helper()
	b.await("every message to come round", func() bool { return int64(len(b.read(stream.Valid))) >= 2*n })
	b.awaitRead()
	b.shut()
	again := newBench(t, b.dir) // what is committed counts
	valid, back := map[int64]int{}, map[int64]int{}
	for _, v := range again.read(stream.Valid) {
		if header(&v, message.Type) == "back" {
			back[number(&v)]++
		} else {
			valid[number(&v)]++
		}
	}
	same(t, "decoded", valid, once(0, n))
	same(t, "totals", again.numbers(stream.Derived), once(1, n+1))
	same(t, "put back", back, once(1, n+1))
	same(t, "errors", again.numbers(stream.Errors), nil)
	if s, _ := again.store.State(t.Context(), "analysis.totals"); int64(atoi(s)) != n {
		t.Errorf("the state counts %s, want %d", s, n)
	}
}

// The process dies amid commits: some were made, and it never heard of it.
func TestCrashAtAnyCommit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			dir := t.TempDir()
			var fed int64
			for range 6 {
				dead := make(chan struct{})
				left, done := rng.IntN(12), rng.IntN(2) == 0
				store := &fragile{commit: func(do func() error) error {
					if left--; left > 0 {
						return do()
					}
					if left == 0 && done {
						do()
					}
					if left == 0 {
						close(dead)
					}
					return stream.ErrBroken
				}}
				left++ // the first is Begin's
				b := newBench(t, dir, func(o *runner.Options) { store.Store = o.Store.(*disk.Store); o.Store = store })
				startLine(b)
				if err := b.run.Begin(); err == nil {
					for range 12 {
						b.feedRaw(fed, fed+30)
						fed += 30
					}
					select {
					case <-dead:
					default:
						b.await("the crash or the end", func() bool {
							select {
							case <-dead:
								return true
							default:
								return b.store.Log(stream.Raw).End() == b.store.Readers()["decoder.even"][stream.Raw] && rng.IntN(20) == 0
							}
						})
					}
				}
				b.run.Close() // its commit fails
				b.store.Close()
			}
			b := newBench(t, dir)
			startLine(b)
			b.begin()
			checkLine(t, b, fed)
		})
	}
}

// What a copy of the folder holds between any two commits is one truth.
func TestCopyOfTheFolderAtAnyTime(t *testing.T) {
	t.Parallel()
	dir, copies := t.TempDir(), t.TempDir()
	rng := rand.New(rand.NewPCG(7, 7))
	var fed, copied int64
	fedAt := map[int64]int64{}
	store := &fragile{}
	store.commit = func(do func() error) error {
		err := do()
		if copied < 8 && rng.IntN(3) == 0 {
			copied++
			fedAt[copied] = fed
			if cerr := os.CopyFS(filepath.Join(copies, fmt.Sprint(copied)), os.DirFS(dir)); cerr != nil {
				err = errors.Join(err, cerr)
			}
		}
		return err
	}
	b := newBench(t, dir, func(o *runner.Options) { store.Store = o.Store.(*disk.Store); o.Store = store })
	startLine(b)
	b.begin()
	for i := 0; i < 40 || copied < 4; i++ {
		store.mu.Lock()
		b.feedRaw(fed, fed+25)
		fed += 25
		store.mu.Unlock()
		b.awaitMessages(stream.Valid, fed/2)
	}
	checkLine(t, b, fed)
	for n := int64(1); n <= copied; n++ {
		c := newBench(t, filepath.Join(copies, fmt.Sprint(n)))
		startLine(c)
		c.begin()
		checkLine(t, c, fedAt[n])
	}
}

// While the disk is full plugins wait, and nothing is lost or made twice.
func TestFullDiskHoldsPluginsBack(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	full, refused := false, 0
	store := &fragile{commit: func(do func() error) error {
		mu.Lock()
		defer mu.Unlock()
		if full {
			refused++
			return stream.ErrFull
		}
		return do()
	}}
	b := newBench(t, t.TempDir(), func(o *runner.Options) { store.Store = o.Store.(*disk.Store); o.Store = store })
	body := string(make([]byte, 100<<10))
	made := 0
	b.start(config(sandbox.Decoder, "wide", "TRUE"), runner.Oldest, func() *script {
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			mu.Lock()
			made++
			mu.Unlock()
			var mb message.Builder
			mb.SetUUID(make([]byte, 16))
			mb.AddInt("n", "", number(v))
			mb.AddString("body", "", body)
			emit(mb.AppendTo(nil))
			return sandbox.Result{}
		}}
	})
	b.begin()
	mu.Lock()
	full = true
	mu.Unlock()
	const n = 600 // 60 MB
	b.feedRaw(0, n)
	b.await("refusals", func() bool { mu.Lock(); defer mu.Unlock(); return refused >= 12 })
	mu.Lock()
	if made > n/3 {
		t.Errorf("%d messages of 100 KB were made while nothing could be committed", made)
	}
	full = false
	mu.Unlock()
	if b.run.Healthy() == nil {
		t.Error("the runner finds itself healthy on a full disk")
	}
	b.awaitMessages(stream.Valid, n)
	b.awaitRead()
	b.close()
	same(t, "valid", b.numbers(stream.Valid), once(0, n))
	if err := b.run.Healthy(); err != nil {
		t.Errorf("after the disk had room: %v", err)
	}
}
