package lib

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/std"
	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/message"
)

// host is the smallest sandbox.
type host struct {
	random    rand.PCG
	throttles sandbox.Throttles
	out       *sandbox.Outbox
	cfg       sandbox.Config
	env       sandbox.Env
	outcome   sandbox.Outcome
}

func newHost() *host {
	now := time.Unix(1_700_000_000, 0)
	h := &host{env: sandbox.Env{Seed: 1, Now: func() time.Time {
		now = now.Add(250 * time.Millisecond)
		return now
	}}}
	h.out = sandbox.NewOutbox(&h.cfg, &h.env, nil)
	return h
}

func (h *host) Fail(L *vm.State, o sandbox.Outcome, text string) {
	h.outcome = o
	L.Throw(text)
}

func (h *host) Check(L *vm.State, err error) {
	if err != nil {
		h.Fail(L, sandbox.OutputExceeded, err.Error())
	}
}

func (h *host) Outbox() *sandbox.Outbox       { return h.out }
func (h *host) Config() *sandbox.Config       { return &h.cfg }
func (h *host) Env() *sandbox.Env             { return &h.env }
func (h *host) Random() *rand.PCG             { return &h.random }
func (h *host) Throttles() *sandbox.Throttles { return &h.throttles }
func (h *host) Message() *message.View        { return nil }

// newState has the base library, Lua's modules and cjson as globals. What tests print is collected.
func newState(h Host, opts vm.Options) (*vm.State, *strings.Builder) {
	L := vm.New(opts)
	std.OpenBase(L)
	for _, m := range Modules() {
		switch m.Name {
		case "string", "table", "math", "os", "cjson":
			L.SetGlobal(m.Name, m.Open(L, h).Value())
		}
	}
	out := new(strings.Builder)
	L.SetGlobal("print", L.NewFunction("print", func(L *vm.State) int {
		for i := 1; i <= L.Args(); i++ {
			s, _ := std.Text(L, L.Arg(i)).Str()
			fmt.Fprint(out, s, "\n")
		}
		return 0
	}).Value())
	L.Refill()
	return L, out
}

func doString(L *vm.State, source string) error {
	fn, err := L.Load("x.lua", []byte(source))
	if err != nil {
		return err
	}
	_, err = L.Do(fn.Value(), 0)
	return err
}

// evaluate returns the values of a list of expressions, as tostring shows them, or the error without its place.
func evaluate(t *testing.T, expressions string) string {
	t.Helper()
	L, out := newState(newHost(), vm.Options{})
	source := `local function show(ok, ...)
		if not ok then
			print((("error " .. tostring((...))):gsub("^error .-:%d+: ", "error ")))
			return
		end
		local r = {}
		for i = 1, select("#", ...) do r[i] = tostring((select(i, ...))) end
		print(table.concat(r, " "))
	end
	local function pack(...) return ... end
	show(pcall(function() return pack(` + expressions + `) end))`
	if err := doString(L, source); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(out.String(), "\n")
}
