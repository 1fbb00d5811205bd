package std

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sandbar/sandbox/lua/vm"
)

// TestScriptsLikeLua runs the scripts of testdata/lua/conformance, divided by lines that begin with "--## ", on lua5.1
// and here, and compares what they print.
func TestScriptsLikeLua(t *testing.T) {
	t.Parallel()
	command, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed: nothing to compare with")
	}
	for _, s := range corpus(t) {
		want := onCommand(t, command, s.source)
		if got := onVM(s.source); unsigned(got) != unsigned(want) {
			t.Errorf("%s\n got %s\nwant %s", s.name, got, want)
		}
	}
}

// script is one of testdata/lua/conformance.
type script struct{ name, source string }

func corpus(t *testing.T) (all []script) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "testdata", "lua", "conformance", "*.lua"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split(string(text), "--## ")[1:] {
			name, source, _ := strings.Cut(c, "\n")
			all = append(all, script{filepath.Base(file) + ": " + name, source})
		}
	}
	if len(all) < 400 {
		t.Errorf("there are only %d scripts", len(all))
	}
	return all
}

// unsigned takes away the sign of NaN, which depends on the processor, and addresses.
func unsigned(s string) string {
	return strings.ReplaceAll(address.ReplaceAllString(s, "ADDR"), "-nan", "nan")
}

var address = regexp.MustCompile(`0x[0-9a-f]{8,}`)

func onCommand(t *testing.T, command, source string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.lua"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command, "x.lua")
	cmd.Dir, cmd.Env = dir, []string{"TZ=UTC", "LC_ALL=C"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lua5.1 refuses a script: %v\n%s", err, source)
	}
	return string(out)
}

// onVM runs a script with print and io.write as Lua has them.
func onVM(source string) string {
	L, out := newState(vm.Options{Fuel: 50_000_000, Memory: 64 << 20})
	write := func(between, end string) vm.HostFunc {
		return func(L *vm.State) int {
			fn := L.Global("tostring")
			line, i := "", 0
			var again vm.HostFunc
			step := func(L *vm.State) int {
				if i++; i > L.Args() {
					out.WriteString(line + end)
					return 0
				}
				if i > 1 {
					line += between
				}
				return L.Call(fn, []vm.Value{L.Arg(i)}, again)
			}
			again = func(L *vm.State) int {
				s, _ := L.Result(1).Str()
				line += s
				return step(L)
			}
			return step(L)
		}
	}
	L.SetGlobal("print", L.NewFunction("print", write("\t", "\n")).Value())
	io := L.NewTable(0, 1)
	L.SetField(io, "write", L.NewFunction("write", write("", "")).Value())
	L.SetGlobal("io", io.Value())
	if err := doString(L, source); err != nil {
		return out.String() + err.Error()
	}
	return out.String()
}
