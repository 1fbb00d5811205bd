// Package trial runs plugins over recorded messages, once, as fast as it can, with the very Tasks that the
// live runner uses: for `sandbar run` and for trying a plugin before it runs.
//
// It knows no stream and no commit. Time is the messages' own: timer events come when the newest Timestamp
// seen passes them, so that the same input always gives the same output.
package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sandbar/host/runner"
	"sandbar/sandbox"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// Source yields messages; message.Reader is one.
type Source interface {
	// Next returns the next message, valid until the next call, or io.EOF.
	Next() ([]byte, error)
}

// Plugin is a task in a trial and how it went.
type Plugin struct {
	Task  *runner.Task
	Ended *sandbox.Error // why it ended before the input did; nil when it saw all of it
	hits  []int32
}

// Trial is one run over one input.
type Trial struct {
	Plugins  []*Plugin
	Out      func(msg []byte) error // takes what plugins make; nil discards it
	Progress func(messages int64)   // called now and then; may be nil

	Messages int64 // read
	Bytes    int64 // of these messages
	Damaged  int64 // frames whose content is no message

	index   *matcher.Index
	view    message.View
	scratch []byte // what view looks at when it was compressed
	ids     []int

	// The batch: of all messages read only those that somebody wants are kept.
	read   int // messages, wanted or not
	views  []message.View
	buf    []byte // what views look at
	second int64  // newest second seen
	newest int64  // newest Timestamp seen
	steps  []step
}

// step is where the time of the messages reaches a new second.
type step struct {
	at int   // views before it come first
	ns int64 // the Timestamp that reached it
}

// Bounds of a batch: what is collected before the plugins run.
const (
	batchRead   = 4096
	batchWanted = 1024
	batchBytes  = 1 << 20
	batchSlack  = 64 << 10 // so that the last message of a batch seldom needs a new buffer
)

// Run reads src to its end and then gives every plugin its last timer event.
// It returns an error when the input or Out fails; a plugin that fails ends alone.
func (t *Trial) Run(ctx context.Context, src Source) error {
	ms := make([]*matcher.Matcher, len(t.Plugins))
	for i, p := range t.Plugins {
		ms[i] = p.Task.Matcher
	}
	t.index = matcher.NewIndex(ms)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		end, err := t.fill(src)
		if err != nil {
			return fmt.Errorf("after %d messages: %w", t.Messages, err)
		}
		for _, p := range t.Plugins {
			if err := t.process(p); err != nil {
				return err
			}
		}
		if end {
			for _, p := range t.Plugins {
				if p.Ended == nil {
					p.Ended = p.Task.Timer(t.newest, true)
				}
				p.Task.Measure()
			}
		}
		for _, p := range t.Plugins {
			if err := t.take(p); err != nil {
				return err
			}
		}
		if t.Progress != nil {
			t.Progress(t.Messages)
		}
		if end {
			return nil
		}
	}
}

// fill reads and matches a batch. It reports true at the end of the input.
func (t *Trial) fill(src Source) (end bool, err error) {
	t.read, t.views, t.buf, t.steps = 0, t.views[:0], t.buf[:0], t.steps[:0]
	for t.read < batchRead && len(t.views) < batchWanted && len(t.buf) < batchBytes {
		msg, err := src.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		t.add(msg)
	}
	return false, nil
}

// add finds who wants a message and keeps a copy of it for them, since the source's is only valid until the next.
func (t *Trial) add(msg []byte) {
	v := &t.view
	var err error
	if t.scratch, err = message.Decode(v, msg, t.scratch); err == nil {
		err = v.Whole()
	}
	if err != nil {
		t.Damaged++
		for inside := range message.Inside(msg) {
			t.add(inside)
		}
		return
	}
	t.read++
	t.Messages++
	t.Bytes += int64(len(msg))
	if ns := v.Timestamp(); ns > t.newest {
		t.newest = ns
		if s := ns / int64(time.Second); s > t.second {
			t.second = s
			t.steps = append(t.steps, step{at: len(t.views), ns: ns})
		}
	}
	t.ids = t.index.Match(v, t.ids[:0])
	if len(t.ids) == 0 {
		return
	}
	for _, id := range t.ids {
		t.Plugins[id].hits = append(t.Plugins[id].hits, int32(len(t.views)))
	}
	t.keep(v)
}

// keep copies a message into the batch.
func (t *Trial) keep(v *message.View) {
	raw := v.Raw()
	if len(t.buf)+len(raw) > cap(t.buf) {
		t.buf = make([]byte, 0, max(batchBytes+batchSlack, len(raw))) // views keep the old one alive
	}
	start := len(t.buf)
	t.buf = append(t.buf, raw...)
	t.views = append(t.views, v.Over(t.buf[start:len(t.buf):len(t.buf)]))
}

// process runs one plugin on the batch, with its timer events where the messages' time passes them.
func (t *Trial) process(p *Plugin) error {
	hits := p.hits
	p.hits = p.hits[:0]
	if p.Ended != nil {
		return nil
	}
	p.Task.Passed(t.read)
	if every := p.Task.Config.TickerInterval; every > 0 {
		for _, s := range t.steps {
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
			if err := t.call(p, hits[:n]); err != nil {
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
	return t.call(p, hits)
}

// call gives messages to a plugin, and takes what it makes of them when that is much.
func (t *Trial) call(p *Plugin, hits []int32) error {
	for len(hits) > 0 && p.Ended == nil {
		var n int
		n, p.Ended = p.Task.Process(t.views, hits)
		hits = hits[n:]
		if p.Task.Full() {
			if err := t.take(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// take hands on what a plugin made.
func (t *Trial) take(p *Plugin) error {
	for _, msg := range p.Task.Take() {
		if t.Out == nil {
			continue
		}
		if err := t.Out(msg); err != nil {
			return fmt.Errorf("write what %s made: %w", p.Task.Config.Logger(), err)
		}
	}
	return nil
}
