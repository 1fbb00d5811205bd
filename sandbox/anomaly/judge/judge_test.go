package judge

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"sandbar/sandbox/anomaly"
)

// TestSeasonal: with its default settings the seasonal detector finds outages and level shifts of 240 series soon, and makes little up; also of others than those that
// it was made with (seed 1).
func TestSeasonal(t *testing.T) {
	t.Parallel()
	seeds, n := uint64(3), 240
	if race {
		seeds, n = 1, 40
	}
	for seed := range seeds {
		total := Judge(anomaly.Seasonal{}, Corpus(n, seed+1))
		t.Log("\n" + Table(fmt.Sprint("seasonal, seed ", seed+1), total))
		all := total[""]
		if all.Precision() < 0.95 {
			t.Errorf("precision %.3f", all.Precision())
		}
		for _, kind := range []string{Outage, Shift} {
			if s := total[kind]; !race && (s.Recall() < 0.9 || s.Delay(0.9) >= 5) {
				t.Errorf("%s: recall %.3f, delay %d", kind, s.Recall(), s.Delay(0.9))
			}
		}
	}
}

// TestCorpus: the same seed makes the same series; events are where they are said to be.
func TestCorpus(t *testing.T) {
	t.Parallel()
	a, b := Corpus(20, 7), Corpus(20, 7)
	kinds := map[string]int{}
	for i := range a {
		if fmt.Sprint(a[i].Series.Values[:500]) != fmt.Sprint(b[i].Series.Values[:500]) || len(a[i].Events) == 0 {
			t.Fatal("two corpora of one seed differ")
		}
		for _, e := range a[i].Events {
			kinds[e.Kind]++
			if e.From < 0 || e.To > len(a[i].Series.Values) || e.To <= e.From || !e.Fine && e.From < calm {
				t.Errorf("%+v", e)
			}
			if e.Kind == Outage {
				inside, before := mean(a[i].Series.Values[e.From:e.To]), mean(a[i].Series.Values[e.From-perWeek:e.To-perWeek])
				if inside > 0.7*before {
					t.Errorf("an outage with %.0f instead of %.0f", inside, before)
				}
			}
		}
	}
	if len(kinds) < 5 {
		t.Errorf("kinds %v", kinds)
	}
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

// told is a detector that says what it is told to.
type told map[int]bool

func (told) Work(int64, int) int64 { return 0 }

func (d told) Look(_ *anomaly.Series, i int) anomaly.Verdict {
	if d[i] {
		return anomaly.Verdict{Score: 1}
	}
	return anomaly.Verdict{}
}

// TestJudge: what is found in time, late, made up, and about nothing that is wrong.
func TestJudge(t *testing.T) {
	t.Parallel()
	l := []Labelled{{Series: anomaly.Series{Step: step, Values: make([]float64, 20_000)}, Events: []Event{{Kind: Outage, From: 100, To: 120}, {Kind: Spike, From: 3000, To: 3002}, {Kind: Holiday, From: 6000, To: 6144, Fine: true}, {Kind: Outage, From: 9000, To: 9100}}}}
	d := told{50: true, 52: true, 102: true, 110: true, 3001: true, 6010: true, 9050: true, 15_000: true}
	s := Judge(d, l)[""]
	if s.Events != 3 || s.Found != 2 || s.Late != 1 || s.False != 2 || s.Alarms != 4 || s.Delay(0) != 1 || s.Delay(0.99) != 2 {
		t.Errorf("%+v", s)
	}
	if p, r := s.Precision(), s.Recall(); math.Abs(p-4.0/6) > 1e-9 || math.Abs(r-2.0/3) > 1e-9 {
		t.Errorf("precision %v, recall %v", p, r)
	}
}

// Table is a judgement for people.
func Table(name string, total map[string]*Score) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s precision %.3f, %d false\n", name, total[""].Precision(), total[""].False)
	for _, kind := range []string{Outage, Shift, Spike, Drift} {
		if s := total[kind]; s != nil {
			fmt.Fprintf(&b, "  %-8s recall %.3f of %d (%d late), delay %d, %d\n", kind, s.Recall(), s.Events, s.Late, s.Delay(0.5), s.Delay(0.9))
		}
	}
	return b.String()
}

// BenchmarkMethods prints how good each method is with its defaults, on series with waves of day and week; those that know of no waves are not for these. SANDBAR_JUDGE says how many series are
// looked at; docs/anomaly.md has the figures for 240.
func BenchmarkMethods(b *testing.B) {
	n := 4
	if text := os.Getenv("SANDBAR_JUDGE"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	corpus := Corpus(n, 1)
	values := 0
	for _, l := range corpus {
		values += len(l.Series.Values)
	}
	for _, m := range anomaly.Methods() {
		d, err := anomaly.New(m.Name, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(m.Name, func(b *testing.B) {
			var total map[string]*Score
			for b.Loop() {
				total = Judge(d, corpus)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(values)*float64(runtime.GOMAXPROCS(0)), "ns/value")
			b.ReportMetric(total[""].Precision(), "precision")
			for _, kind := range []string{Outage, Shift, Spike, Drift} {
				if s := total[kind]; s != nil {
					b.ReportMetric(s.Recall(), kind)
					b.ReportMetric(float64(s.Delay(0.9)), kind+"-delay")
				}
			}
		})
	}
}
