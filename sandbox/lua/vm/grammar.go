package vm

import (
	"bytes"
	"fmt"
	"strings"
)

// grammar says what is wrong with a source in the words of Lua 5.1, where gopher-lua's parser says only "syntax error". It follows lparser.c and llex.c
// and makes nothing. It is asked when a source has been refused.
type grammar struct {
	reader        // for its place in the source
	token  token  // that comes next
	ahead  *token // that comes after it, if it was looked at
	vararg bool   // the function takes more arguments than it names
	loops  int    // around the statement, in the function
	depth  int
}

// token is one with its place. kind is the token itself, or one of the four below.
type token struct {
	kind string
	near string // as errors show it
	from int
}

const (
	nameToken   = "<name>"
	numberToken = "<number>"
	stringToken = "<string>"
	eofToken    = "<eof>"
)

// tooDeep ends the search; sources that nest deeper than C follows are refused for that.
type tooDeep struct{}

// whyNot returns the first error of a source, nil when it finds none.
func whyNot(name string, source []byte) (why *SourceError) {
	g := &grammar{reader: reader{name: name, src: source, line: 1}, vararg: true}
	defer func() {
		switch r := recover().(type) {
		case nil, tooDeep:
		case *SourceError:
			why = r
		default:
			panic(r)
		}
	}()
	if bytes.HasPrefix(source, []byte("#")) {
		g.toLineEnd()
	}
	g.next()
	g.chunk()
	g.check(eofToken)
	return nil
}

// wrong ends the search with an error at a place.
func (g *grammar) wrong(from int, text, near string) {
	column := from - bytes.LastIndexAny(g.src[:from], "\n\r")
	near, _, _ = strings.Cut(near, "\x00") // as C writes texts
	panic(&SourceError{Name: g.name, Line: int(g.line), Column: column, Text: fmt.Sprintf("%s near '%s'", text, near)})
}

// unexpected is an error at the token that comes next.
func (g *grammar) unexpected(text string) { g.wrong(g.token.from, text, g.token.near) }

func (g *grammar) next() {
	g.lastLine = g.line
	if g.ahead != nil {
		g.token, g.ahead = *g.ahead, nil
		return
	}
	g.token = g.scan()
}

// is says whether a token comes next, and takes it.
func (g *grammar) is(kind string) bool {
	if g.token.kind != kind {
		return false
	}
	g.next()
	return true
}

func (g *grammar) check(kind string) {
	if g.token.kind != kind {
		g.unexpected("'" + kind + "' expected")
	}
}

func (g *grammar) take(kind string) {
	g.check(kind)
	g.next()
}

// closed takes what closes something that was opened on a line.
func (g *grammar) closed(kind, opened string, line int32) {
	if g.token.kind != kind && line != g.line {
		g.unexpected(fmt.Sprintf("'%s' expected (to close '%s' at line %d)", kind, opened, line))
	}
	g.take(kind)
}

// deeper counts what nests, as C does.
func (g *grammar) deeper() {
	if g.depth++; g.depth > maxNesting {
		panic(tooDeep{})
	}
}

// ends says whether a block ends here.
func (g *grammar) ends() bool {
	switch g.token.kind {
	case "else", "elseif", "end", "until", eofToken:
		return true
	}
	return false
}

func (g *grammar) chunk() {
	g.deeper()
	for last := false; !last && !g.ends(); {
		last = g.statement()
		g.is(";")
	}
	g.depth--
}

// loop is the body of one.
func (g *grammar) loop() {
	g.loops++
	g.chunk()
	g.loops--
}

// statement reports true for one that must be the last.
func (g *grammar) statement() bool {
	line := g.line
	switch kind := g.token.kind; kind {
	case "if":
		g.branch()
		for g.token.kind == "elseif" {
			g.branch()
		}
		if g.is("else") {
			g.chunk()
		}
		g.closed("end", kind, line)
	case "while":
		g.next()
		g.expr()
		g.take("do")
		g.loop()
		g.closed("end", kind, line)
	case "do":
		g.next()
		g.chunk()
		g.closed("end", kind, line)
	case "for":
		g.forLoop()
		g.closed("end", kind, line)
	case "repeat":
		g.next()
		g.loop()
		g.closed("until", kind, line)
		g.expr()
	case "function":
		g.next()
		g.take(nameToken)
		for g.is(".") {
			g.take(nameToken)
		}
		if g.is(":") {
			g.take(nameToken)
		}
		g.body(line)
	case "local":
		g.local()
	case "return":
		if g.next(); !g.ends() && g.token.kind != ";" {
			g.exprs()
		}
		return true
	case "break":
		if g.next(); g.loops == 0 {
			g.unexpected("no loop to break")
		}
		return true
	default:
		g.callOrAssignment()
	}
	return false
}

// branch is a condition and its block.
func (g *grammar) branch() {
	g.next()
	g.expr()
	g.take("then")
	g.chunk()
}

func (g *grammar) forLoop() {
	g.next()
	g.take(nameToken)
	switch g.token.kind {
	case "=":
		g.next()
		g.expr()
		g.take(",")
		g.expr()
		if g.is(",") {
			g.expr()
		}
	case ",", "in":
		for g.is(",") {
			g.take(nameToken)
		}
		g.take("in")
		g.exprs()
	default:
		g.unexpected("'=' or 'in' expected")
	}
	g.take("do")
	g.loop()
}

func (g *grammar) local() {
	g.next()
	if g.is("function") {
		g.take(nameToken)
		g.body(g.line)
		return
	}
	g.take(nameToken)
	for g.is(",") {
		g.take(nameToken)
	}
	if g.is("=") {
		g.exprs()
	}
}

// body is what comes after the name of a function.
func (g *grammar) body(line int32) {
	vararg, loops := g.vararg, g.loops
	g.vararg, g.loops = false, 0
	g.take("(")
	if g.token.kind != ")" {
		for more := true; more; more = !g.vararg && g.is(",") {
			switch g.token.kind {
			case nameToken:
			case "...":
				g.vararg = true
			default:
				g.unexpected("<name> or '...' expected")
			}
			g.next()
		}
	}
	g.take(")")
	g.chunk()
	g.closed("end", "function", line)
	g.vararg, g.loops = vararg, loops
}

// What an expression that begins with a name or a bracket is.
const (
	isOther    = iota
	isCall     // a statement by itself
	isVariable // may be assigned to
)

func (g *grammar) callOrAssignment() {
	what := g.primaryExpr()
	if what == isCall {
		return
	}
	for {
		if what != isVariable {
			g.unexpected("syntax error")
		}
		if !g.is(",") {
			break
		}
		what = g.primaryExpr()
	}
	g.take("=")
	g.exprs()
}

func (g *grammar) exprs() {
	g.expr()
	for g.is(",") {
		g.expr()
	}
}

func (g *grammar) expr() {
	g.deeper()
	for {
		for g.token.kind == "not" || g.token.kind == "-" || g.token.kind == "#" {
			g.next()
		}
		g.simpleExpr()
		switch g.token.kind {
		case "+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or":
			g.next()
			continue
		}
		g.depth--
		return
	}
}

func (g *grammar) simpleExpr() {
	switch g.token.kind {
	case numberToken, stringToken, "nil", "true", "false":
		g.next()
	case "...":
		if !g.vararg {
			g.unexpected("cannot use '...' outside a vararg function")
		}
		g.next()
	case "{":
		g.table()
	case "function":
		g.next()
		g.body(g.line)
	default:
		g.primaryExpr()
	}
}

func (g *grammar) primaryExpr() int {
	what := isVariable
	switch line := g.line; g.token.kind {
	case "(":
		g.next()
		g.expr()
		g.closed(")", "(", line)
		what = isOther
	case nameToken:
		g.next()
	default:
		g.unexpected("unexpected symbol")
	}
	for {
		switch g.token.kind {
		case ".":
			g.next()
			g.take(nameToken)
			what = isVariable
		case "[":
			g.index()
			what = isVariable
		case ":":
			g.next()
			g.take(nameToken)
			g.arguments()
			what = isCall
		case "(", stringToken, "{":
			g.arguments()
			what = isCall
		default:
			return what
		}
	}
}

func (g *grammar) index() {
	g.next()
	g.expr()
	g.take("]")
}

func (g *grammar) arguments() {
	switch line := g.line; g.token.kind {
	case "(":
		if line != g.lastLine {
			g.unexpected("ambiguous syntax (function call x new statement)")
		}
		if g.next(); g.token.kind != ")" {
			g.exprs()
		}
		g.closed(")", "(", line)
	case "{":
		g.table()
	case stringToken:
		g.next()
	default:
		g.unexpected("function arguments expected")
	}
}

func (g *grammar) table() {
	line := g.line
	g.take("{")
	for more := true; more && g.token.kind != "}"; more = g.is(",") || g.is(";") {
		switch g.token.kind {
		case nameToken:
			if g.ahead == nil {
				after := g.scan()
				g.ahead = &after
			}
			if g.ahead.kind != "=" {
				g.expr()
				continue
			}
			g.next()
			g.take("=")
			g.expr()
		case "[":
			g.index()
			g.take("=")
			g.expr()
		default:
			g.expr()
		}
	}
	g.closed("}", "{", line)
}
