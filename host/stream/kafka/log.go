package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// log implements stream.Log.
type log struct {
	store *Store
	name  string
	topic string

	first, end atomic.Int64 // offsets that were seen; end is after the newest message that readers get

	order sync.Mutex // held while the records of one append are handed over, so that they lie together

	messages, bytes atomic.Int64 // appended
	seedBytes       int64        // that the topic had when it was opened,
	seedOffsets     int64        // in so many offsets
	opened          int64        // the end then
}

func (l *log) begin(ctx context.Context) error {
	ctx, cancel := l.store.bound(ctx)
	defer cancel()
	first, end, err := l.offsets(ctx)
	if err != nil {
		return err
	}
	l.first.Store(first)
	l.end.Store(end)
	l.opened = end
	l.seedOffsets = end - first
	l.seedBytes = l.size(ctx)
	return nil
}

// offsets asks for the ends of the partition, as those who read what is committed see it.
func (l *log) offsets(ctx context.Context) (first, end int64, err error) {
	of := func(list kadm.ListedOffsets, err error) (int64, error) {
		if err != nil {
			return 0, err
		}
		o, ok := list.Lookup(l.topic, l.store.opt.Partition)
		if !ok {
			return 0, fmt.Errorf("topic %s has no partition %d", l.topic, l.store.opt.Partition)
		}
		return o.Offset, o.Err
	}
	if first, err = of(l.store.admin.ListStartOffsets(ctx, l.topic)); err == nil {
		end, err = of(l.store.admin.ListCommittedOffsets(ctx, l.topic))
	}
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the ends of stream %s: %w", l.name, err)
	}
	return first, end, nil
}

// size is what the partition takes on a broker, 0 when that is not told.
func (l *log) size(ctx context.Context) (most int64) {
	dirs, err := l.store.admin.DescribeAllLogDirs(ctx, kadm.TopicsSet{l.topic: {l.store.opt.Partition: {}}})
	if err != nil {
		return 0
	}
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) { most = max(most, p.Size) })
	})
	return most
}

func raise(v *atomic.Int64, to int64) {
	for {
		old := v.Load()
		if old >= to || v.CompareAndSwap(old, to) {
			return
		}
	}
}

func (l *log) position(offset int64) stream.Position { return stream.Position{Offset: offset} }

// Append implements stream.Log. An error that is not ErrUncertain means that nothing is there: the client gives up a record only
// while no broker can have it.
func (l *log) Append(ctx context.Context, msgs ...[]byte) (stream.Position, error) {
	if l.name != stream.Raw {
		return stream.Position{}, fmt.Errorf("append to stream %s: only a commit does", l.name)
	}
	if err := errors.Join(l.store.closedError(), ctx.Err()); err != nil {
		return stream.Position{}, err
	}
	if err := stream.CheckMessages(l.name, msgs, l.store.opt.MaxMessage); err != nil {
		return stream.Position{}, err
	}
	if len(msgs) == 0 {
		return l.End(), nil
	}
	ctx, cancel := l.store.bound(ctx)
	defer cancel()
	records := make([]*kgo.Record, len(msgs))
	for i, m := range msgs {
		records[i] = l.record(m)
	}
	results := make(chan error, len(records))
	l.order.Lock()
	for _, r := range records { // without waiting for room, since others wait for their turn
		l.store.appends.TryProduce(context.WithoutCancel(ctx), r, func(_ *kgo.Record, err error) { results <- err })
	}
	l.order.Unlock()
	var errs error
	for range records {
		select {
		case err := <-results:
			errs = errors.Join(errs, err)
		case <-ctx.Done(): // they are sent for longer, since they may be on a broker already
			return stream.Position{}, l.store.ended(fmt.Errorf("append to topic %s: the brokers have not answered: %w (%w)", l.topic, stream.ErrUncertain, ctx.Err()))
		}
	}
	switch {
	case errs == nil:
	case errors.Is(errs, kerr.MessageTooLarge):
		return stream.Position{}, fmt.Errorf("append to topic %s: %w of the brokers; raise max.message.bytes of the topic, or lower streams.max_message", l.topic, stream.ErrTooLarge)
	default:
		return stream.Position{}, l.store.ended(fmt.Errorf("append to topic %s: %w", l.topic, errs))
	}
	return l.appended(records), nil
}

func (l *log) record(m []byte) *kgo.Record {
	return &kgo.Record{Topic: l.topic, Partition: l.store.opt.Partition, Value: m}
}

// appended counts records that are durable and returns the place behind the last.
func (l *log) appended(records []*kgo.Record) stream.Position {
	for _, r := range records {
		l.bytes.Add(int64(len(r.Value)))
	}
	l.messages.Add(int64(len(records)))
	end := records[len(records)-1].Offset + 1
	raise(&l.end, end)
	return l.position(end)
}

// Store implements stream.Log.
func (l *log) Store() stream.ID { return l.store.id }

// First implements stream.Log.
func (l *log) First() stream.Position { return l.position(l.first.Load()) }

// End implements stream.Log. What other hosts have appended is known when somebody has read up to there.
func (l *log) End() stream.Position { return l.position(l.end.Load()) }

// mean is about how many bytes lie between two offsets.
func (l *log) mean() int64 {
	bytes, offsets := l.seedBytes+l.bytes.Load(), l.seedOffsets+l.end.Load()-l.opened
	if bytes == 0 || offsets == 0 {
		return 1
	}
	return (bytes + offsets - 1) / offsets
}

// Distance implements stream.Log, in bytes of a mean message.
func (l *log) Distance(from, to stream.Position) int64 {
	return max(0, to.Offset-from.Offset) * l.mean()
}

// Within implements stream.Log: brokers keep a checksum of each batch.
func (l *log) Within(end stream.Position, _ int) (stream.Position, bool) { return end, false }

// earlierBytes is how far back Earlier is.
const earlierBytes = 32 << 20

// Earlier implements stream.Log.
func (l *log) Earlier(p stream.Position) stream.Position {
	return l.position(max(l.first.Load(), p.Offset-earlierBytes/l.mean()))
}

// Stats implements stream.Log.
func (l *log) Stats() stream.Stats {
	return stream.Stats{Messages: l.messages.Load(), Bytes: l.bytes.Load(), Stored: l.Distance(l.First(), l.End())}
}

// Trim implements stream.Log with DeleteRecords: the brokers know nothing of readers, so the topics have no retention of their
// own.
func (l *log) Trim(ctx context.Context, keepBytes int64, keepAge time.Duration) (int64, error) {
	if err := l.store.closedError(); err != nil {
		return 0, err
	}
	ctx, cancel := l.store.bound(ctx)
	defer cancel()
	first, end := l.first.Load(), l.end.Load()
	to := first
	if keepBytes >= 0 {
		to = max(to, end-keepBytes/l.mean())
	}
	if keepAge >= 0 {
		old, err := l.olderThan(ctx, keepAge, end)
		if err != nil {
			return 0, l.store.ended(fmt.Errorf("trim stream %s: find what is old: %w", l.name, err))
		}
		to = max(to, old)
	}
	if slowest, held := l.store.slowest(l.name); held {
		to = min(to, slowest.Offset)
	}
	if to <= first {
		return 0, nil
	}
	var at kadm.Offsets
	at.Add(kadm.Offset{Topic: l.topic, Partition: l.store.opt.Partition, At: to})
	done, err := l.store.admin.DeleteRecords(ctx, at)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		return 0, l.store.ended(fmt.Errorf("trim stream %s: %w", l.name, err))
	}
	removed := l.Distance(l.First(), l.position(to))
	raise(&l.first, to)
	return removed, nil
}

// olderThan is the offset of the first message that is younger.
func (l *log) olderThan(ctx context.Context, age time.Duration, end int64) (int64, error) {
	if age == 0 {
		return end, nil
	}
	list, err := l.store.admin.ListOffsetsAfterMilli(ctx, l.store.opt.Now().Add(-age).UnixMilli(), l.topic)
	if err != nil {
		return 0, err
	}
	o, ok := list.Lookup(l.topic, l.store.opt.Partition)
	if !ok || o.Err != nil {
		return 0, errors.Join(o.Err, fmt.Errorf("no answer for partition %d", l.store.opt.Partition))
	}
	return min(o.Offset, end), nil
}

func (s *Store) closedError() error {
	if s.closing.Err() != nil {
		return stream.ErrClosed
	}
	return nil
}
