package std

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/lua/vm"
)

// newState has the base library and the modules as globals. What tests print is collected.
func newState(opts vm.Options) (*vm.State, *strings.Builder) {
	L := vm.New(opts)
	now := time.Unix(1_700_000_000, 0)
	OpenBase(L)
	for name, open := range Modules(Options{Random: rand.NewPCG(1, 1), Now: func() time.Time {
		now = now.Add(250 * time.Millisecond)
		return now
	}}) {
		L.SetGlobal(name, open(L).Value())
	}
	out := new(strings.Builder)
	L.SetGlobal("print", L.NewFunction("print", printTo(out)).Value())
	L.Refill()
	return L, out
}

// printTo is print for values that need no __tostring.
func printTo(out *strings.Builder) vm.HostFunc {
	return func(L *vm.State) int {
		for i := 1; i <= L.Args(); i++ {
			s, _ := Text(L, L.Arg(i)).Str()
			fmt.Fprint(out, s, "\n")
		}
		return 0
	}
}

func doString(L *vm.State, source string) error {
	fn, err := L.Load("x.lua", []byte(source))
	if err != nil {
		return err
	}
	_, err = L.Do(fn.Value(), 0)
	return err
}

// run runs source with ample limits and returns what it prints.
func run(t *testing.T, source string) string {
	t.Helper()
	L, out := newState(vm.Options{})
	if err := doString(L, source); err != nil {
		t.Fatalf("%v", err)
	}
	return out.String()
}
