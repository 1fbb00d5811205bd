package web

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sandbar/host/datasets"
)

// fakeLake has one dataset.
type fakeLake struct{}

func (fakeLake) List(context.Context) ([]datasets.Dataset, bool, error) {
	return []datasets.Dataset{{Name: "parquet/main/v4", Format: "parquet", View: "main_v4", Files: 2, Bytes: 3, Partitions: 1, Newest: start()}}, false, nil
}

func (fakeLake) Get(_ context.Context, name string) (d datasets.Detail, err error) {
	if name != "parquet/main/v4" {
		return d, datasets.ErrNotFound
	}
	return datasets.Detail{Dataset: datasets.Dataset{Name: name, Format: "parquet", Files: 2, Newest: start()}, Rows: 5, Counted: 1, Broken: []string{hostile}, BrokenMany: 1,
		Parts: []datasets.Partition{{Name: "d=1", Files: 2, Newest: start()}}, Columns: []datasets.ColumnUse{{Column: datasets.Column{Name: "a", Type: "STRING"}, Files: 1}}}, nil
}

func (fakeLake) Preview(_ context.Context, name string, partition *string, n int) (p datasets.Preview, err error) {
	switch {
	case name == "heka/a":
		return datasets.Preview{File: "f", Messages: []json.RawMessage{json.RawMessage(`{"type":"x"}`)}}, nil
	case partition != nil && *partition == "no":
		return p, datasets.ErrNotFound
	}
	return datasets.Preview{File: "f", Columns: []datasets.Column{{Name: "a", Type: "STRING"}}, Rows: [][]any{{fmt.Sprint(n)}, {nil}}}, nil
}

// fakeSQL answers with what it is asked.
type fakeSQL struct{}

func (fakeSQL) Query(_ context.Context, sql string) (r datasets.Result, err error) {
	switch sql {
	case "bad":
		return r, fmt.Errorf("%w: near bad", datasets.ErrQuery)
	case "busy":
		return r, datasets.ErrBusy
	}
	return datasets.Result{Columns: []string{"a"}, Rows: [][]any{{sql}}, Millis: 7}, nil
}

func TestLake(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	without := newHost(t, func(o *Options) { o.SQL, o.NoSQL = nil, "DuckDB is not here" })
	for _, c := range []struct {
		h                  *host
		method, path, body string
		want               int
		has                string
	}{
		{h, "GET", "/api/v1/lake", "", 200, `"view":"main_v4"`},
		{h, "GET", "/api/v1/lake", "", 200, `"sql":true`},
		{without, "GET", "/api/v1/lake", "", 200, `"sql":false,"no_sql":"DuckDB is not here"`},
		{h, "GET", "/api/v1/lake/dataset?name=parquet/main/v4", "", 200, `"rows":5`},
		{h, "GET", "/api/v1/lake/dataset?name=x", "", 404, "no such dataset"},
		{h, "GET", "/api/v1/lake/preview?name=parquet/main/v4&n=7", "", 200, `[["7"],[null]]`},
		{h, "GET", "/api/v1/lake/preview?name=heka/a", "", 200, `{"type":"x"}`},
		{h, "GET", "/api/v1/lake/preview?name=x&partition=no", "", 404, ""},
		{h, "GET", "/api/v1/lake/preview?name=x&n=1000", "", 400, ""},
		{h, "POST", "/api/v1/lake/query", `{"sql":"select 1"}`, 200, `[["select 1"]]`},
		{h, "POST", "/api/v1/lake/query", `{"sql":"bad"}`, 422, "near bad"},
		{h, "POST", "/api/v1/lake/query", `{"sql":"busy"}`, 503, ""},
		{without, "POST", "/api/v1/lake/query", `{"sql":"select 1"}`, 501, "DuckDB is not here"},
		{h, "POST", "/api/v1/lake/query", `{"x":1}`, 400, ""},
	} {
		if w := c.h.do(request(c.method, c.path, c.body)); w.Code != c.want || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}
