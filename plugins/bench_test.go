package plugins

import (
	"fmt"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// BenchmarkDecoder is the decoder that ships on a document that is valid, with its schema.
func BenchmarkDecoder(b *testing.B) {
	for _, c := range []struct{ name, uri, body string }{
		{"telemetry main", "/submit/telemetry/%s/main/Firefox/128.0/release/2026", mainPing},
		{"sensors reading", "/submit/sensors/reading/1/%s", readingDoc},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := run(b, "decoder.submission")
			var m message.Builder
			var v message.View
			var raw []byte
			b.ReportAllocs()
			b.SetBytes(int64(len(c.body)))
			for i := range b.N {
				m.Reset()
				m.SetTimestamp(r.now.UnixNano())
				m.SetHeader(message.Type, "raw")
				m.AddString("uri", "", fmt.Sprintf(c.uri, fmt.Sprintf("c0ffee00-0000-4000-8000-%012x", i)))
				m.AddString("remote_addr", "", "81.2.69.142")
				m.AddString("User-Agent", "", "agent")
				m.AddBytes("content", "", []byte(c.body))
				raw = m.AppendTo(raw[:0])
				if err := v.Parse(raw); err != nil {
					b.Fatal(err)
				}
				r.made = r.made[:0]
				if res := r.Process(&v); res.Outcome != sandbox.OK {
					b.Fatal(res.Text)
				}
			}
		})
	}
}

// BenchmarkWatch is what watching a message costs.
func BenchmarkWatch(b *testing.B) {
	w := watch(b, "")
	var m message.Builder
	var v message.View
	m.SetTimestamp(watchBegin * 1e9)
	m.SetHeader(message.Type, "validated")
	m.AddString("docType", "", "main")
	if err := v.Parse(m.AppendTo(nil)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if res := w.Process(&v); res.Outcome != sandbox.OK {
			b.Fatal(res.Text)
		}
	}
}
