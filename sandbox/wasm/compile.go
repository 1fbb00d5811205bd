package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// newRuntime is wazero with what all plugins run on.
func newRuntime(ctx context.Context, cacheDir string) (wazero.Runtime, wazero.CompilationCache, error) {
	cache := wazero.NewCompilationCache()
	if cacheDir != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
			return nil, nil, fmt.Errorf("open the cache of compiled modules %s: %w", cacheDir, err)
		}
	}
	// A metered module has custom sections of ours only; see meter.Options.Offsets.
	config := wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache).WithCoreFeatures(api.CoreFeaturesV2)
	return wazero.NewRuntimeWithConfig(ctx, config), cache, nil
}

// Compile compiles a metered module into the cache of a folder. Some kilobytes of code can take minutes and gigabytes: loops in loops
// with many locals. So it belongs into a process of its own.
func Compile(ctx context.Context, cacheDir string, code []byte) error {
	r, cache, err := newRuntime(ctx, cacheDir)
	if err != nil {
		return err
	}
	_, err = r.CompileModule(ctx, code)
	return errors.Join(err, r.Close(ctx), cache.Close(ctx))
}

// compile gives a module's code: from the cache, or from the one process at a time that compiles.
func (e *Engine) compile(ctx context.Context, code []byte) (wazero.CompiledModule, error) {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("compile the module: others are being compiled: %w", ctx.Err())
	}
	if e.opt.Compile != nil {
		mark := e.mark(code)
		if _, err := os.Stat(mark); err != nil {
			if err := e.opt.Compile(ctx, code); err != nil {
				return nil, fmt.Errorf("compile the module: %w", err)
			}
			if err := makeMark(mark); err != nil {
				return nil, err
			}
		}
	}
	c, err := e.runtime.CompileModule(experimental.WithCompilationWorkers(context.Background(), 1), code)
	if err != nil {
		return nil, fmt.Errorf("compile the module: %w", err)
	}
	return c, nil
}

// mark is the file that says that this wazero compiles the code within the bounds. What is compiled lies elsewhere in the cache; when
// that is gone it takes no more than before to make it again.
func (e *Engine) mark(code []byte) string {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				version = d.Version
			}
		}
	}
	hash := sha256.Sum256(code)
	return filepath.Join(e.opt.CacheDir, "bounded-"+version+"-"+runtime.GOARCH, hex.EncodeToString(hash[:]))
}

func makeMark(path string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, nil, 0o600)
	}
	if err != nil {
		return fmt.Errorf("note that a module can be compiled: %w", err)
	}
	return nil
}
