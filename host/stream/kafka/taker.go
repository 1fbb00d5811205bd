package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// Taker takes over messages that a host has kept on its local disk: a transaction has the messages, on raw, and how far in the
// local log they go, in the changelog under "spill/ID". So each of them is taken once.
type Taker struct {
	store *Store
	id    stream.ID // of the local log's store

	mu     sync.Mutex
	client *kgo.Client // transactional; nil: to be begun anew
}

// Taker makes one for a local store. It is closed with the Store.
func (s *Store) Taker(id stream.ID) *Taker {
	t := &Taker{store: s, id: id}
	context.AfterFunc(s.closing, func() { t.end() })
	return t
}

// TakenOver is the place up to which everything was taken.
func (t *Taker) TakenOver(ctx context.Context) (at stream.Position, err error) {
	if err := t.begin(ctx); err != nil {
		return at, t.store.ended(err)
	}
	err = t.store.scan(ctx, func(key string, value []byte) {
		if key != spillKey+t.id.String() {
			return
		}
		if p, perr := stream.ParsePosition(string(value)); perr == nil {
			at = p
		}
	})
	if err != nil {
		return at, t.store.ended(fmt.Errorf("read how far spilled messages were taken over: %w", err))
	}
	return at, nil
}

// begin makes a client if there is none. What another one has begun under this name is ended by it.
func (t *Taker) begin(ctx context.Context) (err error) {
	ctx, cancel := t.store.bound(ctx)
	defer cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.store.closedError(); err != nil || t.client != nil {
		return err
	}
	o := &t.store.opt
	t.client, err = o.client(append(o.producing(), kgo.TransactionalID(o.Prefix+"-spill-"+t.id.String()), kgo.TransactionTimeout(transactionTime))...)
	if err == nil {
		_, _, err = t.client.ProducerID(ctx)
	}
	if err != nil {
		if t.client != nil {
			t.client.Close()
		}
		t.client = nil
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
		return errors.Join(t.store.closedError(), errors.New("take over what was spilled: TakenOver comes before"))
	}
	if err := stream.CheckMessages(stream.Raw, msgs, t.store.opt.MaxMessage); err != nil {
		return err
	}
	raw := t.store.logs[stream.Raw]
	var records []*kgo.Record
	for _, m := range msgs {
		records = append(records, raw.record(m))
	}
	ctx, cancel := t.store.bound(ctx)
	defer cancel()
	err := client.BeginTransaction()
	if err == nil {
		err = client.ProduceSync(ctx, append(records, t.store.changelogRecord(spillKey+t.id.String(), []byte(end.String())))...).FirstErr()
	}
	if err == nil {
		err = client.EndTransaction(ctx, kgo.TryCommit)
	}
	if err != nil {
		t.end() // the next client of this name ends what is pending
		return t.store.ended(fmt.Errorf("take over what was spilled: %w", err))
	}
	if len(records) > 0 {
		raw.appended(records)
	}
	return nil
}
