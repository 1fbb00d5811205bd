// Package vitals remembers how plugins fared over the last hours: how many messages they were called for, what that cost, and how far they
// were behind.
//
// It is fed with what the host says of its plugins now and then; it must not know where that comes from, nor how it is shown.
package vitals

import (
	"math"
	"sync"
	"time"

	"sandbar/host/runner"
	"sandbar/host/series"
	"sandbar/sandbox/cbuf"
)

const (
	// Every is how often a plugin is to be noted.
	Every = 10 * time.Second
	// Step is the time of one point.
	Step   = 30 * time.Second
	points = 240
)

// Rates are per second, of the last two notes.
type Rates struct {
	Matched float64 `json:"matched"`
	Failed  float64 `json:"failed"`
	Made    float64 `json:"made"`
	Cost    float64 `json:"cost"` // part of a core
}

// point is what is kept of one Step.
type point struct {
	rates       [4]float32 // matched, failed, made, cost
	memory, lag float32
}

// plugin is the history of one.
type plugin struct {
	at     time.Time // of the last note
	stats  runner.Stats
	rates  Rates
	begun  time.Time // of the point that is being filled
	from   runner.Stats
	points []point // a ring
	n      int     // that ever were
	row    int64   // number of the newest Step
}

// View is the histories of all plugins of a host.
type View struct {
	mu      sync.Mutex
	plugins map[string]*plugin
}

// New is a view of nothing.
func New() *View { return &View{plugins: map[string]*plugin{}} }

// Note remembers what plugins have done until now. It does nothing when the last note is not Every ago.
func (v *View) Note(at time.Time, list []runner.Status) {
	v.mu.Lock()
	defer v.mu.Unlock()
	there := make(map[string]bool, len(list))
	for i := range list {
		s := &list[i]
		there[s.Name] = true
		p := v.plugins[s.Name]
		if p == nil {
			p = &plugin{at: at, stats: s.Stats, begun: at, from: s.Stats, row: at.Unix() / int64(Step.Seconds())}
			v.plugins[s.Name] = p
			continue
		}
		if at.Sub(p.at) >= Every-Every/10 {
			p.note(at, s)
		}
	}
	for name := range v.plugins {
		if !there[name] {
			delete(v.plugins, name)
		}
	}
}

func (p *plugin) note(at time.Time, s *runner.Status) {
	p.rates = between(&p.stats, &s.Stats, at.Sub(p.at))
	p.at, p.stats = at, s.Stats
	row := at.Unix() / int64(Step.Seconds())
	if row == p.row {
		return
	}
	r := between(&p.from, &s.Stats, at.Sub(p.begun))
	for ; p.row < row-1 && row-p.row < points; p.row++ { // the host slept
		p.add(point{rates: [4]float32{nan(), nan(), nan(), nan()}, memory: nan(), lag: nan()})
	}
	p.add(point{[4]float32{float32(r.Matched), float32(r.Failed), float32(r.Made), float32(r.Cost)}, float32(s.Stats.Memory), float32(s.LagBytes)})
	p.begun, p.from, p.row = at, s.Stats, row
}

func nan() float32 { return float32(math.NaN()) }

func (p *plugin) add(one point) {
	if len(p.points) < points {
		p.points = append(p.points, one)
	} else {
		p.points[p.n%points] = one
	}
	p.n++
}

// between are the rates from one count to another. Counts that went back began anew.
func between(a, b *runner.Stats, took time.Duration) Rates {
	per := func(from, to int64) float64 {
		if to < from {
			from = 0
		}
		return float64(to-from) / max(took.Seconds(), 1e-3)
	}
	return Rates{per(a.Matched, b.Matched), per(a.Failed, b.Failed), per(a.Injected, b.Injected), per(a.Nanos, b.Nanos) / 1e9}
}

// Now is how fast a plugin works.
func (v *View) Now(name string) Rates {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p := v.plugins[name]; p != nil {
		return p.rates
	}
	return Rates{}
}

// History is that of a plugin as graphs.
func (v *View) History(name string) []series.Graph {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.plugins[name]
	if p == nil {
		return []series.Graph{}
	}
	graph := func(title string, columns []cbuf.ColumnInfo, values func(*point) []float64) series.Graph {
		d := &cbuf.Data{Rows: len(p.points), Columns: len(columns), SecondsPerRow: int(Step.Seconds()), Info: columns, Annotations: []cbuf.Annotation{}, Values: [][]float64{}}
		d.Time = (p.row - int64(len(p.points))) * int64(Step.Seconds())
		for i := range p.points {
			d.Values = append(d.Values, values(&p.points[(p.n+i)%len(p.points)]))
		}
		return series.Graph{Info: series.Info{Logger: name, Name: title, Title: title, Type: "cbuf", Updated: p.at.UTC()}, Data: d}
	}
	column := func(name, unit string) cbuf.ColumnInfo {
		return cbuf.ColumnInfo{Name: name, Unit: unit, Aggregation: "none"}
	}
	return []series.Graph{
		graph("Messages a second", []cbuf.ColumnInfo{column("matched", "count"), column("returned -1", "count"), column("made", "count")}, func(p *point) []float64 {
			return []float64{float64(p.rates[0]), float64(p.rates[1]), float64(p.rates[2])}
		}),
		graph("Cost", []cbuf.ColumnInfo{column("of a core", "percent")}, func(p *point) []float64 { return []float64{100 * float64(p.rates[3])} }),
		graph("Memory and lag", []cbuf.ColumnInfo{column("memory", "B"), column("lag", "B")}, func(p *point) []float64 { return []float64{float64(p.memory), float64(p.lag)} }),
	}
}
