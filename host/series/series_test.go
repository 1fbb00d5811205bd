package series

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/message"
)

func payload(logger, typ, name, text string) []byte {
	var b message.Builder
	b.SetTimestamp(5e9)
	b.SetHeader(message.Type, "inject_payload")
	b.SetHeader(message.Logger, logger)
	b.SetHeader(message.Payload, text)
	b.AddString("payload_type", "", typ)
	b.AddString("payload_name", "", name)
	return b.AppendTo(nil)
}

func open(t *testing.T, path string, log *viewtest.Log, opt Options) (*View, func()) {
	t.Helper()
	opt.Now, opt.Logger = time.Now, slog.New(slog.DiscardHandler)
	v, err := Open(path, []stream.Log{log}, opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- v.Run(ctx) }()
	return v, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// until waits for changes of the view.
func until(t *testing.T, v *View, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for seen := v.Version(); !ok(); {
		var err error
		if seen, err = v.Wait(ctx, seen); err != nil {
			t.Fatalf("waited in vain for %s: %v", what, err)
		}
	}
}

func TestSeries(t *testing.T) {
	t.Parallel()
	b, err := cbuf.New(2, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	b.Add(10e9, 1, 7)
	path, log := filepath.Join(t.TempDir(), "series"), viewtest.New(100)
	v, stop := open(t, path, log, Options{MaxPayload: 1000, MaxPerLogger: 3})
	log.Put(payload("analysis.a", "cbuf", "graph", "old"), payload("analysis.a", "cbuf", "graph", string(b.AppendCbuf(nil))),
		payload("analysis.b", "txt", "words", "hello\xff"), payload("analysis.b", "cbuf", "broken", "no buffer"),
		payload("analysis.a", "txt", "large", strings.Repeat("x", 2000)), []byte("no message"))
	until(t, v, "three payloads", func() bool { return len(v.List()) == 3 })
	g, ok := v.Get("analysis.a", "graph")
	if !ok || g.Data == nil || g.Data.Values[1][0] != 7 || g.Problem != "" {
		t.Errorf("graph %+v %v", g, ok)
	}
	if g, ok := v.Get("analysis.b", "words"); !ok || g.Text != "hello\uFFFD" {
		t.Errorf("words %+v %v", g, ok)
	}
	if g, ok := v.Get("analysis.b", "broken"); !ok || g.Problem == "" || g.Text != "no buffer" {
		t.Errorf("broken %+v %v", g, ok)
	}
	if _, ok := v.Get("analysis.a", "large"); ok {
		t.Error("a payload above the bound is kept")
	}
	stop()

	// It goes on from its file, without what it has read.
	v, stop = open(t, path, log, Options{MaxPerLogger: 3})
	if g, ok := v.Get("analysis.a", "graph"); !ok || g.Data == nil {
		t.Error("a restart lost the graph")
	}
	for i := range 5 {
		log.Put(payload("analysis.many", "txt", fmt.Sprint(i), "x"))
	}
	until(t, v, "the newest of five", func() bool { _, ok := v.Get("analysis.many", "4"); return ok })
	if _, ok := v.Get("analysis.many", "0"); ok || len(v.List()) != 6 {
		t.Errorf("%d payloads are kept", len(v.List()))
	}
	v.Forget("analysis.many")
	until(t, v, "forgetting", func() bool { return len(v.List()) == 3 })
	stop()
}

// TestPartitions: what the instances of a plugin make on several partitions is one graph, also after a restart.
func TestPartitions(t *testing.T) {
	t.Parallel()
	logs := []*viewtest.Log{viewtest.New(100), viewtest.New(100)}
	logs[1].Replaced() // so that it is of another store
	path := filepath.Join(t.TempDir(), "series")
	begin := func(logs ...stream.Log) (*View, func()) {
		v, err := Open(path, logs, Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler), MaxPerLogger: 3})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- v.Run(ctx) }()
		return v, func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	v, stop := begin(logs[0], logs[1])
	for i, log := range logs {
		b, err := cbuf.New(2, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		b.Add(10e9, 1, float64(7+i))
		log.Put(payload("analysis.a", "cbuf", "graph", string(b.AppendCbuf(nil))), payload("analysis.a", "txt", "words", fmt.Sprint("from ", i)),
			payload("analysis.a", "txt", "same", "alike"))
	}
	check := func(v *View) {
		t.Helper()
		until(t, v, "all payloads", func() bool { return v.Stats().Payloads == 6 })
		if list := v.List(); len(list) != 3 || list[0].Name != "graph" || list[0].Bytes < 100 {
			t.Errorf("listed %+v", list)
		}
		if g, ok := v.Get("analysis.a", "graph"); !ok || g.Data == nil || g.Data.Values[1][0] != 15 {
			t.Errorf("graph %+v %v", g, ok)
		}
		if g, _ := v.Get("analysis.a", "words"); g.Text != "partition 0:\nfrom 0\npartition 1:\nfrom 1\n" {
			t.Errorf("words %q", g.Text)
		}
		if g, _ := v.Get("analysis.a", "same"); g.Text != "partition 0:\nalike\npartition 1:\nalike\n" {
			t.Errorf("words %q", g.Text)
		}
	}
	check(v)
	stop()
	v, stop = begin(logs[0], logs[1])
	check(v)
	stop()
	late := viewtest.New(100) // a partition that was added; what was kept stays
	late.Replaced()
	late.Replaced()
	v, stop = begin(logs[0], logs[1], late)
	check(v)
	v.Forget("analysis.a")
	until(t, v, "forgetting", func() bool { return len(v.List()) == 0 })
	stop()
}
