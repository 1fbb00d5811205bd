package judge

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"sandbar/sandbox/anomaly"
)

// Bounds of what is read.
const (
	maxNumentaFile   = 64 << 20 // bytes
	maxNumentaValues = 1 << 20  // of a series, with those that are not there
	maxNumentaFiles  = 10_000
)

// Numenta reads a corpus in the form of the Numenta Anomaly Benchmark: data/**/*.csv with columns timestamp and value, and labels/combined_windows.json with the windows of anomalies of each file.
// Values are put at equal steps, which are the median of those in the file.
func Numenta(root fs.FS) ([]Labelled, error) {
	text, err := readBounded(root, "labels/combined_windows.json")
	if err != nil {
		return nil, fmt.Errorf("read the windows: %w", err)
	}
	var windows map[string][][2]string
	if err := json.Unmarshal(text, &windows); err != nil {
		return nil, fmt.Errorf("read the windows: labels/combined_windows.json: %w", err)
	}
	var all []Labelled
	err = fs.WalkDir(root, "data", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".csv" {
			return err
		}
		if len(all) == maxNumentaFiles {
			return fmt.Errorf("more than %d series", maxNumentaFiles)
		}
		label := strings.TrimPrefix(name, "data/")
		text, err := readBounded(root, name)
		if err != nil {
			return err
		}
		l, err := numentaSeries(label, string(text), windows[label])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, l)
		return nil
	})
	if err == nil && len(all) == 0 {
		err = errors.New("there is no .csv under data")
	}
	if err != nil {
		return nil, fmt.Errorf("read the series: %w", err)
	}
	return all, nil
}

func readBounded(root fs.FS, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNumentaFile+1))
	if err == nil && len(text) > maxNumentaFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxNumentaFile)
	}
	return text, err
}

// parseTime reads a time as Numenta's files have it, with parts of a second or without.
func parseTime(text string) (int64, error) {
	t, err := time.Parse("2006-01-02 15:04:05.999999999", strings.Replace(strings.TrimSpace(text), "T", " ", 1))
	return t.Unix(), err
}

type numentaValue struct {
	at int64
	v  float64
}

func numentaSeries(name, text string, windows [][2]string) (Labelled, error) {
	values, err := numentaValues(text)
	if err != nil {
		return Labelled{}, err
	}
	step, begin := medianStep(values), values[0].at
	n := (values[len(values)-1].at-begin)/step + 1
	if n > maxNumentaValues {
		return Labelled{}, fmt.Errorf("%d values of %d s; %d are allowed", n, step, maxNumentaValues)
	}
	l := Labelled{Name: name, Series: anomaly.Series{Step: step, Values: make([]float64, n)}}
	for i := range l.Series.Values {
		l.Series.Values[i] = math.NaN()
	}
	for _, v := range values {
		l.Series.Values[(v.at-begin)/step] = v.v
	}
	for _, w := range windows {
		from, err := parseTime(w[0])
		to, err2 := parseTime(w[1])
		if err := errors.Join(err, err2); err != nil {
			return Labelled{}, fmt.Errorf("window: %w", err)
		}
		a, b := (from-begin)/step, (to-begin)/step+1
		if a < 0 || b > n || a >= b {
			return Labelled{}, fmt.Errorf("window %s to %s is not within the series", w[0], w[1])
		}
		l.Events = append(l.Events, Event{Kind: "anomaly", From: int(a), To: int(b)})
	}
	slices.SortFunc(l.Events, func(a, b Event) int { return a.From - b.From })
	return l, nil
}

func numentaValues(text string) (values []numentaValue, err error) {
	r := csv.NewReader(bufio.NewReader(strings.NewReader(text)))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	if _, err := r.Read(); err != nil { // names of the columns
		return nil, err
	}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if len(row) < 2 {
			return nil, fmt.Errorf("line %d: there are not two columns, timestamp and value", line)
		}
		at, err := parseTime(row[0])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(row[1]), 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		values = append(values, numentaValue{at, v})
	}
	if len(values) < 2 {
		return nil, errors.New("there are fewer than two values")
	}
	slices.SortStableFunc(values, func(a, b numentaValue) int { // clocks are set back in some
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	return values, nil
}

func medianStep(values []numentaValue) int64 {
	steps := make([]int64, 0, len(values)-1)
	for i := range values[1:] {
		steps = append(steps, values[i+1].at-values[i].at)
	}
	slices.Sort(steps)
	return max(1, steps[len(steps)/2])
}

// NumentaScore is what the benchmark counts of one series or of many.
type NumentaScore struct {
	Values  int     `json:"values"`
	Windows int     `json:"windows"`
	Found   int     `json:"found"`
	False   int     `json:"false"` // values outside of windows that were told
	Score   float64 `json:"score"` // 100 is perfect, 0 what tells nothing gets; profile "standard"
	raw     float64
}

// falseWeight is how much worse a value that is told wrongly is than a window that is found is good, in the profile "standard".
const falseWeight = 0.11

// scaledSigmoid is what a position relative to a window is worth: -1 is its begin, 0 its end (Lavin and Ahmad 2015, section III).
func scaledSigmoid(position float64) float64 {
	if position > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*position)) - 1
}

// ScoreNumenta lets a detector look at every value of a series behind its probation, the first 15 % and 750 values at most. The threshold is the detector's own; the benchmark's own figures are for the best one.
func ScoreNumenta(d anomaly.Detector, l *Labelled) NumentaScore {
	out := NumentaScore{Values: len(l.Series.Values), Windows: len(l.Events)}
	probation := min(len(l.Series.Values)*15/100, 750)
	found := make([]bool, len(l.Events))
	for i := probation; i < len(l.Series.Values); i++ {
		if math.IsNaN(l.Series.Values[i]) || !d.Look(&l.Series, i).Unusual() {
			continue
		}
		before := -1 // window
		inside := false
		for k, e := range l.Events {
			if i >= e.From && i < e.To {
				inside = true
				if !found[k] {
					found[k] = true
					out.Found++
					out.raw += scaledSigmoid(-float64(e.To-i)/float64(e.To-e.From)) / scaledSigmoid(-1)
				}
			}
			if e.To <= i {
				before = k
			}
		}
		if inside {
			continue
		}
		out.False++
		worth := -1.0
		if before >= 0 {
			e := l.Events[before]
			worth = scaledSigmoid(float64(i-e.To+1) / math.Max(1, float64(e.To-e.From-1)))
		}
		out.raw += falseWeight * worth
	}
	out.raw -= float64(out.Windows - out.Found)
	out.normalise()
	return out
}

func (s *NumentaScore) normalise() {
	s.Score = 0
	if s.Windows > 0 {
		s.Score = 100 * (s.raw + float64(s.Windows)) / (2 * float64(s.Windows))
	}
}

// Add adds the score of another series.
func (s *NumentaScore) Add(o NumentaScore) {
	s.Values += o.Values
	s.Windows += o.Windows
	s.Found += o.Found
	s.False += o.False
	s.raw += o.raw
	s.normalise()
}
