package cmd

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/plugins/sdk/sdktest"
	"sandbar/sandbox/wasm/wasmtest"
)

// totalled is a config of the counter that tells its totals each second.
const totalled = "filename = 'NAME.wasm'\nmessage_matcher = \"Fields[docType] == 'reading'\"\nticker_interval = 1\npreserve_data = true\nmemory_limit = 33554432\nrows = 60\nseconds_per_row = 60\n"

// counterIn builds the counter of a language with the config totalled, and returns its folder.
func counterIn(t *testing.T, language, name string) string {
	return sdktest.New(t, language, name, map[string]string{"analysis/" + name + ".cfg": strings.ReplaceAll(totalled, "NAME", name)})
}

// text is the newest payload of a plugin by its name.
func (p *process) text(plugin, payload string) string {
	p.t.Helper()
	var answer struct {
		Series []struct {
			Text string
			Data json.RawMessage
		}
	}
	p.get("/plugins/"+plugin+"/series?payload="+payload, &answer)
	if len(answer.Series) == 0 {
		return ""
	}
	return answer.Series[0].Text + string(answer.Series[0].Data)
}

// TestModules deploys counters in C and Go on a running host, kills it twice under load, and holds their counts to the stream.
func TestModules(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := start(t, data, "serve")
	for _, language := range []string{"c", "go"} {
		dir := counterIn(t, language, "in_"+language)
		for _, args := range [][]string{{"test", dir}, {"plugin", "--to", p.url, "deploy", filepath.Join(dir, "analysis", "in_"+language+".cfg")}} {
			if out, errs, code := call(args...); code != 0 {
				t.Fatalf("%v: %d %s%s", args, code, out, errs)
			}
		}
	}
	sent := 0
	send := func() {
		for range 300 {
			sent++
			p.post("/submit/sensors/reading/1/"+docID(sent), reading(docID(sent)))
		}
	}
	for range 2 {
		send()
		p.kill()
		p = start(t, data, "serve")
	}
	send()
	p.settled()
	for _, name := range []string{"in_c", "in_go"} {
		until(t, 20*time.Second, name+" to tell its total", func() bool {
			return strings.HasPrefix(p.text(name, "total"), fmt.Sprintf("%d messages of ", sent))
		})
		var graph struct {
			Rows   int
			Values [][]*float64
		}
		if err := json.Unmarshal([]byte(p.text(name, "messages")), &graph); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, row := range graph.Values {
			if len(row) == 2 && row[0] != nil {
				sum += *row[0]
			}
		}
		if graph.Rows != 60 || sum != float64(sent) {
			t.Errorf("the graph of %s has %d rows with %v messages, want 60 with %d", name, graph.Rows, sum, sent)
		}
	}
	if c, g := p.text("in_c", "total"), p.text("in_go", "total"); c != g {
		t.Errorf("C counts %q, Go counts %q", c, g)
	}
	p.stop()
	total := 0
	for _, v := range messages(t, data, "valid") {
		if field(&v, "docType") == "reading" {
			total++
		}
	}
	if total != sent {
		t.Errorf("%d of %d submissions are on stream valid", total, sent)
	}
}

// TestModulesEnd runs a module that loops for ever and one that takes memory for ever, beside a counter that goes on.
func TestModulesEnd(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	dir := counterIn(t, "c", "victim")
	if out, errs, code := call("plugin", "--to", p.url, "deploy", filepath.Join(dir, "analysis", "victim.cfg")); code != 0 {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	for name, body := range map[string]string{
		"fuel_exhausted":  "for (;;) spin++;",
		"memory_exceeded": "for (;;) __builtin_wasm_memory_grow(0, 1);",
		"runtime_error":   "return sandbar_process(n + 1) + spin;",
	} {
		source := "#include \"sandbar.h\"\nstatic volatile int spin;\n__attribute__((noinline)) int sandbar_process(int n) { " + body + " }\n"
		module := sdktest.Module(t, "c", name, map[string]string{name + ".c": source})
		status, text := p.submitModule("plugins", name, everything, module)
		if status != 201 {
			t.Fatalf("%s: %d %s", name, status, text)
		}
	}
	for n := range 200 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	for _, want := range []string{"fuel_exhausted", "memory_exceeded", "runtime_error"} {
		until(t, 20*time.Second, want+" to end", func() bool { return p.plugins()["analysis."+want].State == runner.Terminated })
		if st := p.plugins()["analysis."+want]; st.Outcome != want || !strings.Contains(st.Reason, "sandbar_process") {
			t.Errorf("%s ended with %s: %s", want, st.Outcome, st.Reason)
		}
	}
	p.settled()
	until(t, 20*time.Second, "the victim to count", func() bool { return strings.HasPrefix(p.text("victim", "total"), "200 messages") })
	if status, text := p.submitModule("check", "broken", everything, []byte("\x00asm\x01\x00\x00\x00\x01\x05\x01")); status != 422 || !strings.Contains(text, "byte 8") {
		t.Errorf("a broken module: %d %s", status, text)
	}
	p.stop()
}

// TestCompilerEndsWithTheHost kills a host while it compiles what takes minutes: the process that compiles ends too.
func TestCompilerEndsWithTheHost(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("processes are looked for in /proc, which is not here")
	}
	var slow []byte
	for _, a := range wasmtest.Read(t, filepath.Join("..", "testdata", "hostile", "wasm")) {
		if a.Name == "compile-nested-loops" {
			slow = a.Module
		}
	}
	data := t.TempDir()
	compiling := func() bool {
		all, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(path string) bool {
			line, err := os.ReadFile(path) // a process may be gone by now
			return err == nil && bytes.Contains(line, []byte("compile-module")) && bytes.Contains(line, []byte(data))
		})
	}
	p := start(t, data, "serve")
	in, err := json.Marshal(map[string]any{"kind": "analysis", "name": "slow", "config": everything + "filename = 'x.wasm'", "source_base64": slow})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		p.post("/api/v1/plugins", in)
	}()
	until(t, 20*time.Second, "the compiler", compiling)
	p.kill()
	<-answered
	until(t, 10*time.Second, "the compiler to end", func() bool { return !compiling() })
}

// submitModule is submit for a module.
func (p *process) submitModule(path, name, config string, module []byte) (status int, body string) {
	in := map[string]any{"kind": "analysis", "name": name, "config": config + "\nfilename = 'x.wasm'", "source_base64": base64.StdEncoding.EncodeToString(module)}
	b, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.postJSON(path, b)
}

// TestPluginNew makes a plugin of each language that is built by one command, and tries it.
func TestPluginNew(t *testing.T) {
	t.Parallel()
	in := input(t, 30)
	for _, language := range []string{"lua", "c", "go", "rust", "as"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := command("plugin", "new", "--lang", language, "mine")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "sandbar test mine") {
				t.Fatalf("%v %s", err, out)
			}
			again := command("plugin", "new", "--lang", language, "mine")
			again.Dir = dir
			if out, err := again.CombinedOutput(); err == nil {
				t.Errorf("a folder that is there was taken: %s", out)
			}
			built := sdktest.New(t, language, "mine", nil)
			written, err := os.ReadFile(filepath.Join(dir, "mine", "analysis", "mine.cfg"))
			if err != nil {
				t.Fatal(err)
			}
			if same, err := os.ReadFile(filepath.Join(built, "analysis", "mine.cfg")); err != nil || string(same) != string(written) {
				t.Errorf("the config differs: %v", err)
			}
			if out, errs, code := call("test", built, "--input", in); code != 0 || !strings.Contains(out, "30 of 30 messages matched") {
				t.Errorf("%d %s%s", code, out, errs)
			}
			if out, errs, code := call("run", "--plugins", built, "--input", in); code != 0 || !strings.Contains(out, "analysis.mine") {
				t.Errorf("%d %s%s", code, out, errs)
			}
		})
	}
}
