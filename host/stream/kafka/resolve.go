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
	for {
		last, err := s.lastMark(ctx)
		switch {
		case err == nil && string(last) == string(mark):
			return nil
		case err == nil:
			return cause
		}
		if err := s.pause(err); err != nil {
			return err
		}
	}
}

// renew takes a new transactional producer in place of one whose transaction cannot be ended. The brokers end that, one way or
// the other, before the new one gets its number.
func (s *Store) renew(ctx context.Context, cause error) error {
	s.cluster.opt.Logger.Warn("the brokers do not say what has become of a commit; they are asked until they do", "partition", s.partition, "error", cause)
	s.commits.Close()
	for {
		client, err := s.cluster.opt.transactional(s.transactionalID())
		if err != nil {
			return s.fail(err)
		}
		s.commits = client
		if err = s.mine(ctx); err == nil {
			asking, cancel := s.bound(context.WithoutCancel(ctx))
			_, _, err = client.ProducerID(asking)
			cancel()
		}
		if err == nil { // from now on nobody else can commit
			sweeping, cancel := s.bound(context.WithoutCancel(ctx))
			err = s.sweep(sweeping)
			cancel()
		}
		if err == nil {
			err = s.mine(ctx)
		}
		if err == nil {
			s.cluster.opt.Logger.Info("the brokers answer again", "partition", s.partition)
			return nil
		}
		client.Close()
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
