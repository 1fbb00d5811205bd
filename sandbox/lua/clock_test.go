package lua

import (
	"fmt"
	"testing"
	"time"

	"sandbar/sandbox"
)

const alerting = `local alert = require "heka.alert"
	function process_message() return 0 end
	function timer_event(ns) for _, id in ipairs({"one", "two"}) do alert.send(id, "s", "d") end end`

// TestThrottleSurvives: an alert that may come once an hour does not come again after a restart, with preserved data and
// without, nor in a new version of the plugin; and it comes when the hour is over.
func TestThrottleSurvives(t *testing.T) {
	t.Parallel()
	for _, preserve := range []bool{false, true} {
		cfg := fmt.Sprintf("alert = {throttle = 60, modules = {web = {}}} preserve_data = %v", preserve)
		var state []byte
		for start, want := range []int{2, 0, 0, 2, 0} {
			source := alerting
			if start == 2 {
				source = "_PRESERVATION_VERSION = 7 " + source
			}
			b := load(t, sandbox.Analysis, cfg, source)
			b.now = b.now.Add(time.Duration(start) * 25 * time.Minute)
			if len(state) > 0 {
				if err := b.Restore(state); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				b.now = b.now.Add(time.Second)
				if res := b.Timer(b.now.UnixNano(), false); res.Outcome != sandbox.OK {
					t.Fatal(res.Text)
				}
			}
			if len(b.made) != want {
				t.Errorf("preserve_data = %v, start %d: %d alerts, want %d", preserve, start+1, len(b.made), want)
			}
			var err error
			if state, err = b.Snapshot(); err != nil || len(state) == 0 {
				t.Fatalf("%d bytes, %v", len(state), err)
			}
		}
	}
}

// TestClockThatJumps: what a plugin keeps in its buffer and its alerts goes on when the clock was days ahead for a while, or behind.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	b := load(t, sandbox.Analysis, "alert = {throttle = 60, modules = {web = {}}}", `require "circular_buffer" local alert = require "heka.alert"
		cb = circular_buffer.new(60, 1, 60) function process_message() return 0 end
		function timer_event(ns) cb:add(ns, 1, 1) sum = cb:get(ns, 1) if alert.send("id", "s", "d") then alerts = (alerts or 0) + 1 end end`)
	start := b.now
	event := func(at time.Time, sum, alerts string) {
		t.Helper()
		b.now = at
		if res := b.Timer(at.UnixNano(), false); res.Outcome != sandbox.OK {
			t.Fatal(res.Text)
		}
		if s, a := global(b, "sum"), global(b, "alerts"); s != sum || a != alerts {
			t.Errorf("at %v: sum %s, alerts %s; want %s and %s", at.Sub(start), s, a, sum, alerts)
		}
	}
	event(start, "1", "1")
	event(start.Add(time.Second), "2", "1")
	event(start.Add(48*time.Hour), "1", "2")  // the clock is wrong
	event(start.Add(2*time.Second), "1", "3") // and right again: the buffer begins anew, and the alert from the future keeps nobody quiet
	event(start.Add(3*time.Second), "2", "3") //
	event(start.Add(-48*time.Hour), "1", "4") // behind: what is there lies in the future, and the buffer begins anew
	event(start.Add(4*time.Second), "1", "5") // and the alert of two days ago is over
	event(start.Add(4*time.Second+time.Hour), "1", "6")
}
