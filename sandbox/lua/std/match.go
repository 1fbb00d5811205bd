package std

import (
	"strings"
	"unsafe"

	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/number"
	"sandbar/sandbox/pattern"
)

// Steps of the pattern engine: how many make a unit of fuel, and how many a match gets at a time. They are paid in
// advance but for the first, and what is left is given back.
const (
	stepsPerUnit = 4
	stepsAtOnce  = 1 << 14
)

// search looks for pat in s from init on, spends what that costs and raises what is wrong with pat.
func (m *texts) search(L *vm.State, s, pat string, init int, match *pattern.Match) bool {
	if m.more == nil {
		m.more = func() int64 {
			L.Spend(stepsAtOnce / stepsPerUnit)
			return stepsAtOnce
		}
	}
	first := stepsPerUnit * min(stepsAtOnce/stepsPerUnit, L.Fuel()) // paid below
	steps := first
	found, err := pattern.FindMore(s, pat, init, match, &steps, m.more)
	L.Spend(1 + (first-steps)/stepsPerUnit)
	if err != nil {
		L.Throw(err.Error())
	}
	return found
}

// capture is the i-th capture of a match, from 0; the whole match when there are none.
func (m *texts) capture(L *vm.State, s string, match *pattern.Match, i int) vm.Value {
	if i >= match.Captures() {
		if i > 0 {
			L.Throw("invalid capture index")
		}
		return m.slice(L, s, match.Start, match.End)
	}
	from, to, isPosition, err := match.Capture(i)
	if err != nil {
		L.Throw(err.Error())
	}
	if isPosition {
		return vm.Int(from + 1)
	}
	return m.slice(L, s, from, to)
}

// captures is how many values a match gives: its captures, or all of it when there are none and whole is set.
func captures(match *pattern.Match, whole bool) int {
	n := match.Captures()
	if n == 0 && whole {
		n = 1
	}
	return n
}

func (m *texts) pushCaptures(L *vm.State, s string, match *pattern.Match, whole bool) int {
	n := captures(match, whole)
	for i := range n {
		L.Push(m.capture(L, s, match, i))
	}
	return n
}

func (m *texts) find(L *vm.State) int {
	s, pat := L.CheckString(1), L.CheckString(2)
	init := start(L, "find", len(s))
	payPattern(L, pat)
	if L.Arg(4).True() || pattern.Plain(pat) {
		L.Spend(int64(len(s)-init) / 32)
		at := strings.Index(s[init:], pat)
		if at < 0 {
			L.Push(vm.Nil)
			return 1
		}
		L.PushInt(init + at + 1)
		L.PushInt(init + at + len(pat))
		return 2
	}
	if !m.search(L, s, pat, init, &m.match) {
		L.Push(vm.Nil)
		return 1
	}
	L.PushInt(m.match.Start + 1)
	L.PushInt(m.match.End)
	return 2 + m.pushCaptures(L, s, &m.match, false)
}

// payPattern pays for looking through a pattern.
func payPattern(L *vm.State, pat string) {
	if len(pat) >= 64 {
		L.Spend(int64(len(pat)) / 8)
	}
}

// start is the third argument of find and match as an index into a string of n bytes.
func start(L *vm.State, fn string, n int) int {
	if L.Args() < 3 {
		return 0
	}
	return min(max(index(L.OptInt(3, 1), n)-1, 0), n)
}

func (m *texts) matchFn(L *vm.State) int {
	s, pat := L.CheckString(1), L.CheckString(2)
	payPattern(L, pat)
	if !m.search(L, s, pat, start(L, "match", len(s)), &m.match) {
		L.Push(vm.Nil)
		return 1
	}
	return m.pushCaptures(L, s, &m.match, true)
}

// gmatch returns a function that keeps the string, the pattern and how far it got.
func (m *texts) gmatch(L *vm.State) int {
	s, pat := L.CheckString(1), L.CheckString(2)
	payPattern(L, pat)
	L.Spend(24)
	keep := []vm.Value{L.Arg(1), L.Arg(2), vm.Int(0)}
	if keep[0].Type() != vm.StringType {
		keep[0] = L.Str(s)
	}
	if strings.HasPrefix(pat, "^") { // has no meaning here in 5.1
		room(L, len(pat)+1)
		keep[1] = L.Str("%" + pat)
	} else if keep[1].Type() != vm.StringType {
		keep[1] = L.Str(pat)
	}
	L.Push(L.NewClosure("gmatch", keep, m.nextMatch).Value())
	return 1
}

// nextMatch is what gmatch returns.
func (m *texts) nextMatch(L *vm.State) int {
	s, _ := L.Kept(1).Str()
	pat, _ := L.Kept(2).Str()
	f, _ := L.Kept(3).Float()
	at := max(vm.ToInt(f), 0)
	if at > len(s) || !m.search(L, s, pat, at, &m.match) {
		L.Keep(3, vm.Int(len(s)+1))
		return 0
	}
	at = m.match.End
	if m.match.End == m.match.Start {
		at++
	}
	L.Keep(3, vm.Int(at))
	return m.pushCaptures(L, s, &m.match, true)
}

// gsub is gsub(s, pattern, string, table or function [, most]).
func (m *texts) gsub(L *vm.State) int {
	s, pat := L.CheckString(1), L.CheckString(2)
	g := &substitution{texts: m, s: s, pat: pat, repl: L.Arg(3)}
	switch g.repl.Type() {
	case vm.StringType, vm.NumberType:
		g.text = L.CheckString(3)
	case vm.TableType, vm.FunctionType:
	default:
		L.ArgError(3, "string/function/table expected")
	}
	payPattern(L, pat)
	L.Spend(8)
	g.most = L.OptInt(4, len(s)+1)
	g.anchored = strings.HasPrefix(pat, "^")
	return g.run(L)
}

// substitution is one gsub. It has a match of its own, for its function may match too, and may wait for that.
type substitution struct {
	*texts
	s, pat   string
	repl     vm.Value
	text     string // repl, when it is a string
	match    pattern.Match
	out      []byte
	roomy    int   // bytes that there is room for
	charged  int64 // bytes of out that were counted
	most     int
	anchored bool
	count    int
	at       int
}

func (g *substitution) run(L *vm.State) int {
	for g.count < g.most && g.search(L, g.s, g.pat, g.at, &g.match) {
		if g.count == 0 {
			g.out = g.take()
		}
		g.count++
		g.copy(L, g.s[g.at:g.match.Start])
		switch g.repl.Type() {
		case vm.FunctionType:
			args := make([]vm.Value, captures(&g.match, true))
			for i := range args {
				args[i] = g.capture(L, g.s, &g.match, i)
			}
			return g.wait(L, g.repl, args)
		case vm.TableType:
			found, handler, on := L.Index(g.repl, g.capture(L, g.s, &g.match, 0))
			if !handler.IsNil() {
				return g.wait(L, handler, []vm.Value{on, g.capture(L, g.s, &g.match, 0)})
			}
			g.replace(L, found)
		default:
			g.expand(L)
		}
		if g.advance(L) {
			break
		}
	}
	return g.finish(L)
}

// replaced goes on with what the function returned.
// wait has Lua code called. What was made so far is counted, each byte once.
func (g *substitution) wait(L *vm.State, fn vm.Value, args []vm.Value) int {
	if n := int64(cap(g.out)); n > g.charged {
		L.Charge(n - g.charged)
		g.charged = n
	}
	return L.Waits(L.Call(fn, args, g.replaced), g)
}

// Held implements vm.Holder.
func (g *substitution) Held() (int64, []vm.Value) { return substitutionSize + int64(cap(g.out)), nil }

const substitutionSize = int64(unsafe.Sizeof(substitution{}))

func (g *substitution) replaced(L *vm.State) int {
	g.replace(L, L.Result(1))
	if g.advance(L) {
		return g.finish(L)
	}
	return g.run(L)
}

// advance goes behind the match and says whether that was the last one.
func (g *substitution) advance(L *vm.State) bool {
	g.at = g.match.End
	if g.match.End == g.match.Start {
		if g.at == len(g.s) {
			return true
		}
		g.copy(L, g.s[g.at:g.at+1])
		g.at++
	}
	return g.anchored
}

func (g *substitution) finish(L *vm.State) int {
	if g.count == 0 {
		if v := L.Arg(1); v.Type() == vm.StringType {
			L.Push(v)
		} else {
			L.Push(L.Str(g.s))
		}
		L.PushInt(0)
		return 2
	}
	g.copy(L, g.s[g.at:])
	g.give(g.out)
	g.push(L, g.out)
	L.PushInt(g.count)
	return 2
}

// copy appends text to what gsub returns, for which room is made in steps.
func (g *substitution) copy(L *vm.State, text string) {
	if need := len(g.out) + len(text); need > g.roomy {
		g.roomy = max(need, min(2*g.roomy, maxText), 64)
		room(L, g.roomy)
	}
	g.out = append(g.out, text...)
}

// replace appends what a function or table gave for the match.
func (g *substitution) replace(L *vm.State, v vm.Value) {
	if s, ok := v.Str(); ok {
		g.copy(L, s)
	} else if f, ok := v.Float(); ok {
		g.copy(L, vm.NumberText(f))
	} else if v.True() {
		L.Throwf("invalid replacement value (a %s)", v.Type())
	} else {
		g.copy(L, g.s[g.match.Start:g.match.End])
	}
}

// expand appends the replacement string, with %0 to %9 replaced.
func (g *substitution) expand(L *vm.State) {
	text := g.text
	for {
		at := strings.IndexByte(text, '%')
		if at < 0 {
			g.copy(L, text)
			return
		}
		L.Spend(1)
		g.copy(L, text[:at])
		escaped := "\x00" // as C's end of the string
		if at+1 < len(text) {
			escaped = text[at+1 : at+2]
		}
		switch c := escaped[0]; {
		case c == '0':
			g.copy(L, g.s[g.match.Start:g.match.End])
		case c >= '1' && c <= '9':
			g.copyCapture(L, int(c-'1'))
		default:
			g.copy(L, escaped)
		}
		text = text[min(at+2, len(text)):]
	}
}

func (g *substitution) copyCapture(L *vm.State, i int) {
	if i >= g.match.Captures() {
		if i > 0 {
			L.Throw("invalid capture index")
		}
		g.copy(L, g.s[g.match.Start:g.match.End])
		return
	}
	from, to, isPosition, err := g.match.Capture(i)
	switch {
	case err != nil:
		L.Throw(err.Error())
	case isPosition:
		var buf [numberSize]byte
		g.copy(L, string(number.AppendG(buf[:0], float64(from+1), 14)))
	default:
		g.copy(L, g.s[from:to])
	}
}
