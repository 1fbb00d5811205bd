package series

// Payloads are the newest payloads of plugins whose messages are in no stream: of a trial.
type Payloads struct{ table }

// NewPayloads holds at most so many bytes.
func NewPayloads(maxBytes int64) *Payloads {
	opt := Options{MaxBytes: maxBytes}
	opt.defaults()
	return &Payloads{newTable(opt, 1)}
}

// Put takes a message if it is a payload.
func (p *Payloads) Put(msg []byte) { p.put(0, msg, 0) }

// Graphs are all payloads, as the page shows them.
func (p *Payloads) Graphs() []Graph {
	all := []Graph{}
	for _, i := range p.List() {
		if g, ok := p.GetType(i.Logger, i.Name, i.Type); ok {
			all = append(all, g)
		}
	}
	return all
}
