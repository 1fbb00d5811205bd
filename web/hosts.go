package web

import (
	"maps"
	"time"

	"sandbar/host/fleet"
	"sandbar/host/health"
	"sandbar/host/partitions"
)

// hostNumbers is one of the hosts that share topics.
type hostNumbers struct {
	Host       string           `json:"host"`
	This       bool             `json:"this"` // the one that answers
	Started    time.Time        `json:"started"`
	Partitions partitions.Share `json:"partitions"`
	Troubles   []health.Trouble `json:"troubles"`
}

// hosts lists this one first, then the others by name.
func (s *Site) hosts(others []fleet.Other) []hostNumbers {
	all := []hostNumbers{{s.opt.Hostname, true, s.started, s.opt.Partitions.Share(), s.opt.Health.Troubles()}}
	for _, o := range others {
		here := o.Share
		if here.Here == nil {
			here.Here = []int32{}
		}
		troubles := o.Troubles
		if troubles == nil {
			troubles = []health.Trouble{}
		}
		all = append(all, hostNumbers{o.Host, false, o.Started.UTC(), here, troubles})
	}
	return all
}

// troubles are those of all hosts, with the host's name before the part where it is another one.
func troubles(own Health, others []fleet.Other) []health.Trouble {
	all := own.Troubles()
	for _, o := range others {
		for _, t := range o.Troubles {
			t.Part = o.Host + ": " + t.Part
			all = append(all, t)
		}
	}
	return all
}

// addStreams adds what the other hosts have done.
func addStreams(streams []streamNumbers, others []fleet.Other) {
	for i := range streams {
		n := &streams[i]
		for _, o := range others {
			s, rate := o.Streams[n.Name], o.Rates[n.Name]
			n.Messages += s.Messages
			n.Bytes += s.Bytes
			n.StoredBytes += s.Stored
			n.SkippedBytes += s.Skipped
			n.Syncs += s.Syncs
			n.MessagesPerSecond += rate.Messages
			n.BytesPerSecond += rate.Bytes
		}
	}
}

func addEdges(e edgeNumbers, others []fleet.Other) edgeNumbers {
	e.Answers = maps.Clone(e.Answers)
	for _, o := range others {
		for code, n := range o.Edge.Answers {
			if e.Answers == nil {
				e.Answers = map[int]int64{}
			}
			e.Answers[code] += n
		}
		e.Bytes += o.Edge.Bytes
		e.InFlight += o.Edge.InFlight
	}
	return e
}

func addArchives(n archiveNumbers, others []fleet.Other) archiveNumbers {
	for _, o := range others {
		n.Files += o.Landfill.Files
		n.Bytes += o.Landfill.Bytes
		n.Waiting += o.Landfill.Waiting
		if since := o.Landfill.Since.UTC(); !since.IsZero() && (n.Since == nil || since.Before(*n.Since)) {
			n.Since = &since
		}
	}
	return n
}
