package runner

import (
	"fmt"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// batching is a plugin that notes how many messages each call has, and ends at the one that says so.
type batching struct {
	unclaimed
	calls []int
}

func (b *batching) ProcessBatch(ms []*message.View) sandbox.Result {
	b.calls = append(b.calls, len(ms))
	res := sandbox.Result{Fuel: 5}
	for _, m := range ms {
		switch text, _ := m.Header(message.Payload); string(text) {
		case "end":
			res.Outcome = sandbox.RuntimeError
		case "fail":
			res.Status = -1
		}
	}
	return res
}

func TestBatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		payloads        []string
		calls           string
		done            int
		matched, failed int64
		ends            bool
	}{
		{[]string{"", "", "", "", "", "", ""}, "[3 3 1]", 7, 7, 0, false},
		{[]string{"", "fail", "", ""}, "[3 1]", 4, 4, 3, false},
		{[]string{"", "", "", "", "end", "", ""}, "[3 3]", 6, 6, 0, true},
	} {
		plugin := &batching{}
		cfg := &sandbox.Config{Kind: sandbox.Analysis, Name: "test", Matcher: "TRUE", Batch: 3}
		task, err := NewTask(func(*sandbox.Config, []byte, sandbox.Env) (sandbox.Plugin, error) { return plugin, nil }, cfg, nil, sandbox.Env{Now: func() time.Time { return time.Unix(0, 0) }}, nil)
		if err != nil {
			t.Fatal(err)
		}
		views, hits := make([]message.View, len(tt.payloads)), make([]int32, len(tt.payloads))
		for i, p := range tt.payloads {
			var b message.Builder
			b.SetHeader(message.Payload, p)
			if err := views[i].Parse(b.AppendTo(nil)); err != nil {
				t.Fatal(err)
			}
			hits[i] = int32(i)
		}
		done, fault := task.Process(views, hits)
		s := task.Stats()
		if done != tt.done || (fault != nil) != tt.ends || fmt.Sprint(plugin.calls) != tt.calls || s.Matched != tt.matched || s.Failed != tt.failed {
			t.Errorf("%q: %d done, %v, calls %v, matched %d, failed %d", tt.payloads, done, fault, plugin.calls, s.Matched, s.Failed)
		}
	}
}
