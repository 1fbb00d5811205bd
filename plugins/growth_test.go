package plugins

import (
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sandbar/sandbox/message"
	"sandbar/schemas"
)

// generated are the shipped schemas and so many others, each with 40 properties of its own.
func generated(t *testing.T, others int) *schemas.Registry {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(schemas.Shipped(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(schemas.Shipped(), name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range others {
		var properties []string
		for p := range 40 {
			properties = append(properties, fmt.Sprintf(`"p%d_%d":{"type":"string","maxLength":%d,"pattern":"^[a-z%d]*$"}`, n, p, 10+p, p%10))
		}
		files[fmt.Sprintf("made%d/doc/doc.1.schema.json", n)] = &fstest.MapFile{Data: []byte(`{"type":"object","properties":{` + strings.Join(properties, ",") + `}}`)}
	}
	known, err := schemas.Open(files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// TestGrowth: what a document costs grows with its size and not faster, and not with the number of schemas.
func TestGrowth(t *testing.T) {
	t.Parallel()
	few, many := generated(t, 0), generated(t, 2000)
	if many.Len() != few.Len()+2000 {
		t.Fatalf("%d and %d schemas: %v", few.Len(), many.Len(), many.Problems())
	}
	a, b := runWith(t, "decoder.submission", few), runWith(t, "decoder.submission", many)
	n := 0
	cost := func(d *running, uri, body string, times int) time.Duration { // of the quickest of some rounds
		best := time.Hour
		for range 7 {
			start := time.Now()
			for range times {
				n++
				if h, _ := d.decode(fmt.Sprintf(uri, fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)), body).Header(message.Type); strings.HasSuffix(string(h), "error") {
					t.Fatal("it is not valid")
				}
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	const uri = "/submit/sensors/reading/1/%s"
	one, other := cost(a, uri, readingDoc, 300), cost(b, uri, readingDoc, 300)
	t.Logf("300 documents take %v with %d schemas, %v with %d", one, few.Len(), other, many.Len())
	if other > 3*one {
		t.Errorf("300 documents take %v with %d schemas, %v with %d", one, few.Len(), other, many.Len())
	}
	document := func(values int) string {
		return strings.Replace(mainPing, `"payload":{`, `"payload":{"x":[`+strings.Repeat(`{"name":"value","list":[1,2.5,"three"],"on":true},`, values)+`1],`, 1)
	}
	const telemetry = "/submit/telemetry/%s/main/Firefox/128.0/release/20260706103020"
	small, large := cost(a, telemetry, document(500), 20), cost(a, telemetry, document(8000), 20)
	t.Logf("20 documents of 25 kB take %v, of 400 kB %v", small, large)
	if large > 3*16*small {
		t.Errorf("20 documents of 25 kB take %v, 16 times larger ones %v", small, large)
	}
}
