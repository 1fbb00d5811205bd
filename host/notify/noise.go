package notify

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A plugin has a budget of incidents an hour. Above it, it becomes a digest: news of it are told once an hour, until an hour is within the budget again; its owner is told so once.

const (
	noiseSpan   = time.Hour
	mostCounted = 5000 // plugins that are counted
)

// noise is how much a plugin alerts.
type noise struct {
	Since  time.Time `json:"since"`
	Begun  int       `json:"begun"` // incidents since then
	Digest bool      `json:"digest,omitempty"`
}

// count notes that an incident of a plugin began. r.mu is held.
func (r *Router) count(plugin string) {
	if r.opt.Budget <= 0 {
		return
	}
	now := r.opt.Now().UTC()
	n := r.state.Noise[plugin]
	if n == nil {
		if len(r.state.Noise) >= mostCounted {
			return
		}
		n = &noise{Since: now}
		r.state.Noise[plugin] = n
	}
	n.Begun++
	r.version.Bump()
	if n.Begun <= r.opt.Budget || n.Digest {
		return
	}
	n.Digest = true
	text := fmt.Sprintf("%s raises more alerts than its budget of %d an hour; news of it are told once an hour until it is quieter", plugin, r.opt.Budget)
	r.opt.Logger.Warn("a plugin raises too many alerts", "plugin", plugin, "budget", r.opt.Budget)
	notice := Notice{Plugin: plugin, At: now, Digest: true, Firing: []Subject{{ID: "noise", Summary: text, Severity: 4, Began: n.Since, Last: now, Until: now.Add(noiseSpan), Count: n.Begun}}}
	for _, to := range r.opt.Owner(plugin) {
		one := notice
		one.ID = noticeID(&group{Plugin: plugin, Number: -1}, to, now)
		r.enqueue(&Job{ID: one.ID, To: to, Notice: one, Made: now, Next: now})
	}
}

// digests are those plugins, by name. r.mu is held.
func (r *Router) digests() []Digest {
	out := []Digest{}
	for _, plugin := range slices.Sorted(maps.Keys(r.state.Noise)) {
		if n := r.state.Noise[plugin]; n.Digest {
			out = append(out, Digest{plugin, n.Begun, n.Since, r.opt.Budget})
		}
	}
	return out
}

// quieten ends hours. r.mu is held.
func (r *Router) quieten(now time.Time) {
	for plugin, n := range r.state.Noise {
		if passed := now.Sub(n.Since); passed >= 0 && passed < noiseSpan {
			continue
		}
		r.version.Bump()
		if n.Begun == 0 {
			delete(r.state.Noise, plugin)
			continue
		}
		n.Digest = n.Begun > r.opt.Budget && n.Digest
		n.Since, n.Begun = now, 0
	}
}

// interval is the least time between two notices with news of a plugin.
func (r *Router) interval(plugin string, rt *Route) (d time.Duration, digest bool) {
	if n := r.state.Noise[plugin]; n != nil && n.Digest {
		return max(rt.Interval, noiseSpan), true
	}
	return rt.Interval, false
}
