package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sandbar/host/runner"
	"sandbar/host/stream"
)

// metrics reads the host's numbers whenever Prometheus asks; it keeps none of its own.
type metrics struct {
	opt Options

	streamMessages, streamBytes, streamStored, streamSkipped *prometheus.Desc
	edgeAnswers, edgeBytes, edgeInFlight, edgeTook           *prometheus.Desc
	archiveWaiting, archiveAge, troubles                     *prometheus.Desc
	commits, commitsFailed, commitTime                       *prometheus.Desc
	partitions, partitionChanges                             *prometheus.Desc
	plugins, state, firing, refused, build                   *prometheus.Desc
	perPlugin                                                []pluginMetric
	outcomes                                                 *prometheus.Desc
}

type pluginMetric struct {
	desc  *prometheus.Desc
	typ   prometheus.ValueType
	value func(*runner.Status) float64
}

// newMetrics makes the handler of /metrics over a registry of its own.
func newMetrics(o Options, took prometheus.Collector) (http.Handler, error) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("sandbar_"+name, help, labels, nil)
	}
	count := func(name, help string, f func(*runner.Status) float64) pluginMetric {
		return pluginMetric{desc("plugin_"+name, help, "plugin"), prometheus.CounterValue, f}
	}
	gauge := func(name, help string, f func(*runner.Status) float64) pluginMetric {
		return pluginMetric{desc("plugin_"+name, help, "plugin"), prometheus.GaugeValue, f}
	}
	m := &metrics{opt: o,
		streamMessages:   desc("stream_messages_total", "Messages appended to a stream.", "stream"),
		streamBytes:      desc("stream_bytes_total", "Bytes appended to a stream.", "stream"),
		streamStored:     desc("stream_stored_bytes", "Bytes that a stream has on disk.", "stream"),
		streamSkipped:    desc("stream_skipped_bytes_total", "Damaged bytes that readers of a stream skipped.", "stream"),
		edgeAnswers:      desc("edge_answers_total", "Answers of the edge by status code.", "code"),
		edgeBytes:        desc("edge_bytes_total", "Bytes of the bodies that the edge took."),
		edgeInFlight:     desc("edge_in_flight_bytes", "Bytes of submissions under way."),
		edgeTook:         desc("edge_seconds", "Time from a submission's header to its answer."),
		archiveWaiting:   desc("landfill_waiting_bytes", "Bytes of stream raw that are in no landfill file yet."),
		archiveAge:       desc("landfill_waiting_seconds", "Age of the oldest of them since it was read."),
		troubles:         desc("trouble", "1 for each part of the host that does not do its work now.", "part"),
		commits:          desc("commits_total", "Commits of the streams: transactions, on Kafka."),
		commitsFailed:    desc("commits_failed_total", "Commits that failed, and were tried again."),
		commitTime:       desc("commit_seconds_total", "Time that commits took."),
		partitions:       desc("partitions", "Partitions that this host has now."),
		partitionChanges: desc("partition_changes_total", "Times that a partition came to this host or left it."),
		plugins:          desc("plugins", "Plugins by state.", "state"),
		state:            desc("plugin_state", "1 for the state that the plugin is in.", "plugin", "state"),
		firing:           desc("incidents", "Incidents that fire: alerts of one plugin and subject, close upon each other."),
		refused:          desc("errors_total", "Submissions that could not be decoded, since the oldest that was there when the host started.", "type", "namespace"),
		build:            desc("build_info", "1, for the version of the program.", "version"),
		outcomes:         desc("plugin_outcomes_total", "Calls of a plugin by outcome.", "plugin", "outcome"),
		perPlugin: []pluginMetric{
			count("seen_total", "Messages that the plugin's reader passed over.", func(s *runner.Status) float64 { return float64(s.Stats.Seen) }),
			count("matched_total", "Messages that the plugin was called for.", func(s *runner.Status) float64 { return float64(s.Stats.Matched) }),
			count("failed_total", "Messages that the plugin failed.", func(s *runner.Status) float64 { return float64(s.Stats.Failed) }),
			count("injected_total", "Messages that the plugin made.", func(s *runner.Status) float64 { return float64(s.Stats.Injected) }),
			count("injected_bytes_total", "Bytes of the messages that the plugin made.", func(s *runner.Status) float64 { return float64(s.Stats.InjectedBytes) }),
			count("fuel_total", "Fuel that the plugin used.", func(s *runner.Status) float64 { return float64(s.Stats.Fuel) }),
			count("seconds_total", "Time spent in calls of the plugin.", func(s *runner.Status) float64 { return time.Duration(s.Stats.Nanos).Seconds() }),
			gauge("memory_bytes", "State of the plugin.", func(s *runner.Status) float64 { return float64(s.Stats.Memory) }),
			gauge("lag_bytes", "Bytes that the plugin has not read yet.", func(s *runner.Status) float64 { return float64(s.LagBytes) }),
		},
	}
	reg := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{m, took} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("web: metrics: %w", err)
		}
	}
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn), MaxRequestsInFlight: 4,
		ErrorHandling: promhttp.ContinueOnError, // what can be read is worth more than nothing; the log has the cause
	}), nil
}

// Describe names all metrics.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.streamMessages, m.streamBytes, m.streamStored, m.streamSkipped, m.edgeAnswers, m.edgeBytes, m.edgeInFlight, m.edgeTook,
		m.archiveWaiting, m.archiveAge, m.troubles, m.commits, m.commitsFailed, m.commitTime, m.partitions, m.partitionChanges, m.plugins, m.state, m.firing, m.refused, m.build, m.outcomes} {
		ch <- d
	}
	for _, p := range m.perPlugin {
		ch <- p.desc
	}
}

// collectTime bounds what one scrape may take of the catalog.
const collectTime = 5 * time.Second

// Collect reads the numbers.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, typ prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, typ, v, labels...)
	}
	for _, name := range stream.Names() {
		st := m.opt.Streams[name].Stats()
		put(m.streamMessages, prometheus.CounterValue, float64(st.Messages), name)
		put(m.streamBytes, prometheus.CounterValue, float64(st.Bytes), name)
		put(m.streamStored, prometheus.GaugeValue, float64(st.Stored), name)
		put(m.streamSkipped, prometheus.CounterValue, float64(st.Skipped), name)
	}
	edge := m.opt.Edge.Stats()
	for code, n := range edge.Answers {
		put(m.edgeAnswers, prometheus.CounterValue, float64(n), strconv.Itoa(code))
	}
	put(m.edgeBytes, prometheus.CounterValue, float64(edge.Bytes))
	put(m.edgeInFlight, prometheus.GaugeValue, float64(edge.InFlight))
	ch <- prometheus.MustNewConstHistogram(m.edgeTook, edge.Took.Count, edge.Took.Sum.Seconds(), edge.Took.Below)
	archive := m.opt.Archive.Stats()
	put(m.archiveWaiting, prometheus.GaugeValue, float64(archive.Waiting))
	age := 0.0
	if !archive.Since.IsZero() {
		age = max(0, m.opt.Now().Sub(archive.Since).Seconds())
	}
	put(m.archiveAge, prometheus.GaugeValue, age)
	commits := m.opt.Commits.Commits()
	put(m.commits, prometheus.CounterValue, float64(commits.Commits))
	put(m.commitsFailed, prometheus.CounterValue, float64(commits.Failed))
	put(m.commitTime, prometheus.CounterValue, commits.Time.Seconds())
	share := m.opt.Partitions.Share()
	put(m.partitions, prometheus.GaugeValue, float64(len(share.Here)))
	put(m.partitionChanges, prometheus.CounterValue, float64(share.Changes))
	put(m.firing, prometheus.GaugeValue, float64(len(m.opt.Alerts.Firing())))
	counts, _ := m.opt.Failures.Counts()
	for _, c := range counts {
		put(m.refused, prometheus.CounterValue, float64(c.Count), strings.ToValidUTF8(c.Type, "?"), strings.ToValidUTF8(c.Namespace, "?"))
	}
	put(m.build, prometheus.GaugeValue, 1, m.opt.Version)
	for _, t := range m.opt.Health.Troubles() {
		put(m.troubles, prometheus.GaugeValue, 1, t.Part)
	}

	ctx, cancel := context.WithTimeout(context.Background(), collectTime)
	defer cancel()
	list, err := m.opt.Plugins.List(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(m.plugins, err)
		return
	}
	states := map[runner.State]int{runner.Running: 0, runner.StoppedBy: 0, runner.Terminated: 0, runner.Failed: 0}
	for i := range list {
		s := &list[i]
		states[s.State]++
		put(m.state, prometheus.GaugeValue, 1, s.Name, string(s.State))
		for _, p := range m.perPlugin {
			put(p.desc, p.typ, p.value(s), s.Name)
		}
		for outcome, n := range s.Stats.Outcomes {
			put(m.outcomes, prometheus.CounterValue, float64(n), s.Name, outcome)
		}
	}
	for state, n := range states {
		put(m.plugins, prometheus.GaugeValue, float64(n), string(state))
	}
}

// newRequestTimes makes the histogram of what requests to pages and API take; /metrics has it.
func newRequestTimes() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "sandbar_http_seconds", Help: "Time to answer a request to a page or to the API, answers that go on excepted.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"to"})
}

// timed notes how long a route takes.
func timed(took *prometheus.HistogramVec, d door, now func() time.Time, next echo.HandlerFunc) echo.HandlerFunc {
	to := "page"
	if d == api {
		to = "api"
	}
	seen := took.WithLabelValues(to)
	return func(c echo.Context) error {
		begun := now()
		err := next(c)
		seen.Observe(now().Sub(begun).Seconds())
		return err
	}
}
