package runner

import (
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
		sandbox.Decoder:  {anyQueue: {raw, decoded}},
		sandbox.Analysis: {anyQueue: {both, to(stream.Derived)}},
		sandbox.Output: {
			sandbox.ReadInput:    {both, valid},
			sandbox.ReadAnalysis: {derived, valid},
			anyQueue:             {all, valid},
		},
	}
}

// anyQueue stands for every read_queue that has no row of its own.
const anyQueue sandbox.ReadQueue = "*"

func routeOf(cfg *sandbox.Config) route {
	rows := routes()[cfg.Kind]
	if r, ok := rows[cfg.ReadQueue]; ok {
		return r
	}
	return rows[anyQueue]
}
