package plugins

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/anomaly/judge"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
)

// watching is the watch plugin with a config of the test's own, and what it told.
type watching struct {
	*running
	told  []string // "ID: summary"
	ended []string // IDs
}

func watch(t testing.TB, config string) *watching {
	t.Helper()
	defs, err := Read(Shipped())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(defs, func(d Definition) bool { return d.Logger() == "analysis.watch_volume" })
	cfg, err := lua.ParseConfig(sandbox.Analysis, "watch_test", []byte(`message_matcher = "TRUE" ticker_interval = 5 preserve_data = true hierarchy = {"Fields[docType]"} what = "Volume"
		memory_limit = 16 * 1024 * 1024 timer_event_inject_limit = 100 output_limit = 256 * 1024 alert = {throttle = 0, modules = {page = {}}} `+config))
	if err != nil {
		t.Fatal(err)
	}
	w := &watching{running: &running{t: t, now: time.Unix(1_700_000_000, 0)}}
	w.Plugin, err = lua.Load(cfg, defs[i].Source, sandbox.Env{Hostname: "host", Pid: 1, Seed: 1, Now: func() time.Time { return w.now },
		Emit: func(b []byte) error {
			var v message.View
			err := v.Parse(append([]byte(nil), b...))
			w.made = append(w.made, v)
			return err
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// number gives the plugin a message with a number that stands for n of a document type.
func (w *watching) number(docType string, at int64, n float64) {
	w.t.Helper()
	var b message.Builder
	b.SetTimestamp(at * 1e9)
	b.SetHeader(message.Type, "validated")
	b.AddString("docType", "", docType)
	b.AddDouble("n", "", n)
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		w.t.Fatal(err)
	}
	if res := w.Process(&v); res.Outcome != sandbox.OK {
		w.t.Fatalf("%v line %d %s", res.Outcome, res.Line, res.Text)
	}
}

// time lets the timer run and returns the alerts of it.
func (w *watching) time(at int64) (told []string) {
	w.t.Helper()
	w.tick(at)
	for i := range w.made {
		v := &w.made[i]
		typ, _ := v.Header(message.Type)
		switch string(typ) {
		case "alert.over":
			w.ended = append(w.ended, fmt.Sprint(get(v, "id")))
		case "alert":
			told = append(told, fmt.Sprintf("%v: %v", get(v, "id"), get(v, "summary")))
		}
	}
	w.told = append(w.told, told...)
	return told
}

// graph is the payload of a name that the last timer sent; "" when there was none.
func (w *watching) graph(name string) string {
	for i := range w.made {
		if v := &w.made[i]; fmt.Sprint(get(v, "payload_name")) == name {
			p, _ := v.Header(message.Payload)
			return string(p)
		}
	}
	return ""
}

const watchBegin = 1_699_999_800 // a whole number of windows and rows

// TestWatchWindows: a value that falls among others is told within half a minute, in its direction, and nothing else is.
func TestWatchWindows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config string
		see    func(w *watching, kind string, at int64, odd bool)
		want   string
	}{
		"volume falls": {"", func(w *watching, kind string, at int64, odd bool) {
			n := 40
			if odd {
				n = 6
			}
			for range n {
				w.see(kind, "validated", at, 10)
			}
		}, "one: Volume of one is low"},
		"size grows": {`measure = "mean" field = "size" what = "Size"`, func(w *watching, kind string, at int64, odd bool) {
			for i := range 40 {
				size := 500 + 50*(i%5)
				if odd {
					size *= 4
				}
				w.see(kind, "validated", at, size)
			}
		}, "one: Size of one is high"},
		"errors": {`measure = "share" types = {"error"} what = "Refused"`, func(w *watching, kind string, at int64, odd bool) {
			for i := range 40 {
				typ := "validated"
				if i == 0 || odd && i < 10 {
					typ = "error"
				}
				w.see(kind, typ, at, 10)
			}
		}, "one: Refused of one is high"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watch(t, c.config)
			const odd = watchBegin + 187
			for at := int64(watchBegin); at <= odd+100; at++ {
				for _, kind := range []string{"one", "two", "three", "four"} {
					c.see(w, kind, at, kind == "one" && at >= odd && at < odd+50)
				}
				if at%5 != 0 {
					continue
				}
				for _, said := range w.time(at) {
					if at < odd || said != c.want && !strings.HasPrefix(said, "all: ") {
						t.Errorf("%d s after it began: %s", at-odd, said)
					}
				}
				if at == odd+100 && len(w.ended) == 0 {
					t.Error("it never says that it is over")
				}
				if shown := w.graph("one"); at < odd && shown != "" || at == odd+40 && !strings.Contains(shown, `"name":"low"`) || at == odd+100 && shown != "" {
					t.Errorf("%d s after it began its graph is %.200q", at-odd, shown)
				}
				if at == odd+35 && !slices.Contains(w.told, c.want) {
					t.Errorf("35 s after it began there are %v", w.told)
				}
			}
		})
	}
}

// TestWatchMany: more values than there is room for are watched together; the graph has as many as it shows.
func TestWatchMany(t *testing.T) {
	t.Parallel()
	w := watch(t, "max_values = 5 max_shown = 3")
	for i := range 50 {
		w.see(fmt.Sprint("kind", i), "validated", watchBegin, 10)
	}
	g, _ := w.tick(watchBegin + 25)
	names := ""
	for _, c := range g.Info {
		names += " " + c.Name
	}
	if names != " kind0 kind1 kind2" {
		t.Errorf("the graph has%s", names)
	}
	state, err := w.Snapshot()
	if err != nil || !strings.Contains(string(state), "others") || strings.Contains(string(state), "kind40") {
		t.Errorf("%d bytes of state, %v", len(state), err)
	}
}

// TestWatchTimes: what is new is told after a day of learning, with enough messages; a rare one that falls silent is told; a restart forgets nothing; while the plugin is behind,
// nothing is taken for silence.
func TestWatchTimes(t *testing.T) {
	t.Parallel()
	w := watch(t, "tell_new = true silence = true")
	const hours = 24 * 16
	for h := int64(0); h < hours; h++ {
		for m := int64(0); m < 6; m++ {
			at := watchBegin + h*3600 + m*600
			for range 30 {
				w.see("usual", "validated", at, 10)
			}
			if m == 0 && h < 24*15 {
				w.see("hourly", "validated", at, 10)
			}
			if h >= 30 && h < 34 { // 24 messages
				w.see("late", "validated", at, 10)
			}
			w.time(at + 30)
		}
		if h == 200 { // restart
			state, err := w.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			again := watch(t, "tell_new = true silence = true")
			if err := again.Restore(state); err != nil {
				t.Fatal(err)
			}
			again.told, w = w.told, again
		}
	}
	told := map[string]int{}
	for _, said := range w.told {
		told[said]++
	}
	if told["new late: Volume of late is new"] != 1 || told["hourly: Volume of hourly is low"] == 0 {
		t.Errorf("%v", told)
	}
	for said := range told {
		if strings.HasPrefix(said, "new hourly") || strings.HasPrefix(said, "new usual") || strings.HasPrefix(said, "usual") {
			t.Errorf("%s", said)
		}
	}

	// An hour behind, reading on: no time passes but that of what is read.
	before := len(w.told)
	for i := range int64(60) {
		at := int64(watchBegin + hours*3600 + i)
		w.see("usual", "validated", at, 10)
		w.time(at + 7*24*3600)
	}
	for _, said := range w.told[before:] {
		if !strings.HasPrefix(said, "hourly: ") {
			t.Errorf("behind by a week it tells %s", said)
		}
	}
}

// TestWatchSilence: what falls silent is told, and that it is back, also where numbers are not judged.
func TestWatchSilence(t *testing.T) {
	t.Parallel()
	w := watch(t, "silence = true levels = false")
	for m := int64(0); m < 6*24*2; m++ {
		at := watchBegin + m*600
		w.see("usual", "validated", at, 10)
		if m%3 == 0 && (m < 100 || m >= 200) {
			w.see("other", "validated", at, 10)
		}
		if w.time(at + 30); m == 150 && (len(w.told) == 0 || len(w.ended) > 0) {
			t.Errorf("silent for 50 rows: told %v, over %v", w.told, w.ended)
		}
	}
	if len(w.ended) != 1 || w.ended[0] != "other" || slices.ContainsFunc(w.told, func(s string) bool { return !strings.HasPrefix(s, "other: ") }) {
		t.Errorf("told %v, over %v", w.told, w.ended)
	}
}

// TestWatchIsJudged: the plugin itself, with its default settings, on the labelled corpus: 240 series, or a few where the race detector makes everything slow. What changes slowly is told by itself.
func TestWatchIsJudged(t *testing.T) {
	t.Parallel()
	n, each := 240, 40
	if race {
		n, each = 4, 4
	}
	corpus := judge.Corpus(n, 1)
	total := map[string]*judge.Score{}
	scores := make(chan map[string]*judge.Score, n)
	for from := 0; from < n; from += each {
		go func() {
			part := corpus[from:min(n, from+each)]
			w := watch(t, `measure = "sum" field = "Fields[n]" max_values = 50`)
			alarms, slow := make([][]bool, len(part)), make([][]bool, len(part))
			for k := range part {
				alarms[k], slow[k] = make([]bool, len(part[k].Series.Values)), make([]bool, len(part[k].Series.Values))
			}
			for i := range part[0].Series.Values {
				at := watchBegin + int64(i)*600
				for k := range part {
					w.number(fmt.Sprint(k), at, part[k].Series.Values[i])
				}
				w.number("clock", at+612, 1) // the row is over
				for _, said := range w.time(at + 615) {
					id, _, _ := strings.Cut(said, ":")
					name, slowly := strings.CutSuffix(id, " slowly")
					if k, err := strconv.Atoi(name); err == nil && slowly {
						slow[k][i] = true
					} else if err == nil {
						alarms[k][i] = true
					}
				}
			}
			for k := range part {
				score := judge.Alarms(alarms[k], &part[k])
				for kind, also := range judge.Alarms(slow[k], &part[k]) { // what else is told, and what of drifts
					if score[kind] == nil {
						score[kind] = &judge.Score{}
					}
					if kind == judge.Drift {
						*score[kind] = *also
						continue
					}
					score[kind].Alarms += also.Alarms
					score[kind].False += also.False
				}
				scores <- score
			}
		}()
	}
	for range n {
		for kind, s := range <-scores {
			if total[kind] == nil {
				total[kind] = &judge.Score{}
			}
			total[kind].Add(s)
		}
	}
	for _, kind := range []string{"", judge.Outage, judge.Shift, judge.Spike, judge.Drift} {
		s := total[kind]
		t.Logf("%-8s precision %.3f, recall %.3f of %d, delay %d at p90", kind, s.Precision(), s.Recall(), s.Events, s.Delay(0.9))
		if (kind == judge.Outage || kind == judge.Shift) && !race && (s.Recall() < 0.9 || s.Delay(0.9) >= 5) {
			t.Errorf("%s: recall %.3f, delay %d", kind, s.Recall(), s.Delay(0.9))
		}
	}
	if total[""].Precision() < 0.95 && !race {
		t.Errorf("precision %.3f, %d false", total[""].Precision(), total[""].False)
	}
}

// FuzzWatch: whatever fields hold, the plugin goes on.
func FuzzWatch(f *testing.F) {
	f.Add("main", 1.5, int64(1_700_000_000))
	f.Add("", math.Inf(1), int64(-5))
	f.Add(strings.Repeat("x", 2000), math.NaN(), int64(1)<<32)
	f.Fuzz(func(t *testing.T, docType string, n float64, at int64) {
		w := watch(t, `measure = "mean" field = "Fields[n]" max_values = 3`)
		at = max(0, min(at, 1<<32))
		r := rand.New(rand.NewPCG(1, uint64(at)))
		for range 40 {
			w.number(docType, at, n*r.Float64())
			at += r.Int64N(100)
			if r.IntN(5) == 0 {
				w.tick(at)
			}
		}
	})
}
