package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"sandbar/sandbox/anomaly"
	"sandbar/sandbox/anomaly/judge"
)

type anomalyCmd struct {
	Score anomalyScoreCmd `cmd:"" help:"Say how good detectors are on a corpus in the form of the Numenta Anomaly Benchmark."`
	List  anomalyListCmd  `cmd:"" help:"List detectors with their settings."`
}

type anomalyListCmd struct{}

// Run lists the detectors.
func (c *anomalyListCmd) Run(con console) error {
	for _, m := range anomaly.Methods() {
		fmt.Fprintf(con.out, "%-18s %s\n", m.Name, m.About)
		for _, s := range m.Settings {
			fmt.Fprintf(con.out, "    %-12s %-8v %v to %v: %s\n", s.Name, s.Default, s.Low, s.High, s.About)
		}
	}
	return nil
}

type anomalyScoreCmd struct {
	Dir    string   `arg:"" type:"existingdir" help:"A folder with data/**/*.csv (timestamp,value) and labels/combined_windows.json."`
	Method []string `placeholder:"METHOD" help:"A detector with its settings, like 'ewma far=5'; may be given again. Default: all, with their defaults." sep:"none"`
	JSON   bool     `name:"json" help:"Print JSON."`
}

// numentaReport is what a detector got, by the folder of the series, and of all.
type numentaReport struct {
	Method  string                        `json:"method"`
	Total   judge.NumentaScore            `json:"total"`
	Folders map[string]judge.NumentaScore `json:"folders"`
}

// Run scores detectors on a corpus.
func (c *anomalyScoreCmd) Run(ctx context.Context, con console) error {
	corpus, err := judge.Numenta(os.DirFS(c.Dir))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Dir, err)
	}
	methods := c.Method
	if len(methods) == 0 {
		for _, m := range anomaly.Methods() {
			methods = append(methods, m.Name)
		}
	}
	detectors := make([]anomaly.Detector, len(methods))
	for i, m := range methods {
		if detectors[i], err = anomaly.Parse(m); err != nil {
			return err
		}
	}
	reports := make([]numentaReport, 0, len(methods))
	if !c.JSON {
		fmt.Fprintf(con.out, "%d series. Score: 100 is perfect, 0 what tells nothing gets.\n%-28s %8s %10s %8s\n", len(corpus), "method", "score", "found", "false")
	}
	for i, d := range detectors {
		r := numentaReport{Method: methods[i], Folders: map[string]judge.NumentaScore{}}
		for k := range corpus {
			if err := ctx.Err(); err != nil {
				return err
			}
			s := judge.ScoreNumenta(d, &corpus[k])
			r.Total.Add(s)
			folder := path.Dir(corpus[k].Name)
			of := r.Folders[folder]
			of.Add(s)
			r.Folders[folder] = of
		}
		reports = append(reports, r)
		if !c.JSON {
			fmt.Fprintln(con.out, r.line(r.Method, r.Total))
		}
	}
	if c.JSON {
		out := json.NewEncoder(con.out)
		out.SetIndent("", "  ")
		return out.Encode(reports)
	}
	best := slices.MaxFunc(reports, func(a, b numentaReport) int { return cmp.Compare(a.Total.Score, b.Total.Score) })
	fmt.Fprintf(con.out, "\n%s by folder:\n", strings.Fields(best.Method)[0])
	for _, folder := range slices.Sorted(maps.Keys(best.Folders)) {
		fmt.Fprintln(con.out, best.line(folder, best.Folders[folder]))
	}
	return nil
}

func (r *numentaReport) line(name string, s judge.NumentaScore) string {
	return fmt.Sprintf("%-28s %8.1f %4d of %3d %8d", name, s.Score, s.Found, s.Windows, s.False)
}
