package lib

import (
	"errors"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/pattern"
)

// Steps of the pattern engine: how many make a unit of fuel, and how many a match gets at first. One that needs
// more begins anew with four times as many, as long as there is fuel.
const (
	stepsPerUnit = 4
	firstSteps   = 1 << 20
)

// search looks for pat in s from init on, spends what that costs and raises what is wrong with pat.
func (m *texts) search(L *lua.LState, s, pat string, init int, match *pattern.Match) bool {
	for given := int64(firstSteps); ; given *= 4 {
		steps := given
		found, err := pattern.Find(s, pat, init, match, &steps)
		m.h.Spend(L, 1+(given-max(steps, 0))/stepsPerUnit)
		if err == nil {
			return found
		}
		if !errors.Is(err, pattern.ErrSteps) {
			L.RaiseError("%s", err.Error())
		}
	}
}

// capture is the i-th capture of a match, from 0; the whole match when there are none.
func capture(L *lua.LState, s string, match *pattern.Match, i int) lua.LValue {
	if i >= match.Captures() {
		if i > 0 {
			L.RaiseError("invalid capture index")
		}
		return slice(s, match.Start, match.End)
	}
	from, to, isPosition, err := match.Capture(i)
	if err != nil {
		L.RaiseError("%s", err.Error())
	}
	if isPosition {
		return integer(from + 1)
	}
	return slice(s, from, to)
}

// pushCaptures pushes the captures of a match, or all of it when there are none and whole is set.
func (m *texts) pushCaptures(L *lua.LState, s string, match *pattern.Match, whole bool) int {
	n := match.Captures()
	if n == 0 && whole {
		n = 1
	}
	bytes := n * textBytes
	for i := range match.Captures() {
		if from, to, _, err := match.Capture(i); err == nil {
			bytes += to - from
		}
	}
	if match.Captures() == 0 && whole {
		bytes += match.End - match.Start
	}
	reserveText(L, m.h, bytes)
	for i := range n {
		L.Push(capture(L, s, match, i))
	}
	return n
}

func (m *texts) find(L *lua.LState) int {
	s, pat := checkString(L, 1, "find"), checkString(L, 2, "find")
	init := start(L, "find", len(s))
	if lua.LVAsBool(L.Get(4)) || pattern.Plain(pat) {
		m.h.Spend(L, int64(len(s)-init)/32)
		at := strings.Index(s[init:], pat)
		if at < 0 {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(integer(init + at + 1))
		L.Push(integer(init + at + len(pat)))
		return 2
	}
	if !m.search(L, s, pat, init, &m.match) {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(integer(m.match.Start + 1))
	L.Push(integer(m.match.End))
	return 2 + m.pushCaptures(L, s, &m.match, false)
}

// start is the third argument of find and match as an index into a string of n bytes.
func start(L *lua.LState, fn string, n int) int {
	if L.GetTop() < 3 {
		return 0
	}
	return min(max(index(optInt(L, 3, fn, 1), n)-1, 0), n)
}

func (m *texts) matchFn(L *lua.LState) int {
	s, pat := checkString(L, 1, "match"), checkString(L, 2, "match")
	if !m.search(L, s, pat, start(L, "match", len(s)), &m.match) {
		L.Push(lua.LNil)
		return 1
	}
	return m.pushCaptures(L, s, &m.match, true)
}

// matches is where a gmatch has got to. It is an Object so that what it holds is counted.
type matches struct {
	s, pat string
	at     int
}

func (m *matches) Size() int64 { return int64(len(m.s) + len(m.pat)) }

func (m *texts) gmatch(L *lua.LState) int {
	it := &matches{s: checkString(L, 1, "gmatch"), pat: checkString(L, 2, "gmatch")}
	if strings.HasPrefix(it.pat, "^") { // has no meaning here in 5.1
		it.pat = "%" + it.pat
	}
	m.h.Reserve(L, 400)
	state := L.NewUserData()
	state.Value = it
	L.Push(L.NewClosure(m.nextMatch, state))
	return 1
}

// nextMatch is what gmatch returns.
func (m *texts) nextMatch(L *lua.LState) int {
	it := L.Get(lua.UpvalueIndex(1)).(*lua.LUserData).Value.(*matches)
	if it.at > len(it.s) || !m.search(L, it.s, it.pat, it.at, &m.match) {
		it.at = len(it.s) + 1
		return 0
	}
	it.at = m.match.End
	if m.match.End == m.match.Start {
		it.at++
	}
	return m.pushCaptures(L, it.s, &m.match, true)
}

// gsub is gsub(s, pattern, string, table or function [, most]).
func (m *texts) gsub(L *lua.LState) int {
	s, pat := checkString(L, 1, "gsub"), checkString(L, 2, "gsub")
	g := substitution{texts: m, s: s, repl: L.Get(3)}
	switch v := g.repl.(type) {
	case lua.LString:
		g.text = string(v)
	case lua.LNumber:
		g.text = numberText(float64(v))
	case *lua.LTable, *lua.LFunction:
	default:
		argError(L, 3, "gsub", "string/function/table expected")
	}
	most := optInt(L, 4, "gsub", len(s)+1)
	anchored := strings.HasPrefix(pat, "^")
	count, at := 0, 0
	for count < most && m.search(L, s, pat, at, &g.match) {
		if count == 0 {
			g.out = m.take()
		}
		count++
		g.copy(L, s[at:g.match.Start])
		g.add(L)
		at = g.match.End
		if g.match.End == g.match.Start {
			if at == len(s) {
				break
			}
			g.copy(L, s[at:at+1])
			at++
		}
		if anchored {
			break
		}
	}
	if count == 0 {
		L.Push(lua.LString(s))
		L.Push(lua.LNumber(0))
		return 2
	}
	g.copy(L, s[at:])
	m.give(g.out)
	m.pushBytes(L, g.out)
	L.Push(integer(count))
	return 2
}

// substitution is one gsub. It has a match of its own, for its function may match too.
type substitution struct {
	*texts
	s        string
	repl     lua.LValue
	text     string // repl, when it is a string
	match    pattern.Match
	out      []byte
	reserved int
}

// copy appends text to what gsub returns, which is reserved in steps.
func (g *substitution) copy(L *lua.LState, text string) {
	if need := len(g.out) + len(text); need > g.reserved {
		more := max(need-g.reserved, g.reserved, 64)
		if need > maxText {
			more = need
		}
		reserveText(L, g.h, more)
		g.reserved += more
	}
	g.out = append(g.out, text...)
}

// add appends what the match is replaced by.
func (g *substitution) add(L *lua.LState) {
	var v lua.LValue
	switch repl := g.repl.(type) {
	case *lua.LTable:
		v = L.GetTable(repl, capture(L, g.s, &g.match, 0))
	case *lua.LFunction:
		L.Push(repl)
		n := g.pushCaptures(L, g.s, &g.match, true)
		L.Call(n, 1)
		v = L.Get(-1)
		L.Pop(1)
	default:
		g.expand(L)
		return
	}
	switch v := v.(type) {
	case lua.LString:
		g.copy(L, string(v))
	case lua.LNumber:
		g.copy(L, numberText(float64(v)))
	default:
		if lua.LVAsBool(v) {
			L.RaiseError("invalid replacement value (a %s)", v.Type())
		}
		g.copy(L, g.s[g.match.Start:g.match.End])
	}
}

// expand appends the replacement string, with %0 to %9 replaced.
func (g *substitution) expand(L *lua.LState) {
	text := g.text
	for {
		at := strings.IndexByte(text, '%')
		if at < 0 {
			g.copy(L, text)
			return
		}
		g.copy(L, text[:at])
		escaped := "\x00" // as C's end of the string
		if at+1 < len(text) {
			escaped = text[at+1 : at+2]
		}
		switch c := escaped[0]; {
		case c == '0':
			g.copy(L, g.s[g.match.Start:g.match.End])
		case c >= '1' && c <= '9':
			switch v := capture(L, g.s, &g.match, int(c-'1')).(type) {
			case lua.LString:
				g.copy(L, string(v))
			case lua.LNumber:
				g.copy(L, numberText(float64(v)))
			}
		default:
			g.copy(L, escaped)
		}
		text = text[min(at+2, len(text)):]
	}
}
