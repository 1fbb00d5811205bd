package vm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"unsafe"
)

// An image is everything that a program can reach between two calls: tables with metatables and cycles, closures with the variables that they share,
// coroutines at rest, environments. Code is not in it: a State takes an image that has loaded the same sources in the same order.
//
// It is imageMagic, a CRC-32 (Castagnoli, little endian) of what follows, the number of objects, a head for each, and a body for each in the same order;
// the first object is what the others hang on. Numbers are unsigned varints unless said otherwise. A value is a tag and what follows it.
const imageMagic = "SBI1"

// Tags of values.
const (
	imageNil byte = iota
	imageFalse
	imageTrue
	imageNumber // 8 bytes, IEEE 754, little endian
	imageText   // length, bytes; one of imageShared bytes or more has the next number
	imageAgain  // number of such a text
	imageRef    // number of an object
)

// imageShared is how long a text is that is written once.
const imageShared = 16

// Kinds of objects, and what their heads hold beside the kind.
const (
	imageRoots     byte = iota
	imageTable          // id
	imagePermanent      // name; a table has a body
	imageFunction       // id, number of its code
	imageHost           // id, name of its kind; a function of the host that keeps values
	imageUpvalue        // nothing
	imageThread         // id
	imageObject         // id, kind, state
	imageNothing        // nothing: cannot be kept, and is nil afterwards
)

// Keeping is how a program's host takes part in images.
type Keeping struct {
	// Keep says what an object of the host is kept as; ok is false for one that cannot be kept.
	Keep func(u *Userdata) (kind, state string, ok bool)
	// Revive makes it again.
	Revive func(kind, state string) (*Userdata, error)
}

// keeps is what a State with Options.Images knows.
type keeps struct {
	chunks []*proto // that were loaded
	named  map[string]Value
	names  map[unsafe.Pointer]string
	kinds  map[string]hostKind
}

// hostKind is what functions of NewClosure do that have one name, and the types of what each keeps.
type hostKind struct {
	fn    HostFunc
	types []Type
}

// Permanent gives a name to a table or function that the host makes again by itself when the program is loaded again, and to those that lie in it.
// Images hold its name, and of a table what is in it.
func (L *State) Permanent(name string, v Value) {
	k := L.keeps
	if k == nil || v.bits != tableBits && v.bits != functionBits && v.bits != userdataBits || k.names[v.ref] != "" || k.named[name].bits != nilBits {
		return
	}
	if f := v.Function(); f != nil && f.p != nil {
		return
	}
	k.named[name], k.names[v.ref] = v, name
	if t := v.Table(); t != nil {
		L.Permanent(name+" ()", t.meta.orNil())
		L.PermanentIn(name, t)
	}
}

// PermanentIn is Permanent for what lies in a table.
func (L *State) PermanentIn(name string, t *Table) {
	if L.keeps == nil {
		return
	}
	for key, inside := range t.All() {
		if text, ok := key.Str(); ok {
			L.Permanent(name+"."+text, inside)
		}
	}
}

func (t *Table) orNil() Value {
	if t == nil {
		return Value{}
	}
	return t.Value()
}

// Kind names what functions of NewClosure do, so that they can be made again, and says of which types the values are that each keeps. Kinds are of the whole State.
func (L *State) Kind(name string, fn HostFunc, types ...Type) {
	if L.keeps != nil {
		L.keeps.kinds[name] = hostKind{fn, types}
	}
}

// ErrImageLarge is returned for an image that would be larger than it may be.
var ErrImageLarge = errors.New("the image is too large")

// Image writes one, of most bytes at most. No call may be running.
func (L *State) Image(most int, k Keeping) ([]byte, error) {
	if L.keeps == nil || len(L.main.frames) > 0 {
		return nil, errors.New("vm: an image of a State that keeps none, or is running")
	}
	w := &imageWriter{L: L, k: k, most: most, ids: map[unsafe.Pointer]uint64{}, texts: map[unsafe.Pointer]uint64{}, protos: map[*proto]uint64{}}
	for _, p := range L.keeps.chunks {
		w.number(p)
	}
	w.objects = append(w.objects, object{kind: imageRoots})
	w.heads = append(w.heads, imageRoots)
	w.roots()
	for i := 1; i < len(w.objects); i++ {
		w.body(w.objects[i])
		if len(w.heads)+len(w.out) > most {
			return nil, ErrImageLarge
		}
	}
	out := append([]byte(imageMagic), 0, 0, 0, 0)
	out = binary.AppendUvarint(out, uint64(len(w.objects)))
	out = append(append(out, w.heads...), w.out...)
	binary.LittleEndian.PutUint32(out[len(imageMagic):], imageSum(out[len(imageMagic)+4:]))
	return out, nil
}

func imageSum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

type imageWriter struct {
	L       *State
	k       Keeping
	most    int
	heads   []byte
	out     []byte // bodies
	objects []object
	ids     map[unsafe.Pointer]uint64
	texts   map[unsafe.Pointer]uint64
	protos  map[*proto]uint64
}

// object is one that has a head and waits for its body.
type object struct {
	kind byte
	ref  unsafe.Pointer
}

// number numbers the code of a source, outer functions first.
func (w *imageWriter) number(p *proto) {
	w.protos[p] = uint64(len(w.protos))
	for _, sub := range p.protos {
		w.number(sub)
	}
}

func (w *imageWriter) uint(n uint64)       { w.out = binary.AppendUvarint(w.out, n) }
func (w *imageWriter) int(n int)           { w.uint(uint64(n)) }
func (w *imageWriter) headUint(n uint64)   { w.heads = binary.AppendUvarint(w.heads, n) }
func (w *imageWriter) headText(s string)   { w.headUint(uint64(len(s))); w.heads = append(w.heads, s...) }
func (w *imageWriter) ref(n uint64)        { w.out = append(w.out, imageRef); w.uint(n) }
func (w *imageWriter) tableOrNil(t *Table) { w.value(t.orNil()) }

func (w *imageWriter) roots() {
	L := w.L
	w.uint(uint64(L.lastID))
	w.value(L.globals.Value())
	w.value(L.loaded.Value())
	w.tableOrNil(L.strMeta)
	w.tableOrNil(L.main.env)
}

// add gives an object its number and writes its head.
func (w *imageWriter) add(kind byte, at unsafe.Pointer) uint64 {
	n := uint64(len(w.objects))
	w.ids[at] = n
	w.objects = append(w.objects, object{kind, at})
	w.heads = append(w.heads, kind)
	return n
}

func (w *imageWriter) value(v Value) {
	switch v.bits >> kindShift {
	case 0:
		w.out = append(w.out, byte(v.bits)) // nil, false and true
	case kindString:
		w.text(v)
	case kindTable, kindFunction, kindUserdata, kindThread:
		n, known := w.ids[v.ref]
		if !known {
			n = w.object(v)
		}
		w.ref(n)
	default:
		w.out = binary.LittleEndian.AppendUint64(append(w.out, imageNumber), math.Float64bits(v.float()))
	}
}

func (w *imageWriter) text(v Value) {
	s := v.str()
	if len(s) >= imageShared {
		if n, known := w.texts[v.ref]; known {
			w.out = append(w.out, imageAgain)
			w.uint(n)
			return
		}
		w.texts[v.ref] = uint64(len(w.texts))
	}
	if len(w.out)+len(s) > w.most {
		s = s[:0] // which is too large anyway
		w.most = -1
	}
	w.out = append(w.out, imageText)
	w.int(len(s))
	w.out = append(w.out, s...)
}

// object writes the head of what a value is.
func (w *imageWriter) object(v Value) uint64 {
	if name := w.L.keeps.names[v.ref]; name != "" {
		n := w.add(imagePermanent, v.ref)
		w.headText(name)
		return n
	}
	switch v.bits {
	case tableBits:
		n := w.add(imageTable, v.ref)
		w.headUint(uint64((*Table)(v.ref).id))
		return n
	case threadBits:
		n := w.add(imageThread, v.ref)
		w.headUint(uint64((*Thread)(v.ref).id))
		return n
	case functionBits:
		f := (*Function)(v.ref)
		if f.p != nil {
			number, known := w.protos[f.p]
			if !known {
				return w.add(imageNothing, v.ref)
			}
			n := w.add(imageFunction, v.ref)
			w.headUint(uint64(f.id))
			w.headUint(number)
			return n
		}
		if w.L.keeps.kinds[f.name].fn == nil {
			return w.add(imageNothing, v.ref)
		}
		n := w.add(imageHost, v.ref)
		w.headUint(uint64(f.id))
		w.headText(f.name)
		return n
	}
	u := (*Userdata)(v.ref)
	kind, state, ok := w.k.Keep(u)
	if !ok {
		return w.add(imageNothing, v.ref)
	}
	n := w.add(imageObject, v.ref)
	w.headUint(uint64(u.id))
	w.headText(kind)
	w.headText(state)
	return n
}

func (w *imageWriter) upvalue(u *upvalue) {
	n, known := w.ids[unsafe.Pointer(u)]
	if !known {
		n = w.add(imageUpvalue, unsafe.Pointer(u))
	}
	w.uint(n)
}

func (w *imageWriter) body(o object) {
	switch o.kind {
	case imageTable:
		w.table((*Table)(o.ref))
	case imagePermanent:
		if t := w.L.keeps.named[w.L.keeps.names[o.ref]].Table(); t != nil {
			w.table(t)
		}
	case imageFunction:
		f := (*Function)(o.ref)
		w.tableOrNil(f.env)
		for _, u := range f.up {
			w.upvalue(u)
		}
	case imageHost:
		f := (*Function)(o.ref)
		w.int(len(f.up))
		for _, u := range f.up {
			w.value(u.closed)
		}
	case imageUpvalue:
		// One that is open is written as if it were closed; the coroutine that it is open in links it again.
		w.value(*(*upvalue)(o.ref).at)
	case imageThread:
		w.thread((*Thread)(o.ref))
	}
}

func (w *imageWriter) table(t *Table) {
	w.tableOrNil(t.meta)
	w.int(len(t.arr))
	for _, v := range t.arr {
		w.value(v)
	}
	live := 0
	for i := range t.nodes {
		if t.nodes[i].val.bits != nilBits {
			live++
		}
	}
	w.int(live)
	for i := range t.nodes {
		if n := &t.nodes[i]; n.val.bits != nilBits {
			w.value(n.key)
			w.value(n.val)
		}
	}
}

func (w *imageWriter) dest(d dest) {
	for _, n := range [...]int32{d.at, d.want, d.arg} {
		w.uint(uint64(uint32(n)))
	}
	w.out = append(w.out, byte(d.then), d.tails)
}

// thread writes a coroutine that is suspended or dead; between calls there are no others.
func (w *imageWriter) thread(t *Thread) {
	w.out = append(w.out, byte(t.status))
	w.tableOrNil(t.env)
	if t.status != Suspended {
		return
	}
	end := t.top
	for i := range t.frames {
		end = max(end, t.frames[i].reg(255)+1)
	}
	end = min(end, len(t.stack))
	w.int(t.top)
	w.int(end)
	for _, v := range t.stack[:end] {
		w.value(v)
	}
	w.int(len(t.frames))
	for i := range t.frames {
		f := &t.frames[i]
		w.value(f.fn.Value())
		for _, n := range [...]int32{f.pc, f.base, f.area, f.varargs} {
			w.uint(uint64(uint32(n)))
		}
		w.dest(f.dest)
	}
	w.dest(t.yield)
	w.int(len(t.open))
	for _, u := range t.open {
		w.int(int(u.index))
		w.upvalue(u)
	}
}

// imageError is what is wrong with an image.
func imageError(what string) error { return fmt.Errorf("the image is damaged: %s", what) }
