package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// dump logs every record and marker of a partition's topics, also what is not committed.
func dump(t *testing.T, opt Options, partition int32) {
	for _, name := range []string{stream.Valid, stream.Derived, Changelog} {
		client, err := kgo.NewClient(kgo.SeedBrokers(opt.Brokers...), kgo.KeepControlRecords(),
			kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{opt.topic(name): {partition: kgo.NewOffset().AtStart()}}))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		ends, err := kadm.NewClient(client).ListEndOffsets(ctx, opt.topic(name))
		if err != nil {
			t.Fatal(err)
		}
		end, _ := ends.Lookup(opt.topic(name), partition)
		var lines []string
		for at := int64(0); at < end.Offset; {
			fetches := client.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				t.Error(err)
				break
			}
			fetches.EachRecord(func(r *kgo.Record) {
				at = r.Offset + 1
				what := fmt.Sprintf("%s %.100q", r.Key, r.Value)
				if r.Attrs.IsControl() && len(r.Key) == 4 {
					what = []string{"aborted", "committed"}[r.Key[3]&1]
				}
				lines = append(lines, fmt.Sprintf("%d %s producer %d epoch %d: %s", r.Offset, r.Timestamp.Format("05.000"), r.ProducerID, r.ProducerEpoch, what))
			})
		}
		t.Logf("topic %s:\n%s", name, strings.Join(lines, "\n"))
	}
}
