package cmd

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

type statusCmd struct {
	To string `default:"http://127.0.0.1:8080" env:"SANDBAR_URL" placeholder:"URL" help:"The running host."`
}

// Run asks a host whether it is well; for health checks.
func (c *statusCmd) Run(ctx context.Context, con console) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.To, "/")+"/status", nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return fmt.Errorf("ask the host: %w; does it run at %s?", err, c.To)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the host answered %s", res.Status)
	}
	fmt.Fprintln(con.out, "OK")
	return nil
}
