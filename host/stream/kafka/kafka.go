// Package kafka keeps streams in Apache Kafka. A Store is one partition of the topics
//
//	PREFIX.raw PREFIX.valid PREFIX.errors PREFIX.derived   a record is a message; its value is the message, unframed
//	PREFIX.changelog   compacted: "reader/NAME" is how far a reader is, "state/NAME/CHUNK" a piece of a state
//
// A position is an offset. A commit is one transaction over the four topics and the changelog, and all reading is
// read-committed. The transactional ID is that of the partition, so that whoever opens a Store fences the one before: what
// that one has not committed is gone, and its next commit is stream.ErrBroken. Each commit has a mark in the changelog, by which
// one is found whose outcome the brokers did not tell. raw is appended to by any host, with acks=all.
//
// It knows bytes and offsets; it must not know what a message holds.
package kafka

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// Options of a Store. Those without a default are required.
type Options struct {
	Brokers   []string
	Prefix    string // of the topics' names; "sandbar"
	Partition int32
	Client    []kgo.Opt // how to reach the brokers: TLS, SASL, rack
	Now       func() time.Time
	Logger    *slog.Logger

	MaxMessage int           // 16 MiB
	Timeout    time.Duration // of a call of the brokers; 30 s
}

// Changelog is the topic with states and positions, beside those of the streams.
const Changelog = "changelog"

// transactionTime is how long a transaction of a host that died holds up readers, unless a successor ends it.
const transactionTime = 60 * time.Second

// Store implements stream.Store.
type Store struct {
	opt     Options
	id      stream.ID
	cluster stream.ID
	admin   *kadm.Client
	appends *kgo.Client // to raw
	commits *kgo.Client // transactional
	logs    map[string]*log

	closing context.Context // ends with Close
	close   context.CancelFunc
	process string // this one, in the marks of commits
	before  string // whose the newest commit was when the store was opened
	commitN int64  // of who commits

	broken  atomic.Pointer[error]
	brokenC chan struct{} // closed when it is broken
	turn    chan struct{} // one entry: who commits

	mu      sync.Mutex
	readers map[string]map[string]stream.Position // committed
	states  map[string][]byte
	chunks  map[string]int // of each state, in the changelog
}

var _ stream.Store = (*Store)(nil)

// Open takes over a partition: it fences whoever had it, and reads its states and positions. The topics must exist; see Create.
func Open(ctx context.Context, opt Options) (_ *Store, err error) {
	opt.defaults()
	s := &Store{opt: opt, logs: map[string]*log{}, process: uuid.NewString(), turn: make(chan struct{}, 1), brokenC: make(chan struct{}), readers: map[string]map[string]stream.Position{},
		states: map[string][]byte{}, chunks: map[string]int{}}
	s.closing, s.close = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("open partition %d of %s on Kafka %v: %w", opt.Partition, opt.Prefix, opt.Brokers, err)
		}
	}()
	for _, name := range stream.Names() {
		s.logs[name] = &log{store: s, name: name, topic: opt.topic(name)}
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

// takeOver connects and takes the transactional ID. From then on nobody else can commit, so what is read is the newest.
func (s *Store) takeOver(ctx context.Context) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.checkTopics(ctx); err != nil {
		return err
	}
	if _, _, err := s.commits.ProducerID(ctx); err != nil {
		return fmt.Errorf("begin to write transactions: %w; the brokers must allow them to this client", err)
	}
	return nil
}

func (o *Options) defaults() {
	o.Prefix, o.MaxMessage, o.Timeout = cmp.Or(o.Prefix, "sandbar"), cmp.Or(o.MaxMessage, 16<<20), cmp.Or(o.Timeout, 30*time.Second)
}

func (o *Options) topic(name string) string { return o.Prefix + "." + name }

// transactionalID is the name under which a partition's commits are made.
func (o *Options) transactionalID() string { return fmt.Sprintf("%s-%d", o.Prefix, o.Partition) }

// client makes a client with more options.
func (o *Options) client(more ...kgo.Opt) (*kgo.Client, error) {
	opts := append([]kgo.Opt{kgo.SeedBrokers(o.Brokers...), kgo.ClientID("sandbar"), kgo.RetryTimeout(o.Timeout), kgo.MetadataMinAge(50 * time.Millisecond)}, o.Client...)
	return kgo.NewClient(append(opts, more...)...)
}

// overhead is what a batch adds to one record.
const overhead = 1 << 10

// largest is the largest batch of a topic.
func (o *Options) largest(topic string) int {
	if topic == o.topic(Changelog) {
		return chunkBytes + overhead
	}
	return o.MaxMessage + overhead
}

// producing are the options of those who write.
func (o *Options) producing() []kgo.Opt {
	return []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytesFn(func(topic string) int32 { return int32(o.largest(topic)) }),
		kgo.RecordDeliveryTimeout(o.Timeout), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression())}
}

func (s *Store) connect(ctx context.Context) error {
	produce := s.opt.producing()
	var err error
	if s.appends, err = s.opt.client(produce...); err != nil {
		return err
	}
	s.admin = kadm.NewClient(s.appends)
	s.commits, err = s.opt.client(append(produce, kgo.TransactionalID(s.opt.transactionalID()), kgo.TransactionTimeout(transactionTime))...)
	if err != nil {
		return err
	}
	return s.appends.Ping(ctx)
}

// ID implements stream.Store: that of the changelog's topic and the partition.
func (s *Store) ID() stream.ID { return s.id }

// Cluster is the identity of the topics, the same for all partitions.
func (s *Store) Cluster() stream.ID { return s.cluster }

// Log implements stream.Store.
func (s *Store) Log(name string) stream.Log {
	if l := s.logs[name]; l != nil {
		return l
	}
	return nil
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

// Close implements stream.Store. It waits for a commit under way.
func (s *Store) Close() error {
	if s.closing.Err() != nil {
		return stream.ErrClosed
	}
	s.close()
	s.turn <- struct{}{} // for good
	for _, c := range []*kgo.Client{s.appends, s.commits} {
		if c != nil {
			c.Close()
		}
	}
	return nil
}

// bound is a context for one call, which also ends with Close.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() { stop(); cancel() }
}

// ended turns the error of a call that Close has ended into ErrClosed.
func (s *Store) ended(err error) error {
	if err != nil && (s.closing.Err() != nil || errors.Is(err, kgo.ErrClientClosed)) {
		return stream.ErrClosed
	}
	return err
}
