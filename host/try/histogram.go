package try

import "math/bits"

// histogram counts values, to tell of them how they are spread. A value is counted with those that differ by less than 1/fine of it, as in
// HDR histograms (G. Tene, hdrhistogram.org).
type histogram struct {
	counts [buckets]int64
	n, sum int64
	max    int64
}

const (
	fineBits = 5 // 1/32: a value is told 3 % too large at most
	fine     = 1 << fineBits
	buckets  = (63 - fineBits + 1) * fine
)

func bucket(v int64) int {
	if v < fine {
		return int(v)
	}
	shift := bits.Len64(uint64(v)) - 1 - fineBits
	return (shift+1)*fine + int(v>>shift) - fine
}

// top is the largest value that is counted there.
func top(bucket int) int64 {
	if bucket < fine {
		return int64(bucket)
	}
	shift := bucket/fine - 1
	return (int64(bucket%fine+fine)+1)<<shift - 1
}

func (h *histogram) add(v int64) {
	v = max(v, 0)
	h.counts[bucket(v)]++
	h.n++
	h.sum += v
	h.max = max(h.max, v)
}

// at is the value that the part q of all values is not above.
func (h *histogram) at(q float64) int64 {
	want := int64(q*float64(h.n) + 0.5)
	var n int64
	for i, c := range h.counts {
		if n += c; n >= max(want, 1) {
			return min(top(i), h.max)
		}
	}
	return 0
}

func (h *histogram) spread() Spread {
	return Spread{Sum: h.sum, P50: h.at(0.5), P99: h.at(0.99), Max: h.max}
}
