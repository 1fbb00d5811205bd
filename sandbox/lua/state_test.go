package lua

import (
	"strings"
	"testing"

	"sandbar/sandbox"
)

const stateful = `
	require "circular_buffer"
	require "cuckoo_filter_expire"
	_PRESERVATION_VERSION = read_config("preservation_version") or 0
	count = 0
	names = {}
	nested = {list = {1, 2, 3}, flag = true, text = "a\0b"}
	shared = nested.list
	cycle = {}
	cycle.me = cycle
	with_meta = setmetatable({1}, {})
	cb = circular_buffer.new(3, 1, 1)
	seen = cuckoo_filter_expire.new(1000, 1)
	holder = {buffer = circular_buffer.new(2, 1, 1)}
	local hidden = 0
	function process_message()
		count = count + 1
		hidden = hidden + 1
		names["n" .. count] = count
		nested.list[#nested.list + 1] = count
		with_meta[1] = count
		cb:add(count * 1e9, 1, count)
		holder.buffer:add(count * 1e9, 1, 1)
		seen:add("k" .. count, 60e9)
		return 0
	end
	function timer_event()
		local keys = 0
		for _ in pairs(names) do keys = keys + 1 end
		inject_payload("txt", "", count, " ", keys, " ", #nested.list, " ", tostring(shared == nested.list), " ", tostring(cycle.me == cycle),
			" ", with_meta[1], " ", hidden, " ", #nested.text, " ", tostring(cb:get(count * 1e9, 1)), " ", tostring(holder.buffer:get(count * 1e9, 1)),
			" ", seen:count(), " ", tostring(nested.flag))
	end`

func TestPreserve(t *testing.T) {
	t.Parallel()
	cfg := "preserve_data = true"
	b := load(t, sandbox.Analysis, cfg, stateful)
	for range 5 {
		if res := b.Process(sample(t)); res.Outcome != sandbox.OK {
			t.Fatal(res.Text)
		}
	}
	b.Timer(0, false)
	if got := b.texts(t)[0]; got != "5 5 8 true true 5 5 3 5 1 5 true" {
		t.Fatalf("before: %s", got)
	}
	state, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, sandbox.Analysis, cfg, stateful)
	if err := c.Restore(state); err != nil {
		t.Fatal(err)
	}
	c.Timer(0, false)
	// What has a metatable and what is local is not kept.
	if got := c.texts(t)[0]; got != "5 5 8 true true 1 0 3 5 1 5 true" {
		t.Errorf("after: %s", got)
	}
	if again, err := c.Snapshot(); err != nil || len(again) != len(state) {
		t.Errorf("the state has %d bytes, had %d: %v", len(again), len(state), err)
	}
	d := load(t, sandbox.Analysis, cfg+" preservation_version = 2", stateful)
	if err := d.Restore(state); err != nil {
		t.Error(err)
	}
	d.Timer(0, false)
	contains(t, d.texts(t)[0], "0 0 3")
	other := load(t, sandbox.Analysis, cfg, strings.Replace(stateful, "cb = circular_buffer.new(3, 1, 1)", "cb = circular_buffer.new(4, 1, 1)", 1))
	if err := other.Restore(state); err == nil || !strings.Contains(err.Error(), "_PRESERVATION_VERSION") {
		t.Errorf("a buffer of another shape: %v", err)
	}
	for n := range len(state) {
		if err := load1(t, cfg).Restore(state[:n]); err == nil && n < len(stateMagic)+8 {
			t.Errorf("a state of %d bytes was taken", n)
		}
	}
}

func load1(t testing.TB, cfg string) *bench {
	t.Helper()
	b, err := tryLoad(sandbox.Analysis, cfg, "function process_message() return 0 end")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzRestore(f *testing.F) {
	b := load(f, sandbox.Analysis, "preserve_data = true", stateful)
	b.Process(sample(f))
	state, err := b.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Fuzz(func(t *testing.T, state []byte) {
		c := load1(t, "preserve_data = true")
		defer c.Close()
		if c.Restore(state) == nil {
			if _, err := c.Snapshot(); err != nil && !strings.Contains(err.Error(), "nested") {
				t.Error(err)
			}
		}
	})
}
