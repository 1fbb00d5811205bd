package saved

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"sandbar/sandbox"
)

// Route says who is told of which alerts.
type Route struct {
	Head      `json:"-"`
	Title     string   `json:"title"`
	Matcher   string   `json:"matcher"`         // of the alert's message
	Owner     string   `json:"owner,omitempty"` // only of plugins whose author that is
	Mail      []string `json:"mail,omitempty"`
	Webhooks  []Hook   `json:"webhooks,omitempty"`
	BySubject bool     `json:"by_subject,omitempty"` // told for each subject; else for each plugin
	GroupBy   []string `json:"group_by,omitempty"`   // labels: told for each of their values
	Wait      int      `json:"wait"`                 // seconds from the first alert to its notice
	Interval  int      `json:"interval"`             // seconds between notices with news
	Repeat    int      `json:"repeat"`               // seconds between notices without news; 0: none
	Resolved  bool     `json:"resolved"`             // also told when it is over

	Labels map[string]string `json:"labels,omitempty"` // only of alerts that have these

	Unless   string      `json:"unless,omitempty"` // matcher: while an alert fires that it takes, others are not told
	Quiet    *Hours      `json:"quiet,omitempty"`
	Escalate *Escalation `json:"escalate,omitempty"`
}

// Hook is an address of a service.
type Hook struct {
	Form     string `json:"form,omitempty"` // "webhook" when empty; "slack", "teams", "pagerduty", "opsgenie", "alertmanager", "irc"
	URL      string `json:"url"`
	Secret   string `json:"secret,omitempty"`   // signs what is sent, or is the service's key
	Template string `json:"template,omitempty"` // of a webhook's body
}

// Hours are those of a day in which nothing is told; what comes then is told after them.
type Hours struct {
	From string `json:"from"`           // "22:00"
	To   string `json:"to"`             // "07:00": of the next day when it is before From
	Zone string `json:"zone"`           // "Europe/Stockholm"; UTC when empty
	Days []int  `json:"days,omitempty"` // on which they begin, 0 is Sunday; all when empty
}

// Escalation is who else is told of what nobody acknowledges.
type Escalation struct {
	After    int      `json:"after"` // seconds since it was told
	Mail     []string `json:"mail,omitempty"`
	Webhooks []Hook   `json:"webhooks,omitempty"`
}

// Covers says whether a time is within the hours.
func (h *Hours) Covers(t time.Time) bool {
	from, to, zone, err := h.parse()
	if err != nil {
		return false
	}
	t = t.In(zone)
	at, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	switch {
	case from <= to && (at < from || at >= to), from > to && at < from && at >= to:
		return false
	case from > to && at < to: // they began the day before
		day = (day + 6) % 7
	}
	return len(h.Days) == 0 || slices.Contains(h.Days, day)
}

func (h *Hours) parse() (from, to int, zone *time.Location, err error) {
	minutes := func(s string) int {
		t, e := time.Parse("15:04", s)
		if e != nil {
			err = invalid("%.20q is no time of day like 22:00", s)
		}
		return t.Hour()*60 + t.Minute()
	}
	from, to = minutes(h.From), minutes(h.To)
	zone = time.UTC
	if h.Zone != "" && err == nil {
		if len(h.Zone) > 64 || h.Zone == "Local" {
			return 0, 0, nil, invalid("%.20q is no time zone", h.Zone)
		}
		if zone, err = time.LoadLocation(h.Zone); err != nil {
			err = invalid("%.64q is no time zone", h.Zone)
		}
	}
	for _, d := range h.Days {
		if d < 0 || d > 6 {
			err = invalid("%d is no day of a week", d)
		}
	}
	if err == nil && from == to {
		err = invalid("quiet hours begin and end at %s", h.From)
	}
	return from, to, zone, err
}

const (
	mostTargets  = 20
	mostLabels   = 16
	mostTemplate = 16 << 10
	longestWait  = 24 * 3600
	longestTurn  = 30 * 24 * 3600
)

func (r *Route) check() error {
	if r.Title == "" {
		return invalid("a route needs a title")
	}
	if len(r.Mail)+len(r.Webhooks) == 0 {
		return invalid("a route needs somebody to tell: mailboxes or webhooks")
	}
	mail, hooks := r.Mail, r.Webhooks
	if r.Quiet != nil {
		if _, _, _, err := r.Quiet.parse(); err != nil {
			return err
		}
		if len(r.Quiet.Days) > 7 {
			return invalid("a week has 7 days")
		}
	}
	if e := r.Escalate; e != nil {
		if len(e.Mail)+len(e.Webhooks) == 0 || e.After < 60 || e.After > longestWait {
			return invalid("an escalation needs somebody to tell, 60 to %d seconds after the first", longestWait)
		}
		mail, hooks = slices.Concat(mail, e.Mail), slices.Concat(hooks, e.Webhooks)
	}
	if len(mail)+len(hooks) > mostTargets {
		return invalid("a route tells %d at most", mostTargets)
	}
	for _, s := range append([]string{r.Title}, mail...) {
		if err := text("a title or mailbox", s, mostName); err != nil {
			return err
		}
	}
	if err := text("the matcher", r.Matcher, mostText); err != nil {
		return err
	}
	if r.Unless != "" {
		if err := text("the matcher of what others wait for", r.Unless, mostText); err != nil {
			return err
		}
	}
	for _, h := range hooks {
		if err := text("a webhook", h.URL+h.Secret+h.Form, 2000); err != nil {
			return err
		}
		if len(h.Template) > mostTemplate {
			return invalid("a template has %d bytes at most", mostTemplate)
		}
	}
	if err := text("an owner", r.Owner, mostName); err != nil {
		return err
	}
	if len(r.Labels) > mostLabels || len(r.GroupBy) > mostLabels {
		return invalid("a route asks for %d labels at most", mostLabels)
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(r.Labels)), r.GroupBy) {
		if !sandbox.IsLabel(name) {
			return invalid("%.40q is no name of a label: up to 32 letters, digits and underscores, not beginning with a digit", name)
		}
		if err := text("a label", r.Labels[name], mostName); err != nil {
			return err
		}
	}
	for _, n := range []struct {
		name       string
		value, max int
	}{{"wait", r.Wait, longestWait}, {"interval", r.Interval, longestWait}, {"repeat", r.Repeat, longestTurn}} {
		if n.value < 0 || n.value > n.max {
			return invalid("%s is %d seconds; it has to be between 0 and %d", n.name, n.value, n.max)
		}
	}
	return nil
}

// Routes are all, by their IDs.
func (s *Store) Routes(ctx context.Context) ([]Route, error) {
	return all(ctx, s, route, func(r *Route, h Head) { r.Head = h })
}

// SaveRoute makes or replaces the route of r's ID. over is as with SaveDashboard. A webhook without a secret keeps the one that it had.
func (s *Store) SaveRoute(ctx context.Context, by string, r Route, over int) (Head, error) {
	if err := checkID(r.ID); err != nil {
		return Head{}, err
	}
	if err := r.check(); err != nil {
		return Head{}, err
	}
	if err := s.opt.CheckRoute(&r); err != nil {
		return Head{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	present, err := s.Routes(ctx)
	if err != nil {
		return Head{}, err
	}
	for _, old := range present {
		if old.ID == r.ID {
			keepSecrets(r.Webhooks, old.Webhooks)
			if r.Escalate != nil && old.Escalate != nil {
				keepSecrets(r.Escalate.Webhooks, old.Escalate.Webhooks)
			}
		}
	}
	return s.put(ctx, route, by, "save", r, "", replacing(route, r.ID, over))
}

// keepSecrets gives addresses without a secret the one that they had.
func keepSecrets(hooks, before []Hook) {
	for i := range hooks {
		for _, h := range before {
			if h.URL == hooks[i].URL && h.Form == hooks[i].Form && hooks[i].Secret == "" {
				hooks[i].Secret = h.Secret
			}
		}
	}
}

// RemoveRoute forgets one.
func (s *Store) RemoveRoute(ctx context.Context, by, id string) error {
	return s.drop(ctx, route, id, by, "remove")
}
