// Package sketch holds summaries of large sets in little memory.
package sketch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// Shape of a filter: buckets of four entries, and a window of 256 intervals.
const (
	bucketSize   = 4
	intervals    = 256
	maxKicks     = 64
	maxItems     = 64 << 20
	minuteNS     = int64(60 * 1e9)
	loadLimitPct = 80 // from this load on the oldest interval is given up
)

// CuckooExpire says whether a key was seen in a sliding window of 256 intervals: a cuckoo filter with 32-bit
// fingerprints (Fan et al., "Cuckoo Filter: Practically Better Than Bloom", 2014) whose entries carry the
// interval in which their key was seen last. About one new key in 5*10^8 is taken for a known one.
// It is used by one goroutine at a time.
type CuckooExpire struct {
	items   int
	span    int64 // nanoseconds of an interval
	newest  int64 // number of the newest interval since the epoch
	prints  []uint32
	seen    []uint8 // interval of an entry, modulo 256
	count   int
	mask    uint64
	started bool
}

// CuckooExpireSize is the bytes that a filter for so many items holds, or what is wrong with the arguments.
func CuckooExpireSize(items, intervalMinutes int) (int64, error) {
	if items <= 256 || items > maxItems {
		return 0, fmt.Errorf("items must be > 256 and <= %d", maxItems)
	}
	if intervalMinutes < 1 || intervalMinutes > 1440 {
		return 0, errors.New("interval_minutes must be 1 to 1440")
	}
	return int64(slots(items))*5 + 128, nil
}

// slots is the number of entries for items: buckets are a power of two.
func slots(items int) int {
	buckets := (items + bucketSize - 1) / bucketSize
	return bucketSize << bits.Len(uint(buckets-1))
}

// NewCuckooExpire makes an empty filter.
func NewCuckooExpire(items, intervalMinutes int) (*CuckooExpire, error) {
	if _, err := CuckooExpireSize(items, intervalMinutes); err != nil {
		return nil, err
	}
	n := slots(items)
	return &CuckooExpire{items: items, span: int64(intervalMinutes) * minuteNS, prints: make([]uint32, n), seen: make([]uint8, n),
		mask: uint64(n/bucketSize - 1)}, nil
}

// Size is the bytes held.
func (c *CuckooExpire) Size() int64 { return int64(len(c.prints))*5 + 128 }

// place is the fingerprint of a key, never 0, and its first bucket.
func (c *CuckooExpire) place(key string) (uint32, uint64) {
	h := xxhash.Sum64String(key)
	p := uint32(h >> 32)
	if p == 0 {
		p = 1
	}
	return p, h & c.mask
}

// other is the other bucket of a fingerprint.
func (c *CuckooExpire) other(p uint32, bucket uint64) uint64 {
	return (bucket ^ uint64(p)*0x9e3779b97f4a7c15>>32) & c.mask
}

// Add notes that key was seen at ns. added says that it was not known in the window; delta is how many intervals
// lie between the two times; inWindow is false when ns is older than the window: nothing is noted then.
func (c *CuckooExpire) Add(key string, ns int64) (added bool, delta int, inWindow bool) {
	at := ns / c.span
	if ns < 0 {
		return false, 0, false
	}
	if !c.started || at > c.newest {
		c.advance(at)
	}
	if at <= c.newest-intervals {
		return false, 0, false
	}
	p, bucket := c.place(key)
	if i := c.find(p, bucket); i >= 0 {
		before := c.intervalOf(i)
		delta = int(at - before)
		if delta < 0 {
			return false, -delta, true
		}
		c.seen[i] = uint8(at)
		return false, delta, true
	}
	if c.count*100 >= len(c.prints)*loadLimitPct {
		c.dropOldest()
	}
	c.insert(p, bucket, uint8(at))
	return true, 0, true
}

// Work is how many entries Add goes through at most for a key of that time.
func (c *CuckooExpire) Work(ns int64) int64 {
	n := int64(0)
	if at := ns / c.span; ns >= 0 && at > c.newest && c.count > 0 {
		n += int64(len(c.prints))
	}
	if c.count*100 >= len(c.prints)*loadLimitPct {
		n += 2 * int64(len(c.prints))
	}
	return n
}

// intervalOf is the interval of entry i since the epoch.
func (c *CuckooExpire) intervalOf(i int) int64 {
	return c.newest - int64(uint8(c.newest)-c.seen[i])
}

// find returns the entry of a fingerprint or -1.
func (c *CuckooExpire) find(p uint32, bucket uint64) int {
	for range 2 {
		at := int(bucket) * bucketSize
		for i := at; i < at+bucketSize; i++ {
			if c.prints[i] == p {
				return i
			}
		}
		bucket = c.other(p, bucket)
	}
	return -1
}

// insert puts an entry in, moving others between their buckets. When that fails, the entry that was moved
// last is lost: its key would be taken for a new one.
func (c *CuckooExpire) insert(p uint32, bucket uint64, seen uint8) {
	for _, b := range [2]uint64{bucket, c.other(p, bucket)} {
		at := int(b) * bucketSize
		for i := at; i < at+bucketSize; i++ {
			if c.prints[i] == 0 {
				c.prints[i], c.seen[i] = p, seen
				c.count++
				return
			}
		}
	}
	for kick := range maxKicks {
		i := int(bucket)*bucketSize + (int(p)+kick)&(bucketSize-1)
		p, c.prints[i] = c.prints[i], p
		seen, c.seen[i] = c.seen[i], seen
		bucket = c.other(p, bucket)
		at := int(bucket) * bucketSize
		for i := at; i < at+bucketSize; i++ {
			if c.prints[i] == 0 {
				c.prints[i], c.seen[i] = p, seen
				c.count++
				return
			}
		}
	}
}

// advance moves the window so that its newest interval is at, and drops what has left it.
func (c *CuckooExpire) advance(at int64) {
	before := c.newest
	first := !c.started
	c.started = true
	if first || c.count == 0 {
		c.newest = at
		return
	}
	if at-before >= intervals {
		c.newest = at
		c.empty()
		return
	}
	for i, p := range c.prints {
		if p != 0 && c.intervalOf(i) <= at-intervals {
			c.prints[i] = 0
			c.count--
		}
	}
	c.newest = at
}

// dropOldest gives up the interval that was not renewed for the longest time.
func (c *CuckooExpire) dropOldest() {
	oldest := uint8(0)
	for i, p := range c.prints {
		if p != 0 {
			oldest = max(oldest, uint8(c.newest)-c.seen[i])
		}
	}
	for i, p := range c.prints {
		if p != 0 && uint8(c.newest)-c.seen[i] == oldest {
			c.prints[i] = 0
			c.count--
		}
	}
}

func (c *CuckooExpire) empty() {
	clear(c.prints)
	c.count = 0
}

// Delete forgets a key and says whether it was known.
func (c *CuckooExpire) Delete(key string) bool {
	i := c.find(c.place(key))
	if i < 0 {
		return false
	}
	c.prints[i] = 0
	c.count--
	return true
}

// Query says whether a key is known, and in which interval (0 to 255, as CurrentInterval) it was seen last.
func (c *CuckooExpire) Query(key string) (found bool, interval int) {
	i := c.find(c.place(key))
	if i < 0 {
		return false, 0
	}
	return true, int(c.seen[i])
}

// Count is how many keys are known.
func (c *CuckooExpire) Count() int { return c.count }

// Clear forgets all keys, and where the window lies.
func (c *CuckooExpire) Clear() {
	c.empty()
	c.started, c.newest = false, 0
}

// CurrentInterval is where the newest interval begins, in nanoseconds, and its number modulo 256.
func (c *CuckooExpire) CurrentInterval() (ns int64, index int) {
	return c.newest * c.span, int(uint8(c.newest))
}

const cuckooMagic = "CE1"

var errState = errors.New("the state is damaged")

// AppendState writes all there is to know of the filter: only entries that are used.
func (c *CuckooExpire) AppendState(dst []byte) []byte {
	dst = append(dst, cuckooMagic...)
	dst = binary.AppendUvarint(dst, uint64(c.items))
	dst = binary.AppendUvarint(dst, uint64(c.span/minuteNS))
	started := int64(-1)
	if c.started {
		started = c.newest
	}
	dst = binary.AppendVarint(dst, started)
	gap := uint64(0)
	for i, p := range c.prints {
		if p == 0 {
			gap++
			continue
		}
		dst = binary.AppendUvarint(dst, gap)
		dst = binary.LittleEndian.AppendUint32(dst, p)
		dst = append(dst, c.seen[i])
		gap = 0
	}
	return dst
}

// ReviveCuckooExpire makes a filter of what AppendState wrote.
func ReviveCuckooExpire(state string) (*CuckooExpire, error) {
	items, minutes, rest, err := shape([]byte(state))
	if err != nil {
		return nil, err
	}
	c, err := NewCuckooExpire(items, minutes)
	if err != nil {
		return nil, err
	}
	return c, c.fill(rest)
}

// FromString refills a filter with what AppendState wrote of one of the same shape.
func (c *CuckooExpire) FromString(state string) error {
	items, minutes, rest, err := shape([]byte(state))
	if err != nil {
		return err
	}
	if slots(items) != len(c.prints) || int64(minutes)*minuteNS != c.span {
		return fmt.Errorf("the preserved filter is for %d items and intervals of %d minutes, the new one for %d and %d; raise _PRESERVATION_VERSION",
			items, minutes, c.items, c.span/minuteNS)
	}
	return c.fill(rest)
}

func shape(in []byte) (items, minutes int, rest []byte, err error) {
	if len(in) < len(cuckooMagic) || string(in[:len(cuckooMagic)]) != cuckooMagic {
		return 0, 0, nil, errState
	}
	in = in[len(cuckooMagic):]
	a, n := binary.Uvarint(in)
	if n <= 0 || a > maxItems {
		return 0, 0, nil, errState
	}
	b, m := binary.Uvarint(in[n:])
	if m <= 0 || b > 1440 {
		return 0, 0, nil, errState
	}
	if _, err := CuckooExpireSize(int(a), int(b)); err != nil {
		return 0, 0, nil, errState
	}
	return int(a), int(b), in[n+m:], nil
}

func (c *CuckooExpire) fill(in []byte) error {
	newest, n := binary.Varint(in)
	if n <= 0 || newest > math.MaxInt64/c.span {
		return errState
	}
	in = in[n:]
	c.empty()
	c.started, c.newest = newest >= 0, max(newest, 0)
	for i := uint64(0); len(in) > 0; i++ {
		gap, n := binary.Uvarint(in)
		if n <= 0 || gap >= uint64(len(c.prints))-i || len(in) < n+5 {
			return errState
		}
		i += gap
		c.prints[i], c.seen[i] = binary.LittleEndian.Uint32(in[n:]), in[n+4]
		if c.prints[i] == 0 || i >= uint64(len(c.prints)) {
			return errState
		}
		c.count++
		if in = in[n+5:]; i+1 >= uint64(len(c.prints)) && len(in) > 0 {
			return errState
		}
	}
	return nil
}
