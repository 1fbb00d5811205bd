package wasm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/sandboxtest"
)

// TestCache: a module is compiled once, and again when what was made of it is damaged, gone, or only begun.
func TestCache(t *testing.T) {
	t.Parallel()
	dir, compiled := t.TempDir(), 0
	source := compileC(t, filepath.Join("..", "..", "testdata", "subject", "subject.c"))
	run := func() {
		t.Helper()
		e, err := New(t.Context(), Options{CacheDir: dir, Compile: func(ctx context.Context, code []byte) error { compiled++; return Compile(ctx, dir, code) }})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close(t.Context())
		for range 2 {
			p, err := loaded(e, "", source)
			if err != nil {
				t.Fatal(err)
			}
			if res := p.Process(sandboxtest.Sample(t)); res.Outcome != sandbox.OK {
				t.Fatal(res.Text)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	files := func() []string {
		all, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
		if err != nil || len(all) != 1 {
			t.Fatalf("%q %v", all, err)
		}
		return all
	}
	for i, change := range []func(){
		func() {},
		func() { // a byte of the code itself
			b, err := os.ReadFile(files()[0])
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(files()[0], b, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		func() {
			if err := os.Truncate(files()[0], 100); err != nil {
				t.Fatal(err)
			}
		},
		func() {
			if err := os.Remove(files()[0]); err != nil {
				t.Fatal(err)
			}
		},
	} {
		change()
		if err := os.MkdirAll(filepath.Join(dir, unfinished+"1", "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		run()
		run()
		if compiled != i+1 {
			t.Errorf("change %d: compiled %d times", i, compiled)
		}
		if left, err := filepath.Glob(filepath.Join(dir, unfinished+"*")); err != nil || len(left) > 0 {
			t.Errorf("%q is left over, %v", left, err)
		}
	}
	if err := clean(dir, 0); err != nil {
		t.Fatal(err)
	}
	if all, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*")); err != nil || len(all) > 0 {
		t.Errorf("%q stays in a cache of no size, %v", all, err)
	}
	no := errors.New("it takes too long")
	e, err := New(t.Context(), Options{CacheDir: t.TempDir(), Compile: func(context.Context, []byte) error { return no }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	var fault *sandbox.Error
	if _, err := loaded(e, "", source); !errors.As(err, &fault) || fault.Outcome != sandbox.LoadError || fault.Text != "compile the module: it takes too long" {
		t.Errorf("%v", err)
	}
}
