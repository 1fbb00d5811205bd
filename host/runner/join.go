package runner

import (
	"cmp"
	"maps"
)

// rank orders states by what is told of a plugin that is in several of them: that it has ended by itself somewhere, before all.
func rank(s State) int {
	switch s {
	case Terminated:
		return 3
	case Failed:
		return 2
	case Running:
		return 1
	}
	return 0
}

// Join is what is told of a plugin that is in two partitions, or on two hosts.
func Join(a, b Status) Status {
	if rank(b.State) > rank(a.State) {
		a, b = b, a
	}
	a.Stats = a.Stats.Plus(b.Stats)
	a.LagBytes += b.LagBytes
	return a
}

// Plus is what was done in both.
func (a Stats) Plus(b Stats) Stats {
	a.Seen += b.Seen
	a.Matched += b.Matched
	a.Failed += b.Failed
	a.Injected += b.Injected
	a.InjectedBytes += b.InjectedBytes
	a.Fuel += b.Fuel
	a.FuelMax = max(a.FuelMax, b.FuelMax)
	a.Memory += b.Memory
	a.Nanos += b.Nanos
	a.Timers += b.Timers
	outcomes := maps.Clone(a.Outcomes)
	for name, n := range b.Outcomes {
		if outcomes == nil {
			outcomes = map[string]int64{}
		}
		outcomes[name] += n
	}
	a.Outcomes = outcomes
	a.LastError = cmp.Or(a.LastError, b.LastError)
	return a
}
