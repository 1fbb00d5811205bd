package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka/kafkatest"
)

// between acts once, when it is armed, between the answer to the last record of a transaction and its end.
type between struct {
	act     func()
	armed   atomic.Bool
	waiting atomic.Int64
	acted   atomic.Bool
	decided chan struct{} // closed when it has acted and the broker has said that the transaction is ended
}

func (b *between) OnProduceRecordBuffered(*kgo.Record) { b.waiting.Add(1) }

func (b *between) OnProduceRecordUnbuffered(*kgo.Record, error) {
	if b.waiting.Add(-1) == 0 && b.armed.CompareAndSwap(true, false) {
		b.act()
		b.acted.Store(true)
	}
}

func (b *between) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.EndTxn) && err == nil && b.acted.CompareAndSwap(true, false) {
		close(b.decided)
	}
}

// said keeps what is logged.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Contains(s.text.Bytes(), []byte(text))
}

// forgetful is a broker that dies between noting that a transaction is committed and ending it in its partitions, and is back before its
// session has ended. It then forgets to end it, unless KAFKA-20734 is mended in it.
type forgetful struct {
	*kafkatest.Broker
	between
	said
	Options
}

func newForgetful(t *testing.T) *forgetful {
	f := &forgetful{Broker: kafkatest.RealInner(t)}
	f.act, f.decided = f.Via[0].Cut, make(chan struct{})
	f.Options = optionsOf(t, []string{f.Addr})
	f.Options.Logger = slog.New(slog.NewTextHandler(&f.said, nil))
	f.Options.Client = append(f.Options.Client, kgo.WithHooks(&f.between))
	return f
}

func (f *forgetful) dies(t *testing.T) {
	select {
	case <-f.decided:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was decided")
	}
	f.Kill()
	f.Via[0].Mend()
	f.Start()
}

func (f *forgetful) tell(t *testing.T) {
	t.Logf("the broker has forgotten to end a transaction: %v", f.has("have not ended a transaction everywhere"))
}

// TestForgottenCommit: a commit that was told as done stays so, for who made it and for a successor, though a broker that died has
// forgotten to end it.
func TestForgottenCommit(t *testing.T) {
	t.Parallel()
	for _, lives := range []bool{true, false} {
		t.Run(fmt.Sprintf("lives=%v", lives), func(t *testing.T) {
			t.Parallel()
			f := newForgetful(t)
			a := open(t, f.Options)
			if err := a.Commit(t.Context(), work(1)); err != nil {
				t.Fatal(err)
			}
			f.armed.Store(true)
			if err := a.Commit(t.Context(), work(2)); err != nil {
				t.Fatal(err)
			}
			f.dies(t)
			if !lives {
				if err := a.Close(); err != nil {
					t.Fatal(err)
				}
				a = open(t, f.Options)
				if text, err := a.State(t.Context(), "n"); err != nil || string(text) != "2" {
					t.Errorf("the state is %q, %v", text, err)
				}
			}
			if err := a.Commit(t.Context(), work(3)); err != nil {
				t.Fatal(err)
			}
			if holds(t, a, 1, 2, 3); t.Failed() {
				dump(t, f.Options, 0)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			f.tell(t)
		})
	}
}

// TestForgottenChange: the same of a table.
func TestForgottenChange(t *testing.T) {
	t.Parallel()
	f := newForgetful(t)
	one, other := newReplica(t, f.Options, Control), newReplica(t, f.Options, Control)
	if err := one.add(t.Context(), "n"); err != nil {
		t.Fatal(err)
	}
	f.armed.Store(true)
	result := make(chan error)
	go func() { result <- one.add(t.Context(), "n") }()
	f.dies(t)
	if err := <-result; err != nil && !errors.Is(err, stream.ErrUncertain) {
		t.Errorf("a change that is decided: %v", err)
	}
	if err := other.add(t.Context(), "n"); err != nil || other.get("n") != "3" {
		t.Errorf("then it is %q, %v; want 3", other.get("n"), err)
	}
	f.tell(t)
}

// TestForgottenTakeOver: the same of what was spilled.
func TestForgottenTakeOver(t *testing.T) {
	t.Parallel()
	f := newForgetful(t)
	cluster, err := Connect(t.Context(), f.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	taker := cluster.Taker(stream.ID(uuid.New()))
	take := func(n int64) error {
		at, err := taker.TakenOver(t.Context())
		if err != nil {
			return err
		}
		if at.Offset >= n {
			return nil
		}
		return taker.TakeOver(t.Context(), stream.Position{Offset: n}, [][]byte{fmt.Append(nil, n)})
	}
	if err := take(1); err != nil {
		t.Fatal(err)
	}
	f.armed.Store(true)
	if err := take(2); err != nil {
		t.Fatal(err)
	}
	f.dies(t)
	if err := taker.TakeOver(t.Context(), stream.Position{Offset: 3}, [][]byte{[]byte("3")}); err == nil {
		t.Log("the broker has ended all")
	} else if err := take(3); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s", f.Consume(f.topic(stream.Raw), 3)); got != "[1 2 3]" {
		t.Errorf("raw has %s", got)
	}
	f.tell(t)
}

// TestEndAnsweredUnknown: a broker that has just started answers UNKNOWN_SERVER_ERROR when it is asked to end a transaction. It is asked again.
func TestEndAnsweredUnknown(t *testing.T) {
	t.Parallel()
	c := kafkatest.Fake(t)
	opt := optionsOf(t, c.ListenAddrs())
	cluster, err := Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := opt.transactional("left-open")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: opt.topic(stream.Valid), Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	producer, epoch, err := client.ProducerID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in := cluster.wholly(stream.Valid)
	left, err := cluster.open(t.Context(), producer, in)
	if err != nil || len(left) != 1 {
		t.Fatalf("open are %v, %v", left, err)
	}
	var asked atomic.Int64
	c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked.Add(1) > 2 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.UnknownServerError.Code
		return resp, nil, true
	})
	if err := cluster.end(t.Context(), "left-open", producer, epoch, left, false); err != nil || asked.Load() != 3 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
	if left, err := cluster.open(t.Context(), producer, in); err != nil || len(left) != 0 {
		t.Errorf("then open are %v, %v", left, err)
	}
}
