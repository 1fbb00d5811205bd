package vm

import (
	"bytes"
	"fmt"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

const (
	maxSource  = 256 << 10
	maxNesting = 200 // of brackets, blocks and operators; the parser recurses over them
)

// SourceError is a source that is no Lua, or is too large.
type SourceError struct {
	Line int // 0: not known
	Text string
}

func (e *SourceError) Error() string { return e.Text }

// Load compiles a source into a function. name is what errors call it.
func (L *State) Load(name string, source []byte) (fn *Function, err error) {
	src, err := Compile(name, source)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			fn, err = nil, failure(r).(error)
		}
	}()
	L.Charge(roundSize(functionSize))
	return &Function{id: L.nextID(), p: L.translate(src), env: L.globals}, nil
}

// Compile parses and compiles a source, within bounds of its size and nesting.
func Compile(name string, source []byte) (p *lua.FunctionProto, err error) {
	if len(source) > maxSource {
		return nil, &SourceError{Text: fmt.Sprintf("%s: the source has %d bytes, %d are allowed", name, len(source), maxSource)}
	}
	if bytes.HasPrefix(source, []byte("\x1bLua")) {
		return nil, &SourceError{Text: name + ": compiled code is not loaded; submit the source"}
	}
	if bytes.HasPrefix(source, []byte("#")) { // as Lua's loader: a first line for the shell
		source = append([]byte("--"), source...)
	}
	if line := tooDeep(source); line > 0 {
		return nil, &SourceError{Line: line, Text: fmt.Sprintf("%s:%d: the source is nested more than %d deep", name, line, maxNesting)}
	}
	defer func() {
		// gopher-lua panics on some inputs that are no Lua.
		if r := recover(); r != nil {
			p, err = nil, &SourceError{Text: fmt.Sprintf("%s: the source cannot be compiled: %v", name, r)}
		}
	}()
	chunk, err := parse.Parse(bytes.NewReader(source), name)
	if err != nil {
		return nil, sourceError(name, err)
	}
	p, err = lua.Compile(chunk, name)
	if err != nil {
		return nil, sourceError(name, err)
	}
	return p, nil
}

func sourceError(name string, err error) error {
	switch e := err.(type) {
	case *parse.Error:
		if e.Pos.Line < 0 {
			return &SourceError{Text: fmt.Sprintf("%s: %s at the end of the source", name, e.Message)}
		}
		return &SourceError{Line: e.Pos.Line, Text: fmt.Sprintf("%s:%d: %s near '%s'", name, e.Pos.Line, e.Message, e.Token)}
	case *lua.CompileError:
		return &SourceError{Line: e.Line, Text: fmt.Sprintf("%s:%d: %s", name, e.Line, e.Message)}
	}
	return &SourceError{Text: err.Error()}
}
