package sandbox

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// Throttles are the ids of the alerts that a plugin has sent, and when. They survive a restart, whether the plugin preserves
// its data or not.
type Throttles struct{ sent map[string]time.Time }

// Bounds of what is remembered: ids, and bytes of one.
const (
	maxRemembered = 10_000
	maxAlertID    = 128
)

// quiet says whether an alert of the id was sent less than so many minutes ago. One from the future, of a clock that was
// wrong, keeps nobody quiet.
func (t *Throttles) quiet(id string, now time.Time, minutes float64) bool {
	at, ok := t.sent[id]
	passed := now.Sub(at).Minutes()
	return ok && passed >= 0 && passed < minutes
}

// any says whether an alert of the id is remembered.
func (t *Throttles) any(id string) bool {
	_, ok := t.sent[id]
	return ok
}

// forget lets the id be alerted about again.
func (t *Throttles) forget(id string) { delete(t.sent, id) }

// remember notes an alert. Those older than keep go when there are too many, and then all.
func (t *Throttles) remember(id string, now time.Time, keep float64) {
	if len(t.sent) >= maxRemembered {
		maps.DeleteFunc(t.sent, func(_ string, at time.Time) bool { return now.Sub(at).Minutes() >= keep })
		if len(t.sent) >= maxRemembered {
			clear(t.sent)
		}
	}
	if t.sent == nil {
		t.sent = map[string]time.Time{}
	}
	t.sent[id] = now
}

// AppendState writes all of it: ids in their order, each with its nanoseconds since the epoch. It writes nothing when
// there are none.
func (t *Throttles) AppendState(dst []byte) []byte {
	for _, id := range slices.Sorted(maps.Keys(t.sent)) {
		dst = binary.AppendUvarint(dst, uint64(len(id)))
		dst = append(dst, id...)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(t.sent[id].UnixNano()))
	}
	return dst
}

// Restore reads what AppendState wrote; false when it is damaged.
func (t *Throttles) Restore(state string) bool {
	t.sent = map[string]time.Time{}
	for in := []byte(state); len(in) > 0; {
		n, size := binary.Uvarint(in)
		if size <= 0 || n > maxAlertID || len(in)-size < int(n)+8 || len(t.sent) >= maxRemembered {
			return false
		}
		id := string(in[size : size+int(n)])
		in = in[size+int(n):]
		t.sent[id] = time.Unix(0, int64(binary.LittleEndian.Uint64(in)))
		in = in[8:]
	}
	return true
}
