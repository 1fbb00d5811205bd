package runner

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"sandbar/host/stream"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// batchBytes is how much of a stream is read, parsed and matched at once.
const batchBytes = 256 << 10

// fanout reads one stream once for all plugins that keep up with it: each message is parsed once and one
// index finds the plugins that want it.
type fanout struct {
	name    string
	log     stream.Log
	logger  *slog.Logger
	now     func() time.Time
	report  func(part string, err error)
	reads   bool         // run is at work; guarded by Runner.mu
	trouble bool         // reading has failed; of run's goroutine
	damaged atomic.Int64 // frames that hold no message

	mu    sync.Mutex      // held while a batch is delivered; nothing is read or parsed under it
	pos   stream.Position // everything before was delivered
	subs  []*subscription
	index *matcher.Index // over subs that have a matcher; nil when subs changed
	plain []*subscription
	ids   []int
}

// subscriber is a plugin as a fanout sees it.
type subscriber struct {
	inbox   *inbox
	matcher *matcher.Matcher                                // nil when wants says it
	wants   func(v *message.View, end stream.Position) bool // of the message that ends there
}

// hits finds the messages of a batch that the subscriber wants, without an index.
func (s *subscriber) hits(b *batch) []int32 {
	var hits []int32
	for i := range b.views {
		v := &b.views[i]
		if s.matcher != nil && s.matcher.Match(v) || s.matcher == nil && s.wants(v, b.ends[i]) {
			hits = append(hits, int32(i))
		}
	}
	return hits
}

// subscription is one plugin at a fanout.
type subscription struct {
	*subscriber
	skip stream.Position // messages that end at or before it are done already
	want []int32         // of the batch that is being delivered
}

// readAgain is how long a fanout waits when it could not read.
const readAgain = time.Second

// failed tells why reading has ended, and waits before it is tried again. The plugins of the stream stand still meanwhile.
func (f *fanout) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, stream.ErrClosed) {
		<-ctx.Done()
		return
	}
	f.trouble = true
	f.report("read stream "+f.name, err)
	if errors.Is(err, stream.ErrUnavailable) {
		return // it came after a pause
	}
	pause, cancel := context.WithTimeout(ctx, readAgain)
	defer cancel()
	<-pause.Done()
}

// run delivers until ctx ends or the stream cannot be read.
func (f *fanout) run(ctx context.Context) error {
	f.mu.Lock()
	reader, err := f.log.NewReader(f.pos)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	source := &source{fanout: f, reader: reader}
	defer source.close()
	for {
		if err := source.reader.Wait(ctx); err != nil {
			return err
		}
		b, err := source.read()
		if f.trouble && (err == nil || errors.Is(err, io.EOF)) {
			f.trouble = false
			f.report("read stream "+f.name, nil)
		}
		switch {
		case err == nil:
			f.damaged.Add(int64(b.damaged))
			f.deliver(b)
		case errors.Is(err, io.EOF), errors.Is(err, stream.ErrTrimmed): // trimmed when nobody who reads this was left
		default:
			return err
		}
	}
}

// source reads a stream as batches of parsed messages.
type source struct {
	fanout *fanout
	reader stream.Reader
}

func (s *source) close() { s.reader.Close() }

// read returns the next batch. It may be empty of messages when they were damaged. Behind a message that cannot be parsed
// it goes on within its frame: the frame's length may be what is wrong, and cover others.
func (s *source) read() (*batch, error) {
	var sb stream.Batch
	from := s.reader.Position()
	if err := s.reader.Read(&sb, batchBytes); errors.Is(err, io.EOF) && from.Before(s.reader.Position()) {
		return &batch{stream: s.fanout.name, end: s.reader.Position()}, nil // nothing but damage
	} else if err != nil {
		return nil, err
	}
	b := &batch{stream: s.fanout.name, from: from, views: make([]message.View, 0, len(sb.Messages)), ends: sb.Ends[:0], end: s.reader.Position()}
	for i, m := range sb.Messages {
		end := sb.Ends[i]
		var v message.View
		err := v.Parse(m)
		if err == nil {
			err = v.Whole()
		}
		if err != nil {
			s.fanout.logger.Warn("skipped a frame that holds no message", "stream", s.fanout.name, "position", end.String(), "error", err)
			b.damaged++
			at, lookAgain := s.fanout.log.Within(end, len(m))
			if !lookAgain {
				if s.fanout.name == stream.Raw && v.Parse(foreign(m, err, s.fanout.now())) == nil {
					b.views, b.ends = append(b.views, v), append(b.ends, end)
				}
				continue
			}
			b.end = at
			again, err := s.fanout.log.NewReader(at)
			if err != nil {
				return nil, err
			}
			s.reader.Close()
			s.reader = again
			break
		}
		b.views, b.ends = append(b.views, v), append(b.ends, end)
	}
	b.bytes = cap(sb.Buf) + cap(b.views)*int(unsafe.Sizeof(message.View{}))
	return b, nil
}

func (f *fanout) deliver(b *batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.match(b)
	kept := f.subs[:0]
	for _, s := range f.subs {
		it := item{stream: f.name, batch: b, hits: s.want, end: b.end, passed: len(b.views)}
		s.want = nil
		if s.skip != (stream.Position{}) {
			it = s.unseen(it)
		}
		if s.inbox.put(it) {
			kept = append(kept, s)
		}
	}
	if len(kept) != len(f.subs) {
		clear(f.subs[len(kept):])
		f.subs, f.index = kept, nil
	}
	f.pos = b.end
}

// match finds for every subscription the messages that it wants. mu is held.
func (f *fanout) match(b *batch) {
	if f.index == nil {
		f.rebuild()
	}
	for i := range b.views {
		f.ids = f.index.Match(&b.views[i], f.ids[:0])
		for _, id := range f.ids {
			s := f.plain[id]
			s.want = append(s.want, int32(i))
		}
	}
	for _, s := range f.subs {
		if s.matcher == nil {
			s.want = s.hits(b)
		}
	}
}

// rebuild makes the index. mu is held.
func (f *fanout) rebuild() {
	var ms []*matcher.Matcher
	f.plain = f.plain[:0]
	for _, s := range f.subs {
		if s.matcher != nil {
			ms, f.plain = append(ms, s.matcher), append(f.plain, s)
		}
	}
	f.index = matcher.NewIndex(ms)
}

// unseen leaves out what the plugin did before it joined.
func (s *subscription) unseen(it item) item {
	if !s.skip.Before(it.end) {
		it.hits, it.passed, it.end = nil, 0, s.skip
		return it
	}
	done, _ := slices.BinarySearchFunc(it.batch.ends, s.skip, func(end, skip stream.Position) int {
		if skip.Before(end) {
			return 1
		}
		return -1
	})
	it.passed -= done
	it.hits = slices.DeleteFunc(it.hits, func(h int32) bool { return int(h) < done })
	s.skip = stream.Position{}
	return it
}

// at is the place up to which everything was delivered.
func (f *fanout) at() stream.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pos
}

// join makes a plugin part of the shared reading if it is at pos and that is not behind. A plugin that found nothing more to
// read after it had asked at, and stayed there, is where at said: one place can have two names, the end of a segment and
// the start of the next.
func (f *fanout) join(s *subscriber, pos stream.Position, dryAt *stream.Position) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if pos.Before(f.pos) {
		if dryAt == nil || *dryAt != f.pos {
			return false
		}
		pos = f.pos
	}
	s.inbox.caughtUp(f.name)
	f.subs = append(f.subs, &subscription{subscriber: s, skip: pos})
	f.index = nil
	return true
}

func (f *fanout) leave(s *subscriber) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, sub := range f.subs {
		if sub.subscriber == s {
			f.subs = append(f.subs[:i:i], f.subs[i+1:]...)
			f.index = nil
			return
		}
	}
}

// begin places the fanout, which does not run yet, where the furthest of its plugins is, and takes in those
// that are there. The others catch up by themselves, so that nobody waits for the one that is last.
func (f *fanout) begin(subs []*subscriber) {
	at := make([]stream.Position, len(subs))
	readers := make([]*subscriber, 0, len(subs))
	f.pos = f.log.First()
	for _, s := range subs {
		p, ok := s.inbox.peek()[f.name]
		if !ok {
			continue
		}
		at[len(readers)] = p
		readers = append(readers, s)
		if f.pos.Before(p) {
			f.pos = p
		}
	}
	if len(readers) == 0 {
		f.pos = f.log.End()
	}
	for i, s := range readers {
		f.join(s, at[i], nil)
	}
}
