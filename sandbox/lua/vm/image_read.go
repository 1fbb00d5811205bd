package vm

import (
	"encoding/binary"
	"math"
	"strings"
)

// SetImage makes a program what it was when the image was written. What is wrong with the image is an error; what the program has then is undefined, and it must not be
// called. Limits do not end it, but what it makes is counted.
func (L *State) SetImage(image []byte, k Keeping) error {
	if L.keeps == nil || len(L.main.frames) > 0 {
		return imageError("this program takes none")
	}
	if len(image) < len(imageMagic)+4 || string(image[:len(imageMagic)]) != imageMagic {
		return imageError("it does not begin with " + imageMagic)
	}
	body := image[len(imageMagic)+4:]
	if imageSum(body) != binary.LittleEndian.Uint32(image[len(imageMagic):]) {
		return imageError("its sum is another")
	}
	return L.Unlimited(func() error {
		r := &imageReader{L: L, k: k, in: body, lastID: L.lastID}
		for _, p := range L.keeps.chunks {
			r.number(p)
		}
		err := r.all()
		L.lastID = r.lastID // what is made from now on has the number that it would have had
		return err
	})
}

type imageReader struct {
	L       *State
	k       Keeping
	in      []byte
	protos  []*proto
	kinds   []byte
	objects []Value    // by number; nil for upvalues
	ups     []*upvalue // by number of the object
	texts   []Value
	lastID  uint32 // the largest that an object has, or had
	err     error
}

func (r *imageReader) number(p *proto) {
	r.protos = append(r.protos, p)
	for _, sub := range p.protos {
		r.number(sub)
	}
}

func (r *imageReader) fail(what string) {
	if r.err == nil {
		r.err = imageError(what)
	}
	r.in = nil
}

func (r *imageReader) byte() byte {
	if len(r.in) == 0 {
		r.fail("it ends early")
		return 0
	}
	b := r.in[0]
	r.in = r.in[1:]
	return b
}

func (r *imageReader) uint() uint64 {
	n, size := binary.Uvarint(r.in)
	if size <= 0 {
		r.fail("it ends early")
		return 0
	}
	r.in = r.in[size:]
	return n
}

// id reads the number of an object.
func (r *imageReader) id() uint32 {
	id := uint32(r.uint())
	r.lastID = max(r.lastID, id)
	return id
}

// count reads how many things follow, of which each takes a byte at least.
func (r *imageReader) count() int {
	n := r.uint()
	if n > uint64(len(r.in)) {
		r.fail("a number of things")
		return 0
	}
	return int(n)
}

// small reads a number of 32 bits that was written without its sign.
func (r *imageReader) small() int32 {
	n := r.uint()
	if n > math.MaxUint32 {
		r.fail("a number")
	}
	return int32(uint32(n))
}

func (r *imageReader) text() string {
	n := r.count()
	s := string(r.in[:n])
	r.in = r.in[n:]
	return s
}

func (r *imageReader) all() error {
	n := r.count()
	for range n {
		if r.head(); r.err != nil {
			return r.err
		}
	}
	if n == 0 || r.kinds[0] != imageRoots {
		return imageError("it has no roots")
	}
	r.roots()
	for i := 1; i < n && r.err == nil; i++ {
		r.body(i)
	}
	if r.err == nil && len(r.in) > 0 {
		r.fail("more follows")
	}
	return r.err
}

// head makes an object, without what is in it.
func (r *imageReader) head() {
	L := r.L
	kind := r.byte()
	var v Value
	var up *upvalue
	switch kind {
	case imageRoots, imageNothing:
	case imageTable:
		t := L.NewTable(0, 0)
		t.id = r.id()
		v = t.Value()
	case imagePermanent:
		name := r.text()
		if v = L.keeps.named[name]; v.bits == nilBits {
			r.fail("this program has no " + strings.ToValidUTF8(name[:min(len(name), 100)], "?"))
		}
	case imageFunction:
		id, n := r.id(), r.uint()
		if n >= uint64(len(r.protos)) {
			r.fail("code that there is not")
			break
		}
		L.Charge(roundSize(functionSize))
		v = (&Function{id: id, p: r.protos[n], env: L.globals}).Value()
	case imageHost:
		id, name := r.id(), r.text()
		fn := L.keeps.kinds[name].fn
		if fn == nil {
			r.fail("a function that there is not")
			break
		}
		f := L.NewFunction(strings.Clone(name), fn)
		f.id = id
		v = f.Value()
	case imageUpvalue:
		L.Charge(roundSize(upvalueSize))
		up = &upvalue{}
		up.at = &up.closed
	case imageThread:
		t := L.newThread(L.globals)
		t.id = r.id()
		v = t.Value()
	case imageObject:
		id, kind, state := r.id(), r.text(), r.text()
		if r.err != nil {
			return
		}
		u, err := r.k.Revive(kind, state)
		if err != nil {
			r.err = err
			return
		}
		u.id = id
		v = u.Value()
	default:
		r.fail("a kind of object that there is not")
	}
	r.kinds, r.objects, r.ups = append(r.kinds, kind), append(r.objects, v), append(r.ups, up)
}

func (r *imageReader) value() Value {
	switch tag := r.byte(); tag {
	case imageNil, imageFalse, imageTrue:
		return Value{bits: uint64(tag)}
	case imageNumber:
		if len(r.in) < 8 {
			r.fail("it ends early")
			return Value{}
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(r.in))
		r.in = r.in[8:]
		return Number(f)
	case imageText:
		n := r.count()
		v := r.L.Bytes(r.in[:n])
		r.in = r.in[n:]
		if n >= imageShared {
			r.texts = append(r.texts, v)
		}
		return v
	case imageAgain:
		if n := r.uint(); n < uint64(len(r.texts)) {
			return r.texts[n]
		}
	case imageRef:
		if n := r.uint(); n < uint64(len(r.objects)) {
			return r.objects[n]
		}
	}
	r.fail("a value")
	return Value{}
}

func (r *imageReader) tableOrNil() *Table {
	v := r.value()
	if t := v.Table(); t != nil || v.bits == nilBits {
		return t
	}
	r.fail("a table is expected")
	return nil
}

// env is the environment of a function or coroutine.
func (r *imageReader) env() *Table {
	if t := r.tableOrNil(); t != nil {
		return t
	}
	r.fail("an environment is expected")
	return r.L.globals
}

func (r *imageReader) upvalue() *upvalue {
	if n := r.uint(); n < uint64(len(r.ups)) && r.ups[n] != nil {
		return r.ups[n]
	}
	r.fail("a variable is expected")
	return nil
}

func (r *imageReader) roots() {
	L := r.L
	r.id()
	globals, loaded := r.env(), r.env()
	if globals != L.globals || loaded != L.loaded {
		r.fail("the globals are expected")
	}
	L.strMeta, L.main.env = r.tableOrNil(), r.env()
}

func (r *imageReader) body(i int) {
	v := r.objects[i]
	switch r.kinds[i] {
	case imageTable, imagePermanent:
		if t := v.Table(); t != nil {
			r.table(t)
		}
	case imageFunction:
		f := v.Function()
		f.env = r.env()
		n := len(f.p.upvalues)
		r.L.Charge(roundSize(8 * int64(n)))
		f.up = make([]*upvalue, n)
		for j := range f.up {
			f.up[j] = r.upvalue()
		}
	case imageHost:
		f := v.Function()
		types := r.L.keeps.kinds[f.name].types
		if r.count() != len(types) {
			r.fail("what a function keeps")
			return
		}
		r.L.Charge((roundSize(upvalueSize) + 8) * int64(len(types)))
		for _, want := range types {
			u := &upvalue{closed: r.value()}
			if u.closed.Type() != want {
				r.fail("what a function keeps")
				return
			}
			u.at = &u.closed
			f.up = append(f.up, u)
		}
	case imageUpvalue:
		*r.ups[i].at = r.value()
	case imageThread:
		r.thread(v.Thread())
	}
}

func (r *imageReader) table(t *Table) {
	t.meta = r.tableOrNil()
	n := r.count()
	t.arr, t.nodes, t.heads, t.absent = nil, nil, nil, 0
	if n > 0 {
		r.L.Charge(roundSize(int64(n) * valueSize))
		t.arr = make([]Value, n)
	}
	for i := range t.arr {
		t.arr[i] = r.value()
	}
	n = r.count()
	if n > 0 {
		size := minNodes
		for size < n {
			size *= 2
		}
		r.L.Charge(nodesSize(size))
		t.makeNodes(size)
	}
	for range n {
		k, v := r.value(), r.value()
		if r.err != nil {
			return
		}
		if k.bits == nilBits || v.bits == nilBits { // what cannot be kept
			continue
		}
		if k.isNumber() && k.float() != k.float() || t.find(k) >= 0 {
			r.fail("a key")
			return
		}
		if f := k.float(); k.isNumber() && f >= 1 && f <= float64(len(t.arr)) && f == math.Trunc(f) {
			r.fail("a key that the array has")
			return
		}
		t.add(r.L, k, v)
	}
}

func (r *imageReader) dest() dest {
	d := dest{at: r.small(), want: r.small(), arg: r.small(), then: finish(r.byte())}
	d.tails = r.byte()
	return d
}

// thread reads a coroutine, and holds its frames to what frames can be: each waits for a call of its own code.
func (r *imageReader) thread(t *Thread) {
	status := Status(r.byte())
	t.env = r.env()
	if status == Dead {
		t.status = Dead
		return
	}
	if status != Suspended {
		r.fail("the status of a coroutine")
		return
	}
	top, n := r.uint(), r.count()
	if n > maxStack || top > uint64(n)+slack {
		r.fail("the stack of a coroutine")
		return
	}
	r.L.grow(t, n+int(min(top, slack)))
	for i := range n {
		t.stack[i] = r.value()
	}
	t.top = int(top)
	frames := r.count()
	if frames > maxFrames {
		r.fail("the frames of a coroutine")
		return
	}
	for i := range frames {
		fn := r.value().Function()
		f := frame{fn: fn, pc: r.small(), base: r.small(), area: r.small(), varargs: r.small(), dest: r.dest()}
		if r.err != nil || fn == nil || fn.p == nil || !f.waits(len(t.stack)) || (f.then == thenEndCoroutine) != (i == 0) || f.at < 0 || int(f.at) > len(t.stack)-slack {
			r.fail("a frame of a coroutine")
			return
		}
		r.L.pushFrame(t, f)
	}
	t.yield = r.dest()
	if frames > 0 && (t.yield.then != thenGoOn || t.yield.at < 0 || int(t.yield.at) > len(t.stack)-slack) || t.yield.want < -1 || t.yield.want > 255 {
		r.fail("where a coroutine goes on")
		return
	}
	last := -1
	for range r.count() {
		index, u := r.count1(len(t.stack)), r.upvalue()
		if r.err != nil || index <= last || u.at != &u.closed {
			r.fail("an open variable")
			return
		}
		last = index
		u.index, u.at = int32(index), &t.stack[index]
		t.open = append(t.open, u)
	}
}

// count1 reads a number below limit.
func (r *imageReader) count1(limit int) int {
	n := r.uint()
	if n >= uint64(limit) {
		r.fail("an index")
		return 0
	}
	return int(n)
}

// waits says whether a frame can be one that waits for what it called, on a stack of so many values.
func (f *frame) waits(stack int) bool {
	code := f.fn.p.code
	if f.pc < 1 || int(f.pc) > len(code) || f.area < 0 || f.base <= f.area || int(f.base) > stack-slack || f.varargs < 0 || f.varargs >= f.base-f.area {
		return false
	}
	if f.want < -1 || f.want > 255 || f.then != thenGoOn && f.then != thenEndCoroutine {
		return false
	}
	op := code[f.pc-1].op
	return op == opCall || op == opTailCall
}
