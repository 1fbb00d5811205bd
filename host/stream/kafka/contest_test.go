package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka/kafkatest"
)

// contestant opens a partition again and again, and counts on from what it finds there.
type contestant struct {
	t       *testing.T
	cluster *Cluster
	random  *rand.Rand
	log     func(format string, args ...any)
}

func (c *contestant) run(over <-chan struct{}) {
	for {
		select {
		case <-over:
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		s, err := c.cluster.Open(ctx, 0)
		cancel()
		if err != nil {
			c.log("opens not: %v", err)
			continue
		}
		c.hold(s)
		s.Close()
		<-time.After(time.Duration(c.random.Int64N(int64(500 * time.Millisecond))))
	}
}

// hold commits for a while, as a runner does: what fails is tried again.
func (c *contestant) hold(s *Store) {
	text, err := s.State(context.Background(), "n")
	if err != nil {
		c.t.Error(err)
		return
	}
	n, _ := strconv.Atoi(string(text))
	c.log("%s begins behind %d, changelog to %d", s.process[:4], n, s.changedTo)
	end := time.Now().Add(time.Duration(c.random.Int64N(int64(2 * time.Second))))
	for time.Now().Before(end) {
		ctx, cancel := context.WithTimeout(context.Background(), s.cluster.opt.Timeout)
		err := s.Commit(ctx, work(n+1))
		cancel()
		switch {
		case err == nil:
			n++
		case errors.Is(err, stream.ErrBroken):
			c.log("%s: %d is broken: %v", s.process[:4], n+1, err)
			return
		default:
			c.log("%s: %d fails: %v", s.process[:4], n+1, err)
			<-time.After(50 * time.Millisecond)
		}
	}
	c.log("%s ends with %d", s.process[:4], n)
}

// TestContest: hosts take a partition from each other all the time, over ways that are cut, from a broker that is killed. Each counts on from
// the state that it finds: every number is there once, in order. SANDBAR_CONTEST says for how many seconds.
func TestContest(t *testing.T) {
	t.Parallel()
	const hosts = 3
	broker := kafkatest.RealVia(t, hosts)
	opt := optionsOf(t, []string{broker.Addr})
	length := 10 * time.Second
	if s := os.Getenv("SANDBAR_CONTEST"); s != "" {
		seconds, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		length = time.Duration(seconds) * time.Second
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	var said []string
	began := time.Now()
	log := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprintf("%7.3f ", time.Since(began).Seconds())+fmt.Sprintf(format, args...))
	}
	over := make(chan struct{})
	var running sync.WaitGroup
	for i, way := range broker.Via {
		own := opt
		own.Brokers, own.Timeout = []string{way.Addr}, 2*time.Second
		cluster, err := Connect(t.Context(), own)
		if err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		c := &contestant{t: t, cluster: cluster, random: rand.New(rand.NewPCG(seed, uint64(i))), log: func(format string, args ...any) { log(fmt.Sprint("host ", i, ": ", format), args...) }}
		running.Go(func() { c.run(over) })
	}
	random := rand.New(rand.NewPCG(seed, hosts))
	pause := func(most time.Duration) { <-time.After(time.Duration(random.Int64N(int64(most)))) }
	for end := time.Now().Add(length); time.Now().Before(end); {
		pause(time.Second)
		if random.IntN(8) == 0 {
			log("the broker dies")
			broker.Kill()
			pause(time.Second)
			broker.Start()
			log("the broker is back")
			continue
		}
		way := random.IntN(hosts)
		log("way %d is cut", way)
		broker.Via[way].Cut()
		pause(100 * time.Millisecond << random.IntN(6)) // mostly for a moment, sometimes for longer than a call may take
		broker.Via[way].Mend()
		log("way %d is mended", way)
	}
	close(over)
	running.Wait()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{opt.topic(stream.Valid): {0: kgo.NewOffset().AtStart()}}), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	last := open(t, opt)
	defer last.Close()
	text, _ := last.State(t.Context(), "n")
	most, _ := strconv.Atoi(string(text))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for want := 1; want <= most; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if got := string(r.Value); got != fmt.Sprint(want) && !t.Failed() {
				t.Errorf("at offset %d there is %s, want %d; producer %d, epoch %d, %s", r.Offset, got, want, r.ProducerID, r.ProducerEpoch, r.Timestamp.Sub(began))
				mu.Lock()
				for _, line := range said {
					t.Log(line)
				}
				mu.Unlock()
			}
			want++
		})
	}
	t.Logf("counted to %d", most)
}

// deaths is how often a broker is killed: SANDBAR_DEATHS, or twice.
func deaths(t *testing.T) int {
	s := os.Getenv("SANDBAR_DEATHS")
	if s == "" {
		return 2
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// openAgain opens a partition as a host does: again, when who had it asks for the outcome of its commit at the same time.
func openAgain(t *testing.T, opt Options) *Store {
	t.Helper()
	for range 20 {
		s, err := Open(t.Context(), opt, 0)
		if err == nil {
			return s
		}
		if !isFenced(err) {
			t.Fatal(err)
		}
		t.Logf("opened again: %v", err)
		<-time.After(100 * time.Millisecond)
	}
	t.Fatal("somebody else takes the partition again and again")
	return nil
}

// TestBrokerDiesInCommit: a broker is killed while somebody commits, who is gone when it is back. Whoever takes the partition over finds all of
// that commit or nothing, and does not make it true later.
func TestBrokerDiesInCommit(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Real(t)
	opt := optionsOf(t, []string{broker.Addr})
	next := func(s *Store) int {
		text, err := s.State(t.Context(), "n")
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(string(text))
		return n + 1
	}
	for i := range deaths(t) {
		a := open(t, opt)
		for range 3 {
			if err := a.Commit(t.Context(), work(next(a))); err != nil {
				t.Fatal(err)
			}
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			a.Commit(context.Background(), work(next(a))) // nobody knows what becomes of it
		}()
		<-time.After(time.Duration(i%10) * 2 * time.Millisecond)
		broker.Kill()
		broker.Start()
		b := openAgain(t, opt)
		if err := b.Commit(t.Context(), work(next(b))); err != nil && !errors.Is(err, stream.ErrBroken) { // the other may have taken it back
			t.Fatal(err)
		}
		a.finish()
		<-over
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	}
	last := open(t, opt)
	defer last.Close()
	var want []int
	for n := range next(last) - 1 {
		want = append(want, n+1)
	}
	if holds(t, last, want...); t.Failed() {
		dump(t, opt, 0)
	}
	t.Logf("counted to %d", len(want))
}
