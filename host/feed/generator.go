package feed

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// GeneratorOptions say where the demo's submissions go and what they are like.
type GeneratorOptions struct {
	URL     string           // the edge, http://127.0.0.1:8080. Required
	Now     func() time.Time // Required
	Logger  *slog.Logger     // Required
	Client  *http.Client     // nil makes one
	Workers int              // requests under way at once; default 8

	// Script decides what is sent. Its Start is set by Run, its Seed (when zero) by the clock: a host drops
	// the document ids that it knows, so a second demo with the same seed would show nothing.
	Script ScriptOptions
}

// Generator feeds the demo.
type Generator struct {
	opts    GeneratorOptions
	poster  *poster
	failing atomic.Bool

	mu    sync.Mutex
	stats GeneratorStats
}

// GeneratorStats count what was sent.
type GeneratorStats struct {
	Sent   int64         // answered, with whatever status
	Failed int64         // not answered
	Bytes  int64         // of bodies answered with 200
	Status map[int]int64 // answers by status
}

// NewGenerator checks the options.
func NewGenerator(o GeneratorOptions) (*Generator, error) {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	p, err := newPoster(o.URL, o.Client, o.Workers)
	if err != nil {
		return nil, err
	}
	if _, err := NewScript(o.Script); err != nil {
		return nil, err
	}
	return &Generator{opts: o, poster: p, stats: GeneratorStats{Status: map[int]int64{}}}, nil
}

// Stats returns the counts so far.
func (g *Generator) Stats() GeneratorStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.stats
	st.Status = make(map[int]int64, len(g.stats.Status))
	for code, n := range g.stats.Status {
		st.Status[code] = n
	}
	return st
}

// Run sends until the context ends, and then returns nil.
func (g *Generator) Run(ctx context.Context) error {
	defer g.poster.close()
	due := make(chan *Submission)
	var workers sync.WaitGroup
	for range g.opts.Workers {
		workers.Go(func() { g.send(ctx, due) })
	}
	err := g.play(ctx, due)
	close(due)
	workers.Wait()
	if ended(ctx, err) {
		return nil
	}
	return err
}

const (
	early = 5 * time.Millisecond // a submission may go out this much before it is due: fewer timers
	late  = 2 * time.Second      // what is later than this moves the script on: no burst after a pause
)

// play hands each submission of the script out when it is due.
func (g *Generator) play(ctx context.Context, due chan<- *Submission) error {
	start := g.opts.Now()
	o := g.opts.Script
	o.Start = start
	if o.Seed == 0 {
		o.Seed = uint64(start.UnixNano())
	}
	script, err := NewScript(o)
	if err != nil {
		return err
	}
	wrong := false
	for {
		s, err := script.Next()
		if err != nil {
			return err
		}
		if now := script.Anomalous(s.At); now != wrong {
			wrong = now
			g.tellAnomaly(wrong)
		}
		behind := g.opts.Now().Sub(start.Add(s.At))
		if behind > late {
			start = start.Add(behind)
		}
		if behind < -early {
			if err := pause(ctx, -behind); err != nil {
				return err
			}
		}
		select {
		case due <- s:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (g *Generator) tellAnomaly(begins bool) {
	if begins {
		g.opts.Logger.Info("demo: something goes wrong now", "nearly stops", droppedKind, "grows", grownKind)
		return
	}
	g.opts.Logger.Info("demo: back to normal")
}

// send posts what is due. After a failure it waits, longer each time, before it takes the next; what could
// not be sent is not tried again, for there is always more.
func (g *Generator) send(ctx context.Context, due <-chan *Submission) {
	var wait time.Duration
	for s := range due {
		status, text, wished, err := g.poster.post(ctx, s)
		if ctx.Err() != nil {
			continue // drain
		}
		g.count(s, status, err)
		if err == nil && status < 500 {
			wait = 0
			if g.failing.CompareAndSwap(true, false) {
				g.opts.Logger.Info("demo: the edge answers again")
			}
			continue
		}
		if g.failing.CompareAndSwap(false, true) {
			g.opts.Logger.Warn("demo: the edge does not take submissions; going on slowly", "url", g.poster.base, "status", status, "answer", text, "error", err)
		}
		wait = nextPause(wait, 100*time.Millisecond, wished)
		if pause(ctx, wait) != nil {
			continue
		}
	}
}

func (g *Generator) count(s *Submission, status int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.stats.Failed++
		return
	}
	g.stats.Sent++
	g.stats.Status[status]++
	if status == http.StatusOK {
		g.stats.Bytes += int64(len(s.Body))
	}
}
