package datasets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds of a query.
const (
	mostSQL     = 64 << 10 // bytes
	mostResult  = 1000     // rows
	mostOutput  = 8 << 20  // bytes of all rows
	queryMemory = "512MB"
	queries     = 2 // at a time
)

// Errors of Query that a caller may want to tell apart.
var (
	ErrNoSQL = errors.New("SQL is not to be had here")
	ErrBusy  = errors.New("other queries run; try again in a moment")
	ErrQuery = errors.New("the query failed")
)

// SQL runs queries with DuckDB's command line program, in a process of its own that sees the lake's folder and nothing else. DuckDB itself takes the query as the text
// of one SELECT (json_serialize_sql refuses everything else), so nothing can be written.
type SQL struct {
	program string
	lake    string // folder
	time    time.Duration
	view    *View
	running chan struct{}
}

// SQLOptions of NewSQL.
type SQLOptions struct {
	Program string        // as in the config: a name that is looked up in PATH, or a path
	Folder  string        // of the bucket; empty: it is no folder
	Time    time.Duration // of a query
}

// NewSQL finds DuckDB. The error is ErrNoSQL, with the reason.
func NewSQL(v *View, o SQLOptions) (*SQL, error) {
	switch {
	case o.Program == "":
		return nil, fmt.Errorf("%w: sql.duckdb is empty in the config", ErrNoSQL)
	case o.Folder == "":
		return nil, fmt.Errorf("%w: the bucket is no folder", ErrNoSQL)
	}
	program, err := exec.LookPath(o.Program)
	if err != nil {
		return nil, fmt.Errorf("%w: DuckDB is not installed on this host (%s is not in its PATH)", ErrNoSQL, o.Program)
	}
	folder, err := filepath.Abs(filepath.Join(o.Folder, root))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSQL, err)
	}
	return &SQL{program: program, lake: folder, time: o.Time, view: v, running: make(chan struct{}, queries)}, nil
}

// Result is what a query gave.
type Result struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	Cut     bool     `json:"cut"` // there are more rows
	Millis  int64    `json:"ms"`
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// settings close everything but the lake, for good.
func (q *SQL) settings() string {
	return "SET temp_directory=''; SET allowed_directories=[" + quote(q.lake+"/") + "]; SET enable_external_access=false; SET memory_limit='" + queryMemory +
		"'; SET threads=1; SET TimeZone='UTC'; SET lock_configuration=true;"
}

// views are what the query calls datasets by; only those that it names, since each costs a look at its files.
func (q *SQL) views(ctx context.Context, sql string) (string, error) {
	sets, _, err := q.view.List(ctx)
	if err != nil {
		return "", err
	}
	lower := strings.ToLower(sql)
	var b strings.Builder
	done := map[string]bool{}
	for _, d := range sets {
		if name := strings.ToLower(d.View); d.Format == parquetFormat && !done[name] && strings.Contains(lower, name) {
			done[name] = true
			fmt.Fprintf(&b, "CREATE VIEW \"%s\" AS SELECT * FROM read_parquet(%s, union_by_name=true, hive_partitioning=true, filename=false); ", d.View, quote(filepath.Join(q.lake, d.Name)+"/**/*.parquet"))
		}
	}
	return b.String(), nil
}

// Query runs one SELECT.
func (q *SQL) Query(ctx context.Context, sql string) (Result, error) {
	sql = strings.TrimRight(strings.TrimSpace(sql), "; \n\t")
	if len(sql) > mostSQL || sql == "" || strings.ContainsRune(sql, 0) {
		return Result{}, fmt.Errorf("%w: it has to have 1 to %d bytes", ErrQuery, mostSQL)
	}
	select {
	case q.running <- struct{}{}:
		defer func() { <-q.running }()
	default:
		return Result{}, ErrBusy
	}
	began := q.view.now()
	ctx, cancel := context.WithTimeout(ctx, q.time)
	defer cancel()
	views, err := q.views(ctx, sql)
	if err != nil {
		return Result{}, err
	}
	args := []string{"-json", "-batch", "-bail", "-init", "/dev/null", "-c", q.settings()}
	if views != "" {
		args = append(args, "-c", views)
	}
	args = append(args, "-c", fmt.Sprintf("SELECT * FROM json_execute_serialized_sql(json_serialize_sql(%s)) LIMIT %d", quote(sql), mostResult+1))
	out, err := q.run(ctx, args)
	if err != nil {
		return Result{}, err
	}
	r, err := decodeRows(out)
	if err != nil {
		return r, fmt.Errorf("%w: DuckDB's answer cannot be read: %w", ErrQuery, err)
	}
	if len(r.Rows) > mostResult {
		r.Rows, r.Cut = r.Rows[:mostResult], true
	}
	r.Millis = q.view.now().Sub(began).Milliseconds()
	return r, nil
}

// limited is a buffer that takes no more than so many bytes, and ends what writes more.
type limited struct {
	buf  bytes.Buffer // not embedded: its ReadFrom would go past Write
	most int
	full func()
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > l.most {
		l.over = true
		l.full()
		return 0, io.ErrShortWrite
	}
	return l.buf.Write(p)
}

func (q *SQL) run(ctx context.Context, args []string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, said := &limited{most: mostOutput, full: cancel}, &limited{most: 64 << 10, full: cancel}
	c := exec.CommandContext(ctx, q.program, args...)
	c.Env = []string{"HOME=/nonexistent", "PATH=/usr/bin:/bin", "TZ=UTC"}
	c.Dir = "/"
	c.Stdout, c.Stderr = out, said
	c.WaitDelay = time.Second
	detach(c)
	err := c.Start()
	if err == nil {
		lower(c.Process.Pid)
		err = c.Wait()
	}
	switch {
	case out.over:
		return nil, fmt.Errorf("%w: its rows have more than %d MiB; ask for fewer", ErrQuery, mostOutput>>20)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%w: it took longer than %s", ErrQuery, q.time)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && said.buf.Len() > 0:
		return nil, fmt.Errorf("%w: %s", ErrQuery, problem(said.buf.String()))
	case err != nil:
		return nil, fmt.Errorf("%w: DuckDB: %w", ErrQuery, err)
	}
	return out.buf.Bytes(), nil
}

// problem is what DuckDB says of a query, without the line of ours that it points at.
func problem(s string) string {
	s, _, _ = strings.Cut(s, "\nLINE ")
	s = strings.TrimPrefix(strings.TrimSpace(s), "Error: ")
	if strings.Contains(s, "Only SELECT statements can be serialized") {
		return "one SELECT is possible here, and nothing else"
	}
	return strings.TrimPrefix(s, "Parser Error: Error parsing json: parser: ")
}

// decodeRows reads a JSON array of objects, and keeps the order of their members.
func decodeRows(out []byte) (r Result, err error) {
	r = Result{Columns: []string{}, Rows: [][]any{}}
	out = bytes.TrimSpace(out)
	if len(out) == 0 {
		return r, nil
	}
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	if _, err := d.Token(); err != nil { // [
		return r, err
	}
	for d.More() {
		if _, err := d.Token(); err != nil { // {
			return r, err
		}
		var names []string
		var row []any
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return r, err
			}
			var value any
			if err := d.Decode(&value); err != nil {
				return r, err
			}
			names, row = append(names, fmt.Sprint(name)), append(row, shorten(value))
		}
		if _, err := d.Token(); err != nil { // }
			return r, err
		}
		if len(r.Rows) == 0 {
			r.Columns = names
		} else if !slices.Equal(names, r.Columns) {
			return r, errors.New("its rows have different columns")
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// shorten makes a value fit for a table.
func shorten(v any) any {
	switch v := v.(type) {
	case string:
		return showBytes([]byte(v))
	case json.Number:
		if n, err := v.Int64(); err == nil && (n > exact || n < -exact) {
			return v.String()
		}
		return v
	case map[string]any, []any:
		text, _ := json.Marshal(v) // came from JSON
		return showBytes(text)
	}
	return v
}
