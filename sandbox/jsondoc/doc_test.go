package jsondoc

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"sandbar/sandbox/number"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(`{"a":7,"a":{"b":[1,2.5,"x",null,true,9007199254740993],"c": 1 },"é":"\u00e9\n","\u00e9e":1e3}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path []any
		kind Kind
		text string
	}{
		{[]any{"a", "b", 0}, Number, "1"}, {[]any{"a", "b", 1}, Number, "2.5"}, {[]any{"a", "b", 2}, String, `"x"`},
		{[]any{"a", "b", 3}, Null, "null"}, {[]any{"a", "b", 4}, Bool, "true"}, {[]any{"é"}, String, `"\u00e9\n"`},
		{[]any{"a", "b", 5}, Number, "9007199254740993"}, {[]any{"ée"}, Number, "1e3"},
	} {
		v, ok := d.Get(c.path...)
		if !ok || v.Kind() != c.kind || string(v.AppendTo(nil)) != c.text {
			t.Errorf("%v: %v %v %s", c.path, ok, v.Kind(), v.AppendTo(nil))
		}
	}
	for _, path := range [][]any{{"x"}, {"a", "b", 6}, {"a", "b", -1}, {"a", 0}, {"a", "b", "c"}, {3.5}, {"é", "x"}} {
		if _, ok := d.Get(path...); ok {
			t.Errorf("%v was found", path)
		}
	}
	v, _ := d.Get("a", "b", 5)
	if n, ok := v.Int(); !ok || n != 9007199254740993 {
		t.Errorf("int %d %v", n, ok)
	}
	v, _ = d.Get("ée")
	if n, ok := v.Int(); !ok || n != 1000 {
		t.Errorf("int of 1e3: %d %v", n, ok)
	}
	part, ok := d.Remove("a", "b")
	if !ok || string(part) != `[1,2.5,"x",null,true,9007199254740993]` {
		t.Errorf("removed %v %s", ok, part)
	}
	if _, ok := d.Remove("a", "b"); ok {
		t.Error("removed twice")
	}
	if got := d.Any().(map[string]any)["a"]; !reflect.DeepEqual(got, map[string]any{"c": json.Number("1")}) {
		t.Errorf("the last of two members counts, got %v", got)
	}
	if got := string(d.AppendTo(nil)); got != `{"a":7,"a":{"c":1},"é":"\u00e9\n","\u00e9e":1e3}` {
		t.Errorf("written as %s", got)
	}
	if _, ok := d.Remove("a"); !ok || string(d.AppendTo(nil)) != `{"é":"\u00e9\n","\u00e9e":1e3}` {
		t.Errorf("without a: %s", d.AppendTo(nil))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, c := range []struct{ in, want string }{
		{``, "byte 0"}, {`{`, "byte 1"}, {`{"a":1,}`, "byte 8"}, {`[1] x`, "byte 5"}, {"\"\xff\"", "UTF-8 at byte 1"}, {`nan`, "byte 2"},
		{deep, "64 deep at byte 64"}, {`"` + strings.Repeat("x", 100) + `"`, "too large"}, {"[\"\x01\"]", "byte 3"}, {`01`, "byte 2"},
	} {
		lim := Limits{Bytes: 100}
		if c.in == deep {
			lim = Limits{}
		}
		_, err := Parse([]byte(c.in), lim)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q: %v, want %s", c.in, err, c.want)
		}
	}
	if _, err := Parse([]byte(strings.Repeat("[", 64)+strings.Repeat("]", 64)+"\n"), Limits{}); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]byte(`"`+strings.Repeat("[", 500)+`"`), Limits{}); err != nil {
		t.Error(err)
	}
}

func pack(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func TestInflate(t *testing.T) {
	t.Parallel()
	bomb := pack(t, make([]byte, 50<<20))
	if !IsGzip(bomb) || IsGzip([]byte(`{"a":1}`)) {
		t.Error("IsGzip")
	}
	var f Inflater
	if out, _, err := f.Inflate([]byte("a"), pack(t, []byte("bc")), 2); err != nil || string(out) != "abc" {
		t.Errorf("%q %v", out, err)
	}
	if out, _, err := f.Inflate(nil, bomb, 1<<20); !errors.Is(err, ErrTooLarge) || len(out) > 0 || cap(out) > 2<<20 {
		t.Errorf("a bomb of %d bytes: %d bytes, %v", len(bomb), len(out), err)
	}
	if _, _, err := f.Inflate(nil, bomb[:100], 100<<20); err == nil {
		t.Error("a torn file was taken")
	}
	if _, _, err := f.Inflate(nil, []byte("no gzip"), 10); err == nil {
		t.Error("what is no gzip was taken")
	}
	two := append(pack(t, []byte("a")), pack(t, []byte("bc"))...)
	lying := append(pack(t, []byte("abc")[:3:3]), 0)
	copy(lying[len(lying)-5:], "\xff\xff\xff\x7f")
	for _, c := range []struct {
		name, gz, want string
		padded         bool
		fault          string
	}{
		{"two members", string(two), "abc", false, ""},
		{"zeros", string(two) + "\x00\x00\x00", "abc", true, ""},
		{"a zero", string(pack(t, []byte("abc"))) + "\x00", "abc", true, ""},
		{"junk", string(two) + "\x00x", "", false, "neither zeros nor gzip"},
		{"a torn second", string(two[:len(two)-3]), "", false, "after"},
		{"a size that is a lie", string(lying), "", false, "gzip"},
		{"many members", strings.Repeat(string(pack(t, nil)), 101), "", false, "members"},
	} {
		out, padded, err := f.Inflate(nil, []byte(c.gz), 10)
		if string(out) != c.want || padded != c.padded || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %q, padded %v, %v", c.name, out, padded, err)
		}
	}
	if _, _, err := f.Inflate(nil, two, 2); !errors.Is(err, ErrTooLarge) {
		t.Errorf("three bytes of two members where two are allowed: %v", err)
	}
	if rest, cut := WithoutMark([]byte("\xef\xbb\xbf{}")); !cut || string(rest) != "{}" {
		t.Errorf("%q %v", rest, cut)
	}
}

// FuzzParse agrees with encoding/json about what is JSON, within the limits, and about what it says.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, `"\ud800"`, `[1e5,-0,0.1]`, `{"":{"":1}}`, `tru`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data, Limits{Depth: 200})
		if _, _, deep := survey(data, 200); deep >= 0 || !utf8.Valid(data) {
			return
		}
		if (err == nil) != json.Valid(data) {
			t.Fatalf("%q: %v, encoding/json says %v", data, err, json.Valid(data))
		}
		arena(t, data, err)
		if err != nil {
			return
		}
		same(t, data, d)
	})
}

// arena parses what Parse made err of, twice with the same memory.
func arena(t *testing.T, data []byte, err error) {
	t.Helper()
	var a Arena
	for range 2 {
		d, aerr := a.Parse(data, Limits{Depth: 200}, func(int64) bool { return true })
		if fmt.Sprint(aerr) != fmt.Sprint(err) {
			t.Fatalf("%q: %v, with an arena %v", data, err, aerr)
		}
		if aerr != nil {
			return
		}
		if got, want := d.Any(), strict(t, data); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is %v, want %v", data, got, want)
		}
		a.Close(d)
	}
}

// TestArena: memory is used again, and asked for before it is allocated.
func TestArena(t *testing.T) {
	t.Parallel()
	text := []byte("[" + strings.Repeat(`{"a": "b"},`, 1000) + "1]")
	var a Arena
	var asked int64
	fits := func(bytes int64) bool { asked = max(asked, bytes); return bytes < 1<<20 }
	d, err := a.Parse(text, Limits{}, fits)
	if err != nil || asked < d.Size() || a.Size() != 0 {
		t.Fatalf("%v, asked for %d, the arena holds %d", err, asked, a.Size())
	}
	size := d.Size()
	a.Close(d)
	if d.Nodes() != 0 || a.Size() != size-docSize {
		t.Errorf("%d nodes, the arena holds %d of %d", d.Nodes(), a.Size(), size)
	}
	asked = 0
	if d, err = a.Parse(append(a.Buffer(), text...), Limits{}, fits); err != nil || asked != 0 || string(d.AppendTo(nil)) != string(text) {
		t.Errorf("%v, asked for %d", err, asked)
	}
	need, _ := Need(text)
	for _, c := range []struct {
		room int64
		ok   bool
	}{{need, true}, {need - 1, false}, {100, false}} {
		var a Arena
		d, err := a.Parse(text, Limits{}, func(bytes int64) bool { return bytes <= c.room })
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrNoRoom) {
			t.Errorf("with room for %d bytes: %v", c.room, err)
		}
		if err == nil && d.Size() > c.room {
			t.Errorf("it holds %d bytes where there is room for %d", d.Size(), c.room)
		}
	}
	if _, err := a.Parse([]byte("[[["), Limits{Depth: 2}, fits); err == nil || !strings.Contains(err.Error(), "2 deep at byte 2") {
		t.Error(err)
	}
}

// same compares a document, and what it writes, with what encoding/json reads.
func same(t *testing.T, data []byte, d *Doc) {
	t.Helper()
	want := strict(t, data)
	if got := d.Any(); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q is %v, want %v", data, got, want)
	}
	if out := d.AppendTo(nil); !reflect.DeepEqual(strict(t, out), want) {
		t.Fatalf("%q is written as %q", data, out)
	}
	if need, _ := Need(data); need < d.Size() {
		t.Fatalf("%q holds %d bytes, said was %d", data, d.Size(), need)
	}
}

// strict is the tree of encoding/json, its numbers bounded.
func strict(t *testing.T, data []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	return boundTree(v)
}

func boundTree(v any) any {
	switch v := v.(type) {
	case json.Number:
		return json.Number(number.Bound(string(v)))
	case []any:
		for i := range v {
			v[i] = boundTree(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = boundTree(v[k])
		}
	}
	return v
}

// TestEveryCharacter: each code point, written as it is and escaped, in a value and in a name, is read and written as
// encoding/json reads it, and one that is no character becomes U+FFFD.
func TestEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= 0x10ffff; r++ {
		if r > 0x3000 && r%97 != 0 && (r < 0xd7f0 || r > 0xe010) && r < 0x10fff0 {
			continue
		}
		escaped := fmt.Sprintf(`\u%04x`, r)
		if r > 0xffff {
			a, b := utf16.EncodeRune(r)
			escaped = fmt.Sprintf(`\u%04x\u%04X`, a, b)
		}
		texts := []string{`{"` + escaped + `":"a` + escaped + `b","n":1}`}
		if r >= ' ' && r != '"' && r != '\\' && utf8.ValidRune(r) {
			texts = append(texts, `{"`+string(r)+`":"`+string(r)+`"}`)
		}
		for _, text := range texts {
			d, err := Parse([]byte(text), Limits{})
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			same(t, []byte(text), d)
		}
	}
	for in, want := range map[string]string{
		`"\ud800"`: "\ufffd", `"\udc00"`: "\ufffd", `"\udc00\ud800"`: "\ufffd\ufffd", `"\ud800\ud800\udc00"`: "\ufffd\U00010000", `"\ud800x"`: "\ufffdx",
		`"\ud800\n"`: "\ufffd\n", `"\uD83D\uDE00"`: "😀", `"\/\b\f\n\r\t\\\""`: "/\b\f\n\r\t\\\"",
	} {
		d, err := Parse([]byte(in), Limits{})
		if err != nil || d.Root().Str() != want {
			t.Errorf("%s: %v %q, want %q", in, err, d.Root().Str(), want)
			continue
		}
		same(t, []byte(in), d)
	}
}

// TestSize: what a document is said to hold is what Go allocates for it. It is not parallel: it counts all allocations.
func TestSize(t *testing.T) {
	for name, text := range map[string]string{
		"numbers": "[1" + strings.Repeat(",1", 100_000) + "]", "arrays": "[[]" + strings.Repeat(",[]", 60_000) + "]",
		"keys": `{"k":1` + strings.Repeat(`,"key":{}`, 20_000) + "}", "text": `"` + strings.Repeat("x", 1<<20) + `"`,
	} {
		data := []byte(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d, err := Parse(data, Limits{})
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		allocated := after.TotalAlloc - before.TotalAlloc
		if ratio := float64(d.Size()) / float64(allocated); ratio < 0.85 || ratio > 1.15 {
			t.Errorf("%s: Size is %d, Go allocated %d", name, d.Size(), allocated)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	doc := []byte(`{"clientId":"c0ffee","version":4,"payload":{"info":{"reason":"shutdown","x":[1,2,3,4]},"counts":{` +
		strings.Repeat(`"key":12345,`, 100) + `"last":1}}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for range b.N {
		if _, err := Parse(doc, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkArena is BenchmarkParse with memory that is used again.
func BenchmarkArena(b *testing.B) {
	doc := []byte(`{"clientId":"c0ffee","version":4,"payload":{"info":{"reason":"shutdown","x":[1,2,3,4]},"counts":{` +
		strings.Repeat(`"key":12345,`, 100) + `"last":1}}}`)
	var a Arena
	fits := func(int64) bool { return true }
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for range b.N {
		d, err := a.Parse(doc, Limits{}, fits)
		if err != nil {
			b.Fatal(err)
		}
		a.Close(d)
	}
}
