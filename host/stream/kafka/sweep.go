package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sweep takes back what was written under a transactional ID and is neither committed nor taken back, in the partitions of the records:
// it writes these in a transaction that is aborted.
//
// The brokers should have ended what was pending when they gave the ID to this client. After one of them has died they do not always: then
// records stay without a marker behind them, and the next commit under the ID, by the same producer as the brokers see it, would make
// them true. Behind the markers of this transaction a partition takes nothing of a predecessor any more. A partition that is empty is left
// alone.
func (c *Cluster) sweep(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	var topics []string
	for _, r := range records {
		topics = append(topics, r.Topic)
	}
	ends, err := c.admin.ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err == nil {
		records = slices.DeleteFunc(records, func(r *kgo.Record) bool {
			end, ok := ends.Lookup(r.Topic, r.Partition)
			return ok && end.Offset == 0
		})
		if len(records) == 0 {
			return nil
		}
		err = client.BeginTransaction()
	}
	if err == nil {
		err = client.ProduceSync(ctx, records...).FirstErr()
	}
	if err == nil {
		err = client.EndTransaction(ctx, kgo.TryAbort)
	}
	if err != nil {
		return fmt.Errorf("take back what was left uncommitted: %w", err)
	}
	return nil
}

// settled waits until all that is written to a partition now can be read. A transaction that is not ended hides what comes after it, also
// what is committed, and brokers say that one is committed a moment before it can be read: who reads then finds less than there is.
func (c *Cluster) settled(ctx context.Context, life *life, name string, partition int32) error {
	ctx, cancel := life.bound(ctx)
	defer cancel()
	topic := c.opt.topic(name)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for written := int64(-1); ; {
		ends, err := c.admin.ListEndOffsets(ctx, topic)
		readable, err2 := c.admin.ListCommittedOffsets(ctx, topic)
		end, known := ends.Lookup(topic, partition)
		at, known2 := readable.Lookup(topic, partition)
		if err = errors.Join(err, err2, end.Err, at.Err); err == nil && !(known && known2) {
			err = fmt.Errorf("there is no partition %d", partition)
		}
		if err != nil {
			return fmt.Errorf("ask how far topic %s is written: %w", topic, err)
		}
		if written < 0 {
			written = end.Offset
		}
		if at.Offset >= written {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("topic %s, partition %d: a transaction is not ended yet: what is behind offset %d of %d cannot be read: %w", topic, partition, at.Offset, written, ctx.Err())
		}
	}
}
