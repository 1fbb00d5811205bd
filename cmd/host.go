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
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"sandbar/host/alert"
	"sandbar/host/bucket"
	"sandbar/host/catalog"
	"sandbar/host/clock"
	"sandbar/host/config"
	"sandbar/host/control"
	"sandbar/host/datasets"
	"sandbar/host/deaths"
	"sandbar/host/deploy"
	"sandbar/host/evidence"
	"sandbar/host/failures"
	"sandbar/host/fleet"
	"sandbar/host/gate"
	"sandbar/host/geo"
	"sandbar/host/health"
	"sandbar/host/history"
	httpdoor "sandbar/host/intake/http"
	"sandbar/host/intake/spill"
	"sandbar/host/letters"
	"sandbar/host/partitions"
	"sandbar/host/promql"
	"sandbar/host/runner"
	"sandbar/host/saved"
	"sandbar/host/selfreport"
	"sandbar/host/series"
	"sandbar/host/shadow"
	"sandbar/host/stream"
	"sandbar/host/stream/kafka"
	"sandbar/host/tap"
	"sandbar/host/try"
	"sandbar/host/vitals"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/schemas"
	"sandbar/web"
)

const watchEvery = 2 * time.Second

// host is all that a running host consists of.
type host struct {
	cfg config.Config
	log *slog.Logger

	store    stream.Store   // files, with the only partition; nil on Kafka,
	cluster  *kafka.Cluster // which is nil otherwise
	remote   *remote        // nil when the streams are files,
	spill    *spill.Spill   // as is this
	edgeLog  httpdoor.Appender
	edgeOK   func() error
	bucket   bucket.Bucket
	health   *health.Board
	catalog  *catalog.Catalog
	schemas  *schemas.Registry
	geo      *geo.DB
	series   *series.View
	alerts   *alert.View
	evidence *evidence.Keeper
	failures *failures.View
	set      *partitions.Set
	journal  deploy.Journal
	saved    *saved.Store
	teller   *teller
	reporter *selfreport.Reporter
	control  *control.Control // nil when the streams are files,
	fleet    *fleet.Fleet     // as is this
	streams  map[string]web.Log
	trials   *try.Trials
	shadows  *shadow.View
	letters  *letters.View
	vitals   *vitals.View
	history  *history.View
	taps     map[string][]stream.Log // of all partitions, for people
	started  time.Time
	deaths   *deaths.Journal
	suspects []string // plugins that were at work when the host died, several times
	deploy   *deploy.Manager
	engines  *engines
	door     *httpdoor.Door
	front    front
	pages    *web.Site

	only *partition // on files

	opened []func() error // in the order of opening; closed in reverse
}

// newHost opens what the edge needs: it takes submissions from then on, also while the brokers are away. What was opened is closed
// again when something fails.
func newHost(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *host, err error) {
	h := &host{cfg: cfg, log: log, health: health.NewBoard(clock.Now, log), started: clock.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	for _, step := range []func(context.Context) error{h.openData, h.openKnowledge, h.openDoor} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// connectAgain is how long brokers rest that could not be reached.
const connectAgain = time.Second

// open opens everything else and starts the plugins that should run. While the brokers cannot be reached it tries again, until ctx
// ends; waits is called once then.
func (h *host) open(ctx context.Context, waits func()) error {
	waiting := sync.OnceFunc(waits)
	before := len(h.opened)
	for {
		err := h.openRest(ctx)
		if err == nil {
			h.health.Report("brokers", nil)
			if h.remote != nil {
				h.remote.connected(h.cluster)
			}
			h.front.show(h.pages)
			return nil
		}
		err = errors.Join(err, h.closeTo(before))
		if h.remote == nil || ctx.Err() != nil || !kafka.Unreachable(err) {
			return err
		}
		h.health.Report("brokers", err)
		waiting()
		pause, cancel := context.WithTimeout(ctx, connectAgain)
		<-pause.Done()
		cancel()
	}
}

func (h *host) openRest(ctx context.Context) error {
	for _, step := range []func(context.Context) error{h.connect, h.openBucket, h.openViews, h.openPlugins, h.openPages} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close closes what was opened, the newest first.
func (h *host) close() error { return h.closeTo(0) }

// closeTo closes all but the first n that were opened.
func (h *host) closeTo(n int) error {
	var errs []error
	for _, c := range slices.Backward(h.opened[n:]) {
		errs = append(errs, c())
	}
	h.opened = h.opened[:n]
	return errors.Join(errs...)
}

func (h *host) path(name ...string) string {
	return filepath.Join(append([]string{h.cfg.Data}, name...)...)
}

func (h *host) openData(context.Context) error {
	if err := os.MkdirAll(h.cfg.Data, 0o750); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	var err error
	if h.deaths, h.suspects, err = deaths.Open(h.path("deaths.json")); err != nil {
		return err
	}
	h.opened = append(h.opened, h.deaths.Close)
	if h.catalog, err = catalog.Open(h.path("catalog.db")); err != nil {
		return err
	}
	h.opened = append(h.opened, h.catalog.Close)
	return h.openStreams()
}

func (h *host) openBucket(ctx context.Context) (err error) {
	if h.bucket, err = openBucket(ctx, h.cfg.Bucket, h.path("bucket"), h.log); err != nil {
		return err
	}
	h.opened = append(h.opened, h.bucket.Close)
	return h.claim(ctx)
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
	derived, err := h.logs(ctx, stream.Derived)
	if err != nil {
		return err
	}
	refused, err := h.logs(ctx, stream.Errors)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.path("views"), 0o750); err != nil {
		return fmt.Errorf("make the folder of the views: %w", err)
	}
	if h.series, err = series.Open(h.path("views", "series"), derived, series.Options{Now: clock.Now, Logger: h.log}); err != nil {
		return err
	}
	if h.history, err = history.Open(h.path("views", "history.db"), history.Options{Series: h.series, Keep: time.Duration(h.cfg.History.Keep), Now: clock.Now, Logger: h.log}); err != nil {
		return err
	}
	h.opened = append(h.opened, h.history.Close)
	if h.alerts, err = alert.Open(h.path("views", "alerts"), derived, alert.Options{Now: clock.Now, Logger: h.log}); err != nil {
		return err
	}
	h.shadows, h.letters, h.vitals = shadow.New(), letters.New(clock.Now), vitals.New()
	h.failures = failures.New(refused, failures.Options{Now: clock.Now, Logger: h.log})
	return nil
}

func (h *host) openPlugins(ctx context.Context) error {
	atWork := func(names []string) {
		if err := h.deaths.AtWork(names); err != nil {
			h.log.Warn("if the host dies now it is not known who was at work", "error", err)
		}
	}
	h.engines = &engines{cache: h.path("modules")}
	h.opened = append(h.opened, h.engines.close)
	h.set = partitions.New(h.partitions(), h.tryPlugin, atWork)
	if err := h.openJournal(ctx); err != nil {
		return err
	}
	var err error
	if h.teller, err = newTeller(h); err != nil {
		return err
	}
	h.saved = saved.New(saved.Options{Journal: h.journal, Catalog: h.catalog, Now: clock.Now, May: may, CheckRoute: h.teller.check})
	h.openFleet()
	if err := h.openTrials(ctx); err != nil {
		return err
	}
	h.deploy = deploy.New(deploy.Options{Gate: h.gate(), Second: h.cfg.Gate.Second, Catalog: h.catalog, Journal: h.journal, Runner: h.set, Others: h.elsewhere(), Parse: parser(h.cfg.Limits), Removed: h.forget, Now: clock.Now, Log: h.log,
		May: func(by deploy.Actor, what, name string) error { return may(string(by), what, name) }})
	if h.control != nil {
		h.control.Tell(h.deploy.Changed)
	}
	if err := errors.Join(h.seed(ctx), h.deploy.Quarantine(ctx, h.suspects)); err != nil || h.store == nil {
		return err // partitions on Kafka come when the host is in their group
	}
	if h.only, err = h.openPartition(ctx, 0, h.store); err != nil {
		return err
	}
	h.opened = append(h.opened, h.only.close)
	return nil
}

// openTrials opens what lets people and the gate look at and try on what the streams have.
func (h *host) openTrials(ctx context.Context) (err error) {
	h.taps = map[string][]stream.Log{}
	for _, name := range stream.Names() {
		if h.taps[name], err = h.logs(ctx, name); err != nil {
			return err
		}
	}
	if h.evidence, err = evidence.Open(h.path("views", "evidence"), h.taps[stream.Derived], evidence.Options{Streams: h.taps, Now: clock.Now, Logger: h.log}); err != nil {
		return err
	}
	h.trials = try.New(try.Options{Logs: h.taps, Load: h.engines.load, Env: h.env, Now: clock.Now})
	return nil
}

// gate is what says whether a submission may run; nil when the config wants none.
func (h *host) gate() func(ctx context.Context, cfg *sandbox.Config, source []byte) ([]string, error) {
	g := h.cfg.Gate
	if g.Messages == 0 {
		return nil
	}
	return gate.New(gate.Rules{Messages: int(g.Messages), Alerts: int(g.Alerts), Use: float64(g.Use) / 100, Cost: float64(g.Cost) / 100, Time: time.Duration(g.Time)}, h.trials).Check
}

// forget drops what views have of a plugin that was removed.
func (h *host) forget(name string) {
	h.series.Forget(name)
	h.history.Forget(name)
	h.shadows.Forget(name)
	h.letters.Forget(name)
}

// openJournal says where decisions are made: in this host's catalog, or on Kafka in a topic that all hosts follow.
func (h *host) openJournal(ctx context.Context) error {
	if h.cluster == nil {
		h.journal = deploy.Own(h.catalog)
		return nil
	}
	c, err := control.Open(ctx, control.Options{Table: h.cluster.Table(kafka.Control), Catalog: h.catalog, Timeout: time.Duration(h.cfg.Streams.Timeout), Log: h.log,
		Report: func(err error) { h.health.Report("decisions", err) }})
	if err != nil {
		return err
	}
	h.opened = append(h.opened, c.Close)
	h.journal, h.control = c, c
	return nil
}

// tryPlugin checks a plugin while no partition is here.
func (h *host) tryPlugin(_ context.Context, cfg *sandbox.Config, source []byte) ([]sandbox.Finding, error) {
	return runner.Try(h.engines.load, cfg, source, h.env(cfg), nil)
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

// inherited is what Hindsight preserved of a plugin of the config's folder.
func (h *host) inherited(cfg *sandbox.Config) ([]byte, error) {
	if h.cfg.Plugins == "" || !cfg.PreserveData {
		return nil, nil
	}
	return readState(h.cfg.Plugins, cfg.Kind, cfg.Name)
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

func (h *host) openDoor(context.Context) (err error) {
	edge := h.cfg.Edge
	h.door, err = httpdoor.New(httpdoor.Options{Raw: h.edgeLog, Healthy: h.edgeOK,
		Hostname: h.cfg.Hostname, Now: clock.Now, Logger: h.log,
		KnownNamespace: func(ns string) bool { return h.schemas.HasNamespace(ns) || slices.Contains(h.cfg.Namespaces, ns) },
		MaxPath:        int(edge.MaxPath), MaxBody: int(edge.MaxBody), MaxInFlight: int64(edge.MaxInFlight),
		BodyTimeout: time.Duration(edge.BodyTimeout), StoreTime: time.Duration(h.cfg.Streams.Timeout), TrustedProxies: edge.Prefixes()})
	return err
}

func (h *host) openPages(ctx context.Context) (err error) {
	if h.streams, err = h.numbers(ctx); err != nil {
		return err
	}
	opt := web.Options{Plugins: h.deploy, Series: h.series, Alerts: h.alerts, Evidence: h.evidence, Failures: h.failures, Messages: tap.New(h.taps, clock.Now), Trials: h.trials, Shadows: h.shadows, Letters: h.letters, Vitals: h.vitals, History: h.history,
		Queries: promql.New(h.series, h.history, h.log), Saved: h.saved, Notices: h.teller, May: may, Schemas: h.schemas, Raw: h.edgeLog, Edge: h.door,
		Archive: h.set, Commits: h.set, Partitions: h.set, Hosts: h.others(), Health: h.health,
		Streams: h.streams, Parse: parser(h.cfg.Limits), Ceilings: h.cfg.Limits.Of, Sessions: h.catalog, Version: program(), Hostname: h.cfg.Hostname, Listen: h.cfg.Listen, Token: h.cfg.Token,
		Now: clock.Now, Logger: h.log}
	h.openReports()
	lake := datasets.New(h.bucket, clock.Now)
	opt.Lake = lake
	if sql, err := h.openSQL(lake); err != nil {
		opt.NoSQL = err.Error()
	} else {
		opt.SQL = sql
	}
	h.pages, err = web.New(opt)
	return err
}

// program is the version of this one.
func program() string { return versionOf(debug.ReadBuildInfo()) }

// may is the one place that says whether somebody may change something: what he does, and to which plugin or thing. As long as a host has one token, who is let in may
// do everything; accounts and roles will be asked here.
func may(_, _, _ string) error { return nil }

// openSQL finds what answers queries over the lake.
func (h *host) openSQL(lake *datasets.View) (*datasets.SQL, error) {
	o := datasets.SQLOptions{Program: h.cfg.SQL.DuckDB, Time: time.Duration(h.cfg.SQL.Time)}
	if h.cfg.Bucket.S3.Name == "" {
		o.Folder = h.path("bucket")
	}
	return datasets.NewSQL(lake, o)
}

// run starts everything that works in the background. The partitions work until ctx ends.
func (h *host) run(ctx context.Context, p *parts) {
	p.start("partitions", func(context.Context) error { return h.share(ctx) })
	if h.spill != nil {
		p.start("spill", h.spill.Run)
	}
	p.start("plugins", h.deploy.Run)
	if h.fleet != nil {
		p.start("fleet", h.fleet.Run)
	}
	p.start("retention", h.retain)
	p.start("series", h.series.Run)
	p.start("history", h.history.Run)
	p.start("alerts", h.alerts.Run)
	p.start("evidence", h.evidence.Run)
	p.start("failures", h.failures.Run)
	p.start("pages", h.pages.Run)
	p.start("trials", h.trials.Run)
	p.start("schemas", func(ctx context.Context) error { return h.schemas.Watch(ctx, watchEvery) })
	p.start("geo", func(ctx context.Context) error { return h.geo.Watch(ctx, watchEvery) })
}
