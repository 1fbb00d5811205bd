package cmd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/metrics"
	"strings"
	"time"

	"sandbar/sandbox/wasm"
)

// Bounds of compiling one module. One of Go with 1.8 MB takes half a second and 40 MB. The time is that of a processor, so that a module is
// not refused because others keep the processors busy; compileWait is how long somebody waits for it.
const (
	compileTime   = 20 * time.Second
	compileWait   = 50 * time.Second
	compileMemory = 512 << 20
)

// compileCmd is how the host compiles a module of a stranger: in a process that it can end.
type compileCmd struct {
	Cache string `required:"" help:"Folder of compiled modules."`
}

// Exit codes of a compiler that ends itself: it takes too much memory, it takes too long, nobody waits for it any more.
const (
	tooMuch = 3 + iota
	tooLong
	forNobody
)

// Run compiles what comes in: its length in 8 bytes, and the code. The input stays open as long as the host wants the result, so that
// this process does not outlive a host that was killed.
func (c *compileCmd) Run(ctx context.Context) error {
	var size uint64
	if err := binary.Read(os.Stdin, binary.LittleEndian, &size); err != nil || size > maxMetered {
		return fmt.Errorf("read the size of the module, %d: %w", size, err)
	}
	code := make([]byte, size)
	if _, err := io.ReadFull(os.Stdin, code); err != nil {
		return fmt.Errorf("read the module: %w", err)
	}
	go func() { // it ends with the process
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(forNobody)
	}()
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(done)
	}()
	err := wasm.Compile(ctx, c.Cache, code)
	close(done)
	<-watched
	return err
}

// maxMetered is the most bytes of a module that was metered.
const maxMetered = 64 << 20

// watch ends the process when it holds more than it may, or takes longer.
func watch(done <-chan struct{}) {
	tick, end := time.NewTicker(5*time.Millisecond), time.NewTimer(2*compileWait)
	defer tick.Stop()
	defer end.Stop()
	for {
		select {
		case <-done:
			return
		case <-end.C:
			os.Exit(forNobody)
		case <-tick.C:
			if cpuTime() > compileTime {
				os.Exit(tooLong)
			}
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
	ctx, cancel := context.WithTimeout(ctx, compileWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "compile-module", "--cache", cache)
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start the compiler: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the compiler: %w", err)
	}
	_, werr := in.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(code))), code...)) // Wait closes it
	if err = cmd.Wait(); err == nil {
		err = werr
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("the host ends: %w", ctx.Err())
	case ctx.Err() != nil:
		return fmt.Errorf("it takes longer than %v; this host has much to do, or the module has large functions with loops in loops: split them", compileWait)
	case cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == tooLong:
		return fmt.Errorf("it takes longer than %v of a processor; large functions with loops in loops do: split them", compileTime)
	case cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == tooMuch:
		return fmt.Errorf("it takes more than %d MiB; large functions with many locals do: split them", compileMemory>>20)
	}
	return fmt.Errorf("%w: %s", err, strings.TrimPrefix(strings.TrimSpace(said.String()), "sandbar: "))
}
