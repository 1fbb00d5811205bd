package commit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// retryAfter is how long a publisher waits after an error.
const retryAfter = time.Second

// publisher publishes what was committed, beside the commits, since a bucket can be slow. What fails it tries again.
type publisher struct {
	report func(part string, err error)
	wake   chan struct{} // capacity 1

	mu      sync.Mutex
	pending map[string]*publication // by reader
	changed chan struct{}           // closed, and replaced, when something was published
}

type publication struct {
	publish func(ctx context.Context) error
	commits int   // that wait for it
	err     error // of the newest attempt
}

func newPublisher(report func(part string, err error)) *publisher {
	return &publisher{report: report, wake: make(chan struct{}, 1), pending: map[string]*publication{}, changed: make(chan struct{})}
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
func (p *publisher) all(ctx context.Context) (failed error) {
	p.mu.Lock()
	readers := slices.Sorted(maps.Keys(p.pending))
	p.mu.Unlock()
	for _, reader := range readers {
		p.mu.Lock()
		tried := *p.pending[reader]
		p.mu.Unlock()
		err := tried.publish(ctx)
		if err != nil && ctx.Err() != nil {
			return err // the host ends; last tries again
		}
		if err != nil || tried.err != nil {
			p.report("publish files of "+reader, err)
		}
		p.done(reader, tried.commits, err)
		failed = cmp.Or(err, failed)
	}
	return failed
}

func (p *publisher) done(reader string, commits int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.pending[reader]
	if waiting.err = err; err != nil {
		return
	}
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
		waiting, changed := p.pending[reader], p.changed
		if waiting == nil {
			p.mu.Unlock()
			return nil
		}
		err := waiting.err
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("its files are committed but not visible yet: %w", errors.Join(ctx.Err(), err))
		}
	}
}
