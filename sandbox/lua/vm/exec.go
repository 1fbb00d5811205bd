package vm

import "unsafe"

// execute runs Lua code until the call that the host began has ended. The newest frame is one of Lua code.
//
// The registers of the frame are r, whose length of 256 makes every index of 8 bits safe without a check. Whatever
// may call, allocate or fail is done by methods, between save and a jump to resume, since they can change the
// frame, the stack and the fuel.
func (L *State) execute() {
	var (
		th   *Thread
		f    *frame
		p    *proto
		code []inst
		k    []Value
		r    *[256]Value
		pc   int
		fuel int64
	)
resume:
	th = L.current
	if len(th.frames) == 0 {
		return
	}
	f = &th.frames[len(th.frames)-1]
	if f.fn == nil {
		return // the host's entry
	}
	p = f.fn.p
	code, k = p.code, p.k
	r = th.regs(int(f.base))
	pc, fuel = int(f.pc), L.fuel
	for {
		i := &code[pc]
		pc++
		if fuel--; fuel < 0 {
			f.pc, L.fuel = int32(pc), fuel
			L.refuel()
			fuel = L.fuel
		}
		switch i.op {
		case opMove:
			r[i.a] = r[uint8(i.b)]
			continue
		case opLoadK:
			r[i.a] = k[i.x]
			continue
		case opLoadBool:
			r[i.a].bits = falseBits
			if i.b != 0 {
				r[i.a].bits = trueBits
			}
			if i.c != 0 {
				pc++
			}
			continue
		case opLoadNil:
			for j := int(i.a); j <= int(i.b); j++ {
				r[uint8(j)] = Value{}
			}
			continue
		case opGetUpval:
			r[i.a] = *f.fn.up[i.b].at
			continue
		case opSetUpval:
			*f.fn.up[i.b].at = r[i.a]
			continue
		case opGetGlobal:
			t, key := f.fn.env, &k[int(i.b)|int(i.c)<<16]
			if uint(i.x) < uint(len(t.nodes)) {
				if n := &t.nodes[i.x]; n.key.ref == key.ref && n.val.bits != nilBits {
					r[i.a] = n.val
					continue
				}
			}
			if at := t.findString(*key); at >= 0 && t.nodes[at].val.bits != nilBits {
				i.x = int32(at)
				r[i.a] = t.nodes[at].val
				continue
			}
			if t.meta == nil {
				r[i.a] = Value{}
				continue
			}
			f.pc, L.fuel = int32(pc), fuel
			L.getTo(t.Value(), *key, f.reg(i.a))
			goto resume
		case opSetGlobal:
			t, key := f.fn.env, &k[int(i.b)|int(i.c)<<16]
			if uint(i.x) < uint(len(t.nodes)) {
				if n := &t.nodes[i.x]; n.key.ref == key.ref && n.val.bits != nilBits {
					n.val = r[i.a]
					continue
				}
			}
			if at := t.findString(*key); at >= 0 {
				i.x = int32(at)
			}
			f.pc, L.fuel = int32(pc), fuel
			if L.setTo(t.Value(), *key, r[i.a]) {
				goto resume
			}
			fuel = L.fuel
			continue
		case opGetTableS:
			o, key := &r[uint8(i.b)], &k[i.c]
			if o.bits == tableBits {
				t := (*Table)(o.ref)
				if uint(i.x) < uint(len(t.nodes)) {
					if n := &t.nodes[i.x]; n.key.ref == key.ref && n.val.bits != nilBits {
						r[i.a] = n.val
						continue
					}
				}
				if at := t.findString(*key); at >= 0 && t.nodes[at].val.bits != nilBits {
					i.x = int32(at)
					r[i.a] = t.nodes[at].val
					continue
				}
				if t.meta == nil {
					r[i.a] = Value{}
					continue
				}
			}
			f.pc, L.fuel = int32(pc), fuel
			L.getTo(*o, *key, f.reg(i.a))
			goto resume
		case opGetTable:
			o, key := &r[uint8(i.b)], &r[uint8(i.c)]
			if o.bits == tableBits {
				t := (*Table)(o.ref)
				if key.isString() && !key.isLong() {
					if at := t.findString(*key); at >= 0 && t.nodes[at].val.bits != nilBits {
						r[i.a] = t.nodes[at].val
						continue
					} else if t.meta == nil {
						r[i.a] = Value{}
						continue
					}
				} else if key.bits >= numberBase {
					n := key.float()
					if j := int(n); uint(j-1) < uint(len(t.arr)) && float64(j) == n {
						if v := &t.arr[j-1]; v.bits != nilBits || t.meta == nil {
							r[i.a] = *v
							continue
						}
					}
				}
				if v := t.getShort(*key); v.bits != nilBits || t.meta == nil && !key.isLong() {
					r[i.a] = v
					continue
				}
			}
			f.pc, L.fuel = int32(pc), fuel
			L.getTo(*o, *key, f.reg(i.a))
			goto resume
		case opGetTableK:
			o, key := &r[uint8(i.b)], &k[i.c]
			if o.bits == tableBits {
				t := (*Table)(o.ref)
				if v := t.get(*key); v.bits != nilBits || t.meta == nil {
					r[i.a] = v
					continue
				}
			}
			f.pc, L.fuel = int32(pc), fuel
			L.getTo(*o, *key, f.reg(i.a))
			goto resume
		case opSetTableS:
			v := &r[uint8(i.c)]
			if i.c >= constBit {
				v = &k[i.c-constBit]
			}
			o, key := &r[i.a], &k[i.b]
			if o.bits == tableBits {
				t := (*Table)(o.ref)
				if uint(i.x) < uint(len(t.nodes)) {
					if n := &t.nodes[i.x]; n.key.ref == key.ref && n.val.bits != nilBits {
						n.val = *v
						continue
					} else if n.key.ref == key.ref && n.key.bits == key.bits && t.meta == nil { // of a constructor, or one that went
						n.val = *v
						t.absent &= inside
						continue
					}
				}
				if at := t.findString(*key); at >= 0 {
					i.x = int32(at)
					if t.nodes[at].val.bits != nilBits {
						t.nodes[at].val = *v
						continue
					}
				}
			}
			f.pc, L.fuel = int32(pc), fuel
			if L.setTo(*o, *key, *v) {
				goto resume
			}
			fuel = L.fuel
			continue
		case opSetTable:
			o, key, v := &r[i.a], &r[uint8(i.b)], &r[uint8(i.c)]
			if i.b >= constBit {
				key = &k[i.b-constBit]
			}
			if i.c >= constBit {
				v = &k[i.c-constBit]
			}
			if o.bits == tableBits && key.isString() && !key.isLong() {
				t := (*Table)(o.ref)
				if at := t.findString(*key); at >= 0 && t.nodes[at].val.bits != nilBits {
					t.nodes[at].val = *v
					continue
				}
			} else if o.bits == tableBits && key.bits >= numberBase && v.bits != nilBits {
				t := (*Table)(o.ref)
				n := key.float()
				j := int(n)
				if uint(j-1) < uint(len(t.arr)) && float64(j) == n {
					if at := &t.arr[j-1]; at.bits != nilBits || t.meta == nil {
						*at = *v
						continue
					}
				} else if j == len(t.arr)+1 && float64(j) == n && t.meta == nil && len(t.arr) < cap(t.arr) && len(t.nodes) == 0 {
					t.arr = append(t.arr, *v)
					continue
				}
			}
			f.pc, L.fuel = int32(pc), fuel
			if L.setTo(*o, *key, *v) {
				goto resume
			}
			fuel = L.fuel
			continue
		case opNewTable:
			f.pc, L.fuel = int32(pc), fuel
			t := L.NewTable(int(i.b), int(i.c))
			if fuel = L.fuel; i.x != 0 {
				t.begin(k, f.fn.p.shapes[i.x-1])
			}
			r[i.a] = t.Value()
			continue
		case opSelf:
			o, key := r[uint8(i.b)], &k[i.c]
			r[i.a+1] = o
			t := (*Table)(nil)
			if o.bits == tableBits {
				t = (*Table)(o.ref)
				if at := t.findString(*key); at >= 0 && t.nodes[at].val.bits != nilBits {
					r[i.a] = t.nodes[at].val
					continue
				}
			}
			// Methods lie mostly in the table that __index of the metatable names.
			if meta := L.metaOf(o); meta != nil {
				if h := L.event(meta, eventIndex); h.bits == tableBits {
					t = (*Table)(h.ref)
					if uint(i.x) < uint(len(t.nodes)) {
						if n := &t.nodes[i.x]; n.key.ref == key.ref && n.val.bits != nilBits {
							r[i.a] = n.val
							continue
						}
					}
					if at := t.findString(*key); at >= 0 && t.nodes[at].val.bits != nilBits {
						i.x = int32(at)
						r[i.a] = t.nodes[at].val
						continue
					}
				}
			}
			f.pc, L.fuel = int32(pc), fuel
			L.getTo(o, *key, f.reg(i.a))
			goto resume
		case opAdd:
			if x, y := &r[uint8(i.b)], &r[uint8(i.c)]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() + y.float())
				continue
			}
		case opAddK:
			if x, y := &r[uint8(i.b)], &k[i.c]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() + y.float())
				continue
			}
		case opSub:
			if x, y := &r[uint8(i.b)], &r[uint8(i.c)]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() - y.float())
				continue
			}
		case opSubK:
			if x, y := &r[uint8(i.b)], &k[i.c]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() - y.float())
				continue
			}
		case opMul:
			if x, y := &r[uint8(i.b)], &r[uint8(i.c)]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() * y.float())
				continue
			}
		case opMulK:
			if x, y := &r[uint8(i.b)], &k[i.c]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() * y.float())
				continue
			}
		case opDiv:
			if x, y := &r[uint8(i.b)], &r[uint8(i.c)]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() / y.float())
				continue
			}
		case opDivK:
			if x, y := &r[uint8(i.b)], &k[i.c]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(x.float() / y.float())
				continue
			}
		case opMod:
			if x, y := &r[uint8(i.b)], &r[uint8(i.c)]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(mod(x.float(), y.float()))
				continue
			}
		case opModK:
			if x, y := &r[uint8(i.b)], &k[i.c]; x.bits >= numberBase && y.bits >= numberBase {
				r[i.a].setNumber(mod(x.float(), y.float()))
				continue
			}
		case opPow, opArith:
			// below
		case opUnm:
			x := L.operand(r, k, i.b)
			if x.bits >= numberBase {
				r[i.a].setNumber(-x.float())
				continue
			}
			f.pc, L.fuel = int32(pc), fuel
			L.arithTo(eventUnm, x, x, f.reg(i.a))
			goto resume
		case opNot:
			if r[uint8(i.b)].bits > falseBits {
				r[i.a].bits = falseBits
			} else {
				r[i.a].bits = trueBits
			}
			continue
		case opLen:
			x := L.operand(r, k, i.b)
			switch {
			case x.bits == tableBits:
				r[i.a].setNumber(float64((*Table)(x.ref).length()))
				continue
			case x.isString():
				r[i.a].setNumber(float64(x.strLen()))
				continue
			}
			f.pc, L.fuel = int32(pc), fuel
			L.lenTo(x, f.reg(i.a))
			goto resume
		case opConcat:
			f.pc, L.fuel = int32(pc), fuel
			if L.concat(th, int(f.base), int(i.a), int(i.b), int(i.c)) {
				goto resume
			}
			fuel = L.fuel
			continue
		case opJmp:
			pc += int(i.x)
			continue
		case opEq, opEqK, opEqX:
			x, y := L.operand(r, k, i.b), L.second(r, k, i)
			fuel -= equalFuel(x, y)
			is := rawEqual(x, y)
			if !is && x.bits == y.bits && (x.bits == tableBits || x.bits == userdataBits) {
				if h := L.equalHandler(x, y); h.bits != nilBits {
					f.pc, L.fuel = int32(pc), fuel
					L.callMeta(h, x, y, dest{then: thenCompare, want: 1, arg: int32(i.a)})
					goto resume
				}
			}
			if is != (i.a != 0) {
				pc++
			} else {
				pc += int(i.x)
			}
			continue
		case opLt:
			if x, y := &r[uint8(i.b)], &r[uint8(i.c)]; x.bits >= numberBase && y.bits >= numberBase {
				if (x.float() < y.float()) != (i.a != 0) {
					pc++
				} else {
					pc += int(i.x)
				}
				continue
			}
		case opLtK:
			if x, y := &r[uint8(i.b)], &k[i.c]; x.bits >= numberBase && y.bits >= numberBase {
				if (x.float() < y.float()) != (i.a != 0) {
					pc++
				} else {
					pc += int(i.x)
				}
				continue
			}
		case opLe:
			if x, y := &r[uint8(i.b)], &r[uint8(i.c)]; x.bits >= numberBase && y.bits >= numberBase {
				if (x.float() <= y.float()) != (i.a != 0) {
					pc++
				} else {
					pc += int(i.x)
				}
				continue
			}
		case opLeK:
			if x, y := &r[uint8(i.b)], &k[i.c]; x.bits >= numberBase && y.bits >= numberBase {
				if (x.float() <= y.float()) != (i.a != 0) {
					pc++
				} else {
					pc += int(i.x)
				}
				continue
			}
		case opLtX, opLeX:
			x, y := L.operand(r, k, i.b), L.operand(r, k, i.c)
			if x.bits >= numberBase && y.bits >= numberBase {
				if (x.float() < y.float() || i.op == opLeX && x.float() == y.float()) != (i.a != 0) {
					pc++
				} else {
					pc += int(i.x)
				}
				continue
			}
		case opTest:
			if (r[i.a].bits > falseBits) == (i.c == 0) {
				pc++
			} else {
				pc += int(i.x)
			}
			continue
		case opTestSet:
			if x := r[uint8(i.b)]; (x.bits > falseBits) != (i.c == 0) {
				r[i.a] = x
				pc += int(i.x)
			} else {
				pc++
			}
			continue
		case opCall, opTailCall:
			at := f.reg(i.a)
			args := int(i.b) - 1
			if args < 0 {
				args = int(th.top) - at - 1
			}
			f.pc = int32(pc)
			if i.op == opTailCall && !(r[i.a].bits == functionBits && (*Function)(r[i.a].ref).host != nil) {
				L.fuel = fuel
				L.tailCall(th, f, at, args)
				goto resume
			}
			if r[i.a].bits == functionBits {
				callee := (*Function)(r[i.a].ref)
				n := len(th.frames)
				if q := callee.p; q != nil && !q.vararg && n < cap(th.frames) && at+1+slack <= len(th.stack) {
					r = th.regs(at + 1)
					for j := args; j < q.params; j++ {
						r[uint8(j)] = Value{}
					}
					th.frames = th.frames[:n+1]
					f = &th.frames[n]
					f.fn, f.base, f.area, f.varargs = callee, int32(at+1), int32(at), 0
					f.dest = dest{at: int32(at), want: int32(i.c) - 1}
					pc = 0
					code, k = q.code, q.k
					continue
				}
			}
			L.fuel = fuel
			if r[i.a].bits == functionBits {
				if callee := (*Function)(r[i.a].ref); callee.host != nil {
					L.fuel -= hostFuel
					L.base, L.top, L.results, L.hostFn = at+1, at+1+args, -1, callee
					n := callee.host(L)
					if n < 0 {
						L.asked(n, call{at: at, args: args}, to(at, int(i.c)-1), callee)
						goto resume
					}
					fuel = L.fuel
					r = th.regs(int(f.base)) // the stack may have grown
					if i.c == 2 && n > 0 {
						r[i.a] = th.stack[L.top-n]
						continue
					}
					th.deliver(L.top-n, n, to(at, int(i.c)-1))
					continue
				}
			}
			L.call(call{at: at, args: args}, to(at, int(i.c)-1))
			goto resume
		case opReturn:
			n := int(i.b) - 1
			at := f.reg(i.a)
			if n < 0 {
				n = th.top - at
			}
			if len(th.open) > 0 {
				th.closeUpvalues(int(f.base))
			}
			d := f.dest
			th.frames = th.frames[:len(th.frames)-1]
			if d.then == thenGoOn && len(th.frames) > 0 {
				f = &th.frames[len(th.frames)-1]
				if n == 1 && d.want == 1 {
					th.stack[d.at] = th.stack[at]
				} else {
					th.deliver(at, n, d)
				}
				p = f.fn.p
				code, k = p.code, p.k
				r = th.regs(int(f.base))
				pc = int(f.pc)
				continue
			}
			L.fuel = fuel
			if th.deliver(at, n, d); d.then == thenEndEntry {
				return
			}
			L.finishCalls(d)
			goto resume
		case opForLoop:
			step := r[i.a+2].float()
			n := r[i.a].float() + step
			r[i.a].setNumber(n)
			if limit := r[i.a+1].float(); step > 0 && n <= limit || step <= 0 && n >= limit {
				r[i.a+3].setNumber(n)
				pc += int(i.x)
			}
			continue
		case opForPrep:
			f.pc, L.fuel = int32(pc), fuel
			L.prepareFor(r, i.a)
			fuel = L.fuel
			r[i.a].setNumber(r[i.a].float() - r[i.a+2].float())
			pc += int(i.x)
			continue
		case opTForCall:
			fn := r[i.a]
			r[i.a+5], r[i.a+4], r[i.a+3] = r[i.a+2], r[i.a+1], fn
			if fn.bits == functionBits && fn.ref == unsafe.Pointer(L.next) && r[i.a+1].bits == tableBits {
				// next, by far the most frequent
				t := (*Table)(r[i.a+1].ref)
				if key, val, steps, ok := t.next(r[i.a+2]); ok {
					fuel -= int64(steps) / 8
					if key.bits == nilBits {
						pc++
						continue
					}
					pc += int(i.x)
					r[i.a+2], r[i.a+3] = key, key
					if i.c > 1 {
						r[i.a+4] = val
						for j := uint8(5); j < uint8(i.c)+3; j++ {
							r[i.a+j] = Value{}
						}
					}
					continue
				}
			}
			at := f.reg(i.a) + 3
			f.pc, L.fuel = int32(pc), fuel
			L.call(call{at: at, args: 2}, toOp(at, int(i.c)))
			goto resume
		case opTForLoop:
			if v := r[i.a+3]; v.bits != nilBits {
				r[i.a+2] = v
				pc += int(i.x)
			}
			continue
		case opSetList:
			f.pc, L.fuel = int32(pc), fuel
			L.setList(th, f.reg(i.a), int(i.b), int(i.x))
			fuel = L.fuel
			r = th.regs(int(f.base))
			continue
		case opClose:
			th.closeUpvalues(f.reg(i.a))
			continue
		case opClosure:
			f.pc, L.fuel = int32(pc), fuel
			fn := L.closure(th, f, int(i.x))
			fuel = L.fuel
			r[i.a] = fn.Value()
			continue
		case opVararg:
			f.pc, L.fuel = int32(pc), fuel
			L.varargs(th, f, int(i.a), int(i.b)-1)
			goto resume
		}
		// Arithmetic and comparisons that are not of two numbers.
		f.pc, L.fuel = int32(pc), fuel
		L.onValues(r, k, i, f.reg(i.a))
		goto resume
	}
}
