// Package promql lets PromQL ask for what graphs show and showed: each column of each circular buffer is a series
//
//	sandbar{plugin="analysis.rate", graph="Documents by type", column="main", unit="count"}
//
// The engine is Prometheus' own; this is a storage for it. It must not know HTTP, nor who asks.
package promql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"sandbar/host/history"
	"sandbar/host/series"
	"sandbar/sandbox/cbuf"
)

const (
	// Metric is the name of all series.
	Metric     = "sandbar"
	maxSamples = 5_000_000 // of one query
	maxSeries  = 20_000
	queryTime  = 20 * time.Second
	queries    = 4               // at once
	lookback   = 5 * time.Minute // that a value holds for
)

// ErrBusy says that as many queries run as may.
var ErrBusy = errors.New("as many queries run as may; try again in a moment")

// Series are the graphs that there are; *series.View is one.
type Series interface {
	List() []series.Info
	GetType(logger, name, typ string) (series.Graph, bool)
}

// History is what they showed; *history.View is one.
type History interface {
	Range(ctx context.Context, logger, name string, from, to int64, points int, way history.Way) (*cbuf.Data, error)
}

// Engine answers queries.
type Engine struct {
	engine  *promql.Engine
	parser  parser.Parser
	series  Series
	history History
	turns   chan struct{}
}

// New makes an engine.
func New(s Series, h History, log *slog.Logger) *Engine {
	p := parser.NewParser(parser.Options{})
	return &Engine{series: s, history: h, parser: p, turns: make(chan struct{}, queries), engine: promql.NewEngine(promql.EngineOpts{
		Logger: log, MaxSamples: maxSamples, Timeout: queryTime, LookbackDelta: lookback, EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() }})}
}

// Instant evaluates an expression at a time. Errors of the query are in the result's Err or returned.
func (e *Engine) Instant(ctx context.Context, expr string, at time.Time) (parser.Value, []string, error) {
	return e.run(ctx, expr, func() (promql.Query, error) {
		return e.engine.NewInstantQuery(ctx, e, promql.NewPrometheusQueryOpts(false, 0, nil), expr, at)
	})
}

// Range evaluates an expression at steps of a time.
func (e *Engine) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) (parser.Value, []string, error) {
	return e.run(ctx, expr, func() (promql.Query, error) {
		return e.engine.NewRangeQuery(ctx, e, promql.NewPrometheusQueryOpts(false, 0, nil), expr, from, to, step)
	})
}

func (e *Engine) run(ctx context.Context, expr string, make func() (promql.Query, error)) (parser.Value, []string, error) {
	select {
	case e.turns <- struct{}{}:
		defer func() { <-e.turns }()
	case <-time.After(queryTime):
		return nil, nil, ErrBusy
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	q, err := make()
	if err != nil {
		return nil, nil, err
	}
	defer q.Close()
	res := q.Exec(ctx)
	warnings, infos := res.Warnings.AsStrings(expr, 10, 10)
	if res.Err != nil {
		return nil, nil, res.Err
	}
	return detach(res.Value), append(warnings, infos...), nil
}

// detach copies what the engine takes back when a query is closed.
func detach(v parser.Value) parser.Value {
	m, ok := v.(promql.Matrix)
	if !ok {
		return v
	}
	out := make(promql.Matrix, len(m))
	for i, s := range m {
		out[i] = promql.Series{Metric: s.Metric, Floats: slices.Clone(s.Floats)}
	}
	return out
}

// Selectors parses matchers such as sandbar{plugin="analysis.rate"}.
func (e *Engine) Selectors(texts []string) ([][]*labels.Matcher, error) {
	return e.parser.ParseMetricSelectors(texts)
}

// All lists the series that any of the selectors wants; all without one.
func (e *Engine) All(ctx context.Context, selectors [][]*labels.Matcher) ([]labels.Labels, error) {
	if len(selectors) == 0 {
		selectors = [][]*labels.Matcher{nil}
	}
	var all []labels.Labels
	for _, ms := range selectors {
		err := e.each(ctx, ms, func(info *series.Info, d *cbuf.Data) error {
			for _, c := range d.Info {
				if l := labelsOf(info, &c); matches(l, ms) {
					all = append(all, l)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, labels.Compare)
	return slices.CompactFunc(all, labels.Equal), nil
}

func labelsOf(info *series.Info, c *cbuf.ColumnInfo) labels.Labels {
	all := []string{model.MetricNameLabel, Metric, "plugin", info.Logger, "graph", graphOf(info), "column", c.Name}
	if c.Unit != "" { // an empty label is none
		all = append(all, "unit", c.Unit)
	}
	return labels.FromStrings(all...)
}

// graphOf is the name of a graph, which never is empty.
func graphOf(info *series.Info) string {
	if info.Name == "" {
		return info.Title
	}
	return info.Name
}

func matches(l labels.Labels, ms []*labels.Matcher) bool {
	return !slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches(l.Get(m.Name)) })
}

// each calls f with every graph that may be wanted: plugin and graph fit.
func (e *Engine) each(ctx context.Context, ms []*labels.Matcher, f func(info *series.Info, d *cbuf.Data) error) error {
	n := 0
	for _, info := range e.series.List() {
		if info.Type != "cbuf" || !may(ms, model.MetricNameLabel, Metric) || !may(ms, "plugin", info.Logger) || !may(ms, "graph", graphOf(&info)) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		g, ok := e.series.GetType(info.Logger, info.Name, info.Type)
		if !ok || g.Data == nil {
			continue
		}
		if n += len(g.Data.Info); n > maxSeries {
			return fmt.Errorf("more than %d series are wanted; ask for fewer plugins or graphs", maxSeries)
		}
		if err := f(&info, g.Data); err != nil {
			return err
		}
	}
	return nil
}

// may says whether the matchers of one label take a value.
func may(ms []*labels.Matcher, name, value string) bool {
	return !slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return m.Name == name && !m.Matches(value) })
}

// Querier implements storage.Queryable.
func (e *Engine) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{e, mint, maxt}, nil
}

// querier gives what lies between two times, in milliseconds.
type querier struct {
	*Engine
	mint, maxt int64
}

func (*querier) Close() error { return nil }

// LabelValues implements storage.Querier; the engine does not ask.
func (*querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

// LabelNames implements storage.Querier; the engine does not ask.
func (*querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

// Select implements storage.Querier. Where rows lie closer than so many, a value is the mean of several.
func (q *querier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	from, to := q.mint, q.maxt
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	set := &set{}
	set.err = q.each(ctx, ms, func(info *series.Info, live *cbuf.Data) error {
		if !slices.ContainsFunc(live.Info, func(c cbuf.ColumnInfo) bool { return matches(labelsOf(info, &c), ms) }) {
			return nil
		}
		d, err := q.history.Range(ctx, info.Logger, info.Name, max(0, from/1000), to/1000+1, history.MaxPoints, history.Mean)
		if err != nil || d == nil {
			return err
		}
		for c := range d.Info {
			l := labelsOf(info, &d.Info[c])
			if !matches(l, ms) {
				continue
			}
			var samples []chunks.Sample
			for i, row := range d.Values {
				if at := (d.Time + int64(i)*int64(d.SecondsPerRow)) * 1000; !math.IsNaN(row[c]) && at >= from && at <= to {
					samples = append(samples, sample{at, row[c]})
				}
			}
			set.all = append(set.all, storage.NewListSeries(l, samples))
		}
		return nil
	})
	slices.SortFunc(set.all, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return set
}

// set implements storage.SeriesSet.
type set struct {
	all []storage.Series
	at  int
	err error
}

func (s *set) Next() bool {
	s.at++
	return s.err == nil && s.at <= len(s.all)
}
func (s *set) At() storage.Series              { return s.all[s.at-1] }
func (s *set) Err() error                      { return s.err }
func (*set) Warnings() annotations.Annotations { return nil }

// sample implements chunks.Sample.
type sample struct {
	at    int64
	value float64
}

func (s sample) T() int64                    { return s.at }
func (sample) ST() int64                     { return 0 }
func (s sample) F() float64                  { return s.value }
func (sample) H() *histogram.Histogram       { return nil }
func (sample) FH() *histogram.FloatHistogram { return nil }
func (sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample         { return s }
