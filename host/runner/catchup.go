package runner

import (
	"errors"
	"fmt"
	"io"

	"sandbar/host/stream"
	"sandbar/sandbox"
)

// catchUp reads one batch of a stream that the plugin is behind on, and joins the others when it can. Reading, parsing and
// matching happen beside the fanout, and in few plugins at a time, so that those that keep up are not slowed.
func (w *worker) catchUp(s string, pos stream.Position) bool {
	own, err := w.ownReader(s, pos)
	if err == nil && own.fanout.join(w.subscriber, pos, nil) {
		w.closeReader(s)
		return false
	}
	var b *batch
	var hits []int32
	if err == nil {
		at := own.fanout.at()
		b, hits, err = w.readOn(own)
		if err == nil && b == nil {
			if own.fanout.join(w.subscriber, pos, &at) {
				w.closeReader(s)
			}
			return own.fanout.at() != at // more came meanwhile
		}
	}
	if errors.Is(err, stream.ErrTrimmed) || errors.Is(err, stream.ErrUnavailable) {
		return true // it goes on with the oldest that is kept; it tries again
	}
	if err != nil {
		w.end(&sandbox.Error{Plugin: w.name, Outcome: sandbox.Stopped, Text: fmt.Sprintf("read stream %s from %s: %v", s, pos, err)})
		return true
	}
	it := item{stream: s, batch: b, hits: hits, end: b.end, passed: len(b.views)}
	w.consume(&it)
	return true
}

// readOn reads the next batch, nil when there is none, and finds what the plugin wants of it.
func (w *worker) readOn(own *source) (*batch, []int32, error) {
	w.catchUps <- struct{}{}
	defer func() { <-w.catchUps }()
	b, err := own.read()
	if errors.Is(err, io.EOF) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return b, w.hits(b), nil
}

func (w *worker) ownReader(s string, pos stream.Position) (*source, error) {
	if own := w.own[s]; own != nil {
		return own, nil
	}
	f := w.fanouts[s]
	reader, err := f.log.NewReader(pos)
	if err != nil {
		return nil, err
	}
	w.own[s] = &source{fanout: f, reader: reader}
	return w.own[s], nil
}

func (w *worker) closeReader(s string) {
	w.own[s].close()
	delete(w.own, s)
}
