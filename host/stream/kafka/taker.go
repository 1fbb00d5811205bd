package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// Taker takes over messages that a host has kept on its local disk: a transaction has the messages, on raw, and how far in the
// local log they go, in topic Spilled under the local store's ID. So each of them is taken once.
type Taker struct {
	cluster *Cluster
	id      stream.ID // of the local log's store

	mu     sync.Mutex
	client *kgo.Client // transactional; nil: to be begun anew

	written kadm.TopicsSet // partitions of what was taken over last; of who takes over
}

// takeTime is how long a transaction of a host that died holds up those who read raw.
const takeTime = 10 * time.Second

// Taker makes one for a local store. It is closed with the Cluster.
func (c *Cluster) Taker(id stream.ID) *Taker {
	t := &Taker{cluster: c, id: id}
	context.AfterFunc(c.closing, func() { t.end() })
	return t
}

// TakenOver is the place up to which everything was taken.
func (t *Taker) TakenOver(ctx context.Context) (at stream.Position, err error) {
	if err := t.begin(ctx); err != nil {
		return at, t.cluster.ended(err)
	}
	if err := t.cluster.settled(ctx, &t.cluster.life, Spilled, 0); err != nil {
		return at, t.cluster.ended(err)
	}
	_, err = t.cluster.scan(ctx, &t.cluster.life, Spilled, 0, 0, func(key string, value []byte) {
		if key != t.id.String() {
			return
		}
		if p, perr := stream.ParsePosition(string(value)); perr == nil {
			at = p
		}
	})
	if err != nil {
		return at, t.cluster.ended(fmt.Errorf("read how far spilled messages were taken over: %w", err))
	}
	return at, nil
}

// begin makes a client if there is none. What another one has begun under this name is ended by it.
func (t *Taker) begin(ctx context.Context) (err error) {
	ctx, cancel := t.cluster.bound(ctx)
	defer cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.cluster.closedError(); err != nil || t.client != nil {
		return err
	}
	in := t.cluster.wholly(stream.Raw)
	in.Add(t.cluster.opt.topic(Spilled), 0)
	t.written = nil
	if t.client, err = t.cluster.acquire(ctx, t.cluster.opt.Prefix+"-spill-"+t.id.String(), in, kgo.TransactionTimeout(takeTime)); err != nil {
		return fmt.Errorf("begin to take over what was spilled: %w", err)
	}
	return nil
}

func (t *Taker) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		t.client.Close()
		t.client = nil
	}
}

// TakeOver appends messages, which end in the local log at a place. After an error TakenOver tells whether they are there.
func (t *Taker) TakeOver(ctx context.Context, end stream.Position, msgs [][]byte) error {
	t.mu.Lock()
	client := t.client
	t.mu.Unlock()
	if client == nil {
		return errors.Join(t.cluster.closedError(), errors.New("take over what was spilled: TakenOver comes before"))
	}
	if err := stream.CheckMessages(stream.Raw, msgs, t.cluster.opt.MaxMessage); err != nil {
		return err
	}
	records := t.cluster.submissions(msgs)
	place := &kgo.Record{Topic: t.cluster.opt.topic(Spilled), Key: []byte(t.id.String()), Value: []byte(end.String())}
	ctx, cancel := t.cluster.bound(ctx)
	defer cancel()
	done, err := t.cluster.finished(ctx, client, t.written)
	if err == nil && !done {
		err = errors.New("what was taken over before is not ended in all partitions")
	}
	if err == nil {
		err = client.BeginTransaction()
	}
	records = append(records, place)
	if err == nil {
		err = client.ProduceSync(ctx, records...).FirstErr()
	}
	if err == nil {
		err = client.EndTransaction(ctx, kgo.TryCommit)
	}
	if err != nil {
		t.end() // the next client of this name ends what is pending
		return t.cluster.ended(fmt.Errorf("take over what was spilled: %w", err))
	}
	t.written = places(records)
	t.cluster.appended(stream.Raw, records[:len(msgs)])
	return nil
}
