package runner

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sandbar/host/stream"
)

// Whatever comes in whatever order, an inbox stays within its bound, and the position never passes a message
// that the plugin wants and has not done.
func TestInboxIsBoundedAndNeverAhead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := newInbox(map[string]stream.Position{"a": {}, "b": {}})
		in.caughtUp("a")
		in.caughtUp("b")
		end := map[string]int64{}
		wanted := map[string][]int64{} // ends of wanted items that are not done
		largest := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			s := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "stream")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1: // a feed delivers
				if in.behind[s] {
					continue
				}
				size := rapid.SampledFrom([]int{1, 300 << 10, 3 << 20}).Draw(t, "size")
				at := stream.Position{Offset: end[s] + 1}
				it := item{stream: s, batch: &batch{bytes: size, ends: []stream.Position{at}}, end: at, passed: 1}
				if rapid.Bool().Draw(t, "wanted") {
					it.hits = []int32{0}
				}
				if in.put(it) {
					end[s]++
					largest = max(largest, size)
					if it.hits != nil {
						wanted[s] = append(wanted[s], end[s])
					}
				}
			case 2: // the plugin works
				if it, ok := in.next(); ok {
					if it.hits != nil {
						wanted[it.stream] = wanted[it.stream][1:]
					}
					in.advance(it.stream, it.end, it.hits != nil)
				}
			case 3: // it reads by itself, when it may
				if pos, ok := in.lagging()[s]; ok {
					if len(wanted[s]) > 0 || pos.Offset != end[s] {
						t.Fatalf("it reads %s from %v, but %d is queued up to %d", s, pos, len(wanted[s]), end[s])
					}
					in.caughtUp(s)
				}
			}
			bytes := 0
			for _, it := range in.items {
				if it.batch != nil {
					bytes += it.batch.bytes
				}
			}
			if bytes != in.bytes || bytes > maxInboxBytes && bytes > largest {
				t.Fatalf("inbox holds %d bytes and counts %d", bytes, in.bytes)
			}
			for s, w := range wanted {
				if len(w) > 0 && in.pos[s].Offset >= w[0] {
					t.Fatalf("position of %s is %d, but the message at %d is not done", s, in.pos[s].Offset, w[0])
				}
			}
		}
	})
}

// A plugin that joins ahead of the shared reading is not shown again what it has done.
func TestJoinedAhead(t *testing.T) {
	t.Parallel()
	at := func(offset int64) stream.Position { return stream.Position{Offset: offset} }
	b := &batch{ends: []stream.Position{at(10), at(20), at(30), at(40)}, end: at(40)}
	for _, tt := range []struct {
		skip   int64
		hits   []int32
		passed int
		end    int64
		left   int64 // skip after it
	}{
		{5, []int32{0, 1, 3}, 4, 40, 0},
		{10, []int32{1, 3}, 3, 40, 0},
		{25, []int32{3}, 2, 40, 0},
		{30, []int32{3}, 1, 40, 0},
		{40, nil, 0, 40, 40},
		{55, nil, 0, 55, 55},
	} {
		s := &subscription{skip: at(tt.skip)}
		it := s.unseen(item{batch: b, hits: []int32{0, 1, 3}, end: b.end, passed: 4})
		if !slices.Equal(it.hits, tt.hits) || it.passed != tt.passed || it.end != at(tt.end) || s.skip != at(tt.left) {
			t.Errorf("skip %d: hits %v, passed %d, end %v, then skip %v", tt.skip, it.hits, it.passed, it.end, s.skip)
		}
	}
}
