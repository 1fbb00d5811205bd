package lib

import (
	"sandbar/sandbox/lua/vm"
)

// maxJSONDepth bounds the nesting of what is encoded or decoded, as lua-cjson's default does.
const maxJSONDepth = 1000

// cjson is the cjson module, lua-cjson in the form that Hindsight gives it.
type cjson struct {
	h        Host
	null     *vm.Userdata // cjson.null
	keepNull bool         // decode null as cjson.null; otherwise it is dropped
	scratch  []byte
}

func openCJSON(L *vm.State, h Host) *vm.Table {
	m := &cjson{h: h, null: L.NewUserdata(nil, nil)}
	t := functions(L, map[string]vm.HostFunc{"encode": m.encode, "decode": m.decode, "decode_null": m.decodeNull})
	L.SetField(t, "null", m.null.Value())
	L.SetField(t, "_NAME", L.Str("cjson"))
	return t
}

// decodeNull is decode_null(keep).
func (m *cjson) decodeNull(L *vm.State) int {
	if L.Arg(1).Type() != vm.BoolType {
		L.TypeError(1, "boolean")
	}
	m.keepNull = L.Arg(1).True()
	return 0
}

func onlyArgument(L *vm.State) {
	if L.Args() != 1 {
		L.ArgError(1, "expected 1 argument")
	}
}
