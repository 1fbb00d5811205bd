package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"sandbar/host/promql"
)

// Queries answers PromQL over what graphs show; *promql.Engine does.
type Queries interface {
	Instant(ctx context.Context, expr string, at time.Time) (parser.Value, []string, error)
	Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) (parser.Value, []string, error)
	Selectors(texts []string) ([][]*labels.Matcher, error)
	All(ctx context.Context, selectors [][]*labels.Matcher) ([]labels.Labels, error)
}

// The routes below /prometheus answer as Prometheus does (prometheus.io/docs/prometheus/latest/querying/api), as far as Grafana's data source
// asks.

const (
	maxForm  = 1 << 20
	maxSteps = 11_000 // of a range, as Prometheus has it
)

// prometheusAnswer is the form of all answers.
type prometheusAnswer struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

// prometheusFault is an error with the word that Prometheus has for it.
type prometheusFault struct {
	status int
	typ    string
	err    error
}

func (f *prometheusFault) Error() string { return f.err.Error() }

func badData(format string, args ...any) error {
	return &prometheusFault{http.StatusBadRequest, "bad_data", fmt.Errorf(format, args...)}
}

// asPrometheus makes a handler of a function that reads the arguments, of the address or of a form, and returns the data.
func (s *Site) asPrometheus(f func(ctx context.Context, in url.Values) (data any, warnings []string, err error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		in := c.QueryParams()
		if c.Request().Method == http.MethodPost {
			body, err := s.readBody(c, maxForm)
			if err != nil {
				return err
			}
			form, err := url.ParseQuery(string(body))
			if err != nil {
				return answer(c, http.StatusBadRequest, prometheusAnswer{Status: "error", ErrorType: "bad_data", Error: "the body is no form"})
			}
			for k, v := range form {
				in[k] = append(in[k], v...)
			}
		}
		if name := c.Param("label"); name != "" {
			in.Set("label", name)
		}
		data, warnings, err := f(c.Request().Context(), in)
		if err == nil {
			return answer(c, http.StatusOK, prometheusAnswer{Status: "success", Data: data, Warnings: warnings})
		}
		status, typ := http.StatusUnprocessableEntity, "execution"
		var fault *prometheusFault
		var syntax parser.ParseErrors
		switch {
		case errors.As(err, &fault):
			status, typ = fault.status, fault.typ
		case errors.As(err, &syntax):
			status, typ = http.StatusBadRequest, "bad_data"
		case errors.Is(err, promql.ErrBusy), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			status, typ = http.StatusServiceUnavailable, "timeout"
		}
		return answer(c, status, prometheusAnswer{Status: "error", ErrorType: typ, Error: err.Error()})
	}
}

func (s *Site) promQuery(ctx context.Context, in url.Values) (any, []string, error) {
	at, err := promTime(in, "time", s.opt.Now())
	if err != nil {
		return nil, nil, err
	}
	v, warnings, err := s.opt.Queries.Instant(ctx, in.Get("query"), at)
	return promValue(v), warnings, err
}

func (s *Site) promRange(ctx context.Context, in url.Values) (any, []string, error) {
	from, err := promTime(in, "start", time.Time{})
	if err != nil {
		return nil, nil, err
	}
	to, err := promTime(in, "end", time.Time{})
	if err != nil {
		return nil, nil, err
	}
	step, err := promDuration(in.Get("step"))
	switch {
	case err != nil:
		return nil, nil, badData("step: %w", err)
	case from.IsZero() || to.Before(from):
		return nil, nil, badData("end is before start, or one is missing")
	case to.Sub(from)/step > maxSteps:
		return nil, nil, badData("the range has more than %d steps; make the step longer", maxSteps)
	}
	v, warnings, err := s.opt.Queries.Range(ctx, in.Get("query"), from, to, step)
	return promValue(v), warnings, err
}

// promValue is a result with its type.
func promValue(v parser.Value) any {
	if v == nil {
		return nil
	}
	return struct {
		Type   parser.ValueType `json:"resultType"`
		Result parser.Value     `json:"result"`
	}{v.Type(), v}
}

// promSeries lists series.
func (s *Site) promSeries(ctx context.Context, in url.Values) (any, []string, error) {
	if len(in["match[]"]) == 0 {
		return nil, nil, badData("no match[] parameter provided")
	}
	all, err := s.promAll(ctx, in)
	if all == nil {
		all = []labels.Labels{}
	}
	return all, nil, err
}

func (s *Site) promAll(ctx context.Context, in url.Values) ([]labels.Labels, error) {
	selectors, err := s.opt.Queries.Selectors(in["match[]"])
	if err != nil {
		return nil, badData("match[]: %w", err)
	}
	return s.opt.Queries.All(ctx, selectors)
}

// promLabels lists names of labels, or with label the values of one.
func (s *Site) promLabels(ctx context.Context, in url.Values) (any, []string, error) {
	all, err := s.promAll(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for _, l := range all {
		if name := in.Get("label"); name != "" {
			if v := l.Get(name); v != "" {
				seen[v] = true
			}
			continue
		}
		l.Range(func(one labels.Label) { seen[one.Name] = true })
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil, nil
}

// promMetadata says what the one metric is.
func (s *Site) promMetadata(context.Context, url.Values) (any, []string, error) {
	return map[string]any{promql.Metric: []any{map[string]string{"type": "gauge", "help": "A column of a graph of a plugin", "unit": ""}}}, nil, nil
}

// promBuild tells Grafana which Prometheus it may take this for.
func (s *Site) promBuild(context.Context, url.Values) (any, []string, error) {
	return map[string]string{"version": "2.55.0", "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": "", "application": "sandbar"}, nil, nil
}

func (s *Site) promRules(context.Context, url.Values) (any, []string, error) {
	return map[string]any{"groups": []any{}}, nil, nil
}

func (s *Site) promExemplars(context.Context, url.Values) (any, []string, error) {
	return []any{}, nil, nil
}

// promTime reads Unix seconds or RFC 3339.
func promTime(in url.Values, name string, def time.Time) (time.Time, error) {
	text := in.Get(name)
	if text == "" {
		return def, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(f) < 1e11 {
		whole, part := math.Modf(f)
		return time.Unix(int64(whole), int64(math.Round(part*1000))*int64(time.Millisecond)).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1 || t.Year() > 5000 {
		return t, badData("%s is %.40q, which is no time", name, text)
	}
	return t, nil
}

// promDuration reads seconds, or a duration such as 5m.
func promDuration(text string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
		if f < 0.001 || f > 1e9 {
			return 0, fmt.Errorf("%.40q is not from a millisecond to some years", text)
		}
		return time.Duration(f * float64(time.Second)), nil
	}
	d, err := model.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%.40q is no duration", text)
	}
	return time.Duration(d), nil
}
