package lib

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// host is the smallest sandbox: fuel that instructions and functions share, bytes that are never given back.
type host struct {
	context.Context
	fuel, bytes, limit int64
	output             int64
	cause              error
	closed             chan struct{}
	env                sandbox.Env
	outcome            sandbox.Outcome
}

func newHost(fuel, bytes int64) *host {
	now := time.Unix(1_700_000_000, 0)
	h := &host{Context: context.Background(), fuel: fuel, limit: bytes, output: math.MaxInt64, closed: make(chan struct{})}
	close(h.closed)
	h.env = sandbox.Env{Seed: 1, Now: func() time.Time {
		now = now.Add(250 * time.Millisecond)
		return now
	}}
	return h
}

func (h *host) Done() <-chan struct{} {
	if h.fuel > 0 {
		h.fuel--
		return nil
	}
	if h.cause == nil {
		h.cause = errors.New("instruction_limit exceeded")
	}
	return h.closed
}

func (h *host) Err() error { return h.cause }

func (h *host) Spend(L *lua.LState, units int64) {
	if h.fuel > units {
		h.fuel -= units
		return
	}
	h.fuel = 0
	<-h.Done()
	L.RaiseError("%s", h.cause.Error())
}

func (h *host) Reserve(L *lua.LState, bytes int64) {
	if h.bytes += bytes; h.bytes > h.limit {
		h.fuel, h.cause = 0, errors.New("memory_limit exceeded")
		L.RaiseError("%s", h.cause.Error())
	}
}

func (h *host) Fail(L *lua.LState, o sandbox.Outcome, text string) {
	h.outcome = o
	L.RaiseError("%s", text)
}

func (h *host) OutputLimit() int64              { return h.output }
func (h *host) Config() *sandbox.Config         { return &sandbox.Config{} }
func (h *host) Env() *sandbox.Env               { return &h.env }
func (h *host) Message() *message.View          { return nil }
func (h *host) Inject(*lua.LState, *lua.LTable) {}

// newState has the base library and the modules of Lua and cjson as globals. What tests collect they print().
func newState(h Host) (*lua.LState, *strings.Builder) {
	L := lua.NewState(lua.Options{
		SkipOpenLibs: true, CallStackSize: 200, MinimizeStackMemory: true, RegistrySize: 1 << 10, RegistryMaxSize: 64 << 10,
		RegistryGrowStep: 4 << 10,
	})
	if ctx, ok := h.(context.Context); ok {
		L.SetContext(ctx)
	}
	OpenBase(L, h)
	for name, open := range map[string]func(*lua.LState, Host) *lua.LTable{
		"string": openString, "table": openTable, "math": openMath, "os": openOS, "cjson": openCJSON,
	} {
		L.SetGlobal(name, open(L, h))
	}
	L.SetGlobal("concat", L.NewFunction(func(L *lua.LState) int { return Concat(L, h) }))
	out := new(strings.Builder)
	L.SetGlobal("print", L.NewFunction(func(L *lua.LState) int {
		for i := 1; i <= L.GetTop(); i++ {
			fmt.Fprint(out, L.ToStringMeta(L.Get(i)), "\n")
		}
		return 0
	}))
	return L, out
}

// run runs source with ample limits and returns what it prints.
func run(t *testing.T, source string) string {
	t.Helper()
	L, out := newState(newHost(1<<40, 1<<40))
	defer L.Close()
	if err := L.DoString(source); err != nil {
		t.Fatalf("%s\n%v", source, err)
	}
	return out.String()
}

// evaluate returns the values of a list of expressions, as tostring shows them, or the error without its place.
func evaluate(t *testing.T, h Host, expressions string) string {
	t.Helper()
	L, out := newState(h)
	defer L.Close()
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
	if err := L.DoString(source); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(out.String(), "\n")
}
