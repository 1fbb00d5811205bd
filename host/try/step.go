package try

import (
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// wholly is how the message of the call that somebody looks into is written.
func wholly() message.JSON { return message.JSON{MaxText: 64 << 10, MaxBytes: 256 << 10} }

// look has the next call noted in full.
func (p *probe) look() {
	p.trace = &sandbox.Trace{Reads: []sandbox.Read{}}
	p.looking = Step{Call: p.calls, Time: p.clock().UTC(), Made: []Made{}, Prints: []string{}}
	if t, ok := p.Plugin.(sandbox.Tracer); ok {
		t.Trace(p.trace)
	}
}

// tell notes how that call went, after which there is no other.
func (p *probe) tell(res sandbox.Result, m *message.View) {
	if t, ok := p.Plugin.(sandbox.Tracer); ok {
		t.Trace(nil)
	}
	s := &p.looking
	s.Outcome, s.Status, s.Text, s.Line, s.Trace, s.Fuel = res.Outcome.String(), res.Status, res.Text, res.Line, res.Trace, res.Fuel
	s.Reads, s.Lines = p.trace.Reads, p.trace.Lines
	s.Made, s.Prints = newest(s.Made, maxMessages), newest(s.Prints, maxPrints)
	if m != nil {
		s.Message, s.Cut = wholly().Append(nil, m)
	}
	p.trace, p.looked = nil, s
}
