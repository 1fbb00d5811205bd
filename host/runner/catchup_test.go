package runner_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// BenchmarkCatchUp shows what plugins that catch up cost one that is not behind: how long after its commit a message
// reaches that one, while so many others read 64 MiB from the start.
func BenchmarkCatchUp(b *testing.B) {
	store, err := disk.Open(b.TempDir(), disk.Options{Now: clock.Now, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	commit := func(msgs ...[]byte) {
		if err := store.Commit(context.Background(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: msgs}}); err != nil {
			b.Fatal(err)
		}
	}
	var mb message.Builder
	mb.SetUUID(make([]byte, 16))
	mb.SetTimestamp(1)
	mb.SetHeader(message.Type, "telemetry")
	for i := range 8 {
		mb.AddString(fmt.Sprintf("field%d", i), "", "some text of a usual length")
	}
	mb.SetHeader(message.Payload, fmt.Sprintf("%1000d", 1))
	msg := mb.AppendTo(nil)
	for range 16 {
		commit(slices.Repeat([][]byte{msg}, (4<<20)/len(msg))...)
	}
	for _, behind := range []int{0, 4, 24} {
		b.Run(fmt.Sprintf("behind=%d", behind), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				took = append(took, besideCatchUp(b, store, behind, commit)...)
			}
			slices.Sort(took)
			for name, part := range map[string]int{"p50-us": 50, "p90-us": 90, "max-us": 100} {
				b.ReportMetric(float64(took[(len(took)-1)*part/100].Microseconds()), name)
			}
		})
	}
}

// besideCatchUp sends messages to a plugin until the others have read all there is, at least a hundred.
func besideCatchUp(b *testing.B, store *disk.Store, behind int, commit func(...[]byte)) (took []time.Duration) {
	arrived := make(chan time.Time, 1)
	var seen atomic.Int64
	load := func(cfg *sandbox.Config, _ []byte, env sandbox.Env) (sandbox.Plugin, error) {
		if cfg.Name == "live" {
			return &script{env: env, process: func(*message.View, func([]byte) error) sandbox.Result {
				arrived <- time.Now()
				return sandbox.Result{}
			}}, nil
		}
		return &script{env: env, process: func(v *message.View, _ func([]byte) error) sandbox.Result {
			f, _ := v.Field("field7", 0)
			text, _ := f.Bytes(0)
			seen.Add(int64(len(text)))
			return sandbox.Result{}
		}}, nil
	}
	r := runner.New(runner.Options{Store: store, Load: load, Now: clock.Now, Log: quiet(), Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{Now: clock.Now} }})
	start := func(name, matcher string, from runner.From) {
		if err := r.Start(b.Context(), config(sandbox.Analysis, name, matcher), nil, from); err != nil {
			b.Fatal(err)
		}
	}
	start("live", "Type == 'probe'", runner.Newest)
	if err := r.Begin(); err != nil {
		b.Fatal(err)
	}
	for i := range behind {
		start(fmt.Sprint("behind", i), "Type == 'telemetry'", runner.Oldest)
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for lag := true; lag || len(took) < 100; {
		<-tick.C
		commit(numbered("probe", 1))
		sent := time.Now()
		took = append(took, (<-arrived).Sub(sent))
		lag = slices.ContainsFunc(r.List(), func(s runner.Status) bool { return s.LagBytes > 1<<20 })
	}
	for _, s := range r.List() {
		if err := r.Remove(b.Context(), s.Name); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}

// gated is a store whose readers of valid, from when gate is set, wait for it in every Read.
type gated struct {
	stream.Store
	gate    atomic.Pointer[chan struct{}]
	reading atomic.Int64
	most    atomic.Int64
}

type gatedLog struct {
	stream.Log
	g *gated
}

type gatedReader struct {
	stream.Reader
	g    *gated
	gate chan struct{}
}

func (g *gated) Log(name string) stream.Log {
	if name == stream.Valid {
		return gatedLog{g.Store.Log(name), g}
	}
	return g.Store.Log(name)
}

func (l gatedLog) NewReader(from stream.Position) (stream.Reader, error) {
	r, err := l.Log.NewReader(from)
	if gate := l.g.gate.Load(); gate != nil && err == nil {
		return gatedReader{r, l.g, *gate}, nil
	}
	return r, err
}

func (r gatedReader) Read(b *stream.Batch, maxBytes int) error {
	n := r.g.reading.Add(1)
	defer r.g.reading.Add(-1)
	r.g.most.Store(max(r.g.most.Load(), n))
	<-r.gate
	return r.Reader.Read(b, maxBytes)
}

// TestCatchUpHoldsUpNobody: while plugins that are behind read, and cannot go on, one that is not gets its messages; and few
// of them read at a time.
func TestCatchUpHoldsUpNobody(t *testing.T) {
	t.Parallel()
	g := &gated{}
	b := newBench(t, t.TempDir(), func(o *runner.Options) { g.Store, o.Store = o.Store, g })
	var msgs [][]byte
	for n := range int64(1000) {
		msgs = append(msgs, numbered("old", n))
	}
	b.feed(stream.Valid, msgs...)
	seen := map[string]*atomic.Int64{}
	start := func(name, match string, from runner.From) {
		n := &atomic.Int64{}
		seen[name] = n
		b.start(config(sandbox.Analysis, name, match), from, func() *script {
			return &script{process: func(*message.View, func([]byte) error) sandbox.Result { n.Add(1); return sandbox.Result{} }}
		})
	}
	start("live", "Type == 'new'", runner.Newest)
	b.begin()
	b.feed(stream.Valid, numbered("new", 0))
	b.await("the shared reader", func() bool { return seen["live"].Load() == 1 })

	gate := make(chan struct{})
	g.gate.Store(&gate)
	const behind = 8
	for i := range behind {
		start(fmt.Sprint("behind", i), "Type == 'old'", runner.Oldest)
	}
	most := min(behind, int64(max(1, runtime.GOMAXPROCS(0)/2)))
	b.await("as many that read as may", func() bool { return g.reading.Load() == most })
	for n := range int64(50) {
		b.feed(stream.Valid, numbered("new", n))
	}
	b.await("all that is new", func() bool { return seen["live"].Load() == 51 })
	close(gate)
	b.awaitRead()
	b.close()
	for i := range behind {
		if n := seen[fmt.Sprint("behind", i)].Load(); n != 1000 {
			t.Errorf("plugin %d has seen %d messages, want 1000", i, n)
		}
	}
	if n := g.most.Load(); n > most {
		t.Errorf("%d read at a time, want %d", n, most)
	}
}

// moody is a store whose streams cannot be read while down holds an error.
type moody struct {
	stream.Store
	down atomic.Pointer[error]
}

type moodyLog struct {
	stream.Log
	m *moody
}

type moodyReader struct {
	stream.Reader
	m *moody
}

func (m *moody) Log(name string) stream.Log { return moodyLog{m.Store.Log(name), m} }

func (l moodyLog) NewReader(from stream.Position) (stream.Reader, error) {
	r, err := l.Log.NewReader(from)
	return moodyReader{r, l.m}, err
}

func (r moodyReader) Read(b *stream.Batch, maxBytes int) error {
	if err := r.m.down.Load(); err != nil {
		return *err
	}
	return r.Reader.Read(b, maxBytes)
}

// TestReadingFailsForAWhile: streams that cannot be read are told of, and read again; plugins, behind or not, go on and see
// each message once.
func TestReadingFailsForAWhile(t *testing.T) {
	t.Parallel()
	for _, why := range []error{stream.ErrUnavailable, errors.New("the disk coughs")} {
		t.Run(why.Error(), func(t *testing.T) {
			t.Parallel()
			m := &moody{}
			var troubles sync.Map
			b := newBench(t, t.TempDir(), func(o *runner.Options) {
				m.Store, o.Store = o.Store, m
				o.Report = func(part string, err error) { troubles.Store(part, err != nil) }
			})
			seen := map[string]*atomic.Int64{"live": {}, "behind": {}}
			start := func(name string, from runner.From) {
				b.start(config(sandbox.Analysis, name, "TRUE"), from, func() *script {
					return &script{process: func(*message.View, func([]byte) error) sandbox.Result { seen[name].Add(1); return sandbox.Result{} }}
				})
			}
			b.feed(stream.Valid, numbered("x", 0), numbered("x", 1))
			start("live", runner.Newest)
			b.begin()
			m.down.Store(&why)
			b.feed(stream.Valid, numbered("x", 2))
			if errors.Is(why, stream.ErrUnavailable) { // any other error ends a plugin that reads by itself
				start("behind", runner.Oldest)
			}
			b.await("word of it", func() bool { v, _ := troubles.Load("read stream valid"); return v == true })
			m.down.Store(nil)
			b.await("all messages", func() bool {
				return seen["live"].Load() == 1 && (seen["behind"].Load() == 3 || !errors.Is(why, stream.ErrUnavailable))
			})
			b.await("an end of the trouble", func() bool { v, _ := troubles.Load("read stream valid"); return v == false })
			b.close()
		})
	}
}
