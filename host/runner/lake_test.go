package runner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// pond is a lake in memory: what is written, flushed and published.
type pond struct {
	mu        sync.Mutex
	open      []string
	flushed   [][]string
	published []string
	covered   [][]stream.Range
	committed int // flushes
	due       bool
	broken    bool

	unpublishable bool
}

func (p *pond) Heka(path string, _ []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, path)
	return nil
}
func (p *pond) Parquet(string, sandbox.Row) error { return errors.New("not here") }
func (p *pond) Dirty() bool                       { p.mu.Lock(); defer p.mu.Unlock(); return len(p.open) > 0 }
func (p *pond) Due(time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open) > 0 && (p.due || len(p.open) >= 100)
}
func (p *pond) Flush(_ context.Context, covered []stream.Range) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return nil, errors.New("broken")
	}
	p.flushed, p.open, p.covered = append(p.flushed, p.open), nil, append(p.covered, covered)
	return fmt.Append(nil, len(p.flushed)), nil
}
func (p *pond) Committed() { p.mu.Lock(); defer p.mu.Unlock(); p.committed++ }
func (p *pond) Publish(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unpublishable {
		return errors.New("nothing becomes visible")
	}
	for ; p.committed > 0; p.committed-- {
		p.published = append(p.published, p.flushed[0]...)
		p.flushed = p.flushed[1:]
	}
	return nil
}
func (p *pond) set(due, broken bool) { p.mu.Lock(); defer p.mu.Unlock(); p.due, p.broken = due, broken }
func (p *pond) count() (open, published int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open), len(p.published)
}

// An output's position is never ahead of its files, and files are visible only after the commit.
func TestOutputCommitsWithItsFiles(t *testing.T) {
	t.Parallel()
	p := &pond{}
	b := newBench(t, t.TempDir(), func(o *runner.Options) { o.Lake = func(string) runner.LakeWriter { return p } })
	b.start(config(sandbox.Output, "o", "Type == 'x'"), runner.Oldest, func() *script {
		s := &script{}
		s.process = func(v *message.View, _ func([]byte) error) sandbox.Result {
			if err := s.env.Lake.Heka(fmt.Sprint(number(v)), v.Raw()); err != nil {
				t.Error(err)
			}
			return sandbox.Result{}
		}
		return s
	})
	b.begin()
	at := func(s string) stream.Position { return b.store.Readers()["output.o"][s] }
	write := func(from, to int64) {
		for n := from; n < to; n++ {
			b.feed(stream.Valid, numbered("x", n))
		}
	}

	b.feed(stream.Valid, numbered("other", 0))
	b.await("an idle output to move on", func() bool { return at(stream.Valid) == b.store.Log(stream.Valid).End() })

	before := at(stream.Valid)
	write(0, 10)
	b.await("ten writes", func() bool { open, _ := p.count(); return open == 10 })
	b.feed(stream.Errors, numbered("other", 0)) // several commits pass
	if err := b.run.Replace(t.Context(), "analysis.nobody"); err != nil {
		t.Fatal(err)
	}
	if at(stream.Valid) != before {
		t.Error("its position is ahead of its files")
	}
	p.set(true, true)
	b.feed(stream.Valid, numbered("other", 0))
	p.set(true, false)
	b.await("the files", func() bool { _, n := p.count(); return n == 10 })
	b.await("its position", func() bool { return at(stream.Valid) == b.store.Log(stream.Valid).End() })
	if s, _ := b.store.State(t.Context(), "lake.output.o"); len(s) == 0 {
		t.Error("no manifest was committed")
	}

	p.set(false, false)
	write(10, 360) // it waits where more would not fit
	b.await("the full ones", func() bool { open, n := p.count(); return n >= 310 && open+n == 360 })
	b.close()
	if open, n := p.count(); open != 0 || n != 360 {
		t.Errorf("after Close %d are unfinished, %d are visible", open, n)
	}
	var want []string
	for n := range 360 {
		want = append(want, fmt.Sprint(n))
	}
	if !slices.Equal(p.published, want) {
		t.Errorf("published %v", p.published)
	}
	if len(p.covered[0]) == 0 || p.covered[0][0].Stream != stream.Valid {
		t.Errorf("the first files cover %v", p.covered[0])
	}
	ends := map[string]stream.Position{}
	for _, ranges := range p.covered { // what lies between two holds nothing that it wants
		for _, r := range ranges {
			if r.From.Before(ends[r.Stream]) {
				t.Errorf("files cover %v, those before ended at %v", r, ends)
			}
			ends[r.Stream] = r.To
		}
	}
}

// What an output wrote since its last files is not kept when it ends, and it begins there again.
func TestOutputThatEndsBeginsAtItsFiles(t *testing.T) {
	t.Parallel()
	p := &pond{}
	b := newBench(t, t.TempDir(), func(o *runner.Options) {
		o.Lake = func(string) runner.LakeWriter { p.mu.Lock(); defer p.mu.Unlock(); p.open = nil; return p }
	})
	failing := true
	out := func() *script {
		s := &script{}
		fails := failing
		failing = false
		s.process = func(v *message.View, _ func([]byte) error) sandbox.Result {
			if fails && number(v) == 50 {
				return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "as told"}
			}
			s.env.Lake.Heka(fmt.Sprint(number(v)), v.Raw())
			return sandbox.Result{}
		}
		return s
	}
	var msgs [][]byte
	for n := range int64(80) {
		msgs = append(msgs, numbered("x", n))
	}
	b.feed(stream.Valid, msgs...)
	b.start(config(sandbox.Output, "o", "Type == 'x'"), runner.Oldest, out)
	b.begin()
	b.await("the end", func() bool { st, _ := b.run.Status("output.o"); return st.State == runner.Terminated })
	b.start(config(sandbox.Output, "o", "Type == 'x'"), runner.Newest, out)
	b.await("all again", func() bool { open, _ := p.count(); return open == 80 })
	b.close()
	if _, n := p.count(); n != 80 {
		t.Errorf("%d are visible, want 80", n)
	}
}

// slowPond takes its time to flush, and minds its context.
type slowPond struct {
	pond
	time time.Duration
}

func (p *slowPond) Flush(ctx context.Context, covered []stream.Range) ([]byte, error) {
	timer := time.NewTimer(p.time)
	defer timer.Stop()
	select {
	case <-timer.C:
		return p.pond.Flush(ctx, covered)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestCloseLetsFilesBeFinished: the last files of an output may take longer than a call of a plugin, and no longer than Close.
func TestCloseLetsFilesBeFinished(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes time.Duration
		want  int
	}{"in time": {800 * time.Millisecond, 1}, "not in time": {time.Hour, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &slowPond{time: c.takes}
			b := newBench(t, t.TempDir(), func(o *runner.Options) {
				o.Lake, o.CloseTime = func(string) runner.LakeWriter { return p }, 2*time.Second
			})
			b.start(config(sandbox.Output, "o", "Type == 'x'"), runner.Oldest, func() *script {
				s := &script{}
				s.process = func(v *message.View, _ func([]byte) error) sandbox.Result {
					s.env.Lake.Heka("x", v.Raw())
					return sandbox.Result{}
				}
				return s
			})
			b.begin()
			b.feed(stream.Valid, numbered("x", 1))
			b.await("the message", func() bool { open, _ := p.count(); return open == 1 })
			began := time.Now()
			b.close()
			if _, n := p.count(); n != c.want || time.Since(began) > 10*time.Second {
				t.Errorf("%d are visible after %v", n, time.Since(began))
			}
		})
	}
}
