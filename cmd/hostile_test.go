package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/sandbox"
	"sandbar/sandbox/wasm/wasmtest"
)

// TestHostileModules deploys every attack on a running host, beside a victim whose count is exact at the end. Meanwhile /status is asked
// again and again, and the memory of the process is looked at after each attack.
func TestHostileModules(t *testing.T) {
	t.Parallel()
	attacks := wasmtest.Read(t, filepath.Join("..", "testdata", "hostile", "wasm"))
	// Memory is looked at as it is in use: with the collector's usual slack a peak has up to twice what the host has in all.
	p := startWith(t, []string{"GOGC=25"}, t.TempDir(), "serve")
	dir := counterIn(t, "c", "victim")
	if out, errs, code := call("plugin", "--to", p.url, "deploy", filepath.Join(dir, "analysis", "victim.cfg")); code != 0 {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	p.post("/submit/sensors/reading/1/"+docID(0), reading(docID(0)))
	p.settled()
	for name, st := range p.plugins() { // what they take meanwhile is not the attack's
		if st.Shipped && st.Kind == sandbox.Analysis {
			if status, said := p.postJSON("plugins/"+name+"/stop", nil); status >= 300 {
				t.Fatalf("stop %s: %d %s", name, status, said)
			}
		}
	}
	sent := 1
	waits := p.askStatus()
	for i := range attacks {
		sent++
		took := p.attack(&attacks[i], sent)
		for tries := 1; took > allowed(&attacks[i]) && !raceEnabled && tries < 3; tries++ { // or the host's own garbage came just then
			sent++
			took = min(took, p.attack(&attacks[i], sent))
		}
		if most := allowed(&attacks[i]); took > most && !raceEnabled {
			t.Errorf("%s took %d MiB of memory, %d are allowed", attacks[i].Name, took>>20, most>>20)
		}
	}
	all := waits()
	slices.Sort(all)
	if len(all) < 20 {
		t.Fatalf("/status was asked %d times", len(all))
	}
	t.Logf("%d attacks, %d answers of /status: %v in the middle, %v at most", len(attacks), len(all), all[len(all)/2], all[len(all)-1])
	if !raceEnabled && all[len(all)*99/100] > 100*time.Millisecond {
		t.Errorf("/status took %v, for one of a hundred", all[len(all)*99/100])
	}
	p.settled()
	until(t, 20*time.Second, "the victim to count", func() bool {
		return strings.HasPrefix(p.text("victim", "total"), fmt.Sprintf("%d messages", sent))
	})
	p.stop()
}

// allowed is three times memory_limit and 8 MiB, and what the module itself takes on its way in: as text, decoded, metered, compiled.
func allowed(a *wasmtest.Attack) int64 { return int64(3*(8<<20) + 8<<20 + 12*len(a.Module)) }

// attack deploys one, sends it a message, and looks at how it ends. It returns how much more memory than before the process had.
func (p *process) attack(a *wasmtest.Attack, n int) int64 {
	t := p.t
	before := p.memory("VmRSS")
	p.resetPeak()
	config := everything + a.Config
	if a.Where == "timer" {
		config += " ticker_interval = 1"
	}
	status, body := p.submitModule("plugins", "attack", config, a.Module)
	p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	outcome, reason := "ok", ""
	switch {
	case status == 422:
		outcome, reason = between(body, `"outcome":"`, `"`), between(body, `"error":"`, `",`)
		reason = strings.ReplaceAll(reason, `\u003e`, ">")
	case status != 201:
		t.Errorf("%s: %d %s", a.Name, status, body)
		return 0
	default:
		name := "analysis.attack"
		until(t, 20*time.Second, a.Name+" to end", func() bool {
			st := p.plugins()[name]
			outcome, reason = st.Outcome, st.Reason
			return st.State != runner.Running || a.Expected("ok", "") && st.Stats.Matched > 0
		})
		if outcome == "" {
			outcome = "ok"
		}
		if code, _ := p.remove(name); code != http.StatusNoContent {
			t.Errorf("%s is not removed: %d", a.Name, code)
		}
	}
	if !a.Expected(outcome, reason) {
		t.Errorf("%s ended with %s (%.200s), want %s", a.Name, outcome, reason, strings.Join(a.Expect, " or "))
	}
	return p.memory("VmHWM") - before
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// memory is a line of the process's status in bytes.
func (p *process) memory(key string) int64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if errors.Is(err, fs.ErrNotExist) { // no Linux: outcomes and the victim are looked at all the same
		return 0
	}
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return n << 10
		}
	}
	p.t.Fatalf("there is no %s", key)
	return 0
}

// resetPeak makes VmHWM begin anew.
func (p *process) resetPeak() {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil {
		p.t.Logf("the peak of memory is that of the whole run: %v", err)
	}
}

// askStatus asks until the function that it returns is called, which gives how long each answer took.
func (p *process) askStatus() func() []time.Duration {
	stop, done := make(chan struct{}), make(chan []time.Duration)
	go func() {
		var waits []time.Duration
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				done <- waits
				return
			case <-tick.C:
			}
			begun := time.Now()
			res, err := http.Get(p.url + "/status")
			if err != nil {
				continue
			}
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				waits = append(waits, time.Since(begun))
			}
		}
	}()
	return func() []time.Duration {
		close(stop)
		return <-done
	}
}
