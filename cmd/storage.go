package cmd

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
	"sandbar/host/bucket/s3"
	"sandbar/host/clock"
	"sandbar/host/config"
	httpdoor "sandbar/host/intake/http"
	"sandbar/host/intake/spill"
	"sandbar/host/lake"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/kafka"
	"sandbar/sandbox"
)

// store is where the streams are.
type store interface {
	stream.Store
	Writable() error // why nothing can be written, nil when it can
}

// openStore opens the streams: on Kafka when the config names brokers, or else in a folder.
func openStore(ctx context.Context, cfg config.Streams, folder string, log *slog.Logger) (store, error) {
	k := cfg.Kafka
	if len(k.Brokers) == 0 {
		return disk.Open(folder, disk.Options{MaxMessage: int(cfg.MaxMessage), Now: clock.Now, Logger: log,
			SegmentSize: int64(cfg.SegmentSize), MinFree: int64(cfg.MinFree)})
	}
	access := kafka.Access{TLS: k.TLS, CA: k.CA, Certificate: k.Certificate, Key: k.Key, SASL: k.SASL, User: k.User, Password: k.Password, TokenFile: k.TokenFile, Rack: k.Rack}
	if access.Password == "" && access.User != "" {
		access.Password = os.Getenv("SANDBAR_KAFKA_PASSWORD")
	}
	client, err := access.Opts()
	if err != nil {
		return nil, err
	}
	opt := kafka.Options{Client: client, Brokers: k.Brokers, Prefix: k.Prefix, Now: clock.Now, Logger: log, MaxMessage: int(cfg.MaxMessage), Timeout: time.Duration(cfg.Timeout)}
	if err := kafka.Create(ctx, opt, 1, int16(k.Replicas)); err != nil {
		return nil, err
	}
	return kafka.Open(ctx, opt)
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

// openSpill says where the edge appends: to the streams when these are files, or else to Kafka, with the local disk for when
// the brokers do not take submissions.
func (h *host) openSpill() error {
	brokers, ok := h.store.(*kafka.Store)
	if !ok {
		h.edgeLog, h.edgeOK = h.store.Log(stream.Raw), h.store.Writable
		return nil
	}
	s := h.cfg.Streams
	local, err := disk.Open(h.path("spill"), disk.Options{MaxMessage: int(s.MaxMessage), Now: clock.Now, Logger: h.log, SegmentSize: int64(s.SegmentSize), MinFree: int64(s.MinFree)})
	if err != nil {
		return err
	}
	h.opened = append(h.opened, local.Close)
	h.spill = spill.New(spill.Options{Remote: remote{brokers.Log(stream.Raw), brokers.Taker(local.ID())}, Local: local,
		Report: func(err error) { h.health.Report("edge", err) }})
	h.edgeLog, h.edgeOK = h.spill, local.Writable
	return nil
}

// remote is raw on Kafka as a spill has it.
type remote struct {
	httpdoor.Appender
	*kafka.Taker
}

// watchStore ends the host when another one has taken its streams over.
func (h *host) watchStore(ctx context.Context) error {
	if s, ok := h.store.(*kafka.Store); ok {
		return s.Watch(ctx)
	}
	<-ctx.Done()
	return nil
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

// cluster is whose files a bucket has.
func cluster(s store) string {
	if k, ok := s.(*kafka.Store); ok {
		return k.Cluster().String()
	}
	return s.ID().String()
}

// claim refuses a bucket on S3 that has the files of other streams. One that cannot be reached now is asked again later.
func (h *host) claim(ctx context.Context) error {
	b, ok := h.bucket.(*s3.Bucket)
	if !ok {
		return nil
	}
	err := b.Claim(ctx, cluster(h.store))
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
