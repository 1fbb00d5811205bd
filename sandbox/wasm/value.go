package wasm

import (
	"errors"
	"math"
	"strings"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/jsondoc"
)

// now is the time of the call: it stands still while a call lasts, so that a call costs the same when it is made again.
func (p *plugin) now() time.Time {
	if p.clock.IsZero() {
		p.clock = p.env.Now()
	}
	return p.clock
}

// maxBuffers is how many circular buffers a plugin may have.
const maxBuffers = 1000

// bufferNew makes a circular buffer of rows, columns and seconds in a row, and returns its handle.
func (p *plugin) bufferNew(s []uint64) {
	rows, cols, sec := int(int32(s[0])), int(int32(s[1])), int(int32(s[2]))
	size, err := cbuf.SizeOf(rows, cols, sec)
	if err != nil {
		p.fail("buffer_new: %w", err)
	}
	if len(p.buffers) >= maxBuffers {
		p.fail("buffer_new: there are %d buffers, which is all that a plugin may have", maxBuffers)
	}
	if p.tooLarge(size) {
		p.check(&sandbox.Refusal{Outcome: sandbox.MemoryExceeded, Text: p.memoryText()})
	}
	p.Spend(size)
	b, err := cbuf.New(rows, cols, sec)
	p.check(err)
	p.buffers = append(p.buffers, &cbuf.Payload{Buffer: b})
	p.held += b.Size()
	s[0] = uint64(len(p.buffers) - 1)
}

func (p *plugin) buffer(handle uint64) *cbuf.Payload {
	if int64(uint32(handle)) >= int64(len(p.buffers)) {
		p.fail("there is no circular buffer %d", int32(handle))
	}
	return p.buffers[uint32(handle)]
}

// column is a column from 1 on.
func (p *plugin) column(b *cbuf.Payload, col uint64) int {
	_, cols, _ := b.Configuration()
	c := int(int32(col))
	if c < 1 || c > cols {
		p.fail("column %d of a circular buffer with the columns 1 to %d", c, cols)
	}
	return c
}

// bufferHeader names a column: name, unit, and how it is added up (sum, min, max, none).
func (p *plugin) bufferHeader(s []uint64) {
	b := p.buffer(s[0])
	if err := b.SetHeader(p.column(b, s[1]), p.name(s[2], s[3]), p.name(s[4], s[5]), p.name(s[6], s[7])); err != nil {
		p.fail("buffer_header: %w", err)
	}
}

// cell is where a value goes, when its rows have been paid for.
func (p *plugin) cell(s []uint64) (*cbuf.Payload, int64, int) {
	b, ns := p.buffer(s[0]), int64(s[1])
	if n := b.Work(ns); n > 16 {
		p.Spend(4 * n)
	}
	return b, ns, p.column(b, s[2])
}

// rewound begins a buffer anew that a wrong clock has moved far ahead, when a value of the present comes.
func (p *plugin) rewound(b *cbuf.Payload, ns int64) bool {
	now := p.now()
	if ns < 0 || ns > now.UnixNano()+int64(time.Hour) || !b.Rewind(now.UnixNano()) {
		return false
	}
	rows, cols, _ := b.Configuration()
	p.Spend(4 * int64(rows) * int64(cols))
	return true
}

// bufferAdd adds to the cell of a time and returns 1; 0 when the time is before the oldest row.
func (p *plugin) bufferAdd(s []uint64) {
	b, ns, c := p.cell(s)
	x := math.Float64frombits(s[3])
	_, ok := b.Add(ns, c, x)
	if !ok && p.rewound(b, ns) {
		_, ok = b.Add(ns, c, x)
	}
	s[0] = flag(ok)
}

func (p *plugin) bufferSet(s []uint64) {
	b, ns, c := p.cell(s)
	x := math.Float64frombits(s[3])
	_, ok, err := b.Set(ns, c, x)
	if err == nil && !ok && p.rewound(b, ns) {
		_, ok, err = b.Set(ns, c, x)
	}
	p.check(err)
	s[0] = flag(ok)
}

// bufferGet is NaN where nothing is.
func (p *plugin) bufferGet(s []uint64) {
	b := p.buffer(s[0])
	v, ok := b.Get(int64(s[1]), p.column(b, s[2]))
	if !ok {
		v = math.NaN()
	}
	s[0] = math.Float64bits(v)
}

// bufferAnnotate marks a time in a column, as an alert or not.
func (p *plugin) bufferAnnotate(s []uint64) {
	b := p.buffer(s[0])
	c := p.column(b, s[2])
	kind := "info"
	if uint32(s[3]) != 0 {
		kind = "alert"
	}
	text := p.name(s[4], s[5])
	p.Spend(4096) // there may be many to move
	before := b.Size()
	err := b.Annotate(int64(s[1]), c, kind, text, true)
	p.held += b.Size() - before
	if err != nil {
		p.fail("buffer_annotate: %w", err)
	}
}

// bufferPayload adds a buffer to the payload: whole, or what changed since that was asked last.
func (p *plugin) bufferPayload(s []uint64) {
	b := p.buffer(s[0])
	b.Delta = uint32(s[1]) != 0
	p.check(p.out.AppendObject(b))
}

func (p *plugin) alerting() *sandbox.Alerts {
	if p.alerts == nil {
		a, err := sandbox.NewAlerts(p.cfg, &p.env, &p.throttles)
		if err != nil {
			p.fail("alert: %w", err)
		}
		p.alerts = a
	}
	return p.alerts
}

// minutes is a throttle, below 0 the config's.
func (p *plugin) minutes(bits uint64) float64 {
	if m := math.Float64frombits(bits); m >= 0 {
		return m
	}
	return p.alerts.Throttle
}

// alertSend sends an alert of an id with a summary and a detail, and returns whether it did.
func (p *plugin) alertSend(s []uint64) {
	a := p.alerting()
	p.check(p.out.LineRoom(0))
	if int64(uint32(s[5])) > p.out.Limit() {
		p.check(&sandbox.Refusal{Outcome: sandbox.OutputExceeded, Text: "output_limit exceeded: the detail of an alert is too long"})
	}
	p.building = false
	sent, err := a.Send(p.out, p.name(s[0], s[1]), p.name(s[2], s[3]), string(p.bytes(s[4], s[5])), p.minutes(s[6]), p.labels)
	p.labels = nil
	p.check(err)
	s[0] = flag(sent)
}

// alertOver says that what alerts of an id were about is as usual again, and returns whether that was told.
func (p *plugin) alertOver(s []uint64) {
	a := p.alerting()
	p.check(p.out.LineRoom(0))
	if int64(uint32(s[3])) > p.out.Limit() {
		p.check(&sandbox.Refusal{Outcome: sandbox.OutputExceeded, Text: "output_limit exceeded: the detail of an alert is too long"})
	}
	p.building = false
	told, err := a.Over(p.out, p.name(s[0], s[1]), string(p.bytes(s[2], s[3])))
	p.check(err)
	s[0] = flag(told)
}

// alertLabel gives the next alert a label.
func (p *plugin) alertLabel(s []uint64) {
	if p.labels == nil {
		p.labels = sandbox.Labels{}
	}
	if err := p.labels.Set(p.name(s[0], s[1]), p.name(s[2], s[3])); err != nil {
		p.fail("alert_label: %w", err)
	}
}

// alertNote says that the message at hand is evidence for alerts of an id.
func (p *plugin) alertNote(s []uint64) {
	a := p.alerting()
	a.Note(p.name(s[0], s[1]))
}

func (p *plugin) alertThrottled(s []uint64) {
	a := p.alerting()
	s[0] = flag(a.Throttled(p.name(s[0], s[1]), p.minutes(s[2])))
}

// alertThreshold is that of an id, NaN when there is none.
func (p *plugin) alertThreshold(s []uint64) {
	x, ok := p.alerting().Threshold(p.name(s[0], s[1])).(float64)
	if !ok {
		x = math.NaN()
	}
	s[0] = math.Float64bits(x)
}

// setting is a key of the config: one of the file, or of a table in it with dots between; or what the host adds.
func (p *plugin) setting(key string) any {
	if v, ok := p.cfg.Keys[key]; ok {
		return v
	}
	var at any = p.cfg.Keys
	for part := range strings.SplitSeq(key, ".") {
		t, ok := at.(sandbox.Table)
		if !ok {
			return nil
		}
		at = t[part]
	}
	if at != nil {
		return at
	}
	switch key {
	case "Logger":
		return p.cfg.Logger()
	case "Hostname":
		return p.env.Hostname
	case "Pid":
		return float64(p.env.Pid)
	}
	return p.cfg.Setting(key)
}

// configText copies a key that is a text; -1 when there is none.
func (p *plugin) configText(s []uint64) {
	v, ok := p.setting(p.name(s[0], s[1])).(string)
	if !ok {
		s[0] = missing
		return
	}
	s[0] = give(p, v, s[2], s[3])
}

// configNumber gives a key that is a number or a flag as a double.
func (p *plugin) configNumber(s []uint64) {
	var x float64
	ok := true
	switch v := p.setting(p.name(s[0], s[1])).(type) {
	case float64:
		x = v
	case bool:
		x = float64(flag(v))
	default:
		ok = false
	}
	if ok && !p.memory.WriteFloat64Le(uint32(s[2]), x) {
		p.bytes(s[2], 8)
	}
	s[0] = flag(ok)
}

// geo copies a part of what is known of an address: 0 country, 1 city, 2 and 3 subdivisions, 4 provider.
func (p *plugin) geo(s []uint64) {
	addr, part := p.name(s[0], s[1]), uint32(s[2])
	if p.env.Geo == nil {
		p.fail("geo: it is not known here where addresses are; decoders have it")
	}
	place, ok := p.env.Geo.Lookup(addr)
	all := [...]string{place.Country, place.City, place.Subdivision1, place.Subdivision2, place.ISP}
	if !ok || part >= uint32(len(all)) || all[part] == "" {
		s[0] = missing
		return
	}
	s[0] = give(p, all[part], s[3], s[4])
}

// schemaValidate checks a JSON text against the schema of a namespace, type and version: 1 it obeys, 0 it does not, -1 there is
// no such schema, -2 it is no JSON. Why not is copied to the end of the arguments.
func (p *plugin) schemaValidate(s []uint64) {
	namespace, docType, version := p.name(s[0], s[1]), p.name(s[2], s[3]), p.name(s[4], s[5])
	text := p.bytes(s[6], s[7])
	if p.env.Schemas == nil {
		p.fail("schema_validate: there are no schemas here; decoders have them")
	}
	p.Spend(int64(len(text)) * 16)
	held := p.arena.Size()
	doc, err := p.arena.Parse(text, jsondoc.Limits{}, func(bytes int64) bool { return !p.tooLarge(bytes - held) })
	if errors.Is(err, jsondoc.ErrNoRoom) {
		p.check(&sandbox.Refusal{Outcome: sandbox.MemoryExceeded, Text: p.memoryText()})
	}
	if err != nil {
		p.answer(s, -2, err.Error())
		return
	}
	defer p.arena.Close(doc)
	v := p.env.Schemas.Validate(namespace, docType, version, doc.Root(), func(fuel int64) { p.Spend(fuel * luaUnit) })
	switch {
	case !v.Known:
		p.answer(s, -1, "there is no such schema")
	case v.Valid:
		p.answer(s, 1, "")
	default:
		p.answer(s, 0, v.Path+" "+v.Keyword+": "+v.Message)
	}
}

// answer copies why to where the last two arguments say, cut and ended by a zero byte.
func (p *plugin) answer(s []uint64, code int32, why string) {
	if room := uint32(s[9]); room > 0 {
		text := append([]byte(bounded(why))[:min(len(bounded(why)), int(room)-1)], 0)
		copy(p.bytes(s[8], uint64(len(text))), text)
	}
	s[0] = uint64(uint32(code))
}
