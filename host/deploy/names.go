package deploy

import (
	"context"
	"fmt"
	"sync"
)

// names lets one change of a plugin happen at a time, and those of different plugins side by side.
type names struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the change is over
}

// take waits for other changes of the plugin. The function that it returns has to be called after the change.
func (n *names) take(ctx context.Context, name string) (release func(), err error) {
	for {
		n.mu.Lock()
		over := n.busy[name]
		if over == nil {
			break
		}
		n.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return nil, fmt.Errorf("another change of plugin %s is under way: %w; try again", name, ctx.Err())
		}
	}
	defer n.mu.Unlock()
	if n.busy == nil {
		n.busy = map[string]chan struct{}{}
	}
	over := make(chan struct{})
	n.busy[name] = over
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.busy, name)
		close(over)
	}, nil
}
