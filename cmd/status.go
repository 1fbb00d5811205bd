package cmd

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sandbar/host/health"
)

type statusCmd struct {
	To    string `default:"http://127.0.0.1:8080" env:"SANDBAR_URL" placeholder:"URL" help:"The running host."`
	Token string `env:"SANDBAR_TOKEN" help:"Its token, if it wants one: without it you are not told what is wrong."`
}

// Run asks a host whether it takes submissions, for health checks, and what else is wrong.
func (c *statusCmd) Run(ctx context.Context, con console) error {
	host := &client{base: strings.TrimRight(c.To, "/"), token: c.Token, http: &http.Client{Timeout: 5 * time.Second}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, host.base+"/status", nil)
	if err != nil {
		return err
	}
	res, err := host.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the host: %w; does it run at %s?", err, c.To)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the host answered %s", res.Status)
	}
	fmt.Fprintln(con.out, "OK")
	var overview struct {
		Troubles []health.Trouble `json:"troubles"`
	}
	if err := host.call(ctx, http.MethodGet, "/overview", nil, &overview); err != nil {
		fmt.Fprintln(con.out, err)
	}
	for _, t := range overview.Troubles {
		fmt.Fprintf(con.out, "since %s: %s: %s\n", t.Since.Format(time.RFC3339), t.Part, t.Text)
	}
	return nil
}
