package commit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// retryAfter is how long a publisher waits after an error.
const retryAfter = time.Second

// publisher publishes what was committed, beside the commits, since a bucket can be slow. What fails it tries again.
type publisher struct {
	log  *slog.Logger
	wake chan struct{} // capacity 1

	mu      sync.Mutex
	pending map[string]*publication // by reader
	err     error                   // of the newest failure; nil when all that was tried came through
	changed chan struct{}           // closed, and replaced, when something was published
}

type publication struct {
	publish func(ctx context.Context) error
	commits int // that wait for it
}

func newPublisher(log *slog.Logger) *publisher {
	return &publisher{log: log, wake: make(chan struct{}, 1), pending: map[string]*publication{}, changed: make(chan struct{})}
}

// add notes that a reader has something to publish. A call of its publish does for all that was added before.
func (p *publisher) add(reader string, publish func(ctx context.Context) error) {
	p.mu.Lock()
	waiting := p.pending[reader]
	if waiting == nil {
		waiting = &publication{}
		p.pending[reader] = waiting
	}
	waiting.publish = publish
	waiting.commits++
	p.mu.Unlock()
	signal(p.wake)
}

// run publishes until ctx ends.
func (p *publisher) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		if p.all(ctx) != nil {
			timer.Reset(retryAfter)
		}
	}
}

// last tries once more what is left. Each publication has its own end.
func (p *publisher) last() {
	p.all(context.Background())
}

// all publishes what waits now, and returns the last error.
func (p *publisher) all(ctx context.Context) error {
	p.mu.Lock()
	readers := slices.Sorted(maps.Keys(p.pending))
	p.mu.Unlock()
	var failed error
	for _, reader := range readers {
		p.mu.Lock()
		now := *p.pending[reader]
		p.mu.Unlock()
		if err := now.publish(ctx); err != nil {
			failed = err
			p.log.Error("files are committed but not visible yet; it is tried again", "plugin", reader, "error", err)
			continue
		}
		p.done(reader, now.commits)
	}
	p.mu.Lock()
	p.err = failed
	p.mu.Unlock()
	return failed
}

func (p *publisher) done(reader string, commits int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.pending[reader]
	if waiting.commits -= commits; waiting.commits == 0 {
		delete(p.pending, reader)
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// await waits until a reader has nothing left to publish.
func (p *publisher) await(ctx context.Context, reader string) error {
	for {
		p.mu.Lock()
		waiting, changed, err := p.pending[reader] != nil, p.changed, p.err
		p.mu.Unlock()
		if !waiting {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("its files are committed but not visible yet: %w", errors.Join(ctx.Err(), err))
		}
	}
}

func (p *publisher) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
