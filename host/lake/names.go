package lake

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"sandbar/host/bucket"
	"sandbar/schemas"
)

// names gives the values that schemas declare their columns, and keeps them: a column always means the same property, in
// every file and version of a schema, whatever properties come later. What was given stands in the bucket beside the files, as
// lake/columns/NAMESPACE/DOCTYPE.json: the column by the property's path, a JSON array.
type names struct {
	bucket   Bucket
	owner    string
	declared Columns

	mu    sync.Mutex
	given map[string]map[string]string // by document type
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
	key := "lake/columns/" + keySegment(namespace) + "/" + keySegment(docType) + ".json"
	n.mu.Lock()
	defer n.mu.Unlock()
	given, err := n.load(ctx, key)
	if err == nil && give(given, declared) {
		err = n.save(ctx, key, given)
	}
	if err != nil {
		delete(n.given, key)
		return nil, fmt.Errorf("lake: names of the columns of %s %s: %w", namespace, docType, err)
	}
	out := slices.Clone(declared)
	for i := range out {
		out[i].Name = given[pathKey(out[i].Path)]
	}
	return out, nil
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
	if path, err := cleanPath(s); err == nil && path == s && !strings.Contains(s, "/") && !strings.HasPrefix(s, ".") {
		return s
	}
	return "_" + hash(s)
}

func (n *names) load(ctx context.Context, key string) (map[string]string, error) {
	if given := n.given[key]; given != nil {
		return given, nil
	}
	if n.given == nil {
		n.given = map[string]map[string]string{}
	}
	given := map[string]string{}
	r, err := n.bucket.Open(ctx, key)
	switch {
	case errors.Is(err, bucket.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		text, err := io.ReadAll(io.LimitReader(r, maxNames))
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &given); err != nil {
			return nil, fmt.Errorf("object %s is damaged: %w; put back a copy, or remove it and the files of this document type", key, err)
		}
	}
	n.given[key] = given
	return given, nil
}

func (n *names) save(ctx context.Context, key string, given map[string]string) error {
	text, err := json.MarshalIndent(given, "", " ")
	if err != nil {
		return err
	}
	return bucket.Put(ctx, n.bucket, n.owner, key, bytes.NewReader(text))
}
