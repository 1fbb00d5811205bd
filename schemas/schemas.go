// Package schemas is the registry of JSON Schemas: which namespaces and document types are known, whether a
// document obeys its schema, and which scalar columns a schema declares.
//
// It reads NAMESPACE/DOCTYPE/DOCTYPE.VERSION.schema.json from a folder and reads it again when it changes.
package schemas

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sandbar/sandbox"
	"sandbar/sandbox/jsondoc"
	"sandbar/schemas/validator"
)

//go:embed shipped
var shipped embed.FS

// Shipped is the folder of schemas that come with the program.
func Shipped() fs.FS {
	sub, err := fs.Sub(shipped, "shipped")
	if err != nil { // cannot be: the folder is embedded
		return shipped
	}
	return sub
}

// Bounds of a folder.
const (
	maxFile    = 4 << 20
	maxSchemas = 20_000
)

// Problem is a file that is not, or not wholly, used.
type Problem struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// Registry answers for one folder. Its methods may be called at the same time.
type Registry struct {
	fsys fs.FS
	log  *slog.Logger
	now  atomic.Pointer[set]
	mu   sync.Mutex // one reload at a time
}

// id names a schema.
type id struct{ namespace, docType, version string }

// set is what a folder held when it was read. It does not change.
type set struct {
	schemas    map[id]*schema
	namespaces map[string]bool
	problems   []Problem
	signature  [32]byte
}

// schema is one file.
type schema struct {
	hash    [32]byte
	others  map[string][32]byte // files that it refers to, and their hashes
	program *validator.Program
	columns []Column
	ignored string // keywords that are not as the meta-schema wants them
}

// Open reads a folder. A file that cannot be used is a Problem, not an error.
func Open(fsys fs.FS, log *slog.Logger) (*Registry, error) {
	r := &Registry{fsys: fsys, log: log}
	r.now.Store(&set{})
	return r, r.Reload()
}

// OpenDir reads a directory.
func OpenDir(dir string, log *slog.Logger) (*Registry, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a directory")
	}
	if err != nil {
		return nil, fmt.Errorf("open schemas %s: %w", dir, err)
	}
	return Open(os.DirFS(dir), log)
}

// fileName is DOCTYPE.VERSION.schema.json.
var fileName = regexp.MustCompile(`^(.+)\.(\d{1,9})\.schema\.json$`)

// Reload reads the folder again. A schema that got worse keeps its last good form.
func (r *Registry) Reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	signature, files, err := r.scan()
	if err != nil {
		return err
	}
	old := r.now.Load()
	next := &set{schemas: map[id]*schema{}, namespaces: map[string]bool{}, signature: signature}
	type job struct {
		name string
		id   id
	}
	var jobs []job
	for _, name := range files {
		dir, base := path.Split(name)
		m := fileName.FindStringSubmatch(base)
		parts := strings.Split(strings.TrimSuffix(dir, "/"), "/")
		if len(parts) != 2 || m == nil || m[1] != parts[1] {
			next.problems = append(next.problems, Problem{name, "its place is not NAMESPACE/DOCTYPE/DOCTYPE.VERSION.schema.json"})
			continue
		}
		next.namespaces[parts[0]] = true
		jobs = append(jobs, job{name, id{parts[0], parts[1], m[2]}})
	}
	in := &folder{fsys: r.fsys, files: files}
	var mu sync.Mutex
	var wg sync.WaitGroup
	gate := make(chan struct{}, 4)
	for _, j := range jobs {
		wg.Add(1)
		gate <- struct{}{}
		go func() {
			defer func() { <-gate; wg.Done() }()
			s, err := r.read(j.name, old.schemas[j.id], in)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				next.problems = append(next.problems, Problem{j.name, err.Error()})
				s = old.schemas[j.id]
			} else if s.ignored != "" {
				next.problems = append(next.problems, Problem{j.name, s.ignored})
			}
			if s != nil {
				next.schemas[j.id] = s
			}
		}()
	}
	wg.Wait()
	slices.SortFunc(next.problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	for _, p := range next.problems {
		if !slices.Contains(old.problems, p) {
			r.log.Warn("a schema is not wholly used", "path", p.Path, "problem", p.Text)
		}
	}
	r.now.Store(next)
	return nil
}

// scan lists the files, and a signature that changes when one of them does.
func (r *Registry) scan() (signature [32]byte, files []string, err error) {
	sum := sha256.New()
	err = fs.WalkDir(r.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !strings.HasSuffix(name, ".schema.json") {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		if files = append(files, name); len(files) > maxSchemas {
			return fmt.Errorf("more than %d schemas", maxSchemas)
		}
		fmt.Fprintln(sum, name, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		return signature, nil, fmt.Errorf("read schemas: %w", err)
	}
	return [32]byte(sum.Sum(nil)), files, nil
}

// read compiles a file, unless it is what it was.
func (r *Registry) read(name string, old *schema, in *folder) (*schema, error) {
	text, err := readFile(r.fsys, name)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(text)
	if old != nil && old.hash == hash && in.same(old.others) {
		return old, nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	others := &references{folder: in, found: map[string][32]byte{}}
	s := &schema{hash: hash, others: others.found}
	if s.program, s.ignored, err = compile(name, doc, others); err != nil {
		return nil, err
	}
	s.columns = columnsOf(doc)
	return s, nil
}

// Watch reloads when the folder has changed, until ctx ends. It looks every interval.
func (r *Registry) Watch(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		signature, _, err := r.scan()
		if err == nil && signature != r.now.Load().signature {
			r.log.Info("schemas changed and are read again")
			err = r.Reload()
		}
		if err != nil {
			r.log.Error("schemas could not be read; those from before stay in use", "error", err)
		}
	}
}

// HasNamespace says whether there is a schema in the namespace.
func (r *Registry) HasNamespace(namespace string) bool { return r.now.Load().namespaces[namespace] }

// Namespaces are those that have schemas, sorted.
func (r *Registry) Namespaces() []string {
	return slices.Sorted(maps.Keys(r.now.Load().namespaces))
}

// Len is the number of schemas in use.
func (r *Registry) Len() int { return len(r.now.Load().schemas) }

// Problems are the files that are not, or not wholly, used, by path.
func (r *Registry) Problems() []Problem { return slices.Clone(r.now.Load().problems) }

// Validate implements sandbox.Schemas.
func (r *Registry) Validate(namespace, docType, version string, doc jsondoc.Value, spend func(fuel int64)) sandbox.Verdict {
	s := r.now.Load().schemas[id{namespace, docType, version}]
	if s == nil {
		return sandbox.Verdict{}
	}
	return s.verdict(doc, spend)
}

// Columns are the scalar values that a schema declares, nil when there is no such schema.
func (r *Registry) Columns(namespace, docType, version string) []Column {
	s := r.now.Load().schemas[id{namespace, docType, version}]
	if s == nil {
		return nil
	}
	return s.columns
}
