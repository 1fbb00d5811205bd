package judge

import (
	"runtime"
	"slices"
	"sync"

	"sandbar/sandbox/anomaly"
)

// Rules of judging.
const (
	together = 6 // values without an alarm that end an incident
	after    = 6 // values behind an event in which to be told of its end is neither right nor wrong
	deadline = 5 // values in which an event has to be found; a drift has until it is over
)

// Score is how good a detector is, for one kind of event or all.
type Score struct {
	Events int // to be found
	Found  int // in time
	Late   int // found, but not in time
	Alarms int // incidents that are about an event
	False  int // incidents about nothing
	Delays []int
}

// Precision is the share of incidents that are about something.
func (s *Score) Precision() float64 {
	if s.Alarms+s.False == 0 {
		return 1
	}
	return float64(s.Alarms) / float64(s.Alarms+s.False)
}

// Recall is the share of events that were found in time.
func (s *Score) Recall() float64 {
	if s.Events == 0 {
		return 1
	}
	return float64(s.Found) / float64(s.Events)
}

// Delay is the p-th share of delays, in values; those that were not found have none.
func (s *Score) Delay(p float64) int {
	if len(s.Delays) == 0 {
		return 0
	}
	slices.Sort(s.Delays)
	return s.Delays[min(len(s.Delays)-1, int(p*float64(len(s.Delays))))]
}

// Add adds another's.
func (s *Score) Add(o *Score) {
	s.Events += o.Events
	s.Found += o.Found
	s.Late += o.Late
	s.Alarms += o.Alarms
	s.False += o.False
	s.Delays = append(s.Delays, o.Delays...)
}

// Judge lets a detector look at every value of a corpus. The result is by kind of event; "" is all.
func Judge(d anomaly.Detector, corpus []Labelled) map[string]*Score {
	total := map[string]*Score{}
	var mu sync.Mutex
	var working sync.WaitGroup
	next := make(chan *Labelled)
	for range runtime.GOMAXPROCS(0) {
		working.Go(func() {
			for l := range next {
				one := judge(d, l)
				mu.Lock()
				for kind, s := range one {
					if total[kind] == nil {
						total[kind] = &Score{}
					}
					total[kind].Add(s)
				}
				mu.Unlock()
			}
		})
	}
	for i := range corpus {
		next <- &corpus[i]
	}
	close(next)
	working.Wait()
	return total
}

func judge(d anomaly.Detector, l *Labelled) map[string]*Score {
	alarms := make([]bool, len(l.Series.Values))
	for i := range alarms {
		alarms[i] = d.Look(&l.Series, i).Unusual()
	}
	return Alarms(alarms, l)
}

// Alarms judges what was said of each value of a series. The result is by kind of event; "" is all.
func Alarms(alarms []bool, l *Labelled) map[string]*Score {
	out := map[string]*Score{"": {}}
	of := func(kind string) *Score {
		if out[kind] == nil {
			out[kind] = &Score{}
		}
		return out[kind]
	}
	for _, e := range l.Events {
		if e.Fine {
			continue
		}
		until := min(len(alarms), e.From+deadline)
		if e.Kind == Drift {
			until = e.To
		}
		for _, s := range []*Score{of(""), of(e.Kind)} {
			s.Events++
			if at := slices.Index(alarms[e.From:min(len(alarms), e.To+after)], true); at < 0 || at == 0 && slices.Contains(alarms[max(0, e.From-together):e.From], true) {
				continue // an alarm that was on anyway is no finding
			} else if e.From+at < until {
				s.Found++
				s.Delays = append(s.Delays, at)
			} else {
				s.Late++
			}
		}
	}
	for from := 0; from < len(alarms); from++ {
		if !alarms[from] {
			continue
		}
		to := from + 1 // behind the last alarm of the incident
		for at := to; at < len(alarms) && at < to+together; at++ {
			if alarms[at] {
				to = at + 1
			}
		}
		kind, fine := about(l.Events, from, to)
		switch {
		case kind != "":
			of("").Alarms++
			of(kind).Alarms++
		case !fine:
			of("").False++
		}
		from = to
	}
	return out
}

// about finds the event that an incident is about; fine says that it is about one that nobody need be told of.
func about(events []Event, from, to int) (kind string, fine bool) {
	for _, e := range events {
		end := e.To + after
		if e.Kind == Shift || e.Kind == Drift { // what is compared with is old for a week
			end = e.To + perWeek
		}
		if from < end && to > e.From {
			if !e.Fine {
				return e.Kind, false
			}
			fine = true
		}
		if e.Fine && from < e.To+perWeek+after && to > e.From { // a holiday is in the memory of the weeks after it
			fine = true
		}
	}
	return "", fine
}
