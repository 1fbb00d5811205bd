package jsondoc

// What is here walks a document without closures and without copies, for code that looks at every value of it.

// Members goes through those of an object, removed ones left out. A name that several members have comes several times; the last counts.
type Members struct {
	d       *Doc
	at, end uint32
}

// Members are v's; none when it is no object.
func (v Value) Members() Members {
	n := v.node()
	if Kind(n.info&kindMask) != Object {
		return Members{}
	}
	return Members{v.d, v.i + 1, n.next}
}

// Next is the next member with its name, which is a string; false when there is none.
func (m *Members) Next() (name, member Value, ok bool) {
	for m.at < m.end {
		at := m.at
		m.at = m.d.nodes[at+1].next
		if m.d.nodes[at].info&removed == 0 {
			return Value{m.d, at}, Value{m.d, at + 1}, true
		}
	}
	return Value{}, Value{}, false
}

// Elements goes through those of an array.
type Elements struct {
	d       *Doc
	at, end uint32
}

// Elements are v's; none when it is no array.
func (v Value) Elements() Elements {
	n := v.node()
	if Kind(n.info&kindMask) != Array {
		return Elements{}
	}
	return Elements{v.d, v.i + 1, n.next}
}

// Next is the next element; false when there is none.
func (e *Elements) Next() (v Value, ok bool) {
	if e.at >= e.end {
		return Value{}, false
	}
	v = Value{e.d, e.at}
	e.at = e.d.nodes[e.at].next
	return v, true
}

// Plain is the text of a string or a name that stands in the document without escapes: a part of the document.
func (v Value) Plain() (s string, ok bool) {
	n := v.node()
	if n.info&escaped != 0 {
		return "", false
	}
	return v.d.text[n.start+1 : n.end-1], true
}

// Raw is v as it stands in the text, with what was removed of it.
func (v Value) Raw() string { return v.raw() }

// Place tells the values of a document apart: each has its own.
func (v Value) Place() uint32 { return v.i }

// Holds says whether w is v, or lies in it.
func (v Value) Holds(w Value) bool { return v.i <= w.i && w.i < v.node().next }

// Nodes is how many values and names v is made of, with itself.
func (v Value) Nodes() int { return int(v.node().next - v.i) }
