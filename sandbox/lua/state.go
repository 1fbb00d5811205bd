package lua

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/lua/lib"
)

// A snapshot is stateMagic, the preservation version (8 bytes), and pairs of a global's name and value to the
// end. A value is a tag and what follows it; tables and objects are numbered in the order in which they appear
// and may be referred to again, so that shared and cyclic tables come back as they were.
const stateMagic = "SBL1"

const (
	tagFalse byte = iota
	tagTrue
	tagNumber // 8 bytes, IEEE 754, little endian
	tagText   // length, bytes
	tagTable  // pairs, tagEnd
	tagObject // module and state, as texts
	tagAgain  // number of the table or object
	tagEnd
)

// maxStateDepth bounds the nesting of preserved tables.
const maxStateDepth = 100

// preservationVersion is _PRESERVATION_VERSION, 0 when it is no number.
func (p *plugin) preservationVersion() float64 {
	n, _ := p.L.GetGlobal("_PRESERVATION_VERSION").(lua.LNumber)
	return float64(n)
}

// Snapshot implements sandbox.Plugin: the globals that Hindsight preserves.
func (p *plugin) Snapshot() ([]byte, error) {
	if !p.cfg.PreserveData {
		return nil, nil
	}
	e := encoder{ids: map[lua.LValue]uint64{}, plugin: p}
	e.out = append(e.out, stateMagic...)
	e.out = binary.LittleEndian.AppendUint64(e.out, math.Float64bits(p.preservationVersion()))
	g := p.L.G.Global
	for k, v := g.Next(lua.LNil); k != lua.LNil; k, v = g.Next(k) {
		name, ok := k.(lua.LString)
		if !ok || name == "_VERSION" || name == "_G" || name == "_PRESERVATION_VERSION" || !e.keeps(v) {
			continue
		}
		e.text(string(name))
		if err := e.value(v, 0); err != nil {
			return nil, fmt.Errorf("global %s: %w", name, err)
		}
	}
	return e.out, nil
}

type encoder struct {
	plugin *plugin
	out    []byte
	ids    map[lua.LValue]uint64
}

// keeps says whether a value is state: no function, no table with a metatable, no object without a state.
func (e *encoder) keeps(v lua.LValue) bool {
	switch v := v.(type) {
	case lua.LString, lua.LNumber, lua.LBool:
		return true
	case *lua.LTable:
		return v.Metatable == lua.LNil && v != e.plugin.L.G.Global
	case *lua.LUserData:
		_, ok := v.Value.(lib.Preserved)
		return ok
	}
	return false
}

func (e *encoder) text(s string) {
	e.out = binary.AppendUvarint(e.out, uint64(len(s)))
	e.out = append(e.out, s...)
}

func (e *encoder) value(v lua.LValue, depth int) error {
	if id, again := e.ids[v]; again {
		e.out = binary.AppendUvarint(append(e.out, tagAgain), id)
		return nil
	}
	switch v := v.(type) {
	case lua.LBool:
		if v {
			e.out = append(e.out, tagTrue)
		} else {
			e.out = append(e.out, tagFalse)
		}
	case lua.LNumber:
		e.out = binary.LittleEndian.AppendUint64(append(e.out, tagNumber), math.Float64bits(float64(v)))
	case lua.LString:
		e.out = append(e.out, tagText)
		e.text(string(v))
	case *lua.LUserData:
		o := v.Value.(lib.Preserved)
		e.ids[v] = uint64(len(e.ids))
		e.out = append(e.out, tagObject)
		e.text(o.Module())
		e.text(string(o.AppendState(nil)))
	case *lua.LTable:
		return e.table(v, depth)
	}
	return nil
}

func (e *encoder) table(t *lua.LTable, depth int) error {
	if depth > maxStateDepth {
		return fmt.Errorf("tables are nested more than %d deep", maxStateDepth)
	}
	e.ids[t] = uint64(len(e.ids))
	e.out = append(e.out, tagTable)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		if !e.keeps(k) || !e.keeps(v) {
			continue
		}
		if err := e.value(k, depth+1); err != nil {
			return err
		}
		if err := e.value(v, depth+1); err != nil {
			return err
		}
	}
	e.out = append(e.out, tagEnd)
	return nil
}

var errState = errors.New("the preserved state is damaged")

// Restore implements sandbox.Plugin.
func (p *plugin) Restore(state []byte) error {
	if len(state) < len(stateMagic)+8 || string(state[:len(stateMagic)]) != stateMagic {
		return fmt.Errorf("%w: it does not begin with %s", errState, stateMagic)
	}
	d := decoder{plugin: p, in: state[len(stateMagic):]}
	if math.Float64frombits(binary.LittleEndian.Uint64(d.in)) != p.preservationVersion() {
		return nil
	}
	d.in = d.in[8:]
	for len(d.in) > 0 {
		name, err := d.text()
		if err != nil {
			return err
		}
		v, err := d.value(p.L.GetGlobal(name), 0)
		if err != nil {
			return fmt.Errorf("global %s: %w", name, err)
		}
		p.L.SetGlobal(name, v)
	}
	p.measure()
	return nil
}

type decoder struct {
	plugin *plugin
	in     []byte
	seen   []lua.LValue
}

func (d *decoder) byte() (byte, error) {
	if len(d.in) == 0 {
		return 0, errState
	}
	b := d.in[0]
	d.in = d.in[1:]
	return b, nil
}

func (d *decoder) text() (string, error) {
	n, size := binary.Uvarint(d.in)
	if size <= 0 || n > uint64(len(d.in)-size) {
		return "", errState
	}
	s := string(d.in[size : size+int(n)])
	d.in = d.in[size+int(n):]
	return s, nil
}

// value reads one value. An object goes into the one that the plugin has made at load, when there is one.
func (d *decoder) value(present lua.LValue, depth int) (lua.LValue, error) {
	tag, err := d.byte()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagFalse, tagTrue:
		return lua.LBool(tag == tagTrue), nil
	case tagNumber:
		if len(d.in) < 8 {
			return nil, errState
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(d.in))
		d.in = d.in[8:]
		return lua.LNumber(f), nil
	case tagText:
		s, err := d.text()
		return lua.LString(s), err
	case tagObject:
		return d.object(present)
	case tagTable:
		return d.table(depth)
	case tagAgain:
		n, size := binary.Uvarint(d.in)
		if size <= 0 || n >= uint64(len(d.seen)) {
			return nil, errState
		}
		d.in = d.in[size:]
		return d.seen[n], nil
	}
	return nil, errState
}

func (d *decoder) object(present lua.LValue) (lua.LValue, error) {
	module, err := d.text()
	if err != nil {
		return nil, err
	}
	state, err := d.text()
	if err != nil {
		return nil, err
	}
	if ud, ok := present.(*lua.LUserData); ok {
		if o, ok := ud.Value.(lib.Preserved); ok && o.Module() == module {
			if err := o.FromString(state); err != nil {
				return nil, fmt.Errorf("%s: %w", module, err)
			}
			d.seen = append(d.seen, ud)
			return ud, nil
		}
	}
	ud, err := lib.Revive(d.plugin.L, d.plugin, module, state)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", module, err)
	}
	d.seen = append(d.seen, ud)
	return ud, nil
}

func (d *decoder) table(depth int) (lua.LValue, error) {
	if depth > maxStateDepth {
		return nil, errState
	}
	t := d.plugin.L.NewTable()
	d.seen = append(d.seen, t)
	for {
		if len(d.in) > 0 && d.in[0] == tagEnd {
			d.in = d.in[1:]
			return t, nil
		}
		k, err := d.value(nil, depth+1)
		if err != nil {
			return nil, err
		}
		v, err := d.value(nil, depth+1)
		if err != nil {
			return nil, err
		}
		if n, ok := k.(lua.LNumber); ok && n != n {
			return nil, errState
		}
		t.RawSet(k, v)
	}
}
