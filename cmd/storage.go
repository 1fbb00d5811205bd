package cmd

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
	"sandbar/host/bucket/s3"
	"sandbar/host/clock"
	"sandbar/host/config"
	httpdoor "sandbar/host/intake/http"
	"sandbar/host/intake/spill"
	"sandbar/host/partitions"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/kafka"
	"sandbar/web"
)

// openStreams opens the streams when they are files, or else the local log that the edge has for when the brokers do not take
// submissions.
func (h *host) openStreams() error {
	s := h.cfg.Streams
	if len(s.Kafka.Brokers) == 0 {
		streams, err := openDisk(s, h.path("streams"), h.log)
		if err != nil {
			return err
		}
		h.store, h.edgeLog, h.edgeOK = streams, streams.Log(stream.Raw), streams.Writable
		h.opened = append(h.opened, streams.Close)
		return nil
	}
	local, err := openDisk(s, h.path("spill"), h.log)
	if err != nil {
		return err
	}
	h.opened = append(h.opened, local.Close)
	h.remote = &remote{local: local.ID()}
	h.spill = spill.New(spill.Options{Remote: h.remote, Local: local, Report: func(err error) { h.health.Report("edge", err) }})
	h.edgeLog, h.edgeOK = h.spill, local.Writable
	return nil
}

// connect reaches the topics when the streams are on Kafka.
func (h *host) connect(ctx context.Context) error {
	if h.remote == nil {
		return nil
	}
	opt, err := openTopics(ctx, h.cfg.Streams, h.log)
	if err != nil {
		return err
	}
	opt.Cache = h.path("states")
	if h.cluster, err = kafka.Connect(ctx, opt); err != nil {
		return err
	}
	h.opened = append(h.opened, h.cluster.Close)
	return nil
}

// remote is raw on Kafka as a spill has it.
type remote struct {
	local stream.ID // of the spill's log

	mu      sync.Mutex
	cluster *kafka.Cluster // nil until the brokers were reached
	taker   *kafka.Taker
}

func (r *remote) connected(c *kafka.Cluster) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cluster, r.taker = c, c.Taker(r.local)
}

var errNotConnected = errors.New("the brokers were not reached since the host has started")

func (r *remote) get() (*kafka.Cluster, *kafka.Taker, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cluster == nil {
		return nil, nil, errNotConnected
	}
	return r.cluster, r.taker, nil
}

// Append implements spill.Remote.
func (r *remote) Append(ctx context.Context, msgs ...[]byte) (at stream.Position, err error) {
	c, _, err := r.get()
	if err != nil {
		return at, err
	}
	return c.Append(ctx, msgs...)
}

// TakeOver implements spill.Remote.
func (r *remote) TakeOver(ctx context.Context, end stream.Position, msgs [][]byte) error {
	_, t, err := r.get()
	if err != nil {
		return err
	}
	return t.TakeOver(ctx, end, msgs)
}

// TakenOver implements spill.Remote.
func (r *remote) TakenOver(ctx context.Context) (at stream.Position, err error) {
	_, t, err := r.get()
	if err != nil {
		return at, err
	}
	return t.TakenOver(ctx)
}

func openDisk(cfg config.Streams, folder string, log *slog.Logger) (*disk.Store, error) {
	return disk.Open(folder, disk.Options{MaxMessage: int(cfg.MaxMessage), Now: clock.Now, Logger: log, SegmentSize: int64(cfg.SegmentSize), MinFree: int64(cfg.MinFree)})
}

// openTopics makes the topics that do not exist, and says how to reach them.
func openTopics(ctx context.Context, cfg config.Streams, log *slog.Logger) (opt kafka.Options, err error) {
	k := cfg.Kafka
	access := kafka.Access{TLS: k.TLS, CA: k.CA, Certificate: k.Certificate, Key: k.Key, SASL: k.SASL, User: k.User, Password: k.Password, TokenFile: k.TokenFile, Rack: k.Rack}
	if access.Password == "" && access.User != "" {
		access.Password = os.Getenv("SANDBAR_KAFKA_PASSWORD")
	}
	opt = kafka.Options{Brokers: k.Brokers, Prefix: k.Prefix, Now: clock.Now, Logger: log, MaxMessage: int(cfg.MaxMessage), Timeout: time.Duration(cfg.Timeout), Key: httpdoor.Key}
	if opt.Client, err = access.Opts(); err != nil {
		return opt, err
	}
	return opt, kafka.Create(ctx, opt, int32(k.Partitions), int16(k.Replicas))
}

// partitions is how many there are, on all hosts.
func (h *host) partitions() int {
	if h.cluster == nil {
		return 1
	}
	return h.cluster.Partitions()
}

// logs are all partitions of a stream, to be read.
func (h *host) logs(ctx context.Context, name string) ([]stream.Log, error) {
	if h.cluster == nil {
		return []stream.Log{h.store.Log(name)}, nil
	}
	return h.cluster.Logs(ctx, name)
}

// numbers are those of the streams, for the page.
func (h *host) numbers(ctx context.Context) (map[string]web.Log, error) {
	all := map[string]web.Log{}
	for _, name := range stream.Names() {
		logs, err := h.logs(ctx, name)
		if err != nil {
			return nil, err
		}
		all[name] = sum{logs, h.set}
	}
	return all, nil
}

// sum is the numbers of all partitions of a stream. A position is their sum too; what is stored is that of the partitions which are
// here.
type sum struct {
	logs []stream.Log
	set  *partitions.Set
}

func (s sum) First() (at stream.Position) {
	for _, log := range s.logs {
		at.Segment += log.First().Segment
		at.Offset += log.First().Offset
	}
	return at
}

func (s sum) End() (at stream.Position) {
	for _, log := range s.logs {
		at.Segment += log.End().Segment
		at.Offset += log.End().Offset
	}
	return at
}

func (s sum) Stats() (all stream.Stats) {
	here := s.set.Share().Here
	for i, log := range s.logs {
		st := log.Stats()
		all.Messages += st.Messages
		all.Bytes += st.Bytes
		if slices.Contains(here, int32(i)) {
			all.Stored += st.Stored
		}
		all.Skipped += st.Skipped
		all.Syncs += st.Syncs
	}
	return all
}

// share works on the partitions that this host has until ctx ends: on files the only one, whose failure ends the host; on Kafka those
// that the group of hosts gives it.
func (h *host) share(ctx context.Context) error {
	if h.cluster == nil {
		return h.only.run(ctx)
	}
	group, err := h.cluster.Join(h.hold)
	if err != nil {
		return err
	}
	return group.Run(ctx, func(err error) { h.health.Report("group", err) })
}

// openBucket opens the bucket that the config names, or else a folder.
func openBucket(ctx context.Context, cfg config.Bucket, folder string, log *slog.Logger) (bucket.Bucket, error) {
	c := cfg.S3
	if c.Name == "" {
		return dir.Open(folder)
	}
	return s3.Open(ctx, s3.Options{Name: c.Name, Prefix: c.Prefix, Endpoint: c.Endpoint, Region: c.Region, PathStyle: c.PathStyle,
		Encryption: c.Encryption, KMSKey: c.KMSKey, NoChecksum: c.NoChecksum, PartSize: int(c.PartSize), Timeout: time.Duration(cfg.Timeout), Logger: log})
}

// claim refuses a bucket on S3 that has the files of other streams. One that cannot be reached now is asked again later.
func (h *host) claim(ctx context.Context) error {
	b, ok := h.bucket.(*s3.Bucket)
	if !ok {
		return nil
	}
	var whose stream.ID
	if h.cluster != nil {
		whose = h.cluster.ID()
	} else {
		whose = h.store.ID()
	}
	err := b.Claim(ctx, whose.String())
	if errors.Is(err, s3.ErrClaimed) {
		return err
	}
	h.health.Report("bucket", err)
	return nil
}

// retainEvery is how often old files are looked for, and retainAgain how long after a failure.
const (
	retainEvery = time.Hour
	retainAgain = 10 * time.Second
)

// retain removes old files of landfill and lake, and what processes that died left in the bucket.
func (h *host) retain(ctx context.Context) error {
	var rules []bucket.Rule
	for prefix, age := range map[string]config.Duration{"landfill/": h.cfg.Landfill.Keep, "lake/heka/": h.cfg.Lake.Keep, "lake/parquet/": h.cfg.Lake.Keep} {
		if age != 0 {
			rules = append(rules, bucket.Rule{Prefix: prefix, Age: time.Duration(age)})
		}
	}
	for {
		if err := h.claim(ctx); err != nil {
			return err
		}
		wait := retainEvery
		err := h.retainOnce(ctx, rules)
		if ctx.Err() != nil {
			return nil
		}
		if h.health.Report("retention", err); err != nil {
			wait = retainAgain
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

func (h *host) retainOnce(ctx context.Context, rules []bucket.Rule) error {
	removed, err := bucket.Retain(ctx, h.bucket, rules, clock.Now())
	if removed > 0 {
		h.log.Info("removed old files", "files", removed)
	}
	if b, ok := h.bucket.(*s3.Bucket); ok && err == nil {
		_, err = b.Sweep(ctx, clock.Now())
	}
	return err
}
