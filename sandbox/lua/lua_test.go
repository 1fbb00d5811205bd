package lua

import (
	"slices"
	"strings"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/vm"
)

func TestReadMessage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, want string }{
		{`read_message("Type")`, "sample"},
		{`read_message("Uuid")`, "0123456789abcdef"},
		{`read_message("Timestamp")`, "1.6e+18"},
		{`read_message("Severity")`, "7"},
		{`read_message("Pid")`, "42"},
		{`read_message("Hostname")`, "nil"},
		{`#read_message("Payload")`, "8"},
		{`read_message("Fields[text]")`, "a"},
		{`read_message("Fields[text]", 0, 1)`, "b"},
		{`read_message("Fields[text]", 0, 2)`, "nil"},
		{`read_message("Fields[text]", 1)`, "second"},
		{`read_message("Fields[text]", nil, 1, true)`, "b"},
		{`read_message("Fields[whole]", 0, 1)`, "-2"},
		{`read_message("Fields[real]")`, "0.5"},
		{`read_message("Fields[flag]", 0, 1)`, "false"},
		{`#read_message("Fields[raw]")`, "2"},
		{`read_message("Fields[odd.name-[x]]")`, "odd"},
		{`read_message("Fields[none]")`, "nil"},
		{`read_message("size") == #read_message("raw")`, "true"},
		{`#read_message("framed") - read_message("size")`, "6"},
		{`pcall(read_message, "Nothing")`, "false"},
		{`pcall(read_message)`, "false"},
		{`pcall(read_message, "Type", 0, 0, false, 1)`, "false"},
		{`pcall(read_message, "Type", -1)`, "false"},
		{`#decode_message(read_message("raw")).Fields`, "7"},
		{`decode_message(read_message("raw")).Fields[2].value_type`, "1"},
		{`decode_message(read_message("raw")).Fields[3].value[2]`, "-2"},
		{`pcall(decode_message, "x")`, "false"},
		{`read_config("Logger")`, "analysis.test"},
		{`read_config("memory_limit")`, "8388608"},
		{`read_config("nothing")`, "nil"},
		{`pcall(read_config)`, "false"},
	} {
		b, res := script(t, "add_to_payload(tostring(("+c.expr+"))) inject_payload()")
		if res.Outcome != sandbox.OK {
			t.Errorf("%s: %v %s", c.expr, res.Outcome, res.Text)
			continue
		}
		if got := b.texts(t)[0]; got != c.want {
			t.Errorf("%s is %s, want %s", c.expr, got, c.want)
		}
	}
	b := load(t, sandbox.Analysis, "", `was = read_message("Type") function process_message() return was == nil and 0 or -1 end function timer_event() end`)
	if res := b.Process(sample(t)); res.Status != 0 {
		t.Error("there is a message while loading")
	}
}

func TestReturns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body    string
		outcome sandbox.Outcome
		status  int
		text    string
	}{
		{`return 0`, sandbox.OK, 0, ""},
		{`return -1, "bad field"`, sandbox.OK, -1, "bad field"},
		{`return -3`, sandbox.OK, -3, ""},
		{`return 1`, sandbox.TerminatedByPlugin, 1, "termination status 1"},
		{`return 2, "enough"`, sandbox.TerminatedByPlugin, 2, "enough"},
		{`return "0"`, sandbox.BadReturn, 0, "numeric status code"},
		{`return nil`, sandbox.BadReturn, 0, "numeric status code"},
		{`return`, sandbox.BadReturn, 0, "numeric status code"},
		{`return 0, 5`, sandbox.BadReturn, 0, "nil or string error message"},
		{`return 0.5`, sandbox.BadReturn, 0, "numeric status code"},
		{`return 0/0`, sandbox.BadReturn, 0, "numeric status code"},
		{`error("on purpose")`, sandbox.RuntimeError, 0, "on purpose"},
		{`error({})`, sandbox.RuntimeError, 0, "error object is a table value"},
		{`local x = nil; return x.y`, sandbox.RuntimeError, 0, "attempt to index"},
		{`while true do end`, sandbox.FuelExhausted, 0, "instruction_limit exceeded"},
		{`while true do pcall(function() while true do end end) end`, sandbox.FuelExhausted, 0, "instruction_limit exceeded"},
		{`xpcall(function() while true do end end, function() while true do end end) return 0`, sandbox.FuelExhausted, 0, "instruction_limit exceeded"},
		{`inject_message({})`, sandbox.InjectExceeded, 0, "injection limit exceeded"},
		{`pcall(inject_message, {}) return 0`, sandbox.OK, 0, ""},
		{`add_to_payload(string.rep("x", 70000))`, sandbox.OutputExceeded, 0, "output_limit exceeded"},
		{`local function f() return f() + 1 end return f()`, sandbox.RuntimeError, 0, "stack overflow"},
	} {
		b := load(t, sandbox.Analysis, "", "require 'string'\nfunction process_message()\n"+c.body+"\nend")
		res := b.Process(sample(t))
		if res.Outcome != c.outcome || res.Status != c.status {
			t.Errorf("%s: %v %d (%s), want %v %d", c.body, res.Outcome, res.Status, res.Text, c.outcome, c.status)
		}
		contains(t, res.Text, c.text)
		if c.outcome == sandbox.RuntimeError && c.text != "error object is a table value" && c.text != "stack overflow" && res.Line != 3 {
			t.Errorf("%s: line %d, want 3", c.body, res.Line)
		}
		if res := b.Timer(0, false); res.Outcome != sandbox.RuntimeError || !strings.Contains(res.Text, "timer_event") {
			t.Errorf("a missing timer_event: %v %s", res.Outcome, res.Text)
		}
		if res := b.Timer(0, true); res.Outcome != sandbox.OK {
			t.Errorf("a missing timer_event at the end: %v %s", res.Outcome, res.Text)
		}
	}
}

// TestFuel is deterministic and does not depend on what ran before.
func TestFuel(t *testing.T) {
	t.Parallel()
	source := "function process_message() " + spin(100) + " return 0 end function timer_event() " + spin(1000) + " end"
	b := load(t, sandbox.Analysis, "", source)
	first := b.Process(sample(t)).Fuel
	if first < 100 || first > 300 {
		t.Errorf("%d units for 100 turns", first)
	}
	b.Timer(0, false)
	for range 10 {
		if got := b.Process(sample(t)).Fuel; got != first {
			t.Errorf("fuel is %d, was %d", got, first)
		}
	}
	exact := load(t, sandbox.Analysis, "instruction_limit = 100000", "n = 0 function process_message() n = 0 while true do n = n + 1 end end function timer_event() end")
	res := exact.Process(sample(t))
	n := global(exact, "n")
	again := exact.Process(sample(t))
	if m := global(exact, "n"); m != n || res.Fuel != 100000 || again.Fuel != 100000 {
		t.Errorf("the limit hit at %s, then at %s turns; fuel %d and %d", n, m, res.Fuel, again.Fuel)
	}
}

// TestFuelIsTheSame: what a program spends does not depend on the numbers that its State draws for hashes, also where memory is counted again and again.
func TestFuelIsTheSame(t *testing.T) {
	t.Parallel()
	const source = `local n, t = 0, {}
		function process_message() for i = 1, 400 do n = n + 1 local k = "key " .. n * 7 % 701 t[k] = (t[k] or 0) + 1 end return 0 end`
	var want []int64
	for range 4 {
		p := load(t, sandbox.Analysis, "memory_limit = 150000", source)
		var got []int64
		for range 300 {
			res := p.Process(sample(t))
			if res.Outcome != sandbox.OK {
				t.Fatal(res.Text)
			}
			got = append(got, res.Fuel)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatal("the calls spend other fuel in another State")
		}
	}
	if slices.Max(want) == slices.Min(want[1:]) {
		t.Error("memory was never counted in a call")
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source  string
		outcome sandbox.Outcome
		line    int
		text    string
	}{
		{"function process_message() return 0 end\nx = = 1", sandbox.LoadError, 2, "column 5"},
		{"function process_message(", sandbox.LoadError, 1, "near '<eof>'"},
		{"x = 1", sandbox.LoadError, 0, "no function process_message"},
		{"\n\nerror('at load')", sandbox.RuntimeError, 3, "at load"},
		{"while true do end", sandbox.FuelExhausted, 1, "instruction_limit exceeded"},
		{"x = " + strings.Repeat("{", 5000) + strings.Repeat("}", 5000), sandbox.LoadError, 1, "nested"},
		{"x = " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000), sandbox.LoadError, 1, "nested"},
		{strings.Repeat("do ", 5000) + strings.Repeat(" end", 5000), sandbox.LoadError, 1, "nested"},
		{"x = " + strings.Repeat("-", 1) + strings.Repeat(" - ", 5000) + "1", sandbox.LoadError, 1, "nested"},
		{strings.Repeat(" ", vm.MaxSource+1), sandbox.LoadError, 0, "bytes"},
		{"local x <const> = 1", sandbox.LoadError, 1, "near '<'"},
		{"break", sandbox.LoadError, 1, "break"},
		{"require 'io'", sandbox.RuntimeError, 1, "module 'io' disabled"},
		{"require 'nothing'", sandbox.RuntimeError, 1, "module 'nothing' not found; there are string"},
		{"require 'lake'", sandbox.RuntimeError, 1, "only output plugins"},
		{"\x1bLua", sandbox.LoadError, 1, ""},
	} {
		_, err := tryLoad(sandbox.Analysis, "", c.source)
		if err == nil {
			t.Errorf("%.40q was loaded", c.source)
			continue
		}
		e := asError(t, err)
		if e.Outcome != c.outcome || e.Line != c.line {
			t.Errorf("%.40q: %v line %d %s, want %v line %d", c.source, e.Outcome, e.Line, e.Text, c.outcome, c.line)
		}
		contains(t, e.Text, c.text)
	}
	if _, err := tryLoad(sandbox.Analysis, "", "#!/usr/bin/lua\nfunction process_message() return 0 end"); err != nil {
		t.Error(err)
	}
}

func TestRemoved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dofile", "load", "loadfile", "loadstring", "newproxy", "collectgarbage", "module", "io", "coroutine", "debug", "package", "channel", "_printregs", "string.dump", "os.exit", "os.execute", "os.getenv", "os.remove", "os.rename", "os.setlocale", "os.tmpname"} {
		b := load(t, sandbox.Analysis, "", "require 'string' require 'os' function process_message() return "+name+" == nil and 0 or -1 end")
		if res := b.Process(sample(t)); res.Outcome != sandbox.OK || res.Status != 0 {
			t.Errorf("%s exists: %v", name, res)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	b := load(t, sandbox.Analysis, `
		memory_limit = 1024 * 1024
		ticker_interval = 60
		list = {1, "two", true, {x = 3}}
		`+"local hidden = 5", `
		local l = read_config("list")
		ok = l[1] == 1 and l[2] == "two" and l[3] == true and l[4].x == 3 and read_config("memory_limit") == 1048576
		    and read_config("hidden") == nil and read_config("ticker_interval") == 60
		function process_message() return ok and 0 or -1 end`)
	if res := b.Process(sample(t)); res.Status != 0 {
		t.Error("the config was read wrong")
	}
	for _, c := range []struct {
		cfg  string
		line int
		text string
	}{
		{"x = ", 0, ""},
		{"while true do end", 1, "instruction_limit"},
		{"s = 'x' while true do s = s .. s end", 1, "memory_limit"},
		{"t = {} for i = 1, 1e9 do t[i] = {} end", 1, ""},
		{"x = print('hi')", 1, "attempt to call"},
		{"x = os", 0, ""},
		{"f = function() end", 0, "function cannot be in a config"},
		{"memory_limit = 'much'", 0, "memory_limit"},
		{"ticker_interval = -1", 0, "ticker_interval"},
		{"read_queue = 'all'", 0, "read_queue"},
		{"message_matcher = 'TRUE' read_queue = 'host' restricted_headers = false", 0, "read_queue"},
		{"x = {} x.x = x", 0, "nested"},
	} {
		_, err := ParseConfig(sandbox.Analysis, "test", []byte(c.cfg))
		if err == nil {
			if c.text != "" {
				t.Errorf("%s was taken", c.cfg)
			}
			continue
		}
		e := asError(t, err)
		if e.Outcome != sandbox.LoadError || c.text != "" && !strings.Contains(e.Text, c.text) {
			t.Errorf("%s: %v", c.cfg, err)
		}
	}
}

// global is a number of a plugin, as text.
func global(b *bench, name string) string {
	f, _ := b.Plugin.(*plugin).L.Global(name).Float()
	return vm.NumberText(f)
}
