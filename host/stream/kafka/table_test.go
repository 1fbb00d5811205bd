package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka/kafkatest"
)

// replica is a host's copy of a table.
type replica struct {
	*Table
	mu  sync.Mutex
	has map[string]string
}

func newReplica(t *testing.T, opt Options, name string) *replica {
	t.Helper()
	c, err := Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{Table: c.Table(name), has: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- r.Follow(ctx, func(e Entry) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.has[e.Key] = string(e.Value); e.Value == nil {
				delete(r.has, e.Key)
			}
			if e.Time.IsZero() {
				t.Error("an entry has no time")
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.Close()
	})
	return r
}

func (r *replica) get(key string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.has[key]
}

func (r *replica) all() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.has)
}

// add counts a key up by one.
func (r *replica) add(ctx context.Context, key string) error {
	return r.Change(ctx, func() ([]Entry, error) {
		n, _ := strconv.Atoi(r.get(key))
		if before := r.get("before " + key); n > 0 && before != strconv.Itoa(n-1) {
			return nil, fmt.Errorf("beside %d there is %q", n, before)
		}
		return []Entry{{Key: "before " + key, Value: strconv.AppendInt(nil, int64(n), 10)}, {Key: key, Value: strconv.AppendInt(nil, int64(n+1), 10)}}, nil
	})
}

// TestTable: hosts that change a table at the same time see each other's changes before their own: counting up loses none.
func TestTable(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, brokers []string) {
		opt := optionsOf(t, brokers)
		replicas := []*replica{newReplica(t, opt, Control), newReplica(t, opt, Control), newReplica(t, opt, Control)}
		var hosts sync.WaitGroup
		for _, r := range replicas {
			hosts.Go(func() {
				for range 5 {
					if err := r.add(t.Context(), "n"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		hosts.Wait()
		refused := errors.New("refused")
		if err := replicas[0].Change(t.Context(), func() ([]Entry, error) { return []Entry{{Key: "n"}}, refused }); !errors.Is(err, refused) {
			t.Errorf("a change that was refused: %v", err)
		}
		if err := replicas[0].Put(t.Context(), "other", []byte("x")); err != nil {
			t.Fatal(err)
		}
		late := newReplica(t, opt, Control)
		for _, r := range append(replicas, late) {
			if err := r.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := r.all(); !maps.Equal(got, map[string]string{"n": "15", "before n": "14", "other": "x"}) {
				t.Errorf("a host has %v", got)
			}
		}
		if err := late.Change(t.Context(), func() ([]Entry, error) { return []Entry{{Key: "big", Value: make([]byte, maxValue)}}, nil }); err != nil {
			t.Errorf("the largest value: %v", err)
		}
		if err := late.Change(t.Context(), func() ([]Entry, error) { return []Entry{{Key: "big", Value: make([]byte, maxValue+1)}}, nil }); err == nil {
			t.Error("a value that is too large was taken")
		}
	})
}

// TestTableLostAnswer: the brokers do not say what has become of a change. It is there or not, and Change tells which.
func TestTableLostAnswer(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{true, false} {
		t.Run(fmt.Sprint(done), func(t *testing.T) {
			t.Parallel()
			c := kafkatest.Fake(t)
			opt := optionsOf(t, c.ListenAddrs())
			opt.Timeout = 2 * time.Second
			r := newReplica(t, opt, Control)
			if err := r.add(t.Context(), "n"); err != nil {
				t.Fatal(err)
			}
			var lost atomic.Int64
			silent := time.Now().Add(3 * time.Second)
			c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				if lost.Add(1) == 2 && done || time.Now().After(silent) {
					return nil, nil, false
				}
				if lost.Load() == 1 && done {
					endElsewhere(opt, req.(*kmsg.EndTxnRequest))
				}
				return nil, errors.New("cut"), true
			})
			err := r.add(t.Context(), "n")
			if (err == nil) != done {
				t.Errorf("the change is there: %v; told %v", done, err)
			}
			<-time.After(time.Until(silent))
			want := "2"
			if done {
				want = "3"
			}
			if err := r.add(t.Context(), "n"); err != nil || r.get("n") != want {
				t.Errorf("then it is %q, %v; want %s", r.get("n"), err, want)
			}
		})
	}
}

func TestTableTopics(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
	client, err := kgo.NewClient(kgo.SeedBrokers(opt.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreatePartitions(t.Context(), 1, opt.topic(Control)); err != nil {
		t.Fatal(err)
	}
	if _, err := Connect(t.Context(), opt); err == nil || !strings.Contains(err.Error(), "must have one") {
		t.Errorf("connected: %v", err)
	}
}

// TestBrokerDiesInChange: a broker is killed while a host changes a table. What the host is told is so, and it stays so: a change that has
// failed does not become true with the next one.
func TestBrokerDiesInChange(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Real(t)
	opt := optionsOf(t, []string{broker.Addr})
	replicas := []*replica{newReplica(t, opt, Control), newReplica(t, opt, Control)}
	certain, doubtful := 0, 0
	count := func(err error) {
		switch {
		case err == nil:
			certain++
		case errors.Is(err, stream.ErrUncertain):
			doubtful++
		default:
			t.Logf("told as failed: %v", err)
		}
	}
	for i := range deaths(t) {
		for _, r := range replicas {
			if err := r.add(t.Context(), "n"); err != nil {
				t.Fatal(err)
			}
			certain++
		}
		first, other := replicas[i%2], replicas[1-i%2]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // it hears of it before the broker is back
		result := make(chan error)
		go func() { result <- first.add(ctx, "n") }()
		<-time.After(time.Duration(i%20) * 4 * time.Millisecond)
		broker.Kill()
		if i%3 == 0 {
			count(<-result)
			broker.Start()
		} else {
			broker.Start()
			count(<-result)
		}
		cancel()
		if err := other.add(t.Context(), "n"); err != nil {
			t.Fatal(err)
		}
		certain++
		n, _ := strconv.Atoi(other.get("n"))
		if n < certain || n > certain+doubtful {
			t.Fatalf("after %d deaths the table says %d; %d changes were told as done, %d as uncertain", i+1, n, certain, doubtful)
		}
		certain, doubtful = n, 0
	}
	t.Logf("counted to %d", certain)
}
