package meter

func (p *parsed) readElements() {
	r := p.r
	total := 0
	for n := r.count(100_000, "element segments"); n > 0 && r.err == nil; n-- {
		at := r.at
		flags := r.u32()
		if flags > 7 {
			r.fail(at, "an element segment has the flags %d", flags)
			return
		}
		passive, explicit, expressions := flags&1 != 0, flags&2 != 0, flags&4 != 0
		tab := 0
		if !passive && explicit {
			tab = int(r.u32())
		}
		if !passive {
			if tab >= len(p.tables) {
				r.fail(at, "an element segment is for table %d, which is not there", tab)
				return
			}
			p.constant(i32)
		}
		elem := byte(funcref)
		if passive || explicit {
			kind := r.byte()
			switch {
			case expressions && (kind == funcref || kind == extref):
				elem = kind
			case !expressions && kind == 0:
			default:
				r.fail(at, "an element segment is of the kind 0x%02x", kind)
				return
			}
		}
		if !passive && p.tables[tab].elem != elem {
			r.fail(at, "an element segment holds %s, its table %s", typeName(elem), typeName(p.tables[tab].elem))
			return
		}
		count := r.count(1_000_000, "elements")
		if total += count; total > 1_000_000 {
			r.fail(at, "all element segments have more than 1000000 elements")
		}
		for ; count > 0 && r.err == nil; count-- {
			if expressions {
				p.constant(elem)
			} else {
				where := r.at
				p.declare(int(r.u32()), where)
			}
		}
		p.elements = append(p.elements, elem)
	}
}

func (p *parsed) readData() {
	r := p.r
	n := r.count(100_000, "data segments")
	p.segments = n
	for ; n > 0 && r.err == nil; n-- {
		at := r.at
		flags := r.u32()
		switch {
		case r.err != nil:
			return
		case flags > 2 || flags == 2 && r.u32() != 0:
			r.fail(at, "a data segment has the flags %d, or is for a memory that is not there", flags)
			return
		case flags != 1 && p.memory == nil:
			r.fail(at, "a data segment is for a memory, and there is none")
			return
		case flags != 1:
			p.constant(i32)
		}
		size := r.u32()
		if int64(size) > int64(r.end-r.at) {
			r.fail(at, "a data segment of %d bytes was to come, there are %d", size, r.end-r.at)
			return
		}
		r.bytes(int(size))
	}
}
