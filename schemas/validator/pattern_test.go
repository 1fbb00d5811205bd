package validator

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

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
		source := strings.ReplaceAll(c.pattern, `\\`, `\`)
		re, err := Patterns(source)
		if err != nil {
			t.Errorf("%s is refused: %v", source, err)
			continue
		}
		if _, linear := toRE2(source); linear == c.backward {
			t.Errorf("%s: linear is %v", source, linear)
		}
		for fits, texts := range map[bool]string{true: c.yes, false: c.no} {
			for text := range strings.SplitSeq(texts, ",") {
				if re.MatchString(text) != fits {
					t.Errorf("%s on %q: %v", source, text, !fits)
				}
			}
		}
	}
}

// TestSlowPattern: a match that backtracks without end is given up, soon.
func TestSlowPattern(t *testing.T) {
	t.Parallel()
	re, err := Patterns("^(?!x)(a+)+$")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	defer func() {
		if slow, ok := recover().(TooSlow); !ok || !strings.Contains(slow.Error(), "takes more than") || time.Since(start) > 2*time.Second {
			t.Errorf("%v after %v", slow, time.Since(start))
		}
	}()
	re.MatchString(strings.Repeat("a", 40) + "!")
	t.Error("it was matched")
}

// TestSimple: what is matched in one pass is matched as Go's regular expressions match it.
func TestSimple(t *testing.T) {
	t.Parallel()
	m := rand.New(rand.NewPCG(3, 4))
	pick := func(all ...string) string { return all[m.IntN(len(all))] }
	made := 0
	for range 20_000 {
		source := "^"
		for range 1 + m.IntN(4) {
			source += pick("a", "b", "-", "[ab]", "[^a]", "[0-9]", `\d`, `\w`, ".", "é", "(?:ab)", "(a-)", "(0b+|a)", "(a|b-|)") + pick("", "", "*", "+", "?", "{2}", "{1,2}", "{0,}")
		}
		source += pick("$", "$", "")
		re, err := regexp.Compile(source)
		if err != nil {
			continue
		}
		s := newSimple(source)
		if s == nil {
			continue
		}
		made++
		for range 10 {
			text := ""
			for range m.IntN(6) {
				text += pick("a", "b", "-", "1", "2", "é", "\n", "ab", "a-", "\x80")
			}
			if ok, sure := s.match(text); sure && ok != re.MatchString(text) {
				t.Fatalf("%s on %q: %v", source, text, ok)
			}
		}
	}
	if made < 3000 {
		t.Errorf("only %d patterns were simple", made)
	}
	for source, want := range map[string]bool{`^[0-9a-f]{8}-[0-9a-f]{4}$`: true, `^a*ab$`: false, `^[a-z]+[0-9]+$`: true, "a$": false, "^a": true, "^(a|b)$": true, `^(0x[a-f0-9]+|0)$`: true, `^[0-9]{2,3}\.`: true, "^(a|b)+$": true, "^(ab|c)+$": false, "^a|b": false, "^(a?|b|cc)(a?|b|cc)(a?|b|cc)$": false, "^(?i)a$": false, `^a?b?a$`: false} {
		if got := newSimple(source) != nil; got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}
