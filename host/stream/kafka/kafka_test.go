package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/host/stream/streamtest"
	"sandbar/host/view"
)

var prefixes atomic.Int64

// optionsOf are those of new topics.
func optionsOf(t testing.TB, brokers []string) Options {
	t.Helper()
	opt := Options{Brokers: brokers, Prefix: fmt.Sprintf("test%d", prefixes.Add(1)), MaxMessage: streamtest.MaxMessage, Timeout: 10 * time.Second,
		Now: time.Now, Logger: quiet()}
	if err := Create(context.Background(), opt, 2, 1); err != nil {
		t.Fatal(err)
	}
	return opt
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t testing.TB, opt Options) *Store { return openPart(t, opt, 0) }

func openPart(t testing.TB, opt Options, partition int32) *Store {
	t.Helper()
	s, err := Open(context.Background(), opt, partition)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFake and TestReal run what is of the contract, in the process and on Apache Kafka.
func TestFake(t *testing.T) {
	t.Parallel()
	contract(t, kafkatest.Fake(t).ListenAddrs())
}

func TestReal(t *testing.T) {
	t.Parallel()
	contract(t, []string{kafkatest.Real(t).Addr})
}

// onBoth runs a test in the process and on Apache Kafka.
func onBoth(t *testing.T, test func(t *testing.T, brokers []string)) {
	t.Run("fake", func(t *testing.T) {
		t.Parallel()
		test(t, kafkatest.Fake(t).ListenAddrs())
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		test(t, []string{kafkatest.Real(t).Addr})
	})
}

func contract(t *testing.T, brokers []string) {
	for name, test := range map[string]func(t *testing.T, brokers []string){"suite": suite, "fenced": fenced, "large states": largeStates} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, brokers)
		})
	}
}

func suite(t *testing.T, brokers []string) {
	streamtest.Run(t, func(t *testing.T) func() stream.Store {
		opt := optionsOf(t, brokers)
		return func() stream.Store { return openPart(t, opt, 1) }
	})
}

// TestKeys: what a commit makes with a key is in the partition of the key, wherever it is committed, and the rest in the commit's own.
func TestKeys(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
	c, err := Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for partition := range int32(2) {
		s, err := c.Open(t.Context(), partition)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		commit := &stream.Commit{Appends: map[string][][]byte{}, Keys: map[string]map[int][]byte{stream.Valid: {}}}
		for i := range 40 {
			commit.Appends[stream.Valid] = append(commit.Appends[stream.Valid], fmt.Appendf(nil, "key %d", i%20))
			commit.Keys[stream.Valid][i] = fmt.Append(nil, i%20)
		}
		commit.Appends[stream.Valid] = append(commit.Appends[stream.Valid], fmt.Appendf(nil, "own %d", partition))
		if err := s.Commit(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	logs, err := c.Logs(t.Context(), stream.Valid)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]map[int]int{} // times by message and partition
	for partition, log := range logs {
		r, err := log.NewReader(stream.Position{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for {
			var b stream.Batch
			if r.Read(&b, 1<<20) != nil {
				break
			}
			for _, m := range b.Messages {
				if at[string(m)] == nil {
					at[string(m)] = map[int]int{}
				}
				at[string(m)][partition]++
			}
		}
	}
	used := map[int]bool{}
	for i := range 20 {
		where := at[fmt.Sprint("key ", i)]
		if len(where) != 1 {
			t.Errorf("key %d is at %v", i, where)
		}
		for p, n := range where {
			if used[p] = true; n != 4 {
				t.Errorf("key %d is there %d times", i, n)
			}
		}
	}
	if len(used) != 2 || at["own 0"][0] != 1 || at["own 1"][1] != 1 || len(at) != 22 {
		t.Errorf("messages are at %v", at)
	}
}

// TestAt: a place on Kafka names the message there, and none where a commit has its marker or nothing is.
func TestAt(t *testing.T) {
	t.Parallel()
	s := open(t, optionsOf(t, kafkatest.Fake(t).ListenAddrs()))
	defer s.Close()
	for n := range 2 {
		if err := s.Commit(t.Context(), work(n+1)); err != nil {
			t.Fatal(err)
		}
	}
	for offset, want := range []string{"1", "", "2", "", ""} { // a record and a marker of each commit
		msg, err := view.At(s.Log(stream.Valid), stream.Position{Offset: int64(offset)})
		if string(msg) != want || errors.Is(err, view.ErrGone) != (want == "") {
			t.Errorf("at %d there is %q, %v; want %q", offset, msg, err, want)
		}
	}
}
