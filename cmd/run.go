package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"sandbar/host/clock"
	"sandbar/host/config"
	"sandbar/host/landfill"
	"sandbar/host/runner"
	"sandbar/host/trial"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

type runCmd struct {
	Plugins    string   `required:"" type:"existingdir" placeholder:"DIR" help:"Folder with analysis/NAME.cfg and its source."`
	Input      []string `required:"" type:"existingfile" placeholder:"FILE" help:"Files of framed messages; .zst and .gz are inflated."`
	Output     string   `placeholder:"DIR" help:"Write what the plugins make to DIR/derived/0.log."`
	Workers    int      `placeholder:"N" help:"How many plugins run at a time, beside one another and beside the reading; 1: one after the other. Left out: as many as there are cores, when there are several plugins and they take most of the time."`
	CPUProfile string   `name:"cpuprofile" placeholder:"FILE" help:"Write a CPU profile."`
}

// gcPercent trades memory for speed: what plugins hold is small beside what a file makes of garbage.
const gcPercent = 400

// Run loads the plugins, runs them over the input and prints a line for each.
func (c *runCmd) Run(ctx context.Context, con console) error {
	if c.Workers < 0 {
		return fmt.Errorf("--workers is %d; give 1 or more, or leave it out", c.Workers)
	}
	if c.CPUProfile != "" {
		f, err := os.Create(c.CPUProfile)
		if err != nil {
			return fmt.Errorf("write a CPU profile: %w", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("write a CPU profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	debug.SetGCPercent(gcPercent)
	on := &engines{}
	defer on.close()
	tasks, err := loadTasks(c.Plugins, on, console{con.out, &together{w: con.err}})
	if err != nil {
		return err
	}
	t := &trial.Trial{Workers: c.Workers}
	if c.Workers == 0 {
		t.Workers, t.Now = runtime.GOMAXPROCS(0), clock.Now
	}
	for _, task := range tasks {
		defer task.Close()
		t.Plugins = append(t.Plugins, &trial.Plugin{Task: task})
	}
	out, err := c.openOutput(t)
	if err != nil {
		return err
	}
	bar := newProgress(con.err, "run")
	t.Progress = func(n int64) { bar.show("%d messages", n) }
	start := clock.Now()
	src := &files{names: c.Input, max: message.MaxSize}
	err = errors.Join(t.Run(ctx, src), src.Close(), out())
	bar.done()
	if err != nil {
		return err
	}
	report(con.out, t, src, clock.Now().Sub(start))
	for _, p := range t.Plugins {
		if p.Ended != nil {
			return errQuiet
		}
	}
	return nil
}

// together lets several plugins write lines.
type together struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *together) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(b)
}

// openOutput makes the trial write to DIR/derived/0.log. The function it returns finishes the file.
func (c *runCmd) openOutput(t *trial.Trial) (func() error, error) {
	if c.Output == "" {
		return func() error { return nil }, nil
	}
	path := filepath.Join(c.Output, "derived", "0.log")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the output folder: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("make the output file: %w", err)
	}
	w := bufio.NewWriterSize(f, 256<<10)
	var frame []byte
	t.Out = func(msg []byte) error {
		frame = message.AppendFrame(frame[:0], msg)
		_, err := w.Write(frame)
		return err
	}
	return func() error { return errors.Join(w.Flush(), f.Close()) }, nil
}

// loadTasks loads the analysis plugins of a folder. All that is wrong is told at once.
func loadTasks(dir string, on *engines, con console) ([]*runner.Task, error) {
	defs, err := readPlugins(dir)
	errs := []error{err}
	var tasks []*runner.Task
	for _, d := range defs {
		if d.Kind != sandbox.Analysis {
			fmt.Fprintf(con.err, "sandbar: %s is left out: only analysis plugins run over a file\n", d.Logger())
			continue
		}
		task, err := loadTask(dir, &d, on, con)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		tasks = append(tasks, task)
	}
	if err := errors.Join(errs...); err != nil {
		for _, t := range tasks {
			t.Close()
		}
		return nil, err
	}
	return tasks, nil
}

func loadTask(dir string, d *plugins.Definition, on *engines, con console) (*runner.Task, error) {
	cfg, err := parser(config.Default().Limits)(d.Kind, d.Name, d.Config)
	if err != nil {
		return nil, err
	}
	hostname, _ := os.Hostname()
	env := sandbox.Env{Hostname: hostname, Pid: os.Getpid(), Now: clock.Now, Seed: 1,
		Log: func(text string) { fmt.Fprintf(con.err, "%s: %s\n", d.Logger(), text) }}
	state, err := readState(dir, d.Kind, d.Name)
	if err != nil {
		return nil, err
	}
	return runner.NewTask(on.load, cfg, d.Source, env, state)
}

// report prints what each plugin did and cost.
func report(w io.Writer, t *trial.Trial, src *files, took time.Duration) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "plugin\tseen\tmatched\tfailed\tmade\tfuel\tfuel max\tmemory\tns/message\toutcome\t")
	for _, p := range t.Plugins {
		s := p.Task.Stats()
		outcome := sandbox.OK.String()
		if p.Ended != nil {
			outcome = p.Ended.Outcome.String()
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n", p.Task.Config.Logger(), s.Seen, s.Matched, s.Failed,
			s.Injected, s.Fuel, s.FuelMax, s.Memory, s.Nanos/max(1, s.Matched), outcome)
	}
	tw.Flush()
	for _, p := range t.Plugins {
		if p.Ended != nil {
			fmt.Fprintf(w, "%v\n%s", p.Ended, indent(p.Ended.Trace))
		}
	}
	fmt.Fprintf(w, "%d messages of %d bytes in all, %d bytes skipped, %d frames that hold no message, in %v (%.0f messages/s)\n",
		t.Messages, t.Bytes, src.skipped, t.Damaged, took.Round(time.Millisecond), float64(t.Messages)/max(took.Seconds(), 1e-9))
}

func indent(s string) string {
	if s == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}

// files reads the messages of several files in turn, as one trial.Source.
type files struct {
	names   []string
	max     int
	skipped int64 // bytes that were no frame

	open   io.ReadCloser
	reader *message.Reader
	fresh  func(least int) []byte // see Lend
}

// Lend implements trial.Lender.
func (f *files) Lend(fresh func(least int) []byte) { f.fresh = fresh }

// Next returns the next message, valid until the next call unless Lend was called.
func (f *files) Next() ([]byte, error) {
	for {
		if f.reader == nil {
			if len(f.names) == 0 {
				return nil, io.EOF
			}
			rc, err := landfill.OpenFile(f.names[0])
			if err != nil {
				return nil, err
			}
			f.names, f.open, f.reader = f.names[1:], rc, message.NewReader(rc, f.max)
			if f.fresh != nil {
				f.reader.Lend(f.fresh)
			}
		}
		msg, err := f.reader.Next()
		if err == nil {
			return msg, nil
		}
		f.skipped += f.reader.Skipped().Bytes
		f.reader = nil
		if cerr := f.open.Close(); err == io.EOF && cerr != nil {
			return nil, cerr
		}
		if err != io.EOF {
			return nil, err
		}
	}
}

// Close closes the file that is being read.
func (f *files) Close() error {
	if f.reader == nil {
		return nil
	}
	f.reader = nil
	return f.open.Close()
}
