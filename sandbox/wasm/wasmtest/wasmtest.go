// Package wasmtest makes modules for tests of their text, and reads the attacks of testdata/hostile/wasm.
//
// An attack is a .wat file, a template with the functions below, or a .hex file, bytes in hexadecimal. Its first lines say
// ";; expect: OUTCOME part of the text", several with "or"; ";; in: load, process (if nothing is said), timer or compile"; and
// ";; config: lines of the config".
package wasmtest

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

// Attack is one file.
type Attack struct {
	Name   string
	Where  string // load, process, timer or compile
	Expect []string
	Config string
	Module []byte
}

// Expected says whether an ending is one that the attack may have.
func (a *Attack) Expected(outcome, text string) bool {
	for _, e := range a.Expect {
		want, part, _ := strings.Cut(e, " ")
		if want == outcome && strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// plugin is what every module of ours has.
const plugin = `(memory (export "memory") 1) (func (export "sandbar_v1"))`

func functions() template.FuncMap {
	return template.FuncMap{
		"plugin": func() string { return plugin },
		"repeat": func(n int, s string) string { return strings.Repeat(s, n) },
		"add":    func(a, b int) int { return a + b },
		"n": func(n int) []int {
			out := make([]int, n)
			for i := range out {
				out[i] = i
			}
			return out
		},
	}
}

// Assemble makes a module of its text, or skips the test where wat2wasm of wabt is missing.
func Assemble(t testing.TB, name, text string) []byte {
	t.Helper()
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm of wabt is not installed, which makes modules of their text")
	}
	tpl, err := template.New(name).Funcs(functions()).Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, name+".wat"), filepath.Join(dir, name+".wasm")
	f, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := tpl.Execute(f, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(tool, in, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%.2000s", name, err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Read reads the attacks of a folder.
func Read(t testing.TB, dir string) []Attack {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	var out []Attack
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, kind, _ := strings.Cut(filepath.Base(path), ".")
		a := Attack{Name: name, Where: "process"}
		body := a.head(string(text))
		if len(a.Expect) == 0 {
			t.Errorf("%s does not say how it ends", path)
		}
		if kind == "hex" {
			a.Module, err = hex.DecodeString(strings.Join(strings.Fields(body), ""))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		} else {
			a.Module = Assemble(t, name, body)
		}
		out = append(out, a)
	}
	return out
}

// head reads the first lines and returns what follows.
func (a *Attack) head(text string) string {
	for {
		line, rest, _ := strings.Cut(text, "\n")
		said, ok := strings.CutPrefix(line, ";; ")
		if !ok {
			return text
		}
		key, value, _ := strings.Cut(said, ": ")
		switch key {
		case "expect":
			a.Expect = strings.Split(value, " or ")
		case "in":
			a.Where = value
		case "config":
			a.Config = value
		}
		text = rest
	}
}
