package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// The topics of one partition.
const (
	Control = "control" // what people decided
	Hosts   = "hosts"   // what hosts tell of themselves
	Spilled = "spilled" // how far each host's local log was taken over; see Taker
)

// maxValue bounds a value of a table: a plugin with the largest module, as JSON.
const maxValue = 16 << 20

// Table is a topic that has the newest value of each key, for all hosts. Follow has to run beside Change.
type Table struct {
	cluster *Cluster
	name    string
	log     *log
	turn    chan struct{} // one entry: who changes

	mu      sync.Mutex
	applied int64         // offset up to which Follow has applied
	grown   chan struct{} // closed when it has grown
	mine    map[string]int64
}

// Table opens Control or Hosts. (Spilled has no reader that follows it.)
func (c *Cluster) Table(name string) *Table {
	return &Table{cluster: c, name: name, log: c.log(name, 0, &c.life), turn: make(chan struct{}, 1), grown: make(chan struct{}), mine: map[string]int64{}}
}

// Entry is a value of a table. An entry that was deleted has a nil value.
type Entry struct {
	Key   string
	Value []byte
	Time  time.Time // when it was written
}

// Follow hands every entry to apply, in the order in which they were written, until ctx ends or apply fails. Of a key that was written
// several times only the last may come. When it is called again it goes on where it was.
func (t *Table) Follow(ctx context.Context, apply func(e Entry) error) error {
	if err := t.log.begin(ctx); err != nil {
		return err
	}
	r := &reader{log: t.log, offset: max(t.log.first.Load(), t.at())}
	if err := r.connect(); err != nil {
		return err
	}
	defer r.Close()
	for {
		err := t.apply(r, apply)
		if err == nil {
			err = r.Wait(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !errors.Is(err, stream.ErrUnavailable) && !errors.Is(err, stream.ErrTrimmed): // or tried again
			return fmt.Errorf("follow topic %s: %w", t.log.topic, err)
		}
	}
}

// apply hands over what is there.
func (t *Table) apply(r *reader, apply func(e Entry) error) error {
	for {
		records, err := r.records()
		if errors.Is(err, io.EOF) {
			t.reached(r.offset, "")
			return nil
		}
		if err != nil {
			return err
		}
		for _, rec := range records {
			if err := apply(Entry{string(rec.Key), rec.Value, rec.Timestamp}); err != nil {
				return err
			}
			t.reached(rec.Offset+1, header(rec, byHeader))
		}
		t.reached(r.offset, "")
	}
}

// byHeader is the header of a record that tells it from all others.
const byHeader = "change"

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// Ready returns when Follow has applied all that is there now.
func (t *Table) Ready(ctx context.Context) error {
	call, cancel := t.log.bound(ctx)
	_, end, err := t.log.offsets(call)
	cancel()
	if err != nil {
		return err
	}
	return t.wait(ctx, end)
}

func (t *Table) at() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.applied
}

func (t *Table) reached(offset int64, by string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.mine[by]; ok {
		t.mine[by] = offset
	}
	if offset > t.applied {
		t.applied = offset
		close(t.grown)
		t.grown = make(chan struct{})
	}
}

func (t *Table) wait(ctx context.Context, offset int64) error {
	for {
		t.mu.Lock()
		there, grown := t.applied >= offset, t.grown
		t.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return fmt.Errorf("topic %s is not read up to its end: %w", t.log.topic, ctx.Err())
		case <-t.cluster.closing.Done():
			return stream.ErrClosed
		}
	}
}

// Put writes a value, whatever there is.
func (t *Table) Put(ctx context.Context, key string, value []byte) error {
	_, err := t.cluster.append(ctx, &t.cluster.life, t.name, []*kgo.Record{t.record(key, value)})
	return err
}

func (t *Table) record(key string, value []byte) *kgo.Record {
	return &kgo.Record{Topic: t.log.topic, Key: []byte(key), Value: value}
}

// Change calls f when all that was written before is applied here, and while nobody else changes anything; then it writes the entries
// that f returns, all or none, and returns when they are applied here. When f fails nothing is written. f is called again when another
// host was quicker.
func (t *Table) Change(ctx context.Context, f func() ([]Entry, error)) error {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		err := t.change(ctx, f)
		if !errors.Is(err, errOvertaken) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (t *Table) change(ctx context.Context, f func() ([]Entry, error)) error {
	client, err := t.begin(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	entries, err := f()
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	by := uuid.NewString()
	var records []*kgo.Record
	for _, e := range entries {
		if len(e.Value) > maxValue {
			return fmt.Errorf("change topic %s: the entry of %s has %d bytes; it may have %d", t.log.topic, e.Key, len(e.Value), maxValue)
		}
		r := t.record(e.Key, e.Value)
		r.Headers = []kgo.RecordHeader{{Key: byHeader, Value: []byte(by)}}
		records = append(records, r)
	}
	t.mu.Lock()
	t.mine[by] = 0
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.mine, by)
	}()
	call, cancel := t.log.bound(ctx)
	defer cancel()
	if err = client.BeginTransaction(); err == nil {
		err = client.ProduceSync(call, records...).FirstErr()
	}
	if err == nil {
		err = client.EndTransaction(call, kgo.TryCommit)
	}
	if err == nil {
		short, cancel := context.WithTimeout(ctx, t.log.patience())
		defer cancel()
		if err = t.wait(short, records[len(records)-1].Offset+1); err == nil { // else the brokers may have forgotten to end it
			return nil
		}
	}
	return t.resolve(ctx, by, err)
}

// overtaken says that another host has begun to change the table. Brokers do not always find the right word for it.
func overtaken(err error) bool {
	return isFenced(err) || errors.Is(err, kerr.InvalidTxnState) || errors.Is(err, kerr.ConcurrentTransactions) || errors.Is(err, kerr.UnknownServerError)
}

// errOvertaken says that a change is not there, since another host was quicker.
var errOvertaken = errors.New("another host was quicker")

// begin takes the name under which all hosts change the table, which ends whatever another one has begun, and waits until everything
// before is applied.
func (t *Table) begin(ctx context.Context) (*kgo.Client, error) {
	call, cancel := t.log.bound(ctx)
	defer cancel()
	for {
		client, err := t.take(call)
		if err == nil {
			return client, nil
		}
		if !errors.Is(err, errOvertaken) || call.Err() != nil {
			return nil, t.log.ended(fmt.Errorf("change topic %s: %w", t.log.topic, err))
		}
	}
}

func (t *Table) take(ctx context.Context) (*kgo.Client, error) {
	client, err := t.cluster.acquire(ctx, t.cluster.opt.Prefix+"-"+t.name, places([]*kgo.Record{t.record("", nil)}))
	switch {
	case err != nil && overtaken(err):
		return nil, errOvertaken
	case err != nil:
		return nil, err
	}
	if err := t.cluster.settled(ctx, t.log.life, t.name, 0); err != nil {
		client.Close()
		return nil, err
	}
	if err := t.Ready(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// resolve finds out whether a change is there whose outcome the brokers did not tell, or that cannot be read: who begins anew ends it.
func (t *Table) resolve(ctx context.Context, by string, cause error) error {
	client, err := t.begin(ctx)
	if err != nil {
		return fmt.Errorf("%w: it is not known what has become of the change: %w", stream.ErrUncertain, errors.Join(cause, err))
	}
	client.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mine[by] > 0 {
		return nil
	}
	if overtaken(cause) {
		return errOvertaken
	}
	if errors.Is(cause, kerr.MessageTooLarge) {
		cause = fmt.Errorf("%w; raise the topic's max.message.bytes to %d", cause, maxValue+overhead)
	}
	return fmt.Errorf("change topic %s: %w", t.log.topic, cause)
}
