package lua

import (
	"encoding/json"
	"strings"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// asJSON is the newest message without what differs from run to run.
func asJSON(t testing.TB, raw []byte) string {
	t.Helper()
	var v message.View
	if err := v.Parse(raw); err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(message.AppendJSON(nil, &v), &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "Uuid")
	out, _ := json.Marshal(m)
	return string(out)
}

func TestInjectForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ table, want string }{
		{`{Type = "x", Payload = "p", EnvVersion = "e", Severity = 3}`, `"EnvVersion":"e","Fields":[],"Hostname":"host","Logger":"output.test","Payload":"p","Pid":7,"Severity":3,"Timestamp":1700000000000000000,"Type":"x"`},
		{`{Logger = "l", Hostname = "h", Pid = 9, Timestamp = 5e9}`, `"Hostname":"h","Logger":"l","Pid":9,"Timestamp":5000000000`},
		{`{Fields = {a = "s"}}`, `[{"name":"a","value":["s"],"value_type":"string"}]`},
		{`{Fields = {a = 1.5}}`, `"value":[1.5],"value_type":"double"`},
		{`{Fields = {a = true}}`, `"value":[true],"value_type":"bool"`},
		{`{Fields = {a = {1, 2}}}`, `"value":[1,2],"value_type":"double"`},
		{`{Fields = {a = {"x", "y"}}}`, `"value":["x","y"],"value_type":"string"`},
		{`{Fields = {a = {false, true}}}`, `"value":[false,true],"value_type":"bool"`},
		{`{Fields = {a = {value = 12, value_type = 2, representation = "ms"}}}`, `{"name":"a","representation":"ms","value":[12],"value_type":"integer"}`},
		{`{Fields = {a = {value = {1, 2}, value_type = 2}}}`, `"value":[1,2],"value_type":"integer"`},
		{`{Fields = {a = {value = "b", value_type = 1}}}`, `"value_type":"bytes"`},
		{`{Fields = {{name = "a", value = "x"}, {name = "a", value = {3}}}}`, `[{"name":"a","value":["x"],"value_type":"string"},{"name":"a","value":[3],"value_type":"double"}]`},
		{`decode_message(read_message("raw"))`, `"value":[1,-2],"value_type":"integer"`},
	} {
		b := load(t, sandbox.Output, "", "function process_message() inject_message("+c.table+") return 0 end")
		if res := b.Process(sample(t)); res.Outcome != sandbox.OK {
			t.Errorf("%s: %s", c.table, res.Text)
			continue
		}
		got := asJSON(t, b.made[0])
		for _, part := range strings.Split(c.want, `"Fields":[],`) {
			if !strings.Contains(got, strings.Trim(part, "{}")) {
				t.Errorf("%s is\n%s, want it to contain\n%s", c.table, got, part)
			}
		}
	}
}

func TestInjectErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ arg, want string }{
		{``, "takes a table"}, {`5`, "takes a table"}, {`"x"`, "takes a table"},
		{`{Type = 5}`, "Type must be a string"}, {`{Timestamp = "x"}`, "Timestamp must be a number"},
		{`{Fields = 1}`, "Fields must be a table"}, {`{Fields = {[1] = 2}}`, "name must be a string"},
		{`{Fields = {a = {}}}`, "unsupported type: nil"}, {`{Fields = {a = print}}`, "unsupported type: function"},
		{`{Fields = {a = {1, "x"}}}`, "mixed types"}, {`{Fields = {a = {"x", 1}}}`, "mixed types"}, {`{Fields = {a = {true, 1}}}`, "mixed types"},
		{`{Fields = {{value = 1}}}`, "no name"}, {`{Fields = {a = {value_type = "x", value = 1}}}`, "value_type"},
		{`{Payload = string.rep("x", 70000)}`, "output_limit exceeded"},
	} {
		b := load(t, sandbox.Output, "", "require 'string' function process_message() inject_message("+c.arg+") return 0 end")
		res := b.Process(sample(t))
		if res.Outcome == sandbox.OK || len(b.made) > 0 {
			t.Errorf("inject_message(%s) was taken", c.arg)
		}
		contains(t, res.Text, c.want)
	}
}

func TestRestrictedHeaders(t *testing.T) {
	t.Parallel()
	b := load(t, sandbox.Analysis, "process_message_inject_limit = 1", `function process_message()
		inject_message({Uuid = "0123456789abcdef", Timestamp = 5, Logger = "other", Hostname = "other", Pid = 1, Type = "t"}) return 0 end`)
	b.Process(sample(t))
	contains(t, asJSON(t, b.made[0]), `"Hostname":"host","Logger":"analysis.test","Pid":7,"Timestamp":1700000000000000000,"Type":"t"`)
	var v message.View
	if err := v.Parse(b.made[0]); err != nil || string(v.UUID()) == "0123456789abcdef" {
		t.Error("the uuid is the plugin's", err)
	}
	free := load(t, sandbox.Analysis, "process_message_inject_limit = 1 restricted_headers = false", `function process_message()
		inject_message({Uuid = "30313233-3435-3637-3839-616263646566"}) return 0 end`)
	free.Process(sample(t))
	if err := v.Parse(free.made[0]); err != nil || string(v.UUID()) != "0123456789abcdef" {
		t.Errorf("uuid %q %v", v.UUID(), err)
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, payload, fields string }{
		{`add_to_payload("a", 1.25, nil, true, "\n") inject_payload()`, "a1.25niltrue\n", `["txt"]`},
		{`inject_payload("cbuf", "name", "x", 2147483648, 1/3)`, "x21474836480.33333333", `["name"]`},
		{`inject_payload("txt", "n")`, "", ""},
		{`add_to_payload("gone") print("x") inject_payload("txt", "n", "kept")`, "kept", ""},
	} {
		b, res := script(t, c.body)
		if res.Outcome != sandbox.OK {
			t.Errorf("%s: %s", c.body, res.Text)
			continue
		}
		if c.payload == "" {
			if len(b.made) != 0 {
				t.Errorf("%s made a message", c.body)
			}
			continue
		}
		if got := b.texts(t); len(got) != 1 || got[0] != c.payload {
			t.Errorf("%s made %q", c.body, got)
		}
		contains(t, asJSON(t, b.made[0]), c.fields)
	}
	for _, bad := range []string{`add_to_payload()`, `add_to_payload({})`, `add_to_payload(print)`, `inject_payload(1)`, `inject_payload("a", 1)`} {
		if _, res := script(t, bad); res.Outcome != sandbox.RuntimeError {
			t.Errorf("%s: %v", bad, res.Outcome)
		}
	}
	b := load(t, sandbox.Analysis, "process_message_inject_limit = 5", `function process_message() add_to_payload("x") return 0 end
		function timer_event() inject_payload() end`)
	b.Process(sample(t))
	b.Process(sample(t))
	b.Timer(0, false)
	if got := b.texts(t); len(got) != 1 || got[0] != "xx" {
		t.Errorf("a payload gathered over calls is %q", got)
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	b, _ := script(t, `print("a", 1, nil, true, "x\1y", "cut\0off", "tab\there")`)
	if len(b.printed) != 1 || b.printed[0] != "a\t1\tnil\ttrue\tx y\tcut\ttab here" {
		t.Errorf("%q", b.printed)
	}
}

func TestCircularBuffer(t *testing.T) {
	t.Parallel()
	b, res := script(t, `
		require "circular_buffer"
		local cb = circular_buffer.new(3, 2, 60)
		assert(cb:add(180e9, 1, 2) == 2 and cb:add(180e9, 1, 3) == 5  and cb:add(61e9, 1, 4) == 4)
		assert(cb:add(600e9, 2, 1) == 1 and cb:add(1, 1, 1) == nil)
		assert(cb:get(600e9, 2) == 1 and cb:get(1e15, 1) == nil)
		assert(cb:set(600e9, 2, 9) == 9 and cb:get_delta(600e9, 2) == 9)
		local r, c, s = cb:get_configuration()
		assert(r == 3 and c == 2 and s == 60 and cb:current_time() == 600e9)
		assert(cb:set_header(1, "some name!", "ms", "max") == 1)
		local n, u, a = cb:get_header(1)
		assert(n == "some_name_" and u == "ms" and a == "max")
		assert(#cb:get_range(2) == 3 and cb:get_range(2)[3] == 9 and cb:get_range(2, 1) == nil)
		assert(not pcall(cb.get_range, cb, 2, 600e9, 540e9))
		assert(not pcall(cb.add, cb, 0, 3, 1) and not pcall(cb.add, cb, 0, 0, 1) and not pcall(cb.add, 5, 0, 1, 1))
		assert(not pcall(cb.set, cb, 600e9, 2, 0/0) and not pcall(circular_buffer.new, 1, 1, 1))
		assert(not pcall(cb.format, cb, "x"))
		cb:annotate(600e9, 1, "alert", "look here")
		inject_payload("cbufd", "d", cb:format("cbufd"))
		inject_payload("cbuf", "c", cb:format("cbuf"))`)
	if res.Outcome != sandbox.OK {
		t.Fatal(res.Text)
	}
	got := b.texts(t)
	contains(t, got[0], "\n600\tnan\t9\n")
	contains(t, got[1], `"shortText":"A","text":"look here"`)
	contains(t, got[1], "\nnan\tnan\nnan\tnan\nnan\t9\n")
}

func TestAlert(t *testing.T) {
	t.Parallel()
	cfg := `process_message_inject_limit = 9 alert = {throttle = 5, labels = {team = "web", tier = "one"}, modules = {email = {recipients = {"a@b"}}}, thresholds = {x = 5, ["*"] = 7}}`
	b := load(t, sandbox.Analysis, cfg, `require "string" local alert = require "heka.alert"
		function process_message()
			assert(alert.send("x", "short", "long") and not alert.send("x", "short", "long") and alert.send("y", "s", "l"))
			assert(alert.throttled("x") and not alert.throttled("z") and not alert.send("z", "", "d"))
			assert(alert.get_threshold("x") == 5 and alert.get_threshold("q") == 7)
			assert(alert.send("x", "again", "l", 0, {tier = "two", country = "DE"}))
			for _, odd in ipairs{{["a b"] = "x"}, {a = 1}, {1}, {["1a"] = "x"}, {[""] = "x"}, {[string.rep("a", 33)] = "x"}} do
				assert(not pcall(alert.send, "x", "s", "d", 0, odd))
			end
			local many = {}
			for i = 1, 15 do many["l" .. i] = "x" end
			assert(not pcall(alert.send, "x", "s", "d", 0, many))
			alert.note("x")
			return 0
		end`)
	if res := b.Process(sample(t)); res.Outcome != sandbox.OK {
		t.Fatal(res.Text)
	}
	if len(b.made) != 3 {
		t.Fatalf("%d alerts", len(b.made))
	}
	got := asJSON(t, b.made[0])
	for _, want := range []string{`"Type":"alert"`, `"Severity":1`, `"Payload":"long"`, `["x"]`, `["short"]`, `"name":"email.recipients"`, `a@b`} {
		contains(t, got, want)
	}
	for i, want := range [][]string{{`label.team","value":["web"]`, `label.tier","value":["one"]`}, nil, {`label.country","value":["DE"]`, `label.team","value":["web"]`, `label.tier","value":["two"]`}} {
		for _, label := range want {
			contains(t, asJSON(t, b.made[i]), label)
		}
	}
	for _, cfg := range []string{`labels = {team = 5}`, `labels = {["a b"] = "x"}`, `labels = {"x"}`} {
		if _, err := tryLoad(sandbox.Analysis, `alert = {modules = {web = {}}, `+cfg+`}`, `require "heka.alert" function process_message() end`); err == nil || !strings.Contains(err.Error(), "alert.labels") {
			t.Errorf("%s: %v", cfg, err)
		}
	}
	if _, err := tryLoad(sandbox.Analysis, "", `require "heka.alert" function process_message() end`); err == nil {
		t.Error("heka.alert without a config was loaded")
	}
}
