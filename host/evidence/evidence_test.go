package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/host/alert"
	"sandbar/host/stream"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/message"
)

// bench is a keeper over streams in memory.
type bench struct {
	dir                   string
	derived, valid, other *viewtest.Log
	now                   time.Time
	opt                   Options
}

func newBench(t *testing.T) *bench {
	b := &bench{dir: filepath.Join(t.TempDir(), "evidence"), derived: viewtest.New(100), valid: viewtest.New(3), other: viewtest.New(100), now: time.Unix(1000, 0)}
	b.opt = Options{Now: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler),
		Streams: map[string][]stream.Log{stream.Valid: {b.valid}, stream.Raw: {b.other}}}
	return b
}

// run opens a keeper and lets it read all that there is.
func (b *bench) run(t *testing.T) *Keeper {
	t.Helper()
	k, err := Open(b.dir, []stream.Log{b.derived}, b.opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	b.derived.Put(last(t)) // what is read before it was read before it is looked for
	_, want, _ := alertOf(t, last(t))
	soon, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	for seen := k.version.Now(); ; {
		if _, err := os.Stat(filepath.Join(b.dir, want.Key+suffix)); err == nil {
			break
		}
		if seen, err = k.version.Wait(soon, seen); err != nil {
			t.Fatal("the newest alert was not read within 10 s")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return k
}

func telemetry(text string) []byte {
	var b message.Builder
	b.SetHeader(message.Type, "telemetry")
	b.SetHeader(message.Payload, text)
	return b.AppendTo(nil)
}

func alerting(plugin, id string, places ...string) []byte {
	var b message.Builder
	b.SetHeader(message.Type, message.TypeAlert)
	b.SetHeader(message.Logger, plugin)
	b.AddString(message.FieldAlertID, "", id)
	b.AddString(message.FieldSummary, "", "s")
	b.AddString(message.FieldEvidence, "", places...)
	return b.AppendTo(nil)
}

func last(t *testing.T) []byte { return alerting("analysis.last", t.Name(), "valid/0:0") }

func alertOf(t *testing.T, msg []byte) (v message.View, a alert.Alert, ok bool) {
	t.Helper()
	if err := v.Parse(msg); err != nil {
		t.Fatal(err)
	}
	a, ok = alert.Decode(&v)
	return v, a, ok
}

func told(all []Message) string {
	var out []string
	for _, m := range all {
		var v message.View
		text := m.Missing
		if m.Missing == "" && v.Parse(m.Raw) == nil {
			p, _ := v.Header(message.Payload)
			text = string(p)
		}
		out = append(out, m.Place+" "+text)
	}
	return strings.Join(out, "; ")
}

// TestKeeps: the messages of an alert are there when their stream has them no more, also for the next process.
func TestKeeps(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.opt.MaxMessage = 1000
	var at []string
	for i := range 4 {
		at = append(at, "valid/"+b.valid.End().String())
		b.valid.Put(telemetry(fmt.Sprint("message ", i)))
	}
	at = append(at, "valid/"+b.valid.End().String())
	b.valid.Put(telemetry(strings.Repeat("x", 1000)))
	b.other.Put(telemetry("10.0.0.1"))
	two, odd := alerting("analysis.a", "two", at[1], at[3]), alerting("analysis.a", "odd", at[4], "raw/0:0", at[0])
	none := alerting("analysis.a", "none", "valid/9:9", "no/0:0", "valid/x")
	b.derived.Put(two, odd, none, telemetry("no alert"), []byte("no message"))
	k := b.run(t)
	const (
		wantTwo  = "valid/0:%d message 1; valid/1:0 message 3"
		wantOdd  = "messages of up to 1000 are kept; raw/0:0 messages of stream raw are not kept outside of it; valid/0:0 message 0"
		wantNone = "valid/9:9 it is neither kept nor in its stream any more; no/0:0 there is no stream \"no\"; valid/x stream: position \"x\" is not SEGMENT:OFFSET"
	)
	size := message.FrameSize(len(telemetry("message 0")))
	check := func(k *Keeper) {
		t.Helper()
		for _, c := range []struct {
			msg  []byte
			want string
		}{{two, fmt.Sprintf(wantTwo, size)}, {odd, wantOdd}, {none, wantNone}} {
			if _, a, _ := alertOf(t, c.msg); !strings.HasSuffix(told(k.Messages(a)), c.want) {
				t.Errorf("%s: %s\nwant %s", a.ID, told(k.Messages(a)), c.want)
			}
		}
	}
	check(k)
	b.valid.Drop(5)
	check(k)
	if err := os.WriteFile(filepath.Join(b.dir, "0123.heka.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	k = b.run(t)
	check(k)
	if _, err := os.Stat(filepath.Join(b.dir, "0123.heka.tmp")); err == nil {
		t.Error("what a dead process left is still there")
	}
	// A damaged file, and one that somebody took away.
	_, a, _ := alertOf(t, two)
	if err := os.WriteFile(filepath.Join(b.dir, a.Key+suffix), []byte("\x1e\x02"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := told(k.Messages(a)); !strings.Contains(got, "neither kept nor") {
		t.Errorf("of a damaged file: %s", got)
	}
	if got := k.Messages(alert.Alert{Key: "../../etc/passwd"}); len(got) != 0 {
		t.Errorf("of no alert: %v", got)
	}
}

// TestBounds: files, bytes and what one plugin may have are bounded; the oldest go first.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.opt.MaxFiles, b.opt.Burst = 5, 3
	b.valid.Put(telemetry("message"))
	var all []alert.Alert
	for _, plugin := range []string{"analysis.noisy", "analysis.b", "analysis.c"} {
		for i := range 10 {
			msg := alerting(plugin, fmt.Sprint(i), "valid/0:0")
			b.derived.Put(msg)
			_, a, _ := alertOf(t, msg)
			all = append(all, a)
		}
	}
	k := b.run(t)
	kept := ""
	for _, a := range all {
		if _, err := k.read(a.Key); err == nil {
			kept += a.Logger + a.ID + " "
		}
	}
	if want := "analysis.b2 analysis.c0 analysis.c1 analysis.c2 "; kept != want { // and the last one
		t.Errorf("kept are %s, want %s", kept, want)
	}
	if list, err := os.ReadDir(b.dir); err != nil || len(list) != 6 { // and the place
		t.Errorf("%d files, %v", len(list), err)
	}
	if got := told(k.Messages(all[9])); got != "valid/0:0 message" {
		t.Errorf("what is not kept is read in its stream: %s", got)
	}
	b.now = b.now.Add(2 * time.Second)
	for want := range 3 { // two have come back
		if got := k.may("analysis.noisy"); got != (want < 2) {
			t.Errorf("alert %d after two seconds: %v", want, got)
		}
	}
	b.now = b.now.Add(-time.Hour)
	if k.may("analysis.noisy") {
		t.Error("a clock that went back gave something back")
	}
}
