package cmd

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sandbar/host/alert"
	"sandbar/host/bucket"
	"sandbar/host/catalog"
	"sandbar/host/clock"
	"sandbar/host/config"
	"sandbar/host/deaths"
	"sandbar/host/deploy"
	"sandbar/host/failures"
	"sandbar/host/geo"
	"sandbar/host/health"
	httpdoor "sandbar/host/intake/http"
	"sandbar/host/intake/spill"
	"sandbar/host/lake"
	"sandbar/host/landfill"
	"sandbar/host/runner"
	"sandbar/host/series"
	"sandbar/host/stream"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/schemas"
	"sandbar/web"
)

const (
	trimEvery  = 10 * time.Second
	watchEvery = 2 * time.Second

	maxJump       = time.Minute // of the clock between two looks
	holdAfterJump = time.Hour   // so that somebody can set it right
)

// host is all rooms of a running host, joined.
type host struct {
	cfg config.Config
	log *slog.Logger

	store    store
	spill    *spill.Spill // nil when the streams are files
	edgeLog  httpdoor.Appender
	edgeOK   func() error
	bucket   bucket.Bucket
	health   *health.Board
	catalog  *catalog.Catalog
	schemas  *schemas.Registry
	geo      *geo.DB
	landfill *landfill.Landfill
	lake     *lake.Lake
	series   *series.View
	alerts   *alert.View
	failures *failures.View
	runner   *runner.Runner
	deploy   *deploy.Manager
	engines  *engines
	door     *httpdoor.Door
	pages    *web.Site

	opened []func() error // in the order of opening; closed in reverse
}

// openHost opens everything under the data directory and starts the plugins that should run. What was opened is
// closed again when something fails.
func openHost(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *host, err error) {
	h := &host{cfg: cfg, log: log, health: health.NewBoard(clock.Now, log)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	for _, step := range []func(context.Context) error{h.openStorage, h.openKnowledge, h.openViews, h.openPlugins, h.openDoors} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// close closes what was opened, the newest first.
func (h *host) close() error {
	var errs []error
	for _, c := range slices.Backward(h.opened) {
		errs = append(errs, c())
	}
	h.opened = nil
	return errors.Join(errs...)
}

func (h *host) path(name ...string) string {
	return filepath.Join(append([]string{h.cfg.Data}, name...)...)
}

func (h *host) openStorage(ctx context.Context) error {
	if err := os.MkdirAll(h.cfg.Data, 0o750); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	var err error
	if h.store, err = openStore(ctx, h.cfg.Streams, h.path("streams"), h.log); err != nil {
		return err
	}
	h.opened = append(h.opened, h.store.Close)
	if err := h.openSpill(); err != nil {
		return err
	}
	if h.bucket, err = openBucket(ctx, h.cfg.Bucket, h.path("bucket"), h.log); err != nil {
		return err
	}
	h.opened = append(h.opened, h.bucket.Close)
	if err := h.claim(ctx); err != nil {
		return err
	}
	if h.catalog, err = catalog.Open(h.path("catalog.db")); err != nil {
		return err
	}
	h.opened = append(h.opened, h.catalog.Close)
	return nil
}

func (h *host) openKnowledge(context.Context) error {
	var err error
	if h.cfg.Schemas == "" {
		h.schemas, err = schemas.Open(schemas.Shipped(), h.log)
	} else {
		h.schemas, err = schemas.OpenDir(h.cfg.Schemas, h.log)
	}
	if err != nil {
		return err
	}
	h.geo, err = geo.Open(h.cfg.Geo.City, h.cfg.Geo.ISP, h.log)
	return err
}

func (h *host) openViews(ctx context.Context) error {
	var err error
	h.landfill, err = landfill.Open(ctx, landfill.Options{Store: h.store, Bucket: h.bucket, Now: clock.Now, Logger: h.log,
		Size: int64(h.cfg.Landfill.Size), Age: time.Duration(h.cfg.Landfill.Age), CommitTime: time.Duration(h.cfg.Streams.Timeout),
		Report: func(err error) { h.health.Report("landfill", err) }})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.path("views"), 0o750); err != nil {
		return fmt.Errorf("make the folder of the views: %w", err)
	}
	derived := h.store.Log(stream.Derived)
	if h.series, err = series.Open(h.path("views", "series"), derived, series.Options{Now: clock.Now, Logger: h.log}); err != nil {
		return err
	}
	if h.alerts, err = alert.Open(h.path("views", "alerts"), derived, alert.Options{Now: clock.Now, Logger: h.log}); err != nil {
		return err
	}
	h.failures = failures.New(h.store.Log(stream.Errors), failures.Options{Now: clock.Now, Logger: h.log})
	return nil
}

func (h *host) openPlugins(ctx context.Context) error {
	h.lake = lake.New(h.bucket, lake.Options{Logger: h.log, ID: h.store.ID(), Columns: h.schemas,
		MaxAge: time.Duration(h.cfg.Lake.Age), MaxBytes: int64(h.cfg.Lake.Size)})
	manifests, err := lakeManifests(ctx, h.store)
	if err != nil {
		return err
	}
	if err := h.lake.Load(manifests); err != nil {
		return err
	}
	if err := h.lake.Recover(ctx); err != nil { // tried again by its Run
		h.health.Report("lake", err)
	}
	deaths, suspects, err := deaths.Open(h.path("deaths.json"))
	if err != nil {
		return err
	}
	h.opened = append(h.opened, deaths.Close)
	atWork := func(names []string) {
		if err := deaths.AtWork(names); err != nil {
			h.log.Warn("if the host dies now it is not known who was at work", "error", err)
		}
	}
	h.engines = &engines{cache: h.path("modules")}
	h.opened = append(h.opened, h.engines.close)
	h.runner = runner.New(runner.Options{Store: h.store, Load: h.engines.load, Env: h.env, Interval: time.Duration(h.cfg.Streams.CommitInterval),
		Timeout: time.Duration(h.cfg.Streams.Timeout),
		Lake:    func(logger string) runner.LakeWriter { return h.lake.Writer(logger) }, Report: h.health.Report,
		OnEnd: func(e *sandbox.Error) { h.deploy.Ended(context.Background(), e) }, AtWork: atWork, Now: clock.Now, Log: h.log})
	h.opened = append(h.opened, h.runner.Close)
	h.deploy = deploy.New(deploy.Options{Catalog: h.catalog, Runner: h.runner, Parse: parser(h.cfg.Limits), Removed: h.series.Forget, Now: clock.Now, Log: h.log})
	if err := h.seed(ctx); err != nil {
		return err
	}
	if err := h.deploy.StartAll(ctx, suspects, h.cfg.Safe); err != nil {
		return err
	}
	return h.runner.Begin()
}

// seed puts the plugins that ship, and those of the config's folder, into the catalog.
func (h *host) seed(ctx context.Context) error {
	defs, err := plugins.Read(plugins.Shipped())
	if err != nil {
		return err
	}
	if h.cfg.Plugins != "" {
		own, err := readPlugins(h.cfg.Plugins)
		if err != nil {
			h.log.Error("some plugins cannot be read", "folder", h.cfg.Plugins, "error", err)
		}
		defs = append(defs, own...)
	}
	return h.deploy.Seed(ctx, defs)
}

// env is what a plugin may reach.
func (h *host) env(cfg *sandbox.Config) sandbox.Env {
	env := sandbox.Env{Hostname: h.cfg.Hostname, Pid: os.Getpid(), Now: clock.Now, Seed: seed()}
	if cfg.Kind == sandbox.Decoder {
		env.Schemas, env.Geo = h.schemas, h.geo
	}
	return env
}

func seed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func (h *host) openDoors(context.Context) error {
	edge := h.cfg.Edge
	var err error
	h.door, err = httpdoor.New(httpdoor.Options{Raw: h.edgeLog, Healthy: h.edgeOK,
		Hostname: h.cfg.Hostname, Now: clock.Now, Logger: h.log,
		KnownNamespace: func(ns string) bool { return h.schemas.HasNamespace(ns) || slices.Contains(h.cfg.Namespaces, ns) },
		MaxPath:        int(edge.MaxPath), MaxBody: int(edge.MaxBody), MaxInFlight: int64(edge.MaxInFlight),
		BodyTimeout: time.Duration(edge.BodyTimeout), StoreTime: time.Duration(h.cfg.Streams.Timeout), TrustedProxies: edge.Prefixes()})
	if err != nil {
		return err
	}
	streams := map[string]web.Log{}
	for _, name := range stream.Names() {
		streams[name] = h.store.Log(name)
	}
	h.pages, err = web.New(web.Options{Plugins: h.deploy, Series: h.series, Alerts: h.alerts, Failures: h.failures, Edge: h.door, Archive: h.landfill, Commits: h.runner, Health: h.health,
		Streams: streams, Parse: parser(h.cfg.Limits), Ceilings: h.cfg.Limits.Of, Sessions: h.catalog, Hostname: h.cfg.Hostname, Listen: h.cfg.Listen, Token: h.cfg.Token,
		Now: clock.Now, Logger: h.log})
	return err
}

// run starts everything that works in the background.
func (h *host) run(p *parts) {
	p.start("streams", h.watchStore)
	if h.spill != nil {
		p.start("spill", h.spill.Run)
	}
	p.start("landfill", h.landfill.Run)
	p.start("lake", func(ctx context.Context) error {
		return h.lake.Run(ctx, func(err error) { h.health.Report("lake", err) })
	})
	p.start("retention", h.retain)
	p.start("series", h.series.Run)
	p.start("alerts", h.alerts.Run)
	p.start("failures", h.failures.Run)
	p.start("pages", h.pages.Run)
	p.start("trimming", h.trim)
	p.start("schemas", func(ctx context.Context) error { return h.schemas.Watch(ctx, watchEvery) })
	p.start("geo", func(ctx context.Context) error { return h.geo.Watch(ctx, watchEvery) })
}

// trim removes what no reader needs any more and what is older or more than the config wants kept.
func (h *host) trim(ctx context.Context) error {
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
			bytes, age := int64(keep.Size), time.Duration(keep.Age)
			if bytes == 0 {
				bytes = -1
			}
			if age == 0 || now.Before(hold) {
				age = -1
			}
			waiting, cancel := context.WithTimeout(ctx, time.Duration(h.cfg.Streams.Timeout))
			removed, err := h.store.Log(name).Trim(waiting, bytes, age)
			cancel()
			if err != nil {
				h.log.Error("a stream could not be trimmed", "stream", name, "error", err)
			} else if removed > 0 {
				h.log.Info("trimmed a stream", "stream", name, "bytes", removed)
			}
		}
	}
}
