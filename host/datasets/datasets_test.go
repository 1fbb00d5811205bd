package datasets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
	"sandbar/sandbox/message"
)

// lake is a folder with a few files.
type lake struct {
	t      *testing.T
	folder string
	bucket bucket.Bucket
	view   *View
}

func newLake(t *testing.T) *lake {
	t.Helper()
	folder := t.TempDir()
	b, err := dir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return &lake{t, folder, b, New(b, time.Now)}
}

func (l *lake) put(key string, content []byte) {
	l.t.Helper()
	if err := bucket.Put(l.t.Context(), l.bucket, "test", key, bytes.NewReader(content)); err != nil {
		l.t.Fatal(err)
	}
}

type old struct {
	Name *string `parquet:"name,optional"`
	N    *int64  `parquet:"n,optional"`
}

type wide struct {
	Name  *string    `parquet:"name,optional"`
	N     *int64     `parquet:"n,optional"`
	Ratio *float64   `parquet:"ratio,optional"`
	At    *time.Time `parquet:"at,optional,timestamp(microsecond)"`
	Yes   *bool      `parquet:"yes,optional"`
	Raw   []byte     `parquet:"raw,optional"`
}

func rows[T any](t *testing.T, list ...T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, parquet.Compression(&parquet.Zstd))
	if _, err := w.Write(list); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ptr[T any](v T) *T { return &v }

func framed(n int) []byte {
	var b bytes.Buffer
	w := message.NewWriter(&b)
	for i := range n {
		var m message.Builder
		m.SetTimestamp(int64(i))
		m.SetHeader(message.Type, "telemetry")
		m.AddString("docType", "", "main")
		if err := w.Write(m.AppendTo(nil)); err != nil {
			panic(err) // to memory
		}
	}
	if err := w.Flush(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (l *lake) fill() {
	l.t.Helper()
	z, _ := zstd.NewWriter(nil)
	l.put("lake/parquet/main/v4/submission_date_s3=20240501/a.parquet", rows(l.t, old{ptr("a"), ptr(int64(1))}, old{nil, ptr(int64(1) << 60)}))
	l.put("lake/parquet/main/v4/submission_date_s3=20240502/b.parquet", rows(l.t, wide{ptr("x'); drop"), ptr(int64(2)), ptr(1.5), ptr(time.Unix(1, 5000)), ptr(true), []byte{0xff, 1}},
		wide{Name: ptr(strings.Repeat("y", 1000))}))
	l.put("lake/parquet/main/v4/submission_date_s3=20240502/broken.parquet", []byte("PAR1 no parquet at all PAR1"))
	l.put("lake/heka/telemetry/main/20240501/a.heka", framed(3))
	l.put("lake/heka/telemetry/main/20240502/b.heka.zst", z.EncodeAll(framed(4), nil))
	l.put("lake/parquet/own/c.parquet", rows(l.t, old{}))
	l.put("lake/columns/telemetry/main/1.json", []byte("{}"))
	l.put("landfill/x.heka.zst", nil)
}

func TestLake(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	if all, cut, err := l.view.List(t.Context()); err != nil || cut || len(all) != 0 {
		t.Errorf("an empty lake: %v %v %v", all, cut, err)
	}
	l.fill()
	all, _, err := l.view.List(t.Context())
	if err != nil || len(all) != 3 || all[0].Name != "heka/telemetry/main" || all[1].Name != "parquet/main/v4" || all[1].Files != 3 || all[1].Partitions != 2 || all[1].View != "main_v4" ||
		all[2].Name != "parquet/own" || all[2].Partitions != 1 || all[1].Bytes < 100 {
		t.Fatalf("%+v %v", all, err)
	}
	d, err := l.view.Get(t.Context(), "parquet/main/v4")
	if err != nil || d.Rows != 4 || d.Counted != 3 || d.Files != 3 || len(d.Parts) != 2 || d.Parts[0].Name != "submission_date_s3=20240502" || d.Parts[0].Rows != 2 || d.Parts[0].Files != 2 ||
		d.BrokenMany != 1 || len(d.Broken) != 1 || !strings.HasPrefix(d.Broken[0], "lake/parquet/main/v4/submission_date_s3=20240502/broken.parquet: ") {
		t.Fatalf("%+v %v", d, err)
	}
	uses := map[string]string{}
	for _, c := range d.Columns {
		uses[c.Name] = fmt.Sprint(c.Type, " ", c.Files)
	}
	if uses["name"] != "STRING 2" || uses["ratio"] != "DOUBLE 1" || uses["n"] != "INT(64,true) 2" || !strings.HasPrefix(uses["at"], "TIMESTAMP") {
		t.Errorf("columns %v", uses)
	}
	if d, err = l.view.Get(t.Context(), "heka/telemetry/main"); err != nil || d.Rows != 7 || d.Counted != 2 || d.Parts[0].Rows != 4 {
		t.Errorf("%+v %v", d, err)
	}
	for _, name := range []string{"", "parquet", "parquet/main", "parquet/no", "../x", "heka/telemetry/main/20240501", "columns/telemetry/main"} {
		if d, err := l.view.Get(t.Context(), name); !errors.Is(err, ErrNotFound) {
			t.Errorf("dataset %q: %+v %v", name, d, err)
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.fill()
	at := func(folder string) Preview {
		t.Helper()
		p, err := l.view.Preview(t.Context(), "parquet/main/v4", &folder, 10)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := at("submission_date_s3=20240501"); len(p.Rows) != 2 || p.Rows[0][0] != "a" || p.Rows[0][1] != int64(1) || p.Rows[1][0] != nil || p.Rows[1][1] != "1152921504606846976" {
		t.Errorf("%+v", p)
	}
	if err := os.Remove(filepath.Join(l.folder, "lake/parquet/main/v4/submission_date_s3=20240502/broken.parquet")); err != nil {
		t.Fatal(err)
	}
	p := at("submission_date_s3=20240502")
	shown := map[string]any{}
	for i, c := range p.Columns {
		shown[c.Name] = p.Rows[0][i]
	}
	if len(p.Rows) != 2 || shown["name"] != "x'); drop" || shown["ratio"] != 1.5 || shown["yes"] != true || shown["at"] != "1970-01-01T00:00:01.000005Z" || shown["raw"] != "0xff01" {
		t.Errorf("%+v", shown)
	}
	for i, c := range p.Columns {
		if s, _ := p.Rows[1][i].(string); c.Name == "name" && (len(s) > mostText+3 || !strings.HasSuffix(s, "…")) {
			t.Errorf("a long value is shown as %d bytes", len(s))
		}
	}
	heka, err := l.view.Preview(t.Context(), "heka/telemetry/main", ptr("20240502"), 3)
	if err != nil || len(heka.Messages) != 3 || !strings.Contains(string(heka.Messages[0]), `"telemetry"`) {
		t.Errorf("%+v %v", heka, err)
	}
	if _, err := l.view.Preview(t.Context(), "parquet/main/v4", ptr("no"), 3); !errors.Is(err, ErrNotFound) {
		t.Errorf("a partition that is not there: %v", err)
	}
}

// FuzzParquet: whatever a file holds, looking into it ends, with an error at worst.
func FuzzParquet(f *testing.F) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[old](&b)
	if _, err := w.Write([]old{{ptr("a"), ptr(int64(1))}}); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, content []byte) {
		slow := time.AfterFunc(10*time.Second, func() { panic("it does not end") })
		defer slow.Stop()
		v := New(memory{"lake/parquet/x/a.parquet": content}, time.Now)
		if d, err := v.Get(t.Context(), "parquet/x"); err != nil || d.Counted != 1 {
			t.Errorf("%+v %v", d, err)
		}
		_, _ = v.Preview(t.Context(), "parquet/x", nil, 5)
	})
}

// memory is a bucket for fuzzing, where a disk would be slow.
type memory map[string][]byte

func (m memory) Open(_ context.Context, key string) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(m[key])), nil
}

func (m memory) OpenRange(_ context.Context, key string, offset, n int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(bytes.NewReader(m[key]), offset, n)), nil
}

func (m memory) List(context.Context, string) iter.Seq2[bucket.Info, error] {
	return func(yield func(bucket.Info, error) bool) {
		for key, content := range m {
			if !yield(bucket.Info{Key: key, Size: int64(len(content))}, nil) {
				return
			}
		}
	}
}

// duckdb is the program, which CI installs.
func duckdb(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("duckdb")
	if err != nil {
		t.Skip("no DuckDB is here")
	}
	return program
}

// TestSQL: a SELECT over the lake is answered, and nothing else can be done.
func TestSQL(t *testing.T) {
	t.Parallel()
	program := duckdb(t)
	l := newLake(t)
	l.fill()
	if err := os.Remove(filepath.Join(l.folder, "lake/parquet/main/v4/submission_date_s3=20240502/broken.parquet")); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(l.folder, "secret.csv")
	if err := os.WriteFile(secret, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	q, err := NewSQL(l.view, SQLOptions{Program: program, Folder: l.folder, Time: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sql, want, fault string }{
		{"select count(*) as c, max(n) as m from main_v4", `{"columns":["c","m"],"rows":[[4,"1152921504606846976"]]`, ""},
		{"select submission_date_s3 as d, count(*) as c from MAIN_v4 group by all order by d;", `"rows":[[20240501,2],[20240502,2]]`, ""},
		{"select name from main_v4 where name like '%;%'", `"rows":[["x'); drop"]]`, ""},
		{"with t as (select 1 as a union all select 2) select a as b, a as c from t order by 1 desc", `{"columns":["b","c"],"rows":[[2,2],[1,1]]`, ""},
		{"select 1 as a where false", `"rows":[]`, ""},
		{"select [1,2] as l, {'k': 'v'} as s, null as n", `"rows":[["[1,2]","{\"k\":\"v\"}",null]]`, ""},
		{"select * from range(5000)", `"cut":true`, ""},
		{"select repeat('x', 100000) from range(1000)", "", "ask for fewer"},
		{"select sum(a.range * b.range * c.range) from range(1000000) a, range(1000000) b, range(1000) c", "", "longer than"},
		{"selec", "", `syntax error at or near "selec"`},
		{"select * from nothing", "", "Table with name nothing does not exist"},
		{"copy (select 1) to '" + l.folder + "/lake/x.csv'", "", "one SELECT"},
		{"create table x as select 1", "", "one SELECT"},
		{"select 1; drop view main_v4", "", "one SELECT"},
		{"install httpfs", "", "one SELECT"},
		{"attach '" + l.folder + "/lake/x.db'", "", "one SELECT"},
		{"pragma database_list", "", "one SELECT"},
		{".shell touch " + l.folder + "/lake/x", "", "syntax error"},
		{"\n.shell touch " + l.folder + "/lake/x", "", "syntax error"},
		{"select 1\n.shell touch " + l.folder + "/lake/x", "", "syntax error"},
		{"select * from read_csv('" + secret + "')", "", "Permission Error"},
		{"select * from '" + secret + "'", "", "Error"},
		{"select * from read_text('/etc/passwd')", "", "Permission Error"},
		{"select * from glob('/etc/*')", "", "Permission Error"},
		{"select getenv('HOME')", "", "disabled"},
		{"select * from read_parquet('http://127.0.0.1/x.parquet')", "", "Permission Error"},
		{"select * from query('copy (select 1) to ''" + l.folder + "/lake/x.csv''')", "", "SELECT"},
		{"select 1 as \"a\x00\"", "", "bytes"},
		{strings.Repeat(" ", 10), "", "bytes"},
		{"'); copy (select 1) to '" + l.folder + "/lake/x.csv'; select ('", "", "syntax error"},
	} {
		limit := q
		if strings.Contains(c.fault, "longer") {
			short := *q
			short.time = time.Second
			limit = &short
		}
		r, err := limit.Query(t.Context(), c.sql)
		if c.fault != "" {
			if !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%.80q: %v, want %q", c.sql, err, c.fault)
			}
			continue
		}
		got, _ := json.Marshal(r)
		if err != nil || !strings.Contains(string(got), c.want) {
			t.Errorf("%.80q: %.300s %v", c.sql, got, err)
		}
	}
	err = filepath.WalkDir(filepath.Join(l.folder, "lake"), func(path string, d os.DirEntry, err error) error {
		if base := filepath.Base(path); strings.HasPrefix(base, "x") && base != "x" || base == "x" {
			t.Errorf("a query wrote %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	q.running <- struct{}{}
	q.running <- struct{}{}
	if _, err := q.Query(t.Context(), "select 1"); !errors.Is(err, ErrBusy) {
		t.Errorf("a third query at a time: %v", err)
	}
	<-q.running
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Query(ctx, "select 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestNoSQL(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	for _, o := range []SQLOptions{{}, {Program: "duckdb"}, {Program: "no-such-program-here", Folder: l.folder}} {
		if _, err := NewSQL(l.view, o); !errors.Is(err, ErrNoSQL) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
