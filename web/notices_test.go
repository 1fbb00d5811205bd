package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sandbar/host/alert"
	"sandbar/host/notify"
	"sandbar/host/saved"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// fakeNotices has one delivery that was given up.
type fakeNotices struct{ elsewhere bool }

var errElsewhere = errors.New("another host does this")

func (f *fakeNotices) Status() (notify.Status, error) {
	if f.elsewhere {
		return notify.Status{}, errElsewhere
	}
	return notify.Status{Groups: 1, Waiting: []notify.Job{}, Digests: []notify.Digest{{Plugin: "analysis.rate", Begun: 70, Since: start(), Budget: 60}}, Dead: []notify.Job{{ID: "d1", To: notify.Target{Way: "mail", Address: "ann@example.com"}, Notice: notify.Notice{Plugin: "analysis.rate", Firing: []notify.Subject{{Summary: hostile}}}, Made: start(), Next: start(), Attempts: 3, Error: hostile}}, Failed: 1}, nil
}

func (f *fakeNotices) Again(id string) (bool, error) {
	if f.elsewhere {
		return false, errElsewhere
	}
	return id == "d1", nil
}

func (f *fakeNotices) Test(_ context.Context, r saved.Route) (all []Tested, err error) {
	if f.elsewhere {
		return nil, errElsewhere
	}
	for _, a := range r.Mail {
		all = append(all, Tested{Way: "mail", Address: a})
	}
	return all, nil
}

func (*fakeNotices) Mails() bool { return true }

// Takes has every plugin owned by ann.
func (*fakeNotices) Takes(r *saved.Route) (func(v *message.View) bool, error) {
	m, err := matcher.Parse(r.Matcher)
	if err != nil {
		return nil, fmt.Errorf("the matcher: %w", err)
	}
	return func(v *message.View) bool { return m.Match(v) && (r.Owner == "" || r.Owner == "ann") }, nil
}

func (*fakeNotices) Named(a *alert.Alert, routed bool) []string {
	if routed {
		return nil
	}
	return []string{"owner of " + a.Logger}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	elsewhere := newHost(t, func(o *Options) { o.Notices = &fakeNotices{elsewhere: true} })
	const one = `{"title":"Mine","matcher":"TRUE","mail":["ann@example.com"],"webhooks":[{"url":"https://example.com","secret":"s3cret"}],"wait":30,"interval":300}`
	for _, c := range []struct {
		h                         *host
		method, path, body, match string
		want                      int
		has                       string
	}{
		{h, "GET", "/api/v1/routes", "", "", 200, `{"routes":[],"mails":true}`},
		{h, "PUT", "/api/v1/routes/mine", one, "", 200, `"version":1`},
		{h, "PUT", "/api/v1/routes/mine", one, "", 409, "version 1"},
		{h, "PUT", "/api/v1/routes/mine", one, `"1"`, 200, `"version":2`},
		{h, "PUT", "/api/v1/routes/x", `{"title":"a","matcher":"TRUE"}`, "", 422, "somebody to tell"},
		{h, "GET", "/api/v1/routes", "", "", 200, `"webhooks":[{"url":"https://example.com","signed":true}]`},
		{h, "PUT", "/api/v1/routes/more", `{"title":"More","matcher":"TRUE","webhooks":[{"form":"pagerduty","url":"","secret":"s3cret"}],"unless":"FALSE","quiet":{"from":"22:00","to":"07:00","zone":"Europe/Stockholm"},"escalate":{"after":900,"webhooks":[{"form":"slack","url":"https://example.com/s","secret":"s3cret"}]}}`, "", 200, `"version":1`},
		{h, "GET", "/api/v1/routes", "", "", 200, `"escalate":{"after":900,"webhooks":[{"form":"slack","url":"https://example.com/s","signed":true}]}`},
		{h, "DELETE", "/api/v1/routes/more", "", "", 204, ""},
		{h, "PUT", "/api/v1/routes/y", `{"title":"a","matcher":"TRUE","mail":["a@example.com"],"quiet":{"from":"22:00","to":"25:00"}}`, "", 422, "25:00"},
		{h, "POST", "/api/v1/routes/who", `{"matcher":"TRUE"}`, "", 200, `"matched":`},
		{h, "POST", "/api/v1/routes/who", `{"matcher":"TRUE","owner":"bob","labels":{"team":"web"}}`, "", 200, `"matched":0`},
		{h, "GET", "/api/v1/alerts/k2", "", "", 200, `"told":{"routes":[{"id":"mine","title":"Mine"}],"mail":[]}`},
		{h, "PUT", "/api/v1/routes/z", `{"title":"a","matcher":"TRUE","mail":["a@example.com"],"labels":{"a b":"x"}}`, "", 422, "no name of a label"},
		{h, "PUT", "/api/v1/routes/z", `{"title":"a","matcher":"TRUE","mail":["a@example.com"],"group_by":["1x"]}`, "", 422, "no name of a label"},
		{h, "PUT", "/api/v1/routes/z", `{"title":"a","matcher":"TRUE","mail":["a@example.com"],"owner":"bob","labels":{"team":"web"},"group_by":["country"]}`, "", 200, `"version":1`},
		{h, "GET", "/api/v1/routes", "", "", 200, `"group_by":["country"]`},
		{h, "DELETE", "/api/v1/routes/z", "", "", 204, ""},
		{h, "POST", "/api/v1/routes/who", `{"matcher":"Fields["}`, "", 422, "matcher"},
		{h, "POST", "/api/v1/routes/mine/test", "", "", 200, `{"tested":[{"way":"mail","address":"ann@example.com"}]}`},
		{h, "POST", "/api/v1/routes/none/test", "", "", 404, ""},
		{h, "GET", "/api/v1/notices", "", "", 200, `"failed":1`},
		{elsewhere, "GET", "/api/v1/notices", "", "", 503, "another host"},
		{h, "POST", "/api/v1/notices/d1/again", "", "", 204, ""},
		{h, "POST", "/api/v1/notices/none/again", "", "", 404, ""},
		{elsewhere, "POST", "/api/v1/notices/d1/again", "", "", 503, ""},
		{h, "DELETE", "/api/v1/routes/mine", "", "", 204, ""},
		{h, "DELETE", "/api/v1/routes/mine", "", "", 404, ""},
		{h, "GET", "/api/v1/alerts/k2", "", "", 200, `"told":{"routes":[],"mail":["owner of analysis.rate"]}`},
	} {
		header := []string{"Sandbar-As", "ann"}
		if c.match != "" {
			header = append(header, "If-Match", c.match)
		}
		w := c.h.do(request(c.method, c.path, c.body, header...))
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.has) || strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	denied := newHost(t, func(o *Options) {
		o.May = func(_, what, _ string) error { return errors.New(what + " is not for you") }
	})
	for _, path := range []string{"/api/v1/notices/d1/again", "/api/v1/routes/mine/test"} {
		if w := denied.do(request("POST", path, "")); w.Code != http.StatusForbidden {
			t.Errorf("%s by one who may not: %d", path, w.Code)
		}
	}
}
