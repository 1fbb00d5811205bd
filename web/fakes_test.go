package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/alert"
	"sandbar/host/catalog"
	"sandbar/host/datasets"
	"sandbar/host/deploy"
	"sandbar/host/failures"
	"sandbar/host/health"
	"sandbar/host/history"
	httpdoor "sandbar/host/intake/http"
	"sandbar/host/landfill"
	"sandbar/host/letters"
	"sandbar/host/partitions"
	"sandbar/host/promql"
	"sandbar/host/runner"
	"sandbar/host/runner/commit"
	"sandbar/host/saved"
	"sandbar/host/series"
	"sandbar/host/shadow"
	"sandbar/host/stream"
	"sandbar/host/tap"
	"sandbar/host/try"
	"sandbar/host/view"
	"sandbar/host/view/viewtest"
	"sandbar/host/vitals"
	"sandbar/sandbox"
	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/message"
	"sandbar/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The real parts fill the interfaces.
var (
	_ Plugins    = (*deploy.Manager)(nil)
	_ Series     = (*series.View)(nil)
	_ Alerts     = (*alert.View)(nil)
	_ Failures   = (*failures.View)(nil)
	_ Log        = (stream.Log)(nil)
	_ Edge       = (*httpdoor.Door)(nil)
	_ Partitions = (*partitions.Set)(nil)
	_ Archive    = (*landfill.Landfill)(nil)
	_ Commits    = (*runner.Runner)(nil)
	_ Health     = (*health.Board)(nil)
	_ Messages   = (*tap.Tap)(nil)
	_ Trials     = (*try.Trials)(nil)
	_ Shadows    = (*shadow.View)(nil)
	_ Vitals     = (*vitals.View)(nil)
	_ Letters    = (*letters.View)(nil)
	_ History    = (*history.View)(nil)
	_ Queries    = (*promql.Engine)(nil)
	_ Saved      = (*saved.Store)(nil)
	_ Lake       = (*datasets.View)(nil)
	_ SQL        = (*datasets.SQL)(nil)
	_ Schemas    = (*schemas.Registry)(nil)
)

const hostile = `<script>alert("x")</script>`

func start() time.Time { return time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC) }

// fakePlugins is a host that deploys without running.
type fakePlugins struct {
	mu      sync.Mutex
	all     map[string]deploy.Detail
	events  []catalog.Event
	failing error // of every call but List
	listing error
}

func (f *fakePlugins) List(context.Context) ([]runner.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []runner.Status
	for _, name := range slices.Sorted(maps.Keys(f.all)) {
		out = append(out, f.all[name].Status)
	}
	return out, f.listing
}

func (f *fakePlugins) Get(_ context.Context, name string) (deploy.Detail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, ok := f.all[name]
	if !ok {
		return d, fmt.Errorf("get: %w", deploy.ErrNotFound)
	}
	return d, nil
}

func (f *fakePlugins) Logs(name string) []runner.LogLine {
	if name != "analysis.rate" {
		return nil
	}
	return []runner.LogLine{{Time: start(), Text: hostile}}
}

func (f *fakePlugins) Deploy(ctx context.Context, s deploy.Submission) (runner.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		return runner.Status{}, f.failing
	}
	if _, err := deploy.Validate(fakeParse, s); err != nil {
		return runner.Status{}, err
	}
	name := string(s.Kind) + "." + s.Name
	if _, ok := f.all[name]; ok && !s.Replace {
		return runner.Status{}, fmt.Errorf("%w: %s", deploy.ErrNameTaken, name)
	}
	st := runner.Status{Name: name, Kind: s.Kind, State: runner.Running, Since: start(), Limits: sandbox.DefaultLimits()}
	f.all[name] = deploy.Detail{Status: st, Config: s.Config, Source: s.Source, Module: strings.Contains(s.Config, ".wasm")}
	return st, ctx.Err()
}

func (f *fakePlugins) set(name string, state runner.State) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, ok := f.all[name]
	if !ok {
		return deploy.ErrNotFound
	}
	if f.failing != nil {
		return f.failing
	}
	d.State = state
	f.all[name] = d
	return nil
}

func (f *fakePlugins) Start(_ context.Context, by deploy.Actor, name string) error {
	return f.note(by, deploy.Started, name, f.set(name, runner.Running))
}

func (f *fakePlugins) Stop(_ context.Context, by deploy.Actor, name string) error {
	return f.note(by, deploy.Stopped, name, f.set(name, runner.StoppedBy))
}

// note keeps what was done as an event.
func (f *fakePlugins) note(by deploy.Actor, what, name string, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.events = append([]catalog.Event{{N: int64(len(f.events) + 1), At: start(), Actor: string(by), What: what, Plugin: name}}, f.events...)
	}
	return err
}

func (f *fakePlugins) Events(_ context.Context, name string, n int, older int64) ([]catalog.Event, error) {
	var out []catalog.Event
	for _, e := range f.events {
		if (name == "" || e.Plugin == name) && (older == 0 || e.N < older) && len(out) < n {
			out = append(out, e)
		}
	}
	return out, f.failing
}

// States are kept of version 1.
func (f *fakePlugins) States(context.Context, string) ([]int, error) { return []int{1}, nil }

// Versions are two of each plugin that is there, and of analysis.gone.
func (f *fakePlugins) Versions(_ context.Context, name string) ([]catalog.Version, error) {
	if _, ok := f.all[name]; !ok && name != "analysis.gone" {
		return nil, fmt.Errorf("versions: %w", deploy.ErrNotFound)
	}
	v := catalog.Version{Plugin: name, N: 2, Kind: sandbox.Analysis, Config: "message_matcher = 'c2'", Updated: start(), Author: "me", Note: hostile, Warning: "careful"}
	old := v
	old.N, old.Config, old.Shipped = 1, "message_matcher = 'c1' -- .wasm", "hash"
	return []catalog.Version{v, old}, nil
}

func (f *fakePlugins) Version(ctx context.Context, name string, n int) (catalog.Version, error) {
	all, err := f.Versions(ctx, name)
	if err != nil || n < 1 || n > 2 {
		return catalog.Version{}, fmt.Errorf("version: %w", deploy.ErrNoVersion)
	}
	v := all[2-n]
	v.Source = []byte("source")
	if n == 1 {
		v.Source = []byte{0, 0xff}
	}
	return v, nil
}

func (f *fakePlugins) GoBack(ctx context.Context, b deploy.Back) (runner.Status, error) {
	if b.Present == 7 {
		return runner.Status{}, deploy.ErrChanged
	}
	if b.Then && b.Version != 1 {
		return runner.Status{}, deploy.ErrNoState
	}
	v, err := f.Version(ctx, b.Name, max(b.Version, 1))
	if err != nil {
		return runner.Status{}, err
	}
	st, err := f.Deploy(ctx, deploy.Submission{Kind: v.Kind, Name: strings.TrimPrefix(b.Name, "analysis."), Config: v.Config, Source: v.Source, Replace: true})
	return st, f.note(b.By, deploy.RolledBack, b.Name, err)
}

// Approve knows a proposal for analysis.rate, of ann.
func (f *fakePlugins) Approve(_ context.Context, by deploy.Actor, name string, present int, _ string) (runner.Status, error) {
	switch {
	case present == 7:
		return runner.Status{}, deploy.ErrChanged
	case strings.HasPrefix(string(by), "ann"):
		return runner.Status{}, deploy.ErrSamePerson
	}
	return f.all[name].Status, f.note(by, deploy.Approved, name, f.failing)
}

// Promote knows a shadow of analysis.rate.
func (f *fakePlugins) Promote(_ context.Context, p deploy.Promotion) (runner.Status, error) {
	if p.Name != "analysis.rate" {
		return runner.Status{}, deploy.ErrNoShadow
	}
	return f.all[p.Name].Status, f.note(p.By, deploy.Promoted, p.Name, f.failing)
}

func (f *fakePlugins) Fork(ctx context.Context, k deploy.Fork) (runner.Status, error) {
	d := f.all[k.Name]
	st, err := f.Deploy(ctx, deploy.Submission{Kind: d.Kind, Name: k.To, Config: "message_matcher = 'TRUE'", Source: d.Source})
	return st, f.note(k.By, deploy.Forked, k.To, err)
}

func (f *fakePlugins) Remove(_ context.Context, _ deploy.Actor, name string) error {
	err := f.set(name, runner.StoppedBy)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		delete(f.all, name)
	}
	return err
}

type fakeSeries struct {
	version view.Version
	graphs  []series.Graph
}

func (f *fakeSeries) List() (out []series.Info) {
	for _, g := range f.graphs {
		out = append(out, g.Info)
	}
	return out
}

func (f *fakeSeries) GetType(logger, name, typ string) (series.Graph, bool) {
	for _, g := range f.graphs {
		if g.Logger == logger && g.Name == name && g.Type == typ {
			return g, true
		}
	}
	return series.Graph{}, false
}

func (f *fakeSeries) Version() uint64 { return f.version.Now() }

type fakeLog struct {
	mu    sync.Mutex
	stats stream.Stats
}

func (f *fakeLog) First() stream.Position { return stream.Position{} }
func (f *fakeLog) End() stream.Position   { return stream.Position{Segment: 1, Offset: 2} }
func (f *fakeLog) Stats() stream.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

type fakeEdge struct{}

func (fakeEdge) Stats() httpdoor.Stats {
	return httpdoor.Stats{Answers: map[int]int64{200: 12, 404: 1}, Bytes: 345, InFlight: 6,
		Took: httpdoor.Took{Count: 3, Sum: 1500 * time.Millisecond, Below: map[float64]uint64{.005: 2, 10: 3}}}
}

// fakeParse knows one fault: a config without a matcher.
func fakeParse(kind sandbox.Kind, name string, src []byte) (*sandbox.Config, error) {
	if !bytes.Contains(src, []byte("message_matcher")) {
		return nil, &sandbox.Error{Plugin: string(kind) + "." + name, Outcome: sandbox.LoadError, Line: 3, Text: "there is no matcher"}
	}
	cfg := &sandbox.Config{Kind: kind, Name: name, Matcher: "TRUE"}
	if _, text, ok := bytes.Cut(src, []byte("message_matcher = ")); ok {
		if line, _, _ := strings.Cut(string(text), "\n"); len(line) > 2 {
			cfg.Matcher = line[1 : len(line)-1] // without its quotation marks
		}
	}
	if bytes.Contains(src, []byte(".wasm")) {
		cfg.Filename = "x.wasm"
	}
	return cfg, nil
}

// Check implements Plugins.
func (*fakePlugins) Check(_ context.Context, sub deploy.Submission) ([]sandbox.Finding, error) {
	if _, err := deploy.Validate(fakeParse, sub); err != nil {
		return nil, err
	}
	if bytes.Contains(sub.Source, []byte("broken")) {
		return nil, &sandbox.Error{Outcome: sandbox.LoadError, Line: 2, Text: "'=' expected"}
	}
	return []sandbox.Finding{{Field: "config", Key: "message_matcher", Text: "Hindsight reads this differently"}}, nil
}

// host is a site with everything fake around it.
type host struct {
	health *health.Board
	*Site
	t       *testing.T
	clock   *fakeClock
	plugins *fakePlugins
	series  *fakeSeries
	raw     *fakeLog
	again   *fakeRaw
	log     *bytes.Buffer
}

// newSaved is a real store in a catalog of its own.
func newSaved(t *testing.T, clock *fakeClock) *saved.Store {
	t.Helper()
	c, err := catalog.Open(filepath.Join(t.TempDir(), "c.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return saved.New(saved.Options{Journal: deploy.Own(c), Catalog: c, Now: clock.now})
}

// fakeSessions are those that were ended.
type fakeSessions map[string]bool

func (f fakeSessions) EndSession(_ context.Context, id string, _ time.Time) error {
	f[id] = true
	return nil
}

func (f fakeSessions) SessionEnded(_ context.Context, id string) (bool, error) { return f[id], nil }

type fakeClock struct {
	mu sync.Mutex
	at time.Time
}

func (f *fakeClock) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fakeClock) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

func newHost(t *testing.T, change func(*Options)) *host {
	t.Helper()
	h := &host{t: t, clock: &fakeClock{at: start()}, series: &fakeSeries{}, raw: &fakeLog{}, again: &fakeRaw{}, log: &bytes.Buffer{}}
	h.health = health.NewBoard(h.clock.now, slog.New(slog.DiscardHandler))
	status := func(name string, kind sandbox.Kind) deploy.Detail {
		return deploy.Detail{Status: runner.Status{Name: name, Kind: kind, State: runner.Running, Since: start(), Matcher: "TRUE",
			Limits: sandbox.DefaultLimits(), Stats: runner.Stats{Matched: 5, Outcomes: map[string]int64{"ok": 5}, LastError: hostile}},
			Config: hostile, Source: []byte(hostile)}
	}
	h.plugins = &fakePlugins{all: map[string]deploy.Detail{
		"analysis.rate": status("analysis.rate", sandbox.Analysis), "analysis.twin": status("analysis.twin", sandbox.Analysis),
		"output.twin": status("output.twin", sandbox.Output), "decoder.moz.ingest": status("decoder.moz.ingest", sandbox.Decoder)}}
	h.series.graphs = []series.Graph{
		{Info: series.Info{Logger: "analysis.rate", Name: "a/b", Type: "cbuf", Title: "a/b", Updated: start(), Bytes: 10, Version: 3},
			Data: &cbuf.Data{Time: 60, Rows: 2, Columns: 1, SecondsPerRow: 60, Info: []cbuf.ColumnInfo{{Name: "n", Unit: "count", Aggregation: "sum"}},
				Annotations: []cbuf.Annotation{{X: 60000, Col: 1, ShortText: "A", Text: hostile}}, Values: [][]float64{{1.5}, {math.NaN()}}}},
		{Info: series.Info{Logger: "analysis.rate", Type: "txt", Title: "rate", Updated: start(), Bytes: 30, Version: 5}, Text: hostile},
		{Info: series.Info{Logger: "analysis.other", Type: "txt", Title: "other", Updated: start(), Version: 6}, Text: "no"},
	}
	o := Options{Plugins: h.plugins, Series: h.series, Edge: fakeEdge{}, Archive: fakeArchive{}, Commits: fakeCommits{}, Partitions: fakePartitions{}, Health: h.health, Parse: fakeParse, Ceilings: sandbox.DefaultCeilings, Sessions: fakeSessions{},
		Evidence: fakeEvidence{}, Alerts: fakeAlerts{{Key: "k2", Version: 2, ID: "b", Summary: hostile, Logger: "analysis.rate", Time: start(), Began: start(), Fields: []alert.Field{{Name: "email.recipients", Values: []string{"a@b"}}}},
			{Key: "k1", Version: 1, ID: "a", Summary: "s", Logger: "analysis.other", Time: start(), Began: start()}},
		Failures: fakeFailures{{Position: "0:0", Cause: "c1", Time: start(), Type: "json", Error: "bad", Namespace: "telemetry", Payload: &failures.Payload{Text: hostile}},
			{Position: "0:9", Time: start(), Type: "uri", Error: "bad", Namespace: "telemetry"}},
		Messages: newTap(), Trials: newTrials(), Shadows: newShadows(), Vitals: vitals.New(), Letters: newLetters(), History: fakeHistory{}, Queries: promql.New(h.series, fakeHistory{}, slog.New(slog.DiscardHandler)), Schemas: newSchemas(), Raw: h.again, Saved: newSaved(t, h.clock), Notices: &fakeNotices{}, Lake: fakeLake{}, SQL: fakeSQL{}, Streams: map[string]Log{stream.Raw: h.raw, stream.Valid: &fakeLog{}, stream.Errors: &fakeLog{}, stream.Derived: &fakeLog{}},
		Version: "v0", Hostname: "h1", Listen: "127.0.0.1:8080", Now: h.clock.now, Logger: slog.New(slog.NewTextHandler(h.log, nil))}
	if change != nil {
		change(&o)
	}
	var err error
	if h.Site, err = newSite(o, testFiles()); err != nil {
		t.Fatal(err)
	}
	return h
}

// newSchemas are one that can be used and one that cannot.
func newSchemas() *schemas.Registry {
	r, err := schemas.Open(fstest.MapFS{
		"lab/reading/reading.1.schema.json": {Data: []byte(`{"title": ` + strconv.Quote(hostile) + `, "type": "object", "properties": {"who": {"type": "string", "x-personal": true}}}`)},
		"lab/odd/odd.1.schema.json":         {Data: []byte(`{`)},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	return r
}

// newTap looks into a stream with three messages.
func newTap() *tap.Tap {
	log := viewtest.New(10)
	for n := range 3 {
		var b message.Builder
		b.SetTimestamp(start().UnixNano() + int64(n))
		b.SetHeader(message.Type, hostile)
		b.AddInt("n", "count", int64(n))
		b.AddString("remote_addr", "", "192.0.2.1")
		log.Put(b.AppendTo(nil))
	}
	return tap.New(map[string][]stream.Log{stream.Valid: {log}, stream.Errors: {viewtest.New(10)}, stream.Derived: {viewtest.New(10)}, stream.Raw: {viewtest.New(10)}}, time.Now)
}

// fakeHistory knows a graph of analysis.rate.
type fakeHistory struct{}

func (fakeHistory) Range(_ context.Context, logger, name string, from, to int64, points int, way history.Way) (*cbuf.Data, error) {
	if logger != "analysis.rate" || name != "a/b" {
		return nil, nil
	}
	return &cbuf.Data{Time: from, Rows: 1, Columns: 1, SecondsPerRow: int(to - from), Info: []cbuf.ColumnInfo{{Name: string(way)}}, Annotations: []cbuf.Annotation{}, Values: [][]float64{{float64(points)}}}, nil
}

// fakePartitions are two of four.
type fakePartitions struct{}

func (fakePartitions) Share() partitions.Share {
	return partitions.Share{Here: []int32{1, 3}, Of: 4, Changes: 6}
}

// fakeArchive is landfill a minute behind.
type fakeArchive struct{}

func (fakeArchive) Stats() landfill.Stats {
	return landfill.Stats{Files: 2, Bytes: 30, Waiting: 400, Since: start().Add(-time.Minute)}
}

// fakeCommits are ten, of which one failed.
type fakeCommits struct{}

func (fakeCommits) Commits() commit.Stats {
	return commit.Stats{Commits: 10, Failed: 1, Time: 250 * time.Millisecond}
}

// testFiles are pages that show what they are given.
func testFiles() fs.FS {
	files := fstest.MapFS{
		"templates/layout.html": {Data: []byte(`<title>{{.Title}} {{.Host}} {{.Token}}</title><script src="{{asset "app.js"}}"></script>{{template "content" .}}`)},
		"assets/app.js":         {Data: []byte(`"use strict";`)},
		"assets/style.css":      {Data: []byte(`body{}`)},
	}
	for _, page := range []string{"overview", "plugins", "plugin", "submit", "alerts", "alert", "errors", "messages", "schemas", "lake", "dashboards", "dashboard", "help", "missing", "login"} {
		files["templates/"+page+".html"] = &fstest.MapFile{Data: []byte(`{{define "content"}}<main id="` + page + `" data-name="{{.Name}}" data-next="{{.Next}}">{{.Error}}</main>{{end}}`)}
	}
	return files
}

const token = "0123456789abcdef"

func withToken(o *Options) { o.Token = token }

// request makes one as the command line would send it.
func request(method, path, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8080"
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

// do answers a request and holds the answer to openapi.yaml.
func (h *host) do(r *http.Request) *httptest.ResponseRecorder {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	checkDocumented(h.t, r, w)
	return w
}

func (h *host) get(path string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.do(request(http.MethodGet, path, "", headers...))
}

var errHost = errors.New("disk on fire at /secret")
