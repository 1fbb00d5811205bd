package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka/kafkatest"
)

// work is a commit that has all there is.
func work(n int) *stream.Commit {
	text := []byte(fmt.Sprint(n))
	return &stream.Commit{Appends: map[string][][]byte{stream.Valid: {text}, stream.Derived: {text, text}}, States: map[string][]byte{"n": text},
		Positions: map[string]map[string]stream.Position{"r": {stream.Errors: {}}}}
}

// holds compares a store with the commits of work that it should have.
func holds(t *testing.T, s *Store, want ...int) {
	t.Helper()
	for name, times := range map[string]int{stream.Valid: 1, stream.Derived: 2} {
		r, err := s.Log(name).NewReader(stream.Position{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var got, expected []string
		for {
			var b stream.Batch
			if err := r.Read(&b, 100); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			for _, m := range b.Messages {
				got = append(got, string(m))
			}
		}
		for _, n := range want {
			for range times {
				expected = append(expected, fmt.Sprint(n))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(expected) {
			t.Errorf("stream %s has %v, want %v", name, got, expected)
		}
	}
	state, err := s.State(t.Context(), "n")
	last := ""
	if len(want) > 0 {
		last = fmt.Sprint(want[len(want)-1])
	}
	if err != nil || string(state) != last {
		t.Errorf("the state is %q, %v; want %q", state, err, last)
	}
}

// fenced: who opens a partition takes it over. The one before can read on, and write no more, and nothing of what it tries
// is ever there.
func fenced(t *testing.T, brokers []string) {
	opt := optionsOf(t, brokers)
	before := open(t, opt)
	defer before.Close()
	if err := before.Commit(t.Context(), work(1)); err != nil {
		t.Fatal(err)
	}
	after := open(t, opt)
	defer after.Close()
	for range 2 {
		if err := before.Commit(t.Context(), work(2)); !errors.Is(err, stream.ErrBroken) || !strings.Contains(err.Error(), "taken this partition over") {
			t.Errorf("the zombie's commit: %v", err)
		}
	}
	if before.Writable() == nil {
		t.Error("the zombie believes that it can write")
	}
	holds(t, after, 1)
	if err := after.Commit(t.Context(), work(3)); err != nil {
		t.Fatal(err)
	}
	holds(t, after, 1, 3)
	holds(t, open(t, opt), 1, 3)
}

// TestTakenBack: one that took a partition over and lost it again does not go on from what it read then, when the other has committed
// since; and it does not fence that one.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, brokers []string) {
		opt := optionsOf(t, brokers)
		cause := errors.New("a broker's error that does not say that another has the partition")
		a := open(t, opt)
		defer a.Close()
		if err := a.Commit(t.Context(), work(1)); err != nil {
			t.Fatal(err)
		}
		b := open(t, opt)
		defer b.Close()
		if err := a.renew(t.Context(), cause); err != nil { // nobody has committed since: it may
			t.Fatal(err)
		}
		if err := a.Commit(t.Context(), work(2)); err != nil {
			t.Fatal(err)
		}
		for {
			last, err := b.lastMark(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if string(last) == string(a.mark) { // brokers say that a transaction is committed a moment before it can be read
				break
			}
		}
		if err := b.renew(t.Context(), cause); !errors.Is(err, errTaken) || !errors.Is(b.Writable(), stream.ErrBroken) {
			t.Errorf("it goes on from an old state: %v", err)
		}
		if err := a.Commit(t.Context(), work(3)); err != nil {
			t.Errorf("who has the partition was fenced: %v", err)
		}
		holds(t, open(t, opt), 1, 2, 3)
	})
}

// TestLostAnswer: the brokers do not say what has become of a transaction. The commit does not return before that is known, and
// it is once there or not at all.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{true, false} {
		t.Run(fmt.Sprint(done), func(t *testing.T) {
			t.Parallel()
			c := kafkatest.Fake(t)
			opt := optionsOf(t, c.ListenAddrs())
			opt.Timeout = 2 * time.Second
			s := open(t, opt)
			defer s.Close()
			if err := s.Commit(t.Context(), work(1)); err != nil {
				t.Fatal(err)
			}
			var lost atomic.Int64
			silent := time.Now().Add(4 * time.Second)
			c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				elsewhere := lost.Add(1) == 2 && done // carried out, and nobody hears of it
				if elsewhere || time.Now().After(silent) {
					return nil, nil, false
				}
				if lost.Load() == 1 && done {
					endElsewhere(opt, req.(*kmsg.EndTxnRequest))
				}
				return nil, errors.New("cut"), true
			})
			c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				if time.Now().Before(silent) {
					return nil, errors.New("cut"), true
				}
				return nil, nil, false
			})
			err := s.Commit(t.Context(), work(2))
			if (err == nil) != done || errors.Is(err, stream.ErrBroken) {
				t.Fatalf("the transaction is there: %v; the commit returns %v", done, err)
			}
			want := []int{1, 3}
			if done {
				want = []int{1, 2, 3}
			}
			if err := s.Commit(t.Context(), work(3)); err != nil {
				t.Fatal(err)
			}
			holds(t, s, want...)
			holds(t, open(t, opt), want...)
		})
	}
}

// endElsewhere ends a transaction as its client would, on another connection. It does not wait.
func endElsewhere(opt Options, in *kmsg.EndTxnRequest) {
	again := *in
	go func() {
		client, err := opt.client()
		if err != nil {
			return
		}
		defer client.Close()
		again.RequestWith(context.Background(), client)
	}()
}

// TestCloseWhileUncertain: Close does not wait for brokers that do not come back.
func TestCloseWhileUncertain(t *testing.T) {
	t.Parallel()
	c := kafkatest.Fake(t)
	opt := optionsOf(t, c.ListenAddrs())
	opt.Timeout = time.Second
	s := open(t, opt)
	for _, key := range []int16{int16(kmsg.EndTxn), int16(kmsg.InitProducerID)} {
		c.ControlKey(key, func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			return nil, errors.New("cut"), true
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Commit(context.Background(), work(1)) }()
	select {
	case err := <-ended:
		t.Fatalf("the commit returned %v", err)
	case <-time.After(3 * time.Second):
	}
	began := time.Now()
	s.Close()
	if err := <-ended; !errors.Is(err, stream.ErrBroken) || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// TestRefusedByBrokers: when a topic refuses records, nothing of the commit is there, and the next one goes on.
func TestRefusedByBrokers(t *testing.T) {
	t.Parallel()
	c := kafkatest.Fake(t)
	opt := optionsOf(t, c.ListenAddrs())
	s := open(t, opt)
	defer s.Close()
	if err := s.Commit(t.Context(), work(1)); err != nil {
		t.Fatal(err)
	}
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		in := req.(*kmsg.ProduceRequest)
		out := in.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range in.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.MessageTooLarge.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			out.Topics = append(out.Topics, rt)
		}
		return out, nil, true
	})
	if err := s.Commit(t.Context(), work(2)); !errors.Is(err, stream.ErrTooLarge) || !strings.Contains(err.Error(), "max.message.bytes") {
		t.Fatalf("the error is %v", err)
	}
	holds(t, s, 1)
	if err := s.Commit(t.Context(), work(3)); err != nil {
		t.Fatal(err)
	}
	holds(t, s, 1, 3)
	holds(t, open(t, opt), 1, 3)
}

// largeStates: a state is cut into records, grows, shrinks and goes, over restarts.
func largeStates(t *testing.T, brokers []string) {
	opt := optionsOf(t, brokers)
	for i, size := range []int{3*chunkBytes + 7, 5 * chunkBytes, 1, chunkBytes, 0, -1, 2 * chunkBytes} {
		var want []byte
		if size >= 0 {
			want = bytes.Repeat([]byte{byte(i + 1)}, size)
		}
		s := open(t, opt)
		if err := s.Commit(t.Context(), &stream.Commit{States: map[string][]byte{"a": want, "a/0": []byte("other")}}); err != nil {
			t.Fatal(err)
		}
		s.Close()
		s = open(t, opt)
		got, err := s.State(t.Context(), "a")
		other, _ := s.State(t.Context(), "a/0")
		if err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) || string(other) != "other" {
			t.Errorf("step %d: %d bytes, want %d; other %q, %v", i, len(got), size, other, err)
		}
		s.Close()
	}
}

// TestHole: a changelog that lacks a part of a state is an error, not a state that begins anew.
func TestHole(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]*kgo.Record{
		"a part is missing":   {Key: []byte("state/a/1")},
		"a part is another's": {Key: []byte("state/a/1"), Value: []byte(`{"chunks":3,"sum":1}` + "\nx")},
		"no JSON":             {Key: []byte("state/a/0"), Value: []byte("x")},
		"a foreign key":       {Key: []byte("something"), Value: []byte("x")},
		"odd positions":       {Key: []byte("reader/r"), Value: []byte(`{"raw":-1}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
			s := open(t, opt)
			if err := s.Commit(t.Context(), &stream.Commit{States: map[string][]byte{"a": make([]byte, 3*chunkBytes)}}); err != nil {
				t.Fatal(err)
			}
			r := s.changelogRecord(string(damage.Key), damage.Value)
			if err := s.cluster.appends.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			s.Close()
			_, err := Open(t.Context(), opt, 0)
			if err == nil || !strings.Contains(err.Error(), "states and positions") {
				t.Errorf("opened: %v", err)
			}
		})
	}
}

// TestTopics: topics that are missing, or that would lose something, are an error that says which and what.
func TestTopics(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(t *testing.T, admin *kadm.Client, opt *Options) error{
		"UNKNOWN_TOPIC_OR_PARTITION": func(t *testing.T, admin *kadm.Client, opt *Options) error {
			_, err := admin.DeleteTopics(t.Context(), opt.topic(stream.Errors))
			return err
		},
		"must have the same": func(t *testing.T, admin *kadm.Client, opt *Options) error {
			_, err := admin.CreatePartitions(t.Context(), 1, opt.topic(stream.Valid))
			return err
		},
		"none of number 7": func(*testing.T, *kadm.Client, *Options) error { return nil },
		"cleanup.policy": func(t *testing.T, admin *kadm.Client, opt *Options) error {
			return set(t, admin, opt.topic(Changelog), "cleanup.policy", "delete")
		},
		"at least": func(t *testing.T, admin *kadm.Client, opt *Options) error {
			return set(t, admin, opt.topic(stream.Raw), "max.message.bytes", "1000")
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
			client, err := opt.client()
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := change(t, kadm.NewClient(client), &opt); err != nil {
				t.Fatal(err)
			}
			opt.Timeout = 3 * time.Second
			partition := int32(1)
			if want == "none of number 7" {
				partition = 7
			}
			s, err := Open(t.Context(), opt, partition)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("opened: %v", err)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		began := time.Now()
		_, err := Open(t.Context(), Options{Brokers: []string{"127.0.0.1:1"}, Timeout: time.Second, Now: time.Now}, 0)
		if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || time.Since(began) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func set(t *testing.T, admin *kadm.Client, topic, key, value string) error {
	t.Helper()
	_, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, topic)
	return err
}

// FuzzChangelog: whatever the changelog holds, it is read or refused.
func FuzzChangelog(f *testing.F) {
	f.Add("state/a/0", []byte(`{"chunks":2,"sum":0}`+"\nab"), "state/a/1", []byte(`{"chunks":2,"sum":0}`+"\n"))
	f.Add("reader/x", []byte(`{"raw":1,"valid":2}`), "state/", []byte(nil))
	f.Add("state/0", []byte("0"), "0", []byte("0"))
	f.Add("state/a/0", []byte(`{"chunks":99999999999}`), "x", []byte(`{}`))
	f.Fuzz(func(t *testing.T, key1 string, value1 []byte, key2 string, value2 []byte) {
		s := &Store{readers: map[string]map[string]stream.Position{}, states: map[string][]byte{}, chunks: map[string]int{}}
		if s.rebuild(map[string][]byte{key1: value1, key2: value2}) != nil {
			return
		}
		for name, state := range s.states {
			if len(state) > len(value1)+len(value2) || s.chunks[name] < 1 {
				t.Errorf("state %q has %d bytes in %d chunks", name, len(state), s.chunks[name])
			}
		}
	})
}

// TestTaker: what was spilled is taken over once, whatever becomes of answers and processes.
func TestTaker(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
	opt.Key = func([]byte) []byte { return []byte("one") }
	s := open(t, opt)
	id, other := stream.ID{1}, stream.ID{2}
	place := func(n int64) stream.Position { return stream.Position{Segment: 3, Offset: n} }
	want := func(taker *Taker, n int64) {
		t.Helper()
		at, err := taker.TakenOver(t.Context())
		if err != nil || n > 0 && at != place(n) || n == 0 && at != (stream.Position{}) {
			t.Errorf("taken over up to %s, %v; want %d", at, err, n)
		}
	}
	taker := s.cluster.Taker(id)
	if err := taker.TakeOver(t.Context(), place(1), [][]byte{[]byte("x")}); err == nil {
		t.Error("taken over before it is known how far")
	}
	want(taker, 0)
	if err := taker.TakeOver(t.Context(), place(1), [][]byte{[]byte("a"), []byte("b")}); err != nil {
		t.Fatal(err)
	}
	want(taker, 1)
	zombie := taker
	taker = s.cluster.Taker(id) // as another process would
	want(taker, 1)
	if err := zombie.TakeOver(t.Context(), place(2), [][]byte{[]byte("twice")}); err == nil {
		t.Error("a zombie takes over")
	}
	if err := taker.TakeOver(t.Context(), place(2), [][]byte{[]byte("c")}); err != nil {
		t.Fatal(err)
	}
	want(s.cluster.Taker(other), 0)
	s.Close()
	s = open(t, opt) // the changelog has keys that are not the store's
	defer s.Close()
	want(s.cluster.Taker(id), 2)
	var b stream.Batch
	partition := s.cluster.submissions([][]byte{{}})[0].Partition
	logs, err := s.cluster.Logs(t.Context(), stream.Raw)
	if err != nil {
		t.Fatal(err)
	}
	r, err := logs[partition].NewReader(stream.Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for r.Read(&b, 1<<20) == nil {
		for _, m := range b.Messages {
			got = append(got, string(m))
		}
	}
	if fmt.Sprint(got) != "[a b c]" {
		t.Errorf("raw has %v", got)
	}
}

// TestSilentBrokers: what is there and is not given is an error after a moment, not the end of the log; and it is given later.
func TestSilentBrokers(t *testing.T) {
	t.Parallel()
	c := kafkatest.Fake(t)
	opt := optionsOf(t, c.ListenAddrs())
	s := open(t, opt)
	defer s.Close()
	if err := s.Commit(t.Context(), work(1)); err != nil {
		t.Fatal(err)
	}
	var silent atomic.Bool
	silent.Store(true)
	c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if silent.Load() {
			return nil, errors.New("cut"), true
		}
		return nil, nil, false
	})
	r, err := s.Log(stream.Valid).NewReader(stream.Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b stream.Batch
	for range 2 {
		began := time.Now()
		if err := r.Read(&b, 100); !errors.Is(err, stream.ErrUnavailable) || time.Since(began) > 3*giveTime {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
	}
	silent.Store(false)
	for err = r.Read(&b, 100); errors.Is(err, stream.ErrUnavailable); err = r.Read(&b, 100) {
	}
	if err != nil || len(b.Messages) != 1 || string(b.Messages[0]) != "1" {
		t.Errorf("read %q, %v", b.Messages, err)
	}
}

// TestBomb: a foreign record that grows without end when it is decompressed is not decompressed.
func TestBomb(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
	s := open(t, opt)
	defer s.Close()
	client, err := opt.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(64<<20), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	bomb := &kgo.Record{Topic: opt.topic(stream.Raw), Value: make([]byte, 32<<20)}
	if err := client.ProduceSync(t.Context(), bomb).FirstErr(); err != nil {
		t.Skipf("the broker in the process takes no such record: %v", err)
	}
	r, err := s.Log(stream.Raw).NewReader(stream.Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := r.Wait(ctx); !errors.Is(err, stream.ErrUnavailable) || !strings.Contains(err.Error(), "decompress") {
		t.Errorf("the error is %v", err)
	}
}

// TestTakerBesideOthers: a transaction of another host that is not ended hides what is behind it. How far a local log was taken over is
// not told before it can be known: an older place would have messages taken twice.
func TestTakerBesideOthers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, brokers []string) {
		opt := optionsOf(t, brokers)
		s := open(t, opt)
		defer s.Close()
		dying, err := opt.transactional("dying")
		if err != nil {
			t.Fatal(err)
		}
		defer dying.Close()
		err = dying.BeginTransaction()
		if err == nil {
			err = dying.ProduceSync(t.Context(), &kgo.Record{Topic: opt.topic(Spilled), Key: []byte("other"), Value: []byte("0:0")}).FirstErr()
		}
		if err != nil {
			t.Fatal(err)
		}
		id, place := stream.ID{1}, stream.Position{Offset: 7}
		taker := s.cluster.Taker(id)
		if err := taker.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := taker.TakeOver(t.Context(), place, [][]byte{[]byte("a")}); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if at, err := s.cluster.Taker(id).TakenOver(short); err == nil {
			t.Errorf("taken over up to %s, which is not so", at)
		}
		if err := dying.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		if at, err := s.cluster.Taker(id).TakenOver(t.Context()); err != nil || at != place {
			t.Errorf("taken over up to %s, %v", at, err)
		}
	})
}
