package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/prometheus/model/labels"

	"sandbar/host/saved"
)

// The part of Alertmanager's API (v2) that amtool and its kin need to see alerts and to silence them, under /alertmanager. An alert has the labels alertname (the subject) and plugin.

// amMatcher is a matcher of a silence. Ours are about one plugin, and perhaps one subject of it.
type amMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual,omitempty"` // true when absent
}

type amState struct {
	State string `json:"state"`
}

type amSilence struct {
	ID        string      `json:"id"`
	Matchers  []amMatcher `json:"matchers"`
	StartsAt  time.Time   `json:"startsAt"`
	EndsAt    time.Time   `json:"endsAt"`
	UpdatedAt time.Time   `json:"updatedAt"`
	CreatedBy string      `json:"createdBy"`
	Comment   string      `json:"comment"`
	Status    amState     `json:"status"`
}

type amAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	UpdatedAt    time.Time         `json:"updatedAt"`
	Fingerprint  string            `json:"fingerprint"`
	GeneratorURL string            `json:"generatorURL"`
	Receivers    []amReceiver      `json:"receivers"`
	Status       amAlertState      `json:"status"`
}

type amReceiver struct {
	Name string `json:"name"`
}

type amAlertState struct {
	State       string   `json:"state"` // "active", "suppressed"
	SilencedBy  []string `json:"silencedBy"`
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"`
}

func asAlertmanager(q *saved.Silence) amSilence {
	yes := true
	out := amSilence{ID: q.ID, StartsAt: q.Updated, UpdatedAt: q.Updated, EndsAt: q.Until, CreatedBy: q.Author, Comment: q.Why, Status: amState{"active"},
		Matchers: []amMatcher{{Name: "plugin", Value: q.Plugin, IsEqual: &yes}}}
	if q.Subject != "" {
		out.Matchers = append(out.Matchers, amMatcher{Name: "alertname", Value: q.Subject, IsEqual: &yes})
	}
	return out
}

// asAlertmanagerDoes answers faults as Alertmanager does: as a JSON string.
func (s *Site) asAlertmanagerDoes(do echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := do(c)
		var f *fault
		if errors.As(err, &f) {
			return answer(c, f.status, f.Text)
		}
		return err
	}
}

// amFilter reads filter=name="value", any number of times.
func amFilter(c echo.Context) (all []*labels.Matcher, err error) {
	texts := c.QueryParams()["filter"]
	if len(texts) > 20 {
		return nil, refuse(http.StatusBadRequest, "%d filters; 20 are allowed", len(texts))
	}
	for _, text := range texts {
		m, err := amMatches(text)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "filter %.100q: %v", text, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// amMatches reads name=value, whose value may be quoted; also with !=, =~ and !~.
func amMatches(text string) (*labels.Matcher, error) {
	at := strings.IndexAny(text, "=!")
	if at < 1 {
		return nil, errors.New("it is not name=value")
	}
	name, rest := strings.TrimSpace(text[:at]), text[at:]
	for _, op := range []struct {
		sign string
		typ  labels.MatchType
	}{{"=~", labels.MatchRegexp}, {"!~", labels.MatchNotRegexp}, {"!=", labels.MatchNotEqual}, {"=", labels.MatchEqual}} {
		value, ok := strings.CutPrefix(rest, op.sign)
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		if strings.HasPrefix(value, `"`) {
			var err error
			if value, err = strconv.Unquote(value); err != nil {
				return nil, err
			}
		}
		if len(value) > 1000 {
			return nil, errors.New("a value has 1000 bytes at most")
		}
		return labels.NewMatcher(op.typ, name, value)
	}
	return nil, errors.New("it is not name=value")
}

func amWants(filter []*labels.Matcher, has map[string]string) bool {
	return !slices.ContainsFunc(filter, func(m *labels.Matcher) bool { return !m.Matches(has[m.Name]) })
}

func (s *Site) amStatus(c echo.Context) error {
	return answer(c, http.StatusOK, map[string]any{
		"cluster": map[string]any{"status": "disabled", "peers": []any{}}, "uptime": s.opt.Now().UTC(), "config": map[string]string{"original": ""},
		"versionInfo": map[string]string{"branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "", "version": "Sandbar " + s.opt.Version},
	})
}

func (s *Site) amAlerts(c echo.Context) error {
	filter, err := amFilter(c)
	if err != nil {
		return err
	}
	all, err := s.attention.about(c.Request().Context(), s.opt.Now(), s.opt.Alerts.Firing()...)
	if err != nil {
		return err
	}
	out := []amAlert{}
	for _, i := range all {
		has := map[string]string{"alertname": i.ID, "plugin": i.Logger, "source": "sandbar"}
		if !amWants(filter, has) {
			continue
		}
		one := amAlert{Labels: has, Annotations: map[string]string{"summary": i.Summary}, StartsAt: i.Began, EndsAt: i.Until, UpdatedAt: i.Last, Fingerprint: i.Key, GeneratorURL: "/alerts/" + i.Key,
			Receivers: []amReceiver{{"sandbar"}}, Status: amAlertState{State: "active", SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}}}
		if i.Silence != nil {
			one.Status.State, one.Status.SilencedBy = "suppressed", []string{i.Silence.Head.ID}
		}
		out = append(out, one)
	}
	return answer(c, http.StatusOK, out)
}

func (s *Site) amSilences(c echo.Context) error {
	filter, err := amFilter(c)
	if err != nil {
		return err
	}
	list, err := s.opt.Saved.Silences(c.Request().Context())
	if err != nil {
		return err
	}
	out := []amSilence{}
	for i := range list {
		if amWants(filter, map[string]string{"plugin": list[i].Plugin, "alertname": list[i].Subject}) {
			out = append(out, asAlertmanager(&list[i]))
		}
	}
	return answer(c, http.StatusOK, out)
}

func (s *Site) amGetSilence(c echo.Context) error {
	list, err := s.opt.Saved.Silences(c.Request().Context())
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].ID == c.Param("id") {
			return answer(c, http.StatusOK, asAlertmanager(&list[i]))
		}
	}
	return refuse(http.StatusNotFound, "there is no such silence, or it is over")
}

// ourSilence reads a silence in Alertmanager's form.
func ourSilence(in *amSilence, now time.Time) (q saved.Silence, err error) {
	q = saved.Silence{Why: in.Comment, Until: in.EndsAt}
	if in.StartsAt.After(now.Add(time.Minute)) {
		return q, fmt.Errorf("a silence begins now; it cannot begin at %s", in.StartsAt.Format(time.RFC3339))
	}
	for _, m := range in.Matchers {
		if m.IsRegex || m.IsEqual != nil && !*m.IsEqual {
			return q, fmt.Errorf("matcher %.60q: a silence is about names as they are, plugin=NAME and alertname=SUBJECT", m.Name)
		}
		switch m.Name {
		case "plugin":
			q.Plugin = m.Value
		case "alertname":
			q.Subject = m.Value
		case "source":
		default:
			return q, fmt.Errorf("matcher %.60q: alerts have the labels plugin and alertname", m.Name)
		}
	}
	return q, nil
}

// amAddSilence adds a silence, or replaces the one of its ID.
func (s *Site) amAddSilence(c echo.Context) error {
	var in amSilence
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	q, err := ourSilence(&in, s.opt.Now())
	if err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	if name := strings.TrimSpace(in.CreatedBy); name != "" && c.Request().Header.Get(asHeader) == "" {
		c.Request().Header.Set(asHeader, name) // who runs amtool
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	if in.ID != "" {
		list, err := s.opt.Saved.Silences(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(old saved.Silence) bool { return old.ID == in.ID }) {
			return refuse(http.StatusNotFound, "there is no such silence, or it is over")
		}
	}
	head, err := s.opt.Saved.Silence(ctx, string(by), q)
	if err != nil {
		return savedFault(err)
	}
	if in.ID != "" {
		if err := s.opt.Saved.EndSilence(ctx, string(by), in.ID); err != nil {
			return savedFault(err)
		}
	}
	return answer(c, http.StatusOK, map[string]string{"silenceID": head.ID})
}

func (s *Site) amEndSilence(c echo.Context) error {
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	if err := s.opt.Saved.EndSilence(ctx, string(by), c.Param("id")); err != nil {
		return savedFault(err)
	}
	return c.NoContent(http.StatusOK)
}
