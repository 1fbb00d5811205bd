package cmd

import (
	"context"
	"net/netip"

	"sandbar/host/clock"
	"sandbar/host/config"
	"sandbar/host/feed"
)

type demoCmd struct {
	hostFlags
	Rate float64 `default:"200" help:"Submissions a second, on average over a day of two minutes."`
}

// Run serves and feeds itself over HTTP.
func (c *demoCmd) Run(ctx context.Context, con console) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if len(cfg.Edge.TrustedProxies) == 0 { // the generator says who its clients are, as a proxy would
		for _, network := range []string{"127.0.0.0/8", "::1/128"} {
			cfg.Edge.TrustedProxies = append(cfg.Edge.TrustedProxies, config.Network{Prefix: netip.MustParsePrefix(network)})
		}
	}
	log := c.logger(con)
	return serve(ctx, con, cfg, log, func(ctx context.Context, url string) error {
		g, err := feed.NewGenerator(feed.GeneratorOptions{URL: url, Now: clock.Now, Logger: log,
			Script: feed.ScriptOptions{Rate: c.Rate, Start: clock.Now(), Seed: seed()}})
		if err != nil {
			return err
		}
		return g.Run(ctx)
	})
}
