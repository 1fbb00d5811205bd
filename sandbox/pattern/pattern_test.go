package pattern_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/sandbox/pattern"
)

// find shows a match the way the Lua script of TestLikeLua does.
func find(s, pat string, init int) string {
	var m pattern.Match
	steps := int64(10_000_000)
	ok, err := pattern.Find(s, pat, init, &m, &steps)
	if err != nil {
		return "error " + err.Error()
	}
	if !ok {
		return "no"
	}
	out := fmt.Sprintf("%d %d", m.Start+1, m.End)
	for i := range m.Captures() {
		from, to, isPosition, err := m.Capture(i)
		switch {
		case err != nil:
			return "error " + err.Error()
		case isPosition:
			out += fmt.Sprintf(" @%d", from+1)
		default:
			out += " " + hex.EncodeToString([]byte(s[from:to])) + "."
		}
	}
	return out
}

type example struct {
	s, p string
	init int
}

func examples() []example {
	var out []example
	subjects := []string{"", "a", "aaa", "hello world", "THE (quick) fox", "key = value; k2=v2", "\x00a\x00", "[x] -- ^$ %", "2026-11-23T22:28:01Z",
		"10.0.0.1 - - [23/Nov/2026] \"GET /a?b=c HTTP/1.1\" 200 17", "((a)(b))", "abcabcabc", "\xff\xfe\t\n\v"}
	patterns := []string{"", ".", "a", "^a", "a$", "^a*$", "a-", "a-b", "a+", "a?b", ".-b", "%a+", "%A", "%d+", "%D+", "%s", "%S+", "%w+", "%W", "%x+", "%p", "%P", "%c", "%u", "%l+",
		"%z", "[%z]", "[abc]", "[^abc]+", "[a-z]+", "[%a%d]+", "[a-]", "[]]", "[^]]", "[]", "[^", "[a", "[%", "[%]", "%", "a%", "(", ")", "()", "(a", "a)", "(a)(b)", "(a*(.)%w(%s*))",
		"%1", "(a)%1", "(%w)%1", "()%1", "(()", "%b()", "%b", "%bx", "%b[]", "%f[%w]%w+", "%f[^%w]", "%f", "%fa", "%f[", "[a-z-9]", "[%-x]", "%%", "%.", "^^a", "a^", "a$b", "$", "^$", "^",
		"(%w+)%s*=%s*(%w+)", "(%d%d%d%d)-(%d%d)-(%d%d)T", `"(%S+) (%S+) .-" (%d+)`, "(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "%0", "[%a-z]", "a**", "a*?", "?", "*", "+", "-", "a.-c", "(a.-c)%1",
		strings.Repeat("()", 33), strings.Repeat("(", 33), "[\x00-\x1f]", "%q", "[%q]", "[z-a]"}
	for _, s := range subjects {
		for _, p := range patterns {
			out = append(out, example{s, p, 0})
			if len(s) > 1 {
				out = append(out, example{s, p, 1})
			}
		}
	}
	rng := rand.New(rand.NewPCG(5, 1))
	pieces := []string{"a", "b", "c", "%a", "%d", "[ab]", "[^a]", ".", "(", ")", "()", "%1", "*", "-", "+", "?", "%b()", "%f[a]", "^", "$", "%", "["}
	for range 4000 {
		var p, s strings.Builder
		for range rng.IntN(7) {
			p.WriteString(pieces[rng.IntN(len(pieces))])
		}
		for range rng.IntN(9) {
			s.WriteByte("abc()1"[rng.IntN(6)])
		}
		out = append(out, example{s.String(), p.String(), 0})
	}
	return out
}

// script reads "subject pattern init" in hex and prints what string.find gives.
const script = `
local function unhex(h) return (h:gsub("%x%x", function (d) return string.char(tonumber(d, 16)) end)) end
local function hex(s) return (s:gsub(".", function (c) return string.format("%02x", c:byte()) end)) end
for line in io.lines(arg[1]) do
  local s, p, i = line:match("^x(%x*) x(%x*) (%d+)$")
  local r = {pcall(string.find, unhex(s), unhex(p), tonumber(i) + 1)}
  if not r[1] then print("error " .. r[2])
  elseif not r[2] then print("no")
  else
    local out = r[2] .. " " .. r[3]
    for k = 4, #r do
      if type(r[k]) == "number" then out = out .. " @" .. r[k] else out = out .. " " .. hex(r[k]) .. "." end
    end
    print(out)
  end
end`

func TestLikeLua(t *testing.T) {
	t.Parallel()
	lua, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed: nothing to compare with")
	}
	var in bytes.Buffer
	var cases []example
	for _, e := range examples() {
		if pattern.Plain(e.p) || strings.ContainsRune(e.p, 0) {
			continue // string.find searches plainly, or 5.1 reads the pattern only up to its NUL
		}
		cases = append(cases, e)
		fmt.Fprintf(&in, "x%x x%x %d\n", e.s, e.p, e.init)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"in": in.Bytes(), "find.lua": []byte(script)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(lua, filepath.Join(dir, "find.lua"), filepath.Join(dir, "in")).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(want) != len(cases) || len(cases) < 5000 {
		t.Fatalf("lua5.1 gave %d answers to %d questions", len(want), len(cases))
	}
	differ := 0
	for i, e := range cases {
		if got := find(e.s, e.p, e.init); got != want[i] {
			if differ++; differ <= 20 {
				t.Errorf("find(%q, %q, %d) gave %s, Lua %s", e.s, e.p, e.init+1, got, want[i])
			}
		}
	}
	t.Logf("%d cases, %d differ", len(cases), differ)
}

func TestWithoutLua(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ s, p, want string }{
		{"key = value", "(%w+)%s*=%s*(%w+)", "1 11 6b6579. 76616c7565."}, {"hello", "l()", "3 3 @4"}, {"f(a(b)c)", "%b()", "2 8"},
		{"THE (quick) fox", "%f[%a]%a+", "1 3"}, {"abab", "(ab)%1", "1 4 6162."}, {"x", "y", "no"}, {"x", "[y", "error malformed pattern (missing ']')"},
		{"x", "%", "error malformed pattern (ends with '%')"}, {"xx", "x)", "error invalid pattern capture"}, {"x", "(x", "error unfinished capture"},
		{"x", "%b", "error unbalanced pattern"}, {"x", "%fx", "error missing '[' after '%f' in pattern"}, {"a\x00b", "%z", "2 2"},
	} {
		if got := find(c.s, c.p, 0); got != c.want {
			t.Errorf("find(%q, %q) gave %s, want %s", c.s, c.p, got, c.want)
		}
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	for _, e := range examples() {
		var m pattern.Match
		steps := int64(10_000_000)
		if ok, err := pattern.Find(e.s, e.p, 0, &m, &steps); ok && err == nil && !strings.HasPrefix(e.s, pattern.Prefix(e.p)) {
			t.Errorf("%q matches %q, which does not begin with %q", e.p, e.s, pattern.Prefix(e.p))
		}
	}
	for pat, want := range map[string]string{"^abc": "abc", "^abc*": "ab", "^ab+": "ab", "^a.c": "a", "^a$": "a", "abc": "", "^": "", "^^a": "", "^a-b": ""} {
		if got := pattern.Prefix(pat); got != want {
			t.Errorf("prefix of %q is %q, want %q", pat, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 30_000)
	for _, c := range []struct {
		name, s, p string
		want       error
	}{
		{"exponential", long, ".-.-.-.-b", pattern.ErrSteps},
		{"nested repetition", long, strings.Repeat("a*", 30) + "b", pattern.ErrSteps},
		{"quadratic", strings.Repeat("a", 1<<20), ".-b", pattern.ErrSteps},
		{"long set", long, "[" + strings.Repeat("b", 100_000) + "]", pattern.ErrSteps},
		{"back references", strings.Repeat("a", 1<<20), "(a+)%1%1%1b", pattern.ErrSteps},
		{"a pattern of a megabyte", long, strings.Repeat("a?", 1<<19), pattern.ErrPatternTooNested},
		{"open brackets", long, strings.Repeat("(", 1<<20), pattern.ErrTooManyCaptures},
	} {
		var m pattern.Match
		steps := int64(1_000_000)
		if _, err := pattern.Find(c.s, c.p, 0, &m, &steps); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v (%d steps left)", c.name, err, c.want, steps)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("hello world", "(%w+) (%w+)", 0)
	f.Add("((a))", "%b()", 2)
	f.Fuzz(func(t *testing.T, s, p string, init int) {
		if init < 0 {
			return
		}
		var m pattern.Match
		steps := int64(100_000)
		ok, err := pattern.Find(s, p, init, &m, &steps)
		if err != nil || !ok {
			return
		}
		if m.Start < init || m.Start > m.End || m.End > len(s) {
			t.Fatalf("match from %d to %d in %d bytes, from %d", m.Start, m.End, len(s), init)
		}
		for i := range m.Captures() {
			if from, to, _, err := m.Capture(i); err == nil && (from < 0 || to < from || to > len(s)) {
				t.Fatalf("capture %d from %d to %d in %d bytes", i, from, to, len(s))
			}
		}
	})
}

const logLine = `203.0.113.9 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif?x=1 HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`

func BenchmarkLogLine(b *testing.B) {
	const p = `^(%S+) (%S+) (%S+) %[(.-)%] "(%S+) (%S+) (%S+)" (%d+) (%d+) "(.-)" "(.-)"$`
	var m pattern.Match
	b.ReportAllocs()
	for b.Loop() {
		steps := int64(1_000_000)
		if ok, err := pattern.Find(logLine, p, 0, &m, &steps); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	var m pattern.Match
	b.ReportAllocs()
	for b.Loop() {
		steps := int64(1_000_000)
		if ok, err := pattern.Find(logLine, "Nav%)", 0, &m, &steps); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// TestRuns: what repeats a class is found as one character after the other is.
func TestRuns(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for c := range 256 {
		all.WriteByte(byte(c))
	}
	classes := []string{".", "[^x]", "[^%]]", "[^%%]", "[^]]", "[a-f%d]", "[^a-f]", "x"}
	for c := range 256 {
		classes = append(classes, "%"+string([]byte{byte(c)}))
	}
	for _, class := range classes {
		for i := range 256 {
			one := all.String()[i : i+1]
			var m, single pattern.Match
			steps := int64(1000)
			in, err := pattern.Find(one, "^"+class+"$", 0, &single, &steps)
			if err != nil {
				break // it is no class
			}
			text := one + one + one + "x]\x00a1"
			found, err := pattern.Find(text, "^"+class+"*", 0, &m, &steps)
			if err != nil || !found || (m.End >= 3) != in || !in && m.End != 0 {
				t.Fatalf("%q of %q: one is in %v, a run ends at %d, %v", class, one, in, m.End, err)
			}
		}
	}
}
