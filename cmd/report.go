package cmd

import (
	"context"
	"os"
	"slices"
	"time"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/selfreport"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
)

// reportEvery is how often the host says how it fares.
const reportEvery = 10 * time.Second

// openReports makes what reports.
func (h *host) openReports() {
	opt := selfreport.Options{Hostname: h.cfg.Hostname, Pid: os.Getpid(), Started: h.started,
		Edge: func() map[int]int64 { return h.door.Stats().Answers },
		Streams: func() map[string]stream.Stats {
			all := map[string]stream.Stats{}
			for name, log := range h.streams {
				all[name] = log.Stats()
			}
			return all
		},
		Plugins: func() []runner.Status {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			all, err := h.deploy.Here(ctx)
			if err != nil {
				h.log.Warn("a report has no plugins", "error", err)
			}
			return all
		},
		Room:     func() (free, all int64, ok bool) { return disk.Room(h.cfg.Data) },
		Troubles: func() int { return len(h.health.Troubles()) },
	}
	h.reporter = selfreport.New(opt)
}

// report puts on stream derived how the host fares, while this is the first of the partitions that are here.
func (p *partition) report(ctx context.Context) error {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if here := p.h.set.Share().Here; len(here) == 0 || slices.Min(here) != p.number {
			continue
		}
		call, cancel := context.WithTimeout(ctx, time.Duration(p.h.cfg.Streams.Timeout))
		err := p.store.Commit(call, &stream.Commit{Appends: map[string][][]byte{stream.Derived: p.h.reporter.Messages(clock.Now())}})
		cancel()
		if ctx.Err() == nil {
			p.health.Report("reports", err)
		}
	}
}
