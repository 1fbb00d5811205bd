package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/host/alert"
	"sandbar/host/notify"
	"sandbar/host/saved"
	"sandbar/sandbox/message"
)

// Notices is what people are told of alerts, beside the page. An error says that another host does it.
type Notices interface {
	Status() (notify.Status, error)
	Again(id string) (bool, error)
	Test(ctx context.Context, r saved.Route) ([]Tested, error)
	Mails() bool // there is a mail server
	// Takes says which alerts a route takes, by their messages.
	Takes(r *saved.Route) (func(v *message.View) bool, error)
	// Named are the mailboxes that hear of an alert without a route: those that it names, or who owns its plugin when routed is false.
	Named(a *alert.Alert, routed bool) []string
}

// Tested is how a test of a target went.
type Tested struct {
	Way     string `json:"way"`
	Address string `json:"address"`
	Error   string `json:"error,omitempty"`
}

// routing is a route as the API tells it: without secrets.
type routing struct {
	saved.Head
	saved.Route
	Webhooks []hook      `json:"webhooks"`
	Escalate *escalation `json:"escalate,omitempty"`
}

type hook struct {
	Form     string `json:"form,omitempty"`
	URL      string `json:"url"`
	Signed   bool   `json:"signed"` // there is a secret
	Template string `json:"template,omitempty"`
}

type escalation struct {
	After    int      `json:"after"`
	Mail     []string `json:"mail,omitempty"`
	Webhooks []hook   `json:"webhooks"`
}

func withoutSecrets(hooks []saved.Hook) []hook {
	out := []hook{}
	for _, h := range hooks {
		out = append(out, hook{h.Form, h.URL, h.Secret != "", h.Template})
	}
	return out
}

func (s *Site) listRoutes(c echo.Context) error {
	list, err := s.opt.Saved.Routes(c.Request().Context())
	if err != nil {
		return err
	}
	out := []routing{}
	for _, r := range list {
		one := routing{Head: r.Head, Route: r, Webhooks: withoutSecrets(r.Webhooks)}
		if e := r.Escalate; e != nil {
			one.Escalate = &escalation{e.After, e.Mail, withoutSecrets(e.Webhooks)}
		}
		out = append(out, one)
	}
	return answer(c, http.StatusOK, struct {
		Routes []routing `json:"routes"`
		Mails  bool      `json:"mails"`
	}{out, s.opt.Notices.Mails()})
}

// saveRoute makes a route, or replaces the version that If-Match names.
func (s *Site) saveRoute(c echo.Context) error {
	id, err := pathParam(c, "id")
	if err != nil {
		return err
	}
	var r saved.Route
	if err := s.readJSON(c, &r); err != nil {
		return err
	}
	r.ID = id
	over, err := ifMatch(c)
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	head, err := s.opt.Saved.SaveRoute(ctx, string(by), r, over)
	if err != nil {
		return savedFault(err)
	}
	c.Response().Header().Set("ETag", etag(head.Version))
	return answer(c, http.StatusOK, head)
}

func (s *Site) removeRoute(c echo.Context) error { return s.drop(c, s.opt.Saved.RemoveRoute) }

// testRoute sends a test to everybody whom a route tells, as it is saved.
func (s *Site) testRoute(c echo.Context) error {
	id, err := pathParam(c, "id")
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	if err := s.opt.May(string(by), "test", "route"); err != nil {
		return refuse(http.StatusForbidden, "%v", err)
	}
	list, err := s.opt.Saved.Routes(c.Request().Context())
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.ID != id {
			continue
		}
		all, err := s.opt.Notices.Test(c.Request().Context(), r)
		if err != nil {
			return refuse(http.StatusServiceUnavailable, "%v", err)
		}
		return answer(c, http.StatusOK, map[string]any{"tested": all})
	}
	return refuse(http.StatusNotFound, "there is no such route")
}

// mostAsked is how many of the newest alerts whoWouldGet looks at.
const mostAsked = 5000

// whoWouldGet says which of the newest alerts a matcher takes, before a route with it is saved.
func (s *Site) whoWouldGet(c echo.Context) error {
	var in struct {
		Matcher string            `json:"matcher"`
		Owner   string            `json:"owner"`
		Labels  map[string]string `json:"labels"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	takes, err := s.opt.Notices.Takes(&saved.Route{Matcher: in.Matcher, Owner: in.Owner, Labels: in.Labels})
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	out := struct {
		Of      int           `json:"of"`
		Matched int           `json:"matched"`
		Newest  []alert.Alert `json:"newest"`
	}{Newest: []alert.Alert{}}
	for _, a := range s.opt.Alerts.List(mostAsked, alert.Filter{}) {
		out.Of++
		if !a.Wanted(takes) {
			continue
		}
		if out.Matched++; len(out.Newest) < 20 {
			out.Newest = append(out.Newest, a)
		}
	}
	return answer(c, http.StatusOK, out)
}

// told is who hears of an alert.
type told struct {
	Routes []routeName `json:"routes"`
	Mail   []string    `json:"mail"` // without a route
}

type routeName struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// tells says who hears of an alert, as routes are now.
func (s *Site) tells(ctx context.Context, a *alert.Alert) (told, error) {
	out := told{Routes: []routeName{}, Mail: []string{}}
	list, err := s.opt.Saved.Routes(ctx)
	if err != nil {
		return out, err
	}
	for i := range list {
		r := &list[i]
		if takes, err := s.opt.Notices.Takes(r); err == nil && a.Wanted(takes) {
			out.Routes = append(out.Routes, routeName{r.ID, r.Title})
		}
	}
	out.Mail = append(out.Mail, s.opt.Notices.Named(a, len(out.Routes) > 0)...)
	return out, nil
}

func (s *Site) listNotices(c echo.Context) error {
	st, err := s.opt.Notices.Status()
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	return answer(c, http.StatusOK, st)
}

// noticeAgain tries a delivery again, now.
func (s *Site) noticeAgain(c echo.Context) error {
	id, err := pathParam(c, "id")
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	if err := s.opt.May(string(by), "deliver again", "notice"); err != nil {
		return refuse(http.StatusForbidden, "%v", err)
	}
	ok, err := s.opt.Notices.Again(id)
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	if !ok {
		return refuse(http.StatusNotFound, "there is no such delivery")
	}
	return c.NoContent(http.StatusNoContent)
}
