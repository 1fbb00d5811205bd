package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sandbar/host/runner"
	"sandbar/sandbox/message"
)

// anyString writes a JSON string literal out of what is hard: control characters and others as themselves where JSON lets
// them, as \u, as a short escape; pairs of surrogates and halves of them.
func anyString(r *rand.Rand) string {
	hard := []rune{0, 1, 7, 8, 9, 10, 11, 12, 13, 27, 31, ' ', '"', '\\', '/', '<', '&', 0x7f, 0x80, 0x85, 0x9f, 'ß', 0x2028, 0x2029, 0xfeff, 0xfffd, 0xffff, '🏴', 0xe0067, 0x10ffff}
	short := map[rune]string{8: `\b`, 9: `\t`, 10: `\n`, 12: `\f`, 13: `\r`, '"': `\"`, '\\': `\\`, '/': `\/`}
	var b bytes.Buffer
	b.WriteByte('"')
	for range r.IntN(12) {
		c := hard[r.IntN(len(hard))]
		if r.IntN(3) == 0 {
			c = rune('a' + r.IntN(26))
		}
		s, has := short[c]
		switch {
		case r.IntN(12) == 0:
			fmt.Fprintf(&b, `\u%04x`, 0xd800+r.IntN(0x800)) // half of a pair
		case has && r.IntN(2) == 0:
			b.WriteString(s)
		case c < ' ' || c == '"' || c == '\\' || c < 0x10000 && r.IntN(2) == 0:
			fmt.Fprintf(&b, `\u%04X`, c)
		case c >= 0x10000 && r.IntN(2) == 0:
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// TestEveryString sends strings and keys of every kind through the whole host: what is on the stream, what a plugin reads
// and writes, and what is in the Parquet files has the values that encoding/json reads from what was sent.
func TestEveryString(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	schema := filepath.Join(dir, "schemas", "ns", "doc")
	if err := os.MkdirAll(schema, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(schema, "doc.1.schema.json"), []byte(`{"type":"object","properties":{"n":{"type":"integer"},"s":{"type":"string"},"o":{"type":"object","properties":{"k":{"type":"string"}}}}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, filepath.Join(dir, "data"), "serve", "--schemas", filepath.Join(dir, "schemas"))
	p.deploy("analysis", "again", "filename = 'again.lua' message_matcher = \"Fields[docType] == 'doc'\" process_message_inject_limit = 1", `
require "cjson"
function process_message()
    local doc = cjson.decode(read_message("Fields[submission]"))
    inject_message({Fields = {n = doc.n, s = doc.s, k = doc.o.k, again = cjson.encode(doc)}})
    return 0
end`)
	type values struct {
		N int64
		S string
		O map[string]string
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	const documents = 500
	var sent []values
	for n := range documents {
		body := fmt.Sprintf(`{"n":%d,"s":%s,"o":{%s:%s,"k":%s}}`, n, anyString(r), anyString(r), anyString(r), anyString(r))
		var v values
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		sent = append(sent, v)
		if status := p.post("/submit/ns/doc/1/"+docID(n), []byte(body)); status != 200 {
			t.Fatalf("%s: %d", body, status)
		}
	}
	until(t, 60*time.Second, "the plugin", func() bool {
		s := p.plugins()["analysis.again"]
		if s.State != runner.Running {
			t.Fatal(s.Reason)
		}
		return s.Stats.Matched == documents
	})
	p.stop()

	strict := func(text string) (v values) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		return v
	}
	got := map[string][]values{"stream": make([]values, documents), "plugin": make([]values, documents), "parquet": make([]values, documents)}
	for _, v := range messages(t, p.data, "valid") {
		doc := strict(field(&v, "submission"))
		got["stream"][doc.N] = doc
	}
	for _, v := range messages(t, p.data, "derived") {
		if header(&v, message.Logger) != "analysis.again" {
			continue
		}
		doc := strict(field(&v, "again"))
		if s, k := field(&v, "s"), field(&v, "k"); s != doc.S || k != doc.O["k"] {
			t.Errorf("document %d: fields %q and %q, encoded %+v", doc.N, s, k, doc)
		}
		got["plugin"][doc.N] = doc
	}
	names, err := filepath.Glob(filepath.Join(p.data, "bucket", "lake", "parquet", "*", "*", "*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		rows, err := parquet.ReadFile[struct {
			N int64  `parquet:"n,optional"`
			S string `parquet:"s,optional"`
			K string `parquet:"o_k,optional"`
		}](name)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			doc := values{N: row.N, S: row.S, O: map[string]string{}}
			for key, v := range sent[row.N].O { // keys without a schema are no columns
				doc.O[key] = v
			}
			doc.O["k"] = row.K
			got["parquet"][row.N] = doc
		}
	}
	for where, values := range got {
		if diff := cmp.Diff(sent, values); diff != "" {
			t.Errorf("sent (-), %s (+): %.2000s", where, diff)
		}
	}
}
