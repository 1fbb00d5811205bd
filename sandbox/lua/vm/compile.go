package vm

import (
	"bytes"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

const (
	// MaxSource is the most bytes that a source may have.
	MaxSource  = 256 << 10
	maxNesting = 200 // of brackets, blocks and operators; the parser recurses over them
)

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
	if len(source) > MaxSource {
		return nil, &SourceError{Name: name, Text: fmt.Sprintf("the source has %d bytes, %d are allowed", len(source), MaxSource)}
	}
	if bytes.HasPrefix(source, []byte("\x1bLua")) {
		return nil, &SourceError{Name: name, Line: 1, Text: "compiled code is not loaded; submit the source"}
	}
	if bytes.HasPrefix(source, []byte("#")) { // as Lua's loader: a first line for the shell
		source = append([]byte("--"), source...)
	}
	if line := tooDeep(source); line > 0 {
		return nil, &SourceError{Name: name, Line: line, Text: fmt.Sprintf("the source is nested more than %d deep", maxNesting)}
	}
	defer func() {
		// gopher-lua panics on some inputs that are no Lua.
		if r := recover(); r != nil {
			p, err = nil, &SourceError{Name: name, Text: fmt.Sprintf("the source cannot be compiled: %v", r)}
		}
	}()
	chunk, err := parse.Parse(bytes.NewReader(source), name)
	if err != nil {
		return nil, sourceError(name, err)
	}
	repairBlock(chunk)
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
			return &SourceError{Name: name, Text: strings.TrimSpace(e.Message) + " at the end of the source"}
		}
		return &SourceError{Name: name, Line: e.Pos.Line, Column: e.Pos.Column, Text: fmt.Sprintf("%s near '%s'", strings.TrimSpace(e.Message), e.Token)}
	case *lua.CompileError:
		return &SourceError{Name: name, Line: e.Line, Text: e.Message}
	}
	return &SourceError{Name: name, Text: err.Error()}
}
