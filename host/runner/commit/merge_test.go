package commit

import (
	"testing"

	"sandbar/host/stream"
)

// TestKeysOfParts: a message keeps its key when parts are merged.
func TestKeysOfParts(t *testing.T) {
	t.Parallel()
	a := Part{Appends: map[string][][]byte{stream.Valid: {[]byte("a0"), []byte("a1")}}, Keys: map[string]map[int][]byte{stream.Valid: {1: []byte("ka1")}}}
	b := Part{Appends: map[string][][]byte{stream.Valid: {[]byte("b0")}, stream.Derived: {[]byte("d")}}}
	c := Part{Appends: map[string][][]byte{stream.Valid: {[]byte("c0"), []byte("c1")}}, Keys: map[string]map[int][]byte{stream.Valid: {0: []byte("kc0"), 1: []byte("kc1")}}}
	got := merge([]Part{a, b, c})
	if keys := got.Keys[stream.Valid]; len(got.Appends[stream.Valid]) != 5 || len(keys) != 3 || string(keys[1]) != "ka1" || string(keys[3]) != "kc0" || string(keys[4]) != "kc1" || len(got.Keys) != 1 {
		t.Errorf("merged %q with keys %v", got.Appends, got.Keys)
	}
}
