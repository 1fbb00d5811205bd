package cbuf

// Payload is a buffer as plugins write it into a payload: whole, or what changed since that was written last.
type Payload struct {
	*Buffer
	Delta bool // in the form cbufd
}

// PayloadMin is how many bytes AppendPayload appends at least: a cell is a digit and a tab, and of a cbufd there may be none.
func (p *Payload) PayloadMin() int64 {
	if p.Delta {
		return 0
	}
	return 2 * int64(p.rows) * int64(p.cols)
}

// AppendPayload appends the buffer in its form.
func (p *Payload) AppendPayload(dst []byte) []byte {
	if p.Delta {
		return p.AppendCbufd(dst)
	}
	return p.AppendCbuf(dst)
}
