package lib

import (
	lua "github.com/yuin/gopher-lua"
)

// maxJSONDepth bounds the nesting of what is encoded or decoded, as lua-cjson's default does.
const maxJSONDepth = 1000

// cjson is the cjson module, lua-cjson in the form that Hindsight gives it.
type cjson struct {
	h        Host
	null     *lua.LUserData // cjson.null
	keepNull bool           // decode null as cjson.null; otherwise it is dropped
	scratch  []byte
}

func openCJSON(L *lua.LState, h Host) *lua.LTable {
	m := &cjson{h: h, null: L.NewUserData()}
	t := functions(L, map[string]lua.LGFunction{"encode": m.encode, "decode": m.decode, "decode_null": m.decodeNull})
	t.RawSetString("null", m.null)
	t.RawSetString("_NAME", lua.LString("cjson"))
	return t
}

// decodeNull is decode_null(keep).
func (m *cjson) decodeNull(L *lua.LState) int {
	keep, ok := L.Get(1).(lua.LBool)
	if !ok {
		typeError(L, 1, "decode_null", "boolean")
	}
	m.keepNull = bool(keep)
	return 0
}

func (m *cjson) onlyArgument(L *lua.LState, fn string) {
	if L.GetTop() != 1 {
		argError(L, 1, fn, "expected 1 argument")
	}
}
