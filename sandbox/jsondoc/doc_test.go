package jsondoc

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(`{"a":{"b":[1,2.5,"x",null,true,9007199254740993]},"a":7,"é":"\u00e9\n","e":1e3}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path []any
		kind Kind
		text string
	}{
		{[]any{"a", "b", 0}, Number, "1"}, {[]any{"a", "b", 1}, Number, "2.5"}, {[]any{"a", "b", 2}, String, `"x"`},
		{[]any{"a", "b", 3}, Null, "null"}, {[]any{"a", "b", 4}, Bool, "true"}, {[]any{"é"}, String, `"é\n"`},
		{[]any{"a", "b", 5}, Number, "9007199254740993"}, {[]any{"e"}, Number, "1e3"},
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
	v, _ = d.Get("e")
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
	if got := d.Any().(map[string]any)["a"]; !reflect.DeepEqual(got, map[string]any{}) {
		t.Errorf("the first of two members counts, got %v", got)
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
	if out, err := Inflate([]byte("a"), pack(t, []byte("bc")), 2); err != nil || string(out) != "abc" {
		t.Errorf("%q %v", out, err)
	}
	if out, err := Inflate(nil, bomb, 1<<20); !errors.Is(err, ErrTooLarge) || cap(out) > 0 {
		t.Errorf("a bomb of %d bytes: %d bytes, %v", len(bomb), len(out), err)
	}
	if _, err := Inflate(nil, bomb[:100], 100<<20); err == nil {
		t.Error("a torn file was taken")
	}
	if _, err := Inflate(nil, []byte("no gzip"), 10); err == nil {
		t.Error("what is no gzip was taken")
	}
}

// FuzzParse agrees with encoding/json about what is JSON, within the limits, and about what it says.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, `"\ud800"`, `[1e5,-0,0.1]`, `{"":{"":1}}`, `tru`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data, Limits{Depth: 200})
		if tooDeep(data, 200) >= 0 || !utf8.Valid(data) {
			return
		}
		if (err == nil) != json.Valid(data) {
			t.Fatalf("%q: %v, encoding/json says %v", data, err, json.Valid(data))
		}
		if err != nil {
			return
		}
		if out := d.AppendTo(nil); !json.Valid(out) {
			t.Fatalf("%q is written as %q", data, out)
		}
		if bytes.Contains(data, []byte(`\`)) { // lone surrogates are read differently
			return
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if !hasDuplicates(want, d.Root()) && !reflect.DeepEqual(d.Any(), want) {
			t.Fatalf("%q is %v, want %v", data, d.Any(), want)
		}
	})
}

// hasDuplicates says whether an object of v has more members than its map.
func hasDuplicates(m any, v Value) bool {
	found := false
	switch m := m.(type) {
	case map[string]any:
		if len(m) != v.Len() {
			return true
		}
		v.Each(func(k []byte, e Value) bool {
			found = found || hasDuplicates(m[string(k)], e)
			return !found
		})
	case []any:
		i := 0
		v.Each(func(_ []byte, e Value) bool {
			found = found || hasDuplicates(m[i], e)
			i++
			return !found
		})
	}
	return found
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
