package try

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const began = 1_700_000_000 // seconds; message n is n seconds later

func reading(n int) []byte {
	var b message.Builder
	b.SetUUID([]byte(fmt.Sprintf("%016d", n)))
	b.SetTimestamp((began + int64(n)) * 1e9)
	b.SetHeader(message.Type, []string{"a", "b"}[n%2])
	b.AddInt("n", "", int64(n))
	return b.AppendTo(nil)
}

// bench is trials over messages that are spread over partitions.
type bench struct {
	*Trials
	logs []*viewtest.Log
}

func newBench(t *testing.T, partitions, messages int, load runner.Loader) *bench {
	t.Helper()
	b := &bench{}
	logs := map[string][]stream.Log{}
	for range partitions {
		for _, name := range stream.Names() {
			l := viewtest.New(7)
			logs[name] = append(logs[name], l)
			if name == stream.Valid {
				b.logs = append(b.logs, l)
			}
		}
	}
	for n := range messages {
		b.logs[n%partitions].Put(reading(n))
	}
	now := func() time.Time { return time.Unix(began+int64(messages), 0) }
	if load == nil {
		load, now = lua.Load, clock.Now
	}
	b.Trials = New(Options{Logs: logs, Load: load, Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{Hostname: "lab", Pid: 7} }, Now: now})
	return b
}

// works runs the trials until the test ends.
func (b *bench) works(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

func version(t *testing.T, config, source string) Version {
	t.Helper()
	cfg, err := lua.ParseConfig(sandbox.Analysis, "tried", []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return Version{Config: cfg, Source: []byte(source)}
}

// ends waits for a trial.
func (b *bench) ends(t *testing.T, r Request) Report {
	t.Helper()
	id, err := b.Start(r)
	if err != nil {
		t.Fatal(err)
	}
	return b.wait(t, id)
}

func (b *bench) wait(t *testing.T, id string) Report {
	t.Helper()
	rep, err := b.Wait(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

const counting = `
local alert = require "heka.alert"
require "os"
require "circular_buffer"
local cb = circular_buffer.new(10, 1, 60)
cb:set_header(1, "seen")
local n = 0
function process_message()
    n = n + 1
    cb:add(read_message("Timestamp"), 1, 1)
    if n == 3 then
        print("third at", read_message("Fields[n]"), os.time())
        alert.send("third", "the third came", "")
    end
    if n % 5 == 0 then return -1, "fifth" end
    inject_message({Type = "seen", Fields = {n = n}})
    return 0
end
function timer_event(ns, shutdown)
    inject_payload("cbuf", "graph", cb)
    if shutdown then inject_payload("txt", "end", tostring(n)) end
end`

const settings = `message_matcher = "Type == 'a'"
ticker_interval = 60
process_message_inject_limit = 2
preserve_data = true
alert = {modules = {web = {}}}`

func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	for _, partitions := range []int{1, 3} {
		b := newBench(t, partitions, 1000, nil)
		b.works(t)
		r := b.ends(t, Request{Tried: version(t, settings, counting), Last: 100})
		res := r.Tried
		if r.State != Done || r.Problem != "" || r.Share != 1 || r.Plugin != "analysis.tried" || r.Running != nil {
			t.Fatalf("%+v\nended %+v", r, res.Ended)
		}
		// The last hundred are 800 to 998, and behind the first lie 199 others; those before it in other partitions may be among them.
		if res.Matched != 100 || r.Range.Messages < 199 || r.Range.Messages > 200 || r.Range.From.Unix()-began < 799 || r.Range.To.Unix() != began+999 || r.Range.All {
			t.Errorf("%d partitions: matched %d of %+v", partitions, res.Matched, r.Range)
		}
		if res.Returned != 20 || len(res.Failures) != 1 || res.Failures[0].Count != 20 || res.Failures[0].Text != "fifth" || res.Failures[0].Call != 5 || !strings.Contains(string(res.Failures[0].Message), `"value":[808]`) {
			t.Errorf("failures: %d, %+v", res.Returned, res.Failures)
		}
		if res.Alerted != 1 || res.Alerts[0].ID != "third" || res.Alerts[0].Time.Unix() != began+804 || res.Alerts[0].Call != 3 {
			t.Errorf("alerts: %+v", res.Alerts)
		}
		if res.Printed != 1 || res.Prints[0].Text != fmt.Sprint("third at\t804\t", began+804) || res.Prints[0].Call != 3 {
			t.Errorf("prints: %+v", res.Prints)
		}
		if n := len(res.Payloads); n != 2 || res.Payloads[0].Text != "100" || res.Payloads[1].Data == nil {
			t.Errorf("payloads: %+v", res.Payloads)
		}
		if n := len(res.Messages); n != maxMessages || res.Types["seen"] != 80 || res.Types["alert"] != 1 || !strings.Contains(string(res.Messages[n-1].Message), `"value":[99]`) {
			t.Errorf("%d messages, types %v", n, res.Types)
		}
		if res.Fuel.P50 <= 0 || res.Fuel.P50 > res.Fuel.P99 || res.Fuel.P99 > res.Fuel.Max || res.Fuel.Sum < 100*res.Fuel.P50/2 || res.FuelLimit != 1_000_000 {
			t.Errorf("fuel %+v of %d", res.Fuel, res.FuelLimit)
		}
		if res.Memory <= 0 || res.MemoryMax < res.Memory || res.MemLimit != 8<<20 || res.State == 0 {
			t.Errorf("memory %d, at most %d of %d; state %d", res.Memory, res.MemoryMax, res.MemLimit, res.State)
		}
		if res.Rate < 0.49 || res.Rate > 0.51 || res.Cost <= 0 || res.Cost > 0.01 || res.Timers < 4 || res.Ended != nil {
			t.Errorf("rate %v, cost %v, %d timer events, ended %+v", res.Rate, res.Cost, res.Timers, res.Ended)
		}
	}
}

// TestRanges compares what is read with what should be, in logs of all shapes.
func TestRanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, 3, 100, func(*sandbox.Config, []byte, sandbox.Env) (sandbox.Plugin, error) { return &idle{}, nil })
	b.logs[1].Drop(20) // of 33, with those before n = 60
	b.works(t)
	for _, c := range []struct {
		matcher string
		last    int
		since   time.Duration
		want    int64 // matched
		all     bool
	}{
		{"TRUE", 1, 0, 1, false},
		{"TRUE", 10, 0, 10, false},
		{"Type == 'a'", 10, 0, 10, false},
		{"Type == 'never'", 10, 0, 0, true},
		{"TRUE", 1000, 0, 80, true},
		{"TRUE", 80, 0, 80, false},
		{"TRUE", 0, 10 * time.Second, 10, false},
		{"TRUE", 0, 99 * time.Second, 79, false},
		{"TRUE", 0, time.Hour, 80, true},
		{"TRUE", 0, time.Nanosecond, 0, false},
	} {
		v := version(t, fmt.Sprintf("message_matcher = %q", c.matcher), "-")
		r := b.ends(t, Request{Tried: v, Last: c.last, Since: c.since})
		if r.State != Done || r.Tried.Matched != c.want || r.Range.All != c.all || r.Share != 1 {
			t.Errorf("%+v: matched %d, all %v, %s %s %v", c, r.Tried.Matched, r.Range.All, r.State, r.Problem, r.Share)
		}
	}
}

// idle is a plugin that does nothing.
type idle struct{}

func (*idle) Process(*message.View) sandbox.Result { return sandbox.Result{Fuel: 1} }
func (*idle) Timer(int64, bool) sandbox.Result     { return sandbox.Result{} }
func (*idle) Snapshot() ([]byte, error)            { return nil, nil }
func (*idle) Restore([]byte) error                 { return nil }
func (*idle) Interrupt()                           {}
func (*idle) Memory() int64                        { return 1 }
func (*idle) Close() error                         { return nil }

func TestOrder(t *testing.T) {
	t.Parallel()
	var seen []int64
	load := func(*sandbox.Config, []byte, sandbox.Env) (sandbox.Plugin, error) { return &noting{seen: &seen}, nil }
	b := newBench(t, 4, 300, load)
	b.works(t)
	b.ends(t, Request{Tried: version(t, `message_matcher = "TRUE"`, "-"), Since: time.Hour})
	if len(seen) != 300 || !slices.IsSorted(seen) {
		t.Errorf("%d messages came in the order %v", len(seen), seen)
	}
}

type noting struct {
	idle
	seen *[]int64
}

func (n *noting) Process(v *message.View) sandbox.Result {
	*n.seen = append(*n.seen, v.Timestamp())
	return sandbox.Result{}
}

func TestHowItWouldEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ config, source, outcome, text string }{
		{"", "function process_message() if read_message('Fields[n]') == 42 then error('as told') end return 0 end", "runtime_error", "as told"},
		{"", "function process_message() while true do end end", "fuel_exhausted", "instruction_limit"},
		{"", "t = {} function process_message() for i = 1, 1e5 do t[#t+1] = {i} end return 0 end", "memory_exceeded", "memory_limit"},
		{"", "function process_message() return 1, 'enough' end", "terminated_by_plugin", "enough"},
		{"", "function process_message() return 'x' end", "bad_return", "numeric"},
		{"", "function process_message() inject_message({Type='x'}) return 0 end", "inject_exceeded", "injection limit"},
		{"ticker_interval = 10", "function process_message() return 0 end", "runtime_error", "timer_event"},
		{"", "x = ", "load_error", "unexpected symbol near"},
		{"", "function nothing() end", "load_error", "process_message"},
		{"preserve_data = true", "require 'string' x = string.rep('x', 2e6) function process_message() y = x .. read_message('Fields[n]') return 0 end", "state_exceeded", "more than"},
	} {
		b := newBench(t, 1, 100, nil)
		b.works(t)
		v := version(t, "message_matcher = 'TRUE'\ninstruction_limit = 2000000\n"+c.config, c.source)
		v.Config.Limits.State = 1 << 20
		r := b.ends(t, Request{Tried: v, Last: 100})
		e := r.Tried.Ended
		if r.State != Done || e == nil || e.Outcome != c.outcome || !strings.Contains(e.Text, c.text) {
			t.Errorf("%s: %s %s, ended %+v", c.source, r.State, r.Problem, e)
		}
		if c.text == "as told" && (e.Line != 1 || e.Call != 43 || !strings.Contains(string(e.Message), `"value":[42]`) || r.Tried.Matched != 43) {
			t.Errorf("it ended with %+v", e)
		}
	}
}

// TestLook: a call is seen in full, with the same state and the same fuel as in the trial, and nothing comes after it.
func TestLook(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2, 1000, nil)
	b.works(t)
	const source = `
n = 0
function process_message()
    n = n + 1
    local v = read_message("Fields[n]") + read_message("Fields[n]") + (read_message("Fields[none]", 1, 2) or 0)
    if n == 33 then
        for i = 1, 100 do n = n + 0 end
        print("n is", v)
        inject_message({Type = read_message("Type")})
        return -1, "why"
    end
    return 0
end
function timer_event() inject_payload("txt", "n", n) end`
	v := version(t, "message_matcher = \"Type == 'a'\"\nticker_interval = 500\nprocess_message_inject_limit = 1", source)
	id, err := b.Start(Request{Tried: v, Last: 100, Running: &v})
	if err != nil {
		t.Fatal(err)
	}
	whole := b.wait(t, id)
	look := func(call int64) Report {
		t.Helper()
		id, err := b.Look(id, call)
		if err != nil {
			t.Fatal(err)
		}
		return b.wait(t, id)
	}
	call := whole.Tried.Failures[0].Call
	s := look(call).Step
	if s == nil || s.Call != call || s.Status != -1 || s.Text != "why" || s.Outcome != "ok" || !slices.Equal(s.Prints, []string{"n is\t1728"}) || len(s.Made) != 1 || s.Fuel != whole.Tried.Fuel.Max {
		t.Fatalf("call %d of fuel %d: %+v", call, whole.Tried.Fuel.Max, s)
	}
	want := []sandbox.Read{{Name: "Fields[n]", Type: "number", Value: "864", Count: 2}, {Name: "Fields[none], 1, 2", Count: 1}, {Name: "Type", Type: "text", Value: "a", Count: 1}}
	if !slices.Equal(s.Reads, want) || !strings.Contains(string(s.Message), `"value":[864]`) {
		t.Errorf("it read %+v of %s", s.Reads, s.Message)
	}
	var sum int64
	for _, n := range s.Lines {
		sum += n
	}
	if sum > s.Fuel || sum < s.Fuel-2 || s.Lines[7] < 200 || s.Lines[12] != 0 {
		t.Errorf("of %d units %d are of lines: %v", s.Fuel, sum, s.Lines)
	}
	last := look(whole.Tried.Matched + whole.Tried.Timers)
	if s := last.Step; s == nil || s.Message != nil || len(s.Made) != 1 || last.Running != nil {
		t.Errorf("the last timer event: %+v", s)
	}
	if r := look(1000); r.State != Failed || r.Step != nil {
		t.Errorf("a call that there is not: %+v", r)
	}
	if _, err := b.Look("none", 1); !errors.Is(err, ErrGone) {
		t.Errorf("of no trial: %v", err)
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1, 100, nil)
	b.works(t)
	running := version(t, `message_matcher = "Type == 'a'"`, "function process_message() return 0 end")
	running.Number = 3
	r := b.ends(t, Request{Tried: version(t, `message_matcher = "TRUE"`, "function process_message() print('x') return -1, 'no' end"), Running: &running, Since: time.Hour * 24 * 80})
	if r.State != Done || r.Range.Messages != 0 { // by the clock of the test they are years old
		t.Fatalf("%+v", r)
	}
	r = b.ends(t, Request{Tried: version(t, `message_matcher = "TRUE"`, "function process_message() print('x') return -1, 'no' end"), Running: &running, Last: 100})
	if r.Version != 3 || r.Tried.Matched != 100 || r.Tried.Returned != 100 || r.Running.Matched != 50 || r.Running.Returned != 0 || r.Running.Printed != 0 {
		t.Errorf("tried %+v, running %+v", r.Tried, r.Running)
	}
	broken := version(t, `message_matcher = "TRUE"`, "x =")
	r = b.ends(t, Request{Tried: running, Running: &broken, Last: 10})
	if r.State != Done || r.Running != nil || r.Tried.Matched != 10 {
		t.Errorf("beside a version that cannot be loaded: %+v", r)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1, 200, nil)
	endless := Request{Tried: version(t, "message_matcher = 'TRUE'\ninstruction_limit = 0", "n = 0 function process_message() n = n + 1 if n > 1 then while true do end end return 0 end"), Last: 200}
	var ids []string
	for range queued {
		id, err := b.Start(endless)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if _, err := b.Start(endless); !errors.Is(err, ErrBusy) {
		t.Errorf("one more than may wait: %v", err)
	}
	if r, _ := b.Get(ids[0]); r.State != Waiting {
		t.Errorf("before anybody works it is %s", r.State)
	}
	b.works(t)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for len(ids) > 0 { // two have begun, and one has the turn in a call that does not end
		ids = slices.DeleteFunc(ids, func(id string) bool {
			r, err := b.Get(id)
			if err != nil {
				t.Fatal(err)
			}
			if r.State != Running {
				return false
			}
			if err := b.Cancel(id); err != nil {
				t.Fatal(err)
			}
			if r := b.wait(t, id); r.State != Cancelled || r.Tried.Ended != nil || r.Tried.Matched > 2 {
				t.Errorf("a trial that was ended: %s, %+v", r.State, r.Tried)
			}
			return true
		})
		<-tick.C
	}
	if err := b.Cancel("none"); !errors.Is(err, ErrGone) {
		t.Errorf("one that there is not: %v", err)
	}
}

// TestGivenMessages: a trial over messages that somebody has, not over those of the streams.
func TestGivenMessages(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1, 10, nil)
	b.works(t)
	v := version(t, "message_matcher = \"Type == 'a'\"", "function process_message() print(read_message('Fields[n]')) return 0 end")
	id, err := b.Start(Request{Tried: v, Messages: [][]byte{reading(3), reading(8), reading(4)}})
	if err != nil {
		t.Fatal(err)
	}
	r := b.wait(t, id)
	if r.State != Done || r.Range.Messages != 3 || r.Tried.Matched != 2 || r.Tried.Prints[0].Text != "8" || r.Share != 1 {
		t.Errorf("%+v", r)
	}
	again, err := b.Look(id, 2)
	if err != nil {
		t.Fatal(err)
	}
	if s := b.wait(t, again).Step; s == nil || s.Prints[0] != "4" {
		t.Errorf("looked into: %+v", s)
	}
	if _, err := b.Start(Request{Tried: v, Messages: make([][]byte, MaxMessages+1)}); err == nil {
		t.Error("too many messages")
	}
	if _, err := b.Start(Request{Tried: v, Last: 1, Messages: make([][]byte, 1)}); err == nil {
		t.Error("both a range and messages")
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1, 1, nil)
	v := version(t, `message_matcher = "TRUE"`, "-")
	for _, r := range []Request{{Tried: v}, {Tried: v, Last: -1}, {Tried: v, Last: MaxLast + 1}, {Tried: v, Since: MaxSince + 1}, {Tried: v, Last: 1, Since: 1}} {
		if _, err := b.Start(r); err == nil || errors.Is(err, ErrBusy) {
			t.Errorf("last %d, since %v: %v", r.Last, r.Since, err)
		}
	}
}

func TestForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1, 10, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		r := Request{Tried: version(t, `message_matcher = "TRUE"`, "function process_message() return 0 end"), Last: 10}
		var ids []string
		for range endedMax + 1 {
			id, err := b.Start(r)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
			synctest.Wait()
			time.Sleep(time.Second)
		}
		for i, id := range ids {
			if _, err := b.Get(id); errors.Is(err, ErrGone) != (i == 0) {
				t.Errorf("trial %d: %v", i, err)
			}
		}
		time.Sleep(keptTime)
		if _, err := b.Get(ids[endedMax]); !errors.Is(err, ErrGone) {
			t.Errorf("the last, much later: %v", err)
		}
		cancel()
		<-ended
	})
}

// TestPace measures how much of the time trials work: in the time of the bubble, work is sleep.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{}, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var worked [3]time.Duration
		ended := make(chan int)
		for i := range worked {
			go func() {
				p := &pace{turn: turn, now: time.Now, rests: func() {}}
				defer func() { p.leave(); ended <- i }()
				for p.step(ctx) == nil {
					time.Sleep(time.Millisecond * time.Duration(i*5+1))
					worked[i] += time.Millisecond * time.Duration(i*5+1)
				}
			}()
		}
		for range worked {
			<-ended
		}
		if sum := worked[0] + worked[1] + worked[2]; sum > 5100*time.Millisecond || sum < 4800*time.Millisecond || slices.Min(worked[:]) < time.Second {
			t.Errorf("in 10 s three trials worked %v", worked)
		}
	})
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, most := range []int64{1, 30, 1000, 1e9, 1 << 62} {
		var h histogram
		var all []int64
		for range 10_000 {
			v := r.Int64N(most) + 1
			h.add(v)
			all = append(all, v)
		}
		slices.Sort(all)
		for _, q := range []float64{0.01, 0.5, 0.99, 1} {
			want, got := all[int(q*10_000)-1], h.at(q)
			if got < want || float64(got) > float64(want)*(1+1.0/fine)+1 {
				t.Errorf("values up to %d: at %v there is %d, counted was %d", most, q, want, got)
			}
		}
		if h.spread().Max != all[len(all)-1] {
			t.Errorf("max %d, want %d", h.spread().Max, all[len(all)-1])
		}
	}
	var h histogram
	if h.at(0.5) != 0 {
		t.Error("of nothing there is a median")
	}
}

// FuzzLast compares where a trial begins with a plain search over all messages.
func FuzzLast(f *testing.F) {
	f.Add(uint8(3), uint8(50), uint8(10), uint64(1))
	f.Fuzz(func(t *testing.T, partitions, messages, n uint8, seed uint64) {
		parts := int(partitions%5) + 1
		r := rand.New(rand.NewPCG(seed, 1))
		logs := make([]stream.Log, parts)
		var times []int64
		mems := make([]*viewtest.Log, parts)
		for i := range mems {
			mems[i] = viewtest.New(3)
			logs[i] = mems[i]
		}
		for i := range int(messages) {
			msg := reading(i)
			mems[r.IntN(parts)].Put(msg)
			if i%2 == 0 {
				times = append(times, int64(i))
			}
		}
		m, err := matcher.Parse("Type == 'a'")
		if err != nil {
			t.Fatal(err)
		}
		p := &pace{turn: make(chan struct{}, 1), now: clock.Now, rests: func() {}}
		defer p.leave()
		all := spans(logs)
		if _, err := last(t.Context(), p, all, m, int(n)+1, 1<<40); err != nil {
			t.Fatal(err)
		}
		src, err := newSource(t.Context(), p, all)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		src.over = func() bool { return false }
		if err := src.begin(); err != nil {
			t.Fatal(err)
		}
		var got []int64
		for {
			msg, err := src.Next()
			if err != nil {
				break
			}
			var v message.View
			if v.Parse(msg) == nil && m.Match(&v) {
				got = append(got, v.Timestamp()/1e9-began)
			}
		}
		if want := times[max(0, len(times)-int(n)-1):]; !slices.Equal(got, want) {
			t.Errorf("%d partitions: got %v, want %v", parts, got, want)
		}
	})
}
