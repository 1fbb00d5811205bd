package lua

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"sandbar/sandbox"
)

// allocated is how many bytes f allocates in all. Tests that use it are not parallel.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// limited is a plugin with limits that only a host can set.
func limited(t *testing.T, change func(*sandbox.Limits), source string) *bench {
	t.Helper()
	cfg, err := ParseConfig(sandbox.Analysis, "test", []byte("message_matcher = 'TRUE' preserve_data = true process_message_inject_limit = 100000"))
	if err != nil {
		t.Fatal(err)
	}
	change(&cfg.Limits)
	b := &bench{}
	if b.Plugin, err = Load(cfg, []byte("require 'string' require 'circular_buffer'\n"+source), b.env()); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSnapshotIsBounded: a text that occurs often is written once and shared after a restore, and a state above its limit
// is refused before it is built.
func TestSnapshotIsBounded(t *testing.T) {
	source := `t = {} function process_message() local s = ("x"):rep(1000000) for i = 1, 1500 do t[i] = s end t.k = {s, [s] = 1} return 0 end
		function timer_event() local n = 0 for i = 1, 1500 do if t[i] == t.k[1] then n = n + #t[i] end end inject_payload("txt", "", n, t.k[t[1]]) end`
	b := limited(t, func(l *sandbox.Limits) { l.State = 2 << 20 }, source)
	if res := b.Process(sample(t)); res.Outcome != sandbox.OK {
		t.Fatal(res.Text)
	}
	var state []byte
	var err error
	if n := allocated(func() { state, err = b.Snapshot() }); err != nil || len(state) > 1_100_000 || n > 8<<20 {
		t.Fatalf("%d bytes, %v, allocated %d", len(state), err, n)
	}
	again := limited(t, func(*sandbox.Limits) {}, source)
	if err := again.Restore(state); err != nil {
		t.Fatal(err)
	}
	if memory := again.Memory(); memory > 3<<20 {
		t.Errorf("restored it holds %d bytes", memory)
	}
	if res := again.Timer(0, false); res.Outcome != sandbox.OK {
		t.Error(res.Text)
	}
	if got := again.texts(t); len(got) != 1 || got[0] != "15000000001" {
		t.Errorf("restored: %q", got)
	}
	for name, body := range map[string]string{
		"texts":  `for i = 1, 3000 do t[i] = ("x"):rep(1000) .. i end`,
		"values": `for i = 1, 300000 do t[i] = i end`,
		"nested": `for i = 1, 50000 do t = {t} end`,
		"buffer": `for i = 1, 10 do t[i] = circular_buffer.new(20000, 1, 1) for s = 0, 19999 do t[i]:add(s * 1e9, 1, s / 3) end end`,
		"one":    `t = ("x"):rep(3000000)`,
	} {
		b := limited(t, func(l *sandbox.Limits) { l.State, l.Memory, l.Instructions = 1<<20, 64<<20, 1e8 }, "t = {} function process_message() "+body+" return 0 end")
		if res := b.Process(sample(t)); res.Outcome != sandbox.OK {
			t.Fatal(name, res.Text)
		}
		n := allocated(func() { state, err = b.Snapshot() })
		if name == "nested" { // has a bound of its own
			if err == nil {
				t.Errorf("%s was written", name)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s was written, %d bytes", name, len(state))
			continue
		}
		if e := asError(t, err); e.Outcome != sandbox.StateExceeded || n > 20<<20 {
			t.Errorf("%s: %v, allocated %d", name, err, n)
		}
	}
}

// TestMessagesAreBounded: output_limit ends a message while it is built, and inject_bytes those of a call.
func TestMessagesAreBounded(t *testing.T) {
	long := `local s = ("x"):rep(1000000) local many = {} for i = 1, 1500 do many[i] = s end `
	for name, c := range map[string]struct {
		body string
		want sandbox.Outcome
	}{
		"list":       {long + `inject_message({Fields = {a = many}})`, sandbox.OutputExceeded},
		"by name":    {long + `local f = {} for i = 1, 1500 do f["n" .. i] = s end inject_message({Fields = f})`, sandbox.OutputExceeded},
		"objects":    {long + `local f = {} for i = 1, 1500 do f[i] = {name = "n", value = s, representation = s} end inject_message({Fields = f})`, sandbox.OutputExceeded},
		"a name":     {long + `inject_message({Fields = {[s] = 1}})`, sandbox.OutputExceeded},
		"a header":   {long + `inject_message({Payload = s})`, sandbox.OutputExceeded},
		"a buffer":   {`inject_message({Payload = circular_buffer.new(200000, 1, 1)})`, sandbox.OutputExceeded},
		"payload":    {`inject_payload("cbuf", "", circular_buffer.new(200000, 1, 1))`, sandbox.OutputExceeded},
		"a graph":    {`inject_payload("cbuf", "", circular_buffer.new(10000, 1, 1))`, sandbox.OutputExceeded},
		"messages":   {`local s = ("x"):rep(60000) while true do inject_message({Payload = s}) end`, sandbox.InjectExceeded},
		"payloads":   {`local s = ("x"):rep(60000) while true do inject_payload("txt", "", s) end`, sandbox.InjectExceeded},
		"past pcall": {`local s = ("x"):rep(60000) while true do pcall(inject_payload, "txt", "", s) end`, sandbox.FuelExhausted},
	} {
		b := limited(t, func(l *sandbox.Limits) { l.InjectBytes, l.Graph = 1<<20, 20000 }, "function process_message() "+c.body+" return 0 end")
		var res sandbox.Result
		n := allocated(func() { res = b.Process(sample(t)) })
		if res.Outcome != c.want {
			t.Errorf("%s: %s %s", name, res.Outcome, res.Text)
		}
		if n > 64<<20 {
			t.Errorf("%s allocated %d bytes", name, n)
		}
		made := 0
		for _, m := range b.made {
			made += len(m)
		}
		if made > 1<<20 {
			t.Errorf("%s made %d bytes", name, made)
		}
	}
}

// TestConfigIsBounded: what shares tables or texts is not copied without end.
func TestConfigIsBounded(t *testing.T) {
	for name, source := range map[string]string{
		"tables": `local function many(v, n) local t = {} for i = 1, n do t[i] = v end return t end a = many(many(many(1, 300), 200), 200)`,
		"texts":  `local s = "x" for i = 1, 17 do s = s .. s end a = {} for i = 1, 1000 do a[i] = s end`,
		"keys":   `a = {} for i = 1, 20000 do a["k" .. i] = i end`,
	} {
		var err error
		n := allocated(func() { _, err = ParseConfig(sandbox.Analysis, "test", []byte("message_matcher = 'TRUE'\n"+source)) })
		if err == nil || n > 20<<20 {
			t.Errorf("%s: %v, allocated %d", name, err, n)
		}
	}
}

// TestPrintIsBounded: lines beyond the limit are left out, and that is told once.
func TestPrintIsBounded(t *testing.T) {
	t.Parallel()
	b := limited(t, func(l *sandbox.Limits) { l.LogLines = 5 }, "function process_message() for i = 1, 1000 do print(i) end return 0 end")
	for range 2 {
		b.Process(sample(t))
	}
	if got := strings.Join(b.printed, " "); len(b.printed) != 12 || !strings.Contains(got, "left out") {
		t.Errorf("printed %s", got)
	}
}

// TestPairsCostsItsSteps: going through n keys costs in proportion to n, in each form and each part of a table.
func TestPairsCostsItsSteps(t *testing.T) {
	t.Parallel()
	for name, loop := range map[string]string{
		"pairs": "for k, v in pairs(t) do end", "next": "local k = next(t) while k do k = next(t, k) end", "foreach": "require 'table' table.foreach(t, function() end)",
		"cjson": "require('cjson').encode(t)", "maxn": "require 'table' table.maxn(t)",
	} {
		for part, key := range map[string]string{"hash": `"k" .. i`, "array": "i", "numbers": "i + 0.5"} {
			if name == "cjson" && part == "numbers" {
				continue
			}
			cost := func(n int) float64 {
				b := limited(t, func(l *sandbox.Limits) { l.Instructions, l.Memory, l.Output = 1e9, 64<<20, 1<<30 },
					fmt.Sprintf("t = {} for i = 1, %d do t[%s] = i end function process_message() %s return 0 end", n, key, loop))
				res := b.Process(sample(t))
				if res.Outcome != sandbox.OK {
					t.Fatalf("%s: %s", name, res.Text)
				}
				return float64(res.Fuel)
			}
			if small, large := cost(2000), cost(20000); large > 13*small {
				t.Errorf("%s over %s: 2 000 keys cost %.0f, 20 000 cost %.0f", name, part, small, large)
			}
		}
	}
}
