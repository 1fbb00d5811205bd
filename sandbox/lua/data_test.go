package lua

import (
	"strings"
	"testing"

	"sandbar/sandbox"
)

// hindsightData is what Hindsight 0.16 writes of the globals of a plugin, a filter of the C module in the middle.
const hindsightData = "if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 3 then return end\n" +
	`_G["minf"] = -1/0
if _G["same"] == nil then _G["same"] = circular_buffer.new(3, 2, 60) end
_G["same"]:set_header(1, "Requests", "count", "sum")
_G["same"]:set_header(2, "Max", "ms", "max")
_G["same"]:fromstring("960 1 60 959 41 1000 60 899 840 60 899 900 60 959 960 41 1000")
_G["same"]:annotate(9.6e+11, 1, "alert", "hello \"x\" \n there", true)
_G["flag"] = true
_G["big"] = 1.0000000000000001e+300
_G["holder"] = {}
_G["holder"]["again"] = _G["same"]
if _G["holder"]["buffer"] == nil then _G["holder"]["buffer"] = circular_buffer.new(2, 1, 1) end
_G["holder"]["buffer"]:set_header(1, "Column_1", "count", "sum")
_G["holder"]["buffer"]:fromstring("1 1 nan nan")
if _G["seen"] == nil then _G["seen"] = cuckoo_filter_expire.new(1024, 1) end
_G["seen"]:fromstring(179, "` + "\xd5\xeeL\x87\\000\\\"\\\\\\r\\\n" + `")
_G["off"] = false
_G["count"] = 1000
_G["odd name"] = 5
_G["name"] = "a\000b\
\"quoted\"\\ \r end"
_G["cycle"] = {}
_G["cycle"]["deep"] = {}
_G["cycle"]["deep"]["up"] = _G["cycle"]
_G["cycle"]["me"] = _G["cycle"]
_G["cb"] = _G["same"]
_G["_VERSION"] = "Lua 5.1"
_G["nan"] = 0/0
_G["holes"] = {}
_G["holes"][1] = 1
_G["holes"][3] = 3
_G["empty"] = {nil}
_G["nested"] = {}
_G["nested"][true] = "b"
_G["nested"][-7] = 2
_G["nested"][1.5] = "f"
_G["nested"]["odd key\
"] = {}
_G["nested"]["odd key\
"]["x"] = {}
_G["frac"] = 0.33333333`

const readsData = `require "circular_buffer"
	_PRESERVATION_VERSION = 3
	count = 0
	local own = circular_buffer.new(3, 2, 60)
	same = own
	function process_message()
		assert(count == 1000 and frac == 0.33333333 and minf == -1/0 and nan ~= nan and big > 1e299 and flag == true and off == false and _G["odd name"] == 5)
		assert(name == "a\0b\n\"quoted\"\\ \r end" and cycle.me == cycle and cycle.deep.up == cycle and #empty == 0)
		assert(holes[1] == 1 and holes[2] == nil and holes[3] == 3 and nested[true] == "b" and nested[-7] == 2 and nested[1.5] == "f" and nested["odd key\n"].x)
		assert(cb == same and holder.again == cb and own == cb and cb:get(960e9, 1) == 41 and cb:get(960e9, 2) == 1000 and cb:get(840e9, 1) == 60)
		assert(cb:get_header(1) == "Requests" and seen == nil and holder.buffer:get(1e9, 1) ~= holder.buffer:get(1e9, 1) and _VERSION == "Lua 5.1")
		inject_payload("cbuf", "", cb)
		return 0
	end function timer_event() end`

// TestHindsightState: what Hindsight has preserved is read, and goes on as what this host has preserved.
func TestHindsightState(t *testing.T) {
	t.Parallel()
	const cfg = "preserve_data = true process_message_inject_limit = 10"
	b := load(t, sandbox.Analysis, cfg, readsData)
	if err := b.Restore([]byte(hindsightData)); err != nil {
		t.Fatal(err)
	}
	state, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again := load(t, sandbox.Analysis, cfg, readsData)
	if err := again.Restore(state); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*bench{b, again} {
		if res := b.Process(sample(t)); res.Outcome != sandbox.OK {
			t.Fatal(res.Text)
		}
		contains(t, b.texts(t)[0], `"shortText":"A","text":"hello \"x\" \n there"`)
	}
	contains(t, strings.Join(b.printed, "\n"), `_G["seen"]: the state of Hindsight's cuckoo_filter_expire cannot be read`)

	other := load(t, sandbox.Analysis, cfg, strings.ReplaceAll(readsData, "_VERSION = 3", "_VERSION = 4"))
	if err := other.Restore([]byte(hindsightData)); err != nil || global(other, "count") != "0" {
		t.Errorf("another version: %v, count is %s", err, global(other, "count"))
	}
	shape := load(t, sandbox.Analysis, cfg, strings.ReplaceAll(readsData, "new(3, 2, 60)", "new(4, 2, 60)"))
	if err := shape.Restore([]byte(hindsightData)); err == nil {
		t.Error("a buffer of another shape was filled")
	}
}

func FuzzHindsightState(f *testing.F) {
	f.Add([]byte(hindsightData))
	for _, s := range []string{`_G["a"]["b"] = 1`, `_G[0/0] = 1`, `_G["a"] = _G["b"]["c"]`, `if _G["x"] == nil then _G["x"] = circular_buffer.new(1e9, 256, 1) end`, `_G["a"] = "`, `_G["a"]:x(1,`, `_G["string"]["len"] = 1`, `_G["_G"] = {}`} {
		f.Add([]byte(hindsightData[:strings.Index(hindsightData, "\n")+1] + s))
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		b := load(t, sandbox.Analysis, "preserve_data = true", readsData)
		if err := b.Restore(state); err != nil {
			return
		}
		b.Snapshot() // which may be nested too deep
		b.Process(sample(t))
	})
}
