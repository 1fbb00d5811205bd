package cmd

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/bucket/s3/s3test"
	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/sandbox/message"
)

// topicMessages reads what is committed of a topic, in all partitions, with a client that knows nothing of the host.
func topicMessages(t *testing.T, broker, topic string) (views []message.View) {
	t.Helper()
	for _, r := range topicRecords(t, broker, topic, true) {
		if r.Attrs.IsControl() {
			continue
		}
		var v message.View
		if err := v.Parse(r.Value); err != nil {
			t.Fatalf("topic %s, partition %d, offset %d: %v", topic, r.Partition, r.Offset, err)
		}
		views = append(views, v)
	}
	return views
}

// TestKafka: a host with its streams on Apache Kafka and its files on S3 is killed under load, and so is the broker. Every
// submission that was answered is once on valid or errors, and those on valid once in the lake; landfill has all of raw.
func TestKafka(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Real(t)
	server := s3test.Real(t)
	bucket, env, config := s3Host(t, server)
	f, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "[streams]\ntimeout = \"5s\"\n[streams.kafka]\nbrokers = [%q]\nreplicas = 1\n", broker.Addr)
	f.Close()
	data := t.TempDir()

	var mu sync.Mutex
	answered, next := map[string]bool{}, 0
	under := func(p *process, what func()) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					mu.Lock()
					next++
					n := next
					mu.Unlock()
					id := docID(n)
					body := reading(id)
					if n%5 == 0 {
						body = []byte(`{"version":1}`)
					}
					if p.post("/submit/sensors/reading/1/"+id, body) == 200 {
						mu.Lock()
						answered[id] = true
						mu.Unlock()
					}
				}
			})
		}
		what()
		close(stop)
		wg.Wait()
	}
	for kill := range 4 {
		p := startWith(t, env, data, "serve", "--config", config)
		under(p, func() {
			<-time.After(time.Duration(1500+kill*300) * time.Millisecond)
			p.kill()
		})
	}
	p := startWith(t, env, data, "serve", "--config", config)
	under(p, func() {
		<-time.After(time.Second)
		broker.Kill()
		until(t, 20*time.Second, "word that submissions are spilled", func() bool {
			return strings.Contains(p.troubles()["edge"].Text, "kept on the local disk")
		})
		if out, _, code := call("status", "--to", p.url); code != 0 || !strings.HasPrefix(out, "OK\n") || !strings.Contains(out, ": edge: submissions are kept on") {
			t.Errorf("sandbar status: %d %s", code, out)
		}
		<-time.After(time.Second)
		broker.Start()
		<-time.After(2 * time.Second)
	})
	select {
	case err := <-p.done:
		t.Fatalf("the host has ended with the broker: %v\n%s", err, p.logged())
	default:
	}
	until(t, 30*time.Second, "an end of the spill", func() bool { _, spilled := p.troubles()["edge"]; return !spilled })
	p.settled()
	p.stop()
	// What was under way when the broker went may have come to it since. The files are finished a second after the last message.
	p = startWith(t, env, data, "serve", "--config", config)
	p.settled()
	raw := len(topicMessages(t, broker.Addr, "sandbar.raw"))
	kept := func(ending string) (views []message.View) {
		filepath.WalkDir(filepath.Join(server.Dir, bucket, "one", "host"), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ending) {
				views = append(views, fileMessages(t, path)...)
			}
			return nil
		})
		return views
	}
	until(t, 60*time.Second, "all of raw in landfill", func() bool { return len(kept(".heka.zst")) >= raw })
	until(t, 60*time.Second, "the lake", func() bool { return len(kept(".heka")) >= len(topicMessages(t, broker.Addr, "sandbar.valid")) })
	p.stop()

	seen, valid := map[string]int{}, map[string]int{}
	for _, v := range topicMessages(t, broker.Addr, "sandbar.valid") {
		seen[field(&v, "documentId")]++
		valid[field(&v, "documentId")]++
	}
	duplicates := 0
	for _, v := range topicMessages(t, broker.Addr, "sandbar.errors") {
		if strings.Contains(header(&v, message.Type), "duplicate") { // one that was spilled and came to the broker besides
			duplicates++
			continue
		}
		seen[field(&v, "documentId")]++
	}
	t.Logf("%d submissions sent, %d answered, %d on the streams, %d duplicates", next, len(answered), len(seen), duplicates)
	wantOnce(t, answered, seen)
	if found := inLake(t, filepath.Join(server.Dir, bucket, "one", "host")); !maps.Equal(valid, found) {
		t.Errorf("%d documents are valid, %d are in the lake, not the same ones or not as often", len(valid), len(found))
	}
	if n := len(kept(".heka.zst")); n != raw {
		t.Errorf("landfill has %d messages, raw %d", n, raw)
	}
}

// kafkaConfig is the config of a host on a broker, with so many partitions.
func kafkaConfig(t testing.TB, broker string, partitions int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "kafka.toml")
	text := fmt.Sprintf("# a host\n[streams]\ntimeout = \"20s\"\n[streams.kafka]\nbrokers = [%q]\nreplicas = 1\npartitions = %d\n", broker, partitions)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestForeignRecords: what somebody else puts on raw is decoded when it is a message, and told of on errors when it is none.
func TestForeignRecords(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Fake(t).ListenAddrs()[0]
	p := start(t, t.TempDir(), "serve", "--config", kafkaConfig(t, broker, 4))
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("sandbar.raw"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var b message.Builder
	b.SetUUID(make([]byte, 16))
	b.SetTimestamp(1)
	b.SetHeader(message.Type, "raw")
	b.AddString("uri", "", "/submit/sensors/reading/1/"+docID(7))
	b.AddBytes("content", "", reading(docID(7)))
	records := []*kgo.Record{{Value: []byte("not a message")}, {Value: b.AppendTo(nil)}, {Value: []byte{0x0a, 0x02, 'x', 'y'}}, {}}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if code := p.post("/submit/sensors/reading/1/"+docID(8), reading(docID(8))); code != 200 {
		t.Fatalf("answered with %d", code)
	}
	p.settled()
	until(t, 20*time.Second, "all records", func() bool { return p.plugins()["decoder.submission"].Stats.Matched >= 2 })
	p.stop()
	found := map[string]bool{}
	for _, v := range topicMessages(t, broker, "sandbar.errors") {
		if field(&v, message.FieldErrorType) == "foreign" && strings.Contains(field(&v, message.FieldError), "holds no message: ") {
			found[header(&v, message.Payload)] = true
			continue
		}
		t.Errorf("stream errors has %s: %s", field(&v, message.FieldErrorType), field(&v, message.FieldError))
	}
	if len(found) != 3 || !found["not a message"] || !found["\x0a\x02xy"] || !found[""] {
		t.Errorf("stream errors tells of %v", found)
	}
	if valid := topicMessages(t, broker, "sandbar.valid"); len(valid) != 2 {
		t.Errorf("%d messages are valid, want 2", len(valid))
	}
}

// TestMigrate: a host moves from files to Kafka. Its messages, the states of its plugins and their positions go with it: what
// came before the move is a duplicate after it, nothing is in the lake twice, and counters go on.
func TestMigrate(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Fake(t).ListenAddrs()[0]
	config := kafkaConfig(t, broker, 1)
	data := t.TempDir()
	p := start(t, data, "serve")
	send := func(p *process, from, to int) {
		for n := from; n < to; n++ {
			if code := p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n))); code != 200 {
				t.Fatalf("answered with %d", code)
			}
		}
	}
	send(p, 0, 200)
	p.settled() // a plugin begins with the newest
	p.deploy("analysis", "totals", "preserve_data = true\nmessage_matcher = \"Type == 'validated'\"\nticker_interval = 1\n",
		`n = 0
function process_message() n = n + 1 return 0 end
function timer_event() inject_payload("txt", "total", tostring(n)) end`)
	send(p, 200, 300)
	p.settled()
	if _, stderr, code := call("migrate", "--data", data, "--config", config); code != 1 || !strings.Contains(stderr, "stop the host first") {
		t.Errorf("migrated beside a running host: %d %s", code, stderr)
	}
	p.stop()
	out, stderr, code := call("migrate", "--data", data, "--config", config)
	if code != 0 || !strings.Contains(out, "300 messages of raw, 300 of valid") {
		t.Fatalf("%d %s %s", code, out, stderr)
	}
	if _, stderr, code := call("migrate", "--data", data, "--config", config); code != 1 || !strings.Contains(stderr, "not empty") {
		t.Errorf("migrated twice: %d %s", code, stderr)
	}
	p = start(t, data, "serve", "--config", config)
	send(p, 250, 350)
	p.settled()
	total := ""
	t.Cleanup(func() { t.Logf("the counter is at %q", total) })
	until(t, 20*time.Second, "the counter to go on", func() bool {
		total = p.text("analysis.totals", "total")
		return total == "150"
	})
	p.stop()
	valid := map[string]int{}
	for _, v := range topicMessages(t, broker, "sandbar.valid") {
		valid[field(&v, "documentId")]++
	}
	want := map[string]int{}
	for n := range 350 {
		want[docID(n)] = 1
	}
	if !maps.Equal(valid, want) {
		t.Errorf("%d documents are valid, want each of 350 once", len(valid))
	}
	if errs := topicMessages(t, broker, "sandbar.errors"); len(errs) != 50 {
		t.Errorf("%d of 50 duplicates were found", len(errs))
	}
	if found := inLake(t, filepath.Join(data, "bucket", "lake", "heka")); !maps.Equal(found, want) {
		t.Errorf("%d documents are in the lake, want each of 350 once", len(found))
	}
}

// TestCommandLine: Kafka's own command-line consumer reads the topics, and a record is a message, without a frame.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Real(t)
	p := start(t, t.TempDir(), "serve", "--config", kafkaConfig(t, broker.Addr, 3))
	for n := range 30 {
		if code := p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n))); code != 200 {
			t.Fatalf("answered with %d", code)
		}
	}
	until(t, 30*time.Second, "all to be decoded", func() bool { return p.plugins()["decoder.submission"].Stats.Matched == 30 })
	p.settled()
	p.stop()
	for topic, name := range map[string]string{"sandbar.raw": "uri", "sandbar.valid": "documentId"} {
		found := map[string]bool{}
		for _, record := range broker.Consume(topic, 30) {
			var v message.View
			if err := errors.Join(v.Parse(record), v.Whole()); err != nil {
				t.Fatalf("topic %s: %v: %.200q", topic, err, record)
			}
			found[strings.TrimPrefix(field(&v, name), "/submit/sensors/reading/1/")] = true
		}
		if len(found) != 30 || !found[docID(7)] {
			t.Errorf("topic %s has %d documents", topic, len(found))
		}
	}
}
