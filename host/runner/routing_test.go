package runner_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// note is an analysis or output script that keeps the numbers of what it is called with.
func note(b *bench, into *[]int64) func() *script {
	return func() *script {
		return &script{process: func(v *message.View, _ func([]byte) error) sandbox.Result {
			b.mu.Lock()
			defer b.mu.Unlock()
			*into = append(*into, number(v))
			return sandbox.Result{}
		}}
	}
}

func TestPluginSeesWhatItWantsOfItsStreams(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.feed(stream.Valid, numbered("a", 1), numbered("b", 2))
	b.feed(stream.Errors, numbered("a", 3), numbered("b", 4))
	b.feed(stream.Derived, numbered("a", 5), numbered("b", 6))
	queue := func(name, match string, q sandbox.ReadQueue) *sandbox.Config {
		cfg := config(sandbox.Output, name, match)
		cfg.ReadQueue = q
		return cfg
	}
	plugins := []struct {
		cfg  *sandbox.Config
		want []int64
	}{
		{config(sandbox.Analysis, "all", "TRUE"), []int64{1, 2, 3, 4, 11, 13}},
		{config(sandbox.Analysis, "a", "Type == 'a'"), []int64{1, 3, 11, 13}},
		{config(sandbox.Analysis, "four", "Fields[n] == 4 || Fields[n] == 6"), []int64{4}},
		{queue("both", "Type == 'a'", sandbox.ReadBoth), []int64{1, 3, 5, 11, 13, 15}},
		{queue("input", "Type == 'a'", sandbox.ReadInput), []int64{1, 3, 11, 13}},
		{queue("analysis", "Type == 'a'", sandbox.ReadAnalysis), []int64{5, 15}},
		{config(sandbox.Decoder, "raw", "TRUE"), []int64{7}},
	}
	got := make([][]int64, len(plugins))
	for i, p := range plugins {
		b.start(p.cfg, runner.Oldest, note(b, &got[i]))
	}
	b.feedRaw(7, 8)
	b.begin()
	b.feed(stream.Valid, numbered("a", 11))
	b.feed(stream.Errors, numbered("a", 13))
	b.feed(stream.Derived, numbered("a", 15))
	b.feed(stream.Valid, []byte{0xff, 0xff})
	b.awaitRead()
	b.close()
	if n := b.run.Damaged(); n != 1 {
		t.Errorf("%d damaged messages, want 1", n)
	}
	for i, p := range plugins {
		slices.Sort(got[i])
		if !slices.Equal(got[i], p.want) {
			t.Errorf("%s saw %v, want %v", p.cfg.Logger(), got[i], p.want)
		}
		st, _ := b.run.Status(p.cfg.Logger())
		if s := st.Stats; s.Matched != int64(len(p.want)) || s.Seen != 3*int64(len(streamsRead(p.cfg))) && p.cfg.Kind != sandbox.Decoder {
			t.Errorf("%s: seen %d, matched %d", p.cfg.Logger(), s.Seen, s.Matched)
		}
	}
}

func streamsRead(cfg *sandbox.Config) []string {
	switch {
	case cfg.Kind == sandbox.Analysis || cfg.ReadQueue == sandbox.ReadInput:
		return []string{stream.Valid, stream.Errors}
	case cfg.ReadQueue == sandbox.ReadAnalysis:
		return []string{stream.Derived}
	}
	return []string{stream.Valid, stream.Errors, stream.Derived}
}

func TestDecodersMessagesGoByType(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	types := []string{"telemetry", "error", "duplicate", "x.error", "x.duplicate", "terror", "error.x"}
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, func() *script {
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			emit(numbered(types[number(v)], number(v)))
			return sandbox.Result{}
		}}
	})
	b.begin()
	b.feedRaw(0, int64(len(types)))
	b.awaitMessages(stream.Valid, 3)
	b.awaitMessages(stream.Errors, 4)
	same(t, "valid", b.numbers(stream.Valid), map[int64]int{0: 1, 5: 1, 6: 1})
	same(t, "errors", b.numbers(stream.Errors), map[int64]int{1: 1, 2: 1, 3: 1, 4: 1})
	b.close()
}

// Whatever a decoder does with a submission, exactly one of its two outcomes is on a stream.
func TestDecoderFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	loaded, closed := 0, 0
	b.start(config(sandbox.Decoder, "d", "Fields[n] < 100"), runner.Oldest, func() *script {
		loaded++
		return &script{closed: func() { closed++ }, process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			n := number(v)
			switch n {
			case 3: // fails after it has made something
				emit(numbered("telemetry", n))
				return sandbox.Result{Outcome: sandbox.RuntimeError, Line: 9, Text: "nil value", Fuel: 1}
			case 5:
				return sandbox.Result{Outcome: sandbox.MemoryExceeded, Text: "too much", Fuel: 1}
			case 7: // refuses and says nothing
				return sandbox.Result{Status: -1, Text: "no idea", Fuel: 1}
			case 8: // refuses and says why
				emit(numbered("error", n))
				return sandbox.Result{Status: -1, Fuel: 1}
			case 9:
				return sandbox.Result{Fuel: 1} // wants it gone, as it may
			}
			emit(numbered("telemetry", n))
			return sandbox.Result{Fuel: 1}
		}}
	})
	var secret message.Builder
	secret.SetUUID(make([]byte, 16))
	secret.SetHeader(message.Type, "raw")
	secret.SetHeader(message.Hostname, "edge")
	secret.AddInt("n", "", 100)
	secret.AddString("remote_addr", "", "192.0.2.1")
	secret.AddString("X-Forwarded-For", "", "192.0.2.2")
	secret.AddBytes("content", "", []byte("{}"))
	b.feedRaw(0, 20)
	if _, err := b.store.Log(stream.Raw).Append(t.Context(), secret.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	b.begin()
	b.awaitMessages(stream.Valid, 15)
	b.awaitMessages(stream.Errors, 5)
	valid := once(0, 20)
	for _, n := range []int64{3, 5, 7, 8, 9} {
		delete(valid, n)
	}
	same(t, "valid", b.numbers(stream.Valid), valid)
	why := map[int64]string{}
	for _, v := range b.read(stream.Errors) {
		why[number(&v)] = strings.TrimSpace(header(&v, message.Type) + " " + field(&v, "DecodeErrorType") + " " + field(&v, "DecodeError"))
		if number(&v) == 100 && (field(&v, "remote_addr")+field(&v, "X-Forwarded-For") != "" || field(&v, "content") != "{}" || header(&v, message.Hostname) != "edge") {
			t.Errorf("the unclaimed submission became %s", message.AppendJSON(nil, &v))
		}
	}
	want := map[int64]string{3: "error runtime_error nil value", 5: "error memory_exceeded too much", 7: "error failed no idea", 8: "error",
		100: "error skipped no decoder's message_matcher wants this submission"}
	if fmt.Sprint(why) != fmt.Sprint(want) {
		t.Errorf("errors: %v\nwant    %v", why, want)
	}
	st, _ := b.run.Status("decoder.d")
	if s := st.Stats; st.State != runner.Running || s.Matched != 20 || s.Failed != 2 || s.Fuel != 20 || s.Injected != 19 || s.LastError != "no idea" ||
		s.Outcomes["ok"] != 18 || s.Outcomes["runtime_error"] != 1 || s.Outcomes["memory_exceeded"] != 1 {
		t.Errorf("status: %+v", st)
	}
	b.close()
	if loaded != 2 || closed != 2 {
		t.Errorf("the decoder was loaded %d times and closed %d times, want 2: it had too much memory once", loaded, closed)
	}
}

// A decoder that ends itself gets the message again that it ended on, and nothing else twice.
func TestDecoderEndsAndStartsAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	ends := true
	d := func() *script {
		ended := !ends
		ends = false
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			emit(numbered("telemetry", number(v)))
			if number(v) == 20 && !ended {
				return sandbox.Result{Outcome: sandbox.TerminatedByPlugin, Status: 1, Text: "enough"}
			}
			return sandbox.Result{}
		}}
	}
	b.feedRaw(0, 40)
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, d)
	b.begin()
	b.await("the end", func() bool { st, _ := b.run.Status("decoder.d"); return st.State == runner.Terminated })
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Newest, d)
	b.awaitMessages(stream.Valid, 40)
	b.awaitRead()
	b.close()
	same(t, "valid", b.numbers(stream.Valid), once(0, 40))
	same(t, "errors", b.numbers(stream.Errors), nil)
}

// Submissions wait for a decoder that is known but does not run, and a new one takes over at a clean edge.
func TestDecodersClaimExactly(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	held := config(sandbox.Decoder, "held", "Fields[n] < 100")
	if err := b.run.Hold(held); err != nil {
		t.Fatal(err)
	}
	if err := b.run.Hold(config(sandbox.Decoder, "bad", "Type ==")); err == nil {
		t.Error("a matcher that cannot be parsed is held")
	}
	b.feedRaw(90, 110)
	b.begin()
	b.awaitMessages(stream.Errors, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := int64(110); n < 1110; n += 10 {
			b.feedRaw(n, n+10)
		}
	}()
	b.start(config(sandbox.Decoder, "late", "Fields[n] >= 100"), runner.Newest, pass("telemetry"))
	<-done
	b.start(held, runner.Oldest, pass("telemetry"))
	b.await("all messages", func() bool {
		return b.store.Log(stream.Errors).Stats().Messages+b.store.Log(stream.Valid).Stats().Messages >= 1020
	})
	b.awaitRead()
	b.close()
	all := b.numbers(stream.Valid)
	for n, k := range b.numbers(stream.Errors) {
		all[n] += k
		if n < 100 {
			t.Errorf("%d went to errors although its decoder is known", n)
		}
	}
	same(t, "valid and errors", all, once(90, 1110))
}

// What was there before a new decoder is not its own, even when nobody has looked at it yet.
func TestNewDecoderClaimsNothingOld(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.feedRaw(0, 10)
	b.start(config(sandbox.Decoder, "new", "TRUE"), runner.Newest, pass("telemetry"))
	b.begin()
	b.feedRaw(10, 20)
	b.awaitMessages(stream.Valid, 10)
	b.awaitMessages(stream.Errors, 10)
	b.close()
	same(t, "valid", b.numbers(stream.Valid), once(10, 20))
	same(t, "errors", b.numbers(stream.Errors), once(0, 10))
}

func TestOthersLoseNothingWhenOneEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	for i := range 5 {
		b.start(config(sandbox.Analysis, fmt.Sprint("bad", i), "TRUE"), runner.Oldest, func() *script {
			return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
				if number(v) == int64(100*i+50) {
					return sandbox.Result{Outcome: sandbox.InjectExceeded, Line: i + 1, Text: "inject limit", Trace: "stack"}
				}
				return sandbox.Result{}
			}}
		})
	}
	b.start(config(sandbox.Analysis, "good", "TRUE"), runner.Oldest, pass("good"))
	b.begin()
	for n := int64(0); n < 2000; n += 20 {
		var msgs [][]byte
		for m := n; m < n+20; m++ {
			msgs = append(msgs, numbered("x", m))
		}
		b.feed(stream.Valid, msgs...)
	}
	b.awaitMessages(stream.Derived, 2000)
	for i := range 5 {
		name := fmt.Sprint("analysis.bad", i)
		b.await("the end of "+name, func() bool { st, _ := b.run.Status(name); return st.State == runner.Terminated })
		st, _ := b.run.Status(name)
		if st.Outcome != "inject_exceeded" || st.Line != i+1 || st.Reason != "inject limit" || st.Stats.Matched != int64(100*i+51) {
			t.Errorf("%s: %+v", name, st)
		}
		if log := b.run.Logs(name); len(log) != 2 || !strings.Contains(log[0].Text, "inject limit") || log[1].Text != "stack" {
			t.Errorf("%s: log %v", name, log)
		}
	}
	b.close()
	same(t, "derived", b.numbers(stream.Derived), once(0, 2000))
	if len(b.ends) != 5 {
		t.Errorf("OnEnd heard of %d endings before Close returned, want 5", len(b.ends))
	}
	readers := b.store.Readers()
	if _, left := readers["analysis.bad0"]; left {
		t.Error("an analysis plugin that ended holds back trimming")
	}
}

func TestLogKeepsTheNewest(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	var s *script
	b.start(config(sandbox.Analysis, "talks", "TRUE"), runner.Oldest, func() *script { s = &script{}; return s })
	for n := range 1000 {
		s.env.Log(fmt.Sprint(n))
	}
	lines := b.run.Logs("analysis.talks")
	if len(lines) != 200 || lines[0].Text != "800" || lines[199].Text != "999" {
		t.Errorf("%d lines from %q to %q", len(lines), lines[0].Text, lines[len(lines)-1].Text)
	}
	s.env.Log(strings.Repeat("é", 100_000))
	if lines = b.run.Logs("analysis.talks"); len(lines[199].Text) > 2100 || !strings.HasSuffix(lines[199].Text, "é…") {
		t.Errorf("a long line has %d bytes", len(lines[199].Text))
	}
	if b.run.Logs("analysis.other") != nil {
		t.Error("a plugin that is not there has a log")
	}
	b.close()
}

// TestOfTheHost: a plugin that reads what the host says of itself gets nothing else, neither what it makes itself nor what has another Logger.
func TestOfTheHost(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	from := func(logger string, n int64) []byte {
		var m message.Builder
		m.SetUUID(make([]byte, 16))
		m.SetHeader(message.Type, "a")
		m.SetHeader(message.Logger, logger)
		m.AddInt("n", "", n)
		return m.AppendTo(nil)
	}
	b.feed(stream.Valid, from("host.report", 1))
	b.feed(stream.Derived, from("host.report", 2), from("analysis.other", 3), from("", 4), from("hostile.x", 5), from("host.plugins", 6))
	cfg := config(sandbox.Analysis, "watch", "Type == 'a' || Type == 'b'")
	cfg.ReadQueue = sandbox.ReadHost
	var mu sync.Mutex
	var seen []int64
	b.start(cfg, runner.Oldest, func() *script {
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			mu.Lock()
			seen = append(seen, number(v))
			mu.Unlock()
			if err := emit(from("analysis.watch", 100)); err != nil {
				return sandbox.Result{Outcome: sandbox.OutputExceeded, Text: err.Error()}
			}
			return sandbox.Result{}
		}}
	})
	b.begin()
	b.await("what it made", func() bool { return b.numbers(stream.Derived)[100] == 2 })
	b.feed(stream.Derived, from("host.report", 7))
	b.await("one more", func() bool { return b.numbers(stream.Derived)[100] == 3 })
	b.shut()
	if !slices.Equal(seen, []int64{2, 6, 7}) {
		t.Errorf("it saw %v", seen)
	}
}
