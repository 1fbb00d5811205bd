package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sandbar/host/alert"
	"sandbar/sandbox/message"
)

// Bounds of what is remembered. What is beyond is counted and said, never left out in silence.
const (
	mostGroups   = 2000
	mostSubjects = 100 // of a group
	mostShown    = 20  // of a notice
	mostDetail   = 1 << 10
	mostSummary  = 300
	mostName     = 255
)

// Subject is what alerts of one ID say, in a notice.
type Subject struct {
	ID       string    `json:"id"`
	Summary  string    `json:"summary"`
	Detail   string    `json:"detail,omitempty"`
	Severity int32     `json:"severity"`
	Key      string    `json:"key"` // of the newest alert
	Link     string    `json:"link,omitempty"`
	Began    time.Time `json:"began"`
	Last     time.Time `json:"last"`
	Until    time.Time `json:"until"` // it is over then, if no further alert comes
	Count    int       `json:"count"`

	Labels map[string]string `json:"labels,omitempty"` // of the newest alert

	Told      bool      `json:"told,omitempty"` // in a notice, as firing
	ToldAt    time.Time `json:"told_at,omitzero"`
	Escalated bool      `json:"escalated,omitempty"` // it was told to those of the escalation
	Reason    bool      `json:"reason,omitempty"`    // others are not told while it fires
	EndTold   time.Time `json:"end_told,omitzero"`   // the end of its silence that was told of
}

// group gathers alerts of one route and plugin, or subject, until somebody is told.
type group struct {
	Route      string              `json:"route"` // empty: the recipients that the alert itself names
	Plugin     string              `json:"plugin"`
	Targets    []Target            `json:"targets,omitempty"` // of a group without a route
	Subjects   map[string]*Subject `json:"subjects"`
	More       int                 `json:"more,omitempty"`       // alerts about subjects that had no place
	Suppressed int                 `json:"suppressed,omitempty"` // alerts about subjects that were told of, since the notice before
	First      time.Time           `json:"first"`                // when it began
	Sent       time.Time           `json:"sent,omitzero"`        // the notice before
	Number     int                 `json:"number"`               // of notices
}

// own is the route of alerts that name their recipients themselves, as Hindsight's plugins do.
func own() Route {
	return Route{Wait: 30 * time.Second, Interval: 5 * time.Minute, Repeat: 0}
}

const recipientsField = "email.recipients"

// Recipients are those that an alert names.
func Recipients(a *alert.Alert) (to []Target) {
	for _, f := range a.Fields {
		if f.Name != recipientsField {
			continue
		}
		for _, s := range f.Values {
			if s = strings.Trim(s, "<> "); s != "" {
				to = append(to, Target{Way: "mail", Address: s})
			}
		}
	}
	return to
}

// add puts an alert into the groups of all routes that want it. r.mu is held.
func (r *Router) add(a *alert.Alert, v *message.View, routes []Route) {
	wanted, fresh := false, false
	for i := range routes {
		rt := &routes[i]
		reason := rt.Unless != nil && rt.Unless(v)
		if reason {
			r.hold(rt.Name, a)
		}
		if len(rt.Targets) > 0 && rt.Match(v) {
			wanted = true
			key := fmt.Sprintf("%q %q %q", rt.Name, a.Logger, "")
			if rt.BySubject {
				key = fmt.Sprintf("%q %q %q", rt.Name, a.Logger, a.ID)
			}
			for _, label := range rt.GroupBy {
				key += fmt.Sprintf(" %q", a.Labels()[label])
			}
			fresh = r.gather(key, group{Route: rt.Name, Plugin: a.Logger}, a, reason) || fresh
		}
	}
	to := Recipients(a)
	if r.opt.Ways["mail"] == nil {
		to = nil
	}
	if len(to) == 0 && !wanted {
		to = r.opt.Owner(a.Logger)
	}
	if len(to) > 0 {
		fresh = r.gather(fmt.Sprintf("%q %q", a.Logger, to), group{Plugin: a.Logger, Targets: to}, a, false) || fresh
	}
	if fresh {
		r.count(a.Logger)
	}
}

// gather puts an alert into a group, and says whether an incident began with it.
func (r *Router) gather(key string, fresh group, a *alert.Alert, reason bool) (began bool) {
	g := r.state.Groups[key]
	if g == nil {
		if len(r.state.Groups) >= mostGroups {
			r.drop("there are too many groups of alerts", a.Logger, 1)
			return true
		}
		fresh.First, fresh.Subjects = r.opt.Now().UTC(), map[string]*Subject{}
		g = &fresh
		r.state.Groups[key] = g
	}
	r.version.Bump()
	s := g.Subjects[a.ID]
	if s == nil && len(g.Subjects) >= mostSubjects {
		g.More++
		return true
	}
	began = s == nil || a.Time.After(s.Until)
	if s == nil || a.Time.After(s.Until) {
		told := s != nil && s.Told // and nobody was told yet that the one before is over
		s = &Subject{ID: clip(a.ID, mostName), Began: a.Time}
		if told {
			g.Suppressed++
		}
		g.Subjects[a.ID] = s
	} else if s.Told {
		g.Suppressed++
	}
	s.Summary, s.Detail, s.Severity, s.Key, s.Last = clip(a.Summary, mostSummary), clip(a.Detail, mostDetail), a.Severity, a.Key, a.Time
	s.Link, s.Reason, s.Labels = r.opt.Link(a.Key), reason, a.Labels()
	s.Count++
	if u := a.Until(); u.After(s.Until) {
		s.Until = u
	}
	return began
}

// over ends what alerts of an ID were about. r.mu is held.
func (r *Router) over(a *alert.Alert) {
	r.letGo(a)
	for _, g := range r.state.Groups {
		if s := g.Subjects[a.ID]; g.Plugin == a.Logger && s != nil && a.Time.Before(s.Until) && !a.Time.Before(s.Began) {
			s.Until = a.Time
			r.version.Bump()
		}
	}
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// drop counts alerts of which nobody is told, and says so.
func (r *Router) drop(why, plugin string, n int) {
	if r.state.Dropped%1000 == 0 {
		r.opt.Logger.Error("nobody is told of an alert", "why", why, "plugin", plugin, "so_far", r.state.Dropped+int64(n))
	}
	r.state.Dropped += int64(n)
	r.opt.Report("", fmt.Errorf("nobody is told of some alerts: %s (%d so far)", why, r.state.Dropped))
	r.version.Bump()
}

// Notice is what is told at once.
type Notice struct {
	ID       string    `json:"id"` // the same whenever it is tried again
	Route    string    `json:"route,omitempty"`
	Plugin   string    `json:"plugin"`
	At       time.Time `json:"at"`
	Firing   []Subject `json:"firing"`
	Resolved []Subject `json:"resolved,omitempty"`

	MoreResolved int `json:"more_resolved,omitempty"` // further subjects that are over

	More        int        `json:"more,omitempty"`         // alerts about further subjects
	Suppressed  int        `json:"suppressed,omitempty"`   // further alerts about subjects that were told of
	Repeated    bool       `json:"repeated,omitempty"`     // nothing is new
	SilenceEnds *time.Time `json:"silence_ends,omitempty"` // these still fire, and their silence ends then
	Digest      bool       `json:"digest,omitempty"`       // its plugin raises more alerts than its budget, so news come once an hour
	Escalated   bool       `json:"escalated,omitempty"`    // those who were told before have not acknowledged it
	Test        bool       `json:"test,omitempty"`
	Picture     []byte     `json:"-"` // SVG of the first subject's graph; nil: there is none
}

// tick makes notices of groups whose time has come. It may be called with any clock: what is in the future after a jump back waits no longer than its route says.
func (r *Router) tick(now time.Time) {
	now = now.UTC()
	routes := map[string]Route{"": own()}
	for _, rt := range r.opt.Routes() {
		routes[rt.Name] = rt
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quieten(now)
	r.release(now, routes)
	for _, key := range slices.Sorted(maps.Keys(r.state.Groups)) {
		g := r.state.Groups[key]
		rt, ok := routes[g.Route]
		if !ok { // somebody removed it
			delete(r.state.Groups, key)
			r.version.Bump()
			continue
		}
		if len(g.Targets) > 0 {
			rt.Targets = g.Targets
		}
		r.look(key, g, &rt, now)
	}
	r.kick()
}

// look decides whether a group is told of now.
func (r *Router) look(key string, g *group, rt *Route, now time.Time) {
	fresh, firing, over, late, ending := []*Subject{}, []*Subject{}, []*Subject{}, []*Subject{}, []*Subject{}
	var ends time.Time
	held := len(r.state.Held[rt.Name]) > 0
	for _, id := range slices.Sorted(maps.Keys(g.Subjects)) {
		s := g.Subjects[id]
		switch {
		case now.After(s.Until) && s.Told && rt.Resolved:
			over = append(over, s)
		case now.After(s.Until) && (s.Told || held && !s.Reason || r.opt.Quiet(g.Plugin, id, now)):
			delete(g.Subjects, id) // it is over, and nobody wants to hear that
			r.version.Bump()
		case r.opt.Quiet(g.Plugin, id, now): // it waits
			if at, ok := r.opt.Ends(g.Plugin, id, now); ok && at.Sub(now) <= silenceWarning && !at.Equal(s.EndTold) {
				ending, ends = append(ending, s), at
			}
		case held && !s.Reason && !s.Told: // it waits too
		case !s.Told:
			fresh = append(fresh, s)
		case !r.opt.Seen(g.Plugin, id, s.Began):
			firing = append(firing, s)
			if s.ToldAt.IsZero() { // by a version that did not note it
				s.ToldAt = now
			}
			if e := rt.Escalate; e != nil && !s.Escalated && now.Sub(s.ToldAt) >= e.After {
				late = append(late, s)
			}
		}
	}
	news := len(fresh)+len(over) > 0 || g.More > 0
	if now.Before(g.Sent) { // the clock went back
		g.Sent = now
	}
	if rt.Quiet != nil && rt.Quiet(now) {
		return
	}
	if len(ending) > 0 {
		r.sendSilent(g, rt, Notice{Route: g.Route, Plugin: g.Plugin, At: now, SilenceEnds: &ends}, ending)
	}
	if len(late) > 0 {
		r.send(g, rt.Escalate.Targets, Notice{Route: g.Route, Plugin: g.Plugin, At: now, Escalated: true}, late, nil)
		for _, s := range late {
			s.Escalated = true
		}
	}
	since := now.Sub(g.Sent)
	interval, digest := r.interval(g.Plugin, rt)
	early := g.Sent.IsZero() && now.Sub(g.First).Abs() < rt.Wait || !g.Sent.IsZero() && since < interval
	repeat := !news && len(firing) > 0 && rt.Repeat > 0 && since >= rt.Repeat
	switch {
	case len(g.Subjects) == 0 && g.More == 0:
		delete(r.state.Groups, key)
		r.version.Bump()
	case news && !early || repeat:
		r.send(g, rt.Targets, Notice{Route: g.Route, Plugin: g.Plugin, At: now, More: g.More, Suppressed: g.Suppressed, Repeated: repeat, Digest: digest}, append(fresh, firing...), over)
		g.Sent, g.More, g.Suppressed = now, 0, 0
		for _, s := range over {
			delete(g.Subjects, s.ID)
		}
	}
}

// silenceWarning is how long before a silence ends that is told, when what it covers still fires.
const silenceWarning = 15 * time.Minute

// sendSilent tells of subjects whose silence ends. They are not told of as firing by that.
func (r *Router) sendSilent(g *group, rt *Route, n Notice, ending []*Subject) {
	told := make([]bool, len(ending))
	at := make([]time.Time, len(ending))
	for i, s := range ending {
		told[i], at[i] = s.Told, s.ToldAt
		s.EndTold = *n.SilenceEnds
	}
	r.send(g, rt.Targets, n, ending, nil)
	for i, s := range ending {
		s.Told, s.ToldAt = told[i], at[i]
	}
}

// send makes deliveries of a notice of these subjects.
func (r *Router) send(g *group, targets []Target, n Notice, firing, over []*Subject) {
	g.Number++
	n.Firing = []Subject{}
	for _, s := range firing {
		if !s.Told {
			s.Told, s.ToldAt = true, n.At
		}
		if len(n.Firing) < mostShown {
			n.Firing = append(n.Firing, *s)
		} else {
			n.More += s.Count
		}
	}
	for _, s := range over[:min(len(over), mostShown)] {
		n.Resolved = append(n.Resolved, *s)
	}
	n.MoreResolved = max(0, len(over)-mostShown)
	for _, to := range targets {
		one := n
		one.ID = noticeID(g, to, n.At)
		r.enqueue(&Job{ID: one.ID, To: to, Notice: one, Made: n.At, Next: n.At})
	}
	r.version.Bump()
}

func noticeID(g *group, to Target, now time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d %d", g.Route, g.Plugin, to.Way, to.Address, g.Number, now.UnixNano()))
	return hex.EncodeToString(sum[:12])
}
