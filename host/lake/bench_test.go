package lake

import (
	"context"
	"fmt"
	"io"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// flatRow is a message with twelve fields: twenty columns with those of the headers.
func flatRow(mb *message.Builder, i int) []byte {
	mb.Reset()
	mb.SetUUID(fmt.Appendf(nil, "%016d", i))
	mb.SetTimestamp(1_700_000_000_000_000_000 + int64(i)*1_000_000)
	mb.SetHeader(message.Type, "telemetry")
	mb.SetHeader(message.Logger, "telemetry")
	mb.SetHeader(message.Hostname, "edge-1")
	mb.SetHeader(message.EnvVersion, "1")
	mb.SetSeverity(6)
	mb.SetPid(42)
	for f, values := range []int{3, 5, 20, 200, 10_000} {
		mb.AddString(fmt.Sprintf("text%d", f), "", fmt.Sprintf("value %d", i*7919%values))
	}
	for f, values := range []int{2, 100, 5000, 1_000_000} {
		mb.AddInt(fmt.Sprintf("whole%d", f), "", int64(i*7919%values))
	}
	mb.AddDouble("ratio", "", float64(i%1000)/1000)
	mb.AddDouble("price", "", float64(i)*1.37)
	mb.AddBool("on", "", i%3 == 0)
	return mb.AppendTo(nil)
}

// BenchmarkFlatRows collects rows of 20 columns and writes them as a Parquet file of 100 000: one op is a row, from the plugin's call to the bytes of the file.
func BenchmarkFlatRows(b *testing.B) {
	const rows = 100_000
	var mb message.Builder
	views := make([]message.View, 1000)
	for i := range views {
		if err := views[i].Parse(flatRow(&mb, i*97)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	row := sandbox.Row{}
	for done := 0; done < b.N; done += rows {
		buf := &buffer{path: "main"}
		for i := range min(rows, b.N-done) {
			v := &views[i%len(views)]
			buf.add(v.Raw(), v, &row)
		}
		if _, err := writeParquet(context.Background(), io.Discard, buf, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
