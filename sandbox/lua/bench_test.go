package lua

import (
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// benchMessage has ten fields, like those that the speeds in the README are measured with.
func benchMessage(b *testing.B) *message.View {
	b.Helper()
	var m message.Builder
	m.SetUUID([]byte("0123456789abcdef"))
	m.SetTimestamp(1_600_000_000_000_000_000)
	m.SetHeader(message.Type, "telemetry")
	for _, f := range []string{"docType", "channel", "os", "country", "version", "build", "client"} {
		m.AddString(f, "", "value-of-"+f)
	}
	m.AddInt("size", "B", 1234)
	m.AddDouble("load", "", 0.5)
	m.AddBool("active", "", true)
	var v message.View
	if err := v.Parse(m.AppendTo(nil)); err != nil {
		b.Fatal(err)
	}
	return &v
}

func BenchmarkProcess(b *testing.B) {
	for _, c := range []struct{ name, source string }{
		{"nothing", `function process_message() return 0 end`},
		{"read one field", `function process_message() local x = read_message("Fields[size]") return 0 end`},
		{"circular buffer", `require "circular_buffer"
			local cb = circular_buffer.new(1440, 3, 60)
			function process_message() cb:add(read_message("Timestamp"), 1, read_message("Fields[size]")) return 0 end`},
		{"table by two fields", `local counts = {}
			function process_message()
				local a, b = read_message("Fields[docType]"), read_message("Fields[channel]")
				local t = counts[a]
				if not t then t = {} counts[a] = t end
				t[b] = (t[b] or 0) + 1
				return 0
			end`},
		{"log line", `require "string"
			local line = "2026-11-23 10:11:12 INFO [worker-12] request id=abc123 took 45 ms status=200"
			function process_message() local l, id, ms = string.match(line, "^%S+ %S+ (%u+) %[[^%]]+%] request id=(%w+) took (%d+) ms") return 0 end`},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := load(b, sandbox.Analysis, "", c.source)
			m := benchMessage(b)
			b.ReportAllocs()
			for b.Loop() {
				if res := p.Process(m); res.Outcome != sandbox.OK {
					b.Fatal(res.Text)
				}
			}
		})
	}
}
