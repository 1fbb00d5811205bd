package cmd

import (
	"context"

	"github.com/google/uuid"

	"sandbar/host/clock"
	"sandbar/host/deploy"
	"sandbar/host/fleet"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/kafka"
	"sandbar/web"
)

// fleetLines is how many log lines of a plugin other hosts are told of, and fleetBytes how much of all plugins.
const (
	fleetLines = 20
	fleetBytes = 256 << 10
)

// openFleet lets the hosts that share topics know of each other.
func (h *host) openFleet() {
	if h.cluster != nil {
		h.fleet = fleet.New(fleet.Options{Table: h.cluster.Table(kafka.Hosts), ID: uuid.NewString(), Report: h.report,
			Clock: func(err error) { h.health.Report("clock", err) }, Now: clock.Now, Log: h.log})
	}
}

// others is the fleet for the page, nil without one.
func (h *host) others() web.Hosts {
	if h.fleet == nil {
		return nil
	}
	return h.fleet
}

// elsewhere is the fleet for the plugins' manager, nil without one.
func (h *host) elsewhere() deploy.Others {
	if h.fleet == nil {
		return nil
	}
	return h.fleet
}

// report is what this host tells of itself.
func (h *host) report() fleet.Report {
	plugins, err := h.deploy.Here(context.Background())
	if err != nil {
		h.log.Debug("other hosts are not told how plugins fare", "error", err)
	}
	edge := h.door.Stats()
	r := fleet.Report{Host: h.cfg.Hostname, Started: h.started, Share: h.set.Share(), Troubles: h.health.Troubles(), Streams: map[string]stream.Stats{},
		Edge: fleet.Edge{Answers: edge.Answers, Bytes: edge.Bytes, InFlight: edge.InFlight}, Landfill: h.set.Stats(), Plugins: plugins, Logs: map[string][]runner.LogLine{}}
	for _, name := range stream.Names() {
		r.Streams[name] = h.streams[name].Stats()
	}
	room := fleetBytes
	for i := range plugins {
		name := plugins[i].Name
		lines := h.set.Logs(name)
		lines = lines[max(0, len(lines)-fleetLines):]
		for _, l := range lines {
			room -= len(l.Text)
		}
		if room < 0 {
			break
		}
		if len(lines) > 0 {
			r.Logs[name] = lines
		}
	}
	return r
}
