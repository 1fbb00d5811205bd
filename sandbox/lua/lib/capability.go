package lib

import (
	"hash/crc32"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// messageBytes is the string or bytes that a name as of read_message says.
func messageBytes(m *message.View, name string, fi, ai int) ([]byte, bool) {
	if m == nil || fi < 0 || ai < 0 {
		return nil, false
	}
	if name == "Payload" {
		return m.Header(message.Payload)
	}
	const prefix = "Fields["
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix || name[len(name)-1] != ']' {
		return nil, false
	}
	f, ok := m.Field(name[len(prefix):len(name)-1], fi)
	if !ok {
		return nil, false
	}
	return f.Bytes(ai)
}

func openGeo(L *lua.LState, h Host) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{"lookup": func(L *lua.LState) int { return lookup(L, h) }})
}

// lookup is geo.lookup(address) → {country=, city=, subdivision1=, subdivision2=, isp=}, nil when nothing is
// known of it.
func lookup(L *lua.LState, h Host) int {
	addr := L.CheckString(1)
	h.Spend(L, 50)
	var place sandbox.Place
	ok := false
	if g := h.Env().Geo; g != nil {
		place, ok = g.Lookup(addr)
	}
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	t := L.NewTable()
	for key, value := range map[string]string{"country": place.Country, "city": place.City,
		"subdivision1": place.Subdivision1, "subdivision2": place.Subdivision2, "isp": place.ISP} {
		if value != "" {
			t.RawSetString(key, lua.LString(value))
		}
	}
	h.Reserve(L, 4096)
	L.Push(t)
	return 1
}

// openZlib has what analysis plugins use of lua-zlib: checksums.
func openZlib(L *lua.LState, h Host) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{"crc32": func(L *lua.LState) int {
		sum := uint32(0) // each function that crc32() returns goes on where it was
		L.Push(L.NewFunction(func(L *lua.LState) int {
			s := L.CheckString(1)
			h.Spend(L, int64(len(s))/64)
			sum = crc32.Update(sum, crc32.IEEETable, []byte(s))
			L.Push(lua.LNumber(sum))
			return 1
		}))
		return 1
	}})
}

type lakes struct{ h Host }

func openLake(L *lua.LState, h Host) *lua.LTable {
	m := lakes{h}
	return functions(L, map[string]lua.LGFunction{"heka": m.heka, "parquet": m.parquet})
}

// current is the lake and the message that is being processed.
func (m lakes) current(L *lua.LState) (sandbox.Lake, []byte) {
	lake, msg := m.h.Env().Lake, m.h.Message()
	if lake == nil {
		L.RaiseError("lake: there is no lake here")
	}
	if msg == nil {
		L.RaiseError("lake: there is no message; call it from process_message")
	}
	m.h.Spend(L, 100+int64(len(msg.Raw()))/64)
	return lake, msg.Raw()
}

// heka is lake.heka(path): the message, framed, into a file under path.
func (m lakes) heka(L *lua.LState) int {
	lake, msg := m.current(L)
	if err := lake.Heka(L.CheckString(1), msg); err != nil {
		L.RaiseError("lake.heka(): %s", err.Error())
	}
	return 0
}

// parquet is lake.parquet(path [, {fields=, payload=, namespace=, doc_type=, doc_version=}]): a row of the
// message into a file under path.
func (m lakes) parquet(L *lua.LState) int {
	lake, msg := m.current(L)
	row := sandbox.Row{Message: msg}
	if t := L.OptTable(2, nil); t != nil {
		row.Payload, row.Namespace = textOf(t, "payload"), textOf(t, "namespace")
		row.DocType, row.DocVersion = textOf(t, "doc_type"), textOf(t, "doc_version")
		if fields, ok := t.RawGetString("fields").(*lua.LTable); ok {
			for i := 1; i <= fields.Len(); i++ {
				row.Fields = append(row.Fields, fields.RawGetInt(i).String())
			}
		}
	}
	if err := lake.Parquet(L.CheckString(1), row); err != nil {
		L.RaiseError("lake.parquet(): %s", err.Error())
	}
	return 0
}

func textOf(t *lua.LTable, key string) string {
	s, _ := t.RawGetString(key).(lua.LString)
	return string(s)
}
