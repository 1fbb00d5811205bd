package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// transactionTime is how long a transaction of a host that died holds up readers, unless a successor ends it.
const transactionTime = 60 * time.Second

// Store is one partition; it implements stream.Store.
type Store struct {
	life
	cluster   *Cluster
	partition int32
	id        stream.ID
	logs      map[string]*log
	commits   *kgo.Client    // transactional
	written   kadm.TopicsSet // partitions of the newest commit of this process, nil when it is known to have ended in all of them
	own       *Cluster       // closed with the store, unless nil
	closed    atomic.Bool

	process string // this one, in the marks of commits
	before  string // whose the newest commit was when the store was opened
	commitN int64  // of who commits, as are those below

	mark      []byte    // of the newest commit
	changedTo int64     // changelog's offset up to which states and positions are known
	cachedTo  int64     // that of the newest copy
	cachedAt  time.Time // when it was made

	broken  atomic.Pointer[error]
	brokenC chan struct{} // closed when it is broken
	turn    chan struct{} // one entry: who commits

	mu      sync.Mutex
	readers map[string]map[string]stream.Position // committed
	states  map[string][]byte
	chunks  map[string]int // of each state, in the changelog
}

var _ stream.Store = (*Store)(nil)

// Open takes a partition over with a connection of its own.
func Open(ctx context.Context, opt Options, partition int32) (*Store, error) {
	c, err := Connect(ctx, opt)
	if err != nil {
		return nil, err
	}
	s, err := c.Open(ctx, partition)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	s.own = c
	return s, nil
}

// Open takes over a partition: it fences whoever had it, and reads its states and positions.
func (c *Cluster) Open(ctx context.Context, partition int32) (_ *Store, err error) {
	s := &Store{cluster: c, partition: partition, id: c.idOf(partition), logs: map[string]*log{}, process: uuid.NewString(), turn: make(chan struct{}, 1), brokenC: make(chan struct{}),
		readers: map[string]map[string]stream.Position{}, states: map[string][]byte{}, chunks: map[string]int{}}
	s.begin(c.closing, c.opt.Timeout)
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("open partition %d of %s on Kafka %v: %w", partition, c.opt.Prefix, c.opt.Brokers, err)
		}
	}()
	for _, name := range stream.Names() {
		s.logs[name] = c.log(name, partition, &s.life)
		s.logs[name].held = func() (stream.Position, bool) { return s.slowest(name) }
	}
	if err := s.takeOver(ctx); err != nil {
		return nil, err
	}
	if err := s.restore(ctx); err != nil { // as long as it takes; each answer of the brokers has its time
		return nil, fmt.Errorf("read states and positions: %w", err)
	}
	for _, l := range s.logs {
		if err := l.begin(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// takeOver takes the transactional ID. From then on nobody else can commit, so what is read is the newest.
func (s *Store) takeOver(ctx context.Context) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	id, partitions, err := s.cluster.checkTopics(ctx)
	switch {
	case err != nil:
		return err
	case id != s.cluster.id:
		return errors.New("the topics were made anew; restart the host")
	case int(s.partition) >= partitions || s.partition < 0:
		return fmt.Errorf("the topics have %d partitions, and none of number %d", partitions, s.partition)
	case int(s.partition) >= s.cluster.partitions:
		return fmt.Errorf("the topics have %d partitions, and had %d when the host started; restart it", partitions, s.cluster.partitions)
	}
	return s.acquire(ctx)
}

// acquire takes the transactional ID. Then nothing is open in the changelog's partition, to which nobody else writes.
func (s *Store) acquire(ctx context.Context) (err error) {
	topics := slices.DeleteFunc(stream.Names(), func(name string) bool { return name == stream.Raw })
	in := s.cluster.wholly(topics...) // a key may choose any partition
	in.Add(s.cluster.opt.topic(Changelog), s.partition)
	if s.commits != nil {
		s.commits.Close()
	}
	if s.commits, err = s.cluster.acquire(ctx, s.transactionalID(), in); err != nil {
		return err
	}
	return s.cluster.settled(ctx, &s.life, Changelog, s.partition)
}

// transactionalID is the name under which the partition's commits are made.
func (s *Store) transactionalID() string {
	return fmt.Sprintf("%s-%d", s.cluster.opt.Prefix, s.partition)
}

// Close implements stream.Store. It waits for a commit under way.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return stream.ErrClosed
	}
	s.finish()
	s.turn <- struct{}{} // for good
	if err := s.saveCache(); err != nil {
		s.cluster.opt.Logger.Warn("a partition's states are not copied to the disk; its next start takes longer", "partition", s.partition, "error", err)
	}
	if s.commits != nil {
		s.commits.Close()
	}
	if s.own != nil {
		return s.own.Close()
	}
	return nil
}

// ID implements stream.Store: that of the changelog's topic and the partition.
func (s *Store) ID() stream.ID { return s.id }

// Cluster is what the partition is of.
func (s *Store) Cluster() *Cluster { return s.cluster }

// Log implements stream.Store.
func (s *Store) Log(name string) stream.Log {
	if l := s.log(name); l != nil {
		return l
	}
	return nil
}

func (s *Store) log(name string) *log {
	if l := s.logs[name]; l != nil {
		return l
	}
	name, partition, ok := stream.ParseElsewhere(name)
	if !ok || partition >= s.cluster.partitions {
		return nil
	}
	return s.cluster.log(name, int32(partition), &s.life)
}

// Readers implements stream.Store.
func (s *Store) Readers() map[string]map[string]stream.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]map[string]stream.Position, len(s.readers))
	for reader, positions := range s.readers {
		all[reader] = maps.Clone(positions)
	}
	return all
}

// State implements stream.Store.
func (s *Store) State(_ context.Context, name string) ([]byte, error) {
	if s.closing.Err() != nil {
		return nil, stream.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.states[name]), nil
}

// slowest is the lowest committed position in a stream, if there is any.
func (s *Store) slowest(name string) (low stream.Position, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, positions := range s.readers {
		if p, ok := positions[name]; ok && (!held || p.Before(low)) {
			low, held = p, true
		}
	}
	return low, held
}

// Writable is why commits are not possible any more, nil when they are.
func (s *Store) Writable() error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// usable is why nothing can be written.
func (s *Store) usable() error {
	if s.closing.Err() != nil {
		return stream.ErrClosed
	}
	return s.Writable()
}

// fail makes the store broken.
func (s *Store) fail(err error) error {
	err = fmt.Errorf("%w (%w)", stream.ErrBroken, err)
	if s.broken.CompareAndSwap(nil, &err) {
		close(s.brokenC)
	}
	return *s.broken.Load()
}

// Watch returns when the store is broken, with the reason, or when ctx ends, with nil.
func (s *Store) Watch(ctx context.Context) error {
	select {
	case <-s.brokenC:
		return s.Writable()
	case <-ctx.Done():
		return nil
	}
}
