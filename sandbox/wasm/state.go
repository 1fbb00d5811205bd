package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"sandbar/sandbox"
	"sandbar/sandbox/cbuf"
)

// A snapshot is stateMagic, the preservation version (8 bytes), the throttles of alerts as a text, and what is kept of the
// plugin: nothing, an image of the instance, or the bytes of its sandbar_save; then, but for nothing, the circular buffers.
//
// An image belongs to one module, whose hash it begins with. It holds the state of the random numbers, the mutable globals, the
// size of the memory, and the pages of memory that are not zero, in runs.
const stateMagic = "SBW1"

const (
	keepsNothing byte = iota
	keepsImage
	keepsSaved
)

// pageBytes is a page of an image.
const pageBytes = 4096

var errState = errors.New("the preserved state is damaged")

func hashOf(source []byte) [32]byte { return sha256.Sum256(source) }

// version is the config's preservation_version, 0 when there is none.
func (p *plugin) version() float64 {
	n, _ := p.cfg.Keys["preservation_version"].(float64)
	return n
}

// Snapshot implements sandbox.Plugin.
func (p *plugin) Snapshot() ([]byte, error) {
	throttles := p.throttles.AppendState(nil)
	if !p.cfg.PreserveData && len(throttles) == 0 {
		return nil, nil
	}
	head := binary.LittleEndian.AppendUint64([]byte(stateMagic), math.Float64bits(p.version()))
	head = appendText(head, throttles)
	most := p.cfg.Limits.State
	switch {
	case !p.cfg.PreserveData:
		return append(head, keepsNothing), nil
	case p.save != nil:
		p.saved = p.saved[:0]
		if res := p.call(p.save, false); res.Outcome != sandbox.OK || p.stack[0] != 0 {
			return nil, &sandbox.Error{Plugin: p.cfg.Logger(), Outcome: max(res.Outcome, sandbox.RuntimeError),
				Text: fmt.Sprintf("sandbar_save returned %d: %s", int32(p.stack[0]), res.Text)}
		}
		head = appendText(append(head, keepsSaved), p.saved)
	default:
		memory, _ := p.memory.Read(0, p.memory.Size())
		pages := usedPages(memory)
		if most > 0 && int64(len(pages))*pageBytes > most {
			return nil, p.stateTooLarge(int64(len(pages)) * pageBytes)
		}
		head = p.appendImage(append(head, keepsImage), memory, pages)
	}
	head = binary.AppendUvarint(head, uint64(len(p.buffers)))
	for _, b := range p.buffers {
		head = appendText(head, b.AppendState(nil))
	}
	if most > 0 && int64(len(head)) > most {
		return nil, p.stateTooLarge(int64(len(head)))
	}
	return head, nil
}

func (p *plugin) stateTooLarge(n int64) error {
	return &sandbox.Error{Plugin: p.cfg.Logger(), Outcome: sandbox.StateExceeded,
		Text: fmt.Sprintf("the preserved state has %d bytes or more, this host keeps %d of a plugin; hold less, or export sandbar_save and sandbar_load", n, p.cfg.Limits.State)}
}

func appendText(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// usedPages lists the pages that are not zero.
func usedPages(memory []byte) []uint32 {
	var zero [pageBytes]byte
	pages := make([]uint32, 0, 64)
	for at := 0; at < len(memory); at += pageBytes {
		if !bytes.Equal(memory[at:at+pageBytes], zero[:]) {
			pages = append(pages, uint32(at/pageBytes))
		}
	}
	return pages
}

func (p *plugin) appendImage(head, memory []byte, pages []uint32) []byte {
	rng, _ := p.rng.MarshalBinary()
	need := len(head) + len(rng) + 64 + 10*len(p.globals) + (pageBytes+4)*len(pages) + int(p.held)
	var dst []byte
	if spare := p.spare.Swap(nil); spare != nil && cap(*spare) >= need {
		dst = (*spare)[:0]
	} else {
		dst = make([]byte, 0, need)
	}
	dst = append(append(dst, head...), p.hash[:]...)
	dst = appendText(dst, rng)
	dst = binary.AppendUvarint(dst, uint64(len(p.globals)))
	for _, g := range p.globals {
		dst = binary.LittleEndian.AppendUint64(dst, g.Get())
	}
	dst = binary.AppendUvarint(dst, uint64(len(memory)/pageBytes))
	for i := 0; i < len(pages); {
		n := 1
		for i+n < len(pages) && pages[i+n] == pages[i]+uint32(n) {
			n++
		}
		dst = binary.AppendUvarint(dst, uint64(n))
		dst = binary.AppendUvarint(dst, uint64(pages[i]))
		from := int(pages[i]) * pageBytes
		dst = append(dst, memory[from:from+n*pageBytes]...)
		i += n
	}
	return binary.AppendUvarint(dst, 0)
}

// Recycle implements sandbox.Recycler.
func (p *plugin) Recycle(state []byte) { p.spare.Store(&state) }

// Restore implements sandbox.Plugin. An image of another module is ignored: its addresses mean nothing here.
func (p *plugin) Restore(state []byte) error {
	if len(state) < len(stateMagic)+8 || string(state[:len(stateMagic)]) != stateMagic {
		return fmt.Errorf("%w: it does not begin with %s", errState, stateMagic)
	}
	version := math.Float64frombits(binary.LittleEndian.Uint64(state[len(stateMagic):]))
	d := &decoder{in: state[len(stateMagic)+8:]}
	throttles, kind := d.text(), d.byte()
	if d.bad || !p.throttles.Restore(string(throttles)) {
		return errState
	}
	if !p.cfg.PreserveData || version != p.version() {
		return nil
	}
	switch kind {
	case keepsNothing:
		return nil
	case keepsImage:
		if hash := d.bytes(uint64(len(p.hash))); !bytes.Equal(hash, p.hash[:]) && !d.bad {
			return nil
		}
		if err := p.restoreImage(d); err != nil {
			return err
		}
	case keepsSaved:
		return p.restoreSaved(d)
	default:
		return errState
	}
	return p.restoreBuffers(d)
}

func (p *plugin) restoreImage(d *decoder) error {
	rng := d.text()
	if n := d.number(); n != uint64(len(p.globals)) {
		return errState
	}
	globals := d.bytes(8 * uint64(len(p.globals)))
	pages := d.number()
	if d.bad || pages > 1<<20 || pages%(1<<16/pageBytes) != 0 {
		return errState
	}
	random := new(rand.PCG)
	if random.UnmarshalBinary(rng) != nil {
		return errState
	}
	if more := int64(pages)*pageBytes - int64(p.memory.Size()); more > 0 {
		if _, ok := p.memory.Grow(uint32(more >> 16)); !ok {
			return fmt.Errorf("the preserved memory has %d bytes, more than memory_limit allows", pages*pageBytes)
		}
	}
	memory, _ := p.memory.Read(0, p.memory.Size())
	clear(memory)
	for {
		n := d.number()
		if n == 0 {
			break
		}
		first := d.number()
		if d.bad || first+n > pages || n > pages {
			return errState
		}
		copy(memory[first*pageBytes:], d.bytes(n*pageBytes))
	}
	if d.bad {
		return errState
	}
	p.rng = random
	for i, g := range p.globals {
		g.Set(binary.LittleEndian.Uint64(globals[8*i:]))
	}
	return nil
}

// restoreSaved gives the bytes to sandbar_load. A module without it begins anew.
func (p *plugin) restoreSaved(d *decoder) error {
	saved := d.text()
	if err := p.restoreBuffers(d); err != nil {
		return err
	}
	if p.load == nil {
		return nil
	}
	p.saved = append([]byte(nil), saved...)
	defer func() { p.saved = nil }()
	if res := p.call(p.load, false, uint64(len(saved))); res.Outcome != sandbox.OK || p.stack[0] != 0 {
		return fmt.Errorf("sandbar_load returned %d: %s", int32(p.stack[0]), res.Text)
	}
	return nil
}

// restoreBuffers puts the circular buffers back. After an image they are all that there are; otherwise each goes into the one
// that was made at its place, when that has its shape.
func (p *plugin) restoreBuffers(d *decoder) error {
	n := d.number()
	if d.bad || n > maxBuffers {
		return errState
	}
	all := make([]*cbuf.Payload, 0, n)
	for i := range int(n) {
		b, err := cbuf.Revive(string(d.text()))
		if err != nil || d.bad {
			return errors.Join(errState, err)
		}
		all = append(all, &cbuf.Payload{Buffer: b})
		if p.save == nil && p.load == nil || i >= len(p.buffers) {
			continue
		}
		have, is := p.buffers[i], all[i]
		r1, c1, s1 := have.Configuration()
		if r2, c2, s2 := is.Configuration(); r1 != r2 || c1 != c2 || s1 != s2 {
			all[i] = have
		}
	}
	if len(d.in) > 0 {
		return errState
	}
	if p.save != nil || p.load != nil {
		all = append(all[:min(len(all), len(p.buffers))], p.buffers[min(len(all), len(p.buffers)):]...)
	}
	p.buffers, p.held = all, 0
	for _, b := range all {
		p.held += b.Size()
	}
	return nil
}

// stateRead copies what sandbar_load was told of, from an offset on, and returns how much.
func (p *plugin) stateRead(s []uint64) {
	at := min(int(uint32(s[0])), len(p.saved))
	n := min(len(p.saved)-at, int(uint32(s[2])))
	copy(p.bytes(s[1], uint64(n)), p.saved[at:])
	s[0] = uint64(n)
}

// stateWrite adds to what sandbar_save saves.
func (p *plugin) stateWrite(s []uint64) {
	if most := p.cfg.Limits.State; most > 0 && int64(len(p.saved))+int64(uint32(s[1])) > most {
		p.check(&sandbox.Refusal{Outcome: sandbox.StateExceeded, Text: fmt.Sprintf("sandbar_save writes more than %d bytes", most)})
	}
	p.saved = append(p.saved, p.bytes(s[0], s[1])...)
}

// decoder reads a snapshot. After something is wrong everything is empty.
type decoder struct {
	in  []byte
	bad bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.in)
	if size <= 0 {
		d.bad, d.in = true, nil
		return 0
	}
	d.in = d.in[size:]
	return n
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.in)) {
		d.bad, d.in = true, nil
		return nil
	}
	b := d.in[:n]
	d.in = d.in[n:]
	return b
}

func (d *decoder) text() []byte { return d.bytes(d.number()) }

func (d *decoder) byte() byte {
	if b := d.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}
