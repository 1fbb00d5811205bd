package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// The group of the hosts: how soon one that is silent is taken for dead, and how often each says that it lives.
const (
	sessionTime   = 8 * time.Second
	heartbeatTime = time.Second
	releaseTime   = 30 * time.Second // that a host may take to let a partition go
)

// Group is a host's membership in the group that shares the partitions.
type Group struct {
	cluster *Cluster
	client  *kgo.Client
	hold    func(ctx context.Context, partition int32)

	mu   sync.Mutex
	held map[int32]*holding
	left bool
}

// holding is a partition that the host has.
type holding struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// Join takes a share of the partitions. hold is called for each that comes to this host, and holds it until its context ends;
// only then does it go to another one. The group is a hint: that two never write to a partition is the transactions' part.
// It is Kafka's own balance with the cooperative-sticky strategy, over topic raw, of which nothing is fetched by it.
func (c *Cluster) Join(hold func(ctx context.Context, partition int32)) (*Group, error) {
	g := &Group{cluster: c, hold: hold, held: map[int32]*holding{}}
	raw := c.opt.topic(stream.Raw)
	var err error
	g.client, err = c.opt.client(kgo.ConsumerGroup(c.opt.Prefix+"-hosts"), kgo.ConsumeTopics(raw), kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(sessionTime), kgo.HeartbeatInterval(heartbeatTime), kgo.RebalanceTimeout(releaseTime),
		kgo.OnPartitionsAssigned(func(ctx context.Context, _ *kgo.Client, came map[string][]int32) { g.take(came[raw]) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, went map[string][]int32) { g.release(went[raw]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, went map[string][]int32) { g.release(went[raw]) }))
	if err != nil {
		return nil, fmt.Errorf("join the group of hosts: %w", err)
	}
	g.client.PauseFetchTopics(raw)
	return g, nil
}

// take begins to hold partitions.
func (g *Group) take(partitions []int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range partitions {
		if g.held[p] != nil || g.left {
			continue
		}
		ctx, cancel := context.WithCancel(g.cluster.closing)
		h := &holding{cancel: cancel, ended: make(chan struct{})}
		g.held[p] = h
		go func() {
			defer close(h.ended)
			g.hold(ctx, p)
		}()
	}
}

// release ends the holding of partitions, and returns when it has ended.
func (g *Group) release(partitions []int32) {
	var going []*holding
	g.mu.Lock()
	for _, p := range partitions {
		if h := g.held[p]; h != nil {
			going = append(going, h)
			delete(g.held, p)
		}
	}
	g.mu.Unlock()
	for _, h := range going {
		h.cancel()
	}
	for _, h := range going {
		<-h.ended
	}
}

// Run tells report of what goes wrong with the group until ctx ends. Then it releases everything
// and leaves the group, so that others have the partitions at once.
func (g *Group) Run(ctx context.Context, report func(err error)) error {
	for ctx.Err() == nil {
		fetches := g.client.PollFetches(ctx) // nothing is fetched: it returns with errors, or with ctx
		err := fetches.Err0()
		if ctx.Err() != nil || errors.Is(err, kgo.ErrClientClosed) {
			break
		}
		fetches.EachError(func(_ string, _ int32, of error) { err = of })
		var session *kgo.ErrGroupSession
		if errors.As(err, &session) {
			err = session.Err
		}
		if err != nil {
			report(fmt.Errorf("the group of hosts does not share the partitions: %w", err))
			pause, cancel := context.WithTimeout(ctx, afterFailed)
			<-pause.Done()
			cancel()
		}
	}
	g.leave()
	return nil
}

// leaveTime is how long the brokers have to hear that the host leaves. Otherwise they find out by themselves.
const leaveTime = 2 * time.Second

// leave releases everything, takes nothing any more, and tells the group.
func (g *Group) leave() {
	g.mu.Lock()
	g.left = true
	var all []int32
	for p := range g.held {
		all = append(all, p)
	}
	g.mu.Unlock()
	g.release(all)
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	if err := g.client.LeaveGroupContext(ctx); err != nil {
		g.cluster.opt.Logger.Warn("the other hosts do not hear at once that this one ends", "error", err)
	}
	g.client.Close()
}
