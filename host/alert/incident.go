package alert

import (
	"slices"
	"time"
)

// Incident is what alerts of one subject, close upon each other, are about.
type Incident struct {
	Logger  string    `json:"logger"`
	ID      string    `json:"id"`
	Summary string    `json:"summary"` // of the newest alert
	Began   time.Time `json:"began"`   // the first alert
	Last    time.Time `json:"last"`    // the newest
	Until   time.Time `json:"until"`   // it is over then, if no further alert comes
	Count   int       `json:"count"`   // alerts
	Key     string    `json:"key"`     // of the newest
}

// grace is how long an incident goes on after the plugin may alert again: an alert says for how long its plugin keeps quiet about
// the subject (its throttle), and nothing says that a subject is well again.
const grace = 5 * time.Minute

// quiet is when the incident of an alert is over, if no further one comes.
func (a *Alert) quiet() time.Time {
	if a.Over {
		return a.Time
	}
	return a.Time.Add(a.throttle + grace)
}

// Until is when the incident of an alert is over, if no further one comes.
func (a *Alert) Until() time.Time { return a.quiet() }

// belongs puts an alert into the incident that goes on, or begins one. h.mu is held.
func (h *View) belongs(a *Alert) {
	k := subject{a.Logger, a.ID}
	i := h.fires[k]
	if a.Over {
		if i != nil && a.Time.Before(i.Until) && !a.Time.Before(i.Began) {
			a.Began, i.Until = i.Began, a.Time
		}
		if a.Began.IsZero() {
			a.Began = a.Time
		}
		return
	}
	goesOn := i != nil && !a.Time.After(i.Until)
	if !a.Began.IsZero() { // it was decided before
		goesOn = i != nil && i.Began.Equal(a.Began)
	}
	if !goesOn {
		if a.Began.IsZero() {
			a.Began = a.Time
		}
		i = &Incident{Logger: a.Logger, ID: a.ID, Began: a.Began}
		h.fires[k] = i
	}
	a.Began = i.Began
	i.Count++
	i.Summary, i.Last, i.Key = a.Summary, a.Time, a.Key
	if q := a.quiet(); q.After(i.Until) {
		i.Until = q
	}
}

// over forgets incidents that are over. h.mu is held.
func (h *View) over(now time.Time) {
	for k, i := range h.fires {
		if now.After(i.Until) {
			delete(h.fires, k)
		}
	}
}

// Firing are the incidents that go on, the newest first.
func (h *View) Firing() []Incident {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over(h.opt.Now())
	list := make([]Incident, 0, len(h.fires))
	for _, i := range h.fires {
		list = append(list, *i)
	}
	slices.SortFunc(list, func(a, b Incident) int { return b.Last.Compare(a.Last) })
	return list
}

// Incident is the one that an alert belongs to, as far as its alerts are kept.
func (h *View) Incident(a Alert) Incident {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := h.fires[subject{a.Logger, a.ID}]; i != nil && i.Began.Equal(a.Began) {
		return *i
	}
	out := Incident{Logger: a.Logger, ID: a.ID, Began: a.Began}
	for i := range h.alerts {
		b := &h.alerts[i]
		if b.Logger != a.Logger || b.ID != a.ID || !b.Began.Equal(a.Began) {
			continue
		}
		if b.Over {
			out.Until = b.Time
			continue
		}
		out.Count++
		out.Summary, out.Last, out.Key = b.Summary, b.Time, b.Key
		if q := b.quiet(); q.After(out.Until) {
			out.Until = q
		}
	}
	return out
}
