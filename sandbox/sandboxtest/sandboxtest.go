// Package sandboxtest is one suite that every engine passes: limits, outcomes, what a plugin may read and send, and
// snapshots. An engine brings a subject: one plugin, written for that engine, that does what its config says.
//
// The subject reads the keys "what", "n" and "size" when it is loaded. In process_message, for each what:
//
//	""         nothing
//	"status"   returns n, with the text "why" where its language can
//	"spin"     loops for ever
//	"grow"     takes memory for ever and keeps it
//	"raise"    raises an error, or traps
//	"inject"   n times: a message of Type "made" with a payload of size times "x"
//	"headers"  a message with Uuid 0123456789abcdef, Timestamp 5, Logger and Hostname "other", Pid 1, Severity 3, EnvVersion "e"
//	"fields"   a message with the fields s = {"a", "b"}, b = bytes "\xff" of representation "json", i = {1, -2} as integers,
//	           d = 0.5, t = {true, false}
//	"read"     a payload of type "txt", name "read", with what it reads, separated by "|": Type, Logger, Hostname, Payload, Pid,
//	           Timestamp / 1e9, Severity, size, Fields[text], its second value, the first of the second field of the name, whole's
//	           second value, real, flag (1 or 0), Fields[odd.name-[x]]; an empty text for EnvVersion and Fields[none]
//	"payload"  gathers "x" size times, n times; sends it with type "txt" and name "p"
//	"print"    prints "line" n times
//	"alert"    sends the alert of id "x", summary "short", detail "long", twice; and one of id "y" that is throttled for 0 minutes
//	"buffer"   adds n to column 1 of a circular buffer of 3 rows, 2 columns and 60 seconds at 600e9 and sends it as cbuf, name "g"
//	"config"   a payload "txt", "c" with the keys text, number and flag (1 or 0), separated by "|"
//	"count"    adds one to a counter that is state
//	"load"     nothing; but it loops for ever while it is loaded
//
// timer_event sends the counter as a payload "txt", "count" when what is "count"; when it is "inject" it does the same as
// process_message; when it is "spin", it loops.
package sandboxtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// Engine is what the suite tests.
type Engine struct {
	Parse    func(kind sandbox.Kind, name string, src []byte) (*sandbox.Config, error)
	Load     func(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error)
	Filename string // of the subject
	Source   []byte
}

// plugin is a subject at work, with what it made and printed.
type plugin struct {
	sandbox.Plugin
	made    [][]byte
	printed []string
}

func now() time.Time { return time.Unix(1_700_000_000, 0) }

func (e *Engine) tryLoad(kind sandbox.Kind, config string, change func(*sandbox.Config)) (*plugin, error) {
	p := &plugin{}
	cfg, err := e.Parse(kind, "test", []byte(fmt.Sprintf("filename = %q\nmessage_matcher = 'TRUE'\n%s", e.Filename, config)))
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(cfg)
	}
	p.Plugin, err = e.Load(cfg, e.Source, sandbox.Env{Hostname: "host", Pid: 7, Seed: 1, Now: now,
		Emit: func(msg []byte) error { p.made = append(p.made, append([]byte(nil), msg...)); return nil },
		Log:  func(text string) { p.printed = append(p.printed, text) }})
	return p, err
}

func (e *Engine) load(t *testing.T, kind sandbox.Kind, config string) *plugin {
	t.Helper()
	p, err := e.tryLoad(kind, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// json is what was made, a line each, without the uuids.
func (p *plugin) json(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, raw := range p.made {
		var v message.View
		if err := v.Parse(raw); err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(message.AppendJSON(nil, &v), &m); err != nil {
			t.Fatal(err)
		}
		if id, _ := m["Uuid"].(string); id != "30313233-3435-3637-3839-616263646566" {
			delete(m, "Uuid")
		}
		line, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	return out.String()
}

// Sample is the message that subjects are given.
func Sample(t testing.TB) *message.View {
	t.Helper()
	var b message.Builder
	b.SetUUID([]byte("0123456789abcdef"))
	b.SetTimestamp(1_600_000_000_000_000_000)
	b.SetHeader(message.Type, "sample")
	b.SetHeader(message.Logger, "tester")
	b.SetHeader(message.Hostname, "there")
	b.SetHeader(message.Payload, "pay\x00load")
	b.SetPid(42)
	b.AddString("text", "", "a", "b")
	b.AddBytes("raw", "json", []byte{0xff, 0})
	b.AddInt("whole", "ms", 1, -2)
	b.AddDouble("real", "", 0.5)
	b.AddBool("flag", "", true, false)
	b.AddString("text", "", "second")
	b.AddString("odd.name-[x]", "", "odd")
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return &v
}

// Run tests an engine.
func Run(t *testing.T, e Engine) {
	t.Run("outcomes", func(t *testing.T) { t.Parallel(); e.outcomes(t) })
	t.Run("goes on", func(t *testing.T) { t.Parallel(); e.goesOn(t) })
	t.Run("fuel", func(t *testing.T) { t.Parallel(); e.fuel(t) })
	t.Run("messages", func(t *testing.T) { t.Parallel(); e.messages(t) })
	t.Run("lines", func(t *testing.T) { t.Parallel(); e.lines(t) })
	t.Run("trace", func(t *testing.T) { t.Parallel(); e.trace(t) })
	t.Run("load", func(t *testing.T) { t.Parallel(); e.loading(t) })
	t.Run("snapshot", func(t *testing.T) { t.Parallel(); e.snapshot(t) })
	t.Run("throttles", func(t *testing.T) { t.Parallel(); e.throttles(t) })
	t.Run("interrupt", func(t *testing.T) { t.Parallel(); e.interrupt(t) })
}

func (e *Engine) outcomes(t *testing.T) {
	const many = "process_message_inject_limit = 5\ntimer_event_inject_limit = 2\n"
	for _, tt := range []struct {
		config string
		want   sandbox.Outcome
		status int
		made   int
		text   string
	}{
		{"", sandbox.OK, 0, 0, ""},
		{"what = 'status' n = 0", sandbox.OK, 0, 0, ""},
		{"what = 'status' n = -1", sandbox.OK, -1, 0, ""},
		{"what = 'status' n = -5", sandbox.OK, -5, 0, ""},
		{"what = 'status' n = 1", sandbox.TerminatedByPlugin, 1, 0, ""},
		{"what = 'spin'", sandbox.FuelExhausted, 0, 0, "instruction_limit"},
		{"what = 'spin' instruction_limit = 20000", sandbox.FuelExhausted, 0, 0, "instruction_limit"},
		{"what = 'grow' memory_limit = 4194304", sandbox.MemoryExceeded, 0, 0, "memory_limit"},
		{"what = 'raise'", sandbox.RuntimeError, 0, 0, ""},
		{many + "what = 'inject' n = 5 size = 10", sandbox.OK, 0, 5, ""},
		{many + "what = 'inject' n = 6 size = 10", sandbox.InjectExceeded, 0, 5, "injection limit"},
		{"what = 'inject' n = 1 size = 10", sandbox.InjectExceeded, 0, 0, "injection limit"},
		{many + "output_limit = 1000 what = 'inject' n = 1 size = 800", sandbox.OK, 0, 1, ""},
		{many + "output_limit = 1000 what = 'inject' n = 1 size = 1000", sandbox.OutputExceeded, 0, 0, "output_limit"},
		{many + "output_limit = 1000 what = 'payload' n = 8 size = 100", sandbox.OK, 0, 1, ""},
		{many + "output_limit = 1000 what = 'payload' n = 11 size = 100", sandbox.OutputExceeded, 0, 0, "output_limit"},
		{"output_limit = 3 what = 'print' n = 1", sandbox.OutputExceeded, 0, 0, "line"},
	} {
		p := e.load(t, sandbox.Analysis, tt.config)
		res := p.Process(Sample(t))
		if res.Outcome != tt.want || res.Status != tt.status || len(p.made) != tt.made || !strings.Contains(res.Text, tt.text) {
			t.Errorf("%s: %v, status %d, %d messages, %q", tt.config, res.Outcome, res.Status, len(p.made), res.Text)
		}
		if res.Fuel < 0 || tt.want == sandbox.FuelExhausted && res.Fuel == 0 {
			t.Errorf("%s: fuel %d", tt.config, res.Fuel)
		}
	}
	for config, want := range map[string]sandbox.Outcome{
		many + "what = 'inject' n = 2 size = 1": sandbox.OK, many + "what = 'inject' n = 3 size = 1": sandbox.InjectExceeded, "what = 'spin'": sandbox.FuelExhausted,
	} {
		if res := e.load(t, sandbox.Analysis, config).Timer(0, false); res.Outcome != want {
			t.Errorf("%s: the timer ends with %v: %s", config, res.Outcome, res.Text)
		}
	}
	for what, limit := range map[string]func(*sandbox.Limits){
		"bytes of a call": func(l *sandbox.Limits) { l.InjectBytes = 1000 },
	} {
		p, err := e.tryLoad(sandbox.Analysis, many+"what = 'inject' n = 5 size = 300", func(c *sandbox.Config) { limit(&c.Limits) })
		if err != nil {
			t.Fatal(err)
		}
		if res := p.Process(Sample(t)); res.Outcome != sandbox.InjectExceeded {
			t.Errorf("%s: %v", what, res.Outcome)
		}
		p.Close()
	}
	p, err := e.tryLoad(sandbox.Analysis, many+"what = 'buffer' n = 1", func(c *sandbox.Config) { c.Limits.Graph = 100 })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if res := p.Process(Sample(t)); res.Outcome != sandbox.OutputExceeded || !strings.Contains(res.Text, "graph") {
		t.Errorf("a graph that is too large: %v %s", res.Outcome, res.Text)
	}
}

// goesOn sees that a plugin whose call met a limit can be called again.
func (e *Engine) goesOn(t *testing.T) {
	p := e.load(t, sandbox.Analysis, "what = 'spin' instruction_limit = 20000 process_message_inject_limit = 1")
	first := p.Process(Sample(t))
	for range 100 {
		if res := p.Process(Sample(t)); res.Outcome != sandbox.FuelExhausted || res.Fuel != first.Fuel {
			t.Fatalf("%v, fuel %d, at first %d", res.Outcome, res.Fuel, first.Fuel)
		}
	}
}

// fuel sees that the same call always costs the same.
func (e *Engine) fuel(t *testing.T) {
	for _, config := range []string{"", "what = 'fields'", "what = 'read'", "what = 'inject' n = 3 size = 100", "what = 'buffer' n = 1", "what = 'raise'"} {
		config = "process_message_inject_limit = 100\n" + config
		var costs []int64
		for range 2 {
			p := e.load(t, sandbox.Analysis, config)
			for i := range 5 {
				res := p.Process(Sample(t))
				if i > 0 { // the first call may make what later ones use
					costs = append(costs, res.Fuel)
				}
			}
		}
		for _, c := range costs {
			if c != costs[0] || c == 0 {
				t.Errorf("%s: fuel %v", config, costs)
				break
			}
		}
	}
}

func (e *Engine) messages(t *testing.T) {
	const own = `"Hostname":"host","Logger":"analysis.test",`
	const stamp = `"Pid":7,"Timestamp":1700000000000000000,`
	payload := func(typ, name, text string) string {
		return `{"Fields":[{"name":"payload_type","value":["` + typ + `"],"value_type":"string"},{"name":"payload_name","value":["` + name + `"],"value_type":"string"}],` +
			own + `"Payload":"` + text + `",` + stamp + `"Type":"inject_payload"}`
	}
	alert := func(id, throttle string) string {
		return `{"Fields":[{"name":"id","value":["` + id + `"],"value_type":"string"},{"name":"summary","value":["short"],"value_type":"string"},` + throttle +
			`{"name":"email.recipients","value":["\u003ca@b\u003e"],"value_type":"string"}],` + own + `"Payload":"long","Pid":7,"Severity":1,"Timestamp":1700000000000000000,"Type":"alert"}`
	}
	for _, tt := range []struct{ config, want string }{
		{"what = 'inject' n = 2 size = 3", strings.Repeat(`{`+own+`"Payload":"xxx",`+stamp+`"Type":"made"}`+"\n", 2)},
		{"what = 'headers'", `{"EnvVersion":"e",` + own + `"Pid":7,"Severity":3,"Timestamp":1700000000000000000,"Type":"made"}` + "\n"},
		{"restricted_headers = false what = 'headers'", `{"EnvVersion":"e","Hostname":"other","Logger":"other","Pid":1,"Severity":3,"Timestamp":5,"Type":"made","Uuid":"30313233-3435-3637-3839-616263646566"}` + "\n"},
		{"what = 'fields'", `{"Fields":[{"name":"s","value":["a","b"],"value_type":"string"},{"name":"b","representation":"json","value":[{"base64":"/w=="}],"value_type":"bytes"},` +
			`{"name":"i","value":[1,-2],"value_type":"integer"},{"name":"d","value":[0.5],"value_type":"double"},{"name":"t","value":[true,false],"value_type":"bool"}],` +
			own + stamp + `"Type":"made"}` + "\n"},
		{"what = 'read'", payload("txt", "read", `sample|tester|there|pay\u0000load|42|1600000000|7|`+fmt.Sprint(len(Sample(t).Raw()))+`|a|b|second|-2|0.5|1|odd||`) + "\n"},
		{"what = 'payload' n = 2 size = 2", payload("txt", "p", "xxxx") + "\n"},
		{"what = 'payload' n = 0 size = 2", ""},
		{"what = 'config' text = 'a b' number = 1.5 flag = true", payload("txt", "c", "a b|1.5|1") + "\n"},
		{"what = 'alert' alert = {throttle = 5, modules = {email = {recipients = {'a@b'}}}}", alert("x", `{"name":"alert.throttle","representation":"min","value":[5],"value_type":"double"},`) + "\n" + alert("y", "") + "\n"},
		{"what = 'buffer' n = 3", payload("cbuf", "g", `{\"time\":480,\"rows\":3,\"columns\":2,\"seconds_per_row\":60,\"column_info\":[{\"name\":\"one\",\"unit\":\"count\",\"aggregation\":\"sum\"},`+
			`{\"name\":\"Column_2\",\"unit\":\"count\",\"aggregation\":\"sum\"}],\"annotations\":[]}\nnan\tnan\nnan\tnan\n3\tnan\n`) + "\n"},
	} {
		p := e.load(t, sandbox.Analysis, "process_message_inject_limit = 9\n"+tt.config)
		if res := p.Process(Sample(t)); res.Outcome != sandbox.OK {
			t.Errorf("%s: %v: %s", tt.config, res.Outcome, res.Text)
			continue
		}
		if got := p.json(t); got != tt.want {
			t.Errorf("%s made\n%swant\n%s", tt.config, got, tt.want)
		}
	}
}

// trace: what is read is noted with its value, and costs the same.
func (e *Engine) trace(t *testing.T) {
	p := e.load(t, sandbox.Analysis, "process_message_inject_limit = 9\nwhat = 'read'")
	tracer, ok := p.Plugin.(sandbox.Tracer)
	if !ok {
		t.Fatal("it cannot be traced")
	}
	p.Process(Sample(t))
	plain := p.Process(Sample(t))
	var tr sandbox.Trace
	tracer.Trace(&tr)
	traced := p.Process(Sample(t))
	tracer.Trace(nil)
	noted := len(tr.Reads)
	after := p.Process(Sample(t))
	if traced.Outcome != sandbox.OK || traced.Fuel != plain.Fuel || after.Fuel != plain.Fuel || len(tr.Reads) != noted {
		t.Errorf("%v: %d of fuel, %d without a trace, %d after it", traced.Outcome, traced.Fuel, plain.Fuel, after.Fuel)
	}
	got := map[string]sandbox.Read{}
	for _, r := range tr.Reads {
		got[r.Name] = r
	}
	for _, want := range []sandbox.Read{{Name: "Type", Type: "text", Value: "sample"}, {Name: "Timestamp", Type: "number", Value: "1600000000000000000"}, {Name: "Pid", Type: "number", Value: "42"},
		{Name: "Fields[text], 0, 1", Type: "text", Value: "b"}, {Name: "Fields[text], 1", Type: "text", Value: "second"}, {Name: "Fields[real]", Type: "number", Value: "0.5"},
		{Name: "Fields[flag]", Type: "bool", Value: "true"}, {Name: "Fields[none]"}} {
		if r := got[want.Name]; r.Type != want.Type || r.Value != want.Value || r.Count < 1 {
			t.Errorf("%s is noted as %+v, want %+v", want.Name, r, want)
		}
	}
}

func (e *Engine) lines(t *testing.T) {
	p, err := e.tryLoad(sandbox.Analysis, "what = 'print' n = 4", func(c *sandbox.Config) { c.Limits.LogLines = 2 })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Process(Sample(t))
	if len(p.printed) != 3 || p.printed[0] != "line" || !strings.Contains(p.printed[2], "left out") {
		t.Errorf("printed %q", p.printed)
	}
}

func (e *Engine) loading(t *testing.T) {
	broken := *e
	for name, source := range map[string][]byte{"empty": {}, "garbage": []byte("\x00\x01\x02 nothing"), "cut": e.Source[:len(e.Source)*2/3], "zeros": make([]byte, 100)} {
		broken.Source = source
		_, err := broken.tryLoad(sandbox.Analysis, "", nil)
		var fault *sandbox.Error
		if !errors.As(err, &fault) || fault.Plugin != "analysis.test" || fault.Text == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := e.tryLoad(sandbox.Analysis, "what = 'load'", nil)
	var fault *sandbox.Error
	if !errors.As(err, &fault) || fault.Outcome != sandbox.FuelExhausted {
		t.Errorf("a loop at load: %v", err)
	}
	_, err = e.tryLoad(sandbox.Analysis, "", func(c *sandbox.Config) { c.Limits.Source = 10 })
	if !errors.As(err, &fault) || fault.Outcome != sandbox.LoadError || !strings.Contains(fault.Text, "10 are allowed") {
		t.Errorf("a source that is too large: %v", err)
	}
}

// snapshot sees that a restored plugin goes on where it was, and that damaged state is refused.
func (e *Engine) snapshot(t *testing.T) {
	const config = "preserve_data = true what = 'count'"
	p := e.load(t, sandbox.Analysis, config)
	for range 5 {
		p.Process(Sample(t))
	}
	state, err := p.Snapshot()
	if err != nil || len(state) == 0 {
		t.Fatalf("%d bytes, %v", len(state), err)
	}
	p.Process(Sample(t)) // must not change what was taken
	q := e.load(t, sandbox.Analysis, config)
	if err := q.Restore(state); err != nil {
		t.Fatal(err)
	}
	q.Process(Sample(t))
	q.Timer(0, false)
	if got := q.json(t); !strings.Contains(got, `"Payload":"6"`) {
		t.Errorf("after a restart: %s", got)
	}
	for n := range min(len(state), 300) {
		r := e.load(t, sandbox.Analysis, config)
		if err := r.Restore(state[:n]); err == nil && n < 8 {
			t.Errorf("%d bytes of state were taken", n)
		}
		r.Close()
	}
	if state, err := e.load(t, sandbox.Analysis, "what = 'count'").Snapshot(); err != nil || state != nil {
		t.Errorf("a plugin that preserves nothing has a state of %d bytes, %v", len(state), err)
	}
	small, err := e.tryLoad(sandbox.Analysis, config, func(c *sandbox.Config) { c.Limits.State = 8 })
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	small.Process(Sample(t))
	var fault *sandbox.Error
	if _, err := small.Snapshot(); !errors.As(err, &fault) || fault.Outcome != sandbox.StateExceeded {
		t.Errorf("a state that is too large: %v", err)
	}
}

// throttles sees that those of alerts survive, whether data is preserved or not.
func (e *Engine) throttles(t *testing.T) {
	for _, preserve := range []string{"", "preserve_data = true "} {
		config := preserve + "process_message_inject_limit = 9 what = 'alert' alert = {throttle = 5, modules = {web = {}}}"
		p := e.load(t, sandbox.Analysis, config)
		p.Process(Sample(t))
		state, err := p.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		q := e.load(t, sandbox.Analysis, config)
		if err := q.Restore(state); err != nil {
			t.Fatal(err)
		}
		q.Process(Sample(t))
		if len(p.made) != 2 || len(q.made) != 1 { // y is not throttled
			t.Errorf("%s: %d alerts before and %d after", config, len(p.made), len(q.made))
		}
	}
}

func (e *Engine) interrupt(t *testing.T) {
	p := e.load(t, sandbox.Analysis, "what = 'spin' instruction_limit = 0")
	p.Interrupt()
	if res := p.Process(Sample(t)); res.Outcome != sandbox.Stopped && res.Outcome != sandbox.FuelExhausted {
		t.Errorf("%v: %s", res.Outcome, res.Text)
	}
}
