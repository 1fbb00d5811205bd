package lua

import (
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// endless are calls that last as long as their fuel; each works in another part of the engine.
var endless = map[string]string{
	"instructions": "while true do end",
	"coroutines":   "local c = require 'coroutine' while true do c.wrap(function() end)() end",
	"pcall":        "while true do pcall(function() while true do end end) end",
	"a pattern":    "string.find(('a'):rep(3000), '.-.-.-.-b')",
	"gsub":         "while true do (('a'):rep(10000)):gsub('a', 'bb') end",
	"sort":         "local t = {} for i = 1, 50000 do t[i] = i % 7 end while true do table.sort(t, function(a, b) return a < b end) end",
	"json":         "local c = require 'cjson' local s = '[' .. ('1,'):rep(20000) .. '1]' while true do c.decode(s) end",
	"concat":       "local t = {} for i = 1, 5000 do t[i] = 'abc' end while true do table.concat(t) end",
}

// TestTime: a call that lasts too long ends by itself, past every pcall, and one that is interrupted ends within 50 ms; the
// plugin can be called again. It is not parallel, and a busy machine has three tries.
func TestTime(t *testing.T) {
	for name, body := range endless {
		for _, interrupt := range []bool{false, true} {
			late := time.Hour
			for try := 0; try < 3 && late > 50*time.Millisecond*slowdown; try++ {
				late = min(late, endLate(t, name, body, interrupt))
			}
			if late > 50*time.Millisecond*slowdown {
				t.Errorf("%s: ended %v after it should", name, late)
			}
			t.Logf("%s, interrupt %v: %v late", name, interrupt, late.Round(time.Microsecond))
		}
	}
}

// endLate runs a call that does not end and returns how long after it should it did.
func endLate(t *testing.T, name, body string, interrupt bool) time.Duration {
	t.Helper()
	const after = 50 * time.Millisecond
	cfg, err := ParseConfig(sandbox.Analysis, "test", []byte("message_matcher = 'TRUE'"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Limits.Instructions, cfg.Limits.Time = 1e12, after
	want := sandbox.TimeExceeded
	if interrupt {
		cfg.Limits.Time, want = time.Minute, sandbox.Stopped
	}
	p, err := Load(cfg, []byte("require 'string' require 'table' local n = 0 function process_message() n = n + 1 if n == 2 then return 0 end "+body+" return 0 end"),
		sandbox.Env{Now: time.Now, Hostname: "h"})
	if err != nil {
		t.Fatal(err)
	}
	var m message.Builder
	var v message.View
	if err := v.Parse(m.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	asked := time.Now().Add(after)
	if interrupt {
		time.AfterFunc(after, p.Interrupt)
	}
	res := p.Process(&v)
	late := time.Since(asked)
	if res.Outcome != want || res.Text == "" {
		t.Errorf("%s: %s %s, want %s", name, res.Outcome, res.Text, want)
	}
	if res := p.Process(&v); res.Outcome != sandbox.OK {
		t.Errorf("%s: the call after it: %s %s", name, res.Outcome, res.Text)
	}
	return late
}
