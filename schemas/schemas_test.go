package schemas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sandbar/sandbox/jsondoc"
)

// free is a spend that has no end.
func free(int64) {}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t testing.TB, fsys fs.FS) *Registry {
	t.Helper()
	r, err := Open(fsys, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func parse(t testing.TB, text []byte) jsondoc.Value {
	t.Helper()
	doc, err := jsondoc.Parse(text, jsondoc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return doc.Root()
}

// value parses a short document.
func value(t testing.TB, text string) jsondoc.Value { return parse(t, []byte(text)) }

// mozilla is real data that lies beside the project.
func mozilla(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", "mozilla")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real schemas and pings are not here: %v", err)
	}
	return dir
}

func TestShipped(t *testing.T) {
	t.Parallel()
	r := open(t, Shipped())
	if p := r.Problems(); len(p) > 0 {
		t.Errorf("problems: %v", p)
	}
	if got := strings.Join(r.Namespaces(), " "); got != "sensors shop telemetry" || r.Len() != 6 {
		t.Errorf("namespaces %s, %d schemas", got, r.Len())
	}
	for _, dt := range []string{"main", "event", "crash"} {
		if n := len(r.Columns("telemetry", dt, "4")); n < 10 {
			t.Errorf("%s has %d columns", dt, n)
		}
	}
}

// TestMozilla: every real schema compiles, and every ping gets the verdict in its name.
func TestMozilla(t *testing.T) {
	t.Parallel()
	dir := mozilla(t)
	r, err := OpenDir(filepath.Join(dir, "schemas"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	filepath.WalkDir(filepath.Join(dir, "schemas"), func(path string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".schema.json") {
			files++
		}
		return err
	})
	if r.Len() != files || files == 0 {
		t.Errorf("%d of %d schemas compile: %v", r.Len(), files, r.Problems())
	}
	pings, wrong := 0, 0
	filepath.WalkDir(filepath.Join(dir, "pings"), func(path string, d fs.DirEntry, err error) error {
		parts := strings.Split(filepath.Base(path), ".")
		if err != nil || d.IsDir() || len(parts) < 4 {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		want := parts[len(parts)-2] == "pass"
		v := r.Validate(filepath.Base(filepath.Dir(path)), parts[0], parts[1], parse(t, text), free)
		if pings++; !v.Known || v.Valid != want {
			wrong++
			t.Errorf("%s: %+v", path, v)
		}
		return nil
	})
	t.Logf("%d schemas, %d pings, %d wrong verdicts; %v", files, pings, wrong, r.Problems())
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	r := open(t, fstest.MapFS{"ns/doc/doc.1.schema.json": {Data: []byte(`{"type":"object","required":["a"],"properties":{"a":{"type":"array","items":{"type":"object","properties":{"b/c":{"type":"integer"}}}},"d":{"$ref":"#/definitions/d"}},"definitions":{"d":{"enum":["x"]}}}`)}})
	for _, c := range []struct {
		doc           string
		valid         bool
		path, keyword string
	}{
		{`{"a":[]}`, true, "", ""},
		{`{}`, false, "", "required"},
		{`{"a":[{},{"b/c":"x"}]}`, false, "/a/1/b~1c", "type"},
		{`{"a":[],"d":"y"}`, false, "/d", "enum"},
		{`[]`, false, "", "type"},
	} {
		v := r.Validate("ns", "doc", "1", parse(t, []byte(c.doc)), free)
		if !v.Known || v.Valid != c.valid || v.Path != c.path || v.Keyword != c.keyword || !c.valid && v.Message == "" {
			t.Errorf("%s: %+v", c.doc, v)
		}
	}
	for _, n := range [][3]string{{"no", "doc", "1"}, {"ns", "no", "1"}, {"ns", "doc", "2"}} {
		if v := r.Validate(n[0], n[1], n[2], value(t, "null"), free); v.Known {
			t.Errorf("%v is known", n)
		}
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	r := open(t, fstest.MapFS{
		"ns/ok/ok.1.schema.json":           {Data: []byte(`{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":[]}`)},
		"ns/json/json.1.schema.json":       {Data: []byte(`{"type":`)},
		"ns/remote/remote.1.schema.json":   {Data: []byte(`{"$ref":"http://example.com/x.json"}`)},
		"ns/file/file.1.schema.json":       {Data: []byte(`{"$ref":"file:///etc/passwd"}`)},
		"ns/place/other.1.schema.json":     {Data: []byte(`{}`)},
		"top.1.schema.json":                {Data: []byte(`{}`)},
		"ns/version/version.x.schema.json": {Data: []byte(`{}`)},
		"ns/regex/regex.1.schema.json":     {Data: []byte(`{"pattern":"("}`)},
	})
	if r.Len() != 1+1 && r.Len() != 1 {
		t.Errorf("%d schemas", r.Len())
	}
	got := map[string]string{}
	for _, p := range r.Problems() {
		got[p.Path] = p.Text
	}
	for path, want := range map[string]string{
		"ns/ok/ok.1.schema.json": "ignored", "ns/json/json.1.schema.json": "no JSON", "ns/remote/remote.1.schema.json": "another file of the folder",
		"ns/file/file.1.schema.json": "another file of the folder", "ns/place/other.1.schema.json": "place", "top.1.schema.json": "place",
		"ns/version/version.x.schema.json": "place",
	} {
		if !strings.Contains(got[path], want) {
			t.Errorf("%s: %q, want %q", path, got[path], want)
		}
	}
	if !r.Validate("ns", "ok", "1", value(t, "{}"), free).Valid {
		t.Error("a repaired schema refuses")
	}
	if _, err := OpenDir(filepath.Join(t.TempDir(), "none"), quiet()); err == nil {
		t.Error("a folder that is not there was opened")
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "ns", "doc", "doc.1.schema.json")
	write := func(text string, age time.Duration) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		os.Chtimes(path, at, at)
	}
	write(`{"type":"object"}`, 3*time.Hour)
	r, err := OpenDir(dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Watch(ctx, time.Millisecond) }()
	until := func(what string, ok func() bool) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		for !ok() {
			select {
			case <-deadline:
				t.Fatalf("waited in vain: %s", what)
			case <-time.After(time.Millisecond):
			}
		}
	}
	valid := func() bool { return r.Validate("ns", "doc", "1", value(t, `"text"`), free).Valid }
	write(`{"type":"string"}`, 2*time.Hour)
	until("the new schema", valid)
	write(`{"type":`, time.Hour)
	until("the problem", func() bool { return len(r.Problems()) == 1 })
	if !valid() {
		t.Error("a broken file took the last good schema away")
	}
	os.RemoveAll(filepath.Join(dir, "ns"))
	until("the removal", func() bool { return !r.HasNamespace("ns") })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	var doc any
	err := json.Unmarshal([]byte(`{"type":"object","properties":{
		"clientId":{"type":"string"},"n":{"type":["null","integer"]},"mixed":{"type":["string","integer"]},
		"list":{"type":"array","items":{"type":"string"}},
		"environment":{"type":"object","properties":{"memoryMB":{"type":"number"},"isHTTPServer":{"type":"boolean"},"x-y":{"$ref":"#/definitions/s"}}},
		"loop":{"$ref":"#/definitions/loop"},"none":{"$ref":"#/definitions/none"}},
		"definitions":{"s":{"type":"string"},"loop":{"type":"object","properties":{"again":{"$ref":"#/definitions/loop"}}}}}`), &doc)
	if err != nil {
		t.Fatal(err)
	}
	want := []Column{
		{[]string{"clientId"}, "client_id", String},
		{[]string{"environment", "isHTTPServer"}, "environment_is_http_server", Bool},
		{[]string{"environment", "memoryMB"}, "environment_memory_mb", Double},
		{[]string{"environment", "x-y"}, "environment_x_y", String},
		{[]string{"n"}, "n", Integer},
	}
	if d := cmp.Diff(want, columnsOf(doc)); d != "" {
		t.Error(d)
	}
}

func BenchmarkValidate(b *testing.B) {
	text, err := os.ReadFile(filepath.Join(mozilla(b), "pings", "telemetry", "main.4.profile.pass.json"))
	if err != nil {
		b.Skipf("no main ping: %v", err)
	}
	r, err := OpenDir(filepath.Join(mozilla(b), "schemas"), quiet())
	if err != nil {
		b.Fatal(err)
	}
	doc := parse(b, text)
	nodes := doc.Nodes()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if v := r.Validate("telemetry", "main", "4", doc, free); !v.Valid {
			b.Fatal(v)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(nodes), "ns/node")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	const text = `{"title": "A reading", "description": "What a sensor sends", "type": "object", "required": ["id"],
		"properties": {"id": {"type": "string", "format": "uuid", "x-personal": true}, "kind": {"enum": ["a", 2, null]}, "v": {"const": 1},
			"tree": {"$ref": "#/definitions/node"},
			"list": {"type": "array", "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": ["integer", "null"], "description": "how many"}}}},
			"map": {"type": "object", "additionalProperties": {"type": "number"}}},
		"allOf": [{"properties": {"extra": {"type": "boolean"}}}],
		"definitions": {"node": {"type": "object", "properties": {"left": {"$ref": "#/definitions/node"}}}}}`
	r := open(t, fstest.MapFS{
		"lab/reading/reading.2.schema.json":  {Data: []byte(text)},
		"lab/reading/reading.10.schema.json": {Data: []byte(`{"type": "object"}`)},
		"art/piece/piece.1.schema.json":      {Data: []byte(`{}`)},
	})
	if diff := cmp.Diff([]Info{{"art", "piece", "1"}, {"lab", "reading", "10"}, {"lab", "reading", "2"}}, r.List()); diff != "" {
		t.Error(diff)
	}
	d, err := r.Describe(Info{"lab", "reading", "2"})
	if err != nil || d.Title != "A reading" || d.Text != "What a sensor sends" || d.Source != text || !d.More { // the tree has no end
		t.Errorf("%+v, %v", d, err)
	}
	var got []string
	for _, f := range d.Fields {
		if strings.Contains(f.Path, "left.left") {
			continue
		}
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	want := []string{
		`{"path":"extra","types":["boolean"]}`,
		`{"path":"id","types":["string"],"required":true,"personal":true,"format":"uuid"}`,
		`{"path":"kind","types":[],"values":["\"a\"","2","null"]}`,
		`{"path":"list","types":["array"]}`,
		`{"path":"list[]","types":["object"]}`,
		`{"path":"list[].n","types":["integer","null"],"required":true,"description":"how many"}`,
		`{"path":"map","types":["object"]}`,
		`{"path":"map.*","types":["number"]}`,
		`{"path":"tree","types":["object"]}`,
		`{"path":"tree.left","types":["object"]}`,
		`{"path":"v","types":[],"values":["1"]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, i := range []Info{{"lab", "reading", "3"}, {"..", "..", "1"}, {"", "", ""}} {
		if _, err := r.Describe(i); !errors.Is(err, ErrNone) {
			t.Errorf("%v: %v", i, err)
		}
	}
}

// TestDescribeBounds: a schema that never ends is described in part.
func TestDescribeBounds(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf(`"p%d": {"$ref": "#"}`, i))
	}
	r := open(t, fstest.MapFS{"a/b/b.1.schema.json": {Data: []byte(`{"type": "object", "properties": {` + strings.Join(names, ",") + `}}`)}})
	d, err := r.Describe(Info{"a", "b", "1"})
	if err != nil || len(d.Fields) < 1000 || len(d.Fields) > maxListed || !d.More {
		t.Errorf("%d fields, more: %v, %v", len(d.Fields), d.More, err)
	}
}

// TestDescribeMozilla: every real schema can be described.
func TestDescribeMozilla(t *testing.T) {
	t.Parallel()
	for _, r := range []*Registry{open(t, Shipped()), open(t, os.DirFS(filepath.Join(mozilla(t), "schemas")))} {
		if r.Len() == 0 {
			t.Error("no schemas")
		}
		for _, i := range r.List() {
			d, err := r.Describe(i)
			if bare := strings.Contains(d.Source, `"properties": {}`); err != nil || len(d.Fields) == 0 && !bare {
				t.Errorf("%v: %d fields, %v", i, len(d.Fields), err)
			}
		}
	}
}
