package plugins

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
	"sandbar/schemas"
)

// BenchmarkPings is the decoder that ships on real pings, everything included: URI, gunzip, JSON, schema, place, annotation, encoding. The edge keeps bodies compressed as they came.
func BenchmarkPings(b *testing.B) {
	dir := filepath.Join("..", "..", "shared", "data", "mozilla")
	known, err := schemas.OpenDir(filepath.Join(dir, "schemas"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Skipf("the real schemas and pings are not here: %v", err)
	}
	all, err := filepath.Glob(filepath.Join(dir, "pings", "telemetry", "*.pass.json"))
	if err != nil || len(all) == 0 {
		b.Skipf("no pings: %v", err)
	}
	for _, c := range []struct {
		name string
		want func(kind string) bool
	}{
		{"all", func(string) bool { return true }},
		{"crash", func(kind string) bool { return kind == "crash" }},
		{"main", func(kind string) bool { return kind == "main" }},
	} {
		for _, zipped := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/gzip=%v", c.name, zipped), func(b *testing.B) { benchPings(b, known, all, c.want, zipped) })
		}
	}
}

func benchPings(b *testing.B, known sandbox.Schemas, files []string, want func(string) bool, zipped bool) {
	type ping struct {
		kind string
		body []byte
	}
	var pings []ping
	size := 0
	for _, f := range files {
		kind, _, _ := strings.Cut(filepath.Base(f), ".")
		if !want(kind) {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		size += len(text)
		if zipped {
			var out bytes.Buffer
			w := gzip.NewWriter(&out)
			if _, err := w.Write(text); err != nil || w.Close() != nil {
				b.Fatal(err)
			}
			text = out.Bytes()
		}
		pings = append(pings, ping{kind, text})
	}
	r := runWith(b, "decoder.submission", known)
	var m message.Builder
	var v message.View
	var raw []byte
	b.ReportAllocs()
	b.SetBytes(int64(size / len(pings)))
	b.ReportMetric(float64(size)/float64(len(pings)), "bytes/ping")
	for i := range b.N {
		p := pings[i%len(pings)]
		m.Reset()
		m.SetTimestamp(r.now.UnixNano())
		m.SetHeader(message.Type, "raw")
		m.AddString("uri", "", fmt.Sprintf("/submit/telemetry/c0ffee00-0000-4000-8000-%012x/%s/Firefox/61.0/nightly/20180328030202", i, p.kind))
		m.AddString("remote_addr", "", "81.2.69.142")
		m.AddString("User-Agent", "", "agent")
		m.AddBytes("content", "", p.body)
		raw = m.AppendTo(raw[:0])
		if err := v.Parse(raw); err != nil {
			b.Fatal(err)
		}
		r.made = r.made[:0]
		if res := r.Process(&v); res.Outcome != sandbox.OK {
			b.Fatal(res.Text)
		}
		if typ, _ := r.made[0].Header(message.Type); string(typ) != "telemetry" {
			b.Fatalf("%s: %s", p.kind, message.AppendJSON(nil, &r.made[0])[:300])
		}
	}
}
