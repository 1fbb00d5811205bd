package plugins

import (
	"bytes"
	"encoding/json"
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
	for _, c := range []struct {
		name, files string
		compact     bool
	}{
		{"all", "*/*.json", false}, // indented, as they are; a third of them is refused
		{"crash", "telemetry/crash.*.pass.json", true},
		{"main", "telemetry/main.*.gc_sample.pass.json", true},
	} {
		files, err := filepath.Glob(filepath.Join(dir, "pings", filepath.FromSlash(c.files)))
		if err != nil || len(files) == 0 {
			b.Skipf("no pings: %v", err)
		}
		for _, zipped := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/gzip=%v", c.name, zipped), func(b *testing.B) { benchPings(b, known, files, c.compact, zipped) })
		}
	}
}

// ping is a document as somebody sends it.
type ping struct {
	uri  string // but for its id
	good bool   // its schema says so
	body []byte
}

// readPings reads NAMESPACE/TYPE.VERSION.WHAT.pass.json, and fail.json.
func readPings(b *testing.B, files []string, compact, zipped bool) (pings []ping, size int) {
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		if compact { // as clients send it
			var out bytes.Buffer
			if err := json.Compact(&out, text); err != nil {
				b.Fatal(err)
			}
			text = out.Bytes()
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
		namespace, name := filepath.Base(filepath.Dir(f)), strings.Split(filepath.Base(f), ".")
		p := ping{fmt.Sprintf("/submit/%s/%s/%s/", namespace, name[0], name[1]), strings.HasSuffix(f, ".pass.json"), text}
		if namespace == "telemetry" {
			p.uri = "/submit/telemetry/%s/" + name[0] + "/Firefox/61.0/nightly/20180328030202"
		} else {
			p.uri += "%s"
		}
		pings = append(pings, p)
	}
	return pings, size
}

func benchPings(b *testing.B, known sandbox.Schemas, files []string, compact, zipped bool) {
	pings, size := readPings(b, files, compact, zipped)
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
		m.AddString("uri", "", fmt.Sprintf(p.uri, fmt.Sprintf("c0ffee00-0000-4000-8000-%012x", i)))
		m.AddString("remote_addr", "", "81.2.69.142")
		m.AddString("User-Agent", "", "agent")
		m.AddBytes("content", "", p.body)
		raw = m.AppendTo(raw[:0])
		if err := v.Parse(raw); err != nil {
			b.Fatal(err)
		}
		r.made, r.room = r.made[:0], r.room[:0]
		if res := r.Process(&v); res.Outcome != sandbox.OK {
			b.Fatal(res.Text)
		}
		if typ, _ := r.made[0].Header(message.Type); p.good == bytes.HasSuffix(typ, []byte("error")) {
			b.Fatalf("%s: %s", p.uri, message.AppendJSON(nil, &r.made[0])[:300])
		}
	}
}
