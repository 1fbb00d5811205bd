package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

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
// with many locals. So it belongs into a process of its own. What it has made is noted with its hash, since it is run later.
func Compile(ctx context.Context, cacheDir string, code []byte) error {
	dir, err := os.MkdirTemp(cacheDir, unfinished)
	if err != nil {
		return fmt.Errorf("make a folder for what is compiled: %w", err)
	}
	defer os.RemoveAll(dir)
	r, cache, err := newRuntime(ctx, dir)
	if err != nil {
		return err
	}
	_, err = r.CompileModule(ctx, code)
	if err = errors.Join(err, r.Close(ctx), cache.Close(ctx)); err != nil {
		return err
	}
	made, err := filepath.Glob(filepath.Join(dir, "*", "*")) // one file in the folder of wazero's version
	if err != nil || len(made) != 1 {
		return fmt.Errorf("wazero made %d files of a module: %w", len(made), err)
	}
	sum, err := fileSum(made[0])
	if err != nil {
		return err
	}
	name, err := filepath.Rel(dir, made[0])
	if err != nil {
		return err
	}
	to := filepath.Join(cacheDir, name)
	mark := markOf(cacheDir, code)
	for _, d := range []string{filepath.Dir(to), filepath.Dir(mark)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	if err := os.Rename(made[0], to); err != nil {
		return err
	}
	text := filepath.Join(dir, "mark")
	if err := os.WriteFile(text, []byte(filepath.ToSlash(name)+" "+sum+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(text, mark)
}

// unfinished begins the name of a folder in which a module was being compiled.
const unfinished = "compiling-"

// markOf is the file that says what this wazero has made of a module's code within the bounds: a file and its hash.
func markOf(cacheDir string, code []byte) string {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				version = d.Version
			}
		}
	}
	hash := sha256.Sum256(code)
	return filepath.Join(cacheDir, "made-"+version+"-"+runtime.GOARCH, hex.EncodeToString(hash[:]))
}

// cached says whether the cache has a module's code, whole.
func cached(cacheDir string, code []byte) bool {
	text, err := os.ReadFile(markOf(cacheDir, code))
	if err != nil {
		return false
	}
	name, want, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return false
	}
	sum, err := fileSum(filepath.Join(cacheDir, filepath.FromSlash(name)))
	return err == nil && sum == want
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// maxCache is how many bytes of compiled modules are kept over a start.
const maxCache = 2 << 30

// clean removes what was left of compilations that were ended, and the oldest modules above so many bytes; those are compiled anew when
// they are needed.
func clean(cacheDir string, most int64) error {
	left, err := filepath.Glob(filepath.Join(cacheDir, unfinished+"*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	made, gerr := filepath.Glob(filepath.Join(cacheDir, "wazero-*", "*"))
	if err = errors.Join(err, gerr); err != nil {
		return err
	}
	type file struct {
		path string
		info os.FileInfo
	}
	var files []file
	total := int64(0)
	for _, path := range made {
		if info, err := os.Stat(path); err == nil {
			files = append(files, file{path, info})
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b file) int { return a.info.ModTime().Compare(b.info.ModTime()) })
	for _, f := range files {
		if total <= most {
			break
		}
		if err := os.Remove(f.path); err != nil {
			return err
		}
		total -= f.info.Size()
	}
	return nil
}

// compile gives a module's code: from the cache, or from the one process at a time that compiles.
func (e *Engine) compile(ctx context.Context, code []byte) (wazero.CompiledModule, error) {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("compile the module: others are being compiled: %w", ctx.Err())
	}
	if e.opt.Compile != nil && !cached(e.opt.CacheDir, code) {
		if err := e.opt.Compile(ctx, code); err != nil {
			return nil, fmt.Errorf("compile the module: %w", err)
		}
		if !cached(e.opt.CacheDir, code) {
			return nil, fmt.Errorf("compile the module: what was made of it is not in %s", e.opt.CacheDir)
		}
	}
	c, err := e.runtime.CompileModule(experimental.WithCompilationWorkers(context.Background(), 1), code)
	if err != nil {
		return nil, fmt.Errorf("compile the module: %w", err)
	}
	return c, nil
}
