package plugins

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
	"sandbar/schemas"
)

// badSchema has what bad values meet.
const badSchema = `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{
	"short":{"type":"string","maxLength":1},"long":{"type":"string","minLength":2},"text":{"type":"string"},
	"int":{"type":"integer"},"num":{"type":"number"},"within":{"minimum":0,"maximum":10},"inside":{"exclusiveMinimum":0,"exclusiveMaximum":10},
	"cents":{"multipleOf":0.01},"enum":{"enum":[1,2]},"const":{"const":7},"ints":{"type":"array","items":{"type":"integer"}},
	"unique":{"type":"array","uniqueItems":true},"scheme":{"pattern":"^(?!data:)[a-z][a-z0-9+.-]*:.*$"},"space":{"pattern":"^\\s$"},
	"control":{"pattern":"^\\cA$"},"slow":{"pattern":"^(?=a)(a+)+$"},"few":{"maxProperties":2}}}`

func badSchemas(t testing.TB) sandbox.Schemas {
	t.Helper()
	known, err := schemas.Open(fstest.MapFS{"ns/doc/doc.1.schema.json": {Data: []byte(badSchema)}}, slog.New(slog.DiscardHandler))
	if err != nil || known.Len() != 1 {
		t.Fatal(err, known.Problems())
	}
	return known
}

func zip(t testing.TB, body string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(body)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.String()
}

// badInput is a body, and what the decoder that ships says of it.
type badInput struct {
	name, body string
	says       string        // a part of the error; "" when it is valid
	within     time.Duration // the verdict comes; 0 for 100 ms
}

// badInputs are those that broke this decoder or others once, and their relatives.
func badInputs(t testing.TB) []badInput {
	all := []badInput{
		{name: "an exponent above a maximum", body: `{"within":1e9999999}`, says: "maximum"},
		{name: "an exponent below a minimum", body: `{"within":-1e9999999}`, says: "minimum"},
		{name: "an exponent of zero", body: `{"within":1e-9999999}`},
		{name: "above an exclusive maximum", body: `{"inside":1e9999999}`, says: "exclusiveMaximum"},
		{name: "zero above an exclusive minimum", body: `{"inside":0e9999999}`, says: "exclusiveMinimum"},
		{name: "an exponent and multipleOf", body: `{"cents":1e9999999}`},
		{name: "a small exponent and multipleOf", body: `{"cents":1e-9999999}`, says: "multipleOf"},
		{name: "an exponent as an integer", body: `{"int":1e999999}`},
		{name: "a small exponent as an integer", body: `{"int":1e-999999}`, says: "integer"},
		{name: "an exponent in an enum", body: `{"enum":1e9999999}`, says: "enum"},
		{name: "an exponent as a const", body: `{"const":7e-9999999}`, says: "const"},
		{name: "600 exponents", body: `{"ints":[` + strings.Repeat("1e999999,", 600) + "1]}"},
		{name: "unique exponents", body: `{"unique":[` + strings.Repeat("1e999999,", 600) + "1]}", says: "are equal"},
		{name: "a number beyond a double", body: `{"num":1e400}`},
		{name: "two million digits", body: `{"within":` + strings.Repeat("7", 2_000_000) + "}", says: "maximum", within: time.Second},
		{name: "two million digits behind the point", body: `{"within":0.` + strings.Repeat("3", 2_000_000) + "}", within: time.Second},
		{name: "two million digits as an integer", body: `{"int":1` + strings.Repeat("0", 2_000_000) + "}", within: time.Second},
		{name: "a leading zero", body: `{"int":01}`, says: "JSON: "},
		{name: "a plus", body: `{"int":+1}`, says: "JSON: "},
		{name: "NaN", body: `{"num":NaN}`, says: "JSON: "},

		{name: "64 levels", body: nested(63)},
		{name: "65 levels", body: nested(64), says: "nested more than 64 deep"},
		{name: "a million levels", body: `{"text":` + strings.Repeat("[", 1_000_000), says: "nested more than 64 deep"},
		{name: "a repeated key", body: `{"int":"a","int":1}`},
		{name: "a repeated key, of which the last is wrong", body: `{"int":1,"int":"a"}`, says: "integer"},
		{name: "100 000 times one key", body: `{` + strings.Repeat(`"int":1,`, 100_000) + `"int":1}`, within: time.Second},
		{name: "100 000 wrong ones and a right one", body: `{` + strings.Repeat(`"int":"a",`, 100_000) + `"int":1}`, within: time.Second},
		{name: "100 000 times one key in few", body: `{"few":{` + strings.Repeat(`"a":1,`, 100_000) + `"a":1}}`, within: time.Second},
		{name: "a key of 2 MB", body: `{"` + strings.Repeat("k", 2_000_000) + `":1}`},
		{name: "700 000 small values", body: `{"ints":[` + strings.Repeat("1,", 700_000) + `1]}`, within: time.Second},
		{name: "700 000 small values, the last of which is wrong", body: `{"ints":[` + strings.Repeat("1,", 700_000) + `"a"]}`, says: "/ints/700000", within: time.Second},
		{name: "100 000 unique values", body: `{"unique":[` + numbers(100_000) + `]}`, within: time.Second},
		{name: "100 000 objects", body: `{"unique":[` + strings.Repeat(`{"a":1},`, 100_000) + `1]}`, says: "are equal", within: time.Second},

		{name: "a control character", body: `{"text":"a` + "\x01" + `b"}`, says: "JSON: "},
		{name: "an escaped control character", body: `{"text":"a\u0001\u0007\u000bb","int":2}`},
		{name: "one that Go does not print", body: `{"text":"` + "\U000e0067" + `","` + "\U000e0067" + `":1}`},
		{name: "NUL, escaped", body: `{"text":"\u0000","\u0000":1}`},
		{name: "NUL", body: "{\"text\":\"\x00\"}", says: "JSON: "},
		{name: "NUL behind the document", body: "{}\x00", says: "JSON: "},
		{name: "a lone surrogate", body: `{"short":"\ud800"}`},
		{name: "a lone low surrogate", body: `{"short":"\udc00"}`},
		{name: "surrogates in the wrong order", body: `{"short":"\udc00\ud800"}`, says: "maxLength"},
		{name: "a lone surrogate amid text", body: `{"text":"a\ud800b","\ud800":1}`},
		{name: "a lone surrogate is one character", body: `{"long":"\ud83d"}`, says: "minLength"},
		{name: "a pair is one character", body: `{"long":"\ud83d\ude00"}`, says: "minLength"},
		{name: "no UTF-8", body: "{\"text\":\"\xff\"}", says: "not UTF-8 at byte 9"},
		{name: "a surrogate in UTF-8", body: "{\"text\":\"\xed\xa0\x80\"}", says: "not UTF-8 at byte 9"},
		{name: "an overlong slash", body: "{\"text\":\"\xc0\xaf\"}", says: "not UTF-8 at byte 9"},
		{name: "UTF-16", body: "\xff\xfe{\x00}\x00", says: "not UTF-8 at byte 0"},
		{name: "a byte order mark", body: "\xef\xbb\xbf{}"},
		{name: "two byte order marks", body: "\xef\xbb\xbf\xef\xbb\xbf{}", says: "JSON: "},

		{name: "a pattern that only ECMA knows", body: `{"scheme":"data:text/plain,x"}`, says: "pattern"},
		{name: "what that pattern takes", body: `{"scheme":"https://example.com"}`},
		{name: "ECMA's white space", body: `{"space":"\ufeff"}`},
		{name: "ECMA's control escape", body: `{"control":"\u0001"}`},
		{name: "a pattern that goes back without end", body: `{"slow":"` + strings.Repeat("a", 5000) + `!"}`, says: "to match with pattern", within: 2 * time.Second},

		{name: "nothing", body: ``, says: "JSON: "},
		{name: "a space", body: ` `, says: "JSON: "},
		{name: "no object", body: `[1]`, says: "object"},
		{name: "cut off", body: `{"text":"abc`, says: "JSON: "},
		{name: "two documents", body: `{}{}`, says: "JSON: "},
		{name: "a comma too many", body: `{"int":1,}`, says: "JSON: "},
		{name: "a comment", body: `{/* */}`, says: "JSON: "},

		{name: "gzip", body: zip(t, `{"int":1}`)},
		{name: "gzip in gzip", body: zip(t, zip(t, `{"int":1}`)), says: "not UTF-8 at byte 1"},
		{name: "a cut gzip", body: zip(t, strings.Repeat(`{"int":1}`, 100))[:30], says: "ungzip failed"},
		{name: "a gzip with a wrong sum", body: flipped(zip(t, `{"int":1}`)), says: "ungzip failed"},
		{name: "nothing but a gzip header", body: zip(t, "")[:10], says: "ungzip failed"},
		{name: "a bomb of 100 MB", body: zip(t, strings.Repeat(" ", 100<<20)), says: "too large", within: 2 * time.Second},
		{name: "17 MiB", body: zip(t, `{"text":"`+strings.Repeat("x", 17<<20)+`"}`), says: "too large", within: time.Second},
		{name: "15 MiB", body: zip(t, `{"text":"`+strings.Repeat("x", 14<<20)+`"}`), within: time.Second},
		{name: "8 million values", body: zip(t, `{"ints":[`+strings.Repeat("1,", 8_000_000)+`1]}`), says: "memory_limit", within: 5 * time.Second},
	}
	for r := rune(0); r < ' '; r++ {
		all = append(all, badInput{name: fmt.Sprintf("U+%04X in a value and a name, escaped", r), body: fmt.Sprintf(`{"text":"a\u%04xb","\u%04x":1}`, r, r)})
	}
	return all
}

func nested(levels int) string {
	return `{"a":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "}"
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String() + "-1"
}

// flipped is a gzip file whose sum is wrong.
func flipped(gz string) string {
	b := []byte(gz)
	b[len(b)-8] ^= 1
	return string(b)
}

// TestBadInput: every bad input has a verdict that names its cause, in time, and what is valid is stored as JSON that says what was sent.
func TestBadInput(t *testing.T) {
	t.Parallel()
	d := runWith(t, "decoder.submission", badSchemas(t))
	for i, c := range badInputs(t) {
		if c.within == 0 {
			c.within = 100 * time.Millisecond
		}
		if race {
			c.within *= 20
		}
		took := time.Hour
		var made *message.View
		for again := range 3 { // others may use the machine
			start := time.Now()
			made = d.decode(fmt.Sprintf("/submit/ns/doc/1/%08d-0000-4000-8000-%012d", i, again), c.body)
			if took = min(took, time.Since(start)); took <= c.within {
				break
			}
		}
		typ, _ := made.Header(message.Type)
		said, _ := get(made, "DecodeError").(string)
		switch {
		case c.says == "" && string(typ) != "validated":
			t.Errorf("%s: %s: %s", c.name, typ, said)
		case c.says != "" && (string(typ) != "error" || !strings.Contains(said, c.says)):
			t.Errorf("%s: %s: %q, want %q", c.name, typ, said, c.says)
		case strings.Contains(said, "goroutine") || strings.Contains(said, "nil pointer") || len(said) > 2000 || !utf8.ValidString(said):
			t.Errorf("%s: %q is not for people", c.name, said)
		case took > c.within:
			t.Errorf("%s: it took %v, %v are allowed", c.name, took, c.within)
		case c.says == "":
			sameDocument(t, c.name, c.body, made)
		}
		if strings.HasPrefix(said, "namespace") && (get(made, "docType") != "doc" || get(made, "documentId") == nil) {
			t.Errorf("%s: its type or id is not kept", c.name)
		}
	}
}

// decode is submit for what may end a call too: the host keeps such a submission on stream errors with the outcome.
func (r *running) decode(uri, body string) *message.View {
	r.made = nil
	var b message.Builder
	b.SetHeader(message.Type, "raw")
	b.AddString("uri", "", uri)
	b.AddBytes("content", "", []byte(body))
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		r.t.Fatal(err)
	}
	if res := r.Process(&v); res.Outcome != sandbox.OK {
		b.Reset()
		b.SetHeader(message.Type, "error")
		b.AddString("DecodeError", "", res.Text)
		made := new(message.View)
		if err := made.Parse(b.AppendTo(nil)); err != nil {
			r.t.Fatal(err)
		}
		return made
	}
	if len(r.made) != 1 {
		r.t.Fatalf("%s: %d messages", uri, len(r.made))
	}
	return &r.made[0]
}

// sameDocument compares what is stored with what encoding/json reads in what was sent.
func sameDocument(t *testing.T, name, body string, made *message.View) {
	t.Helper()
	if strings.HasPrefix(body, "\x1f\x8b") {
		z, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := out.ReadFrom(z); err != nil {
			t.Fatal(err)
		}
		body = out.String()
	}
	f, _ := made.Field("submission", 0)
	stored, _ := f.Bytes(0)
	if got, want := tree(t, name, stored), tree(t, name, []byte(strings.TrimPrefix(body, "\xef\xbb\xbf"))); !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %.200s is stored", name, stored)
	}
}

func tree(t *testing.T, name string, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Errorf("%s: %.200s: %v", name, text, err)
	}
	return v
}

// FuzzDecoder: whatever comes, the decoder makes one message of it; a valid one holds JSON.
func FuzzDecoder(f *testing.F) {
	for _, c := range badInputs(f) {
		if len(c.body) < 1000 {
			f.Add("/submit/ns/doc/1/c0ffee00-0000-4000-8000-000000000000", []byte(c.body))
		}
	}
	f.Add("/submit/telemetry/c0ffee00-0000-4000-8000-000000000000/main/Firefox/61.0/nightly/1", []byte(mainPing))
	f.Add("/submit/%6es/doc/1/%ff", []byte(`{}`))
	d := runWith(f, "decoder.submission", badSchemas(f))
	f.Fuzz(func(t *testing.T, uri string, body []byte) {
		made := d.decode(uri, string(body))
		typ, _ := made.Header(message.Type)
		field, _ := made.Field("submission", 0)
		stored, ok := field.Bytes(0)
		switch kind := string(typ); {
		case strings.HasSuffix(kind, "error"):
			if said, _ := get(made, "DecodeError").(string); said == "" {
				t.Errorf("%q, %q: an error without a cause", uri, body)
			}
		case strings.HasSuffix(kind, "duplicate"):
		case kind != "validated" && kind != "telemetry" || !ok || !json.Valid(stored):
			t.Errorf("%q, %q: %s %q", uri, body, typ, stored)
		}
	})
}
