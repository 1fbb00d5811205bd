package lua

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// attackMemory is memory_limit, and attackRSS what a process may take for an attack beside what it had.
const (
	attackMemory = 8 << 20
	attackRSS    = 3*attackMemory + 8<<20
)

// TestHostileRSS runs every attack in a process of its own, and reads how many pages that has had at most: what the system gives and what the
// account counts are two things.
func TestHostileRSS(t *testing.T) {
	t.Parallel()
	if name := os.Getenv("SANDBAR_HOSTILE"); name != "" {
		attackAlone(t, name)
		return
	}
	if slowdown > 1 {
		t.Skip("the race detector takes memory of its own: it runs in the step without it")
	}
	if _, err := peakRSS(); err != nil {
		t.Skipf("this system does not say what a process takes: %v", err)
	}
	for _, a := range readHostile(t) {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestHostileRSS$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), "SANDBAR_HOSTILE="+a.name)
			out, err := cmd.CombinedOutput()
			_, line, said := strings.Cut(string(out), "grew by ")
			if err != nil || !said {
				t.Fatalf("%v\n%.2000s", err, out)
			}
			line, _, _ = strings.Cut(line, "\n")
			n, err := strconv.ParseInt(line, 10, 64)
			if err != nil || n > attackRSS {
				t.Errorf("the process grew by %d MiB, %d are allowed", n>>20, attackRSS>>20)
			}
			t.Logf("%d MiB", n>>20)
		})
	}
}

// attackAlone runs a harmless plugin, which brings into memory what every plugin needs, and then an attack.
func attackAlone(t *testing.T, name string) {
	attacks := readHostile(t)
	quiet := hostile{where: "process", source: "function process_message() return 0 end"}
	quiet.run(t)
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // begins to count anew
		t.Fatal(err)
	}
	before, err := peakRSS()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attacks {
		if a.name == name {
			a.run(t)
			after, _ := peakRSS()
			fmt.Printf("grew by %d\n", after-before)
			return
		}
	}
	t.Fatalf("there is no attack %s", name)
}

// peakRSS is how many bytes this process has had in memory at most.
func peakRSS() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), "VmHWM:")
	if !ok {
		return 0, fmt.Errorf("no VmHWM in /proc/self/status")
	}
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kilobytes << 10, err
}
