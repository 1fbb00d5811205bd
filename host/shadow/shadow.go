// Package shadow keeps what plugins make that run in the shadow of others: their newest payloads and alerts, for people to compare. Nobody
// else gets it, and it is gone when the host ends.
//
// It must not know how a plugin runs, nor what becomes of it.
package shadow

import (
	"slices"
	"sync"

	"sandbar/host/alert"
	"sandbar/host/series"
	"sandbar/sandbox/message"
)

const (
	maxAlerts = 100     // of one plugin
	maxBytes  = 4 << 20 // of the payloads of one plugin
)

// View is what the shadows of this host have made.
type View struct {
	mu      sync.Mutex
	plugins map[string]*made
}

type made struct {
	payloads *series.Payloads
	alerts   []alert.Alert // the oldest first
	alerted  int64
	messages int64
}

// Made is what one shadow has made.
type Made struct {
	Payloads []series.Graph `json:"series"`
	Alerts   []alert.Alert  `json:"alerts"`  // the newest first
	Alerted  int64          `json:"alerted"` // in all
	Messages int64          `json:"messages"`
}

// New is a view of nothing.
func New() *View { return &View{plugins: map[string]*made{}} }

// Take takes what a plugin has made.
func (v *View) Take(name string, msgs [][]byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	m := v.plugins[name]
	if m == nil {
		m = &made{payloads: series.NewPayloads(maxBytes)}
		v.plugins[name] = m
	}
	for _, msg := range msgs {
		m.messages++
		m.payloads.Put(msg)
		var view message.View
		if view.Parse(msg) != nil {
			continue
		}
		if a, ok := alert.Decode(&view); ok && !a.Over {
			m.alerted++
			m.alerts = append(m.alerts, a)
			if len(m.alerts) > 2*maxAlerts {
				m.alerts = slices.Clone(m.alerts[len(m.alerts)-maxAlerts:])
			}
		}
	}
}

// Get is what a plugin has made since it was started here.
func (v *View) Get(name string) Made {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := Made{Payloads: []series.Graph{}, Alerts: []alert.Alert{}}
	m := v.plugins[name]
	if m == nil {
		return out
	}
	out.Payloads, out.Alerted, out.Messages = m.payloads.Graphs(), m.alerted, m.messages
	out.Alerts = append(out.Alerts, m.alerts[max(0, len(m.alerts)-maxAlerts):]...)
	slices.Reverse(out.Alerts)
	return out
}

// Forget drops what a plugin has made.
func (v *View) Forget(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.plugins, name)
}
