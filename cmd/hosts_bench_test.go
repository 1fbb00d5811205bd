package cmd

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka"
	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/sandbox/message"
)

// BenchmarkHosts lets one, two and three hosts decode what is waiting on six partitions, with the plugins that ship, and reports
// submissions a second and the CPU time of the hosts and of the broker for each. All run on one machine: what more hosts cost is to
// be seen, not what more machines bring.
func BenchmarkHosts(b *testing.B) {
	const waiting = 20_000
	for hosts := 1; hosts <= 3; hosts++ {
		b.Run(fmt.Sprint(hosts), func(b *testing.B) {
			broker := kafkatest.Real(b)
			fill(b, broker.Addr, waiting)
			brokerBefore := kafkatest.CPU(b, broker.Pid())
			b.ResetTimer()
			began := time.Now()
			var running []*process
			for range hosts {
				running = append(running, start(b, b.TempDir(), "serve", "--config", kafkaConfig(b, broker.Addr, 6)))
			}
			until(b, 120*time.Second, "all to be decoded", func() bool {
				var now struct{ Streams []struct{ Messages int } }
				running[0].get("/overview", &now)
				return now.Streams[1].Messages >= waiting
			})
			took := time.Since(began)
			var used time.Duration
			for _, p := range running {
				used += kafkatest.CPU(b, p.cmd.Process.Pid)
			}
			b.ReportMetric(waiting/took.Seconds(), "submissions/s")
			b.ReportMetric(float64(used.Microseconds())/waiting, "host-us/submission")
			b.ReportMetric(float64((kafkatest.CPU(b, broker.Pid())-brokerBefore).Microseconds())/waiting, "broker-us/submission")
			b.ReportMetric(0, "ns/op")
			for _, p := range running {
				p.stop()
			}
		})
	}
}

// fill puts submissions on raw.
func fill(b *testing.B, broker string, n int) {
	b.Helper()
	opt := kafka.Options{Brokers: []string{broker}, Now: time.Now}
	if err := kafka.Create(b.Context(), opt, 6, 1); err != nil {
		b.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("sandbar."+stream.Raw))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for i := range n {
		var m message.Builder
		id := docID(i)
		m.SetUUID([]byte(fmt.Sprintf("%016d", i)))
		m.SetTimestamp(time.Now().UnixNano())
		m.SetHeader(message.Type, "raw")
		m.AddString("uri", "", "/submit/sensors/reading/1/"+id)
		m.AddBytes("content", "", reading(id))
		records = append(records, &kgo.Record{Key: []byte(id), Value: m.AppendTo(nil)})
	}
	if err := client.ProduceSync(b.Context(), records...).FirstErr(); err != nil {
		b.Fatal(err)
	}
}
