package cmd

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// parts are the goroutines of a host. The first that ends, or the context, ends all.
type parts struct {
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu   sync.Mutex
	errs []error
}

func newParts(ctx context.Context) *parts {
	ctx, cancel := context.WithCancel(ctx)
	return &parts{ctx: ctx, cancel: cancel}
}

// start runs f until it returns; it should when its context ends.
func (p *parts) start(name string, f func(context.Context) error) {
	p.group.Add(1)
	go func() {
		defer p.group.Done()
		defer p.cancel()
		if err := f(p.ctx); err != nil && !errors.Is(err, context.Canceled) {
			p.mu.Lock()
			p.errs = append(p.errs, fmt.Errorf("%s: %w", name, err))
			p.mu.Unlock()
		}
	}()
}

// ending is closed when a part has ended or the context has.
func (p *parts) ending() <-chan struct{} { return p.ctx.Done() }

// wait ends all parts and returns what went wrong.
func (p *parts) wait() error {
	p.cancel()
	p.group.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.errs...)
}
