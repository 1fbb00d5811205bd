package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// versionReaders ask old and new files of one document type together.
var versionReaders = map[string]string{
	"duckdb": `
import duckdb
t = duckdb.sql("select * from read_parquet('" + root + "/*/*.parquet', union_by_name=true)")
kinds = {c: str(k) for c, k in zip(t.columns, t.types)}
got = [[str(v) if v is not None else None for v in row] for row in duckdb.sql("select " + ", ".join(columns) + " from t order by kept").fetchall()]
`,
	"pyarrow": `
import glob, pyarrow as pa, pyarrow.parquet as pq
files = sorted(glob.glob(root + "/*/*.parquet"))
t = pa.concat_tables([pq.ParquetFile(f).read() for f in files], promote_options="permissive").sort_by("kept")
kinds = {f.name: str(f.type) for f in t.schema}
got = [[str(v) if v is not None else None for v in row.values()] for row in t.select(columns).to_pylist()]
`,
}

// TestLakeOverVersions: a schema changes while its version stays: properties are added, removed and widened, one gets the name that the column of another has, and numbers beyond a double come. Old and
// new files are read together, and no column changes its meaning.
func TestLakeOverVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, schemas := filepath.Join(dir, "data"), filepath.Join(dir, "schemas")
	n := 0
	live := func(schema string, docs ...string) {
		t.Helper()
		writeSchema(t, schemas, "doc", `{"type":"object","properties":{`+schema+`}}`)
		p := start(t, data, "serve", "--schemas", schemas)
		for _, doc := range docs {
			n++
			if status := p.post("/submit/ns/doc/1/"+docID(n), []byte(doc)); status != 200 {
				t.Fatalf("%s: %d", doc, status)
			}
		}
		p.settled()
		p.stop()
	}
	live(`"kept":{"type":"integer"},"a_b":{"type":"string"},"wide":{"type":"integer"},"gone":{"type":"string"},"n":{"type":"number"}`,
		`{"kept":1,"a_b":"old","wide":7,"gone":"x","n":1.5}`, `{"kept":2,"a_b":"old","n":1e400}`, `{"kept":3,"n":-1e400}`)
	live(`"kept":{"type":"integer"},"a_b":{"type":"string"},"aB":{"type":"string"},"wide":{"type":"number"},"more":{"type":"boolean"},"n":{"type":"number"}`,
		`{"kept":4,"a_b":"old","aB":"new","wide":2.5,"more":true,"n":0}`, `{"kept":5,"aB":"new","wide":3,"gone":"y"}`)

	for module, script := range versionReaders {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			out := python(t, module, fmt.Sprintf("import json\nroot = %q\ncolumns = ['kept', 'a_b', 'wide', 'gone', 'more', 'n']\n%s\nprint(json.dumps({'rows': got, 'kinds': kinds}))",
				filepath.Join(data, "bucket", "lake", "parquet", "ns_doc", "v1"), script))
			var got struct {
				Rows  [][]*string
				Kinds map[string]string
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var rows [][]string
			for _, row := range got.Rows {
				var values []string
				for _, v := range row {
					if v == nil {
						values = append(values, "null")
					} else {
						values = append(values, *v)
					}
				}
				rows = append(rows, values)
			}
			if diff := cmp.Diff([][]string{
				{"1", "old", "7.0", "x", "null", "1.5"},
				{"2", "old", "null", "null", "null", "null"},
				{"3", "null", "null", "null", "null", "null"},
				{"4", "old", "2.5", "null", "True", "0.0"},
				{"5", "null", "3.0", "null", "null", "null"},
			}, rows); diff != "" {
				t.Errorf("want (-), %s reads (+):\n%s", module, diff)
			}
			if k := got.Kinds["timestamp"]; k != "TIMESTAMP WITH TIME ZONE" && k != "timestamp[us, tz=UTC]" && k != "TIMESTAMP" && k != "timestamp[us]" {
				t.Errorf("timestamp is %s", k)
			}
			second := 0
			for name := range got.Kinds {
				if len(name) > 4 && name[:4] == "a_b_" {
					second++
				}
			}
			if second != 1 {
				t.Errorf("the columns are %v: aB has none of its own", got.Kinds)
			}
			t.Logf("timestamp is %s, wide %s", got.Kinds["timestamp"], got.Kinds["wide"])
		})
	}
}

// writeSchema puts version 1 of a type of namespace ns into a folder.
func writeSchema(t *testing.T, folder, docType, text string) {
	t.Helper()
	place := filepath.Join(folder, "ns", docType)
	if err := os.MkdirAll(place, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, docType+".1.schema.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSchemaComesLater: a document whose schema is not there yet, and one that its schema refuses by mistake, become valid when they are sent again after that is mended, from the errors or from the
// landfill; what was valid is a duplicate then. The text is stored byte for byte.
func TestSchemaComesLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, schemas := filepath.Join(dir, "data"), filepath.Join(dir, "schemas")
	writeSchema(t, schemas, "early", `{"type":"object","properties":{"s":{"type":"integer"}}}`)
	const early, late = `{"s": "a\u0001\/b",  "n":1.0, "n2":123456789012345678901234567890}`, `{"x":[ ],"y":1e0}`
	p := start(t, data, "serve", "--schemas", schemas)
	p.post("/submit/ns/early/1/"+docID(1), []byte(early))
	p.post("/submit/ns/late/1/"+docID(2), []byte(late))
	p.post("/submit/ns/early/1/"+docID(3), []byte(`{}`))
	p.settled()
	p.stop()
	if valid, refused := len(messages(t, data, "valid")), len(messages(t, data, "errors")); valid != 1 || refused != 2 {
		t.Fatalf("%d are valid, %d are refused", valid, refused)
	}

	writeSchema(t, schemas, "early", `{"type":"object","properties":{"s":{"type":"string"}}}`)
	writeSchema(t, schemas, "late", `{"type":"object"}`)
	p = start(t, data, "serve", "--schemas", schemas)
	var errors struct{ Causes []struct{ Key string } }
	until(t, 20*time.Second, "both causes", func() bool {
		p.get("/causes", &errors)
		return len(errors.Causes) == 2
	})
	for _, c := range errors.Causes { // of the first document and of the second
		if status, said := p.postJSON("errors/resend", fmt.Appendf(nil, `{"cause":%q}`, c.Key)); status != 200 {
			t.Fatalf("%d %s", status, said)
		}
	}
	p.settled()
	p.stop()
	stored := map[string]int{}
	for _, v := range messages(t, data, "valid") {
		stored[field(&v, "submission")]++
	}
	if diff := cmp.Diff(map[string]int{early: 1, late: 1, `{}`: 1}, stored); diff != "" {
		t.Errorf("want (-), valid has (+):\n%s", diff)
	}

	files, err := filepath.Glob(filepath.Join(data, "bucket", "landfill", "*", "*.heka.zst"))
	if err != nil || len(files) == 0 {
		t.Fatalf("landfill: %v %v", files, err)
	}
	for _, replayed := range []struct {
		to    string
		valid int
	}{{data, 3}, {filepath.Join(dir, "fresh"), 3}} { // all are known where they were valid; elsewhere all are new
		if out, errs, code := call(append([]string{"replay", "--data", replayed.to}, files...)...); code != 0 {
			t.Fatalf("replay: %d %s%s", code, out, errs)
		}
		p = start(t, replayed.to, "serve", "--schemas", schemas)
		p.settled()
		p.stop()
		if n := len(messages(t, replayed.to, "valid")); n != replayed.valid {
			t.Errorf("%d are valid after a replay, want %d", n, replayed.valid)
		}
	}
}
