package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// Commit implements stream.Store with one transaction. It does not return before its outcome is known: when the brokers do not
// tell, it asks until they do, whatever its context says.
func (s *Store) Commit(ctx context.Context, c *stream.Commit) error {
	if err := c.Check(s.cluster.opt.MaxMessage, s.cluster.partitions); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fmt.Errorf("commit: %w", ctx.Err())
	case <-s.closing.Done():
		return stream.ErrClosed
	}
	err := errors.Join(s.usable(), ctx.Err())
	if err == nil {
		err = s.checkPositions(ctx, c)
	}
	if err == nil {
		err = s.commit(ctx, c)
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// checkPositions refuses positions that no reader can have reached.
func (s *Store) checkPositions(ctx context.Context, c *stream.Commit) error {
	for reader, positions := range c.Positions {
		for name, p := range positions {
			l := s.log(name)
			if !l.End().Before(p) {
				continue
			}
			_, end, err := l.offsets(ctx)
			if err != nil {
				return err
			}
			raise(&l.end, end)
			if l.End().Before(p) {
				return fmt.Errorf("reader %q at %s of stream %s: %w %s", reader, p, name, stream.ErrAhead, l.End())
			}
		}
	}
	return nil
}

func (s *Store) commit(ctx context.Context, c *stream.Commit) error {
	made := map[string][]*kgo.Record{}
	var all []*kgo.Record
	for _, name := range stream.Names() {
		for i, m := range c.Appends[name] {
			r := s.logs[name].record(m)
			if key := c.Keys[name][i]; key != nil {
				s.cluster.choose(r, key)
			}
			made[name] = append(made[name], r)
		}
		all = append(all, made[name]...)
	}
	next := s.next(c)
	all = append(all, next.records...)
	if len(all) == 0 {
		return nil
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	mark := s.nextMark()
	all = append(all, s.changelogRecord(markKey, mark)) // the last of the changelog
	if err := s.commits.BeginTransaction(); err != nil {
		return s.fail(err)
	}
	if err := s.commits.ProduceSync(ctx, all...).FirstErr(); err != nil {
		return s.abort(ctx, err)
	}
	switch err := s.commits.EndTransaction(context.WithoutCancel(ctx), kgo.TryCommit); {
	case err == nil:
	case errors.Is(err, kerr.OperationNotAttempted), errors.Is(err, kerr.TransactionAbortable):
		return s.abort(ctx, err)
	case isFenced(err):
		return s.fail(explain(err))
	default:
		if err := s.resolve(ctx, mark, err); err != nil {
			return err
		}
	}
	s.apply(next)
	s.mark, s.changedTo, s.written = mark, all[len(all)-1].Offset+1, places(all)
	s.cacheWhenDue()
	for name, records := range made {
		s.cluster.appended(name, records)
	}
	return nil
}

// abort takes back a transaction of which nothing is committed.
func (s *Store) abort(ctx context.Context, cause error) error {
	if isFenced(cause) {
		return s.fail(explain(cause))
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cluster.opt.Timeout)
	defer cancel()
	err := s.commits.AbortBufferedRecords(ending)
	if err == nil {
		err = s.commits.EndTransaction(ending, kgo.TryAbort)
	}
	if isFenced(err) {
		return s.fail(explain(err))
	}
	// The client may begin anew by itself after an error, and so fence who has taken the partition over meanwhile: nothing is
	// committed before it is known that nobody else has.
	if err != nil || !errors.Is(cause, kerr.MessageTooLarge) {
		if err := s.renew(ctx, cause); err != nil {
			return err
		}
	}
	if errors.Is(cause, kerr.MessageTooLarge) {
		return fmt.Errorf("%w of the brokers; raise max.message.bytes of the topics: %w", stream.ErrTooLarge, cause)
	}
	return cause
}

// isFenced says that another process has taken the partition over.
func isFenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.InvalidProducerIDMapping)
}

func explain(err error) error {
	if isFenced(err) {
		return fmt.Errorf("another process has taken this partition over: %w", err)
	}
	return err
}
