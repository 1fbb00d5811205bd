package wasm

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"os"

	"sandbar/sandbox/lua"
	"sandbar/sandbox/sandboxtest"
)

// compileC makes a module of a C file, or skips the test where there is no clang for WebAssembly.
func compileC(t testing.TB, source string, flags ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.wasm")
	args := append([]string{"--target=wasm32", "-O2", "-nostdlib", "-fno-builtin", "-Wl,--no-entry", "-I", filepath.Join("..", "..", "plugins", "sdk", "c"), "-o", out, source}, flags...)
	clang, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("clang is not installed, which plugins in C are built with")
	}
	cmd := exec.Command(clang, args...)
	cmd.Env = []string{"PATH=" + filepath.Dir(clang) + ":/usr/bin:/bin"} // a wasm-opt elsewhere in the path would be run, and take names away
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func engine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return e
}

func TestSuite(t *testing.T) {
	source := compileC(t, filepath.Join("..", "..", "testdata", "subject", "subject.c"))
	e := engine(t)
	sandboxtest.Run(t, sandboxtest.Engine{Parse: lua.ParseConfig, Load: e.Load, Filename: "subject.wasm", Source: source})
}
