// Package letters keeps the messages that plugins failed on, for people to look at and to try again: of each plugin the newest texts that it
// returned with -1, how often, and one message of each.
//
// It is in memory, within bounds, and gone when the host ends.
package letters

import (
	"bytes"
	"cmp"
	"container/list"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"sandbar/sandbox/message"
)

const (
	maxTexts   = 10       // of a plugin
	maxMessage = 64 << 10 // bytes; a larger one is not kept
	maxBytes   = 32 << 20 // of all messages
	again      = time.Second
)

// Letter is what a plugin said of messages.
type Letter struct {
	Text    string          `json:"text"`
	Count   int64           `json:"count"`
	First   time.Time       `json:"first"`
	Last    time.Time       `json:"last"`
	Message json.RawMessage `json:"message,omitempty"` // one of the newest, as sandbar cat --output json; none when it is too large
}

// letter is a Letter with its message as it came.
type letter struct {
	Letter
	raw  []byte
	kept time.Time
	at   *list.Element // of View.order; nil without raw
}

// View is the letters of all plugins of a host.
type View struct {
	now func() time.Time

	mu      sync.Mutex
	plugins map[string]map[string]*letter // by name and text
	order   list.List                     // of *letter with a message, the oldest kept first
	bytes   int
}

// New is a view of nothing.
func New(now func() time.Time) *View {
	return &View{now: now, plugins: map[string]map[string]*letter{}}
}

// Note counts a message that a plugin failed on. A message is kept at most once a second of each text.
func (v *View) Note(name, text string, m *message.View) {
	at := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	mine := v.plugins[name]
	if mine == nil {
		mine = map[string]*letter{}
		v.plugins[name] = mine
	}
	l := mine[text]
	if l == nil {
		if len(mine) >= maxTexts {
			v.dropOldest(mine)
		}
		l = &letter{Letter: Letter{Text: text, First: at.UTC()}}
		mine[text] = l
	}
	l.Count++
	l.Last = at.UTC()
	if raw := m.Raw(); len(raw) <= maxMessage && (l.raw == nil || at.Sub(l.kept) >= again) {
		v.keep(l, raw, at)
	}
}

// keep puts a message into a letter, and makes room for it.
func (v *View) keep(l *letter, raw []byte, at time.Time) {
	v.forget(l)
	l.raw, l.kept = bytes.Clone(raw), at
	l.at = v.order.PushBack(l)
	v.bytes += len(raw)
	for v.bytes > maxBytes {
		v.forget(v.order.Front().Value.(*letter))
	}
}

// forget drops the message of a letter.
func (v *View) forget(l *letter) {
	if l.at != nil {
		v.order.Remove(l.at)
		v.bytes -= len(l.raw)
		l.raw, l.at = nil, nil
	}
}

func (v *View) dropOldest(mine map[string]*letter) {
	var oldest *letter
	for _, l := range mine {
		if oldest == nil || l.Last.Before(oldest.Last) {
			oldest = l
		}
	}
	v.forget(oldest)
	delete(mine, oldest.Text)
}

// List are the letters of a plugin, the newest first.
func (v *View) List(name string) []Letter {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := []Letter{}
	var view message.View
	for _, l := range v.plugins[name] {
		one := l.Letter
		if l.raw != nil && view.Parse(l.raw) == nil {
			one.Message = message.AppendJSON(nil, &view)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Letter) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Text, b.Text)) })
	return all
}

// Forget drops the letters of a plugin.
func (v *View) Forget(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, l := range v.plugins[name] {
		v.forget(l)
	}
	delete(v.plugins, name)
}
