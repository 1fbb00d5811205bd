// Package pattern matches Lua 5.1 patterns over bytes, within a budget of steps.
//
// Semantics and error texts are those of Lua 5.1.5's string library; unlike it, a match that backtracks
// without end runs out of steps, and a hostile pattern cannot grow the stack. It allocates nothing and knows
// no engine.
package pattern

import (
	"errors"
	"strings"
)

// ErrSteps says that a match needed more steps than it was given.
var ErrSteps = errors.New("pattern: too many steps")

// Errors of malformed patterns, with Lua's texts.
var (
	ErrEndsWithPercent  = errors.New("malformed pattern (ends with '%')")
	ErrMissingBracket   = errors.New("malformed pattern (missing ']')")
	ErrMissingFrontier  = errors.New("missing '[' after '%f' in pattern")
	ErrUnbalanced       = errors.New("unbalanced pattern")
	ErrCaptureIndex     = errors.New("invalid capture index")
	ErrPatternCapture   = errors.New("invalid pattern capture")
	ErrUnfinished       = errors.New("unfinished capture")
	ErrTooManyCaptures  = errors.New("too many captures")
	ErrPatternTooNested = errors.New("pattern too complex")
)

// MaxCaptures of one pattern.
const MaxCaptures = 32

// maxDepth bounds recursion. Each level is one capture or repetition of the pattern, so real patterns stay far
// below it; Lua 5.1 has no bound of its own and ends with its C stack.
const maxDepth = 2000

// lengths of captures that have none.
const (
	open     = -1
	position = -2
)

type capture struct{ start, len int }

// Match is where a pattern matched. It may be used again.
type Match struct {
	Start, End int // of the whole match
	level      int
	captures   [MaxCaptures]capture
}

// Captures is how many captures the pattern has; 0 when it has none.
func (m *Match) Captures() int { return m.level }

// Capture returns the i-th capture, from 0. For a position capture, "()", only start counts.
// ErrUnfinished says that the pattern never closes it.
func (m *Match) Capture(i int) (start, end int, isPosition bool, err error) {
	c := m.captures[i]
	switch c.len {
	case open:
		return 0, 0, false, ErrUnfinished
	case position:
		return c.start, c.start, true, nil
	}
	return c.start, c.start + c.len, false, nil
}

// Plain reports whether a pattern has no special characters, so that it can be searched for as it is.
func Plain(pat string) bool { return !strings.ContainsAny(pat, "^$*+?.([%-") }

// Prefix returns the plain characters that every match of an anchored pattern begins with; "" when there are none.
func Prefix(pat string) string {
	if pat == "" || pat[0] != '^' {
		return ""
	}
	pat = pat[1:]
	n := strings.IndexAny(pat, "^$*+?.([%-)")
	if n < 0 {
		return pat
	}
	if n > 0 && strings.IndexByte("*?-", pat[n]) >= 0 { // the last one may be absent
		n--
	}
	return pat[:n]
}

// matcher is one attempt.
type matcher struct {
	s, p  string
	m     *Match
	steps int64
	more  func() int64 // asked for further steps; may be nil
	depth int
	err   error
}

// Find searches s from init (0-based) for the first match of pat and reports whether there is one. A pattern
// that begins with '^' matches only at init. Every comparison takes one of *steps; when they run out the error is
// ErrSteps. Other errors say what is wrong with the pattern, as far as it was looked at.
func Find(s, pat string, init int, m *Match, steps *int64) (bool, error) {
	return FindMore(s, pat, init, m, steps, nil)
}

// FindMore is Find that asks more for further steps when they run out; it ends when there are none.
func FindMore(s, pat string, init int, m *Match, steps *int64, more func() int64) (bool, error) {
	anchored := len(pat) > 0 && pat[0] == '^'
	if anchored {
		pat = pat[1:]
	}
	x := matcher{s: s, p: pat, m: m, steps: *steps, more: more}
	found, err := x.search(init, anchored)
	*steps = x.steps
	return found, err
}

func (x *matcher) search(init int, anchored bool) (bool, error) {
	plain := 0
	if !anchored {
		plain = literal(x.p)
	}
	for at := init; at <= len(x.s); at++ {
		if plain > 0 { // nothing matches where that does not
			n := strings.Index(x.s[at:], x.p[:plain])
			if x.steps -= int64(max(n, 0)) / 16; n < 0 {
				x.steps -= int64(len(x.s)-at) / 16
			}
			if x.steps < 0 && !x.refill() {
				return false, x.err
			}
			if n < 0 {
				break
			}
			at += n
		}
		x.m.level = 0
		end := x.match(at+plain, plain)
		if x.err != nil {
			return false, x.err
		}
		if end >= 0 {
			x.m.Start, x.m.End = at, end
			return true, nil
		}
		if anchored {
			break
		}
	}
	return false, nil
}

// literal is how many characters a pattern begins with that stand for themselves, each once.
func literal(p string) int {
	n := 0
	for n < len(p) && !special(p[n]) {
		n++
	}
	if n > 0 && n < len(p) && repeats(p[n]) {
		n--
	}
	return n
}

// special characters do not stand for themselves. Those that repeat do where nothing is before them.
func special(c byte) bool {
	switch c {
	case '^', '$', '*', '+', '?', '.', '(', ')', '[', '%', '-':
		return true
	}
	return false
}

func repeats(c byte) bool { return c == '*' || c == '+' || c == '?' || c == '-' }

// fail ends all attempts.
func (x *matcher) fail(err error) int {
	if x.err == nil {
		x.err = err
	}
	return -1
}

// step takes one step and reports whether there was one.
func (x *matcher) step() bool {
	x.steps--
	return x.steps >= 0 || x.refill()
}

// refill asks for further steps and reports whether there are any.
func (x *matcher) refill() bool {
	for x.more != nil && x.steps < 0 {
		n := x.more()
		if n <= 0 {
			break
		}
		x.steps += n
	}
	if x.steps < 0 {
		x.fail(ErrSteps)
		return false
	}
	return true
}

// match matches the pattern from pi at si and returns where the match ends, or -1.
func (x *matcher) match(si, pi int) int {
	if x.depth++; x.depth > maxDepth {
		return x.fail(ErrPatternTooNested)
	}
	end := x.walk(si, pi)
	x.depth--
	return end
}

func (x *matcher) walk(si, pi int) int {
	for x.step() {
		if pi >= len(x.p) {
			return si
		}
		switch x.p[pi] {
		case '(':
			if pi+1 < len(x.p) && x.p[pi+1] == ')' {
				return x.startCapture(si, pi+2, position)
			}
			return x.startCapture(si, pi+1, open)
		case ')':
			return x.endCapture(si, pi+1)
		case '$':
			if pi+1 == len(x.p) {
				if si == len(x.s) {
					return si
				}
				return -1
			}
		case '%':
			if pi+1 < len(x.p) {
				if next, nsi, known := x.escape(si, pi); known {
					if nsi < 0 {
						return -1
					}
					si, pi = nsi, next
					continue
				}
			}
		case '.', '[':
		default:
			if pi+1 < len(x.p) && repeats(x.p[pi+1]) {
				break
			}
			if si >= len(x.s) || x.s[si] != x.p[pi] {
				return -1
			}
			si, pi = si+1, pi+1
			continue
		}
		next, nsi, done := x.item(si, pi)
		if done {
			return nsi
		}
		si, pi = nsi, next
	}
	return -1
}

// escape handles %b, %f and %1 to %9. known is false for classes and escaped characters.
func (x *matcher) escape(si, pi int) (next, nsi int, known bool) {
	switch c := x.p[pi+1]; {
	case c == 'b':
		return pi + 4, x.balance(si, pi+2), true
	case c == 'f':
		next, ok := x.frontier(si, pi+2)
		if !ok {
			return 0, -1, true
		}
		return next, si, true
	case c >= '0' && c <= '9':
		return pi + 2, x.backReference(si, c), true
	}
	return 0, 0, false
}

// item matches one character class and what repeats it. done says that nsi is the end of the whole match.
func (x *matcher) item(si, pi int) (next, nsi int, done bool) {
	ep := x.classEnd(pi)
	if ep < 0 {
		return 0, -1, true
	}
	one := si < len(x.s) && x.single(x.s[si], pi, ep)
	repeat := byte(0)
	if ep < len(x.p) {
		repeat = x.p[ep]
	}
	switch repeat {
	case '?':
		if one {
			if end := x.match(si+1, ep+1); end >= 0 || x.err != nil {
				return 0, end, true
			}
		}
		return ep + 1, si, false
	case '*':
		return 0, x.longest(si, pi, ep), true
	case '+':
		if !one {
			return 0, -1, true
		}
		return 0, x.longest(si+1, pi, ep), true
	case '-':
		return 0, x.shortest(si, pi, ep), true
	}
	if !one {
		return 0, -1, true
	}
	return ep, si + 1, false
}

// longest repeats a class as often as it can, and less often while the rest does not match.
func (x *matcher) longest(si, pi, ep int) int {
	n := x.run(si, pi, ep)
	if x.err != nil {
		return -1
	}
	for ; n >= 0; n-- {
		if end := x.match(si+n, ep+1); end >= 0 || x.err != nil {
			return end
		}
	}
	return -1
}

// run is how many characters from si on are in the class from pi to ep. It pays a step for each.
func (x *matcher) run(si, pi, ep int) int {
	rest := x.s[si:]
	n := len(rest)
	switch c := x.p[pi]; {
	case c == '.':
	case c == '%':
		n = runOf(rest, x.p[pi+1])
	case c == '[' && x.p[pi+1] == '^' && (ep-pi == 4 && x.p[pi+2] != '%' || ep-pi == 5 && x.p[pi+2] == '%' && !isAlpha(x.p[pi+3])): // all but one character
		if i := strings.IndexByte(rest, x.p[ep-2]); i >= 0 {
			n = i
		}
	case c == '[':
		for n = 0; n < len(rest) && x.single(rest[n], pi, ep); n++ {
			if !x.step() {
				break
			}
		}
		return n
	default:
		for n = 0; n < len(rest) && x.single(rest[n], pi, ep); n++ {
		}
	}
	if x.steps -= int64(n); x.steps < 0 {
		x.refill()
	}
	return n
}

// shortest repeats a class as seldom as it can.
func (x *matcher) shortest(si, pi, ep int) int {
	for {
		if end := x.match(si, ep+1); end >= 0 || x.err != nil {
			return end
		}
		if si >= len(x.s) || !x.single(x.s[si], pi, ep) {
			return -1
		}
		si++
	}
}

func (x *matcher) startCapture(si, pi, what int) int {
	m := x.m
	if m.level >= MaxCaptures {
		return x.fail(ErrTooManyCaptures)
	}
	m.captures[m.level] = capture{si, what}
	m.level++
	end := x.match(si, pi)
	if end < 0 {
		m.level--
	}
	return end
}

func (x *matcher) endCapture(si, pi int) int {
	m := x.m
	l := m.level - 1
	for l >= 0 && m.captures[l].len != open {
		l--
	}
	if l < 0 {
		return x.fail(ErrPatternCapture)
	}
	m.captures[l].len = si - m.captures[l].start
	end := x.match(si, pi)
	if end < 0 {
		m.captures[l].len = open
	}
	return end
}

// balance matches %bxy, whose x and y stand at pi.
func (x *matcher) balance(si, pi int) int {
	if pi+1 >= len(x.p) {
		return x.fail(ErrUnbalanced)
	}
	if si >= len(x.s) || x.s[si] != x.p[pi] {
		return -1
	}
	begin, end, depth := x.p[pi], x.p[pi+1], 1
	for i := si + 1; i < len(x.s); i++ {
		if !x.step() {
			return -1
		}
		switch x.s[i] {
		case end:
			if depth--; depth == 0 {
				return i + 1
			}
		case begin:
			depth++
		}
	}
	return -1
}

// frontier matches %f[set], whose set stands at pi: before it a character that is not in the set, after it one
// that is. The ends of the subject count as '\0'.
func (x *matcher) frontier(si, pi int) (next int, ok bool) {
	if pi >= len(x.p) || x.p[pi] != '[' {
		x.fail(ErrMissingFrontier)
		return 0, false
	}
	ep := x.classEnd(pi)
	if ep < 0 {
		return 0, false
	}
	var before, after byte
	if si > 0 {
		before = x.s[si-1]
	}
	if si < len(x.s) {
		after = x.s[si]
	}
	return ep, !x.set(before, pi, ep-1) && x.set(after, pi, ep-1)
}

func (x *matcher) backReference(si int, digit byte) int {
	l := int(digit) - '1'
	if l < 0 || l >= x.m.level || x.m.captures[l].len == open {
		return x.fail(ErrCaptureIndex)
	}
	c := x.m.captures[l]
	if c.len == position { // Lua 5.1 compares with a length that no subject has
		return -1
	}
	x.steps -= int64(c.len)
	if strings.HasPrefix(x.s[si:], x.s[c.start:c.start+c.len]) {
		return si + c.len
	}
	return -1
}
