// Package tap lets people look into the streams: the newest messages that a matcher wants, those that come, one by its place, and
// which fields they have.
//
// It reads streams beside those who work on them, within bounds: of messages, of bytes, of time, and of how many look at once. It
// must not know who asks.
package tap

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

const (
	// MaxMessages is how many messages Newest gives at most.
	MaxMessages = 500
	searchTime  = 5 * time.Second
	searchBytes = 256 << 20 // read by one search
	batchBytes  = 1 << 20
	searches    = 2 // at once
)

var (
	// ErrBusy says that as many look as may.
	ErrBusy = errors.New("as many look into the streams as may; try again in a moment")
	// ErrWrong says that what was asked for cannot be.
	ErrWrong = errors.New("look into a stream")
	// ErrGone says that there is no message at a place any more, or there never was one.
	ErrGone = view.ErrGone
)

// Tap looks into the streams of a host, of all partitions.
type Tap struct {
	logs      map[string][]stream.Log
	now       func() time.Time
	searching chan struct{} // a place each
	following chan struct{}
}

// New makes a tap of the partitions of each stream.
func New(logs map[string][]stream.Log, now func() time.Time) *Tap {
	return &Tap{logs: logs, now: now, searching: make(chan struct{}, searches), following: make(chan struct{}, followers)}
}

// Query chooses messages.
type Query struct {
	Stream  string
	Matcher *matcher.Matcher
}

// Message is one of a stream.
type Message struct {
	Position  string          `json:"position"` // of its beginning; PARTITION-POSITION where there are several
	Bytes     int             `json:"bytes"`
	Cut       bool            `json:"cut,omitempty"` // it is larger than what is shown of it
	Message   json.RawMessage `json:"message"`       // as sandbar cat --output json
	timestamp int64
}

// Seen is what was looked at.
type Seen struct {
	Messages int64     `json:"messages"`
	Bytes    int64     `json:"bytes"`
	Matched  int64     `json:"matched"`
	Damaged  int64     `json:"damaged,omitempty"` // that are no message
	Since    time.Time `json:"since,omitzero"`    // the oldest timestamp
	All      bool      `json:"all"`               // nothing is older in the stream
}

// shown is how a message is written for people: the beginning of each text, and of a message with very many fields.
func shown() message.JSON { return message.JSON{MaxText: 4 << 10, MaxBytes: 64 << 10} }

// whole is how one message is written that somebody asks for.
func whole() message.JSON { return message.JSON{MaxText: 256 << 10, MaxBytes: 1 << 20} }

// partitions of a stream.
func (t *Tap) partitions(name string) ([]stream.Log, error) {
	logs := t.logs[name]
	if logs == nil {
		return nil, fmt.Errorf("%w: there is no stream %.40q; there are %s", ErrWrong, name, strings.Join(stream.Names(), ", "))
	}
	return logs, nil
}

// Newest returns the newest n messages that are wanted, the newest first: by their place in a partition, and between partitions by their
// timestamp. It looks back for some seconds or some hundred megabytes, and says how far that was.
func (t *Tap) Newest(ctx context.Context, q Query, n int) ([]Message, Seen, error) {
	n = min(n, MaxMessages)
	var all []Message
	found, last := 0, -1 // of the partition
	seen, err := t.search(ctx, q, func() chunk { return &newest{most: n, place: t.places(q.Stream)} }, func(log int, c chunk) bool {
		if log != last {
			found, last = 0, log
		}
		list := c.(*newest).list()
		all = append(all, list...)
		found += len(list)
		return found >= n
	})
	slices.SortStableFunc(all, func(a, b Message) int { return cmp.Compare(b.timestamp, a.timestamp) })
	return all[:min(len(all), n)], seen, err
}

// chunk takes the messages of a piece of a partition, in order.
type chunk interface {
	take(log int, at stream.Position, v *message.View)
}

// search goes back in each partition, chunk by chunk, until done says that it is enough of this partition.
func (t *Tap) search(ctx context.Context, q Query, begin func() chunk, done func(log int, c chunk) bool) (seen Seen, err error) {
	logs, err := t.partitions(q.Stream)
	if err != nil {
		return seen, err
	}
	select {
	case t.searching <- struct{}{}:
		defer func() { <-t.searching }()
	case <-time.After(searchTime):
		return seen, ErrBusy
	case <-ctx.Done():
		return seen, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	seen.All = true
	for i, log := range logs {
		budget := seen.Bytes + searchBytes/int64(len(logs))
		for to := log.End(); ; {
			from := log.Earlier(to)
			if !from.Before(to) {
				break
			}
			c := begin()
			if err := t.read(ctx, i, q, from, to, c, &seen); err != nil {
				return seen, err
			}
			enough := done(i, c)
			if to = from; !log.First().Before(to) {
				break
			}
			if enough || ctx.Err() != nil || seen.Bytes >= budget {
				seen.All = false
				break
			}
		}
	}
	return seen, nil
}

// read hands over what is wanted between two positions. It ends early, without an error, when its time is over.
func (t *Tap) read(ctx context.Context, log int, q Query, from, to stream.Position, c chunk, seen *Seen) error {
	var v message.View
	err := view.Scan(ctx, t.logs[q.Stream][log], from, to, func(at stream.Position, msg []byte) bool {
		seen.count(msg, &v, q.Matcher, func() { c.take(log, at, &v) })
		return true
	})
	if err != nil {
		return fmt.Errorf("look into stream %s: %w", q.Stream, err)
	}
	return nil
}

// count looks at one message, and calls wanted for one that is.
func (s *Seen) count(msg []byte, v *message.View, m *matcher.Matcher, wanted func()) {
	s.Messages++
	s.Bytes += int64(len(msg))
	if v.Parse(msg) != nil {
		s.Damaged++
		return
	}
	if at := time.Unix(0, v.Timestamp()).UTC(); s.Since.IsZero() || at.Before(s.Since) {
		s.Since = at
	}
	if m.Match(v) {
		s.Matched++
		wanted()
	}
}

// newest keeps the last messages.
type newest struct {
	ring  []kept
	most  int
	n     int
	place func(log int, at stream.Position) string
}

// kept is a message that may be shown: its bytes, or when they are many what is shown of it.
type kept struct {
	Message
	raw []byte
}

func (k *newest) take(log int, at stream.Position, v *message.View) {
	if k.most == 0 {
		return
	}
	m := kept{Message: Message{Position: k.place(log, at), Bytes: len(v.Raw()), timestamp: v.Timestamp()}}
	if m.Bytes > shown().MaxBytes {
		m.Message.Message, m.Cut = shown().Append(nil, v)
	} else {
		m.raw = bytes.Clone(v.Raw()) // it may be pushed out before anybody sees it
	}
	if len(k.ring) < k.most {
		k.ring = append(k.ring, m)
	} else {
		k.ring[k.n%k.most] = m
	}
	k.n++
}

// list are the messages, the newest first.
func (k *newest) list() []Message {
	all := make([]Message, len(k.ring))
	var v message.View
	for i := range k.ring {
		m := &k.ring[(k.n-1-i)%len(k.ring)]
		if m.raw != nil && v.Parse(m.raw) == nil {
			m.Message.Message, m.Cut = shown().Append(nil, &v)
		}
		all[i] = m.Message
	}
	return all
}

// places names places of a stream.
func (t *Tap) places(name string) func(log int, at stream.Position) string {
	n := len(t.logs[name])
	return func(log int, at stream.Position) string { return stream.PlaceName(n, log, at) }
}

// Get returns the message at a place. The error is ErrGone when there is none.
func (t *Tap) Get(name, place string) (m Message, err error) {
	logs, err := t.partitions(name)
	if err != nil {
		return m, err
	}
	log, at, err := view.ParsePlace(len(logs), place)
	if errors.Is(err, ErrGone) {
		return m, err
	}
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	msg, err := view.At(logs[log], at)
	if err != nil {
		return m, err
	}
	var v message.View
	if v.Parse(msg) != nil {
		return m, ErrGone
	}
	m = Message{Position: place, Bytes: len(v.Raw()), timestamp: v.Timestamp()}
	m.Message, m.Cut = whole().Append(nil, &v)
	return m, nil
}
