package cmd

import (
	"context"
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

// topicMessages reads what is committed of a topic, with a client that knows nothing of the host.
func topicMessages(t *testing.T, broker, topic string) (views []message.View) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for end := int64(1); ; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read topic %s: %v", topic, err)
		}
		last := int64(0)
		fetches.EachPartition(func(p kgo.FetchTopicPartition) { end = p.LastStableOffset })
		fetches.EachRecord(func(r *kgo.Record) {
			last = r.Offset + 1
			if r.Attrs.IsControl() {
				return
			}
			var v message.View
			if err := v.Parse(r.Value); err != nil {
				t.Fatalf("topic %s, offset %d: %v", topic, r.Offset, err)
			}
			views = append(views, v)
		})
		if last >= end {
			return views
		}
	}
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
	fmt.Fprintf(f, "[streams]\ntimeout = \"20s\"\n[streams.kafka]\nbrokers = [%q]\nreplicas = 1\n", broker.Addr)
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
		<-time.After(time.Second)
		broker.Start()
		<-time.After(2 * time.Second)
	})
	select {
	case <-p.done: // it may have ended, as the outcome of a commit was not known; a supervisor would start it again
		p = startWith(t, env, data, "serve", "--config", config)
	default:
	}
	p.settled()
	p.stop()

	seen, valid := map[string]int{}, map[string]int{}
	for _, v := range topicMessages(t, broker.Addr, "sandbar.valid") {
		seen[field(&v, "documentId")]++
		valid[field(&v, "documentId")]++
	}
	duplicates := 0
	for _, v := range topicMessages(t, broker.Addr, "sandbar.errors") {
		if strings.Contains(header(&v, message.Type), "duplicate") { // a submission without an answer that was sent again
			duplicates++
			continue
		}
		seen[field(&v, "documentId")]++
	}
	lost, twice := 0, 0
	for id := range answered {
		if seen[id] == 0 {
			lost++
		}
	}
	for _, n := range seen {
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d submissions sent, %d answered, %d on the streams, %d duplicates", next, len(answered), len(seen), duplicates)
	if lost > 0 || twice > 0 || len(answered) < 100 {
		t.Errorf("%d of %d answered submissions are lost, %d are there twice", lost, len(answered), twice)
	}
	inLake, inLandfill := map[string]int{}, 0
	filepath.WalkDir(filepath.Join(server.Dir, bucket, "one", "host"), func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
		case strings.HasSuffix(path, ".heka"):
			for _, v := range fileMessages(t, path) {
				inLake[field(&v, "documentId")]++
			}
		case strings.HasSuffix(path, ".heka.zst"):
			inLandfill += len(fileMessages(t, path))
		}
		return nil
	})
	if !maps.Equal(valid, inLake) {
		t.Errorf("%d documents are valid, %d are in the lake, not the same ones or not as often", len(valid), len(inLake))
	}
	if raw := len(topicMessages(t, broker.Addr, "sandbar.raw")); inLandfill != raw {
		t.Errorf("landfill has %d messages, raw %d", inLandfill, raw)
	}
}
