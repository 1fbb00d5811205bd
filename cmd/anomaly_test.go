package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/anomaly/judge"
)

// TestAnomalyScore: a corpus in Numenta's form is scored with detectors of one's own choice, for people and for programs.
func TestAnomalyScore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	windows := map[string][][2]string{}
	for i, l := range judge.Corpus(2, 3) {
		var b strings.Builder
		b.WriteString("timestamp,value\n")
		at := func(i int) string {
			return time.Unix(1_700_000_000+int64(i)*l.Series.Step, 0).UTC().Format(time.DateTime)
		}
		for i, v := range l.Series.Values {
			fmt.Fprintf(&b, "%s,%v\n", at(i), v)
		}
		name := fmt.Sprintf("made/series%d.csv", i)
		write("data/"+name, b.String())
		for _, e := range l.Events {
			if !e.Fine {
				windows[name] = append(windows[name], [2]string{at(e.From), at(e.To - 1)})
			}
		}
	}
	text, err := json.Marshal(windows)
	if err != nil {
		t.Fatal(err)
	}
	write("labels/combined_windows.json", string(text))
	run := func(args ...string) (string, int) {
		var out, errs bytes.Buffer
		code := Main(append([]string{"anomaly"}, args...), &out, &errs)
		return out.String() + errs.String(), code
	}
	said, code := run("score", dir, "--method", "seasonal", "--method", "deadman factor=3", "--json")
	var reports []numentaReport
	if err := json.Unmarshal([]byte(said), &reports); err != nil || code != 0 || len(reports) != 2 {
		t.Fatalf("%d %v %s", code, err, said)
	}
	if s := reports[0]; s.Method != "seasonal" || s.Total.Windows == 0 || s.Total.Found < s.Total.Windows/2 || s.Total.Score < 40 || s.Folders["made"] != s.Total && s.Folders["made"].Score != s.Total.Score {
		t.Errorf("%+v", s)
	}
	if said, code := run("score", dir, "--method", "seasonal"); code != 0 || !strings.Contains(said, "2 series") || !strings.Contains(said, "made ") {
		t.Errorf("%d %s", code, said)
	}
	if said, code := run("score", dir, "--method", "magic"); code != 1 || !strings.Contains(said, "there are change_point") {
		t.Errorf("%d %s", code, said)
	}
	if said, code := run("score", t.TempDir()); code != 1 || !strings.Contains(said, "combined_windows.json") {
		t.Errorf("%d %s", code, said)
	}
	if said, code := run("list"); code != 0 || !strings.Contains(said, "seasonal") || !strings.Contains(said, "standard deviations") {
		t.Errorf("%d %s", code, said)
	}
}
