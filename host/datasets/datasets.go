// Package datasets looks into the lake for people: which datasets there are, their partitions, sizes, rows and columns, and a few rows of each; and
// SQL over them where DuckDB is installed.
//
// It knows the keys of the lake and how its files are read; it must not know who writes them.
package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbar/host/bucket"
)

// root is where the lake lies in the bucket.
const root = "lake/"

// Bounds of what is looked at.
const (
	mostObjects = 200_000          // of one listing
	mostKnown   = 100_000          // files whose rows are remembered
	mostBroken  = 10               // files that are named
	mostHeka    = 1 << 30          // bytes of a Heka file that is counted
	countTime   = 2 * time.Second  // for counting in one answer
	listTime    = 20 * time.Second // for a listing
	workers     = 8
)

// ErrNotFound says that there is no such dataset, or nothing in it.
var ErrNotFound = errors.New("there is no such dataset, or nothing is in it")

// Bucket is where the lake is; a bucket.Bucket has the promises.
type Bucket interface {
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	OpenRange(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error)
	List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error]
}

// Dataset is a folder of files that belong together.
type Dataset struct {
	Name       string    `json:"name"` // "parquet/main/v4"
	Format     string    `json:"format"`
	View       string    `json:"view,omitempty"` // what SQL calls it
	Files      int       `json:"files"`
	Bytes      int64     `json:"bytes"`
	Partitions int       `json:"partitions"`
	Newest     time.Time `json:"newest"` // when a file was finished
}

// Partition is a part of a dataset: the rest of its folders.
type Partition struct {
	Name    string    `json:"name"` // "submission_date_s3=20240501"
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
	Rows    int64     `json:"rows"`    // in the files that were counted
	Counted int       `json:"counted"` // files
	Newest  time.Time `json:"newest"`
}

// Column is a column of Parquet files.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// ColumnUse is a column, and in how many of the files that were counted it is.
type ColumnUse struct {
	Column
	Files int `json:"files"`
}

// Detail is what is known of a dataset.
type Detail struct {
	Dataset
	Rows       int64       `json:"rows"`
	Counted    int         `json:"counted"` // files; ask again while it is less than Files
	Parts      []Partition `json:"parts"`   // the newest name first
	Columns    []ColumnUse `json:"columns"` // of Parquet
	Broken     []string    `json:"broken"`  // files that cannot be read, at most 10
	BrokenMany int         `json:"broken_count"`
}

// file is what is known of one file. Files never change.
type file struct {
	rows    int64
	columns *[]Column // shared by files of the same schema
	err     error
}

// View looks into the lake of one bucket.
type View struct {
	bucket Bucket
	now    func() time.Time

	mu      sync.Mutex
	known   map[string]file // by key and size
	schemas map[string]*[]Column
}

// New makes a view.
func New(b Bucket, now func() time.Time) *View {
	return &View{bucket: b, now: now, known: map[string]file{}, schemas: map[string]*[]Column{}}
}

// split takes a key apart. A partition begins with the first folder that is a date or KEY=VALUE.
func split(key string) (dataset, partition string, ok bool) {
	folders := strings.Split(strings.TrimPrefix(key, root), "/")
	if len(folders) < 2 || formatOf(key) == "" {
		return "", "", false
	}
	folders = folders[:len(folders)-1]
	at := len(folders)
	for i, f := range folders {
		if i > 0 && (strings.Contains(f, "=") || isDate(f)) {
			at = i
			break
		}
	}
	return strings.Join(folders[:at], "/"), strings.Join(folders[at:], "/"), true
}

func isDate(s string) bool {
	return len(s) == 8 && strings.Trim(s, "0123456789") == ""
}

// Formats of files.
const (
	parquetFormat = "parquet"
	hekaFormat    = "heka"
)

func formatOf(key string) string {
	switch {
	case strings.HasSuffix(key, ".parquet"):
		return parquetFormat
	case strings.HasSuffix(key, ".heka"), strings.HasSuffix(key, ".heka.zst"):
		return hekaFormat
	}
	return ""
}

// viewName is what SQL calls a dataset: letters, digits and _ of what is behind the format.
func viewName(dataset string) string {
	_, rest, _ := strings.Cut(dataset, "/")
	name := []byte(rest)
	for i, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			name[i] = '_'
		}
	}
	if len(name) == 0 || name[0] >= '0' && name[0] <= '9' {
		return "_" + string(name)
	}
	return string(name)
}

// List returns the datasets by name. cut says that there are more files than were looked at.
func (v *View) List(ctx context.Context) (all []Dataset, cut bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	sets, parts, n := map[string]*Dataset{}, map[string]map[string]bool{}, 0
	for info, err := range v.bucket.List(ctx, root) {
		if err != nil {
			return nil, false, fmt.Errorf("list the lake: %w", err)
		}
		name, part, ok := split(info.Key)
		if !ok {
			continue
		}
		if n++; n > mostObjects {
			cut = true
			break
		}
		d := sets[name]
		if d == nil {
			d = &Dataset{Name: name, Format: formatOf(info.Key)}
			if d.Format == parquetFormat {
				d.View = viewName(name)
			}
			sets[name], parts[name] = d, map[string]bool{}
		}
		d.Files++
		d.Bytes += info.Size
		parts[name][part] = true
		d.Partitions = len(parts[name])
		if info.Modified.After(d.Newest) {
			d.Newest = info.Modified.UTC()
		}
	}
	all = make([]Dataset, 0, len(sets))
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		all = append(all, *sets[name])
	}
	return all, cut, nil
}

// files are those of a dataset, and of one partition where that is given.
func (v *View) files(ctx context.Context, name string, partition *string) (list []bucket.Info, err error) {
	if bucket.CheckKey(root+name) != nil {
		return nil, ErrNotFound
	}
	for info, err := range v.bucket.List(ctx, root+name+"/") {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", name, err)
		}
		set, part, ok := split(info.Key)
		if ok && set == name && (partition == nil || part == *partition) {
			list = append(list, info)
		}
		if len(list) >= mostObjects {
			break
		}
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return list, nil
}

// Get counts rows for two seconds, the newest files first, and says how far it came; what was counted is remembered.
func (v *View) Get(ctx context.Context, name string) (d Detail, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	list, err := v.files(ctx, name, nil)
	if err != nil {
		return d, err
	}
	slices.SortFunc(list, func(a, b bucket.Info) int { return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(b.Key, a.Key)) })
	v.count(ctx, list)
	d = Detail{Dataset: Dataset{Name: name, Format: formatOf(list[0].Key), Newest: list[0].Modified.UTC()}, Broken: []string{}, Columns: []ColumnUse{}}
	if d.Format == parquetFormat {
		d.View = viewName(name)
	}
	parts := map[string]*Partition{}
	uses := map[Column]int{}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, info := range list {
		_, part, _ := split(info.Key)
		p := parts[part]
		if p == nil {
			p = &Partition{Name: part}
			parts[part] = p
		}
		p.Files++
		p.Bytes += info.Size
		p.Newest = later(p.Newest, info.Modified.UTC())
		d.Files++
		d.Bytes += info.Size
		f, ok := v.known[known(info)]
		if !ok {
			continue
		}
		p.Counted++
		d.Counted++
		if f.err != nil {
			if d.BrokenMany++; len(d.Broken) < mostBroken {
				d.Broken = append(d.Broken, fmt.Sprintf("%s: %v", info.Key, f.err))
			}
			continue
		}
		p.Rows += f.rows
		d.Rows += f.rows
		if f.columns != nil {
			for _, c := range *f.columns {
				if uses[c]++; uses[c] == 1 {
					d.Columns = append(d.Columns, ColumnUse{Column: c})
				}
			}
		}
	}
	for i := range d.Columns {
		d.Columns[i].Files = uses[d.Columns[i].Column]
	}
	d.Partitions = len(parts)
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(parts))) {
		d.Parts = append(d.Parts, *parts[name])
	}
	return d, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func known(i bucket.Info) string { return fmt.Sprint(i.Key, " ", i.Size) }

// count looks into files that were not, for a while.
func (v *View) count(ctx context.Context, list []bucket.Info) {
	until := v.now().Add(countTime)
	var looking sync.WaitGroup
	defer looking.Wait()
	free := make(chan struct{}, workers)
	for _, info := range list {
		v.mu.Lock()
		_, ok := v.known[known(info)]
		v.mu.Unlock()
		if ok {
			continue
		}
		if v.now().After(until) || ctx.Err() != nil {
			break
		}
		free <- struct{}{}
		looking.Go(func() {
			v.look(ctx, info)
			<-free
		})
	}
}

// look remembers what is in a file. When the time is over nothing is remembered.
func (v *View) look(ctx context.Context, info bucket.Info) {
	var f file
	var columns []Column
	switch formatOf(info.Key) {
	case parquetFormat:
		f.rows, columns, f.err = v.footer(ctx, info)
	case hekaFormat:
		f.rows, f.err = v.messages(ctx, info)
	}
	if ctx.Err() != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= mostKnown {
		clear(v.known)
		clear(v.schemas)
	}
	if columns != nil {
		id := fmt.Sprint(columns)
		if v.schemas[id] == nil {
			v.schemas[id] = &columns
		}
		f.columns = v.schemas[id]
	}
	v.known[known(info)] = f
}
