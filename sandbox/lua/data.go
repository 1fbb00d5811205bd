package lua

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/vm"
)

// dataBegins is how a state begins that Hindsight wrote: a .data file, assignments to what lies under _G, one after the other.
const dataBegins = "if _PRESERVATION_VERSION and "

// data reads a state in Hindsight's form. It is no Lua interpreter: it takes what Hindsight writes and nothing else.
type data struct {
	plugin  *plugin
	in      []byte
	at      int
	pending *pendingBuffer
}

// pendingBuffer is a circular buffer whose state is spread over several statements.
type pendingBuffer struct {
	*cbuf.Buffer
	path []vm.Value
}

// restoreData sets the globals that a .data file holds, unless its version is another.
func (p *plugin) restoreData(state []byte) error {
	d := &data{plugin: p, in: state}
	err := d.all()
	if err != nil {
		return fmt.Errorf("%w, line %d: %w", errState, 1+bytes.Count(d.in[:min(d.at, len(d.in))], []byte{'\n'}), err)
	}
	return nil
}

func (d *data) all() error {
	if !d.take("if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= ") {
		return errors.New("the version is expected")
	}
	version, err := d.number()
	if err != nil {
		return err
	}
	if !d.take(" then return end") {
		return d.expected("then return end")
	}
	if p := d.plugin; !p.L.Global("_PRESERVATION_VERSION").IsNil() && version != p.preservationVersion() {
		return nil
	}
	for d.space(); d.at < len(d.in); d.space() {
		if err := d.statement(); err != nil {
			return err
		}
	}
	return d.settle()
}

// statement is an assignment, a constructor or a call of a method.
func (d *data) statement() error {
	if d.take("if ") {
		return d.constructor()
	}
	path, err := d.path()
	if err != nil {
		return err
	}
	if d.take(":") {
		return d.method(path)
	}
	if err := d.settle(); err != nil {
		return err
	}
	if !d.take(" = ") {
		return d.expected("=")
	}
	v, err := d.value()
	if err != nil {
		return err
	}
	return d.set(path, v)
}

// constructor is PATH == nil then PATH = MODULE.new(NUMBERS) end.
func (d *data) constructor() error {
	if err := d.settle(); err != nil {
		return err
	}
	path, err := d.path()
	if err != nil {
		return err
	}
	if !d.take(" == nil then ") {
		return d.expected("== nil then")
	}
	if _, err = d.path(); err != nil {
		return err
	}
	if !d.take(" = ") {
		return d.expected("=")
	}
	module := d.word()
	if !d.take(".new(") {
		return d.expected(".new(")
	}
	args, err := d.arguments()
	if err != nil {
		return err
	}
	if !d.take(" end") {
		return d.expected("end")
	}
	if module != "circular_buffer" {
		if log := d.plugin.env.Log; log != nil {
			log(fmt.Sprintf("%s: the state of Hindsight's %.40s cannot be read, and is left out", d.names(path), module))
		}
		return nil
	}
	if len(args) != 3 {
		return d.expected("three numbers")
	}
	var n [3]int
	for i, v := range args {
		f, _ := v.Float()
		n[i] = vm.ToInt(f)
	}
	size, err := cbuf.SizeOf(n[0], n[1], n[2])
	if err != nil {
		return err
	}
	if limit := d.plugin.cfg.Limits.Memory; limit > 0 && size > limit {
		return fmt.Errorf("a circular buffer of %d bytes is more than memory_limit", size)
	}
	b, err := cbuf.New(n[0], n[1], n[2])
	if err != nil {
		return err
	}
	d.pending = &pendingBuffer{b, path}
	return nil
}

// method is NAME(ARGUMENTS) of what was constructed last.
func (d *data) method(path []vm.Value) error {
	name := d.word()
	if !d.take("(") {
		return d.expected("(")
	}
	args, err := d.arguments()
	if err != nil || d.pending == nil { // of a module that is left out
		return err
	}
	if d.names(path) != d.names(d.pending.path) {
		return d.expected("a method of " + d.names(d.pending.path))
	}
	text := func(i int) string {
		if i >= len(args) {
			return ""
		}
		s, _ := args[i].Str()
		return s
	}
	number := func(i int) float64 {
		if i >= len(args) {
			return 0
		}
		f, _ := args[i].Float()
		return f
	}
	_, columns, _ := d.pending.Configuration()
	column := func(i int) int { return min(max(vm.ToInt(number(i)), 1), columns) }
	switch name {
	case "set_header":
		return d.pending.SetHeader(column(0), text(1), text(2), text(3))
	case "fromstring":
		return d.pending.FromString(text(0))
	case "annotate":
		ns := number(0)
		if !(ns >= 0 && ns < math.MaxInt64) {
			return d.expected("a time")
		}
		return d.pending.Annotate(int64(ns), column(1), text(2), text(3), len(args) < 5 || args[4].True())
	}
	return fmt.Errorf("a circular buffer has no method %.40s", name)
}

// settle puts a buffer whose statements are over where it belongs: into the one that the plugin has made at load, when there is one.
func (d *data) settle() error {
	b := d.pending
	d.pending = nil
	if b == nil {
		return nil
	}
	v, err := d.plugin.revived(d.get(b.path), "circular_buffer", string(b.AppendState(nil)))
	if err != nil {
		return fmt.Errorf("%s: %w", d.names(b.path), err)
	}
	return d.set(b.path, v)
}

// revived is an object with a state: present, when it is of that module, or a new one.
func (p *plugin) revived(present vm.Value, module, state string) (vm.Value, error) {
	if ud := present.Userdata(); ud != nil {
		if o, ok := ud.Object.(lib.Preserved); ok && o.Module() == module {
			return present, o.FromString(state)
		}
	}
	ud, err := lib.Revive(p.L, p, module, state)
	if err != nil {
		return vm.Nil, err
	}
	return ud.Value(), nil
}

// get is what lies at a path, nil where nothing does.
func (d *data) get(path []vm.Value) vm.Value {
	v := d.plugin.L.Globals().Value()
	for _, k := range path {
		t := v.Table()
		if t == nil {
			return vm.Nil
		}
		v = t.Get(k)
	}
	return v
}

func (d *data) set(path []vm.Value, v vm.Value) error {
	last := len(path) - 1
	t := d.get(path[:last]).Table()
	if t == nil {
		return fmt.Errorf("%s is no table", d.names(path[:last]))
	}
	if f, ok := path[last].Float(); ok && f != f {
		return d.expected("a key")
	}
	if name, _ := path[0].Str(); last == 0 && (name == "_G" || name == "_VERSION" || d.plugin.L.Global(name).Function() != nil) {
		return nil // never in a state of ours either
	}
	d.plugin.L.Set(t, path[last], v)
	return nil
}

// names is a path for people.
func (d *data) names(path []vm.Value) string {
	var b strings.Builder
	b.WriteString("_G")
	for _, k := range path {
		if s, ok := k.Str(); ok {
			fmt.Fprintf(&b, "[%.100q]", s)
		} else if f, ok := k.Float(); ok {
			fmt.Fprintf(&b, "[%v]", f)
		} else {
			fmt.Fprintf(&b, "[%v]", k.True())
		}
	}
	return b.String()
}

// path is _G with keys behind it, one at least.
func (d *data) path() ([]vm.Value, error) {
	if !d.take("_G") {
		return nil, d.expected("_G")
	}
	var path []vm.Value
	for d.take("[") {
		if len(path) == maxStateDepth {
			return nil, fmt.Errorf("tables are nested more than %d deep", maxStateDepth)
		}
		k, err := d.value()
		if err != nil {
			return nil, err
		}
		if k.IsNil() || k.Type() == vm.TableType || !d.take("]") {
			return nil, d.expected("a key")
		}
		path = append(path, k)
	}
	if len(path) == 0 {
		return nil, d.expected("[")
	}
	return path, nil
}

// value is a text, a number, a boolean, an empty table or what lies at a path.
func (d *data) value() (vm.Value, error) {
	switch {
	case d.take("{}"), d.take("{nil}"):
		return d.plugin.L.NewTable(0, 0).Value(), nil
	case d.take("true"):
		return vm.True, nil
	case d.take("false"):
		return vm.False, nil
	case d.at < len(d.in) && d.in[d.at] == '"':
		s, err := d.text()
		return d.plugin.L.Str(s), err
	case bytes.HasPrefix(d.in[d.at:], []byte("_G[")):
		path, err := d.path()
		if err != nil {
			return vm.Nil, err
		}
		return d.get(path), nil
	}
	f, err := d.number()
	return vm.Number(f), err
}

// arguments are values up to the parenthesis that closes.
func (d *data) arguments() (out []vm.Value, err error) {
	for !d.take(")") {
		if len(out) > 0 && !d.take(",") {
			return nil, d.expected(",")
		}
		d.space()
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		if out = append(out, v); len(out) > 8 {
			return nil, d.expected(")")
		}
	}
	return out, nil
}

// number is one as C writes it, or 1/0, -1/0 and 0/0.
func (d *data) number() (float64, error) {
	switch {
	case d.take("1/0"):
		return math.Inf(1), nil
	case d.take("-1/0"):
		return math.Inf(-1), nil
	case d.take("0/0"), d.take("-0/0"):
		return math.NaN(), nil
	}
	from := d.at
	for d.at < len(d.in) && d.at < from+64 && strings.IndexByte("+-.0123456789eE", d.in[d.at]) >= 0 {
		d.at++
	}
	f, err := strconv.ParseFloat(string(d.in[from:d.at]), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, d.expected("a value")
	}
	return f, nil
}

// text is one as string.format("%q") writes it.
func (d *data) text() (string, error) {
	var out []byte
	for d.at++; d.at < len(d.in); d.at++ {
		c := d.in[d.at]
		if c == '"' {
			d.at++
			return string(out), nil
		}
		if c != '\\' {
			out = append(out, c)
			continue
		}
		if d.at++; d.at == len(d.in) {
			break
		}
		switch c := d.in[d.at]; {
		case c == 'r':
			out = append(out, '\r')
		case c == 'n':
			out = append(out, '\n')
		case bytes.HasPrefix(d.in[d.at:], []byte("000")):
			out = append(out, 0)
			d.at += 2
		default:
			out = append(out, c)
		}
	}
	return "", errors.New("a text has no end")
}

func (d *data) word() string {
	from := d.at
	for d.at < len(d.in) && (d.in[d.at] == '_' || d.in[d.at]|0x20 >= 'a' && d.in[d.at]|0x20 <= 'z') {
		d.at++
	}
	return string(d.in[from:d.at])
}

func (d *data) space() {
	for d.at < len(d.in) && (d.in[d.at] == ' ' || d.in[d.at] == '\n' || d.in[d.at] == '\r' || d.in[d.at] == '\t') {
		d.at++
	}
}

func (d *data) take(s string) bool {
	if !bytes.HasPrefix(d.in[min(d.at, len(d.in)):], []byte(s)) {
		return false
	}
	d.at += len(s)
	return true
}

func (d *data) expected(what string) error {
	rest := d.in[min(d.at, len(d.in)):]
	return fmt.Errorf("%s is expected where %.20q stands", what, rest)
}
