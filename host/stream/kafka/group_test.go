package kafka

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"sandbar/host/stream"
)

// member is a host as far as the group is concerned: it opens what it is to hold, and commits until it loses it.
type member struct {
	t     *testing.T
	c     *Cluster
	g     *Group
	stop  context.CancelFunc
	ended chan struct{}

	mu   sync.Mutex
	held map[int32]*Store
	came int
}

func join(t *testing.T, opt Options) *member {
	t.Helper()
	c, err := Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	m := &member{t: t, c: c, held: map[int32]*Store{}, ended: make(chan struct{})}
	if m.g, err = c.Join(m.hold); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = sync.OnceFunc(func() { cancel(); <-m.ended; c.Close() })
	go func() {
		defer close(m.ended)
		m.g.Run(ctx, func(err error) { t.Log(err) })
	}()
	t.Cleanup(m.stop)
	return m
}

func (m *member) hold(ctx context.Context, partition int32) {
	s, err := m.c.Open(ctx, partition)
	if err != nil {
		m.t.Errorf("partition %d: %v", partition, err)
		return
	}
	m.mu.Lock()
	m.held[partition] = s
	m.came++
	m.mu.Unlock()
	for n := 0; ctx.Err() == nil; n++ {
		c := &stream.Commit{Appends: map[string][][]byte{stream.Valid: {fmt.Appendf(nil, "%d", n)}}}
		if err := s.Commit(context.WithoutCancel(ctx), c); err != nil { // while it is held nobody else may take it over
			m.t.Errorf("partition %d: %v", partition, err)
			break
		}
	}
	m.mu.Lock()
	delete(m.held, partition)
	m.mu.Unlock()
	s.Close()
}

func (m *member) holds() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.held)
}

// TestGroup: hosts share the partitions; one that comes gets some and one that ends gives its own to the others. A partition is let
// go by one before another has it: no commit is ever fenced.
func TestGroup(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, brokers []string) {
		opt := Options{Brokers: brokers, Prefix: "group", Timeout: 10 * time.Second, Now: time.Now, Logger: quiet()}
		if err := Create(t.Context(), opt, 6, 1); err != nil {
			t.Fatal(err)
		}
		share := func(want int, members ...*member) {
			t.Helper()
			deadline := time.NewTimer(30 * time.Second)
			defer deadline.Stop()
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for {
				ready := true
				var all []int
				for _, m := range members {
					all = append(all, m.holds())
					ready = ready && m.holds() == want
				}
				if ready {
					return
				}
				select {
				case <-tick.C:
				case <-deadline.C:
					t.Fatalf("the members hold %v partitions, want %d each", all, want)
				}
			}
		}
		a := join(t, opt)
		share(6, a)
		b := join(t, opt)
		share(3, a, b)
		c := join(t, opt)
		share(2, a, b, c)
		if a.came != 6 || b.came != 3 || c.came != 2 {
			t.Errorf("partitions came %d, %d and %d times; a balance moves only what it must", a.came, b.came, c.came)
		}
		a.stop()
		share(3, b, c)
		b.stop()
		share(6, c)
	})
}
