package runner

import (
	"slices"

	"sandbar/host/stream"
	"sandbar/sandbox"
)

// route is the way of messages through a plugin.
type route struct {
	reads  []string
	writes func(msg []byte) string // the stream that a message it made goes to
}

// routes holds the way through every kind of plugin, and through outputs by their read_queue.
func routes() map[sandbox.Kind]map[sandbox.ReadQueue]route {
	to := func(name string) func([]byte) string { return func([]byte) string { return name } }
	decoded := func(msg []byte) string {
		if isFailure(msg) {
			return stream.Errors
		}
		return stream.Valid
	}
	raw, both := []string{stream.Raw}, []string{stream.Valid, stream.Errors}
	derived, all := []string{stream.Derived}, []string{stream.Valid, stream.Errors, stream.Derived}
	valid := to(stream.Valid)
	return map[sandbox.Kind]map[sandbox.ReadQueue]route{
		sandbox.Decoder: {anyQueue: {raw, decoded}},
		sandbox.Analysis: {
			sandbox.ReadHost: {derived, to(stream.Derived)},
			anyQueue:         {both, to(stream.Derived)},
		},
		sandbox.Output: {
			sandbox.ReadInput:    {both, valid},
			sandbox.ReadAnalysis: {derived, valid},
			anyQueue:             {all, valid},
		},
	}
}

// Reads are the streams that a plugin gets messages of, without partitions.
func Reads(cfg *sandbox.Config) []string {
	local := *cfg
	local.Global = false
	return routeOf(&local, Partition{}).reads
}

// anyQueue stands for every read_queue that has no row of its own.
const anyQueue sandbox.ReadQueue = "*"

func routeOf(cfg *sandbox.Config, p Partition) route {
	rows := routes()[cfg.Kind]
	r, ok := rows[cfg.ReadQueue]
	if !ok {
		r = rows[anyQueue]
	}
	if cfg.Global {
		r.reads = append(slices.Clone(r.reads), p.elsewhere(r.reads...)...)
	}
	return r
}

// elsewhere lists streams in the other partitions; without names, those that plugins of global scope read.
func (p Partition) elsewhere(names ...string) (all []string) {
	if len(names) == 0 {
		for _, r := range routes()[sandbox.Analysis] {
			names = append(names, r.reads...)
		}
	}
	for other := range p.Of {
		if other == p.Number {
			continue
		}
		for _, name := range names {
			all = append(all, stream.Elsewhere(name, other))
		}
	}
	return all
}
