package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"sandbar/host/alert"
	"sandbar/host/chart"
	"sandbar/host/clock"
	"sandbar/host/history"
	"sandbar/host/notify"
	"sandbar/host/notify/irc"
	"sandbar/host/notify/mail"
	"sandbar/host/notify/webhook"
	"sandbar/host/saved"
	"sandbar/host/stream"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
	"sandbar/web"
)

// errNotHere says that another host tells people of alerts: the one that has the first partition.
var errNotHere = errors.New("notices are sent by the host that has partition 0; ask there")

// teller tells people of alerts while the first partition is here.
type teller struct {
	h    *host
	mail *mail.Mail // nil: there is no mail server
	ways map[string]notify.Way

	mu      sync.Mutex
	router  *notify.Router // nil: the partition is elsewhere
	version uint64         // of what is saved, when it was read
	read    bool
	routes  []notify.Route
	quiet   []saved.Silence
	seen    map[[2]string]time.Time // when the incident began that somebody has seen

	owners   map[string]string // by plugin, as they were looked up
	ownersAt time.Time         // the first of them
}

// newTeller makes what delivers.
func newTeller(h *host) (*teller, error) {
	t := &teller{h: h, ways: map[string]notify.Way{}}
	cfg := &h.cfg.Alerts
	var networks []netip.Prefix
	for _, n := range cfg.Networks {
		networks = append(networks, n.Prefix)
	}
	hooks := webhook.New(webhook.Options{Networks: networks, Version: program(), Now: clock.Now})
	for _, way := range webhook.Ways() {
		t.ways[way] = hooks
	}
	t.ways["irc"] = irc.New(irc.Options{Dial: hooks.Dial, Nick: "sandbar", Line: webhook.Lines})
	if cfg.Mail.Server == "" {
		return t, nil
	}
	password := cfg.Mail.Password
	if password == "" {
		password = os.Getenv("SANDBAR_MAIL_PASSWORD")
	}
	m, err := mail.New(mail.Options{Server: cfg.Mail.Server, From: cfg.Mail.From, User: cfg.Mail.User, Password: password, TLS: cfg.Mail.TLS, Domains: cfg.Mail.Domains, Now: clock.Now})
	if err != nil {
		return nil, err
	}
	t.mail, t.ways["mail"] = m, m
	return t, nil
}

// check says whether this host can follow a route.
func (t *teller) check(r *saved.Route) error {
	if _, err := matcher.Parse(r.Matcher); err != nil {
		return fmt.Errorf("the matcher: %w", err)
	}
	if r.Unless != "" {
		if _, err := matcher.Parse(r.Unless); err != nil {
			return fmt.Errorf("the matcher of what others wait for: %w", err)
		}
	}
	all := targets(r.Mail, r.Webhooks)
	if r.Escalate != nil {
		all = append(all, targets(r.Escalate.Mail, r.Escalate.Webhooks)...)
	}
	for _, to := range all {
		if err := t.checkTarget(to); err != nil {
			return err
		}
	}
	return nil
}

func (t *teller) checkTarget(to notify.Target) error {
	switch {
	case to.Way == "mail" && t.mail == nil:
		return errors.New("this host has no mail server (alerts.mail in its config)")
	case to.Way == "mail":
		return t.mail.Check(to.Address)
	case t.ways[to.Way] == nil:
		return fmt.Errorf("there is no way %.40q; there are mail, irc, %s", to.Way, strings.Join(webhook.Ways(), ", "))
	case to.Way == "irc":
		return irc.Check(to.Address)
	}
	if to.Template != "" {
		if to.Way != webhook.Plain {
			return fmt.Errorf("%s has a form of its own, and no template", to.Way)
		}
		if _, err := webhook.ParseTemplate(to.Template); err != nil {
			return err
		}
	}
	return webhook.Check(to.Address)
}

// keepOwners is how long it is remembered who owns a plugin: there may be a thousand alerts a second.
const (
	keepOwners = 30 * time.Second
	mostOwners = 5000
)

// owner is who is told of a plugin's alerts when no route says: its author, if that is a mailbox.
func (t *teller) owner(plugin string) []notify.Target {
	if t.mail == nil {
		return nil
	}
	address := t.ownerName(plugin)
	if !strings.Contains(address, "@") || t.mail.Check(address) != nil {
		return nil
	}
	return []notify.Target{{Way: "mail", Address: address}}
}

// ownerName is the author of a plugin, as he calls himself; "" when there is none.
func (t *teller) ownerName(plugin string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if passed := clock.Now().Sub(t.ownersAt); t.owners == nil || passed < 0 || passed > keepOwners {
		t.owners, t.ownersAt = map[string]string{}, clock.Now()
	}
	if len(t.owners) >= mostOwners {
		clear(t.owners)
	}
	name, known := t.owners[plugin]
	if !known {
		name = t.findOwner(plugin)
		t.owners[plugin] = name
	}
	return name
}

// Named implements web.Notices.
func (t *teller) Named(a *alert.Alert, routed bool) (mail []string) {
	if t.mail == nil {
		return nil
	}
	to := notify.Recipients(a)
	if len(to) == 0 && !routed {
		to = t.owner(a.Logger)
	}
	for _, one := range to {
		mail = append(mail, one.Address)
	}
	return mail
}

func (t *teller) findOwner(plugin string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := t.h.deploy.Get(ctx, plugin)
	if err != nil {
		return ""
	}
	name := st.Author
	if at := strings.LastIndex(name, " ("); at > 0 { // behind the name is where it came from
		name = name[:at]
	}
	return name
}

// load reads what people saved, when that has changed. t.mu is held.
func (t *teller) load() {
	version := t.h.saved.Version()
	if t.read && t.version == version {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	routes, err := t.h.saved.Routes(ctx)
	quiet, err2 := t.h.saved.Silences(ctx)
	seen, err3 := t.h.saved.AllSeen(ctx)
	if err := errors.Join(err, err2, err3); err != nil {
		t.h.log.Error("who is told of alerts cannot be read; it stays as it was", "error", err)
		return
	}
	t.routes, t.quiet, t.seen, t.version, t.read = nil, quiet, map[[2]string]time.Time{}, version, true
	for _, s := range seen {
		t.seen[[2]string{s.Plugin, s.Subject}] = s.Began
	}
	for i := range routes {
		if r, err := t.asRoute(&routes[i]); err == nil {
			t.routes = append(t.routes, r)
		} else {
			t.h.log.Error("a route is left out", "route", routes[i].ID, "error", err)
		}
	}
}

// Takes says which alerts a route takes, by their messages.
func (t *teller) Takes(r *saved.Route) (func(v *message.View) bool, error) {
	m, err := matcher.Parse(r.Matcher)
	if err != nil {
		return nil, fmt.Errorf("the matcher: %w", err)
	}
	if r.Owner == "" && len(r.Labels) == 0 {
		return m.Match, nil
	}
	return func(v *message.View) bool {
		for name, want := range r.Labels {
			f, _ := v.Field(message.LabelPrefix+name, 0)
			if b, ok := f.Bytes(0); !ok || string(b) != want {
				return false
			}
		}
		logger, _ := v.Header(message.Logger)
		return m.Match(v) && (r.Owner == "" || t.ownerName(string(logger)) == r.Owner)
	}, nil
}

func (t *teller) asRoute(r *saved.Route) (notify.Route, error) {
	match, err := t.Takes(r)
	if err != nil {
		return notify.Route{}, err
	}
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	out := notify.Route{Name: r.ID, Match: match, GroupBy: r.GroupBy, Targets: targets(r.Mail, r.Webhooks), BySubject: r.BySubject, Wait: seconds(r.Wait), Interval: seconds(r.Interval), Repeat: seconds(r.Repeat), Resolved: r.Resolved}
	if r.Unless != "" {
		unless, err := matcher.Parse(r.Unless)
		if err != nil {
			return notify.Route{}, err
		}
		out.Unless = unless.Match
	}
	if r.Quiet != nil {
		out.Quiet = r.Quiet.Covers
	}
	if e := r.Escalate; e != nil {
		out.Escalate = &notify.Escalation{After: seconds(e.After), Targets: targets(e.Mail, e.Webhooks)}
	}
	return out, nil
}

func targets(mail []string, hooks []saved.Hook) (to []notify.Target) {
	for _, a := range mail {
		to = append(to, notify.Target{Way: "mail", Address: a})
	}
	for _, h := range hooks {
		one := notify.Target{Way: h.Form, Address: h.URL, Secret: h.Secret, Template: h.Template}
		if one.Way == "" {
			one.Way = webhook.Plain
		}
		if one.Address == "" {
			one.Address = webhook.Standard(one.Way)
		}
		to = append(to, one)
	}
	return to
}

// open begins to tell, with the first partition.
func (t *teller) open(ctx context.Context, s stream.Store) (*notify.Router, error) {
	streams := []string{stream.Derived}
	for k := 1; k < t.h.partitions(); k++ {
		streams = append(streams, stream.Elsewhere(stream.Derived, k))
	}
	r, err := notify.Open(ctx, notify.Options{Store: s, Streams: streams, Ways: t.ways, CommitTime: time.Duration(t.h.cfg.Streams.Timeout), Now: clock.Now, Logger: t.h.log,
		Routes: func() []notify.Route {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.load()
			return t.routes
		},
		Quiet: func(plugin, subject string, at time.Time) bool {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.load()
			for i := range t.quiet {
				if t.quiet[i].Covers(plugin, subject, at) {
					return true
				}
			}
			return false
		},
		Ends: func(plugin, subject string, at time.Time) (ends time.Time, ok bool) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.load()
			for i := range t.quiet {
				if q := &t.quiet[i]; q.Covers(plugin, subject, at) && q.Until.After(ends) {
					ends, ok = q.Until, true
				}
			}
			return ends, ok
		},
		Seen: func(plugin, subject string, began time.Time) bool {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.load()
			at, ok := t.seen[[2]string{plugin, subject}]
			return ok && at.Equal(began)
		},
		Budget: int(t.h.cfg.Alerts.Budget), Owner: t.owner, Link: t.link, Picture: t.picture, Report: func(way string, err error) {
			switch way { // a webhook that is away is its owner's to mend, and stands beside the routes
			case "mail":
				t.h.health.Report("mail", err)
			case "":
				t.h.health.Report("notices", err)
			}
		}})
	t.set(r)
	return r, err
}

func (t *teller) set(r *notify.Router) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.router = r
}

func (t *teller) link(key string) string {
	base := t.h.cfg.Alerts.URL
	if base == "" {
		base = "http://" + t.h.cfg.Listen
		if t.h.cfg.TLS.Certificate != "" {
			base = "https://" + t.h.cfg.Listen
		}
	}
	return strings.TrimRight(base, "/") + "/alerts/" + key
}

const pictureSpan = 90 // rows of a graph that are shown

// picture is the graph that a subject is named by, or the first of its plugin, with the alerts as marks; nil when there is none.
func (t *teller) picture(ctx context.Context, plugin, subject string) []byte {
	name, row := "", int64(60)
	for _, i := range t.h.series.List() {
		if i.Logger == plugin && i.Type == "cbuf" && (name == "" || i.Name == subject) {
			name = i.Name
		}
	}
	g, ok := t.h.series.GetType(plugin, name, "cbuf")
	if !ok || g.Data == nil {
		return nil
	}
	row = max(1, int64(g.Data.SecondsPerRow))
	to := clock.Now().Unix() + 1
	d, err := t.h.history.Range(ctx, plugin, name, to-2*pictureSpan*row, to, 2*pictureSpan, history.Mean)
	if err != nil {
		t.h.log.Warn("a notice goes without its graph", "plugin", plugin, "graph", name, "error", err)
		return nil
	}
	o := chart.Options{Title: name + ", " + plugin, Width: 640, Height: 240}
	for _, a := range t.h.alerts.ForLogger(plugin) {
		o.Marks = append(o.Marks, a.Time.Unix())
	}
	png, err := chart.PNG(d, o)
	if err != nil {
		t.h.log.Warn("a notice goes without its graph", "plugin", plugin, "graph", name, "error", err)
		return nil
	}
	return png
}

func (t *teller) here() (*notify.Router, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.router == nil {
		return nil, errNotHere
	}
	return t.router, nil
}

// Status implements web.Notices.
func (t *teller) Status() (notify.Status, error) {
	r, err := t.here()
	if err != nil {
		return notify.Status{}, err
	}
	return r.Status(), nil
}

// Again implements web.Notices.
func (t *teller) Again(id string) (bool, error) {
	r, err := t.here()
	if err != nil {
		return false, err
	}
	return r.Again(id), nil
}

// Test implements web.Notices.
func (t *teller) Test(ctx context.Context, route saved.Route) ([]web.Tested, error) {
	if err := t.check(&route); err != nil {
		return nil, fmt.Errorf("%w: %w", saved.ErrInvalid, err)
	}
	r, err := t.here()
	if err != nil {
		return nil, err
	}
	var all []web.Tested
	for _, to := range targets(route.Mail, route.Webhooks) {
		one := web.Tested{Way: to.Way, Address: to.Address}
		if err := r.Test(ctx, route.Title, to); err != nil {
			one.Error = err.Error()
		}
		all = append(all, one)
	}
	return all, nil
}

// Mails implements web.Notices.
func (t *teller) Mails() bool { return t.mail != nil }
