// Package sdk holds what authors of plugins begin with, by language: the interface sandbar_v1 as one file or a tiny package, and a
// template that is a whole plugin: a counter of messages and bytes, the same in every language.
package sdk

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed lua c go rust as
var files embed.FS

// Language is one that plugins can be written in.
type Language struct {
	Name   string // as files lie under it
	Title  string
	Build  string            // the command that makes analysis/NAME.wasm in the plugin's folder; "" when there is nothing to build
	Needs  string            // what has to be installed for it
	shared map[string]string // files of the SDK itself, and where they go
}

// Languages lists them.
func Languages() []Language {
	return []Language{
		{Name: "lua", Title: "Lua"},
		{Name: "go", Title: "Go", Needs: "Go 1.24 or newer",
			Build:  "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags=-s -o analysis/NAME.wasm .",
			shared: map[string]string{"go/sandbar.go": "sandbar/sandbar.go", "go/imports.go": "sandbar/imports.go"}},
		{Name: "rust", Title: "Rust", Needs: "rustc with the target wasm32-unknown-unknown (rustup target add wasm32-unknown-unknown, or Debian's libstd-rust-dev-wasm32)",
			Build:  "rustc --edition 2021 --target wasm32-unknown-unknown --crate-type cdylib -C opt-level=3 -C panic=abort -C strip=debuginfo -o analysis/NAME.wasm src/lib.rs",
			shared: map[string]string{"rust/sandbar.rs": "src/sandbar.rs"}},
		{Name: "c", Title: "C", Needs: "clang and lld",
			Build:  "clang --target=wasm32 -O2 -nostdlib -fno-builtin -Wl,--no-entry -o analysis/NAME.wasm NAME.c",
			shared: map[string]string{"c/sandbar.h": "sandbar.h"}},
		{Name: "as", Title: "AssemblyScript", Needs: "Node.js and npm",
			Build:  "npm install --no-fund --no-audit && npx asc assembly/index.ts --outFile analysis/NAME.wasm -O --use abort=assembly/sandbar/abort",
			shared: map[string]string{"as/sandbar.ts": "assembly/sandbar.ts"}},
	}
}

// Find returns the language of a name.
func Find(name string) (Language, error) {
	var names []string
	for _, l := range Languages() {
		if l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return Language{}, fmt.Errorf("there is no language %q; there are %s", name, strings.Join(names, ", "))
}

// Command is Build for a plugin of that name.
func (l *Language) Command(name string) string { return strings.ReplaceAll(l.Build, "NAME", name) }

// Files are those of a new plugin, by their path in its folder.
func (l *Language) Files(name string) (map[string][]byte, error) {
	out := map[string][]byte{}
	root := path.Join(l.Name, "template")
	err := fs.WalkDir(files, root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(file)
		if err != nil {
			return err
		}
		to := strings.TrimSuffix(strings.TrimPrefix(file, root+"/"), ".tmpl")
		out[strings.ReplaceAll(to, "NAME", name)] = []byte(strings.ReplaceAll(string(text), "NAME", name))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the template for %s: %w", l.Title, err)
	}
	for from, to := range l.shared {
		if out[to], err = files.ReadFile(from); err != nil {
			return nil, fmt.Errorf("read the SDK for %s: %w", l.Title, err)
		}
	}
	out["README.md"] = []byte(l.readme(name))
	return out, nil
}

func (l *Language) readme(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nA plugin for Sandbar in %s: it counts messages and their bytes, as a graph and as a text.\n", name, l.Title)
	if l.Build != "" {
		fmt.Fprintf(&b, "\nBuild (needs %s):\n\n    %s\n", l.Needs, l.Command(name))
	}
	fmt.Fprintf(&b, "\nTry, from the folder above:\n\n    sandbar test %s --input FILE\n    sandbar plugin deploy %s/analysis/%s.cfg\n", name, name, name)
	return b.String()
}

// Paths are the files of a new plugin in their order.
func Paths(files map[string][]byte) []string {
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}
