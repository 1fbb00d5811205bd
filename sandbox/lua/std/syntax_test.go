package std

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sandbar/sandbox/lua/vm"
)

// TestSyntaxErrors: what is wrong with a source is said in the words and with the line of lua5.1. Tried are sources with an error of each kind, and scripts of the
// corpus in which something was taken away, doubled, moved or put in.
func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	command, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed: nothing to compare with")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "lua", "syntax.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sources := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, s := range sources {
		sources[i] = strings.NewReplacer(`\n`, "\n", `\1`, "\x01").Replace(s)
	}
	if len(sources) < 90 {
		t.Errorf("there are only %d sources", len(sources))
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for _, s := range corpus(t) {
		for range 2 { // a first line that begins with # is for a shell, as in a file, but lua5.1 is given a text
			sources = append(sources, strings.TrimLeft(spoiled(random, s.source), "#"))
		}
	}
	wrong, faults := 0, 0
	for i, want := range refused(t, command, sources) {
		got := "ok"
		if _, err := vm.Compile("x.lua", []byte(sources[i])); err != nil {
			got = err.Error()
		}
		if want != "ok" {
			wrong++
		}
		if got != want && !excused(want, got) {
			if faults++; faults > 10 {
				t.Fatal("and more")
			}
			t.Errorf("%s\n got %s\nwant %s", sources[i], got, want)
		}
	}
	t.Logf("%d sources, %d of them wrong", len(sources), wrong)
}

// excused are limits: C counts otherwise what nests and what is used.
func excused(want, got string) bool {
	for _, limit := range []string{"too many syntax levels", "has more than", "nested more than", "function or expression too complex", "too many"} {
		if strings.Contains(want, limit) || strings.Contains(got, limit) {
			return true
		}
	}
	return false
}

var words = regexp.MustCompile(`[A-Za-z_]\w*|\d+(\.\d+)?|"[^"\n\\]*"|==|~=|<=|>=|\.\.\.?|[^\s\w]`)

// spoiled is a script with one change.
func spoiled(random *rand.Rand, source string) string {
	places := words.FindAllStringIndex(source, -1)
	if len(places) == 0 {
		return source + " ="
	}
	any := func() (from, to int, text string) {
		p := places[random.IntN(len(places))]
		return p[0], p[1], source[p[0]:p[1]]
	}
	from, to, text := any()
	_, _, other := any()
	switch random.IntN(6) {
	case 0:
		return source[:from] + source[to:]
	case 1:
		return source[:to] + " " + text + source[to:]
	case 2:
		return source[:from] + other + source[to:]
	case 3:
		return source[:from]
	case 4:
		return source[:to] + "\n" + []string{"end", "(", ")", "}", "=", "local", "'", "[[", "]]", "--[[", "\\", "@", "then", "do", "function", "0x", ";", ","}[random.IntN(18)] + " " + source[to:]
	}
	return source[:from] + other + " " + source[from:]
}

// refused is what lua5.1 says of each source; "ok" when nothing is wrong.
func refused(t *testing.T, command string, sources []string) []string {
	t.Helper()
	dir := t.TempDir()
	for i, s := range sources {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	main := fmt.Sprintf(`for i = 0, %d do local f = io.open(i, "rb") local _, err = loadstring((f:read("*a")), "@x.lua") f:close() print((err or "ok") .. "\1") end`, len(sources)-1)
	cmd := exec.Command(command, "-e", main)
	cmd.Dir, cmd.Env = dir, []string{"LC_ALL=C"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lua5.1: %v: %s", err, out)
	}
	all := strings.Split(string(bytes.TrimSuffix(out, []byte("\x01\n"))), "\x01\n")
	if len(all) != len(sources) {
		t.Fatalf("%d answers to %d sources", len(all), len(sources))
	}
	return all
}
