package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/host/runner"
)

// submit sends a plugin to the API and returns the answer.
func (p *process) submit(path, name, config, source string) (status int, body string, took time.Duration) {
	p.t.Helper()
	in, err := json.Marshal(map[string]any{"kind": "analysis", "name": name, "config": config, "source": source})
	if err != nil {
		p.t.Fatal(err)
	}
	start := time.Now()
	status, body = p.postJSON(path, in)
	return status, body, time.Since(start)
}

// postJSON posts to the API.
func (p *process) postJSON(path string, in []byte) (status int, body string) {
	p.t.Helper()
	res, err := http.Post(p.url+"/api/v1/"+path, "application/json", bytes.NewReader(in))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// remove removes a plugin by the API.
func (p *process) remove(name string) (status int, took time.Duration) {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodDelete, p.url+"/api/v1/plugins/"+name, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	start := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode, time.Since(start)
}

const (
	everything  = "message_matcher = 'TRUE'\n"
	loopAtLoad  = "while true do end"
	loopInCall  = "function process_message() while true do end end"
	growInCall  = "local t = {} function process_message() local i = 0 while true do i = i + 1 t[i] = {i} end end"
	wellBehaved = "n = 0 function process_message() n = n + 1 return 0 end"
)

// TestLimitsAreTheHosts: an author cannot choose to have no limits; 0 is the ceiling, and above it a plugin is refused.
func TestLimitsAreTheHosts(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	for _, c := range []struct {
		path, config, source string
		status               int
		want                 string
	}{
		{"plugins", "instruction_limit = 0 memory_limit = 0", loopAtLoad, 422, "fuel_exhausted"},
		{"check", "instruction_limit = 0", loopAtLoad, 422, "fuel_exhausted"},
		{"plugins", "instruction_limit = 4294967295", wellBehaved, 422, "10000000"},
		{"check", "instruction_limit = 10000001", wellBehaved, 422, "limits.analysis.instruction_limit"},
		{"plugins", "memory_limit = 4294967295", wellBehaved, 422, "67108864"},
		{"plugins", "output_limit = 4294967295", wellBehaved, 422, "output_limit"},
		{"plugins", "process_message_inject_limit = 1000", wellBehaved, 422, "at most 100"},
		{"plugins", "timer_event_inject_limit = 200 ticker_interval = 1", wellBehaved, 422, "at most 100"},
		{"plugins", "instruction_limit = 10000000 memory_limit = 67108864 timer_event_inject_limit = 100", wellBehaved, 201, ""},
	} {
		status, body, took := p.submit(c.path, "limits", everything+c.config, c.source)
		if status != c.status || !strings.Contains(body, c.want) || took > 20*time.Second {
			t.Errorf("%s %s: %d after %v %s", c.path, c.config, status, took, body)
		}
	}
	if status, body, _ := p.submit("plugins", "zero", everything+"instruction_limit = 0 memory_limit = 0", growInCall); status != 201 || !strings.Contains(body, `"memory_limit":67108864`) {
		t.Errorf("%d %s", status, body)
	}
	p.post("/submit/sensors/reading/1/"+docID(1), reading(docID(1)))
	until(t, 30*time.Second, "the end of the plugin that grows", func() bool { return p.plugins()["analysis.zero"].State == runner.Terminated })
	if s := p.plugins()["analysis.zero"]; s.Outcome != "memory_exceeded" && s.Outcome != "fuel_exhausted" {
		t.Errorf("it ended with %s", s.Outcome)
	}
	p.stop()
}

// generous is the config of a host whose ceilings let a call go on for an hour.
func generous(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "host.toml")
	if err := os.WriteFile(file, []byte("[limits.analysis]\ninstruction_limit = 100_000_000_000\ncall_time = \"1h\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestLoopHoldsNobodyUp: beside a plugin in an endless call others are deployed, run and removed, it can be removed itself,
// and SIGTERM ends the host in less than 10 s.
func TestLoopHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve", "--config", generous(t))
	deploy := func(name, source string) {
		t.Helper()
		if status, body, took := p.submit("plugins", name, everything+"instruction_limit = 0", source); status != 201 || took > 10*time.Second {
			t.Fatalf("%s: %d after %v %s", name, status, took, body)
		}
	}
	deploy("loop", loopInCall)
	deploy("good", wellBehaved)
	p.post("/submit/sensors/reading/1/"+docID(1), reading(docID(1)))
	until(t, 20*time.Second, "the loop to be at work", func() bool {
		text, _ := os.ReadFile(filepath.Join(p.data, "deaths.json"))
		return strings.Contains(string(text), "analysis.loop")
	})
	deploy("after", wellBehaved)
	for _, name := range []string{"after", "loop"} {
		if status, took := p.remove("analysis." + name); status != 204 || took > 8*time.Second {
			t.Errorf("removing %s: %d after %v", name, status, took)
		}
	}
	deploy("loop", loopInCall)
	in := fmt.Sprintf(`{"kind":"analysis","name":"loading","config":%q,"source":%q}`, everything+"instruction_limit = 0", loopAtLoad)
	go http.Post(p.url+"/api/v1/check", "application/json", strings.NewReader(in)) // has no answer before the host ends
	p.post("/submit/sensors/reading/1/"+docID(2), reading(docID(2)))
	until(t, 20*time.Second, "the other plugin to go on", func() bool { return p.plugins()["analysis.good"].Stats.Matched >= 2 })
	begun := time.Now()
	p.cmd.Process.Signal(os.Interrupt)
	<-p.done
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the end of the host took %v\n%s", took, p.logged())
	} else {
		t.Logf("the host ended in %v", took)
	}
}

// TestQuarantine: after three deaths with the same plugin at work the host starts without it and says so; with --safe it
// starts without any submitted plugin.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	data, config := t.TempDir(), generous(t)
	for run := range 3 {
		p := start(t, data, "serve", "--config", config)
		if run == 0 {
			for name, source := range map[string]string{"loop": loopInCall, "good": wellBehaved} {
				if status, body, _ := p.submit("plugins", name, everything+"instruction_limit = 0", source); status != 201 {
					t.Fatal(status, body)
				}
			}
			p.post("/submit/sensors/reading/1/"+docID(run), reading(docID(run)))
		}
		until(t, 30*time.Second, "the loop to be at work", func() bool {
			text, _ := os.ReadFile(filepath.Join(data, "deaths.json"))
			return strings.Contains(string(text), `"at_work":["analysis.loop"]`)
		})
		p.kill()
	}
	p := start(t, data, "serve", "--safe")
	all := p.plugins()
	if s := all["analysis.good"]; s.State == runner.Running || !strings.Contains(s.Reason, "--safe") {
		t.Errorf("with --safe: %+v", s)
	}
	if s := all["analysis.rate"]; s.State != runner.Running {
		t.Errorf("with --safe a shipped plugin is %s", s.State)
	}
	check := func(p *process) {
		t.Helper()
		if s := p.plugins()["analysis.loop"]; s.State != runner.Terminated || s.Outcome != "quarantined" || s.Reason == "" {
			t.Errorf("after three deaths: %+v", s)
		}
	}
	check(p)
	p.stop()
	p = start(t, data, "serve", "--config", config)
	check(p)
	if s := p.plugins()["analysis.good"]; s.State != runner.Running {
		t.Errorf("the other plugin: %+v", s)
	}
	p.stop()
}

// TestWarnings: what can be loaded and is odd all the same is told by a check.
func TestWarnings(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	status, body, _ := p.submit("check", "odd", "filename = 'odd.lua' message_matcher = 'TRUE' ticker_interval = 2 preserve_dat = true", "function process_message() return 0 end")
	if status != http.StatusOK || !strings.Contains(body, "did you mean preserve_data?; the config has a ticker_interval of 2 s and the source no function timer_event") {
		t.Errorf("%d %s", status, body)
	}
	p.post("/submit/sensors/reading/1/"+docID(0), reading(docID(0)))
	p.settled()
	_, body, _ = p.submit("check", "slip", "filename = 'slip.lua' message_matcher = \"Type == 'validted'\"", "function process_message() return 0 end")
	if !strings.Contains(body, "its message_matcher takes none of the newest 1 messages of valid, errors, back to ") {
		t.Errorf("a matcher that takes nothing: %s", body)
	}
	p.stop()
}
