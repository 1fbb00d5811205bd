package judge

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"sandbar/sandbox/anomaly"
)

// numentaFiles is a corpus of one series of 1000 values five minutes apart, with two windows.
func numentaFiles(change func(files fstest.MapFS)) fstest.MapFS {
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	for i := range 1000 {
		if i == 321 {
			continue // a value that is not there
		}
		fmt.Fprintf(&b, "2014-04-%02d %02d:%02d:00,%d.5\n", 1+i/288, i%288/12, i%12*5, i%7)
	}
	files := fstest.MapFS{"data/real/one.csv": {Data: []byte(b.String())},
		"labels/combined_windows.json": {Data: []byte(`{"real/one.csv": [["2014-04-03 00:00:00.000000", "2014-04-03 04:00:00.000000"], ["2014-04-02 00:00:00.000000", "2014-04-02 02:00:00.000000"]], "other.csv": []}`)}}
	if change != nil {
		change(files)
	}
	return files
}

func TestNumentaFiles(t *testing.T) {
	t.Parallel()
	all, err := Numenta(numentaFiles(nil))
	if err != nil || len(all) != 1 {
		t.Fatalf("%d series, %v", len(all), err)
	}
	l := all[0]
	if l.Name != "real/one.csv" || l.Series.Step != 300 || len(l.Series.Values) != 1000 || !math.IsNaN(l.Series.Values[321]) || l.Series.Values[8] != 1.5 {
		t.Errorf("%s, %d s, %d values", l.Name, l.Series.Step, len(l.Series.Values))
	}
	if len(l.Events) != 2 || l.Events[0].From != 288 || l.Events[0].To != 313 || l.Events[1].From != 576 {
		t.Errorf("%+v", l.Events)
	}
	for name, c := range map[string]struct {
		change func(files fstest.MapFS)
		want   string
	}{
		"no windows": {func(f fstest.MapFS) { delete(f, "labels/combined_windows.json") }, "combined_windows.json"},
		"no JSON":    {func(f fstest.MapFS) { f["labels/combined_windows.json"].Data = []byte("{") }, "combined_windows.json"},
		"no series":  {func(f fstest.MapFS) { delete(f, "data/real/one.csv"); f["data/x.txt"] = &fstest.MapFile{} }, "no .csv"},
		"one column": {func(f fstest.MapFS) { f["data/real/one.csv"].Data = []byte("timestamp\n2014-04-01 00:00:00\n") }, "line 2"},
		"no number":  {func(f fstest.MapFS) { f["data/real/one.csv"].Data = []byte("t,v\n2014-04-01 00:00:00,x\n") }, "line 2"},
		"no time":    {func(f fstest.MapFS) { f["data/real/one.csv"].Data = []byte("t,v\nyesterday,1\n") }, "line 2"},
		"empty":      {func(f fstest.MapFS) { f["data/real/one.csv"].Data = nil }, "EOF"},
		"one value":  {func(f fstest.MapFS) { f["data/real/one.csv"].Data = []byte("t,v\n2014-04-01 00:00:00,1\n") }, "fewer than two"},
		"thousands of years": {func(f fstest.MapFS) {
			f["data/real/one.csv"].Data = []byte("t,v\n0001-04-01 00:00:00,1\n0001-04-01 00:00:01,1\n0001-04-01 00:00:02,1\n9999-04-01 00:00:00,1\n")
		}, "are allowed"},
		"a window elsewhere": {func(f fstest.MapFS) {
			f["labels/combined_windows.json"].Data = []byte(`{"real/one.csv": [["2019-04-03 00:00:00", "2019-04-03 04:00:00"]]}`)
		}, "not within"},
	} {
		if _, err := Numenta(numentaFiles(c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestNumentaScore: nothing told is 0, all at once 100, late ones are worth less, false ones cost.
func TestNumentaScore(t *testing.T) {
	t.Parallel()
	all, err := Numenta(numentaFiles(nil))
	if err != nil {
		t.Fatal(err)
	}
	score := func(d anomaly.Detector) NumentaScore { return ScoreNumenta(d, &all[0]) }
	if s := score(told{}); s.Score != 0 || s.Windows != 2 || s.Found != 0 {
		t.Errorf("nothing told: %+v", s)
	}
	best := score(told{288: true, 576: true, 600: true, 10: true}) // 10 is within the probation
	if math.Abs(best.Score-100) > 1e-9 || best.Found != 2 || best.False != 0 {
		t.Errorf("all told at once: %+v", best)
	}
	late := score(told{300: true, 620: true})
	if late.Found != 2 || late.Score >= best.Score || late.Score < 50 {
		t.Errorf("late: %+v", late)
	}
	wrong := score(told{288: true, 576: true, 200: true, 320: true, 900: true})
	if want := 100 - 100*falseWeight*(1-scaledSigmoid(8.0/24)+1)/4; wrong.False != 3 || math.Abs(wrong.Score-want) > 1e-9 {
		t.Errorf("false ones: %+v, want %v", wrong, want)
	}
	both := best
	both.Add(score(told{}))
	if both.Windows != 4 || math.Abs(both.Score-50) > 1e-9 {
		t.Errorf("added: %+v", both)
	}
}

// FuzzNumenta: whatever the files hold, they are read or refused.
func FuzzNumenta(f *testing.F) {
	files := numentaFiles(nil)
	f.Add(files["data/real/one.csv"].Data[:200], files["labels/combined_windows.json"].Data)
	f.Add([]byte("t,v\n\"2014-04-01 00:00:00\",1e999\n2014-04-01 00:00:00,NaN"), []byte(`{"real/one.csv":[["2014-04-01 00:00:00","2014-04-01 00:00:00"]]}`))
	f.Fuzz(func(t *testing.T, series, windows []byte) {
		all, err := Numenta(fstest.MapFS{"data/real/one.csv": {Data: series}, "labels/combined_windows.json": {Data: windows}})
		if err != nil {
			return
		}
		for _, e := range all[0].Events {
			if e.From < 0 || e.To > len(all[0].Series.Values) || e.From >= e.To {
				t.Errorf("%+v of %d values", e, len(all[0].Series.Values))
			}
		}
		if s := ScoreNumenta(told{1: true}, &all[0]); s.Score > 100+1e-9 {
			t.Errorf("%+v", s)
		}
	})
}
