package series

import (
	"cmp"
	"container/list"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// maxName bounds a logger, payload name or type.
const maxName = 255

type key struct {
	name, typ string
	log       int
}

// entry is one payload. It is replaced as a whole, never changed, so it may be read without the lock.
type entry struct {
	info Info
	log  int
	seq  int64  // counts updates
	msg  []byte // the message it came in, which is also what the file keeps
}

func (e *entry) payload() []byte {
	var v message.View
	if v.Parse(e.msg) != nil {
		return nil // cannot be: it was parsed when it came
	}
	p, _ := v.Header(message.Payload)
	return p
}

// table holds the newest payload of every key within bounds.
type table struct {
	maxPayload   int
	maxBytes     int64
	maxPerLogger int

	mu        sync.Mutex
	loggers   map[string]map[key]*list.Element // of *entry
	order     list.List                        // entries by their last update, oldest first
	seq       int64                            // of the newest update
	bytes     int64
	refused   int64
	evicted   int64
	at        []stream.Position            // of each log: read up to here
	forgotten map[string][]stream.Position // loggers whose messages up to here, in each log, are not taken
}

func newTable(opt Options, logs int) table {
	return table{maxPayload: opt.MaxPayload, maxBytes: opt.MaxBytes, maxPerLogger: opt.MaxPerLogger * logs, at: make([]stream.Position, logs),
		loggers: map[string]map[key]*list.Element{}, forgotten: map[string][]stream.Position{}}
}

// putAll takes a batch of a log and reports whether anything changed.
func (t *table) putAll(log int, b *stream.Batch, version uint64) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, msg := range b.Messages {
		if t.putLocked(log, msg, b.Ends[i], version) {
			changed = true
		}
	}
	if n := len(b.Ends); n > 0 {
		t.at[log] = b.Ends[n-1]
		t.remember()
	}
	return changed
}

func (t *table) put(log int, msg []byte, version uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.putLocked(log, msg, stream.Position{}, version)
}

func (t *table) putLocked(log int, msg []byte, end stream.Position, version uint64) bool {
	var v message.View
	if v.Parse(msg) != nil {
		t.refused++
		return false
	}
	if typ, _ := v.Header(message.Type); string(typ) != message.TypePayload {
		return false
	}
	rawLogger, _ := v.Header(message.Logger)
	payload, _ := v.Header(message.Payload)
	logger, k := valid(rawLogger), key{text(&v, message.FieldPayloadName), text(&v, message.FieldPayloadType), log}
	if until, ok := t.forgotten[logger]; ok && !until[log].Before(end) {
		return false
	}
	if len(msg) > t.maxPayload || len(logger) > maxName || len(k.name) > maxName || len(k.typ) > maxName {
		t.refused++
		return false
	}
	t.set(k, &entry{log: log, msg: append([]byte(nil), msg...), info: Info{
		Logger: logger, Name: k.name, Type: k.typ, Title: title(logger, k.name),
		Updated: time.Unix(0, v.Timestamp()).UTC(), Bytes: len(payload), Version: version,
	}})
	return true
}

// set puts an entry in the place of the one of its key, and makes room for it.
func (t *table) set(k key, e *entry) {
	mine := t.loggers[e.info.Logger]
	if mine == nil {
		mine = map[key]*list.Element{}
		t.loggers[e.info.Logger] = mine
	}
	if old := mine[k]; old != nil {
		t.remove(old)
	} else if len(mine) >= t.maxPerLogger {
		t.remove(oldest(mine))
		t.evicted++
	}
	t.seq++
	e.seq = t.seq
	t.loggers[e.info.Logger] = mine // again: remove drops a logger's map with its last entry
	mine[k] = t.order.PushBack(e)
	t.bytes += int64(len(e.msg))
	for t.bytes > t.maxBytes && t.order.Len() > 1 {
		t.remove(t.order.Front())
		t.evicted++
	}
}

func oldest(mine map[key]*list.Element) *list.Element {
	var first *list.Element
	for _, el := range mine {
		if first == nil || el.Value.(*entry).seq < first.Value.(*entry).seq {
			first = el
		}
	}
	return first
}

func (t *table) remove(el *list.Element) {
	e := t.order.Remove(el).(*entry)
	mine := t.loggers[e.info.Logger]
	delete(mine, key{e.info.Name, e.info.Type, e.log})
	if len(mine) == 0 {
		delete(t.loggers, e.info.Logger)
	}
	t.bytes -= int64(len(e.msg))
}

func (t *table) forget(logger string, until []stream.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, el := range t.loggers[logger] {
		t.remove(el)
	}
	t.forgotten[logger] = until
	t.remember()
}

// remember gives up what was forgotten before the place that was read to.
func (t *table) remember() {
	for logger, until := range t.forgotten {
		behind := false
		for log, at := range t.at {
			behind = behind || at.Before(until[log])
		}
		if !behind {
			delete(t.forgotten, logger)
		}
	}
}

// find lists the logger's entries that are wanted, the last updated at the end.
func (t *table) find(logger string, want func(key) bool) (found []*entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, el := range t.loggers[logger] {
		if want(k) {
			found = append(found, el.Value.(*entry))
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.seq, b.seq) })
	return found
}

// infos tells of every payload, those of all logs together.
func (t *table) infos() []Info {
	parts := map[Info][]*entry{}
	for _, e := range t.entries() {
		k := Info{Logger: e.info.Logger, Name: e.info.Name, Type: e.info.Type}
		parts[k] = append(parts[k], e)
	}
	infos := make([]Info, 0, len(parts))
	for _, p := range parts {
		infos = append(infos, join(p))
	}
	return infos
}

// entries are all, the oldest update first, so that they are saved and restored in that order.
func (t *table) entries() []*entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*entry, 0, t.order.Len())
	for el := t.order.Front(); el != nil; el = el.Next() {
		all = append(all, el.Value.(*entry))
	}
	return all
}

// Stats counts what the view holds and what it refused.
func (t *table) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{Payloads: t.order.Len(), Bytes: t.bytes, Refused: t.refused, Evicted: t.evicted}
}

// title is the payload's name as people read it, or the plugin's when it has none.
func title(logger, name string) string {
	if name == "" {
		_, name, _ = strings.Cut(logger, ".")
	}
	if name == "" {
		return logger
	}
	return strings.ReplaceAll(name, "_", " ")
}
