package lake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sandbar/host/bucket"
	"sandbar/schemas"
)

// names gives the values that schemas declare their columns, and keeps them: a column always means the same property, in
// every file and version of a schema, whatever properties come later. What was given stands in the bucket beside the files, as
// lake/columns/NAMESPACE/DOCTYPE/N.json: the column by the property's path, a JSON array. Whoever gives further names writes
// N + 1.json, which only one can: hosts that share a bucket agree.
type names struct {
	bucket   Bucket
	owner    string
	declared Columns

	mu    sync.Mutex
	given map[string]*given // by folder
}

// given are the names of a document type as they are in its newest object, whose number is n; 0 is DOCTYPE.json, from before there
// were numbers, or none.
type given struct {
	n     int
	names map[string]string
}

// maxNames bounds a file of names when it is read.
const maxNames = 16 << 20

// columns are those that the schema declares, with the names that they have for good.
func (n *names) columns(ctx context.Context, namespace, docType, version string) ([]schemas.Column, error) {
	if n.declared == nil {
		return nil, nil
	}
	declared := n.declared.Columns(namespace, docType, version)
	if len(declared) == 0 {
		return nil, nil
	}
	folder := "lake/columns/" + keySegment(namespace) + "/" + keySegment(docType)
	n.mu.Lock()
	defer n.mu.Unlock()
	all, err := n.complete(ctx, folder, declared)
	if err != nil {
		return nil, fmt.Errorf("lake: names of the columns of %s %s: %w", namespace, docType, err)
	}
	out := slices.Clone(declared)
	for i := range out {
		out[i].Name = all[pathKey(out[i].Path)]
	}
	return out, nil
}

// complete are the names that were given, with those that are wanted.
func (n *names) complete(ctx context.Context, folder string, declared []schemas.Column) (map[string]string, error) {
	for {
		g, err := n.load(ctx, folder)
		if err != nil {
			return nil, err
		}
		all := maps.Clone(g.names)
		if !give(all, declared) {
			return all, nil
		}
		err = n.save(ctx, folder, g.n+1, all)
		if err == nil {
			n.given[folder] = &given{g.n + 1, all}
			return all, nil
		}
		delete(n.given, folder)
		if !errors.Is(err, bucket.ErrExist) { // or else another host was quicker
			return nil, err
		}
	}
}

// give names those that have no name yet, and reports whether there were any. Of several that come together a property
// whose path is written as the column is called has it; the others, and those that come later, get something of a hash behind.
func give(given map[string]string, declared []schemas.Column) bool {
	taken := make(map[string]bool, len(given))
	for _, name := range given {
		taken[name] = true
	}
	var fresh []schemas.Column
	for _, c := range declared {
		if given[pathKey(c.Path)] == "" {
			fresh = append(fresh, c)
		}
	}
	asWritten := func(c schemas.Column) int {
		if strings.Join(c.Path, "_") == snake(c.Name) {
			return len(c.Path)
		}
		return 1 << 20
	}
	slices.SortStableFunc(fresh, func(a, b schemas.Column) int {
		return cmp.Or(asWritten(a)-asWritten(b), slices.Compare(a.Path, b.Path))
	})
	for _, c := range fresh {
		name := snake(c.Name)
		if taken[name] {
			name += "_" + hash(pathKey(c.Path))
		}
		name = free(name, func(s string) bool { return taken[s] })
		given[pathKey(c.Path)], taken[name] = name, true
	}
	return len(fresh) > 0
}

func pathKey(path []string) string {
	b, _ := json.Marshal(path) // strings can always be written
	return string(b)
}

// keySegment makes one part of a key of any text.
func keySegment(s string) string {
	if path, err := CleanPath(s); err == nil && path == s && !strings.Contains(s, "/") && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".json") {
		return s
	}
	return "_" + hash(s)
}

func (n *names) load(ctx context.Context, folder string) (*given, error) {
	if g := n.given[folder]; g != nil {
		return g, nil
	}
	g := &given{names: map[string]string{}}
	for info, err := range n.bucket.List(ctx, folder+"/") {
		if err != nil {
			return nil, err
		}
		text := strings.TrimSuffix(strings.TrimPrefix(info.Key, folder+"/"), ".json")
		if i, err := strconv.Atoi(text); err == nil && strconv.Itoa(i) == text {
			g.n = max(g.n, i)
		}
	}
	key := folder + ".json"
	if g.n > 0 {
		key = numbered(folder, g.n)
	}
	if err := n.read(ctx, key, &g.names); err != nil && (g.n > 0 || !errors.Is(err, bucket.ErrNotExist)) {
		return nil, err
	}
	if n.given == nil {
		n.given = map[string]*given{}
	}
	n.given[folder] = g
	return g, nil
}

func numbered(folder string, n int) string { return folder + "/" + strconv.Itoa(n) + ".json" }

func (n *names) read(ctx context.Context, key string, into *map[string]string) error {
	r, err := n.bucket.Open(ctx, key)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxNames))
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil || *into == nil {
		return fmt.Errorf("object %s is damaged: %w; put back a copy, or remove it and the files of this document type", key, err)
	}
	return nil
}

// save writes the object with number i, or fails with bucket.ErrExist when there is one.
func (n *names) save(ctx context.Context, folder string, i int, all map[string]string) error {
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	w, err := n.bucket.Create(ctx, n.owner, numbered(folder, i))
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(text); err != nil {
		return err
	}
	token, err := w.Seal()
	if err != nil {
		return err
	}
	if err = n.bucket.Publish(ctx, token); errors.Is(err, bucket.ErrExist) {
		return errors.Join(err, n.bucket.Discard(ctx, token.ID))
	}
	return err
}
