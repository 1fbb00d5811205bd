package lua

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/vm"
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
	tagShared // a text that has a number, as tables have
)

// sharedText is how long a text is that is written once.
const sharedText = 16

// maxStateDepth bounds the nesting of preserved tables.
const maxStateDepth = 100

// preservationVersion is _PRESERVATION_VERSION, 0 when it is no number.
func (p *plugin) preservationVersion() float64 {
	n, _ := p.L.Global("_PRESERVATION_VERSION").Float()
	return n
}

// throttlesName is the name under which the throttles of alerts stand, before all globals. No global is called so.
const throttlesName = "\x00throttles"

// Snapshot implements sandbox.Plugin: the globals that Hindsight preserves, and the throttles of alerts.
func (p *plugin) Snapshot() ([]byte, error) {
	throttles := p.throttles.AppendState(nil)
	if !p.cfg.PreserveData && len(throttles) == 0 {
		return nil, nil
	}
	e := encoder{ids: map[uint32]uint64{}, texts: map[vm.Identity]uint64{}, plugin: p, most: math.MaxInt}
	if p.cfg.Limits.State > 0 {
		e.most = int(p.cfg.Limits.State)
	}
	e.out = append(e.out, stateMagic...)
	e.out = binary.LittleEndian.AppendUint64(e.out, math.Float64bits(p.preservationVersion()))
	if len(throttles) > 0 {
		e.text(throttlesName)
		e.out = append(e.out, tagText)
		e.text(string(throttles))
	}
	if !p.cfg.PreserveData {
		return e.out, nil
	}
	head := len(e.out)
	err := e.globals()
	if !p.cfg.PreserveAll {
		return e.out, err
	}
	var large *sandbox.Error
	if errors.As(err, &large) {
		return nil, err
	}
	if err != nil { // they are nested too deep for a snapshot of globals, and not for an image
		e.out = e.out[:head]
	}
	return p.appendImage(e.out, e.most)
}

// globals writes those that are kept.
func (e *encoder) globals() error {
	p := e.plugin
	for k, v := range p.L.Globals().All() {
		name, ok := k.Str()
		if !ok || name == "_VERSION" || name == throttlesName || name == "_G" || name == "_PRESERVATION_VERSION" || !e.keeps(v) {
			continue
		}
		e.text(name)
		err := e.value(v, 0)
		if errors.Is(err, errStateLarge) || err == nil && len(e.out) > e.most {
			return p.stateExceeded(e.most, "; global "+bounded(name)+" is in it")
		}
		if err != nil {
			return fmt.Errorf("global %s: %w", name, err)
		}
	}
	return nil
}

func (p *plugin) stateExceeded(most int, more string) error {
	return &sandbox.Error{Plugin: p.cfg.Logger(), Outcome: sandbox.StateExceeded,
		Text: fmt.Sprintf("the preserved state has more than %d bytes, which is all that this host keeps of a plugin%s", most, more)}
}

var errStateLarge = errors.New("the state is too large")

type encoder struct {
	plugin *plugin
	out    []byte
	ids    map[uint32]uint64      // of tables and objects
	texts  map[vm.Identity]uint64 // of long texts
	most   int                    // bytes
}

// number gives the next number to a table, object or text.
func (e *encoder) number() uint64 { return uint64(len(e.ids) + len(e.texts)) }

// keeps says whether a value is state: no function, no table with a metatable, no object without a state.
func (e *encoder) keeps(v vm.Value) bool {
	switch v.Type() {
	case vm.StringType, vm.NumberType, vm.BoolType:
		return true
	case vm.TableType:
		return v.Table().Meta() == nil && v.Table() != e.plugin.L.Globals()
	case vm.UserdataType:
		_, ok := v.Userdata().Object.(lib.Preserved)
		return ok
	}
	return false
}

func (e *encoder) text(s string) {
	e.out = binary.AppendUvarint(e.out, uint64(len(s)))
	e.out = append(e.out, s...)
}

func (e *encoder) value(v vm.Value, depth int) error {
	if len(e.out) > e.most {
		return errStateLarge
	}
	if id, again := e.ids[v.ID()]; again && v.ID() != 0 {
		e.out = binary.AppendUvarint(append(e.out, tagAgain), id)
		return nil
	}
	switch v.Type() {
	case vm.BoolType:
		if v.True() {
			e.out = append(e.out, tagTrue)
		} else {
			e.out = append(e.out, tagFalse)
		}
	case vm.NumberType:
		f, _ := v.Float()
		e.out = binary.LittleEndian.AppendUint64(append(e.out, tagNumber), math.Float64bits(f))
	case vm.StringType:
		s, _ := v.Str()
		return e.string(v, s)
	case vm.UserdataType:
		o := v.Userdata().Object.(lib.Preserved)
		e.ids[v.ID()] = e.number()
		e.out = append(e.out, tagObject)
		e.text(o.Module())
		e.text(string(o.AppendState(nil)))
	case vm.TableType:
		return e.table(v.Table(), depth)
	}
	return nil
}

// string writes a long text once, however often it occurs.
func (e *encoder) string(v vm.Value, s string) error {
	if len(e.out)+len(s) > e.most {
		return errStateLarge
	}
	if len(s) < sharedText {
		e.out = append(e.out, tagText)
		e.text(s)
		return nil
	}
	if n, again := e.texts[v.Identity()]; again {
		e.out = binary.AppendUvarint(append(e.out, tagAgain), n)
		return nil
	}
	e.texts[v.Identity()] = e.number()
	e.out = append(e.out, tagShared)
	e.text(s)
	return nil
}

func (e *encoder) table(t *vm.Table, depth int) error {
	if depth > maxStateDepth {
		return fmt.Errorf("tables are nested more than %d deep", maxStateDepth)
	}
	e.ids[t.Value().ID()] = e.number()
	e.out = append(e.out, tagTable)
	for k, v := range t.All() {
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

// Restore implements sandbox.Plugin. It also takes what Hindsight has preserved.
func (p *plugin) Restore(state []byte) error {
	if p.cfg.PreserveData && bytes.HasPrefix(state, []byte(dataBegins)) {
		err := p.L.Unlimited(func() error { return p.restoreData(state) })
		p.used = p.L.Memory()
		return err
	}
	if p.cfg.PreserveData && bytes.HasPrefix(state, []byte(imageMagic)) {
		same, rest, err := p.restoreImage(state)
		if same || err != nil {
			return err
		}
		state = rest // of another source: its globals
	}
	if len(state) < len(stateMagic)+8 || string(state[:len(stateMagic)]) != stateMagic {
		return fmt.Errorf("%w: it does not begin with %s", errState, stateMagic)
	}
	d := decoder{plugin: p, in: state[len(stateMagic):]}
	version := math.Float64frombits(binary.LittleEndian.Uint64(d.in))
	d.in = d.in[8:]
	if err := d.throttles(); err != nil {
		return err
	}
	if !p.cfg.PreserveData || version != p.preservationVersion() {
		return nil
	}
	if err := p.L.Unlimited(d.globals); err != nil {
		return err
	}
	p.used = p.L.Memory()
	return nil
}

// throttles reads those of alerts, if they come first.
func (d *decoder) throttles() error {
	ahead := *d
	name, err := ahead.text()
	if err != nil || name != throttlesName {
		return nil
	}
	tag, err := ahead.byte()
	if err != nil || tag != tagText {
		return errState
	}
	text, err := ahead.text()
	if err != nil || !d.plugin.throttles.Restore(text) {
		return errState
	}
	d.in = ahead.in
	return nil
}

func (d *decoder) globals() error {
	L := d.plugin.L
	for len(d.in) > 0 {
		name, err := d.text()
		if err != nil {
			return err
		}
		v, err := d.value(L.Global(name), 0)
		if err != nil {
			return fmt.Errorf("global %s: %w", name, err)
		}
		L.SetGlobal(name, v)
	}
	return nil
}

type decoder struct {
	plugin *plugin
	in     []byte
	seen   []vm.Value
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
func (d *decoder) value(present vm.Value, depth int) (vm.Value, error) {
	tag, err := d.byte()
	if err != nil {
		return vm.Nil, err
	}
	switch tag {
	case tagFalse, tagTrue:
		return vm.Bool(tag == tagTrue), nil
	case tagNumber:
		if len(d.in) < 8 {
			return vm.Nil, errState
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(d.in))
		d.in = d.in[8:]
		return vm.Number(f), nil
	case tagText:
		s, err := d.text()
		return d.plugin.L.Str(s), err
	case tagShared:
		s, err := d.text()
		v := d.plugin.L.Str(s)
		d.seen = append(d.seen, v)
		return v, err
	case tagObject:
		return d.object(present)
	case tagTable:
		return d.table(depth)
	case tagAgain:
		n, size := binary.Uvarint(d.in)
		if size <= 0 || n >= uint64(len(d.seen)) {
			return vm.Nil, errState
		}
		d.in = d.in[size:]
		return d.seen[n], nil
	}
	return vm.Nil, errState
}

func (d *decoder) object(present vm.Value) (vm.Value, error) {
	module, err := d.text()
	if err != nil {
		return vm.Nil, err
	}
	state, err := d.text()
	if err != nil {
		return vm.Nil, err
	}
	v, err := d.plugin.revived(present, module, state)
	if err != nil {
		return vm.Nil, fmt.Errorf("%s: %w", module, err)
	}
	d.seen = append(d.seen, v)
	return v, nil
}

func (d *decoder) table(depth int) (vm.Value, error) {
	if depth > maxStateDepth {
		return vm.Nil, errState
	}
	L := d.plugin.L
	t := L.NewTable(0, 0)
	d.seen = append(d.seen, t.Value())
	for {
		if len(d.in) > 0 && d.in[0] == tagEnd {
			d.in = d.in[1:]
			return t.Value(), nil
		}
		k, err := d.value(vm.Nil, depth+1)
		if err != nil {
			return vm.Nil, err
		}
		v, err := d.value(vm.Nil, depth+1)
		if err != nil {
			return vm.Nil, err
		}
		if f, ok := k.Float(); k.IsNil() || ok && f != f {
			return vm.Nil, errState
		}
		L.Set(t, k, v)
	}
}
