// Package plugins holds the plugins that ship, and reads a folder of plugins: ours, a user's, or one laid
// out for Hindsight. It knows files and names; it does not evaluate a config or run a source.
package plugins

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"sandbar/sandbox"
)

//go:embed decoder analysis output
var shipped embed.FS

// Shipped is the folder of plugins that come with the program.
func Shipped() fs.FS { return shipped }

// Definition is a plugin as it lies in a folder: not evaluated, not compiled.
type Definition struct {
	Kind   sandbox.Kind
	Name   string // file name of the config without .cfg
	Config []byte
	Source []byte
	Path   string // of the config, for messages
}

// Logger is the name under which the plugin runs.
func (d *Definition) Logger() string { return string(d.Kind) + "." + d.Name }

// Module says whether the source is a WASM module.
func (d *Definition) Module() bool { return sandbox.IsModule(sourceName(d.Config, d.Name)) }

// SourcePath is where the source lies, for messages.
func (d *Definition) SourcePath() string {
	return path.Join(path.Dir(d.Path), sourceName(d.Config, d.Name))
}

// Bounds of what is read; a larger file is an error.
const (
	MaxConfig = 64 << 10
	maxSource = 256 << 10
	maxModule = 10 << 20
)

// MaxSource is the most bytes of a source: of Lua, or of a WASM module.
func MaxSource(filename string) int {
	if sandbox.IsModule(filename) {
		return maxModule
	}
	return maxSource
}

var (
	validName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
	// filenameKey finds the source that a config names without evaluating it; the evaluated config decides
	// when the plugin is loaded.
	filenameKey = regexp.MustCompile(`(?m)^\s*filename\s*=\s*["']([^"'\n]*)["']`)
)

// CheckName says whether a plugin may have this name.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("plugin name %q is not 1 to 64 letters, digits, '_', '-' or '.', starting with a letter, digit or '_'", name)
	}
	return nil
}

// Read returns the plugins under root/{decoder,analysis,output}: NAME.cfg with its source beside it, or a
// folder that holds both. What cannot be read is left out and told in the error, which joins all causes.
func Read(root fs.FS) ([]Definition, error) {
	var defs []Definition
	var errs []error
	for _, kind := range []sandbox.Kind{sandbox.Decoder, sandbox.Analysis, sandbox.Output} {
		seen := map[string]string{}
		for _, cfg := range configs(root, string(kind)) {
			d, err := readOne(root, kind, cfg)
			if err == nil && seen[d.Name] != "" {
				err = fmt.Errorf("plugin %s: two configs have this name, %s and %s; rename one", d.Logger(), seen[d.Name], cfg)
			}
			if err != nil {
				errs = append(errs, err)
				continue
			}
			seen[d.Name] = cfg
			defs = append(defs, *d)
		}
	}
	return defs, errors.Join(errs...)
}

// configs lists kind/NAME.cfg and kind/FOLDER/NAME.cfg.
func configs(root fs.FS, kind string) []string {
	flat, _ := fs.Glob(root, kind+"/*.cfg")
	nested, _ := fs.Glob(root, kind+"/*/*.cfg")
	return append(flat, nested...)
}

// ReadOne returns the plugin of one config, whose kind the caller knows. root should lead nowhere else (os.Root).
func ReadOne(root fs.FS, cfg string) (*Definition, error) { return readOne(root, "", cfg) }

func readOne(root fs.FS, kind sandbox.Kind, cfg string) (*Definition, error) {
	d := &Definition{Kind: kind, Name: strings.TrimSuffix(path.Base(cfg), ".cfg"), Path: cfg}
	if err := CheckName(d.Name); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg, err)
	}
	var err error
	if d.Config, err = readBounded(root, cfg, MaxConfig); err != nil {
		return nil, err
	}
	source := sourceName(d.Config, d.Name)
	if source != path.Base(source) || strings.ContainsRune(source, '\\') {
		return nil, fmt.Errorf("%s: filename %q must name a file beside the config", cfg, source)
	}
	if d.Source, err = readBounded(root, path.Join(path.Dir(cfg), source), int64(MaxSource(source))); err != nil {
		return nil, err
	}
	return d, nil
}

// sourceName is the file that a config names as its source, or NAME.lua when it names none.
func sourceName(config []byte, name string) string {
	if m := filenameKey.FindSubmatch(config); m != nil {
		return string(m[1])
	}
	return name + ".lua"
}

// MaxState bounds the size of a state that Hindsight wrote.
const MaxState = 64 << 20

// State is what Hindsight preserved of a plugin: KIND/KIND.NAME.data beside its config, the name that Hindsight gives the file. It is nil where there is none.
func State(root fs.FS, kind sandbox.Kind, name string) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	state, err := readBounded(root, path.Join(string(kind), string(kind)+"."+name+".data"), MaxState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return state, err
}

func readBounded(root fs.FS, name string, limit int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read plugin file: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() { // a pipe would never end
		return nil, errors.Join(fmt.Errorf("read plugin file %s: it is not a regular file", name), err)
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read plugin file %s: %w", name, err)
	}
	if n > limit {
		return nil, fmt.Errorf("plugin file %s is larger than %d bytes", name, limit)
	}
	return b.Bytes(), nil
}
