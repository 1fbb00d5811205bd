package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

const (
	fetchBytes = 1 << 20 // that a reader has in memory before it is asked for them
	pollMost   = 1000    // records

	giveTime    = 3 * time.Second // that the brokers have to give what is there
	afterFailed = time.Second     // a reader waits after an error of the brokers
)

// reader implements stream.Reader. The markers of transactions have offsets too: it steps over them.
type reader struct {
	log    *log
	client *kgo.Client // nil when closed
	offset int64       // everything before was read, or is a marker
	have   []*kgo.Record
}

// NewReader implements stream.Log.
func (l *log) NewReader(from stream.Position) (stream.Reader, error) {
	if err := l.closedError(); err != nil {
		return nil, err
	}
	if l.position(l.end.Load()).Before(from) { // others append to raw
		ctx, cancel := l.bound(context.Background())
		_, end, err := l.offsets(ctx)
		cancel()
		if err != nil {
			return nil, l.unavailable(err)
		}
		raise(&l.end, end)
	}
	if end := l.End(); end.Before(from) {
		return nil, fmt.Errorf("read stream %s from %s: %w %s", l.name, from, stream.ErrAhead, end)
	}
	r := &reader{log: l, offset: max(from.Offset, l.first.Load())}
	return r, r.connect()
}

// connect begins to fetch at the reader's offset.
func (r *reader) connect() (err error) {
	at := map[string]map[int32]kgo.Offset{r.log.topic: {r.log.partition: kgo.NewOffset().At(r.offset)}}
	r.client, err = r.log.cluster.opt.client(kgo.ConsumePartitions(at), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(fetchBytes),
		kgo.MaxDecompressBatchBytes(4*max(r.log.cluster.opt.largest(r.log.topic), chunkBytes)))
	if err != nil {
		return fmt.Errorf("read topic %s: %w", r.log.topic, err)
	}
	return nil
}

// Position implements stream.Reader.
func (r *reader) Position() stream.Position { return r.log.position(r.offset) }

// Close implements stream.Reader.
func (r *reader) Close() error {
	if r.client != nil {
		r.client.Close()
		r.client = nil
	}
	return nil
}

// Read implements stream.Reader.
func (r *reader) Read(b *stream.Batch, maxBytes int) error {
	b.Messages, b.Ends = b.Messages[:0], b.Ends[:0]
	if err := r.usable(); err != nil {
		return err
	}
	for {
		if r.take(b, maxBytes); len(b.Messages) > 0 {
			return nil
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// fill fetches what comes next, which may be nothing yet. At the end it returns io.EOF.
func (r *reader) fill() error {
	if r.offset >= r.log.end.Load() {
		if err := r.pollNow(); err != nil || len(r.have) > 0 {
			return err
		}
		return io.EOF
	}
	ctx, cancel := context.WithTimeout(r.log.closing, giveTime) // there is something, and the brokers have to give it
	defer cancel()
	err := r.poll(ctx)
	if err != nil && ctx.Err() != nil {
		err = r.log.ended(fmt.Errorf("read topic %s at %d: the brokers gave nothing within %v: %w", r.log.topic, r.offset, giveTime, stream.ErrUnavailable))
	}
	return err
}

// records is Read for those who want more than the values. It returns what was fetched, and io.EOF at the end.
func (r *reader) records() (got []*kgo.Record, err error) {
	if err := r.usable(); err != nil {
		return nil, err
	}
	for {
		if r.skipMarkers(); len(r.have) > 0 {
			break
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	for _, rec := range r.have {
		if !rec.Attrs.IsControl() {
			got = append(got, rec)
		}
		r.offset = rec.Offset + 1
	}
	raise(&r.log.end, r.offset)
	r.have = nil
	return got, nil
}

func (r *reader) usable() error {
	if r.client == nil {
		return stream.ErrClosed
	}
	return r.log.closedError()
}

// take moves what was fetched into the batch. Markers behind the last message stay for the next time, so that the position is
// the end of that message.
func (r *reader) take(b *stream.Batch, maxBytes int) {
	r.skipMarkers()
	size, taken := 0, 0
	for i, rec := range r.have {
		if rec.Attrs.IsControl() {
			continue
		}
		if size += len(rec.Value); taken > 0 && size > maxBytes {
			break
		}
		b.Messages = append(b.Messages, rec.Value)
		r.offset, taken = rec.Offset+1, i+1
		b.Ends = append(b.Ends, r.Position())
	}
	clear(r.have[:taken])
	r.have = r.have[taken:]
}

// skipMarkers steps over the markers that come next.
func (r *reader) skipMarkers() {
	for len(r.have) > 0 && r.have[0].Attrs.IsControl() {
		r.offset = r.have[0].Offset + 1
		r.have = r.have[1:]
	}
	raise(&r.log.end, r.offset)
}

// pollNow takes the records that are there.
func (r *reader) pollNow() error {
	var none context.Context // kgo does not wait with nil
	return r.poll(none)
}

// poll waits for records until ctx ends.
func (r *reader) poll(ctx context.Context) error {
	fetches := r.client.PollRecords(ctx, pollMost)
	var failed error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Err != nil {
			failed = p.Err
		}
		if len(p.Records) == 0 && p.Err != nil {
			return
		}
		raise(&r.log.first, p.LogStartOffset)
		raise(&r.log.end, p.LastStableOffset)
		r.have = append(r.have, p.Records...)
	})
	if failed == nil {
		failed = fetches.Err0()
	}
	switch {
	case failed == nil:
		return nil
	case errors.Is(failed, kerr.OffsetOutOfRange):
		return r.trimmed()
	case ctx != nil && ctx.Err() != nil:
		return ctx.Err()
	}
	if ctx == nil {
		ctx = context.Background()
	}
	return r.log.unavailableAfter(ctx, fmt.Errorf("read topic %s at %d: %w", r.log.topic, r.offset, failed))
}

// unavailable is ErrUnavailable, after its pause.
func (l *log) unavailable(err error) error { return l.unavailableAfter(context.Background(), err) }

func (l *log) unavailableAfter(ctx context.Context, err error) error {
	pause, cancel := context.WithTimeout(l.closing, afterFailed)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	<-pause.Done()
	return l.ended(fmt.Errorf("%w (%w)", stream.ErrUnavailable, err))
}

// trimmed goes on at the first message that is kept.
func (r *reader) trimmed() error {
	ctx, cancel := r.log.bound(context.Background())
	defer cancel()
	first, end, err := r.log.offsets(ctx)
	if err != nil {
		return r.log.unavailable(err)
	}
	raise(&r.log.first, first)
	raise(&r.log.end, end)
	if first <= r.offset {
		return fmt.Errorf("read topic %s at %d, which has %d to %d: %w; was the topic made anew?", r.log.topic, r.offset, first, end, stream.ErrAhead)
	}
	r.offset, r.have = first, nil
	r.client.Close()
	if err := r.connect(); err != nil {
		return err
	}
	return fmt.Errorf("read topic %s: %w", r.log.topic, stream.ErrTrimmed)
}

// Wait implements stream.Reader. Markers count too: Read steps over them, so that the position is the end.
func (r *reader) Wait(ctx context.Context) error {
	if err := r.usable(); err != nil {
		return err
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.log.closing, cancel)()
	for {
		if len(r.have) > 0 || r.offset < r.log.end.Load() {
			return nil
		}
		err := r.poll(waiting)
		switch {
		case r.log.closing.Err() != nil:
			return stream.ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, stream.ErrTrimmed): // Read says so, by what it goes on with
			return nil
		case err != nil:
			return err
		}
	}
}
