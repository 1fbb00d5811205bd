package notify

import (
	"fmt"
	"maps"
	"time"

	"sandbar/host/alert"
)

// While an alert fires that a route's Unless likes, others of that route wait.

// mostHeld bounds what a route may wait for, one by one; what is beyond counts as one.
const mostHeld = 100

func heldBy(a *alert.Alert) string { return fmt.Sprintf("%q %q", a.Logger, clip(a.ID, mostName)) }

// hold lets a route wait for the end of an alert. r.mu is held.
func (r *Router) hold(route string, a *alert.Alert) {
	causes := r.state.Held[route]
	if causes == nil {
		causes = map[string]time.Time{}
		r.state.Held[route] = causes
	}
	key := heldBy(a)
	if _, known := causes[key]; !known && len(causes) >= mostHeld {
		key = ""
	}
	if a.Until().After(causes[key]) {
		causes[key] = a.Until()
		r.version.Bump()
	}
}

// letGo says that what an alert is about is over. r.mu is held.
func (r *Router) letGo(over *alert.Alert) {
	key := heldBy(over)
	for route, causes := range r.state.Held {
		if _, known := causes[key]; known {
			delete(causes, key)
			r.version.Bump()
		}
		if len(causes) == 0 {
			delete(r.state.Held, route)
		}
	}
}

// release forgets what does not fire any more, and routes that are gone. r.mu is held.
func (r *Router) release(now time.Time, routes map[string]Route) {
	for route, causes := range r.state.Held {
		n := len(causes)
		maps.DeleteFunc(causes, func(_ string, until time.Time) bool { return !now.Before(until) })
		if len(causes) < n {
			r.version.Bump()
		}
		if rt, ok := routes[route]; !ok || rt.Unless == nil || len(causes) == 0 {
			delete(r.state.Held, route)
			r.version.Bump()
		}
	}
}
