package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// log implements stream.Log: a partition of a stream, for as long as its life.
type log struct {
	*life
	*numbers
	cluster   *Cluster
	name      string
	topic     string
	partition int32

	held func() (slowest stream.Position, ok bool) // by committed readers; nil: it is not trimmed
}

// numbers are what the process knows of a partition of a stream, whoever has it.
type numbers struct {
	first, end      atomic.Int64 // offsets that were seen; end is after the newest message that readers get
	messages, bytes atomic.Int64 // appended
	opened          atomic.Int64 // the end when it was first asked for
	size            atomic.Int64 // bytes of a mean message on the brokers; 0: they do not say
}

func (l *log) begin(ctx context.Context) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	first, end, err := l.offsets(ctx)
	if err != nil {
		return err
	}
	raise(&l.first, first)
	if raise(&l.end, end); l.opened.Load() == 0 {
		l.opened.Store(end)
	}
	l.weigh(ctx, first, end)
	return nil
}

// Refresh asks the brokers for First and End.
func (l *log) Refresh(ctx context.Context) error { return l.begin(ctx) }

// offsets asks for the ends of the partition, as those who read what is committed see it.
func (l *log) offsets(ctx context.Context) (first, end int64, err error) {
	of := func(list kadm.ListedOffsets, err error) (int64, error) {
		if err != nil {
			return 0, err
		}
		o, ok := list.Lookup(l.topic, l.partition)
		if !ok {
			return 0, fmt.Errorf("topic %s has no partition %d", l.topic, l.partition)
		}
		return o.Offset, o.Err
	}
	if first, err = of(l.cluster.admin.ListStartOffsets(ctx, l.topic)); err == nil {
		end, err = of(l.cluster.admin.ListCommittedOffsets(ctx, l.topic))
	}
	if err != nil {
		return 0, 0, l.ended(fmt.Errorf("ask for the ends of stream %s: %w", l.name, err))
	}
	return first, end, nil
}

// weigh asks what a message takes on a broker.
func (l *log) weigh(ctx context.Context, first, end int64) {
	dirs, err := l.cluster.admin.DescribeAllLogDirs(ctx, kadm.TopicsSet{l.topic: {l.partition: {}}})
	if err != nil || end <= first {
		return
	}
	most := int64(0)
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) { most = max(most, p.Size) })
	})
	l.size.Store((most + end - first - 1) / (end - first))
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
	if err := stream.CheckMessages(l.name, msgs, l.cluster.opt.MaxMessage); err != nil {
		return stream.Position{}, err
	}
	if len(msgs) == 0 {
		return l.End(), nil
	}
	records := make([]*kgo.Record, len(msgs))
	for i, m := range msgs {
		records[i] = l.record(m)
	}
	return l.cluster.append(ctx, l.life, l.name, records)
}

// append makes records of a topic durable, without a transaction, and returns the place behind the last.
func (c *Cluster) append(ctx context.Context, life *life, name string, records []*kgo.Record) (at stream.Position, err error) {
	if err := errors.Join(life.closedError(), ctx.Err()); err != nil {
		return at, err
	}
	ctx, cancel := life.bound(ctx)
	defer cancel()
	results := make(chan error, len(records))
	c.order.Lock()
	for _, r := range records { // without waiting for room, since others wait for their turn
		c.appends.TryProduce(context.WithoutCancel(ctx), r, func(_ *kgo.Record, err error) { results <- err })
	}
	c.order.Unlock()
	var errs error
	for range records {
		select {
		case err := <-results:
			errs = errors.Join(errs, err)
		case <-ctx.Done(): // they are sent for longer, since they may be on a broker already
			return at, life.ended(fmt.Errorf("append to topic %s: the brokers have not answered: %w (%w)", c.opt.topic(name), stream.ErrUncertain, ctx.Err()))
		}
	}
	switch {
	case errs == nil:
	case errors.Is(errs, kerr.MessageTooLarge):
		return at, fmt.Errorf("append to topic %s: %w of the brokers; raise max.message.bytes of the topic, or lower streams.max_message", c.opt.topic(name), stream.ErrTooLarge)
	default:
		return at, life.ended(fmt.Errorf("append to topic %s: %w", c.opt.topic(name), errs))
	}
	return c.appended(name, records), nil
}

func (l *log) record(m []byte) *kgo.Record {
	return &kgo.Record{Topic: l.topic, Partition: l.partition, Value: m}
}

// appended counts records of a stream that are durable and returns the place behind the last.
func (c *Cluster) appended(name string, records []*kgo.Record) (end stream.Position) {
	var n *numbers
	for i, r := range records {
		if i == 0 || r.Partition != records[i-1].Partition {
			n = c.numbersOf(name, r.Partition)
		}
		n.bytes.Add(int64(len(r.Value)))
		n.messages.Add(1)
		end.Offset = r.Offset + 1
		raise(&n.end, end.Offset)
	}
	return end
}

// Store implements stream.Log.
func (l *log) Store() stream.ID { return l.cluster.idOf(l.partition) }

// First implements stream.Log.
func (l *log) First() stream.Position { return l.position(l.first.Load()) }

// End implements stream.Log. What other hosts have appended is known when somebody has read up to there.
func (l *log) End() stream.Position { return l.position(l.end.Load()) }

// mean is about how many bytes a message has.
func (l *log) mean() int64 {
	if size := l.size.Load(); size > 0 {
		return size
	}
	offsets := max(1, l.end.Load()-l.opened.Load()) // more than messages: a commit has a marker
	return max(1, (l.bytes.Load()+offsets-1)/offsets)
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
	if err := l.closedError(); err != nil {
		return 0, err
	}
	ctx, cancel := l.bound(ctx)
	defer cancel()
	if l.held == nil {
		return 0, errors.New("trim stream " + l.name + ": only who has the partition does")
	}
	first, end := l.first.Load(), l.end.Load()
	l.weigh(ctx, first, end)
	to := first
	if keepBytes >= 0 {
		to = max(to, end-keepBytes/l.mean())
	}
	if keepAge >= 0 {
		old, err := l.olderThan(ctx, keepAge, end)
		if err != nil {
			return 0, l.ended(fmt.Errorf("trim stream %s: find what is old: %w", l.name, err))
		}
		to = max(to, old)
	}
	if slowest, ok := l.held(); ok {
		to = min(to, slowest.Offset)
	}
	if to <= first {
		return 0, nil
	}
	var at kadm.Offsets
	at.Add(kadm.Offset{Topic: l.topic, Partition: l.partition, At: to})
	done, err := l.cluster.admin.DeleteRecords(ctx, at)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		return 0, l.ended(fmt.Errorf("trim stream %s: %w", l.name, err))
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
	list, err := l.cluster.admin.ListOffsetsAfterMilli(ctx, l.cluster.opt.Now().Add(-age).UnixMilli(), l.topic)
	if err != nil {
		return 0, err
	}
	o, ok := list.Lookup(l.topic, l.partition)
	if !ok || o.Err != nil {
		return 0, errors.Join(o.Err, fmt.Errorf("no answer for partition %d", l.partition))
	}
	return min(o.Offset, end), nil
}
