package schemas

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// one makes a registry of the schema ns/doc.1.
func one(t testing.TB, schema string) *Registry {
	t.Helper()
	return open(t, fstest.MapFS{"ns/doc/doc.1.schema.json": {Data: []byte(schema)}})
}

// TestPatterns: what a pattern means is what ECMA 262 says, whichever engine matches it.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern  string
		yes, no  string // texts apart by a comma
		backward bool   // only the backtracking engine knows it
	}{
		{`^a+$`, "a,aa", "b,aab", false},
		{`^(?!data:)[a-z][a-z0-9+.-]*:.*$`, "https://a.example/", "data:text/plain", true},
		{`(?=.*\\d)^x`, "x1", "x", true},
		{`(?<=a)b`, "ab", "cb", true},
		{`(?<!a)b`, "cb", "ab", true},
		{`^(a|b)\\1$`, "aa,bb", "ab", true},
		{`^(?<y>a|b)\\k<y>$`, "aa", "ab", true},
		{`^[\\u00e0-\\u00ff]+$`, "é", "zzz", false},
		{`^\\u{1F600}$`, "😀", "x", true},
		{`^\\ud83d\\ude00$`, "😀", "x", true},
		{`^\\cA$`, "\x01", "cA", true},
		{`^[^]$`, "x", "xx", true},
		{`^\\s$`, "\u00a0,\ufeff,\u2028,\u000b,\t", "x", false},
		{`^\\S$`, "x", "\u00a0,\ufeff,\u2028,\u000b", false},
		{`^[\\s]$`, "\u2029", "x", false},
		{`^[^\\s]$`, "x", "\ufeff", false},
		{`^.$`, "x,é,\u0085", "\u2028,\r", false},
		{`^\\d$`, "1", "\u0661", false},
		{`^\\w$`, "a", "é", false},
		{`^\\x41$`, "A", "x", false},
		{`^[a[]$`, "a,[", "]", false},
		{`^\\p{Lu}$`, "Ä", "ä", true},
		{`^a{2}$`, "aa", "a", false},
		{`^a{2,}b{1,3}$`, "aab", "ab", false},
		{`^[\\w.+-]+$`, "a.b+c-d", "a b", false},
		{`^[\\]\\\\]$`, "],\\", "x", false},
		{`^\\/a\\-b$`, "/a-b", "a", false},
		{`a\\Z`, "aZ", "a", true},
		{`[[:alpha:]]`, ":]", "b", false},
	} {
		r := one(t, `{"pattern":"`+c.pattern+`"}`)
		if r.Len() != 1 {
			t.Errorf("%s is refused: %v", c.pattern, r.Problems())
			continue
		}
		p := unquoted(c.pattern)
		if _, linear := toRE2(p); linear == c.backward {
			t.Errorf("%s: linear is %v", c.pattern, linear)
		}
		for valid, texts := range map[bool]string{true: c.yes, false: c.no} {
			for text := range strings.SplitSeq(texts, ",") {
				if v := r.Validate("ns", "doc", "1", text, free); v.Valid != valid {
					t.Errorf("%s on %q: %+v", c.pattern, text, v)
				}
			}
		}
	}
}

func unquoted(s string) string { return strings.ReplaceAll(s, `\\`, `\`) }

// TestSchemaIsNeverWeakened: what cannot be honoured is refused with its path.
func TestSchemaIsNeverWeakened(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, path string }{
		{`{"properties":{"a":{"pattern":"("}}}`, "/properties/a/pattern"},
		{`{"properties":{"a":{"pattern":"a**"}}}`, "/properties/a/pattern"},
		{`{"patternProperties":{"[":{"type":"string"}}}`, "patternProperties"},
		{`{"properties":{"a":{"type":"integre"}}}`, "/properties/a/type"},
		{`{"properties":{"a":{"minimum":"1"}}}`, "/properties/a/minimum"},
		{`{"properties":{"a":{"required":true}}}`, "/properties/a/required"},
		{`{"properties":{"a":{"enum":[]}}}`, "/properties/a/enum"},
		{`{"properties":{"a":{"pattern":"` + strings.Repeat("a", maxPattern+1) + `"}}}`, "pattern"},
	} {
		r := one(t, c.schema)
		if problems := r.Problems(); r.Len() != 0 || len(problems) != 1 || !strings.Contains(problems[0].Text, c.path) {
			t.Errorf("%.60s: %d schemas, %.300v; want a refusal that names %s", c.schema, r.Len(), problems, c.path)
		}
	}
}

// TestSlowPattern: a match that backtracks without end is a failure of the document, soon.
func TestSlowPattern(t *testing.T) {
	t.Parallel()
	r := one(t, `{"pattern":"^(?=(a+)+$)b"}`)
	start := time.Now()
	v := r.Validate("ns", "doc", "1", strings.Repeat("a", 40)+"!", free)
	if took := time.Since(start); v.Valid || !v.Known || took > 2*time.Second {
		t.Errorf("%+v after %v", v, took)
	}
	if !r.Validate("ns", "doc", "1", "no", free).Known {
		t.Error("the schema is gone")
	}
}
