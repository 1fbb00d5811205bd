// Package lib holds what a Lua plugin can require: one file for each module, each a thin binding of a value
// package (pattern, cbuf, sketch, jsondoc, ...) or of a capability of the sandbox to Lua.
//
// A module never works for free: it spends fuel in proportion to what it does, and charges bytes before it
// allocates them. It knows the sandbox it runs in only as a Host.
package lib

import (
	"math/rand/v2"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/std"
	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/message"
)

// Host is what a module may ask of the sandbox it runs in. Fail does not return.
type Host interface {
	// Fail raises text as a Lua error that ends the call, when nothing catches it, with outcome o.
	Fail(L *vm.State, o sandbox.Outcome, text string)
	// Check raises err, if there is one, as a Lua error that ends the call like Fail when err is a *sandbox.Refusal.
	Check(L *vm.State, err error)
	// Outbox is the plugin's.
	Outbox() *sandbox.Outbox
	Config() *sandbox.Config
	Env() *sandbox.Env
	// Message is the one being processed, nil in timer_event and while loading.
	Message() *message.View
	// Throttles are those of the plugin's alerts.
	Throttles() *sandbox.Throttles
	// Random is the generator of math.random.
	Random() *rand.PCG
}

// Module is a library that require finds.
type Module struct {
	Name string
	Open func(L *vm.State, h Host) *vm.Table // a new table of its functions
	Only sandbox.Kind                        // "" is every kind of plugin
}

// Object is what a userdata of the host holds beside its methods.
type Object interface {
	Size() int64 // bytes held
}

// Preserved is an Object that survives a restart of its plugin when a global holds it.
type Preserved interface {
	Object
	Module() string                // name of the module that makes it
	AppendState(dst []byte) []byte // all there is to know
	FromString(state string) error // refills an object of the same shape
}

// Modules lists all of them.
func Modules() []Module {
	return []Module{
		{Name: "string", Open: standard("string")},
		{Name: "table", Open: standard("table")},
		{Name: "math", Open: standard("math")},
		{Name: "os", Open: standard("os")},
		{Name: "coroutine", Open: standard("coroutine")},
		{Name: "anomaly", Open: openAnomaly},
		{Name: "cjson", Open: openCJSON},
		{Name: "circular_buffer", Open: openCircularBuffer},
		{Name: "cuckoo_filter_expire", Open: openCuckoo},
		{Name: "heka.alert", Open: openAlert, Only: sandbox.Analysis},
		{Name: "json", Open: openJSON},
		{Name: "schema", Open: openSchema},
		{Name: "geo", Open: openGeo},
		{Name: "zlib", Open: openZlib},
		{Name: "lake", Open: openLake, Only: sandbox.Output},
	}
}

// standard is a module of Lua itself.
func standard(name string) func(*vm.State, Host) *vm.Table {
	return func(L *vm.State, h Host) *vm.Table {
		env := h.Env()
		return std.Modules(std.Options{Random: h.Random(), Now: env.Now})[name](L)
	}
}
