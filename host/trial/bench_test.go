package trial_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/host/trial"
	"sandbar/sandbox/message"
)

// record writes n framed messages of 525 bytes to a file.
func record(b *testing.B, n int) string {
	b.Helper()
	var mb message.Builder
	mb.SetUUID(make([]byte, 16))
	mb.SetUUID(bytes.Repeat([]byte{7}, 16))
	mb.SetHeader(message.Type, "telemetry")
	mb.SetHeader(message.Logger, "benchmark")
	mb.SetHeader(message.Hostname, "host.example")
	mb.AddString("docType", "", "main")
	mb.AddString("appName", "", "Firefox")
	mb.AddInt("sampleId", "", 42)
	mb.SetTimestamp(1_700_000_000_000_000_000)
	pad := 525 - mb.Len()
	mb.SetHeader(message.Payload, strings.Repeat("x", pad))
	mb.SetHeader(message.Payload, strings.Repeat("x", pad-(mb.Len()-525))) // tag and length
	if mb.Len() != 525 {
		b.Fatalf("the message has %d bytes", mb.Len())
	}
	path := filepath.Join(b.TempDir(), "0.log")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := message.NewWriter(f)
	for i := range n {
		mb.SetTimestamp(1_700_000_000_000_000_000 + int64(i)*1_000_000)
		if err := w.Write(mb.AppendTo(nil)); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// One iteration reads a million messages from a file.
func BenchmarkTrial(b *testing.B) {
	const million = 1_000_000
	path := record(b, million)
	for _, bb := range []struct {
		name    string
		plugins int
		match   string
		ticker  int
	}{
		{"none", 0, "", 0},
		{"no match", 1, "Type == 'never'", 0},
		{"no match ticker", 1, "Type == 'never'", 60},
		{"no match by field", 1, "Fields[docType] == 'crash'", 0},
		{"no match 100", 100, "Type == 'never' && Fields[docType] == 'd%d'", 60},
		{"one match", 1, "Type == 'telemetry'", 60},
		{"one of 100", 100, "Fields[sampleId] == %d", 60},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				tr := &trial.Trial{}
				for i := range bb.plugins {
					match := bb.match
					if bb.plugins > 1 {
						match = fmt.Sprintf(match, i)
					}
					tr.Plugins = append(tr.Plugins, plugin(b, config(fmt.Sprint("p", i), match, bb.ticker), script{still: true}))
				}
				if err := tr.Run(b.Context(), message.NewReader(f, message.MaxSize)); err != nil {
					b.Fatal(err)
				}
				f.Close()
				if tr.Messages != million {
					b.Fatalf("%d messages", tr.Messages)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/message")
		})
	}
}
