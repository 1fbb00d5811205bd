// Package cmd is the command line: one file per command. It joins the packages (host.go) and is the only
// place that reads the config, prints and talks to the operating system.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // for quiet hours, where the system has none

	"github.com/alecthomas/kong"
)

// cli is the program's manual: kong makes help and parser of it.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the host: HTTP edge, plugins, web page."`
	Demo    demoCmd    `cmd:"" help:"Run the host with a generator of submissions, on embedded defaults."`
	Run     runCmd     `cmd:"" help:"Run the analysis plugins of a folder over files of framed messages, as fast as possible."`
	Test    testCmd    `cmd:"" help:"Check plugins: config, matcher, source; with --input or --to also try them on recorded messages."`
	Send    sendCmd    `cmd:"" help:"Post ping files to an edge."`
	Cat     catCmd     `cmd:"" help:"Print the messages of files: N.log, .heka, .zst, .gz."`
	Replay  replayCmd  `cmd:"" help:"Put landfill files through stream raw again."`
	Migrate migrateCmd `cmd:"" help:"Copy the streams of a host from files to the Kafka of its config, once."`
	Status  statusCmd  `cmd:"" help:"Ask a running host whether it is well; for health checks."`
	Plugin  pluginCmd  `cmd:"" help:"Manage the plugins of a running host."`
	Anomaly anomalyCmd `cmd:"" help:"Detectors of anomalies: what there is, and how good it is on labelled series."`

	Completion completionCmd `cmd:"" help:"Print what a shell needs to complete commands and flags: source it."`
	Complete   completeCmd   `cmd:"" hidden:"" help:"Print what may come next on a command line."`

	Version kong.VersionFlag `help:"Print the version."`

	CompileModule compileCmd `cmd:"" hidden:"" help:"Compile a metered module from standard input into a cache."`
}

// console is where a command writes to.
type console struct {
	out io.Writer
	err io.Writer
}

// Main runs the program and returns its exit code: 0 for success, 1 for a failure, 2 for bad usage.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exit := -1
	parser, err := kong.New(&c, kong.Name("sandbar"), kong.Description("A host for untrusted stream code."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }), kong.UsageOnError(),
		kong.Vars{"version": versionOf(debug.ReadBuildInfo())}, kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(console{out: stdout, err: stderr}))
	if err != nil {
		fmt.Fprintln(stderr, "sandbar:", err)
		return 2
	}
	kctx, err := parser.Parse(args)
	if exit >= 0 { // help was printed
		return exit
	}
	if err != nil {
		fmt.Fprintf(stderr, "sandbar: %v; see sandbar --help\n", err)
		return 2
	}
	if err := kctx.Run(); err != nil {
		if !errors.Is(err, errQuiet) {
			fmt.Fprintln(stderr, "sandbar:", err)
		}
		return 1
	}
	return 0
}

// errQuiet ends a command with code 1 after it has said why itself.
var errQuiet = errors.New("failed")
