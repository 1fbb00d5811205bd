package sdk_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sandbar/plugins"
	"sandbar/plugins/sdk"
	"sandbar/plugins/sdk/sdktest"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
	"sandbar/sandbox/wasm"
)

// TestSameInEveryLanguage runs the counter of each template over the same messages: what it makes has the same bytes.
func TestSameInEveryLanguage(t *testing.T) {
	t.Parallel()
	engine, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close(context.Background()) })
	want := counted(t, engine, "lua")
	if len(want) != 4 {
		t.Fatalf("the counter in Lua makes %d messages", len(want))
	}
	for _, l := range sdk.Languages() {
		if l.Name == "lua" {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			got := counted(t, engine, l.Name)
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || !bytes.Equal(got[i], want[i]) {
					t.Fatalf("message %d of %d differs:\n%q\nin Lua %d:\n%q", i, len(got), got[min(i, len(got)-1)], len(want), want[min(i, len(want)-1)])
				}
			}
		})
	}
}

// counted builds the counter of a language, gives it messages and two timer events, with a restart between them, and returns what it
// made.
func counted(t *testing.T, engine *wasm.Engine, language string) (made [][]byte) {
	dir := sdktest.New(t, language, "counter", nil)
	defs, err := plugins.Read(os.DirFS(dir))
	if err != nil || len(defs) != 1 {
		t.Fatalf("%d plugins in %s: %v", len(defs), dir, err)
	}
	cfg, err := lua.ParseConfig(defs[0].Kind, defs[0].Name, defs[0].Config)
	if err != nil {
		t.Fatal(err)
	}
	load := lua.Load
	if cfg.IsModule() {
		load = engine.Load
	}
	now := time.Unix(1_700_000_000, 0)
	env := sandbox.Env{Hostname: "host", Pid: 7, Seed: 3, Now: func() time.Time { return now },
		Emit: func(msg []byte) error { made = append(made, bytes.Clone(msg)); return nil },
		Log:  func(text string) { t.Errorf("it printed %s", text) }}
	var state []byte
	for round := range 2 {
		p, err := load(cfg, defs[0].Source, env)
		if err != nil {
			t.Fatal(err)
		}
		if round > 0 {
			if err := p.Restore(state); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 1000 {
			now = now.Add(10 * time.Millisecond)
			if res := p.Process(numbered(t, i, now)); res.Outcome != sandbox.OK || res.Status != 0 {
				t.Fatalf("%v %d %s", res.Outcome, res.Status, res.Text)
			}
		}
		if res := p.Timer(now.UnixNano(), round > 0); res.Outcome != sandbox.OK {
			t.Fatalf("%v %s", res.Outcome, res.Text)
		}
		if state, err = p.Snapshot(); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	return made
}

// TestReadme builds the plugin in Go that README.md shows.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```go\n(package main.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("README.md shows no plugin in Go")
	}
	sdktest.Module(t, "go", "errors", map[string]string{"main.go": string(block[1])})
}

func numbered(t *testing.T, i int, at time.Time) *message.View {
	var b message.Builder
	uuid := message.NewUUID(uint64(i), 1)
	b.SetUUID(uuid[:])
	b.SetTimestamp(at.UnixNano())
	b.SetHeader(message.Type, "sample")
	b.AddString("text", "", string(make([]byte, i%300)))
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestFiles(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\bNAME\b`)
	for _, l := range sdk.Languages() {
		files, err := l.Files("mine")
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range files {
			if named.Match(text) && !strings.Contains(path, "sandbar.") || filepath.Ext(path) == ".tmpl" {
				t.Errorf("%s: %s is left as it was in the template", l.Name, path)
			}
		}
		if files["analysis/mine.cfg"] == nil || files["README.md"] == nil {
			t.Errorf("%s: %v", l.Name, sdk.Paths(files))
		}
	}
	if _, err := sdk.Find("cobol"); err == nil {
		t.Error("there is a language cobol")
	}
}
