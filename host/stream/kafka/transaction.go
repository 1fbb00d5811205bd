package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// A transaction ends in two steps: its coordinator notes what is decided, and then writes a marker into each of its partitions. A commit is told
// as done after the first. When a broker dies between the two and is back before its session has ended, Apache Kafka 4.1 to 4.3 forget
// the markers (KAFKA-20734): the decision stands, but in some partitions, or in all, its records stay open. The next marker under the same
// ID then decides over them, too, whatever it says. So whoever takes an ID asks first what was decided and writes what is missing, and
// whoever begins a transaction looks whether the one before has ended everywhere.

// patience is how long an answer may take that usually comes at once.
const patience = 2 * time.Second

func (l *life) patience() time.Duration { return min(patience, l.timeout/4) }

// acquire makes a client that writes transactions under an ID, and fences those before it. What they have begun in these partitions is
// ended when it returns.
func (c *Cluster) acquire(ctx context.Context, id string, in kadm.TopicsSet, opts ...kgo.Opt) (*kgo.Client, error) {
	committed := false // what was decided last
	for {
		last, err := c.last(ctx, id, in)
		if err != nil {
			return nil, err
		}
		switch last.State {
		case "PrepareCommit", "CompleteCommit":
			committed = true
		case "Empty", "": // somebody has taken the ID since; if it was not this call, what is open was never decided
		default: // who takes the ID has the brokers abort what is going on
			committed = false
		}
		client, err := c.opt.transactional(id, opts...)
		if err != nil {
			return nil, err
		}
		short, cancel := context.WithTimeout(ctx, c.patience())
		producer, epoch, err := client.ProducerID(short)
		late := short.Err() != nil
		cancel()
		if err == nil {
			done := false
			if done, err = c.complete(ctx, id, last.ProducerID, producer, epoch, in, committed); done {
				return client, nil
			}
		}
		client.Close()
		if err != nil && (!late || ctx.Err() != nil) {
			return nil, fmt.Errorf("begin to write transactions as %s: %w", id, err)
		}
	}
}

// last asks for the newest transaction of an ID. When somebody else has just taken the ID, and so is about to end what is open, it waits for
// that: what was decided is known to them only.
func (c *Cluster) last(ctx context.Context, id string, in kadm.TopicsSet) (kadm.DescribedTransaction, error) {
	others, cancel := context.WithTimeout(ctx, c.timeout/2)
	defer cancel()
	for {
		all, err := c.admin.DescribeTransactions(ctx, id)
		last := all[id]
		if err == nil {
			err = last.Err
		}
		switch {
		case errors.Is(err, kerr.TransactionalIDNotFound):
			return kadm.DescribedTransaction{ProducerID: -1}, nil
		case retried(ctx, err):
			continue
		case err != nil:
			return last, fmt.Errorf("ask for the newest transaction of %s: %w; the brokers must allow transactions to this client", id, err)
		case last.State != "Empty":
			return last, nil
		}
		if open, err := c.open(ctx, last.ProducerID, in); err != nil || len(open) == 0 || !pause(others) {
			return last, err
		}
	}
}

// complete writes the markers that are missing, with the number and the epoch that the ID has now. It returns whether none was.
func (c *Cluster) complete(ctx context.Context, id string, before, producer int64, epoch int16, in kadm.TopicsSet, commit bool) (bool, error) {
	if before < 0 {
		before = producer
	}
	open, err := c.open(ctx, before, in)
	if err != nil || len(open) == 0 {
		return err == nil, err
	}
	c.opt.Logger.Warn("the brokers have not ended a transaction everywhere; it is ended now", "id", id, "committed", commit, "partitions", open)
	if before != producer { // its epochs are used up
		return false, fmt.Errorf("a transaction of producer %d is open in %v and has lost its end; end it with kafka-transactions.sh abort", before, open)
	}
	if err := c.end(ctx, id, producer, epoch, open, commit); err != nil {
		return false, fmt.Errorf("end a transaction in %v: %w", open, err)
	}
	return false, nil
}

// end has the coordinator write markers into partitions: by a transaction there that has no record.
func (c *Cluster) end(ctx context.Context, id string, producer int64, epoch int16, in kadm.TopicsSet, commit bool) error {
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.EndTxn), 4) // from 5 on partitions are not added beforehand
	client, err := c.opt.client(kgo.MaxVersions(versions))
	if err != nil {
		return err
	}
	defer client.Close()
	add := kmsg.NewPtrAddPartitionsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch = id, producer, epoch
	for _, t := range in.Sorted() {
		add.Topics = append(add.Topics, kmsg.AddPartitionsToTxnRequestTopic{Topic: t.Topic, Partitions: t.Partitions})
	}
	end := kmsg.NewPtrEndTxnRequest()
	end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = id, producer, epoch, commit
	for {
		added, err := add.RequestWith(ctx, client)
		if err == nil {
			for _, t := range added.Topics {
				for _, p := range t.Partitions {
					err = errors.Join(err, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		}
		if err == nil {
			break
		}
		if !retried(ctx, err) {
			return err
		}
	}
	for {
		ended, err := end.RequestWith(ctx, client)
		if err == nil {
			err = kerr.ErrorForCode(ended.ErrorCode)
		}
		if !retried(ctx, err) {
			return err
		}
	}
}

// open are those of the partitions in which a transaction of a producer is not ended.
func (c *Cluster) open(ctx context.Context, producer int64, in kadm.TopicsSet) (kadm.TopicsSet, error) {
	for {
		var open kadm.TopicsSet
		all, err := c.admin.DescribeProducers(ctx, in)
		for _, t := range all {
			for _, p := range t.Partitions {
				err = errors.Join(err, p.Err)
				if w, ok := p.ActiveProducers[producer]; ok && w.CurrentTxnStartOffset >= 0 {
					open.Add(p.Topic, p.Partition)
				}
			}
		}
		if err == nil {
			return open, nil
		}
		if !retried(ctx, err) {
			return nil, fmt.Errorf("ask for transactions that are not ended: %w", err)
		}
	}
}

// finished waits a moment for what a client has written last to be ended in these partitions; see acquire.
func (c *Cluster) finished(ctx context.Context, client *kgo.Client, in kadm.TopicsSet) (bool, error) {
	if len(in) == 0 {
		return true, nil
	}
	producer, _, err := client.ProducerID(ctx)
	if err != nil {
		return false, err
	}
	short, cancel := context.WithTimeout(ctx, c.patience())
	defer cancel()
	for {
		open, err := c.open(ctx, producer, in)
		if err != nil || len(open) == 0 {
			return err == nil, err
		}
		if !pause(short) {
			return false, nil
		}
	}
}

// retried waits a moment after an error that may not be there the next time, and returns whether it is one. Brokers that have just started
// answer UNKNOWN_SERVER_ERROR to who ends a transaction.
func retried(ctx context.Context, err error) bool {
	return (Unreachable(err) || errors.Is(err, kerr.ConcurrentTransactions) || errors.Is(err, kerr.UnknownServerError)) && pause(ctx)
}

// pause waits a moment; false: ctx has ended.
func pause(ctx context.Context) bool {
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// settled waits until all that is written to a partition now can be read. A transaction that is not ended hides what comes after it, also
// what is committed, and brokers say that one is committed a moment before it can be read: who reads then finds less than there is.
func (c *Cluster) settled(ctx context.Context, life *life, name string, partition int32) error {
	ctx, cancel := life.bound(ctx)
	defer cancel()
	topic := c.opt.topic(name)
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
		if !pause(ctx) {
			return fmt.Errorf("topic %s, partition %d: a transaction is not ended yet: what is behind offset %d of %d cannot be read: %w", topic, partition, at.Offset, written, ctx.Err())
		}
	}
}

// wholly are all partitions of topics.
func (c *Cluster) wholly(names ...string) kadm.TopicsSet {
	var all kadm.TopicsSet
	for _, name := range names {
		for p := range c.partitions {
			all.Add(c.opt.topic(name), int32(p))
		}
	}
	return all
}

// places are the partitions of records.
func places(records []*kgo.Record) kadm.TopicsSet {
	var all kadm.TopicsSet
	for i, r := range records {
		if i == 0 || r.Partition != records[i-1].Partition || r.Topic != records[i-1].Topic { // a commit has runs of many
			all.Add(r.Topic, r.Partition)
		}
	}
	return all
}
