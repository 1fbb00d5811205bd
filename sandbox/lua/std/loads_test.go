package std

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/sandbox/lua/vm"
)

// TestLoadsLikeLua: what lua5.1 loads loads here, and what it refuses is refused.
func TestLoadsLikeLua(t *testing.T) {
	t.Parallel()
	command, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed: nothing to compare with")
	}
	many := func(n int, each, between string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = strings.ReplaceAll(each, "#", fmt.Sprint(i))
		}
		return strings.Join(parts, between)
	}
	sources := []string{
		"local goto = 1", "local t = {goto = 1} t.goto = 2", "function goto() end goto()", "for goto = 1, 2 do end", "goto a ::a::", "::a::", "a.goto:goto()",
		"x=0x1p4", "x=0x", "x=0x.8", "x=0xg", "x = 1e", "x=1e+", "x=1e5", "x=1.e5", "x=.e5", "x=1..2", "x=1 ..2", "x=3x", "a=1b=2", "a=1 b=2", "x=0xA1", "x=08", "x=1.2.3", "x=1e5.5", "x=0x1e+1",
		"--[= text\nx=1", "--[=[ text ]=] x=1", "--[=[ text", "--[==\nx=1", "--[", "--", "--[[", "--[[]", "x=[=[]]", "x=[=]", "x=[==[]==]", "x=[",
		`x = "\256"`, `x='\400'`, `x='\255'`, `x='\0'`, `x='\q'`, `x='\x41'`, `x='\`, `x="a` + "\n" + `b"`, `x="a\` + "\n" + `b"`, `x='`,
		";", "x=1;;", "x=1;", "do ; end", "do x=1; end", "if x then ; end", "return;", "return;;", "x={;}", "x={1;2;}", "x={,}", "x={1,,2}", "function f() ; end", "while x do ; end", "repeat ; until x", "x={function() ; end}",
		"a\n(b)", "return f\n(1)", "a()\n(b)", "a[1]\n(b)", "a.b\n(c)", "a:b\n(c)", "a{}\n(b)", "a''\n(b)", "local x = {}\n(b)()", "local x = ''\n(b)()", "local x\n(b)()", "local x, y\n(b)()", "x = function() end\n(b)()",
		"function f(a)\n(b)() end", "local function f\n(a) end", "function f\n(a) end", "x = function\n(a) end", "do local x = 1 end\n(b)()", "x = 1\n(b)()", "x = nil\n(b)()", "a\n'b'", "a\n{}", "return (a)\n(b)", "x = ...\n(b)()", "local a b\n(c)()", "repeat until x\n(b)()",
		"(f())", "f", "f.x", "1", "'x'", "(f)", "f()", "f{}", "('x'):f()", "'x':f()", "f() = 1", "(a) = 1", "(a).b = 1", "a, b = 1", "a, f() = 1", "a.b, c[1] = 1, 2", "a", "a,b",
		"break", "while x do break end", "while x do break x = 1 end", "while x do if y then break end end", "for i=1,2 do break end", "repeat break until x", "function f() break end", "while x do local f = function() break end end", "do break end",
		"return 1, 2", "return return", "do return end x = 1", "return 1 x = 1",
		"function f() return ... end", "function f(...) return ... end", "return ...", "function f(a, ...) local b = ... end", "function f(..., a) end", "function f(...) return function() return ... end end", "local x = (...)",
		"local function a.b() end", "function a.b.c:d() end", "function a:b.c() end", "function a:b:c() end", "local a.b = 1", "local a", "local a,", "local 1", "for a in b do end", "for a, b in c, d do end", "for a.b in c do end", "for a = 1 do end", "for a = 1, 2, 3, 4 do end",
		"x = 1 == 2 == 3", "x = not not y", "x = - - y", "x = -#y", "x = a.b.c[d].e", "x = a:b", "x = a.1", "x = a..b", "x = a...b", "x = a~=b", "x = a!=b", "x = ~a", "x = a // b", "x = a & b", "x = {[1]=2, 3, a=4}", "x = {[1] 2}", "x = {a.b = 1}",
		"if x then else end", "if x then elseif y then else end", "if x then else elseif y then end", "end", "x = 1 end", "(", ")", "x = (1", "x = {", "x = }", "x = $", "x = @", "x = a\\b", "x = é", "\xef\xbb\xbfx=1",
		"and = 1", "local end = 1", "t.and = 1", "t = {end = 1}", "x = nil.y", "x = (nil).y", "x = true", "nil = 1", "f'a''b'", "f{}{}", "f\"\":x()", "x = a and b or c",
		many(200, "local v# = #", "\n"), many(201, "local v# = #", "\n"), "local " + many(200, "v#", ","), "local " + many(201, "v#", ","),
		"f(" + many(240, "#", ",") + ")", "f(" + many(260, "x#", ",") + ")", "return " + many(230, "x", ","), "return " + many(260, "x", ","), "x = {" + many(1000, "#", ",") + "}",
		many(100, "t.x#", ",") + " = 1", many(60, "t[x#]", ",") + " = 1",
		many(60, "local v#", "\n") + "\nreturn function() return " + many(60, "v#", "+") + " end", many(61, "local v#", "\n") + "\nreturn function() return " + many(61, "v#", "+") + " end",
		"x = " + many(150, "(", "") + "1" + many(150, ")", ""), "x = " + many(190, "a", ".."), many(150, "do ", "") + many(150, "end ", ""), "x = " + many(150, "{", "") + many(150, "}", ""), "x = " + many(2000, "a", "+"),
	}
	got, want := make([]bool, len(sources)), loadedByLua(t, command, sources)
	for i, s := range sources {
		_, err := vm.Compile("x.lua", []byte(s))
		if got[i] = err == nil; got[i] != want[i] {
			t.Errorf("%.300q: loads %v, lua5.1 %v: %v", s, got[i], want[i], err)
		}
	}
}

// loadedByLua says which sources lua5.1 loads.
func loadedByLua(t *testing.T, command string, sources []string) []bool {
	t.Helper()
	dir := t.TempDir()
	for i, s := range sources {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(command, "-e", fmt.Sprintf("for i = 0, %d do print(loadfile(tostring(i)) ~= nil) end", len(sources)-1))
	cmd.Dir, cmd.Env = dir, []string{"LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Fields(string(out))
	if len(lines) != len(sources) {
		t.Fatalf("%d answers for %d sources:\n%s", len(lines), len(sources), out)
	}
	loaded := make([]bool, len(lines))
	for i := range lines {
		loaded[i] = lines[i] == "true"
	}
	return loaded
}
