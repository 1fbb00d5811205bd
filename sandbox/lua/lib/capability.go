package lib

import (
	"hash/crc32"

	"sandbar/sandbox/lua/vm"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// messageText is the payload, or the text or bytes of a field, that a name as of read_message says.
func messageText(L *vm.State, m *message.View, name string, fi, ai int) ([]byte, bool) {
	ref, ok := message.ParseRef(name, fi, ai)
	if !ok || m == nil || fi < 0 || ai < 0 || ref.Part != message.PartField && ref.Header != message.Payload {
		return nil, false
	}
	if n := m.Count(); n > 16 {
		L.Spend(int64(n) / 4)
	}
	return m.Text(&ref)
}

func openGeo(L *vm.State, h Host) *vm.Table {
	return functions(L, map[string]vm.HostFunc{"lookup": func(L *vm.State) int { return lookup(L, h) }})
}

// lookup is geo.lookup(address) → {country=, city=, subdivision1=, subdivision2=, isp=}, nil when nothing is
// known of it.
func lookup(L *vm.State, h Host) int {
	addr := L.CheckString(1)
	L.Spend(50 + int64(len(addr))/16)
	var place sandbox.Place
	ok := false
	if g := h.Env().Geo; g != nil {
		place, ok = g.Lookup(addr)
	}
	if !ok {
		L.Push(vm.Nil)
		return 1
	}
	t := L.NewTable(0, 0)
	for _, part := range [...]struct{ key, value string }{{"city", place.City}, {"country", place.Country}, {"isp", place.ISP},
		{"subdivision1", place.Subdivision1}, {"subdivision2", place.Subdivision2}} {
		if part.value != "" {
			L.SetField(t, part.key, L.Str(part.value))
		}
	}
	L.Push(t.Value())
	return 1
}

// openZlib has what analysis plugins use of lua-zlib: checksums.
func openZlib(L *vm.State, h Host) *vm.Table {
	L.Kind("crc32", moreCRC, vm.NumberType)
	return functions(L, map[string]vm.HostFunc{"crc32": func(L *vm.State) int {
		L.Spend(8)
		L.Push(L.NewClosure("crc32", []vm.Value{vm.Int(0)}, moreCRC).Value()) // each goes on where it was
		return 1
	}})
}

// moreCRC is what crc32() returns: it takes a text and returns the sum of all that it took.
func moreCRC(L *vm.State) int {
	s := L.CheckString(1)
	L.Spend(int64(len(s)) / 64)
	before, _ := L.Kept(1).Float()
	sum := vm.Number(float64(crc32.Update(uint32(before), crc32.IEEETable, []byte(s))))
	L.Keep(1, sum)
	L.Push(sum)
	return 1
}

type lakes struct{ h Host }

func openLake(L *vm.State, h Host) *vm.Table {
	m := lakes{h}
	return functions(L, map[string]vm.HostFunc{"heka": m.heka, "parquet": m.parquet})
}

// current is the lake and the message that is being processed.
func (m lakes) current(L *vm.State) (sandbox.Lake, []byte) {
	lake, msg := m.h.Env().Lake, m.h.Message()
	if lake == nil {
		L.Throwf("lake: there is no lake here")
	}
	if msg == nil {
		L.Throwf("lake: there is no message; call it from process_message")
	}
	L.Spend(100 + int64(len(msg.Raw()))/64)
	return lake, msg.Raw()
}

// heka is lake.heka(path): the message, framed, into a file under path.
func (m lakes) heka(L *vm.State) int {
	lake, msg := m.current(L)
	if err := lake.Heka(L.CheckString(1), msg); err != nil {
		L.Throwf("lake.heka(): %s", err.Error())
	}
	return 0
}

// parquet is lake.parquet(path [, {fields=, payload=, namespace=, doc_type=, doc_version=}]): a row of the
// message into a file under path.
func (m lakes) parquet(L *vm.State) int {
	lake, msg := m.current(L)
	row := sandbox.Row{Message: msg}
	if !L.Arg(2).IsNil() {
		t := L.CheckTable(2)
		row.Payload, row.Namespace = textOf(L, t, "payload"), textOf(L, t, "namespace")
		row.DocType, row.DocVersion = textOf(L, t, "doc_type"), textOf(L, t, "doc_version")
		if fields := L.Field(t, "fields").Table(); fields != nil {
			for i := 1; i <= fields.Len(); i++ {
				name, ok := fields.GetInt(i).Str()
				if !ok {
					L.Throw("lake.parquet(): fields holds names")
				}
				row.Fields = append(row.Fields, name)
			}
		}
	}
	if err := lake.Parquet(L.CheckString(1), row); err != nil {
		L.Throwf("lake.parquet(): %s", err.Error())
	}
	return 0
}

func textOf(L *vm.State, t *vm.Table, key string) string {
	s, _ := L.Field(t, key).Str()
	return s
}
