package pattern

import "strings"

// classEnd returns where the single-character class at pi ends, or -1.
func (x *matcher) classEnd(pi int) int {
	p := x.p
	c := p[pi]
	pi++
	switch c {
	case '%':
		if pi >= len(p) {
			return x.fail(ErrEndsWithPercent)
		}
		return pi + 1
	case '[':
		if pi < len(p) && p[pi] == '^' {
			pi++
		}
		for first := true; first || pi >= len(p) || p[pi] != ']'; first = false {
			if pi >= len(p) || !x.step() {
				return x.fail(ErrMissingBracket)
			}
			c := p[pi]
			pi++
			if c == '%' && pi < len(p) {
				pi++ // an escape, "%]" for one
			}
		}
		return pi + 1
	}
	return pi
}

// single reports whether c is in the class from pi to ep.
func (x *matcher) single(c byte, pi, ep int) bool {
	switch p := x.p[pi]; p {
	case '.':
		return true
	case '%':
		return class(c, x.p[pi+1])
	case '[':
		x.steps -= int64(ep-pi) / 8 // a long set is more work
		return x.set(c, pi, ep-1)
	default:
		return p == c
	}
}

// set reports whether c is in the set whose '[' is at pi and whose ']' is at end.
func (x *matcher) set(c byte, pi, end int) bool {
	p := x.p
	in := true
	pi++
	if p[pi] == '^' {
		in = false
		pi++
	}
	for ; pi < end; pi++ {
		switch {
		case p[pi] == '%':
			pi++
			if class(c, p[pi]) {
				return in
			}
		case pi+2 < end && p[pi+1] == '-':
			if p[pi] <= c && c <= p[pi+2] {
				return in
			}
			pi += 2
		case p[pi] == c:
			return in
		}
	}
	return !in
}

// class reports whether c is in the class that a letter after '%' names. Upper case negates; anything that is
// no class stands for itself.
func class(c, name byte) bool {
	var in bool
	switch name | 0x20 {
	case 'a':
		in = isAlpha(c)
	case 'c':
		in = c < 0x20 || c == 0x7f
	case 'd':
		in = isDigit(c)
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > 0x20 && c < 0x7f && !isAlpha(c) && !isDigit(c)
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = isAlpha(c) || isDigit(c)
	case 'x':
		in = isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return name == c
	}
	if !isAlpha(name) {
		return name == c
	}
	return in != (name < 'a')
}

// classes has the bits of the characters of each class, by its letter's place in the alphabet, small letters only.
var classes = func() (out [26][4]uint64) {
	for letter := range byte(26) {
		for c := range 256 {
			if class(byte(c), 'a'+letter) {
				out[letter][c>>6] |= 1 << (c & 63)
			}
		}
	}
	return out
}()

// runOf is how many characters at the beginning of s are in the class that a letter after '%' names.
func runOf(s string, name byte) int {
	n := 0
	if strings.IndexByte("acdlpsuwxz", name|0x20) < 0 || !isAlpha(name) {
		for n < len(s) && s[n] == name {
			n++
		}
		return n
	}
	set := &classes[name|0x20-'a']
	not := uint64(0)
	if name < 'a' {
		not = 1
	}
	for n < len(s) && set[s[n]>>6]>>(s[n]&63)&1 != not {
		n++
	}
	return n
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
