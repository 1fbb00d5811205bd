package trial

import (
	"context"
	"sync"
)

// crew runs plugins beside one another, and beside the reading. A worker takes what comes first of what can be done: a group of plugins with the
// batch that it has not had, or filling a batch. What the plugins make is written batch by batch, and in one batch in their order.
type crew struct {
	t      *Trial
	f      *feeder
	groups [][]*Plugin

	mu      sync.Mutex
	wake    sync.Cond
	batches []*batch // that are read and not written, in order
	first   int      // number of the first of them
	free    []*batch
	feeding bool
	read    bool   // to the end
	at      []int  // by group: number of the batch that comes next
	busy    []bool // by group
	turn    int    // group of the first batch whose output comes next
	writing bool
	over    bool // everything is written
	err     error
}

// inFlight is how many batches there are.
const inFlight = 3

// beside goes on with several workers.
func (t *Trial) beside(ctx context.Context, f *feeder, b *batch) error {
	c := &crew{t: t, f: f, free: []*batch{b}}
	c.wake.L = &c.mu
	for len(c.free) < inFlight {
		c.free = append(c.free, &batch{})
	}
	workers := min(t.Workers, len(t.Plugins)+1) // more have nothing to do
	n := min(len(t.Plugins), 4*workers)
	c.at, c.busy = make([]int, n), make([]bool, n)
	for g := range n {
		c.groups = append(c.groups, t.Plugins[g*len(t.Plugins)/n:(g+1)*len(t.Plugins)/n])
	}
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.fail(ctx.Err())
	})
	defer stop()
	var all sync.WaitGroup
	for range workers {
		all.Go(c.work)
	}
	all.Wait()
	return c.err
}

// fail ends the work. c.mu is held, here and below.
func (c *crew) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.wake.Broadcast()
}

func (c *crew) work() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && !c.over {
		g := c.next()
		switch {
		case len(c.free) > 0 && !c.feeding && !c.read:
			c.feed()
		case g >= 0:
			c.run(g)
		default:
			c.wake.Wait()
		}
	}
}

// next is the group that is farthest behind of those that have something to do, -1 when there is none.
func (c *crew) next() int {
	g := -1
	for i, at := range c.at {
		if !c.busy[i] && at < c.first+len(c.batches) && (g < 0 || at < c.at[g]) {
			g = i
		}
	}
	return g
}

func (c *crew) feed() {
	last := len(c.free) - 1
	b := c.free[last]
	c.free, c.feeding = c.free[:last], true
	c.mu.Unlock()
	c.f.fill(b)
	c.mu.Lock()
	c.feeding = false
	if b.err != nil {
		c.fail(c.t.unread(b))
		return
	}
	b.made = make([][]made, len(c.groups))
	c.batches = append(c.batches, b)
	c.read = b.end
	c.wake.Broadcast()
}

// run runs a group's plugins on the batch that it has not had.
func (c *crew) run(g int) {
	number := c.at[g]
	b := c.batches[number-c.first]
	c.busy[g] = true
	c.mu.Unlock()
	all, err := c.plugins(c.groups[g], b, func() error { return c.wait(number, g) })
	c.mu.Lock()
	c.busy[g] = false
	c.at[g]++
	b.made[g] = all
	if err != nil {
		c.fail(err)
		return
	}
	c.write()
	c.wake.Broadcast()
}

// plugins runs plugins on a batch and returns what they have made. When one has made so much that it must be written, all of it is, in its turn.
func (c *crew) plugins(group []*Plugin, b *batch, turn func() error) ([]made, error) {
	all := make([]made, 0, len(group)) // not nil: the group is done
	for _, p := range group {
		err := c.t.run(p, b, func() error {
			if err := turn(); err != nil {
				return err
			}
			for _, m := range all {
				if err := c.t.write(m.messages, m.by); err != nil {
					return err
				}
			}
			all = all[:0]
			return nil
		})
		if err != nil {
			return nil, err
		}
		if p.Task.Made() {
			all = append(all, made{p.Task.Take(), p})
		}
	}
	return all, nil
}

// made is what a plugin has made of a batch.
type made struct {
	messages [][]byte
	by       *Plugin
}

// wait returns when it is a group's turn to write while it runs. The first of those that run never waits, so they all come on.
func (c *crew) wait(number, g int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && (c.first != number || c.turn != g || c.writing) {
		c.wake.Wait()
	}
	return c.err
}

// write writes what groups that are done have made, as far as it is their turn.
func (c *crew) write() {
	if c.writing {
		return
	}
	c.writing = true
	for c.err == nil && len(c.batches) > 0 {
		b := c.batches[0]
		if c.turn < len(c.groups) {
			all := b.made[c.turn]
			if all == nil {
				break
			}
			c.mu.Unlock()
			var err error
			for _, m := range all {
				if err == nil {
					err = c.t.write(m.messages, m.by)
				}
			}
			c.mu.Lock()
			if c.turn++; err != nil {
				c.fail(err)
			}
			continue
		}
		c.t.passed(b)
		c.over = b.end
		c.turn, c.batches, c.free = 0, c.batches[1:], append(c.free, b)
		c.first++
	}
	c.writing = false
}
