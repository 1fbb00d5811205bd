package alert

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/message"
)

// Options bound the view. A zero means the default.
type Options struct {
	Now    func() time.Time // required
	Logger *slog.Logger     // required

	Max          int           // alerts kept; 100 000
	MaxPerLogger int           // alerts kept of one plugin, so that a noisy one leaves the others theirs; 20 000
	MaxBytes     int64         // about what they may take in memory; 64 MiB
	SaveEvery    time.Duration // the least time between two saves, which write all; 20 s
}

func (o *Options) defaults() {
	o.Max = cmp.Or(o.Max, 100_000)
	o.MaxPerLogger = cmp.Or(o.MaxPerLogger, 20_000)
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	o.SaveEvery = cmp.Or(o.SaveEvery, 20*time.Second)
}

// Filter chooses alerts. Empty members choose all.
type Filter struct {
	Logger string
	ID     string
	Since  time.Time // not before
	Newer  uint64    // Version is greater
	Older  uint64    // Version is less; 0 for all
	Began  time.Time // belongs to the incident that began then; the zero time: to any
	Text   string    // stands in id, summary, detail or logger, in upper or lower case
}

func (f *Filter) match(a *Alert) bool {
	return (f.Logger == "" || f.Logger == a.Logger) && (f.ID == "" || f.ID == a.ID) &&
		!a.Time.Before(f.Since) && a.Version > f.Newer && (f.Older == 0 || a.Version < f.Older) &&
		(f.Began.IsZero() || f.Began.Equal(a.Began)) && (f.Text == "" || a.has(strings.ToLower(f.Text)))
}

func (a *Alert) has(lower string) bool {
	for _, s := range [...]string{a.ID, a.Summary, a.Detail, a.Logger} {
		if strings.Contains(strings.ToLower(s), lower) {
			return true
		}
	}
	return false
}

// View is the history of one host.
type View struct {
	path    string
	logs    []stream.Log // of stream derived
	opt     Options
	from    []stream.Position
	before  []stream.Position // the next message of each log begins here; Run's own
	version view.Version

	mu     sync.Mutex
	told   map[subject]last // the newest alert of each subject, when there are several partitions
	alerts []Alert          // oldest first
	bytes  int64
	of     map[string]int // alerts by logger
	fires  map[subject]*Incident
}

// subject is what an alert is about.
type subject struct{ logger, id string }

// last is when a subject was told of, and in which partition; -1 when that is not known any more.
type last struct {
	at  time.Time
	log int
}

// again says that an alert was told of before: a plugin that runs in several partitions throttles its alerts in each, and people want
// to hear of a subject once. mu is held.
func (h *View) again(log int, a *Alert) bool {
	k := subject{a.Logger, a.ID}
	if a.Over { // the next one is news
		delete(h.told, k)
	}
	if len(h.logs) < 2 || a.throttle == 0 {
		return false
	}
	before, known := h.told[k]
	if known && before.log != log && a.Time.Sub(before.at).Abs() < a.throttle {
		return true
	}
	if len(h.told) >= h.opt.Max {
		clear(h.told)
	}
	h.told[k] = last{a.Time, log}
	return false
}

// Open restores the history of the logs of stream derived from its file; without one it is made anew when Run reads them.
func Open(path string, logs []stream.Log, opt Options) (*View, error) {
	opt.defaults()
	h := &View{path: path, logs: logs, opt: opt, of: map[string]int{}, told: map[subject]last{}, fires: map[subject]*Incident{}}
	var err error
	h.from, err = view.Open(path, view.Head{View: "alert", Stream: stream.Derived}, logs, opt.Logger, func(msg []byte) { h.add(-1, msg, "") })
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Run follows the stream until the context ends, and saves the history then and every few seconds.
func (h *View) Run(ctx context.Context) error {
	for i, log := range h.logs {
		at := log.First()
		if h.from != nil && at.Before(h.from[i]) {
			at = h.from[i]
		}
		h.before = append(h.before, at)
	}
	f := view.Follower{Name: "alert", Logs: h.logs, From: h.from, Now: h.opt.Now, Logger: h.opt.Logger,
		Take: h.take, Save: h.save, Version: &h.version, Every: h.opt.SaveEvery}
	return f.Run(ctx)
}

func (h *View) take(log int, b *stream.Batch) {
	for i, msg := range b.Messages {
		h.add(log, msg, stream.PlaceName(len(h.logs), log, h.before[log]))
		h.before[log] = b.Ends[i]
	}
}

// add puts a message into the history if it is an alert, and lies at a place of a log, or in the file of the history: log -1. Each alert has a
// version of its own.
func (h *View) add(log int, msg []byte, place string) {
	var v message.View
	if v.Parse(msg) != nil {
		return
	}
	a, ok := restore(&v)
	if log >= 0 {
		a, ok = Decode(&v)
		a.Position = place
	}
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.again(log, &a) || log >= 0 && a.Over && h.fires[subject{a.Logger, a.ID}] == nil {
		return
	}
	if h.of[a.Logger] >= h.opt.MaxPerLogger {
		h.remove(slices.IndexFunc(h.alerts, func(b Alert) bool { return b.Logger == a.Logger }))
	}
	h.belongs(&a)
	a.Version = h.version.Bump() // with the lock held: who wakes finds the alert
	h.alerts = append(h.alerts, a)
	h.of[a.Logger]++
	h.bytes += a.size()
	for len(h.alerts) > h.opt.Max || h.bytes > h.opt.MaxBytes && len(h.alerts) > 1 {
		h.remove(0)
	}
}

func (h *View) remove(i int) {
	a := &h.alerts[i]
	h.bytes -= a.size()
	if k := (subject{a.Logger, a.ID}); h.fires[k] != nil && h.fires[k].Key == a.Key {
		delete(h.fires, k) // nobody can look at it any more, and so there are never more than alerts
	}
	if h.of[a.Logger]--; h.of[a.Logger] == 0 {
		delete(h.of, a.Logger)
	}
	if i == 0 {
		h.alerts[0] = Alert{} // append moves the rest to the front some day
		h.alerts = h.alerts[1:]
		return
	}
	h.alerts = slices.Delete(h.alerts, i, i+1)
}

func (h *View) save(at []stream.Position) error {
	h.mu.Lock()
	alerts := slices.Clone(h.alerts)
	h.mu.Unlock()
	return view.Save(h.path, view.Head{View: "alert", Stream: stream.Derived, Places: view.Places(h.logs, at)}, func(put func([]byte)) {
		var buf []byte
		for i := range alerts {
			buf = alerts[i].encode(buf[:0])
			put(buf)
		}
	})
}

// List returns the newest n alerts that the filter chooses, the newest first.
func (h *View) List(n int, f Filter) []Alert {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []Alert{}
	for i := len(h.alerts) - 1; i >= 0 && len(list) < n; i-- {
		if f.match(&h.alerts[i]) {
			list = append(list, h.alerts[i])
		}
	}
	return list
}

// Get returns the alert of a key.
func (h *View) Get(key string) (Alert, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range slices.Backward(h.alerts) {
		if h.alerts[i].Key == key {
			return h.alerts[i], true
		}
	}
	return Alert{}, false
}

// Count is the number of kept alerts that the filter chooses.
func (h *View) Count(f Filter) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for i := range h.alerts {
		if f.match(&h.alerts[i]) {
			n++
		}
	}
	return n
}

// maxMarks bounds what is drawn on one graph.
const maxMarks = 200

// ForLogger returns the newest alerts of a plugin, the oldest first: the marks on its graphs.
func (h *View) ForLogger(logger string) []Alert {
	list := slices.DeleteFunc(h.List(maxMarks, Filter{Logger: logger}), func(a Alert) bool { return a.Over })
	slices.Reverse(list)
	return list
}

// Version is the number of the newest change.
func (h *View) Version() uint64 { return h.version.Now() }

// Wait returns the version as soon as it is not seen, or the context's error.
func (h *View) Wait(ctx context.Context, seen uint64) (uint64, error) {
	return h.version.Wait(ctx, seen)
}
