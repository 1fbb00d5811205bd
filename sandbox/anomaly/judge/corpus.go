// Package judge says how good detectors of anomalies are: it makes a corpus of series whose events are known, and counts what a detector finds in it, what it misses, and what
// it makes up.
package judge

import (
	"fmt"
	"math"
	"math/rand/v2"

	"sandbar/sandbox/anomaly"
)

// Kinds of events.
const (
	Outage  = "outage"  // much less for an hour to a day, or nothing
	Shift   = "shift"   // another level from then on
	Spike   = "spike"   // much more, once or twice
	Drift   = "drift"   // to another level over days
	Holiday = "holiday" // a day as if it were another one; nothing is wrong
	Release = "release" // a few percent more or less from then on; nothing is wrong
)

// Event is something that happened to a series.
type Event struct {
	Kind     string
	From, To int  // values, To behind the last
	Fine     bool // nothing is wrong: to be told of it is neither right nor wrong
}

// Labelled is a series whose events are known.
type Labelled struct {
	Name   string
	Series anomaly.Series
	Events []Event
}

const (
	step    = 600 // seconds
	perDay  = 86_400 / step
	perWeek = 7 * perDay
	weeks   = 6
	calm    = 3 * perWeek // before the first event
)

// Corpus makes n series of six weeks at ten minutes: counts with waves of day and week, trends and noise. The same seed makes the same.
func Corpus(n int, seed uint64) []Labelled {
	all := make([]Labelled, n)
	for i := range all {
		all[i] = labelled(rand.New(rand.NewPCG(seed, uint64(i))), i)
	}
	return all
}

// shape is what a series is like without events.
type shape struct {
	level          float64 // a step
	daily, weekend float64 // how deep the night is, and what a weekend has of a weekday
	trend          float64 // over all weeks
	noise          float64 // standard deviation of a factor, beside Poisson's
	phase          float64
	second         float64 // a wave of half a day
	slow           float64 // of a slow wander
}

func newShape(r *rand.Rand) shape {
	uniform := func(low, high float64) float64 { return low + (high-low)*r.Float64() }
	return shape{level: math.Exp(uniform(math.Log(100), math.Log(20_000))), daily: uniform(0.1, 0.85), weekend: uniform(0.5, 1), trend: uniform(-0.2, 0.4), noise: uniform(0.005, 0.03),
		phase: uniform(0, 2*math.Pi), second: uniform(0, 0.15), slow: uniform(0, 0.03)}
}

func (s *shape) at(i int) float64 {
	t := 2 * math.Pi * float64(i) / perDay
	v := 1 + s.daily*math.Sin(t+s.phase) + s.second*math.Sin(2*t+s.phase)
	if d := i / perDay % 7; d >= 5 {
		v *= s.weekend
	}
	return s.level * math.Max(0.05, v) * (1 + s.trend*float64(i)/(weeks*perWeek))
}

func labelled(r *rand.Rand, number int) Labelled {
	s := newShape(r)
	l := Labelled{Name: fmt.Sprintf("series %d", number), Series: anomaly.Series{Step: step, Values: make([]float64, weeks*perWeek)}}
	l.Events = events(r)
	wander := 0.0
	for i := range l.Series.Values {
		wander = 0.995*wander + 0.1*s.slow*r.NormFloat64()
		want := s.at(i) * (1 + wander) * (1 + s.noise*r.NormFloat64())
		for k := range l.Events {
			want *= l.Events[k].factor(i)
		}
		l.Series.Values[i] = poisson(r, math.Max(0, want))
	}
	return l
}

// events are one to three that are to be found, and sometimes one that is fine.
func events(r *rand.Rand) (list []Event) {
	at := calm + r.IntN(perDay)
	kinds := []string{Outage, Shift, Spike, Drift, Outage, Shift}
	for len(list) < 3 && at < (weeks-1)*perWeek {
		kind := kinds[r.IntN(len(kinds))]
		e := Event{Kind: kind, From: at}
		switch kind {
		case Outage:
			e.To = at + 6 + r.IntN(perDay)
		case Spike:
			e.To = at + 1 + r.IntN(2)
		case Shift:
			e.To = at + 2*perDay
		case Drift:
			e.To = at + 3*perDay
		}
		list = append(list, e)
		at = e.To + 2*perDay + r.IntN(3*perDay)
	}
	if r.IntN(2) == 0 { // in the week before the first
		day := calm - perWeek + perDay*r.IntN(6)
		list = append(list, Event{Kind: Holiday, From: day, To: day + perDay, Fine: true})
	}
	if r.IntN(2) == 0 { // half a day before it
		at := max(0, list[0].From-perDay/2)
		list = append(list, Event{Kind: Release, From: at, To: at + perDay/4, Fine: true})
	}
	return list
}

// factor is what an event makes of value i. What it is like is decided by its place, so that it is the same for all values.
func (e *Event) factor(i int) float64 {
	own := rand.New(rand.NewPCG(uint64(e.From), uint64(e.To)))
	size := own.Float64()
	up := own.IntN(2) == 0
	inside := i >= e.From && i < e.To
	switch e.Kind {
	case Outage:
		if inside {
			return 0.3 * size * size // often nothing
		}
	case Spike:
		if inside {
			return 2.5 + 3*size
		}
	case Shift:
		if i >= e.From && up {
			return 1.4 + size
		}
		if i >= e.From {
			return 0.35 + 0.35*size
		}
	case Drift:
		to := 1.5 + 0.5*size
		if !up {
			to = 0.5
		}
		return 1 + (to-1)*math.Max(0, math.Min(1, float64(i-e.From)/float64(e.To-e.From)))
	case Holiday:
		if inside {
			return 0.6 + 0.2*size
		}
	case Release:
		if i >= e.From {
			return 0.95 + 0.1*size
		}
	}
	return 1
}

// poisson draws a count; from 50 on by the normal distribution.
func poisson(r *rand.Rand, mean float64) float64 {
	if mean >= 50 {
		return math.Max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64()))
	}
	n, p, limit := 0.0, 1.0, math.Exp(-mean)
	for {
		if p *= r.Float64(); p <= limit {
			return n
		}
		n++
	}
}
