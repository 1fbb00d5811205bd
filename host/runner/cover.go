package runner

import (
	"strings"

	"sandbar/host/stream"
)

// cover names the stretch of the streams between two sets of positions, in the order data flows, in
// characters that suit a file name: "valid_0.0-0.5230_errors_0.0-0.118". Made again after a crash from
// the same positions it is the same.
func cover(from, to map[string]stream.Position) string {
	var parts []string
	for _, s := range stream.Names() {
		if end, ok := to[s]; ok && end != from[s] {
			parts = append(parts, s+"_"+strings.ReplaceAll(from[s].String()+"-"+end.String(), ":", "."))
		}
	}
	return strings.Join(parts, "_")
}
