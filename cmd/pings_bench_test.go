package cmd

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/host/stream/kafka/kafkatest"
)

// BenchmarkPings posts real pings of 29 kB to a host with all that ships, and waits until they are decoded and written to the lake. It reports pings a second, while they are posted and until all are
// through, and the CPU time of the host for one; what posts them takes its own.
func BenchmarkPings(b *testing.B) {
	dir := filepath.Join("..", "..", "shared", "data", "mozilla")
	files, err := filepath.Glob(filepath.Join(dir, "pings", "*", "*.json"))
	if err != nil || len(files) == 0 {
		b.Skipf("the real pings are not here: %v", err)
	}
	type ping struct {
		uri  string
		text []byte
	}
	var pings []ping
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		namespace, name := filepath.Base(filepath.Dir(f)), strings.Split(filepath.Base(f), ".")
		uri := fmt.Sprintf("/submit/%s/%s/%s/", namespace, name[0], name[1]) + "%s"
		if namespace == "telemetry" {
			uri = "/submit/telemetry/%s/" + name[0] + "/Firefox/61.0/nightly/20180328030202?v=4"
		}
		pings = append(pings, ping{uri, text})
	}
	p := start(b, b.TempDir(), "serve", "--schemas", filepath.Join(dir, "schemas"))
	before := kafkatest.CPU(b, p.cmd.Process.Pid)
	b.ResetTimer()
	began := time.Now()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var next, sent atomic.Int64
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= b.N {
					return
				}
				res, err := client.Post(p.url+fmt.Sprintf(pings[n%len(pings)].uri, docID(n)), "application/json", bytes.NewReader(pings[n%len(pings)].text))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode == http.StatusOK {
					sent.Add(1)
				}
			}
		})
	}
	senders.Wait()
	posted := time.Since(began)
	if sent.Load() != int64(b.N) {
		b.Fatalf("%d of %d were taken", sent.Load(), b.N)
	}
	until(b, 300*time.Second, "all to be through", func() bool {
		for name, st := range p.plugins() {
			if st.State != runner.Running || st.LagBytes > 0 && (strings.HasPrefix(name, "decoder.") || strings.HasPrefix(name, "output.")) {
				return false
			}
		}
		return p.plugins()["decoder.submission"].Stats.Matched >= int64(b.N)
	})
	through := time.Since(began)
	used := kafkatest.CPU(b, p.cmd.Process.Pid) - before
	b.ReportMetric(float64(b.N)/posted.Seconds(), "posted/s")
	b.ReportMetric(float64(b.N)/through.Seconds(), "pings/s")
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "host-us/ping")
	b.ReportMetric(0, "ns/op")
	p.stop()
}
