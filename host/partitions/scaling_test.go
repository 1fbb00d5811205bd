package partitions

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"
)

// The simulation behind docs/scaling.md, for what a sum does not tell: how even partitions are, and what a host's death does to those
// that stay. `go test -v -run Simulate ./host/partitions` prints its tables.

// busiest is the load of the busiest of so many partitions, as a multiple of the mean, when keys come as pick says.
func busiest(partitions, messages int, pick func() uint64) float64 {
	loads := make([]int, partitions)
	for range messages {
		h := fnv.New32a()
		fmt.Fprint(h, pick())
		loads[h.Sum32()%uint32(partitions)]++
	}
	most := 0
	for _, n := range loads {
		most = max(most, n)
	}
	return float64(most) * float64(partitions) / float64(messages)
}

// TestSimulateKeys: document ids spread evenly; keys of which few have most of the traffic do not, and more partitions do not help.
func TestSimulateKeys(t *testing.T) {
	t.Parallel()
	const messages = 500_000
	for _, partitions := range []int{12, 120} {
		r := rand.New(rand.NewPCG(1, 2))
		ids := busiest(partitions, messages, r.Uint64)
		mild := busiest(partitions, messages, rand.NewZipf(r, 1.05, 100, 1_000_000).Uint64)
		hot := busiest(partitions, messages, rand.NewZipf(r, 1.3, 1, 1_000_000).Uint64)
		t.Logf("%3d partitions, busiest against the mean: document ids %.2f, clients with a mild skew %.2f, with a strong one %.2f", partitions, ids, mild, hot)
		if ids > 1.10 {
			t.Errorf("document ids: %.2f", ids)
		}
		if hot < 3 {
			t.Errorf("a strong skew: %.2f; docs/scaling.md warns of it", hot)
		}
	}
}

// cluster is hosts that work on partitions, second by second.
type cluster struct {
	hosts, partitions int
	use               float64 // of what all hosts can do, is arriving
	silent            int     // seconds until a dead host is missed
	restore           float64 // seconds for the states of one partition; a host restores one at a time
}

// outage kills a host at second 0, which comes back after so many seconds, and tells how many seconds of traffic the furthest
// partition is behind at most, and after how many seconds nothing is behind any more; +Inf when that does not come.
func (c *cluster) outage(back int) (behind, over float64) {
	type partition struct {
		host    int
		backlog float64 // seconds of its traffic
		ready   float64 // when its states are there
	}
	parts := make([]partition, c.partitions)
	for i := range parts {
		parts[i].host = i % c.hosts
	}
	capacity := float64(c.partitions) / float64(c.hosts) / c.use // partitions' worth of traffic that a host does in a second
	free := make([]float64, c.hosts)                             // until when it restores
	move := func(i, to, now int) {
		free[to] = max(free[to], float64(now)) + c.restore
		parts[i].host, parts[i].ready = to, free[to]
	}
	for now := range 24 * 3600 {
		switch now {
		case c.silent: // host 0 is missed
			for i := range parts {
				if parts[i].host == 0 {
					move(i, 1+i/c.hosts%(c.hosts-1), now)
				}
			}
		case max(back, c.silent+1): // it takes its share again
			for i := range parts {
				if i%c.hosts == 0 {
					move(i, 0, now)
				}
			}
		}
		room := make([]float64, c.hosts)
		for h := range room {
			room[h] = capacity
		}
		if now < back {
			room[0] = 0
		}
		worst := 0.0
		for pass := range 2 { // first what arrives now, then what is left of before
			for i := range parts {
				p := &parts[i]
				if pass == 0 {
					p.backlog++
				}
				if p.ready <= float64(now) {
					done := min(p.backlog, room[p.host])
					if pass == 0 {
						done = min(done, 1)
					}
					p.backlog -= done
					room[p.host] -= done
				}
				worst = max(worst, p.backlog)
			}
		}
		left := 0.0
		for i := range parts {
			left = max(left, parts[i].backlog)
		}
		behind = max(behind, left)
		if now > max(back, c.silent) && left < 1e-9 {
			return behind, float64(now)
		}
	}
	return behind, math.Inf(1)
}

// TestSimulateDeath: what the death of a host does, by how much of the hosts is used and how large the states are.
func TestSimulateDeath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cluster
		back         int
		behind, over float64 // at most
	}{
		{cluster{hosts: 3, partitions: 12, use: 0.5, silent: 8, restore: 0.1}, 60, 12, 70},
		{cluster{hosts: 3, partitions: 12, use: 0.65, silent: 8, restore: 0.1}, 60, 20, 120},
		{cluster{hosts: 3, partitions: 12, use: 0.9, silent: 8, restore: 0.1}, 60, 70, 700},
		{cluster{hosts: 10, partitions: 60, use: 0.7, silent: 8, restore: 0.1}, 60, 12, 100},
		{cluster{hosts: 10, partitions: 60, use: 0.7, silent: 8, restore: 10}, 60, 80, 300},
		{cluster{hosts: 100, partitions: 600, use: 0.8, silent: 8, restore: 0.1}, 60, 12, 120},
	} {
		behind, over := c.outage(c.back)
		t.Logf("%3d hosts, %3d partitions, %2.0f %% used, %4.1f s to restore a partition: at most %3.0f s behind, over after %3.0f s", c.hosts, c.partitions, 100*c.use, c.restore, behind, over)
		if behind > c.behind || over > c.over || behind < float64(c.silent) {
			t.Errorf("%+v: %.0f s behind, over after %.0f s; docs/scaling.md says at most %.0f and %.0f", c.cluster, behind, over, c.behind, c.over)
		}
	}
}
