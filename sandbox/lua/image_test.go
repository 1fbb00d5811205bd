package lua

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
)

const wholeHeap = `
	require "string" require "table" require "coroutine" local cb = require "circular_buffer" require "cuckoo_filter_expire" local cjson, json, alert = require "cjson", require "json", require "heka.alert"
	local buffer, seen, n, null = cb.new(10, 2, 1), cuckoo_filter_expire.new(1000, 1), 0, cjson.null
	buffer:set_header(1, "Hits")
	total = 0
	local Counter = {} Counter.__index = Counter function Counter:add(k) self[k] = (self[k] or 0) + 1 return self[k] end
	local counts = setmetatable({}, Counter)
	local words = string.gmatch(("a b c "):rep(100), "%a")
	local every = coroutine.wrap(function() while true do for i = 1, 3 do n = n + i coroutine.yield(i == 3) end end end)
	local doc = json.parse("{}")
	local late
	function process_message()
		n = n + 1 total = total + n buffer:add(n * 1e9, 1, 1) seen:add("k" .. n % 7, n * 60e9)
		local w = words() counts:add(w)
		if not late and n > 20 then late = require "math" end
		if every() then inject_payload("txt", "", w, " ", counts:add("x"), " ", n, " ", total, " ", buffer:get(n * 1e9, 1), " ", (buffer:get_header(1)), " ", seen:count(), " ", tostring(null == cjson.null), " ", tostring(late and late.pi), " ", tostring(late and late.random(1e6))) end
		return 0
	end
	function timer_event() inject_payload("cbuf", "", buffer) end`

const allKept = "preserve_data = 'all' process_message_inject_limit = 10 alert = {modules = {web = {}}}"

// TestPreserveAll: a plugin that is stopped and started anew at random points makes what one makes that never stopped, locals, closures, coroutines and objects included.
func TestPreserveAll(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	never, now := load(t, sandbox.Analysis, allKept, wholeHeap), load(t, sandbox.Analysis, allKept, wholeHeap)
	var made []string
	for i := range 60 {
		if random.IntN(4) == 0 {
			state, err := now.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, now.texts(t)...)
			now = load(t, sandbox.Analysis, allKept, wholeHeap)
			if err := now.Restore(state); err != nil {
				t.Fatal(err)
			}
		}
		for _, b := range []*bench{never, now} {
			res := b.Process(sample(t))
			if i%7 == 0 && res.Outcome == sandbox.OK {
				res = b.Timer(0, false)
			}
			if res.Outcome != sandbox.OK {
				t.Fatalf("call %d: %s", i, res.Text)
			}
		}
	}
	made = append(made, now.texts(t)...)
	if got, want := strings.Join(made, "\n"), strings.Join(never.texts(t), "\n"); got != want || !strings.Contains(want, "Hits") || !strings.Contains(want, "3.14") {
		t.Errorf("with stops it made\n%s\nwithout\n%s", got, want)
	}
	if a, b := now.Memory(), never.Memory(); a > b*5/4+20_000 {
		t.Errorf("it holds %d bytes with stops and %d without", a, b)
	}
}

// TestPreserveAllOfOther: with another source, and without "all", the globals are taken; damage is an error.
func TestPreserveAllOfOther(t *testing.T) {
	t.Parallel()
	b := load(t, sandbox.Analysis, allKept, wholeHeap)
	b.Process(sample(t))
	b.Process(sample(t))
	state, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	total := global(b, "total")
	for _, c := range [][2]string{{allKept, wholeHeap + " "}, {strings.Replace(allKept, "'all'", "true", 1), wholeHeap}} {
		other := load(t, sandbox.Analysis, c[0], c[1])
		if err := other.Restore(state); err != nil || global(other, "total") != total {
			t.Errorf("%v, total is %s, want %s", err, global(other, "total"), total)
		}
		if res := other.Process(sample(t)); res.Outcome != sandbox.OK {
			t.Error(res.Text)
		}
	}
	plain := load(t, sandbox.Analysis, strings.Replace(allKept, "'all'", "true", 1), wholeHeap)
	plain.Process(sample(t))
	before, _ := plain.Snapshot()
	all := load(t, sandbox.Analysis, allKept, wholeHeap)
	if err := all.Restore(before); err != nil || global(all, "total") != global(plain, "total") {
		t.Errorf("a snapshot of globals: %v", err)
	}
	for i := len(imageMagic) + 4; i < len(state); i += 13 {
		bad := append([]byte(nil), state...)
		bad[i] ^= 0x41
		if err := load(t, sandbox.Analysis, allKept, wholeHeap).Restore(bad); err == nil && i > len(state)-200 {
			t.Errorf("byte %d of %d is damaged and nothing is said", i, len(state))
		}
	}
	if _, err := limitedAll(t, 2000).Snapshot(); err == nil || asError(t, err).Outcome != sandbox.StateExceeded {
		t.Errorf("beyond state_size: %v", err)
	}
}

func limitedAll(t *testing.T, state int64) *bench {
	t.Helper()
	cfg, err := ParseConfig(sandbox.Analysis, "test", []byte("message_matcher = 'TRUE' "+allKept))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Limits.State = state
	b := &bench{now: time.Unix(1, 0)}
	if b.Plugin, err = Load(cfg, []byte(wholeHeap), b.env()); err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkImage(b *testing.B) {
	const source = `local t = {} for i = 1, 6000 do t[i] = {name = "some name " .. i, value = i, list = {i, i + 1}} end function process_message() return #t end`
	p := load(b, sandbox.Analysis, "preserve_data = 'all' memory_limit = 0 instruction_limit = 0", source)
	state, err := p.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("snapshot", func(b *testing.B) {
		b.SetBytes(int64(len(state)))
		for b.Loop() {
			if _, err := p.Snapshot(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(p.Memory()), "heap")
	})
	b.Run("restore", func(b *testing.B) {
		b.SetBytes(int64(len(state)))
		for b.Loop() {
			if err := p.Restore(state); err != nil {
				b.Fatal(err)
			}
		}
	})
}
