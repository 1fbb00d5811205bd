// Package web shows a host to people and lets them change what it runs: pages, the API behind them, and
// counters for Prometheus. openapi.yaml, which is served too, lists every route.
//
// It asks small interfaces that it declares itself, and it alone knows HTTP towards people: who may ask, in
// which form, and how an error is told. It must not know how a plugin runs, where data lies, or the edge's routes.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"

	"sandbar/docs"
	"sandbar/host/alert"
	"sandbar/host/catalog"
	"sandbar/host/deploy"
	"sandbar/host/failures"
	"sandbar/host/fleet"
	"sandbar/host/health"
	httpdoor "sandbar/host/intake/http"
	"sandbar/host/landfill"
	"sandbar/host/partitions"
	"sandbar/host/runner"
	"sandbar/host/runner/commit"
	"sandbar/host/series"
	"sandbar/host/stream"
	"sandbar/sandbox"
)

//go:embed assets templates openapi.yaml
var embedded embed.FS

// Plugins is what can be asked and changed; *deploy.Manager is one.
type Plugins interface {
	List(ctx context.Context) ([]runner.Status, error)
	Get(ctx context.Context, name string) (deploy.Detail, error)
	Logs(name string) []runner.LogLine
	Check(ctx context.Context, s deploy.Submission) ([]sandbox.Finding, error)
	Deploy(ctx context.Context, s deploy.Submission) (runner.Status, error)
	Start(ctx context.Context, by deploy.Actor, name string) error
	Stop(ctx context.Context, by deploy.Actor, name string) error
	Remove(ctx context.Context, by deploy.Actor, name string) error
	GoBack(ctx context.Context, b deploy.Back) (runner.Status, error)
	Promote(ctx context.Context, p deploy.Promotion) (runner.Status, error)
	Fork(ctx context.Context, f deploy.Fork) (runner.Status, error)
	Approve(ctx context.Context, by deploy.Actor, name string, present int, note string) (runner.Status, error)
	Versions(ctx context.Context, name string) ([]catalog.Version, error)
	States(ctx context.Context, name string) ([]int, error)
	Version(ctx context.Context, name string, n int) (catalog.Version, error)
	Events(ctx context.Context, name string, n int, older int64) ([]catalog.Event, error)
}

// Series is what graphs are drawn of; *series.View is one.
type Series interface {
	List() []series.Info
	GetType(logger, name, typ string) (series.Graph, bool)
	Version() uint64
}

// Alerts is their history; *alert.View is one.
type Alerts interface {
	List(n int, f alert.Filter) []alert.Alert
	Count(f alert.Filter) int
	ForLogger(logger string) []alert.Alert
	Get(key string) (alert.Alert, bool)
	Firing() []alert.Incident
	Incident(a alert.Alert) alert.Incident
	Version() uint64
}

// Failures is what could not be decoded; *failures.View is one.
type Failures interface {
	List(n int, f failures.Filter) (list []failures.Failure, total int, err error)
	Get(position string) (failures.Failure, error)
	Counts() (counts []failures.Count, duplicates int64)
	Causes() []failures.Cause
	Content(position string) ([]byte, error)
	Submission(position string) ([]byte, error)
	Version() uint64
}

// Log is the numbers of one stream; a stream.Log is one.
type Log interface {
	First() stream.Position
	End() stream.Position
	Stats() stream.Stats
}

// Edge is the numbers of the edge; *httpdoor.Door is one.
type Edge interface {
	Stats() httpdoor.Stats
}

// Archive is the numbers of landfill; *landfill.Landfill is one.
type Archive interface {
	Stats() landfill.Stats
}

// Health is what is wrong now; *health.Board is one.
type Health interface {
	Troubles() []health.Trouble
}

// Commits is the numbers of commits; *runner.Runner is one.
type Commits interface {
	Commits() commit.Stats
}

// Partitions is which of them are here; *partitions.Set is one.
type Partitions interface {
	Share() partitions.Share
}

// Hosts is the others that share topics with this one; *fleet.Fleet is one.
type Hosts interface {
	Others() []fleet.Other
}

// Options of a Site. All are required but Hosts, SQL, May and Token.
type Options struct {
	Plugins    Plugins
	Series     Series
	Alerts     Alerts
	Evidence   Evidence
	Failures   Failures
	Messages   Messages
	Trials     Trials
	Shadows    Shadows
	Vitals     Vitals
	Letters    Letters
	History    History
	Queries    Queries
	Saved      Saved
	Notices    Notices
	Lake       Lake
	SQL        SQL    // nil: it is not to be had,
	NoSQL      string // because of this
	Schemas    Schemas
	Raw        Appender
	Streams    map[string]Log // by the names of stream.Names
	Edge       Edge
	Archive    Archive
	Commits    Commits
	Partitions Partitions
	Health     Health
	Hosts      Hosts              // nil: there are no others
	Parse      deploy.ParseConfig // the one that Plugins uses: it tells a config's faults from a source's

	// May is the one place that is asked whether somebody may do what Plugins and Saved do not ask for themselves; nil: everybody may.
	May func(by, what, name string) error

	Ceilings func(sandbox.Kind) sandbox.Ceilings // what this host allows at most

	Sessions Sessions // required with a Token

	Version  string // of the program
	Hostname string
	Listen   string // ADDRESS:PORT as configured
	Token    string // empty: everybody who reaches the address may do everything
	Now      func() time.Time
	Logger   *slog.Logger
}

func (o *Options) complete() error {
	switch {
	case o.Plugins == nil, o.Series == nil, o.Alerts == nil, o.Evidence == nil, o.Failures == nil, o.Edge == nil:
		return errors.New("web: Plugins, Series, Alerts, Evidence, Failures and Edge are required")
	case o.Archive == nil, o.Health == nil, o.Commits == nil, o.Partitions == nil, o.Messages == nil, o.Trials == nil, o.Shadows == nil, o.Vitals == nil, o.Letters == nil, o.History == nil, o.Queries == nil, o.Saved == nil, o.Notices == nil, o.Lake == nil, o.Schemas == nil, o.Raw == nil:
		return errors.New("web: Archive, Health, Commits, Partitions, Messages, Trials, Shadows, Vitals, Letters, History, Queries, Saved, Notices, Lake, Schemas and Raw are required")
	case o.Token != "" && o.Sessions == nil:
		return errors.New("web: Sessions is required with a Token")
	case o.Parse == nil, o.Ceilings == nil, o.Now == nil, o.Logger == nil, o.Listen == "":
		return errors.New("web: Parse, Ceilings, Now, Logger and Listen are required")
	}
	for _, name := range stream.Names() {
		if o.Streams[name] == nil {
			return errors.New("web: Streams lacks " + name)
		}
	}
	return nil
}

type noHosts struct{}

func (noHosts) Others() []fleet.Other { return nil }

// Site is an http.Handler for everything that is not the edge. Its Run has to run beside it.
type Site struct {
	opt     Options
	echo    *echo.Echo
	zipped  http.Handler // echo, with answers compressed
	guard   guard
	assets  assets
	pages   pages
	docs    fs.FS
	metrics http.Handler
	pulse   *pulse
	started time.Time

	attention *attention
}

// New makes a site of the embedded pages.
func New(o Options) (*Site, error) { return newSite(o, embedded) }

func newSite(o Options, files fs.FS) (*Site, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if o.Hosts == nil {
		o.Hosts = noHosts{}
	}
	if o.May == nil {
		o.May = func(string, string, string) error { return nil }
	}
	s := &Site{opt: o, guard: newGuard(o.Listen, o.Token, o.Now, o.Sessions), docs: docs.Files, started: o.Now().UTC()}
	var err error
	if s.assets, err = newAssets(files); err != nil {
		return nil, err
	}
	if s.pages, err = newPages(files, s.assets); err != nil {
		return nil, err
	}
	took := newRequestTimes()
	if s.metrics, err = newMetrics(o, took); err != nil {
		return nil, err
	}
	s.attention = &attention{from: o.Saved}
	s.pulse = newPulse(o, s.attention)
	s.echo = echo.New()
	s.echo.HTTPErrorHandler = s.tell
	s.echo.Pre(s.recovered, s.guard.common)
	known := sync.OnceValues(readParams)
	for _, r := range s.routes() {
		handle := s.guard.wrap(r.door, onlyKnown(r.method, r.path, known, r.handle))
		if !slices.Contains(live(), r.path) {
			handle = timed(took, r.door, o.Now, handle)
		}
		s.echo.Add(r.method, r.path, handle)
		if r.method == http.MethodGet && !slices.Contains(live(), r.path) {
			s.echo.Add(http.MethodHead, r.path, handle) // the server sends no body then
		}
	}
	zip, err := gzhttp.NewWrapper(gzhttp.MinSize(leastZipped))
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s.zipped = zip(s.echo)
	return s, nil
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if slices.Contains(live(), r.URL.Path) {
		s.echo.ServeHTTP(w, r)
		return
	}
	s.zipped.ServeHTTP(w, r)
}

// live are the routes whose answers go on, event by event. They are not compressed, so that each event goes out at once.
func live() []string { return []string{"/api/v1/events", "/api/v1/messages/live"} }

const leastZipped = 1 << 10 // bytes; smaller answers are not worth it

// Run keeps rates and versions up to date until the context ends, and then ends the answers of /events, for
// which a server that shuts down would wait otherwise.
func (s *Site) Run(ctx context.Context) error { return s.pulse.run(ctx) }

// door says who may pass to a route, and what those hear who may not.
type door int

const (
	open door = iota // everybody
	page             // to /login
	api              // 401
)

type route struct {
	method, path string
	door         door
	handle       echo.HandlerFunc
}

func (s *Site) routes() []route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []route{
		{get, "/", page, s.show("overview", "Overview")},
		{get, "/plugins", page, s.show("plugins", "Plugins")},
		{get, "/plugins/:name", page, s.showPlugin},
		{get, "/deploy", page, s.showSubmit},
		{get, "/alerts", page, s.show("alerts", "Alerts")},
		{get, "/alerts/:key", page, s.show("alert", "Alert")},
		{get, "/dashboards", page, s.show("dashboards", "Dashboards")},
		{get, "/dashboards/:id", page, s.show("dashboard", "Dashboard")},
		{get, "/errors", page, s.show("errors", "Errors")},
		{get, "/messages", page, s.show("messages", "Messages")},
		{get, "/schemas", page, s.show("schemas", "Schemas")},
		{get, "/lake", page, s.show("lake", "Lake")},
		{get, "/help/*", open, s.help},
		{get, "/pictures/:name", open, s.picture},
		{get, "/login", open, s.showLogin},
		{post, "/login", open, s.login},
		{post, "/logout", open, s.logout},
		{get, "/assets/:file", open, s.assets.serve},
		{get, "/openapi.yaml", open, s.openAPI},
		{get, "/metrics", api, echo.WrapHandler(s.metrics)},

		{get, "/api/v1/overview", api, s.overview},
		{get, "/api/v1/plugins", api, s.listPlugins},
		{get, "/api/v1/find", api, s.findPlugins},
		{post, "/api/v1/plugins", api, s.deployPlugin},
		{get, "/api/v1/plugins/:name", api, s.getPlugin},
		{del, "/api/v1/plugins/:name", api, s.removePlugin},
		{get, "/api/v1/plugins/:name/source", api, s.pluginSource},
		{get, "/api/v1/plugins/:name/module", api, s.pluginModule},
		{post, "/api/v1/plugins/:name/stop", api, s.stopPlugin},
		{post, "/api/v1/plugins/:name/start", api, s.startPlugin},
		{get, "/api/v1/plugins/:name/logs", api, s.pluginLogs},
		{get, "/api/v1/plugins/:name/vitals", api, s.pluginVitals},
		{get, "/api/v1/plugins/:name/letters", api, s.pluginLetters},
		{get, "/api/v1/plugins/:name/series", api, s.pluginSeries},
		{get, "/api/v1/plugins/:name/history", api, s.graphHistory},
		{get, "/api/v1/plugins/:name/picture", api, s.pictureLink},
		{get, "/api/v1/plugins/:name/versions", api, s.listVersions},
		{get, "/api/v1/plugins/:name/versions/:version", api, s.getVersion},
		{post, "/api/v1/plugins/:name/rollback", api, s.goBack},
		{post, "/api/v1/plugins/:name/diff", api, s.diff},
		{get, "/api/v1/plugins/:name/shadow", api, s.getShadow},
		{post, "/api/v1/plugins/:name/promote", api, s.promote},
		{post, "/api/v1/plugins/:name/fork", api, s.fork},
		{post, "/api/v1/plugins/:name/approve", api, s.approve},
		{get, "/api/v1/audit", api, s.audit},
		{get, "/api/v1/limits", api, s.limits},
		{get, "/api/v1/series", api, s.listSeries},
		{get, "/api/v1/alerts", api, s.listAlerts},
		{get, "/api/v1/alerts/:key", api, s.getAlert},
		{get, "/api/v1/alerts/:key/evidence", api, s.getEvidence},
		{post, "/api/v1/alerts/:key/rerun", api, s.rerun},
		{post, "/api/v1/alerts/:key/acknowledge", api, s.acknowledge},
		{get, "/api/v1/incidents", api, s.listIncidents},
		{get, "/api/v1/silences", api, s.listSilences},
		{post, "/api/v1/silences", api, s.addSilence},
		{del, "/api/v1/silences/:id", api, s.endSilence},
		{get, "/api/v1/routes", api, s.listRoutes},
		{put, "/api/v1/routes/:id", api, s.saveRoute},
		{del, "/api/v1/routes/:id", api, s.removeRoute},
		{post, "/api/v1/routes/who", api, s.whoWouldGet},
		{post, "/api/v1/routes/:id/test", api, s.testRoute},
		{get, "/api/v1/notices", api, s.listNotices},
		{post, "/api/v1/notices/:id/again", api, s.noticeAgain},
		{get, "/api/v1/dashboards", api, s.listDashboards},
		{get, "/api/v1/dashboards/:id", api, s.getDashboard},
		{put, "/api/v1/dashboards/:id", api, s.saveDashboard},
		{del, "/api/v1/dashboards/:id", api, s.removeDashboard},
		{get, "/api/v1/errors", api, s.listErrors},
		{get, "/api/v1/errors/:position", api, s.getError},
		{get, "/api/v1/errors/:position/content", api, s.errorContent},
		{post, "/api/v1/errors/resend", api, s.resend},
		{get, "/api/v1/causes", api, s.listCauses},
		{get, "/api/v1/messages", api, s.listMessages},
		{get, "/api/v1/messages/live", api, s.liveMessages},
		{get, "/api/v1/messages/:stream/:position", api, s.getMessage},
		{get, "/api/v1/fields", api, s.listFields},
		{get, "/api/v1/schemas", api, s.listSchemas},
		{get, "/api/v1/schemas/:namespace/:type/:version", api, s.getSchema},
		{get, "/api/v1/lake", api, s.listLake},
		{get, "/api/v1/lake/dataset", api, s.getDataset},
		{get, "/api/v1/lake/preview", api, s.previewLake},
		{post, "/api/v1/lake/query", api, s.queryLake},
		{get, "/api/v1/events", api, s.events},
		{get, "/alertmanager/api/v2/status", api, s.asAlertmanagerDoes(s.amStatus)},
		{get, "/alertmanager/api/v2/alerts", api, s.asAlertmanagerDoes(s.amAlerts)},
		{get, "/alertmanager/api/v2/silences", api, s.asAlertmanagerDoes(s.amSilences)},
		{post, "/alertmanager/api/v2/silences", api, s.asAlertmanagerDoes(s.amAddSilence)},
		{get, "/alertmanager/api/v2/silence/:id", api, s.asAlertmanagerDoes(s.amGetSilence)},
		{del, "/alertmanager/api/v2/silence/:id", api, s.asAlertmanagerDoes(s.amEndSilence)},
		{get, "/prometheus/api/v1/query", api, s.asPrometheus(s.promQuery)},
		{post, "/prometheus/api/v1/query", api, s.asPrometheus(s.promQuery)},
		{get, "/prometheus/api/v1/query_range", api, s.asPrometheus(s.promRange)},
		{post, "/prometheus/api/v1/query_range", api, s.asPrometheus(s.promRange)},
		{get, "/prometheus/api/v1/series", api, s.asPrometheus(s.promSeries)},
		{post, "/prometheus/api/v1/series", api, s.asPrometheus(s.promSeries)},
		{get, "/prometheus/api/v1/labels", api, s.asPrometheus(s.promLabels)},
		{post, "/prometheus/api/v1/labels", api, s.asPrometheus(s.promLabels)},
		{get, "/prometheus/api/v1/label/:label/values", api, s.asPrometheus(s.promLabels)},
		{get, "/prometheus/api/v1/metadata", api, s.asPrometheus(s.promMetadata)},
		{get, "/prometheus/api/v1/status/buildinfo", api, s.asPrometheus(s.promBuild)},
		{get, "/prometheus/api/v1/rules", api, s.asPrometheus(s.promRules)},
		{get, "/prometheus/api/v1/query_exemplars", api, s.asPrometheus(s.promExemplars)},
		{post, "/prometheus/api/v1/query_exemplars", api, s.asPrometheus(s.promExemplars)},
		{post, "/api/v1/check", api, s.checkPlugin},
		{post, "/api/v1/try", api, s.startTrial},
		{get, "/api/v1/try/:id", api, s.getTrial},
		{del, "/api/v1/try/:id", api, s.cancelTrial},
		{post, "/api/v1/try/:id/calls/:call", api, s.lookInto},
	}
}
