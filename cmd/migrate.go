package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sandbar/host/bucket"
	"sandbar/host/bucket/s3"
	"sandbar/host/clock"
	"sandbar/host/config"
	"sandbar/host/lake"
	"sandbar/host/landfill"
	"sandbar/host/migrate"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/kafka"
)

type migrateCmd struct {
	Data   string `placeholder:"DIR" help:"Data directory of a host that does not run now (default: the config's)."`
	Config string `required:"" type:"existingfile" placeholder:"FILE" help:"Config file that names the brokers, with which the host will run."`
}

// Run copies the streams, positions and states. What is under way in landfill and lake is finished before, so that no file
// waits for the old streams. The files stay.
func (c *migrateCmd) Run(ctx context.Context, con console) (err error) {
	flags := hostFlags{Data: c.Data, Config: c.Config}
	cfg, err := flags.config()
	if err != nil {
		return err
	}
	if len(cfg.Streams.Kafka.Brokers) == 0 {
		return fmt.Errorf("%s names no brokers; give streams.kafka.brokers", c.Config)
	}
	h := &host{cfg: cfg, log: flags.logger(con)}
	from, err := disk.Open(h.path("streams"), disk.Options{MaxMessage: int(cfg.Streams.MaxMessage), Now: clock.Now, Logger: h.log, MinFree: -1})
	if errors.Is(err, disk.ErrLocked) {
		return fmt.Errorf("%w; stop the host first", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := finishFiles(ctx, cfg, from, h.path("bucket"), h.log); err != nil {
		return fmt.Errorf("finish the files of landfill and lake before the move: %w", err)
	}
	opt, err := openTopics(ctx, cfg.Streams, h.log)
	if err != nil {
		return err
	}
	to, err := kafka.Open(ctx, opt, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	bar := newProgress(con.err, "migrate")
	counts := map[string]int{}
	err = migrate.Copy(ctx, from, to, func(name string, n int) {
		counts[name] = n
		bar.show("%s: %d messages", name, n)
	})
	bar.done()
	if errors.Is(err, migrate.ErrNotEmpty) {
		return fmt.Errorf("%w; delete the topics, or choose another streams.kafka.prefix", err)
	}
	if err != nil {
		return fmt.Errorf("%w; the files are as they were: delete the topics and begin again", err)
	}
	if err := reclaim(ctx, cfg, h.path("bucket"), to.Cluster().ID().String(), h.log); err != nil {
		return err
	}
	fmt.Fprintf(con.out, "Copied to %s.*: %d messages of raw, %d of valid, %d of errors, %d of derived, with all positions and states.\nStart the host with --config %s; %s can be removed when it runs.\n",
		cfg.Streams.Kafka.Prefix, counts["raw"], counts["valid"], counts["errors"], counts["derived"], c.Config, h.path("streams"))
	return nil
}

// reclaim makes a bucket on S3 that of the streams as they will be.
func reclaim(ctx context.Context, cfg config.Config, folder, cluster string, log *slog.Logger) (err error) {
	b, err := openBucket(ctx, cfg.Bucket, folder, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if s, ok := b.(*s3.Bucket); ok {
		return s.Reclaim(ctx, cluster)
	}
	return nil
}

// finishFiles puts all of raw into landfill, and makes visible what outputs have committed.
func finishFiles(ctx context.Context, cfg config.Config, from *disk.Store, folder string, log *slog.Logger) (err error) {
	var b bucket.Bucket
	if b, err = openBucket(ctx, cfg.Bucket, folder, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	fill, err := landfill.Open(ctx, landfill.Options{Store: from, Bucket: b, Now: clock.Now, Logger: log, Size: int64(cfg.Landfill.Size), CommitTime: time.Duration(cfg.Streams.Timeout)})
	if err != nil {
		return err
	}
	ending, cancel := context.WithCancel(ctx)
	cancel() // it writes what there is and ends
	if err := fill.Run(ending); err != nil {
		return err
	}
	files := lake.New(b, lake.Options{Logger: log, ID: from.ID()})
	manifests, err := lakeManifests(ctx, from)
	if err != nil {
		return err
	}
	return errors.Join(files.Load(manifests), files.Recover(ctx))
}
