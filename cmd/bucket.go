package cmd

import (
	"context"
	"log/slog"
	"time"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
	"sandbar/host/bucket/s3"
	"sandbar/host/clock"
	"sandbar/host/config"
)

// openBucket opens the bucket that the config names, or else a folder.
func openBucket(ctx context.Context, cfg config.Bucket, folder string, log *slog.Logger) (bucket.Bucket, error) {
	c := cfg.S3
	if c.Name == "" {
		return dir.Open(folder)
	}
	return s3.Open(ctx, s3.Options{Name: c.Name, Prefix: c.Prefix, Endpoint: c.Endpoint, Region: c.Region, PathStyle: c.PathStyle,
		Encryption: c.Encryption, KMSKey: c.KMSKey, NoChecksum: c.NoChecksum, PartSize: int(c.PartSize), Timeout: time.Duration(cfg.Timeout), Logger: log})
}

// retainEvery is how often old files are looked for.
const retainEvery = time.Hour

// retain removes old files of landfill and lake, and what processes that died left in the bucket.
func (h *host) retain(ctx context.Context) error {
	var rules []bucket.Rule
	for prefix, age := range map[string]config.Duration{"landfill/": h.cfg.Landfill.Keep, "lake/heka/": h.cfg.Lake.Keep, "lake/parquet/": h.cfg.Lake.Keep} {
		if age != 0 {
			rules = append(rules, bucket.Rule{Prefix: prefix, Age: time.Duration(age)})
		}
	}
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		removed, err := bucket.Retain(ctx, h.bucket, rules, clock.Now())
		if swept, ok := h.bucket.(*s3.Bucket); ok && err == nil {
			_, err = swept.Sweep(ctx, clock.Now())
		}
		if ctx.Err() != nil {
			return nil
		}
		h.health.Report("retention", err)
		if removed > 0 {
			h.log.Info("removed old files", "files", removed)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
