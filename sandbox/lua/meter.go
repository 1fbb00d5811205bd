package lua

import (
	"errors"
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
)

// meter is the context that counts. gopher-lua asks Done before every instruction, so each question is one unit.
type meter struct {
	limit, left int64
	cause       error // why nothing may run any more in this call
	outcome     sandbox.Outcome
	closed      chan struct{}
}

func newMeter(limit int64) meter {
	if limit <= 0 {
		limit = math.MaxInt64
	}
	closed := make(chan struct{})
	close(closed)
	return meter{limit: limit, left: limit, closed: closed}
}

func (m *meter) refill() { m.left, m.cause = m.limit, nil }

func (m *meter) spent() int64 { return m.limit - max(m.left, 0) }

// stop makes this and every further instruction of the call raise err.
func (m *meter) stop(o sandbox.Outcome, err error) {
	if m.cause == nil {
		m.outcome, m.cause = o, err
	}
	m.left = 0
}

// Done implements context.Context.
func (m *meter) Done() <-chan struct{} {
	if m.left > 0 {
		m.left--
		return nil
	}
	if m.cause == nil {
		m.stop(sandbox.FuelExhausted, errors.New("instruction_limit exceeded"))
	}
	return m.closed
}

// Err implements context.Context.
func (m *meter) Err() error { return m.cause }

// Deadline implements context.Context: the meter knows no time.
func (m *meter) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context.
func (m *meter) Value(any) any { return nil }

// Spend implements lib.Host.
func (p *plugin) Spend(L *lua.LState, units int64) {
	if p.meter.left > units {
		p.meter.left -= units
		return
	}
	p.meter.left = 0
	<-p.meter.Done()
	L.RaiseError("%s", p.meter.cause.Error())
}

// Fail implements lib.Host.
func (p *plugin) Fail(L *lua.LState, o sandbox.Outcome, text string) {
	p.raised = fault{o, text}
	L.RaiseError("%s", text)
}

// OutputLimit implements lib.Host.
func (p *plugin) OutputLimit() int64 {
	if p.cfg.Limits.Output <= 0 {
		return math.MaxInt64
	}
	return p.cfg.Limits.Output
}
