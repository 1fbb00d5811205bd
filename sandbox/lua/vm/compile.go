package vm

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/gopher-lua/parse"
)

// MaxSource is the most bytes that a source may have.
const MaxSource = 256 << 10

// SourceError is a source that is no Lua, or is too large.
type SourceError struct {
	Name   string
	Line   int // 0: not known
	Column int // 0: not known
	Text   string
}

func (e *SourceError) Error() string {
	if e.Line == 0 {
		return e.Name + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Text)
}

// Load compiles a source into a function. name is what errors call it.
func (L *State) Load(name string, source []byte) (fn *Function, err error) {
	code, err := Compile(name, source)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			fn, err = nil, failure(r).(error)
		}
	}()
	L.Charge(roundSize(functionSize))
	fn = &Function{id: L.nextID(), p: L.proto(code), env: L.globals}
	if L.keeps != nil {
		L.keeps.chunks = append(L.keeps.chunks, fn.p)
	}
	return fn, nil
}

// Compile parses and compiles a source, within bounds of its size and nesting.
func Compile(name string, source []byte) (*Code, error) {
	if len(source) > MaxSource {
		return nil, &SourceError{Name: name, Text: fmt.Sprintf("the source has %d bytes, %d are allowed", len(source), MaxSource)}
	}
	if bytes.HasPrefix(source, []byte("\x1bLua")) {
		return nil, &SourceError{Name: name, Line: 1, Text: "compiled code is not loaded; submit the source"}
	}
	c, err := compile(name, source)
	if err != nil {
		if why := whyNot(name, source); why != nil {
			return nil, why
		}
	}
	return c, err
}

func compile(name string, source []byte) (c *Code, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *SourceError:
			c, err = nil, r
		default: // gopher-lua's parser panics on some inputs that are no Lua
			c, err = nil, &SourceError{Name: name, Text: fmt.Sprintf("the source cannot be compiled: %v", r)}
		}
	}()
	r := readSource(name, source)
	chunk, err := parse.Parse(bytes.NewReader(r.text()), name)
	if err != nil {
		return nil, sourceError(name, err)
	}
	top := &builder{Code: &Code{Name: name}, compiler: &compiler{calls: r.calls, longs: r.longs, another: r.another}}
	main := top.inner(0, true)
	main.outer = nil
	main.body(chunk, bytes.Count(source, []byte("\n"))+1)
	return main.Code, nil
}

// compiler is what the functions of a source are compiled with.
type compiler struct {
	looked  int                 // variables that were compared with names
	calls   []lines             // of arguments of calls that are not yet compiled
	longs   map[int32]manyLines // strings of several lines by their first
	another string              // what the parser saw in place of the name goto
}

// name is what the source calls something.
func (c *compiler) name(parsed string) string {
	if parsed == c.another && parsed != "" {
		return "goto"
	}
	return parsed
}

// lines are the first and the last of a part of the source.
type lines struct{ from, to int32 }

// nextCall takes the lines of the arguments that come next.
func (c *compiler) nextCall() lines {
	if len(c.calls) == 0 {
		return lines{}
	}
	next := c.calls[0]
	c.calls = c.calls[1:]
	return next
}

func sourceError(name string, err error) error {
	if e, ok := err.(*parse.Error); ok {
		if e.Pos.Line < 0 {
			return &SourceError{Name: name, Text: strings.TrimSpace(e.Message) + " at the end of the source"}
		}
		return &SourceError{Name: name, Line: e.Pos.Line, Column: e.Pos.Column, Text: fmt.Sprintf("%s near '%s'", strings.TrimSpace(e.Message), e.Token)}
	}
	return &SourceError{Name: name, Text: err.Error()}
}
