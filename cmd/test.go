package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"sandbar/host/clock"
	"sandbar/host/config"
	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/host/trial"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

type testCmd struct {
	Dir   string   `arg:"" type:"existingdir" help:"Folder of plugins: decoder/, analysis/, output/ with NAME.cfg and its source."`
	Input []string `type:"existingfile" placeholder:"FILE" help:"Try the analysis plugins on these messages."`

	To    string   `placeholder:"URL" help:"Try the plugins on a running host, over what its streams have kept; nothing is deployed."`
	Token string   `env:"SANDBAR_TOKEN" help:"Its token, if it wants one."`
	Since lookBack `placeholder:"6h" xor:"range" help:"With --to: over all messages of the last time."`
	Last  int      `placeholder:"N" xor:"range" help:"With --to: over the last N messages that a plugin wants (default: 1000)."`

	engines *engines
}

// Run checks every plugin of the folder and says what is wrong with it.
func (c *testCmd) Run(ctx context.Context, con console) error {
	defs, err := readPlugins(c.Dir)
	if err != nil {
		fmt.Fprintln(con.err, err)
	}
	if len(defs) == 0 && err == nil {
		return fmt.Errorf("%s holds no plugin: %w: it needs decoder/, analysis/ or output/ with a NAME.cfg", c.Dir, fs.ErrNotExist)
	}
	if c.To == "" && (c.Since > 0 || c.Last > 0) {
		return errors.New("--since and --last are for the messages of a host: add --to URL")
	}
	failed := err != nil
	c.engines = &engines{}
	defer c.engines.close()
	host := &client{base: strings.TrimRight(c.To, "/"), token: c.Token, http: &http.Client{Timeout: 30 * time.Second}}
	for i := range defs {
		d, ok := &defs[i], true
		if c.To == "" {
			err = c.check(ctx, d, con)
		} else {
			ok, err = c.live(ctx, host, d, con)
		}
		switch {
		case err != nil:
			fmt.Fprintf(con.out, "FAIL %s: %v\n", d.Logger(), err)
			var fault *sandbox.Error
			if errors.As(err, &fault) {
				fmt.Fprint(con.out, indent(fault.Trace))
			}
		case !ok:
			fmt.Fprintf(con.out, "FAIL %s\n", d.Logger())
		default:
			fmt.Fprintf(con.out, "ok   %s\n", d.Logger())
		}
		failed = failed || err != nil || !ok
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed {
		return errQuiet
	}
	return nil
}

// check loads a plugin, warns about its matcher and tries it where that is possible.
func (c *testCmd) check(ctx context.Context, d *plugins.Definition, con console) error {
	cfg, err := deploy.Validate(parser(config.Default().Limits), deploy.Submission{Kind: d.Kind, Name: d.Name, Config: string(d.Config), Source: d.Source})
	if err != nil {
		return err
	}
	env := sandbox.Env{Hostname: "test", Pid: os.Getpid(), Now: clock.Now, Seed: 1,
		Log: func(text string) { fmt.Fprintf(con.out, "     %s: %s\n", d.Logger(), text) }}
	task, err := runner.NewTask(c.engines.load, cfg, d.Source, env, nil)
	if err != nil {
		return err
	}
	defer task.Close()
	findings := task.Warnings(d.Source)
	sandbox.Locate(findings, string(d.Config))
	for _, why := range findings {
		fmt.Fprintf(con.out, "warn %s: %s\n", d.Logger(), why)
	}
	if d.Kind != sandbox.Analysis || len(c.Input) == 0 {
		return nil
	}
	p := &trial.Plugin{Task: task}
	src := &files{names: c.Input, max: message.MaxSize}
	t := &trial.Trial{Plugins: []*trial.Plugin{p}}
	if err := errors.Join(t.Run(ctx, src), src.Close()); err != nil {
		return err
	}
	s := task.Stats()
	fmt.Fprintf(con.out, "     %s: %d of %d messages matched, %d failed, %d made, fuel %d (at most %d a call), memory %d\n",
		d.Logger(), s.Matched, t.Messages, s.Failed, s.Injected, s.Fuel, s.FuelMax, s.Memory)
	if p.Ended != nil {
		return p.Ended
	}
	return nil
}
