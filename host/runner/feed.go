package runner

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"sandbar/host/stream"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// batchBytes is how much of a stream is read, parsed and matched at once.
const batchBytes = 256 << 10

// feed reads one stream once for all plugins that keep up with it: each message is parsed once and one
// index finds the plugins that want it.
type feed struct {
	name    string
	log     stream.Log
	logger  *slog.Logger
	damaged atomic.Int64 // frames that hold no message

	mu    sync.Mutex
	pos   stream.Position // everything before was delivered
	subs  []*subscription
	index *matcher.Index // over subs that have a matcher; nil when subs changed
	plain []*subscription
	ids   []int
}

// subscription is one plugin at a feed.
type subscription struct {
	live *live
	skip stream.Position // messages that end at or before it are done already
	hits []int32
}

// run delivers until ctx ends.
func (f *feed) run(ctx context.Context) error {
	f.mu.Lock()
	reader, err := f.log.NewReader(f.pos)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	source := &source{feed: f, reader: reader}
	defer source.close()
	for {
		if err := f.log.Wait(ctx, source.reader.Position()); err != nil {
			return err
		}
		b, err := source.read()
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
	feed   *feed
	reader stream.Reader
}

func (s *source) close() { s.reader.Close() }

// read returns the next batch. It may be empty of messages when they were damaged. Behind a message that cannot be parsed
// it goes on within its frame: the frame's length may be what is wrong, and cover others.
func (s *source) read() (*batch, error) {
	var sb stream.Batch
	from := s.reader.Position()
	if err := s.reader.Read(&sb, batchBytes); errors.Is(err, io.EOF) && from.Before(s.reader.Position()) {
		return &batch{stream: s.feed.name, end: s.reader.Position()}, nil // nothing but damage
	} else if err != nil {
		return nil, err
	}
	b := &batch{stream: s.feed.name, views: make([]message.View, 0, len(sb.Messages)), ends: sb.Ends[:0], end: s.reader.Position()}
	for i, m := range sb.Messages {
		end := sb.Ends[i]
		var v message.View
		err := v.Parse(m)
		if err == nil {
			err = v.Whole()
		}
		if err != nil {
			s.feed.logger.Warn("skipped a frame that holds no message", "stream", s.feed.name, "position", end.String(), "error", err)
			b.damaged++
			b.end = end.Back(len(m))
			again, err := s.feed.log.NewReader(b.end)
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

func (f *feed) deliver(b *batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.match(b)
	kept := f.subs[:0]
	for _, s := range f.subs {
		it := item{stream: f.name, batch: b, hits: s.hits, end: b.end, passed: len(b.views)}
		s.hits = nil
		if s.skip != (stream.Position{}) {
			it = s.unseen(it)
		}
		if s.live.inbox.put(it) {
			kept = append(kept, s)
		}
	}
	if len(kept) != len(f.subs) {
		clear(f.subs[len(kept):])
		f.subs, f.index = kept, nil
	}
	f.pos = b.end
}

// match finds for every subscription the messages that it wants.
func (f *feed) match(b *batch) {
	if f.index == nil {
		f.rebuild()
	}
	for i := range b.views {
		f.ids = f.index.Match(&b.views[i], f.ids[:0])
		for _, id := range f.ids {
			s := f.plain[id]
			s.hits = append(s.hits, int32(i))
		}
	}
	for _, s := range f.subs {
		if s.live.matcher == nil { // it wants what no decoder does
			s.hits = s.live.wanted(b)
		}
	}
}

func (f *feed) rebuild() {
	var ms []*matcher.Matcher
	f.plain = f.plain[:0]
	for _, s := range f.subs {
		if m := s.live.matcher; m != nil {
			ms, f.plain = append(ms, m), append(f.plain, s)
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

// join makes a plugin that has caught up part of the shared reading. It reports false when the plugin is
// still behind. dry says whether the plugin's own reader finds nothing more; it is asked while nothing can
// be delivered, since one place can have two names, the end of a segment and the start of the next.
func (f *feed) join(l *live, pos stream.Position, dry func() bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if pos.Before(f.pos) {
		if !dry() {
			return false
		}
		pos = f.pos
	}
	l.inbox.caughtUp(f.name)
	f.subs = append(f.subs, &subscription{live: l, skip: pos})
	f.index = nil
	return true
}

func (f *feed) leave(l *live) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range f.subs {
		if s.live == l {
			f.subs = append(f.subs[:i:i], f.subs[i+1:]...)
			f.index = nil
			return
		}
	}
}

// begin places the feed, which does not run yet, where the furthest of its plugins is, and takes in those
// that are there. The others catch up by themselves, so that nobody waits for the one that is last.
func (f *feed) begin(ls []*live) {
	at := make([]stream.Position, len(ls))
	readers := make([]*live, 0, len(ls))
	f.pos = f.log.First()
	for _, l := range ls {
		p, ok := l.inbox.peek()[f.name]
		if !ok {
			continue
		}
		at[len(readers)] = p
		readers = append(readers, l)
		if f.pos.Before(p) {
			f.pos = p
		}
	}
	if len(readers) == 0 {
		f.pos = f.log.End()
	}
	for i, l := range readers {
		f.join(l, at[i], func() bool { return false })
	}
}
