package disk

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"

	"sandbar/host/stream"
)

func sample() *checkpoint {
	c := newCheckpoint()
	c.ends = map[string]stream.Position{"valid": {Segment: 3, Offset: 4711}, "errors": {}, "derived": {Segment: 0, Offset: 99}}
	c.readers = map[string]map[string]stream.Position{
		"landfill":           {"raw": {Segment: 7, Offset: 65536}},
		"analysis.rate":      {"valid": {Segment: 3, Offset: 4000}, "errors": {}},
		"odd \"name\"\n\xff": {"raw": {}},
	}
	c.states = map[string]stateRef{"analysis.rate": {file: 12, offset: 0, size: 8 << 20, sum: 0xfedcba9876543210}, "x": {file: 12, offset: 8 << 20, size: 0, sum: 1}}
	return c
}

var asIs = cmp.AllowUnexported(checkpoint{}, stateRef{})

// The fixture was written by the first version; every later one must read it.
func TestCheckpointVersion1(t *testing.T) {
	t.Parallel()
	const name = "testdata/checkpoint.1"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseCheckpoint(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got, asIs); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(sample().appendTo(nil), b) {
		t.Errorf("it is written differently now:\n%s", sample().appendTo(nil))
	}
}

// TestCheckpointHasAnID: the ID is read and written, and one that is not whole is refused.
func TestCheckpointHasAnID(t *testing.T) {
	t.Parallel()
	c := sample()
	c.id = stream.ID{0xab, 15: 0xcd}
	b := c.appendTo(nil)
	if !bytes.HasPrefix(b, []byte("sandbar checkpoint 2\nid ab0000000000000000000000000000cd\n")) {
		t.Errorf("it is written as\n%s", b)
	}
	got, err := parseCheckpoint(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got, asIs); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"id ab\n", "id \n", "id AB0000000000000000000000000000cd\n", ""} {
		b := []byte(checkpointFirst + id + "end \"valid\" 0:0\n")
		if _, err := parseCheckpoint(fmt.Appendf(b, "sum %016x\n", xxhash.Sum64(b))); err == nil {
			t.Errorf("%q was taken", id)
		}
	}
}

// signed puts first line and checksum around lines.
func signed(lines string) []byte {
	b := []byte(checkpointOld + lines)
	return fmt.Appendf(b, "sum %016x\n", xxhash.Sum64(b))
}

func TestCheckpointErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ lines, want string }{
		"unknown line":      {"begin \"valid\" 0:0\n", "line 2"},
		"empty line":        {"\n", "line 2"},
		"no quotes":         {"end valid 0:0\n", "quoted"},
		"no position":       {"end \"valid\"\n", "quoted"},
		"negative":          {"end \"valid\" -1:0\n", "number"},
		"too large":         {"end \"valid\" 0:99999999999999999999\n", "number"},
		"more":              {"end \"valid\" 0:0 0\n", "number"},
		"empty name":        {"reader \"\" \"raw\" 0:0\n", "0 bytes"},
		"long name":         {"reader \"" + strings.Repeat("a", 256) + "\" \"raw\" 0:0\n", "256 bytes"},
		"short state":       {"state \"a\" 1 2 3\n", "number"},
		"twice":             {"end \"valid\" 0:0\nend \"valid\" 0:0\n", "order"},
		"not in order":      {"end \"valid\" 0:0\nend \"errors\" 0:0\n", "order"},
		"padded number":     {"end \"valid\" 00:0\n", "order"},
		"quoted otherwise":  {"end \"\\x41\" 0:0\n", "order"},
		"the second is bad": {"end \"errors\" 0:0\nend\n", "line 3"},
	}
	for name, test := range tests {
		if _, err := parseCheckpoint(signed(test.lines)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want it to say %q", name, err, test.want)
		}
	}
	if _, err := parseCheckpoint(signed("end \"valid\" 0:0\n")); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// What is taken is what would be written, so nothing has two readings.
func FuzzCheckpoint(f *testing.F) {
	f.Add(string(sample().appendTo(nil)[len(checkpointFirst):]))
	f.Add("end \"valid\" 0:0\n")
	f.Add("state \"a\" 1 2 3 0000000000000004\n")
	f.Add("reader \"a\" \"raw\" 1:2\n")
	f.Fuzz(func(t *testing.T, lines string) {
		for _, b := range [][]byte{[]byte(lines), []byte(checkpointFirst + lines), signed(lines)} {
			c, err := parseCheckpoint(b)
			if err == nil && !bytes.Equal(c.appendTo(nil), b) {
				t.Errorf("taken, and written as\n%s", c.appendTo(nil))
			}
		}
	})
}

func BenchmarkCheckpoint(b *testing.B) {
	c := newCheckpoint()
	for i := range 1000 {
		name := fmt.Sprintf("analysis.plugin_%d", i)
		c.readers[name] = map[string]stream.Position{"valid": {Segment: 12, Offset: int64(i) << 10}, "errors": {Segment: 1, Offset: 100}}
		c.states[name] = stateRef{file: int64(i), size: 1000, sum: uint64(i) << 40}
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = c.clone().appendTo(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
