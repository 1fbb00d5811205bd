package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/health"
	"sandbar/host/partitions"
	"sandbar/host/runner"
	"sandbar/host/stream"
)

type streamNumbers struct {
	Name              string  `json:"name"`
	Messages          int64   `json:"messages"`
	Bytes             int64   `json:"bytes"`
	StoredBytes       int64   `json:"stored_bytes"`
	SkippedBytes      int64   `json:"skipped_bytes"`
	Syncs             int64   `json:"syncs"`
	First             string  `json:"first"`
	End               string  `json:"end"`
	MessagesPerSecond float64 `json:"messages_per_second"`
	BytesPerSecond    float64 `json:"bytes_per_second"`
}

type edgeNumbers struct {
	Answers  map[int]int64 `json:"answers"`
	Bytes    int64         `json:"bytes"`
	InFlight int64         `json:"in_flight_bytes"`
}

type archiveNumbers struct {
	Files   int64      `json:"files"`
	Bytes   int64      `json:"bytes"`
	Waiting int64      `json:"waiting_bytes"`
	Since   *time.Time `json:"waiting_since"`
}

func (s *Site) archive() archiveNumbers {
	st := s.opt.Archive.Stats()
	n := archiveNumbers{Files: st.Files, Bytes: st.Bytes, Waiting: st.Waiting}
	if !st.Since.IsZero() {
		since := st.Since.UTC()
		n.Since = &since
	}
	return n
}

func (s *Site) overview(c echo.Context) error {
	list, err := s.opt.Plugins.List(c.Request().Context())
	if err != nil {
		return err
	}
	states := map[runner.State]int{}
	for i := range list {
		states[list[i].State]++
	}
	streams := make([]streamNumbers, 0, len(stream.Names()))
	for _, name := range stream.Names() {
		log := s.opt.Streams[name]
		st := log.Stats()
		n := streamNumbers{Name: name, Messages: st.Messages, Bytes: st.Bytes, StoredBytes: st.Stored, SkippedBytes: st.Skipped,
			Syncs: st.Syncs, First: log.First().String(), End: log.End().String()}
		n.MessagesPerSecond, n.BytesPerSecond = s.pulse.rates(name)
		streams = append(streams, n)
	}
	others := s.opt.Hosts.Others()
	addStreams(streams, others)
	e := s.opt.Edge.Stats()
	return answer(c, http.StatusOK, struct {
		Host       string               `json:"host"`
		Now        time.Time            `json:"now"`
		Started    time.Time            `json:"started"`
		Troubles   []health.Trouble     `json:"troubles"`
		Partitions partitions.Share     `json:"partitions"`
		Hosts      []hostNumbers        `json:"hosts"`
		Streams    []streamNumbers      `json:"streams"`
		Edge       edgeNumbers          `json:"edge"`
		Landfill   archiveNumbers       `json:"landfill"`
		States     map[runner.State]int `json:"states"` // of plugins
	}{s.opt.Hostname, s.opt.Now().UTC(), s.started, troubles(s.opt.Health, others), s.opt.Partitions.Share(), s.hosts(others), streams,
		addEdges(edgeNumbers{e.Answers, e.Bytes, e.InFlight}, others), addArchives(s.archive(), others), states})
}

// samples are what is needed for rates over the last seconds.
const samples = 11

// rate is a ring of samples of one stream.
type rate struct {
	at    [samples]time.Time
	count [samples]stream.Stats
	n     int // samples that ever were taken
}

func (r *rate) add(at time.Time, s stream.Stats) {
	r.at[r.n%samples], r.count[r.n%samples] = at, s
	r.n++
}

// perSecond is between the oldest and the newest sample.
func (r *rate) perSecond() (messages, bytes float64) {
	if r.n < 2 {
		return 0, 0
	}
	oldest, newest := max(0, r.n-samples)%samples, (r.n-1)%samples
	seconds := r.at[newest].Sub(r.at[oldest]).Seconds()
	if seconds <= 0 {
		return 0, 0
	}
	a, b := r.count[oldest], r.count[newest]
	return float64(b.Messages-a.Messages) / seconds, float64(b.Bytes-a.Bytes) / seconds
}
