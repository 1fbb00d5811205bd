package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sandbar/host/clock"
	"sandbar/host/config"
	"sandbar/host/health"
	"sandbar/host/lake"
	"sandbar/host/landfill"
	"sandbar/host/notify"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
)

// partition is one store with all that works on it.
type partition struct {
	h      *host
	number int32
	health *health.Scope

	store    stream.Store
	landfill *landfill.Landfill
	lake     *lake.Lake
	runner   *runner.Runner
	notices  *notify.Router // of partition 0

	opened []func() error // closed in reverse
}

// openPartition opens what works on a store, and starts the plugins on it.
func (h *host) openPartition(ctx context.Context, number int32, s stream.Store) (_ *partition, err error) {
	prefix := ""
	if h.partitions() > 1 {
		prefix = fmt.Sprintf("partition %d: ", number)
	}
	p := &partition{h: h, number: number, health: h.health.Scope(prefix), store: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	for _, step := range []func(context.Context) error{p.openLandfill, p.openLake, p.openNotices, p.startPlugins} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// close ends everything, the newest first.
func (p *partition) close() error {
	p.h.set.Leave(p.number)
	var errs []error
	for _, c := range slices.Backward(p.opened) {
		errs = append(errs, c())
	}
	p.opened = nil
	p.health.Leave()
	return errors.Join(errs...)
}

func (p *partition) openLandfill(ctx context.Context) (err error) {
	cfg := &p.h.cfg
	p.landfill, err = landfill.Open(ctx, landfill.Options{Store: p.store, Bucket: p.h.bucket, Now: clock.Now, Logger: p.h.log,
		Size: int64(cfg.Landfill.Size), Age: time.Duration(cfg.Landfill.Age), CommitTime: time.Duration(cfg.Streams.Timeout),
		Report: func(err error) { p.health.Report("landfill", err) }})
	return err
}

func (p *partition) openLake(ctx context.Context) error {
	cfg := &p.h.cfg
	p.lake = lake.New(p.h.bucket, lake.Options{Logger: p.h.log, ID: p.store.ID(), Columns: p.h.schemas,
		MaxAge: time.Duration(cfg.Lake.Age), MaxBytes: int64(cfg.Lake.Size)})
	manifests, err := lakeManifests(ctx, p.store)
	if err != nil {
		return err
	}
	if err := p.lake.Load(manifests); err != nil {
		return err
	}
	if err := p.lake.Recover(ctx); err != nil { // tried again by its Run
		p.health.Report("lake", err)
	}
	return nil
}

// openNotices tells people of alerts of all partitions, where the first one is.
func (p *partition) openNotices(ctx context.Context) (err error) {
	if p.number != 0 {
		return nil
	}
	if p.notices, err = p.h.teller.open(ctx, p.store); err != nil {
		return err
	}
	p.opened = append(p.opened, func() error {
		p.h.teller.set(nil)
		return nil
	})
	return nil
}

// lakeManifests are those that output plugins have committed.
func lakeManifests(ctx context.Context, s stream.Store) (map[string][]byte, error) {
	manifests := map[string][]byte{}
	for reader := range s.Readers() {
		if !strings.HasPrefix(reader, string(sandbox.Output)+".") {
			continue
		}
		state, err := s.State(ctx, lake.StateName(reader))
		if err != nil {
			return nil, err
		}
		manifests[reader] = state
	}
	return manifests, nil
}

func (p *partition) startPlugins(ctx context.Context) error {
	h := p.h
	p.runner = runner.New(runner.Options{Store: p.store, Load: h.engines.load, Env: h.env, Inherited: h.inherited, Shadow: h.shadows.Take, Failed: h.letters.Note, Partition: runner.Partition{Number: int(p.number), Of: h.partitions()}, Interval: time.Duration(h.cfg.Streams.CommitInterval),
		Timeout: time.Duration(h.cfg.Streams.Timeout),
		Lake:    func(logger string) runner.LakeWriter { return p.lake.Writer(logger) }, Report: p.health.Report,
		OnEnd:  func(e *sandbox.Error) { h.deploy.Ended(context.Background(), e) },
		AtWork: func(names []string) { h.set.AtWork(p.number, names) }, Now: clock.Now, Log: h.log})
	p.opened = append(p.opened, p.runner.Close)
	return h.deploy.Come(ctx, comes{p.runner, p.lake}, h.cfg.Safe, func() error {
		if err := p.runner.Begin(); err != nil {
			return err
		}
		h.set.Come(p.number, p.runner, p.landfill)
		return nil
	})
}

// comes is a runner that comes. What an output had committed before it was removed is published before it is forgotten.
type comes struct {
	*runner.Runner
	lake *lake.Lake
}

// Forget implements deploy.Starter.
func (c comes) Forget(ctx context.Context, names []string) error {
	if !c.lake.Recovered() {
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.HasPrefix(name, string(sandbox.Output)+".") })
	}
	return c.Runner.Forget(ctx, names)
}

// run works until ctx ends or something fails, and then ends the plugins.
func (p *partition) run(ctx context.Context) error {
	all := newParts(ctx)
	all.start("landfill", p.landfill.Run)
	all.start("lake", func(ctx context.Context) error {
		return p.lake.Run(ctx, func(err error) { p.health.Report("lake", err) })
	})
	all.start("trimming", p.trim)
	all.start("reports", p.report)
	if p.notices != nil {
		all.start("notices", p.notices.Run)
	}
	if s, ok := p.store.(interface{ Watch(context.Context) error }); ok { // it can be taken over
		all.start("streams", s.Watch)
	}
	<-all.ending()
	return errors.Join(p.runner.Close(), all.wait())
}

const (
	trimEvery = 10 * time.Second

	maxJump       = time.Minute // of the clock between two looks
	holdAfterJump = time.Hour   // so that somebody can set it right
)

// trim removes what no reader needs any more and what is older or more than the config wants kept.
func (p *partition) trim(ctx context.Context) error {
	h := p.h
	limits := map[string]config.Retention{stream.Raw: h.cfg.Streams.Raw, stream.Valid: h.cfg.Streams.Valid,
		stream.Errors: h.cfg.Streams.Errors, stream.Derived: h.cfg.Streams.Derived}
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	before := clock.Now()
	hold := before // until then nothing is trimmed by age
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := clock.Now()
		if by := clock.Jump(before, now); by.Abs() > maxJump {
			hold = now.Add(holdAfterJump)
			h.log.Warn("the clock was changed; nothing is trimmed by age for a while", "by", by, "until", hold)
		}
		before = now
		for name, keep := range limits {
			p.trimOne(ctx, name, keep, now.Before(hold))
		}
	}
}

func (p *partition) trimOne(ctx context.Context, name string, keep config.Retention, notByAge bool) {
	bytes, age := int64(keep.Size), time.Duration(keep.Age)
	if bytes == 0 {
		bytes = -1
	}
	if age == 0 || notByAge {
		age = -1
	}
	waiting, cancel := context.WithTimeout(ctx, time.Duration(p.h.cfg.Streams.Timeout))
	defer cancel()
	removed, err := p.store.Log(name).Trim(waiting, bytes, age)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.h.log.Error("a stream could not be trimmed", "stream", name, "partition", p.number, "error", err)
	case removed > 0:
		p.h.log.Info("trimmed a stream", "stream", name, "partition", p.number, "bytes", removed)
	}
}

// holdAgain is how long a partition rests that could not be opened, or that has failed: long enough for its group to say that another
// host has it.
const holdAgain = 3 * time.Second

// hold has a partition on Kafka until ctx ends. It is opened again when it fails.
func (h *host) hold(ctx context.Context, number int32) {
	part := fmt.Sprintf("partition %d", number)
	defer h.health.Report(part, nil)
	for {
		err := h.holdOnce(ctx, number, func() { h.health.Report(part, nil) })
		if ctx.Err() != nil {
			if err != nil {
				h.log.Warn("a partition did not end well", "partition", number, "error", err)
			}
			return
		}
		h.health.Report(part, fmt.Errorf("it does not run: %w", err))
		pause, cancel := context.WithTimeout(ctx, holdAgain)
		<-pause.Done()
		cancel()
	}
}

func (h *host) holdOnce(ctx context.Context, number int32, running func()) error {
	began := clock.Now()
	s, err := h.cluster.Open(ctx, number)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := h.openPartition(ctx, number, s)
	if err != nil {
		return err
	}
	h.log.Info("a partition is here", "partition", number, "after", clock.Now().Sub(began).Round(time.Millisecond))
	running()
	err = p.run(ctx)
	err = errors.Join(err, p.close())
	h.log.Info("a partition has left", "partition", number)
	return err
}
