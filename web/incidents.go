package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/alert"
	"sandbar/host/catalog"
	"sandbar/host/saved"
)

// States of an incident.
const (
	firing   = "firing"   // alerts come, or came shortly before
	resolved = "resolved" // none came any more
)

// incident is an incident with what people decided about it.
type incident struct {
	alert.Incident
	State   string   `json:"state"`
	Seen    *seen    `json:"seen,omitempty"`
	Silence *silence `json:"silence,omitempty"` // that covers it now
}

type seen struct {
	saved.Head
	Note    string `json:"note,omitempty"`
	Useless bool   `json:"useless,omitempty"`
}

// silence is a silence as the API tells it.
type silence struct {
	saved.Head
	saved.Silence
}

// attention keeps what is saved about alerts, so that looking at incidents asks the catalog only after a change.
type attention struct {
	from Saved

	mu       sync.Mutex
	read     bool
	version  uint64
	silences []saved.Silence
	seen     map[[2]string]saved.Seen // by plugin and subject
}

func (a *attention) load(ctx context.Context) error {
	version := a.from.Version()
	if a.read && version == a.version {
		return nil
	}
	silences, err := a.from.Silences(ctx)
	if err != nil {
		return err
	}
	list, err := a.from.AllSeen(ctx)
	if err != nil {
		return err
	}
	a.seen = map[[2]string]saved.Seen{}
	for _, q := range list {
		a.seen[[2]string{q.Plugin, q.Subject}] = q
	}
	a.silences, a.version, a.read = silences, version, true
	return nil
}

// about joins incidents with what is saved about them.
func (a *attention) about(ctx context.Context, now time.Time, all ...alert.Incident) ([]incident, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.load(ctx); err != nil {
		return nil, err
	}
	out := make([]incident, 0, len(all))
	for _, i := range all {
		one := incident{Incident: i, State: resolved}
		if !now.After(i.Until) {
			one.State = firing
		}
		if q, ok := a.seen[[2]string{i.Logger, i.ID}]; ok && q.Began.Equal(i.Began) {
			one.Seen = &seen{q.Head, q.Note, q.Useless}
		}
		for _, q := range a.silences {
			if q.Covers(i.Logger, i.ID, now) {
				one.Silence = &silence{q.Head, q}
				break
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// calling is how many incidents nobody has seen or silenced.
func calling(all []incident) (n int) {
	for _, i := range all {
		if i.State == firing && i.Seen == nil && i.Silence == nil {
			n++
		}
	}
	return n
}

const maxIncidents = 500

// listIncidents has what fires, and the silences.
func (s *Site) listIncidents(c echo.Context) error {
	ctx := c.Request().Context()
	all, err := s.attention.about(ctx, s.opt.Now(), s.opt.Alerts.Firing()...)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Total     int        `json:"total"`
		Calling   int        `json:"calling"` // that nobody has seen or silenced
		Incidents []incident `json:"incidents"`
	}{len(all), calling(all), all[:min(len(all), maxIncidents)]})
}

// ranVersion is the version of a plugin that ran at a time.
type ranVersion struct {
	Version int       `json:"version"`
	Since   time.Time `json:"since"`
	By      string    `json:"by,omitempty"`
}

// versionAt finds out of what was done about a plugin, the newest first, which version ran at a time.
func versionAt(events []catalog.Event, at time.Time) *ranVersion {
	for _, e := range events {
		if !e.At.After(at) && e.Version > 0 {
			return &ranVersion{e.Version, e.At, e.Actor}
		}
	}
	return nil
}

const versionEvents = 500 // that are looked at

// getAlert is one alert with its incident, the version that raised it and the graphs that it may be about.
func (s *Site) getAlert(c echo.Context) error {
	a, err := s.alertOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	all, err := s.attention.about(ctx, s.opt.Now(), s.opt.Alerts.Incident(a))
	if err != nil {
		return err
	}
	hears, err := s.tells(ctx, &a)
	if err != nil {
		return err
	}
	events, err := s.opt.Plugins.Events(ctx, a.Logger, versionEvents, 0)
	if err != nil {
		return err
	}
	graphs, own := []string{}, false
	for _, i := range s.infos(a.Logger) {
		if i.Type == "cbuf" {
			graphs = append(graphs, i.Name)
			own = own || i.Name == a.ID
		}
	}
	if own {
		graphs = []string{a.ID}
	}
	return answer(c, http.StatusOK, struct {
		alert.Alert
		Incident incident    `json:"incident"`
		Ran      *ranVersion `json:"ran,omitempty"`
		Graphs   []string    `json:"graphs"`
		SoFar    soFar       `json:"so_far"`
		Told     told        `json:"told"`
	}{a, all[0], versionAt(events, a.Time), graphs, s.soFar(a), hears})
}

// soFar is how a subject fared, as far as its alerts are kept.
type soFar struct {
	Since        time.Time `json:"since"`
	Incidents    int       `json:"incidents"`
	Alerts       int       `json:"alerts"`
	Acknowledged int       `json:"acknowledged"`
	Useless      int       `json:"useless"` // so people said
}

const mostCounted = 10_000 // alerts of a subject

func (s *Site) soFar(a alert.Alert) (out soFar) {
	began := map[time.Time]bool{}
	for _, b := range s.opt.Alerts.List(mostCounted, alert.Filter{Logger: a.Logger, ID: a.ID}) {
		if b.ID != a.ID || b.Over {
			continue
		}
		began[b.Began] = true
		out.Alerts++
		out.Since = b.Time
	}
	out.Incidents = len(began)
	s.attention.mu.Lock()
	defer s.attention.mu.Unlock()
	if q, ok := s.attention.seen[[2]string{a.Logger, a.ID}]; ok {
		out.Acknowledged, out.Useless = max(q.Times, 1), q.Wasted
	}
	return out
}

func (s *Site) alertOf(c echo.Context) (alert.Alert, error) {
	key, err := pathParam(c, "key")
	if err != nil {
		return alert.Alert{}, err
	}
	a, ok := s.opt.Alerts.Get(key)
	if !ok {
		return a, refuse(http.StatusNotFound, "there is no such alert, or it is not kept any more")
	}
	return a, nil
}

// acknowledge says that somebody has seen the incident of an alert.
func (s *Site) acknowledge(c echo.Context) error {
	a, err := s.alertOf(c)
	if err != nil {
		return err
	}
	var in struct {
		Note    string `json:"note"`
		Useless bool   `json:"useless"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	head, err := s.opt.Saved.MarkSeen(ctx, string(by), saved.Seen{Plugin: a.Logger, Subject: a.ID, Began: a.Began, Note: in.Note, Useless: in.Useless})
	if err != nil {
		return savedFault(err)
	}
	return answer(c, http.StatusOK, head)
}

func (s *Site) listSilences(c echo.Context) error {
	list, err := s.opt.Saved.Silences(c.Request().Context())
	if err != nil {
		return err
	}
	out := []silence{}
	for _, q := range list {
		out = append(out, silence{q.Head, q})
	}
	return answer(c, http.StatusOK, map[string]any{"silences": out})
}

func (s *Site) addSilence(c echo.Context) error {
	var q saved.Silence
	if err := s.readJSON(c, &q); err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	head, err := s.opt.Saved.Silence(ctx, string(by), q)
	if err != nil {
		return savedFault(err)
	}
	return answer(c, http.StatusCreated, head)
}

func (s *Site) endSilence(c echo.Context) error { return s.drop(c, s.opt.Saved.EndSilence) }
