package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"sandbar/host/stream"
	"sandbar/host/stream/streamtest"
)

var prefixes atomic.Int64

// optionsOf are those of new topics.
func optionsOf(t testing.TB, brokers []string) Options {
	t.Helper()
	opt := Options{Brokers: brokers, Prefix: fmt.Sprintf("test%d", prefixes.Add(1)), MaxMessage: streamtest.MaxMessage, Timeout: 10 * time.Second,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	if err := Create(context.Background(), opt, 2, 1); err != nil {
		t.Fatal(err)
	}
	return opt
}

func fake(t testing.TB) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

func open(t testing.TB, opt Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) {
	t.Parallel()
	brokers := fake(t)
	streamtest.Run(t, func(t *testing.T) func() stream.Store {
		opt := optionsOf(t, brokers)
		opt.Partition = 1
		return func() stream.Store { return open(t, opt) }
	})
}
