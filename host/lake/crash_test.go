package lake_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"

	"sandbar/host/lake"
	"sandbar/sandbox"
)

// host is a runner as small as can be: one output plugin that reads messages 0, 1, 2, ... of a stream, and
// a store that remembers its position and its manifest together.
type host struct {
	t        testing.TB
	root     string
	fail     func(op string) bool // of the bucket
	position int
	manifest []byte

	b *faulty
	w *lake.Writer
}

const (
	hostMessages = 15
	hostBatch    = 5
)

// start is a process that begins: what was in memory is gone, files and commits are there.
func (h *host) start() error {
	h.b = openBucket(h.t, h.root)
	h.b.broken = h.fail
	l := lake.New(h.b, lake.Options{Logger: discard()})
	if err := l.Load(map[string][]byte{logger: h.manifest}); err != nil {
		return err
	}
	h.w = l.Writer(logger)
	return l.Recover(context.Background())
}

// write runs the plugin on a batch: each message goes to a Heka and to a Parquet object.
func (h *host) write(from int) int {
	to := min(from+hostBatch, hostMessages)
	for i := from; i < to; i++ {
		msg := payloadMessage(strconv.Itoa(i))
		if err := h.w.Heka(fmt.Sprint("doc", i%2), msg); err != nil {
			h.t.Fatal(err)
		}
		if err := h.w.Parquet("all", sandbox.Row{Message: msg, Fields: []string{"Payload"}}); err != nil {
			h.t.Fatal(err)
		}
	}
	return to
}

// check compares the lake with the stream: all of it up to the committed position, once.
func (h *host) check() {
	h.t.Helper()
	heka, parquet := map[string]int{}, map[string]int{}
	for _, key := range keys(h.t, h.b) {
		data := read(h.t, h.b, key)
		if isParquet(key) {
			for _, row := range parquetRows(h.t, data) {
				parquet[row["payload"].(string)]++
			}
			continue
		}
		for _, p := range payloads(h.t, data) {
			heka[p]++
		}
	}
	want := map[string]int{}
	for i := range h.position {
		want[strconv.Itoa(i)] = 1
	}
	if !maps.Equal(heka, want) || !maps.Equal(parquet, want) {
		h.t.Fatalf("position %d\nheka    %v\nparquet %v", h.position, heka, parquet)
	}
}

// The process ends at every place where it can, once in each run.
func TestCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	for crash := 0; ; crash++ {
		h := &host{t: t, root: t.TempDir()}
		step := 0
		crashed := false
		dies := func() bool { // after every step of the loop below, and within Publish before each object
			step++
			crashed = crashed || step-1 == crash
			return step-1 == crash
		}
		h.fail = func(op string) bool { return op != "write" && op != "tokens" && dies() }
		if err := h.start(); err != nil {
			t.Fatal(err)
		}
		read := 0
		restart := func() {
			if err := h.start(); err != nil {
				t.Fatal(err)
			}
			read = h.position
			h.check()
		}
		for h.position < hostMessages {
			read = h.write(read)
			if dies() {
				restart()
				continue
			}
			m, err := h.w.Flush(t.Context(), valid(h.position, read))
			if err != nil || dies() {
				restart()
				continue
			}
			h.position, h.manifest = read, m // the commit
			if dies() {
				restart()
				continue
			}
			h.w.Committed()
			if err := h.w.Publish(t.Context()); err != nil {
				restart()
			}
		}
		h.check()
		if left, _ := h.b.Tokens(t.Context(), "lake00000000"); len(left) > 0 {
			t.Fatalf("crash %d left sealed objects: %v", crash, left)
		}
		if !crashed {
			t.Logf("%d places to crash at", crash)
			return
		}
	}
}

// Random faults and restarts, and commits that come late, so that several flushes wait for theirs.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		h := &host{t: t, root: t.TempDir()}
		h.fail = func(string) bool { return rnd.IntN(12) == 0 }
		for h.start() != nil {
		}
		type commit struct {
			position int
			manifest []byte
		}
		var pending []commit
		read, steps := 0, 0
		for ; h.position < hostMessages && steps < 10_000; steps++ {
			switch rnd.IntN(10) {
			default:
				if read < hostMessages {
					read = h.write(read)
				}
			case 0, 1, 2, 3:
				if m, err := h.w.Flush(t.Context(), valid(0, read)); err == nil {
					pending = append(pending, commit{read, m})
				}
			case 4, 5: // one commit of all that has arrived, then Publish for each
				for _, c := range pending {
					h.position, h.manifest = c.position, c.manifest
				}
				for range pending {
					h.w.Committed()
					h.w.Publish(t.Context()) // what fails is published later
				}
				pending = nil
			case 6:
				for h.start() != nil {
				}
				read, pending = h.position, nil
				h.check()
			}
		}
		for h.start() != nil {
		}
		h.check()
		if h.position < hostMessages {
			t.Fatalf("seed %d: no end after %d steps", seed, steps)
		}
	}
}

// An object whose Publish fails is named by later manifests until it is published.
func TestPublishFailsForLong(t *testing.T) {
	t.Parallel()
	h := &host{t: t, root: t.TempDir()}
	down := true
	h.fail = func(op string) bool { return down && op == "publish" }
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	for h.position < hostMessages-hostBatch {
		read := h.write(h.position)
		m, err := h.w.Flush(t.Context(), valid(0, read))
		if err != nil {
			t.Fatal(err)
		}
		h.position, h.manifest = read, m
		h.w.Committed()
		if err := h.w.Publish(t.Context()); err == nil {
			t.Fatal("Publish did not say that it failed")
		}
	}
	if got := keys(t, h.b); len(got) != 0 {
		t.Fatal("visible:", got)
	}
	if err := h.start(); err == nil {
		t.Fatal("Recover did not say that it failed")
	}
	down = false
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	h.check()
	if names := keys(t, h.b); len(names) != 3*2 {
		t.Errorf("%d objects: %v", len(names), names)
	}
}

// TestStartsWithoutTheBucket: a bucket that is down when the host starts is waited for. What was committed before appears,
// and nothing that was sealed since is taken for a leftover.
func TestStartsWithoutTheBucket(t *testing.T) {
	t.Parallel()
	h := &host{t: t, root: t.TempDir()}
	down := ""
	h.fail = func(op string) bool { return op == down }
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	down = "publish"
	h.write(0)
	m, err := h.w.Flush(t.Context(), valid(0, hostBatch))
	if err != nil {
		t.Fatal(err)
	}
	h.position, h.manifest = hostBatch, m // and the process dies

	down = "tokens"
	if err := h.start(); err == nil {
		t.Fatal("Recover did not say that it failed")
	}
	h.write(h.position)
	if _, err := h.w.Flush(t.Context(), valid(hostBatch, 2*hostBatch)); err == nil {
		t.Fatal("something was sealed before what is left was looked at")
	}
	down = ""
	if m, err = h.w.Flush(t.Context(), valid(hostBatch, 2*hostBatch)); err != nil {
		t.Fatal(err)
	}
	h.check() // the first batch is visible, the second one not yet
	h.position, h.manifest = 2*hostBatch, m
	h.w.Committed()
	if err := h.w.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.check()
}
