package runner

import (
	"slices"

	"sandbar/host/stream"
)

// whereabouts is where the messages lie that a plugin is called for: the evidence of its alerts. Its zero value knows of none.
type whereabouts struct {
	partition Partition
	batch     *batch  // of the call that runs; nil between calls and in a timer event
	hits      []int32 // of the batch that the call is for
	recent    []place // of the last few messages before, the oldest first
}

// place is where a message begins.
type place struct {
	stream string
	at     stream.Position
}

// recentMost is how many messages before a timer event are evidence of what it raises.
const recentMost = 3

// within says that calls are for messages of a batch, until left.
func (w *whereabouts) within(b *batch) { w.batch = b }

// left says that calls for these messages of the batch are over.
func (w *whereabouts) left(hits []int32) {
	n := max(0, len(hits)-recentMost)
	keep := min(len(w.recent), recentMost-(len(hits)-n))
	w.recent = append(w.recent[:0], w.recent[len(w.recent)-keep:]...)
	for _, h := range hits[n:] {
		w.recent = append(w.recent, w.place(h))
	}
	w.batch, w.hits = nil, nil
}

func (w *whereabouts) place(hit int32) place {
	p := place{w.batch.stream, w.batch.from}
	if hit > 0 {
		p.at = w.batch.ends[hit-1]
	}
	return p
}

// here is sandbox.Env's.
func (w *whereabouts) here() (names []string) {
	if w.batch == nil || w.hits == nil {
		for _, p := range w.recent {
			names = append(names, w.name(p))
		}
		return names
	}
	for _, h := range w.hits {
		names = append(names, w.name(w.place(h)))
	}
	return names
}

// name is STREAM/POSITION, as people can look for it.
func (w *whereabouts) name(p place) string {
	s, partition, ok := stream.ParseElsewhere(p.stream)
	if !ok {
		s, partition = p.stream, w.partition.Number
	}
	return s + "/" + stream.PlaceName(max(1, w.partition.Of), partition, p.at)
}

// succeed takes over what old knew.
func (w *whereabouts) succeed(old *whereabouts) {
	w.partition, w.recent = old.partition, slices.Clone(old.recent)
}
