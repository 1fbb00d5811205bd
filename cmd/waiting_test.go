package cmd

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/sandbox/message"
)

// page is the status and text of an answer.
func (p *process) page(path string) (status int, text string) {
	p.t.Helper()
	res, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err, p.ending())
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestWaits: hosts that start while no broker answers take submissions. One of them dies, one is told to stop. When the broker is back
// everything is decoded, once.
func TestWaits(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Real(t)
	config := kafkaConfig(t, broker.Addr, 2)
	broker.Kill()
	data, n, answered := t.TempDir(), 0, map[string]bool{}
	submit := func(p *process) {
		t.Helper()
		for range 100 {
			n++
			if code := p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n))); code != 200 {
				t.Fatalf("answered with %d", code)
			}
			answered[docID(n)] = true
		}
	}
	waits := func() *process {
		t.Helper()
		p := start(t, data, "serve", "--config", config)
		if status, text := p.page("/status"); status != 200 {
			t.Errorf("/status: %d %s", status, text)
		}
		if status, text := p.page("/"); status != 503 || !strings.HasPrefix(text, "This host is starting") {
			t.Errorf("the page: %d %s", status, text)
		}
		var told struct{ Error string }
		if status, text := p.page("/api/v1/plugins"); status != 503 || json.Unmarshal([]byte(text), &told) != nil || told.Error == "" {
			t.Errorf("the API: %d %s", status, text)
		}
		if out, _, code := call("status", "--to", p.url); code != 0 || !strings.HasPrefix(out, "OK\nthis host is starting") {
			t.Errorf("sandbar status: %d %s", code, out)
		}
		submit(p)
		if log := p.logged(); !strings.Contains(log, "part=brokers") || !strings.Contains(log, broker.Addr) {
			t.Errorf("the log does not say what is wrong: %s", log)
		}
		return p
	}
	waits().kill()
	waits().stop()
	p := waits()
	broker.Start()
	until(t, 60*time.Second, "the page", func() bool { status, _ := p.page("/"); return status == 200 })
	submit(p)
	until(t, 60*time.Second, "an end of the spill", func() bool { _, spilled := p.troubles()["edge"]; return !spilled })
	until(t, 60*time.Second, "all partitions", func() bool { return len(p.share().Here) == 2 })
	submit(p)
	p.settled()
	p.stop()
	seen := map[string]int{}
	for _, v := range topicMessages(t, broker.Addr, "sandbar.valid") {
		seen[field(&v, "documentId")]++
	}
	wantOnce(t, answered, seen)
	for _, v := range topicMessages(t, broker.Addr, "sandbar.errors") {
		t.Errorf("on errors: %s, %s", header(&v, message.Type), field(&v, message.FieldError))
	}
}

// TestDoesNotWait: what time does not mend ends a host, with the reason.
func TestDoesNotWait(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Fake(t).ListenAddrs()[0]
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 3, 1, nil, "sandbar.valid"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := command("serve", "--config", kafkaConfig(t, broker, 2), "--listen", "127.0.0.1:0", "--data", t.TempDir())
	ended := make(chan struct{})
	var out []byte
	go func() { defer close(ended); out, err = p.CombinedOutput() }()
	select {
	case <-ended:
	case <-ctx.Done():
		p.Process.Kill()
		<-ended
	}
	if err == nil || !strings.Contains(string(out), "topic sandbar.valid has 3 partitions") {
		t.Errorf("ended with %v\n%s", err, out)
	}
}
