package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sandbar/host/stream"
)

// markKey is the key of the changelog's record that every commit has.
const markKey = "commit"

// mark tells one commit from all others.
type mark struct {
	By string `json:"by"` // process
	N  int64  `json:"n"`
}

// nextMark is that of the commit which is made now. Only who commits calls it.
func (s *Store) nextMark() []byte {
	s.commitN++
	text, _ := json.Marshal(mark{s.process, s.commitN}) // a string and an integer
	return text
}

// resolveEvery is how often the brokers are asked what has become of a commit.
const resolveEvery = time.Second

// resolve finds out whether the commit with this mark is there, however long that takes: nil when it is, and cause when it is
// not and will not be. Until then nothing can be said, and nothing else can be committed.
func (s *Store) resolve(ctx context.Context, mark []byte, cause error) error {
	if err := s.renew(ctx, cause); err != nil {
		return err
	}
	there, err := s.has(ctx, mark, s.changedTo)
	if err == nil && !there {
		return cause
	}
	return err
}

// has returns whether the commit with a mark is behind an offset of the changelog. It asks until the brokers say so.
func (s *Store) has(ctx context.Context, mark []byte, from int64) (there bool, err error) {
	for {
		_, err := s.cluster.scan(context.WithoutCancel(ctx), &s.life, Changelog, s.partition, from, func(key string, value []byte) {
			there = there || key == markKey && bytes.Equal(value, mark)
		})
		if err == nil {
			return there, nil
		}
		if err := s.pause(err); err != nil {
			return false, err
		}
	}
}

// ready returns when the commit before has ended in all its partitions. The brokers have told that it is done, and may have forgotten to
// end it; see Cluster.acquire.
func (s *Store) ready(ctx context.Context) error {
	done, err := s.cluster.finished(ctx, s.commits, s.written)
	switch {
	case isFenced(err):
		return s.fail(explain(err))
	case err != nil:
		return err
	case !done:
		if err := s.renew(ctx, errors.New("the newest commit is not ended in all partitions")); err != nil {
			return err
		}
		there, err := s.has(ctx, s.mark, s.changedTo-1)
		if err != nil {
			return err
		}
		if !there {
			return s.fail(errors.New("the brokers have lost a commit that they had told as done"))
		}
	}
	s.written = nil
	return nil
}

// renew takes a new transactional producer in place of one whose transaction cannot be ended. The brokers end that, one way or
// the other, before the new one gets its number.
func (s *Store) renew(ctx context.Context, cause error) error {
	s.cluster.opt.Logger.Warn("the brokers do not say what has become of a commit; they are asked until they do", "partition", s.partition, "error", cause)
	s.commits.Close()
	for {
		err := s.mine(ctx)
		if err == nil || errors.Is(err, errBehind) { // what this process has committed is not ended, so nobody has come after it
			asking, cancel := s.bound(context.WithoutCancel(ctx))
			err = s.acquire(asking) // from then on nobody else can commit
			cancel()
		}
		if err == nil {
			err = s.mine(ctx)
		}
		if err == nil {
			s.cluster.opt.Logger.Info("the brokers answer again", "partition", s.partition)
			return nil
		}
		if errors.Is(err, errTaken) {
			return s.fail(err)
		}
		if err := s.pause(err); err != nil {
			return err
		}
	}
}

// errTaken says that another process has committed to the partition.
var errTaken = errors.New("another process has taken this partition over")

// mine is errTaken when the newest commit is none that this process has made or begun with, so that nobody is fenced by one that woke
// up, and nobody goes on from what is not the newest.
func (s *Store) mine(ctx context.Context) error {
	text, err := s.lastMark(ctx)
	if err != nil || text == nil {
		return err
	}
	var m mark
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("read the newest commit: %w", err)
	}
	if m.By != s.process && !bytes.Equal(text, s.mark) {
		return errTaken
	}
	return nil
}

// lastMark is the mark of the newest commit, nil when there is none.
func (s *Store) lastMark(ctx context.Context) (last []byte, err error) {
	last = s.mark
	_, err = s.cluster.scan(context.WithoutCancel(ctx), &s.life, Changelog, s.partition, s.changedTo, func(key string, value []byte) {
		if key == markKey {
			last = value
		}
	})
	return last, err
}

// pause waits a moment; Close ends it.
func (s *Store) pause(why error) error {
	timer := time.NewTimer(resolveEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.closing.Done():
		return s.fail(fmt.Errorf("%w: what has become of a commit is not known: %w", stream.ErrClosed, why))
	}
}
