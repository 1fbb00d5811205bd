package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const web = ".."

// TestCommitted holds web/assets to what web/src makes now.
func TestCommitted(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(web, "node_modules", "uplot")); err != nil {
		t.Skip("uPlot is not in web/node_modules; npm ci in web brings it")
	}
	files, err := build(web)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app.js", "app.css", "theme.js", "favicon.svg", "editor.js", licence, editorLicence} {
		if len(files[name]) == 0 {
			t.Errorf("the bundle has no %s", name)
		}
	}
	entries, err := os.ReadDir(filepath.Join(web, "assets"))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(files) {
		t.Errorf("web/assets has %d files, the bundle %d: run go generate in web", len(entries), len(files))
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(web, "assets", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("web/assets/%s is not what web/src makes: run go generate in web (%v)", name, err)
		}
	}
}

// TestWrite replaces what was there, whatever it was.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, files := range []map[string][]byte{{"a": []byte("1"), "b": []byte("2")}, {"b": []byte("3"), "c": nil}} {
		if err := write(dir, files); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(dir, "assets"))
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != len(files) {
			t.Errorf("%d files, want %d", len(entries), len(files))
		}
		for name, want := range files {
			if got, err := os.ReadFile(filepath.Join(dir, "assets", name)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}

// TestWithoutLibrary says what to do.
func TestWithoutLibrary(t *testing.T) {
	t.Parallel()
	if _, err := build(t.TempDir()); err == nil || !bytes.Contains([]byte(err.Error()), []byte("npm ci")) {
		t.Errorf("got %v", err)
	}
}
