package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

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
	failed := err != nil
	c.engines = &engines{}
	defer c.engines.close()
	for i := range defs {
		if err := c.check(ctx, &defs[i], con); err != nil {
			failed = true
			fmt.Fprintf(con.out, "FAIL %s: %v\n", defs[i].Logger(), err)
			var fault *sandbox.Error
			if errors.As(err, &fault) {
				fmt.Fprint(con.out, indent(fault.Trace))
			}
			continue
		}
		fmt.Fprintf(con.out, "ok   %s\n", defs[i].Logger())
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
	for _, why := range task.Warnings() {
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
