package promql

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"sandbar/host/history"
	"sandbar/host/series"
	"sandbar/sandbox/cbuf"
)

// fake is two graphs of an hour of minutes that ends at 7200, and no history beyond them.
type fake struct{}

func graphs() []series.Graph {
	make := func(logger, name string, columns ...string) series.Graph {
		d := &cbuf.Data{Time: 3600, Rows: 60, Columns: len(columns), SecondsPerRow: 60}
		for _, c := range columns {
			d.Info = append(d.Info, cbuf.ColumnInfo{Name: c, Unit: "count"})
		}
		for i := range 60 {
			row := []float64{}
			for c := range columns {
				row = append(row, float64(i*(c+1)))
			}
			d.Values = append(d.Values, row)
		}
		d.Values[10][0] = math.NaN()
		return series.Graph{Info: series.Info{Logger: logger, Name: name, Title: name, Type: "cbuf"}, Data: d}
	}
	return []series.Graph{make("analysis.a", "g", "x", "y"), make("analysis.b", "h", "x"), {Info: series.Info{Logger: "analysis.c", Type: "txt"}}}
}

func (fake) List() (all []series.Info) {
	for _, g := range graphs() {
		all = append(all, g.Info)
	}
	return all
}

func (fake) GetType(logger, name, typ string) (series.Graph, bool) {
	for _, g := range graphs() {
		if g.Logger == logger && g.Name == name && g.Type == typ {
			return g, true
		}
	}
	return series.Graph{}, false
}

func (f fake) Range(_ context.Context, logger, name string, from, to int64, points int, _ history.Way) (*cbuf.Data, error) {
	g, _ := f.GetType(logger, name, "cbuf")
	return g.Data, nil
}

func TestQueries(t *testing.T) {
	t.Parallel()
	e := New(fake{}, fake{}, slog.New(slog.DiscardHandler))
	for _, tt := range []struct{ expr, want string }{
		{"1+1", `[7140,"2"]`},
		{`sandbar{column="y"}`, `[{"metric":{"__name__":"sandbar","column":"y","graph":"g","plugin":"analysis.a","unit":"count"},"value":[7140,"118"]}]`},
		{`sum by (plugin) (sandbar)`, `[{"metric":{"plugin":"analysis.a"},"value":[7140,"177"]},{"metric":{"plugin":"analysis.b"},"value":[7140,"59"]}]`},
		{`sandbar{plugin=~".*[.]b"} offset 10m`, `[{"metric":{"__name__":"sandbar","column":"x","graph":"h","plugin":"analysis.b","unit":"count"},"value":[7140,"49"]}]`},
		{`avg_over_time(sandbar{column="x",plugin="analysis.a"}[5m])`, `[{"metric":{"column":"x","graph":"g","plugin":"analysis.a","unit":"count"},"value":[7140,"57"]}]`},
		{`other`, `[]`},
		{`sandbar{plugin="none"}`, `[]`},
	} {
		v, _, err := e.Instant(t.Context(), tt.expr, time.Unix(7140, 0))
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		if got, _ := json.Marshal(v); string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.expr, got, tt.want)
		}
	}
	for _, expr := range []string{"sandbar{", "sum(", "rate(sandbar)"} {
		if _, _, err := e.Instant(t.Context(), expr, time.Unix(7140, 0)); err == nil {
			t.Errorf("%s is taken", expr)
		}
	}
	v, _, err := e.Range(t.Context(), `sandbar{plugin="analysis.a",column="x"}`, time.Unix(4020, 0), time.Unix(4320, 0), time.Minute)
	if got, _ := json.Marshal(v); err != nil || !strings.Contains(string(got), `"values":[[4020,"7"],[4080,"8"],[4140,"9"],[4200,"9"],[4260,"11"],[4320,"12"]]`) {
		t.Errorf("range: %s, %v", got, err)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	e := New(fake{}, fake{}, slog.New(slog.DiscardHandler))
	for text, want := range map[string]int{"": 3, `sandbar{column="x"}`: 2, `{plugin="analysis.a"}`: 2, `other`: 0} {
		var texts []string
		if text != "" {
			texts = []string{text}
		}
		sel, err := e.Selectors(texts)
		if err != nil {
			t.Fatal(err)
		}
		if all, err := e.All(t.Context(), sel); err != nil || len(all) != want {
			t.Errorf("%s: %v, %v", text, all, err)
		}
	}
}
