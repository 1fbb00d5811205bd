package wasm

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs holds the documents and the SDKs to the functions that there are.
func TestDocs(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	read := func(path ...string) string {
		b, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	page, wit := read("docs", "wasm.md"), read("plugins", "sdk", "sandbar.wit")
	header, rust, golang, as := read("plugins", "sdk", "c", "sandbar.h"), read("plugins", "sdk", "rust", "sandbar.rs"), read("plugins", "sdk", "go", "imports.go"), read("plugins", "sdk", "as", "sandbar.ts")
	known := map[string]bool{}
	for _, f := range apiFuncs() {
		known[f.name] = true
		for name, found := range map[string]bool{
			"docs/wasm.md": strings.Contains(page, "`"+f.name), "sandbar.wit": strings.Contains(wit, "  "+strings.ReplaceAll(f.name, "_", "-")+": func("),
			"sandbar.h": strings.Contains(header, "SB_IMPORT("+f.name+")"), "sandbar.rs": strings.Contains(rust, "pub fn "+f.name+"("),
			"imports.go": strings.Contains(golang, "//go:wasmimport sandbar_v1 "+f.name+"\n"), "sandbar.ts": strings.Contains(as, `"`+f.name+`")`),
		} {
			if !found {
				t.Errorf("%s does not have %s", name, f.name)
			}
		}
	}
	for _, m := range regexp.MustCompile(`SB_IMPORT\((\w+)\)|"sandbar_v1", "(\w+)"|wasmimport sandbar_v1 (\w+)`).FindAllStringSubmatch(strings.Replace(header, "SB_IMPORT(name)", "", 1)+as+golang, -1) {
		if name := m[1] + m[2] + m[3]; !known[name] {
			t.Errorf("an SDK has %s, which the host does not", name)
		}
	}
}
