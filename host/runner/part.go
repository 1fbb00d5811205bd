package runner

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"time"

	"sandbar/host/runner/commit"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// Sink is where an output plugin's messages go in two phases: finished with a commit, and visible after it.
type Sink interface {
	Dirty() bool            // something was written since the last Flush
	Due(now time.Time) bool // it is time to Flush
	// Flush finishes what was written since the last Flush. covered are the ranges of the streams that it holds.
	// The manifest is committed together with their ends.
	Flush(ctx context.Context, covered []stream.Range) (manifest []byte, err error)
	Committed()                        // the manifest of the oldest Flush of which that was not known is committed
	Publish(ctx context.Context) error // makes visible what is committed; may be repeated after an error
}

// LakeWriter is the lake as one output plugin has it.
type LakeWriter interface {
	sandbox.Lake
	Sink
}

var _ commit.Member = (*worker)(nil)

// Done implements commit.Member.
func (w *worker) Done() <-chan struct{} { return w.done }

// Rest implements commit.Member. An output does not rest: its positions go with what it wrote.
func (w *worker) Rest(take func(commit.Part)) bool {
	return w.sink == nil && !w.holds.Load() && w.inbox.resting(func(pos map[string]stream.Position) { take(commit.Part{Reader: w.name, Positions: pos}) })
}

// Ask implements commit.Member.
func (w *worker) Ask() bool {
	if w.asked.Swap(true) {
		return false
	}
	w.inbox.signal()
	return true
}

// Owes implements commit.Member.
func (w *worker) Owes() bool { return w.asked.Load() }

// answer gives the plugin's part. An output gives one only when its sink holds nothing that is not
// finished, so that its position is never ahead of its files.
func (w *worker) answer(final bool) {
	p, ok := w.part(final)
	if ok {
		w.commits.Submit(p)
	}
	w.asked.Store(false)
	w.commits.Answered()
}

// part collects all that the plugin did since its last part, if that is anything.
func (w *worker) part(final bool) (commit.Part, bool) {
	p := commit.Part{Reader: w.name, Appends: map[string][][]byte{}, States: map[string][]byte{}, Forget: w.forget.Load()}
	if w.ended != nil && (w.sink != nil || w.stopping.Load()) {
		// What it wrote since its last part is discarded, and so is how far it came. One that failed or was interrupted
		// while it was to stop does this again when it is started again.
		return commit.Part{Reader: w.name, Forget: p.Forget}, p.Forget
	}
	if w.sink != nil && !final && w.sink.Dirty() && !w.full() {
		return p, false
	}
	if w.spares() {
		return p, false
	}
	var moved bool
	p.Positions, moved = w.inbox.positions()
	w.parked.holdBack(p.Positions)
	if w.sink != nil && w.sink.Dirty() && !w.flushSink(&p) {
		w.inbox.notTaken()
		return p, false
	}
	made := w.task.Take()
	if w.task.Config.Shadow() {
		w.shadow(w.name, made)
		made = nil
	}
	for _, msg := range made {
		s := w.route.writes(msg)
		if key := keyOf(w.task.Config.PartitionBy, msg); key != nil && s == stream.Valid {
			if p.Keys == nil {
				p.Keys = map[string]map[int][]byte{s: {}}
			}
			p.Keys[s][len(p.Appends[s])] = key
		}
		p.Appends[s] = append(p.Appends[s], msg)
	}
	w.task.Measure()
	if w.ended == nil { // the state of a plugin that ended abnormally is not worth keeping
		w.preserve(&p)
	}
	w.last = p.Positions
	return p, moved || p.Forget || len(p.Appends) > 0 || len(p.States) > 0
}

// stateRate is how many bytes a second of a plugin's state are written, on average, while it makes nothing: a state of 10 MiB would otherwise be written with every commit.
const stateRate = 1 << 20

// spares says that what the plugin did since its last part waits for a later one. Nothing is lost by that: after a crash it goes on from its last part, as it would after one that was made later.
func (w *worker) spares() bool {
	if w.ended != nil || w.stopping.Load() || w.sink != nil || w.task.Made() || w.stateSize == 0 {
		return false
	}
	since := w.now().Sub(w.stateAt)
	return since >= 0 && since < time.Duration(w.stateSize)*time.Second/stateRate
}

// keyOf is the first value of a message's field as text; nil when there is none, or no field is asked for.
func keyOf(field string, msg []byte) []byte {
	if field == "" {
		return nil
	}
	var v message.View
	if v.Parse(msg) != nil {
		return nil
	}
	f, ok := v.Field(field, 0)
	if !ok {
		return nil
	}
	if b, ok := f.Bytes(0); ok {
		return bytes.Clone(b)
	}
	if n, ok := f.Int(0); ok {
		return strconv.AppendInt(nil, n, 10)
	}
	return nil
}

// preserve adds the plugin's state to its part.
func (w *worker) preserve(p *commit.Part) {
	state, changed, err := w.task.Snapshot()
	var fault *sandbox.Error
	if errors.As(err, &fault) { // the last good state stays
		w.end(fault)
		return
	}
	if err != nil && err.Error() != w.unpreserved { // told once
		w.unpreserved = err.Error()
		w.logs.add(w.now(), w.unpreserved)
		w.log.Error("state is not preserved", "plugin", w.name, "error", err)
	}
	if changed {
		w.unpreserved = ""
		p.States[w.name] = state
		w.stateAt, w.stateSize = w.now(), len(state)
		flushed, task := p.Committed, w.task
		p.Committed = func() {
			if flushed != nil {
				flushed()
			}
			task.Recycle(state)
		}
	}
}

// flushSink finishes what the plugin wrote. It reports false when that fails.
func (w *worker) flushSink(p *commit.Part) bool {
	manifest, err := w.sink.Flush(w.cutoff, covered(w.last, p.Positions))
	if err != nil || w.unflushed {
		w.unflushed = err != nil
		w.report(writeFiles+w.name, err)
	}
	if err != nil {
		return false // it is tried again at the next commit
	}
	p.States[lakeState+w.name] = manifest
	p.Committed, p.Publish = w.sink.Committed, w.sink.Publish
	return true
}

// writeFiles is what the trouble is called, before a plugin's name.
const writeFiles = "write files of "

// lakeState is the prefix of the names under which manifests are committed.
const lakeState = "lake."

// covered are the ranges of the streams between two sets of positions, in the order data flows.
func covered(from, to map[string]stream.Position) []stream.Range {
	var ranges []stream.Range
	for _, s := range stream.Names() {
		if end, ok := to[s]; ok && end != from[s] {
			ranges = append(ranges, stream.Range{Stream: s, From: from[s], To: end})
		}
	}
	return ranges
}
