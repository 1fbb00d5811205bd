// Package lib holds what a Lua plugin can require: one file for each module, each a thin binding of a value
// package (pattern, cbuf, sketch, jsondoc, ...) or of a capability of the sandbox to Lua.
//
// A module never works for free: it spends fuel in proportion to what it does, and reserves bytes before it
// allocates them. It knows the sandbox it runs in only as a Host.
package lib

import (
	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// Host is what a module may ask of the sandbox it runs in. Spend, Reserve and Fail do not return when they
// raise a Lua error.
type Host interface {
	// Spend charges work beside the instructions of Lua, one unit for about 10 ns.
	Spend(L *lua.LState, units int64)
	// Reserve charges bytes that are about to be allocated and may be kept by the plugin.
	Reserve(L *lua.LState, bytes int64)
	// Fail raises text as a Lua error that ends the call, when nothing catches it, with outcome o.
	Fail(L *lua.LState, o sandbox.Outcome, text string)
	// OutputLimit is the most bytes of one message, payload or encoded document.
	OutputLimit() int64
	Config() *sandbox.Config
	Env() *sandbox.Env
	// Message is the one being processed, nil in timer_event and while loading.
	Message() *message.View
	// Inject encodes a message in one of its Lua forms, fills in headers and emits it.
	Inject(L *lua.LState, msg *lua.LTable)
}

// Module is a library that require finds.
type Module struct {
	Name string
	Open func(L *lua.LState, h Host) *lua.LTable // a new table of its functions
	Only sandbox.Kind                            // "" is every kind of plugin
}

// Object is what a userdata of the host holds beside its methods.
type Object interface {
	Size() int64 // bytes held
}

// Payload is an Object that inject_payload and add_to_payload can write.
type Payload interface {
	Object
	AppendPayload(dst []byte) []byte
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
		{Name: "string", Open: openString},
		{Name: "table", Open: openTable},
		{Name: "math", Open: openMath},
		{Name: "os", Open: openOS},
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
