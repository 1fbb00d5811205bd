package cmd

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/sandbox/message"
)

// topicRecords reads what is in a topic now; committed leaves out what no transaction has committed.
func topicRecords(t testing.TB, broker, topic string, committed bool) (all []*kgo.Record) {
	t.Helper()
	level := kgo.ReadUncommitted()
	if committed {
		level = kgo.ReadCommitted()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ask := kadm.NewClient(client).ListEndOffsets
	if committed {
		ask = kadm.NewClient(client).ListCommittedOffsets
	}
	ends, err := ask(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		t.Fatalf("ask for the end of topic %s: %v", topic, err)
	}
	left := map[int32]int64{} // end of each partition that is not read to its end
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read topic %s: %v", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
			all = append(all, r)
		})
	}
	return all
}

// autopsy logs where submissions are that are there twice, and the commits of their partitions around them: who made them, and when.
func (r *rig) autopsy(twice map[string]bool) {
	r.t.Helper()
	type span struct{ first, last time.Time }
	around := map[int32]span{}
	shown := 0
	for _, topic := range []string{"sandbar.raw", "sandbar.valid", "sandbar.errors"} {
		for _, rec := range topicRecords(r.t, r.broker.Addr, topic, true) {
			var v message.View
			if rec.Attrs.IsControl() || v.Parse(rec.Value) != nil {
				continue
			}
			id := field(&v, "documentId")
			if topic == "sandbar.raw" {
				uri := field(&v, "uri")
				id = uri[strings.LastIndexByte(uri, '/')+1:]
			}
			if !twice[id] {
				continue
			}
			if topic != "sandbar.raw" {
				s, ok := around[rec.Partition]
				if !ok || rec.Timestamp.Before(s.first) {
					s.first = rec.Timestamp
				}
				if rec.Timestamp.After(s.last) {
					s.last = rec.Timestamp
				}
				around[rec.Partition] = s
			}
			if shown++; shown <= 60 {
				r.t.Logf("%s is in %s, partition %d, offset %d, by producer %d in epoch %d, at %s", id, topic, rec.Partition, rec.Offset, rec.ProducerID, rec.ProducerEpoch, rec.Timestamp.Format("05.000"))
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(around)) {
		var lines []string
		records := topicRecords(r.t, r.broker.Addr, "sandbar.changelog", false)
		slices.SortStableFunc(records, func(a, b *kgo.Record) int { return cmp.Compare(a.Offset, b.Offset) })
		for _, rec := range records {
			s := around[p]
			if rec.Partition != p || rec.Timestamp.Before(s.first.Add(-5*time.Second)) || rec.Timestamp.After(s.last.Add(2*time.Second)) {
				continue
			}
			what := "control"
			if !rec.Attrs.IsControl() {
				what = string(rec.Key)
			}
			if strings.HasPrefix(what, "state/") {
				continue
			}
			lines = append(lines, fmt.Sprintf("%d %s producer %d epoch %d: %s %.150q", rec.Offset, rec.Timestamp.Format("05.000"), rec.ProducerID, rec.ProducerEpoch, what, rec.Value))
		}
		r.t.Logf("changelog of partition %d:\n%s", p, strings.Join(lines, "\n"))
	}
	for _, p := range r.all {
		r.t.Logf("a host of %s logged:\n%s", p.data, p.logged())
	}
}
