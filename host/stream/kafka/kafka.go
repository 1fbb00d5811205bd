// Package kafka keeps streams in Apache Kafka. A Store is one partition of the topics
//
//	PREFIX.raw PREFIX.valid PREFIX.errors PREFIX.derived   a record is a message; its value is the message, unframed
//	PREFIX.control PREFIX.hosts   one partition, compacted: what all hosts share; see Table
//	PREFIX.spilled     one partition, compacted: "ID" is how far a host's local log was taken over; see Taker
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
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// Options of a Cluster. Those without a default are required.
type Options struct {
	Brokers []string
	Prefix  string    // of the topics' names; "sandbar"
	Client  []kgo.Opt // how to reach the brokers: TLS, SASL, rack
	Now     func() time.Time
	Logger  *slog.Logger

	Cache string // folder for copies of states; empty: none are kept

	MaxMessage int           // 16 MiB
	Timeout    time.Duration // of a call of the brokers; 30 s

	// Key is what submissions have in common that are to be in one partition of raw; those without a key may be in any, as all
	// are when it is nil.
	Key func(submission []byte) []byte
}

// Changelog is the topic with states and positions, beside those of the streams.
const Changelog = "changelog"

// Cluster is the topics, with all their partitions, and the connection to the brokers.
type Cluster struct {
	life
	opt        Options
	id         stream.ID
	partitions int
	admin      *kadm.Client
	appends    *kgo.Client // to raw
	spread     kgo.TopicPartitioner

	order sync.Mutex // held while the records of one append are handed over, so that they lie together

	mu      sync.Mutex
	numbers map[place]*numbers
}

// place is a partition of a stream.
type place struct {
	name      string
	partition int32
}

// Connect reaches the brokers and looks at the topics, which must exist; see Create.
func Connect(ctx context.Context, opt Options) (_ *Cluster, err error) {
	opt.defaults()
	c := &Cluster{opt: opt, numbers: map[place]*numbers{}, spread: kgo.StickyKeyPartitioner(nil).ForTopic(opt.topic(stream.Raw))}
	c.life.begin(context.Background(), opt.Timeout)
	defer func() {
		if err != nil {
			c.Close()
			err = fmt.Errorf("reach %s on Kafka %v: %w", opt.Prefix, opt.Brokers, err)
		}
	}()
	if c.appends, err = opt.client(opt.producing()...); err != nil {
		return nil, err
	}
	c.admin = kadm.NewClient(c.appends)
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if err := c.appends.Ping(ctx); err != nil {
		return nil, err
	}
	c.id, c.partitions, err = c.checkTopics(ctx)
	return c, err
}

// Close ends everything that is done with the brokers. The stores are closed before.
func (c *Cluster) Close() error {
	c.finish()
	if c.appends != nil {
		c.appends.Close()
	}
	return nil
}

// ID is the identity of the topics.
func (c *Cluster) ID() stream.ID { return c.id }

// Partitions is how many there are.
func (c *Cluster) Partitions() int { return c.partitions }

// idOf is the identity of a partition: also in the part of it that keeps names apart.
func (c *Cluster) idOf(partition int32) stream.ID {
	id := c.id
	for _, at := range []int{2, 14} {
		id[at] ^= byte(partition >> 8)
		id[at+1] ^= byte(partition)
	}
	return id
}

// log is a partition of a stream, for as long as life.
func (c *Cluster) log(name string, partition int32, life *life) *log {
	return &log{life: life, numbers: c.numbersOf(name, partition), cluster: c, name: name, topic: c.opt.topic(name), partition: partition}
}

func (c *Cluster) numbersOf(name string, partition int32) *numbers {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.numbers[place{name, partition}]
	if n == nil {
		n = &numbers{}
		c.numbers[place{name, partition}] = n
	}
	return n
}

// Logs are all partitions of a stream, to be read.
func (c *Cluster) Logs(ctx context.Context, name string) ([]stream.Log, error) {
	var logs []stream.Log
	for p := range c.partitions {
		l := c.log(name, int32(p), &c.life)
		if err := l.begin(ctx); err != nil {
			return nil, err
		}
		logs = append(logs, l)
	}
	return logs, nil
}

// Append makes submissions durable on raw, each in the partition of its key; see stream.Log. The position is that of the last.
func (c *Cluster) Append(ctx context.Context, msgs ...[]byte) (stream.Position, error) {
	if err := stream.CheckMessages(stream.Raw, msgs, c.opt.MaxMessage); err != nil {
		return stream.Position{}, err
	}
	return c.append(ctx, &c.life, stream.Raw, c.submissions(msgs))
}

// submissions are the records of raw.
func (c *Cluster) submissions(msgs [][]byte) []*kgo.Record {
	records := make([]*kgo.Record, len(msgs))
	topic := c.opt.topic(stream.Raw)
	for i, m := range msgs {
		records[i] = &kgo.Record{Topic: topic, Value: m}
		var key []byte
		if c.opt.Key != nil {
			key = c.opt.Key(m)
		}
		c.choose(records[i], key)
	}
	return records
}

// choose gives a record a key, and the partition of it as Kafka's own clients choose it; any partition when the key is nil.
func (c *Cluster) choose(r *kgo.Record, key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Key = key
	r.Partition = int32(c.spread.Partition(r, c.partitions))
}

// Unreachable says that an error is of the way to the brokers, or of what they are about to mend, so that it is of use to try again.
func Unreachable(err error) bool {
	var system *os.SyscallError
	var name *net.DNSError
	var early *kgo.ErrFirstReadEOF
	return errors.Is(err, stream.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || kerr.IsRetriable(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) ||
		errors.As(err, &system) || errors.As(err, &name) || errors.As(err, &early)
}

// life is the time until something is closed, and what a call of the brokers may take.
type life struct {
	closing context.Context
	finish  context.CancelFunc
	timeout time.Duration
}

func (l *life) begin(within context.Context, timeout time.Duration) {
	l.closing, l.finish = context.WithCancel(within)
	l.timeout = timeout
}

// bound is a context for one call, which also ends with the life.
func (l *life) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	stop := context.AfterFunc(l.closing, cancel)
	return ctx, func() { stop(); cancel() }
}

// ended turns the error of a call that Close has ended into ErrClosed.
func (l *life) ended(err error) error {
	if err != nil && (l.closing.Err() != nil || errors.Is(err, kgo.ErrClientClosed)) {
		return stream.ErrClosed
	}
	return err
}

func (l *life) closedError() error {
	if l.closing.Err() != nil {
		return stream.ErrClosed
	}
	return nil
}

func (o *Options) defaults() {
	o.Prefix, o.MaxMessage, o.Timeout = cmp.Or(o.Prefix, "sandbar"), cmp.Or(o.MaxMessage, 16<<20), cmp.Or(o.Timeout, 30*time.Second)
}

func (o *Options) topic(name string) string { return o.Prefix + "." + name }

// client makes a client with more options.
func (o *Options) client(more ...kgo.Opt) (*kgo.Client, error) {
	opts := append([]kgo.Opt{kgo.SeedBrokers(o.Brokers...), kgo.ClientID("sandbar"), kgo.RetryTimeout(o.Timeout), kgo.MetadataMinAge(50 * time.Millisecond)}, o.Client...)
	return kgo.NewClient(append(opts, more...)...)
}

// overhead is what a batch adds to one record.
const overhead = 1 << 10

// largest is the largest batch of a topic.
func (o *Options) largest(topic string) int {
	switch topic {
	case o.topic(Changelog):
		return chunkBytes + overhead
	case o.topic(Control), o.topic(Hosts), o.topic(Spilled):
		return maxValue + overhead
	}
	return o.MaxMessage + overhead
}

// producing are the options of those who write.
func (o *Options) producing() []kgo.Opt {
	return []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytesFn(func(topic string) int32 { return int32(o.largest(topic)) }),
		kgo.RecordDeliveryTimeout(o.Timeout), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression())}
}

// transactional makes a client that writes transactions under a name. It fences those before it once it has asked for its number.
func (o *Options) transactional(id string, more ...kgo.Opt) (*kgo.Client, error) {
	return o.client(append(append(o.producing(), kgo.TransactionalID(id), kgo.TransactionTimeout(transactionTime)), more...)...)
}
