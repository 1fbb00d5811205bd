// Package sdktest builds plugins for tests, as an author would: it writes the template of a language and runs the command that
// `sandbar plugin new` prints.
package sdktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/plugins/sdk"
)

// New writes a new plugin and builds it. It returns the plugin's folder, or skips the test when the language's tools are not
// installed. Files of change replace or join those of the template.
func New(t testing.TB, language, name string, change map[string]string) string {
	t.Helper()
	l, err := sdk.Find(language)
	if err != nil {
		t.Fatal(err)
	}
	files, err := l.Files(name)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range change {
		files[path] = []byte(text)
	}
	dir := filepath.Join(t.TempDir(), name)
	for path, text := range files {
		to := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if l.Build == "" {
		return dir
	}
	path := installed(t, l.Name)
	cmd := exec.Command("sh", "-c", l.Command(name))
	cmd.Dir = dir
	// The flags of a build with the race detector mean nothing to another target.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "PATH="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", l.Command(name), err, out)
	}
	return dir
}

// Module is New, and the bytes of the module.
func Module(t testing.TB, language, name string, change map[string]string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(New(t, language, name, change), "analysis", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// installed skips the test where a language's tools are missing, and returns the PATH that they are found with.
func installed(t testing.TB, language string) string {
	t.Helper()
	path := os.Getenv("PATH")
	for _, tool := range map[string][]string{"go": {"go"}, "c": {"clang", "wasm-ld"}, "rust": {"rustc"}, "as": {"node", "npm"}}[language] {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed, which plugins in %s are built with", tool, language)
		}
	}
	if language == "rust" {
		for _, dir := range append([]string{""}, "/usr/bin") { // one of rustup may hide Debian's, which has the target
			at := path
			if dir != "" {
				at = dir + string(os.PathListSeparator) + path
			}
			if hasTarget(dir) {
				return at
			}
		}
		t.Skip("rustc has no target wasm32-unknown-unknown")
	}
	return path
}

func hasTarget(dir string) bool {
	rustc := "rustc"
	if dir != "" {
		rustc = filepath.Join(dir, "rustc")
	}
	out, err := exec.Command(rustc, "--print", "target-libdir", "--target", "wasm32-unknown-unknown").Output()
	if err != nil {
		return false
	}
	_, err = os.Stat(strings.TrimSpace(string(out)))
	return err == nil
}

// Program is a module of a program in Go that has a main function, for interfaces that are not ours.
func Program(t testing.TB, source string) []byte {
	t.Helper()
	installed(t, "go")
	dir := t.TempDir()
	for name, text := range map[string]string{"main.go": source, "go.mod": "module program\n\ngo 1.24\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-ldflags=-s", "-o", "out.wasm", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "out.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
