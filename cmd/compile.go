package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/metrics"
	"strings"
	"time"

	"sandbar/sandbox/wasm"
)

// Bounds of compiling one module. One of Go with 1.8 MB takes half a second and 40 MB.
const (
	compileTime   = 20 * time.Second
	compileMemory = 512 << 20
)

// compileCmd is how the host compiles a module of a stranger: in a process that it can end.
type compileCmd struct {
	Cache string `required:"" help:"Folder of compiled modules."`
}

// tooMuch is the exit code of a compiler that takes too much memory.
const tooMuch = 3

// Run compiles what comes in.
func (c *compileCmd) Run(ctx context.Context) error {
	code, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watchMemory(done)
	}()
	err = wasm.Compile(ctx, c.Cache, code)
	close(done)
	<-watched
	return err
}

// watchMemory ends the process when it holds more than it may.
func watchMemory(done <-chan struct{}) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			total := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
			metrics.Read(total)
			if total[0].Value.Uint64()-total[1].Value.Uint64() > compileMemory {
				os.Exit(tooMuch)
			}
		}
	}
}

// compileElsewhere compiles a module into a cache, by this program in a process of its own.
func compileElsewhere(ctx context.Context, cache string, code []byte) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program that compiles: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, compileTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "compile-module", "--cache", cache)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(code), &said
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("it takes longer than %v; large functions with loops in loops do: split them", compileTime)
	case cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == tooMuch:
		return fmt.Errorf("it takes more than %d MiB; large functions with many locals do: split them", compileMemory>>20)
	}
	return fmt.Errorf("%w: %s", err, strings.TrimPrefix(strings.TrimSpace(said.String()), "sandbar: "))
}
