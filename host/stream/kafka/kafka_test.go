package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/host/stream/streamtest"
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
