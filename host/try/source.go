package try

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// span is a part of one partition of a stream.
type span struct {
	log      stream.Log
	from, to stream.Position
}

// spans are everything that the logs keep now.
func spans(logs []stream.Log) []span {
	all := make([]span, len(logs))
	for i, log := range logs {
		all[i] = span{log, log.First(), log.End()}
	}
	return all
}

func (s *span) bytes() int64 { return s.log.Distance(s.from, s.to) }

// between lets each span begin with the first message that is not older, and end before the first that is not from before to, if that is not zero. It says whether
// nothing older is kept.
func between(ctx context.Context, p *pace, all []span, from, to time.Time) (whole bool, err error) {
	if !to.IsZero() {
		later := slices.Clone(all)
		if _, err := since(ctx, p, later, to.UnixNano()); err != nil {
			return false, err
		}
		for i := range all {
			all[i].to = later[i].from
		}
	}
	return since(ctx, p, all, from.UnixNano())
}

// since lets each span begin with the first message that is not older. It says whether nothing older is kept.
func since(ctx context.Context, p *pace, all []span, ns int64) (whole bool, err error) {
	whole = true
	for i := range all {
		s := &all[i]
		from := s.to
		for s.from.Before(from) { // go back until something is older
			from = back(s, from)
			at, older, err := first(ctx, p, s, from, func(v *message.View) bool { return true })
			if err != nil {
				return false, err
			}
			if older < ns && at.Before(s.to) {
				whole = false
				break
			}
		}
		at, _, err := first(ctx, p, s, from, func(v *message.View) bool { return v.Timestamp() >= ns })
		if err != nil {
			return false, err
		}
		s.from = at
	}
	return whole, nil
}

// back is a place before one, the span's beginning at last.
func back(s *span, to stream.Position) stream.Position {
	if from := s.log.Earlier(to); from.Before(to) && s.from.Before(from) {
		return from
	}
	return s.from
}

// first is where the first message from a place on lies that is wanted, and its timestamp; the span's end when there is none.
func first(ctx context.Context, p *pace, s *span, from stream.Position, wanted func(*message.View) bool) (at stream.Position, ns int64, err error) {
	at = s.to
	var v message.View
	var paused error
	err = view.Scan(ctx, s.log, from, s.to, func(here stream.Position, msg []byte) bool {
		if paused = p.step(ctx); paused != nil {
			return false
		}
		if v.Parse(msg) != nil || !wanted(&v) {
			return true
		}
		at, ns = here, v.Timestamp()
		return false
	})
	return at, ns, cmp.Or(err, paused, ctx.Err())
}

// match is where a message lies that is wanted.
type match struct {
	at stream.Position
	ns int64
}

// last lets each span begin with the oldest of those of the newest n messages, of all spans, that m wants and that lie in it. It looks
// back at most so many bytes, and says whether nothing older is kept.
func last(ctx context.Context, p *pace, all []span, m *matcher.Matcher, n int, most int64) (whole bool, err error) {
	type found struct {
		match
		span int
	}
	var newest []found
	var began []bool // what is kept begins where it was looked at last
	for i := range all {
		s := &all[i]
		var mine []match
		budget := most / int64(len(all))
		from := s.to
		for s.from.Before(from) && len(mine) < n && s.log.Distance(from, s.to) < budget {
			to := from
			from = back(s, to)
			matches, err := matching(ctx, p, s.log, from, to, m, n)
			if err != nil {
				return false, err
			}
			mine = append(matches, mine...)
		}
		for _, f := range mine[max(0, len(mine)-n):] {
			newest = append(newest, found{f, i})
		}
		began = append(began, !s.from.Before(from))
		if s.from = from; len(mine) >= n {
			s.from = mine[len(mine)-n].at
		}
	}
	if len(newest) < n { // all that was looked at
		return !slices.Contains(began, false), nil
	}
	slices.SortStableFunc(newest, func(a, b found) int { return cmp.Compare(b.ns, a.ns) })
	for i := range all {
		all[i].from = all[i].to
	}
	for _, f := range newest[:n] {
		if s := &all[f.span]; f.at.Before(s.from) {
			s.from = f.at
		}
	}
	return false, nil
}

// matching are the last n messages between two places that are wanted.
func matching(ctx context.Context, p *pace, log stream.Log, from, to stream.Position, m *matcher.Matcher, n int) (all []match, err error) {
	var v message.View
	var paused error
	err = view.Scan(ctx, log, from, to, func(at stream.Position, msg []byte) bool {
		if paused = p.step(ctx); paused != nil {
			return false
		}
		if v.Parse(msg) == nil && m.Match(&v) {
			ring(&all, match{at, v.Timestamp()}, n)
		}
		return true
	})
	return newest(all, n), cmp.Or(err, paused, ctx.Err())
}

// source gives the messages of several spans, of those that come next the one with the oldest timestamp. It is a trial.Source.
type source struct {
	ctx   context.Context
	pace  *pace
	feeds []*feed
	over  func() bool // nobody wants more

	bytes, size    int64 // given, and of all
	oldest, newest int64 // timestamps
}

// feed is a span that is being read.
type feed struct {
	span
	r     stream.Reader
	batch stream.Batch
	i     int // of the batch's next message
	ns    int64
	view  message.View
	over  bool
}

const readBytes = 1 << 20

func newSource(ctx context.Context, p *pace, all []span) (*source, error) {
	s := &source{ctx: ctx, pace: p}
	for _, sp := range all {
		r, err := sp.log.NewReader(sp.from)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.feeds = append(s.feeds, &feed{span: sp, r: r})
		s.size += sp.bytes()
	}
	return s, nil
}

// listSource gives messages that are there already.
func listSource(ctx context.Context, p *pace, msgs [][]byte) *source {
	f := &feed{span: span{to: stream.Position{Segment: math.MaxInt64}}, over: len(msgs) == 0}
	s := &source{ctx: ctx, pace: p, feeds: []*feed{f}}
	f.batch.Messages = msgs
	for i, msg := range msgs {
		f.batch.Ends = append(f.batch.Ends, stream.Position{Offset: int64(i + 1)})
		s.size += int64(message.FrameSize(len(msg)))
	}
	if !f.over {
		f.look()
	}
	return s
}

// Close closes the readers.
func (s *source) Close() error {
	var errs []error
	for _, f := range s.feeds {
		if f.r != nil {
			errs = append(errs, f.r.Close())
		}
	}
	return errors.Join(errs...)
}

// begin looks at the first message of each.
func (s *source) begin() error {
	for _, f := range s.feeds {
		if err := f.fill(s.ctx); err != nil {
			return err
		}
	}
	return nil
}

// first is the feed whose message comes next; nil at the end.
func (s *source) first() (next *feed) {
	for _, f := range s.feeds {
		if !f.over && (next == nil || f.ns < next.ns) {
			next = f
		}
	}
	return next
}

// next is the timestamp of the message that comes next; 0 at the end.
func (s *source) next() int64 {
	if f := s.first(); f != nil {
		return f.ns
	}
	return 0
}

// Next returns the next message, valid until the next call, or io.EOF.
func (s *source) Next() ([]byte, error) {
	if err := s.pace.step(s.ctx); err != nil {
		return nil, err
	}
	f := s.first()
	if f == nil || s.over() {
		return nil, io.EOF
	}
	return s.take(f)
}

// take gives the message of one feed, and looks at the one behind it.
func (s *source) take(f *feed) ([]byte, error) {
	msg := f.batch.Messages[f.i]
	if s.oldest == 0 {
		s.oldest = f.ns
	}
	s.newest = max(s.newest, f.ns)
	s.bytes += int64(message.FrameSize(len(msg)))
	if f.i++; f.i < len(f.batch.Messages) {
		f.look()
		return msg, nil
	}
	f.batch = stream.Batch{} // msg lies in the one before
	return msg, f.fill(s.ctx)
}

// fill reads when nothing is left of what was read.
func (f *feed) fill(ctx context.Context) error {
	if f.r == nil { // of a list
		f.over = true
		return nil
	}
	for ctx.Err() == nil {
		if f.over = !f.r.Position().Before(f.to); f.over {
			return nil
		}
		switch err := f.r.Read(&f.batch, readBytes); {
		case errors.Is(err, io.EOF):
			f.over = true
			return nil
		case errors.Is(err, stream.ErrUnavailable), errors.Is(err, stream.ErrTrimmed):
			continue
		case err != nil:
			return fmt.Errorf("read the stream: %w", err)
		}
		f.i = 0
		f.look()
		return nil
	}
	return ctx.Err()
}

// look says of what time the next message is. What is behind the span's end is not given.
func (f *feed) look() {
	if f.i > 0 && !f.batch.Ends[f.i-1].Before(f.to) {
		f.over = true
		return
	}
	if f.view.Parse(f.batch.Messages[f.i]) == nil {
		f.ns = f.view.Timestamp()
	}
}

// share is how much of it was given, from 0 to 1.
func (s *source) share() float64 {
	if s.size == 0 {
		return 1
	}
	return min(1, float64(s.bytes)/float64(s.size))
}

// length is the time of the messages that were given.
func (s *source) length() time.Duration { return time.Duration(max(0, s.newest-s.oldest)) }
