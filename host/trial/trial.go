// Package trial runs plugins over recorded messages, once, as fast as it can, with the very Tasks that the
// live runner uses: for `sandbar run` and for trying a plugin before it runs.
//
// It knows no stream and no commit. Time is the messages' own: timer events come when the newest Timestamp
// seen passes them, so that the same input always gives the same output.
package trial

import (
	"context"
	"fmt"
	"time"

	"sandbar/host/runner"
	"sandbar/sandbox"
)

// Plugin is a task in a trial and how it went.
type Plugin struct {
	Task  *runner.Task
	Ended *sandbox.Error // why it ended before the input did; nil when it saw all of it

	at int // its place in Plugins
}

// Trial is one run over one input.
type Trial struct {
	Plugins  []*Plugin
	Out      func(msg []byte) error // takes what plugins make; nil discards it
	Progress func(messages int64)   // called now and then; may be nil
	// Workers is how many plugins run at a time, beside one another and beside the reading. Up to 1 everything is done in the goroutine of Run, one
	// after the other. What comes out is the same, in the same order.
	Workers int
	// Now makes Run look first whether Workers pay. nil: they do.
	Now func() time.Time

	Messages int64 // read
	Bytes    int64 // of these messages
	Damaged  int64 // frames whose content is no message
}

// Run reads src to its end and then gives every plugin its last timer event.
// It returns an error when the input or Out fails; a plugin that fails ends alone.
func (t *Trial) Run(ctx context.Context, src Source) error {
	for i, p := range t.Plugins {
		p.at = i
	}
	f := newFeeder(t.Plugins, src)
	b := &batch{}
	if t.Workers > 1 && t.Now == nil && len(t.Plugins) > 0 {
		return t.beside(ctx, f, b)
	}
	var feeding, working time.Duration
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		begun := t.now()
		f.fill(b)
		filled := t.now()
		if end, err := t.process(b); end || err != nil {
			return err
		}
		feeding, working = feeding+filled.Sub(begun), working+t.now().Sub(filled)
		if t.Workers > 1 && len(t.Plugins) > 1 && t.Messages >= probed && working > pays*feeding {
			return t.beside(ctx, f, b)
		}
	}
}

func (t *Trial) now() (at time.Time) {
	if t.Now != nil {
		at = t.Now()
	}
	return at
}

// Several plugins run beside one another when they take so much more time than the reading: handing what is in one core's cache to another costs some
// tenths of a microsecond a message, for which light plugins are done.
const (
	pays   = 4
	probed = 10_000 // messages after which that is known
)

// process runs all plugins on a batch. It reports true after the last.
func (t *Trial) process(b *batch) (end bool, err error) {
	if b.err != nil {
		return true, t.unread(b)
	}
	for _, p := range t.Plugins {
		if err := t.run(p, b, func() error { return nil }); err != nil {
			return true, err
		}
		if err := t.write(p.Task.Take(), p); err != nil {
			return true, err
		}
	}
	t.passed(b)
	return b.end, nil
}

// unread is the error of an input that cannot be read on.
func (t *Trial) unread(b *batch) error {
	return fmt.Errorf("after %d messages: %w", t.Messages+int64(b.read), b.err)
}

// passed counts a batch that all plugins are done with.
func (t *Trial) passed(b *batch) {
	t.Messages += int64(b.read)
	t.Bytes += b.bytes
	t.Damaged += b.damaged
	if t.Progress != nil {
		t.Progress(t.Messages)
	}
}

// run runs one plugin on a batch. turn returns when it may write what the plugin makes before it is done.
func (t *Trial) run(p *Plugin, b *batch, turn func() error) error {
	err := t.messages(p, b, turn)
	if err == nil && b.end {
		if p.Ended == nil {
			p.Ended = p.Task.Timer(b.newest, true)
		}
		p.Task.Measure()
	}
	return err
}

// messages gives a plugin what it wants of a batch, with its timer events where the messages' time passes them.
func (t *Trial) messages(p *Plugin, b *batch, turn func() error) error {
	hits := b.hits[p.at]
	if p.Ended != nil {
		return nil
	}
	p.Task.Passed(b.read)
	if every := p.Task.Config.TickerInterval; every > 0 {
		for _, s := range b.steps {
			sec := s.ns / int64(time.Second)
			next := p.Task.NextTick()
			if next == 0 {
				p.Task.SetTicker(sec + int64(every))
			}
			if next == 0 || sec < next {
				continue
			}
			n := 0
			for n < len(hits) && int(hits[n]) < s.at {
				n++
			}
			if err := t.call(p, b, hits[:n], turn); err != nil {
				return err
			}
			if p.Ended == nil {
				p.Ended = p.Task.Tick(s.ns)
			}
			if p.Ended != nil {
				return nil
			}
			hits = hits[n:]
		}
	}
	return t.call(p, b, hits, turn)
}

// call gives messages to a plugin, and takes what it makes of them when that is much.
func (t *Trial) call(p *Plugin, b *batch, hits []int32, turn func() error) error {
	for len(hits) > 0 && p.Ended == nil {
		var n int
		n, p.Ended = p.Task.Process(b.views, hits)
		hits = hits[n:]
		if p.Task.Full() {
			if err := turn(); err != nil {
				return err
			}
			if err := t.write(p.Task.Take(), p); err != nil {
				return err
			}
		}
	}
	return nil
}

// write hands on what a plugin made.
func (t *Trial) write(made [][]byte, p *Plugin) error {
	for _, msg := range made {
		if t.Out == nil {
			break
		}
		if err := t.Out(msg); err != nil {
			return fmt.Errorf("write what %s made: %w", p.Task.Config.Logger(), err)
		}
	}
	return nil
}
