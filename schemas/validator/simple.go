package validator

import (
	"regexp/syntax"
	"slices"
)

// simple is a pattern that a text is matched with by going through it once: a beginning, characters of classes so many times each, and the end. Most patterns of schemas are so:
// ^[0-9a-f]{8}-[0-9a-f]{4}$. Where a class comes as often as one likes, what may follow has no character of it, so that nothing has to be tried twice.
type simple []repeated

// repeated is a class of characters, so many times.
type repeated struct {
	ascii    [2]uint64 // a bit for each
	beyond   bool      // it has some that are not ASCII
	min, max int       // -1 when there is no end
}

func (c *repeated) has(b byte) bool { return c.ascii[b>>6]&(1<<(b&63)) != 0 }

// newSimple makes one of a pattern in RE2's language; nil when it is not so simple.
func newSimple(re2 string) simple {
	re, err := syntax.Parse(re2, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpBeginText || re.Sub[len(re.Sub)-1].Op != syntax.OpEndText {
		return nil
	}
	var s simple
	for _, part := range re.Sub[1 : len(re.Sub)-1] {
		more := parts(part)
		if more == nil {
			return nil
		}
		s = append(s, more...)
	}
	for i := range s {
		if s[i].min == s[i].max {
			continue
		}
		for j := i + 1; j < len(s); j++ {
			if s[i].beyond && s[j].beyond || s[i].ascii[0]&s[j].ascii[0] != 0 || s[i].ascii[1]&s[j].ascii[1] != 0 {
				return nil
			}
			if s[j].min > 0 {
				break
			}
		}
	}
	return s
}

const mostRepeated = 1000

// parts are those of a part of a pattern; nil when it is not so simple.
func parts(re *syntax.Regexp) []repeated {
	one := repeated{min: 1, max: 1}
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return nil
		}
		var all []repeated
		for _, r := range re.Rune {
			c := one
			c.add(r, r)
			all = append(all, c)
		}
		return all
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			one.add(re.Rune[i], re.Rune[i+1])
		}
		return []repeated{one}
	case syntax.OpCapture:
		return parts(re.Sub[0])
	case syntax.OpConcat:
		var all []repeated
		for _, sub := range re.Sub {
			more := parts(sub)
			if more == nil {
				return nil
			}
			all = append(all, more...)
		}
		return all
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		all := parts(re.Sub[0])
		if re.Op == syntax.OpRepeat && re.Min == re.Max && len(all) > 1 && len(all)*re.Min <= mostRepeated {
			return slices.Repeat(all, re.Min)
		}
		if len(all) != 1 || all[0].min != 1 || all[0].max != 1 {
			return nil
		}
		switch re.Op {
		case syntax.OpStar:
			all[0].min, all[0].max = 0, -1
		case syntax.OpPlus:
			all[0].max = -1
		case syntax.OpQuest:
			all[0].min = 0
		default:
			all[0].min, all[0].max = re.Min, re.Max
		}
		return all
	}
	return nil
}

// add adds a range of characters.
func (c *repeated) add(from, to rune) {
	for r := from; r <= min(to, 0x7f); r++ {
		c.ascii[r>>6] |= 1 << (r & 63)
	}
	c.beyond = c.beyond || to > 0x7f
}

// match says whether a text is matched; it is not sure of one with a character beyond ASCII where such ones may be.
func (s simple) match(text string) (ok, sure bool) {
	i := 0
	for k := range s {
		c := &s[k]
		n := 0
		for i < len(text) && n != c.max {
			b := text[i]
			if b >= 0x80 {
				if c.beyond {
					return false, false
				}
				break
			}
			if !c.has(b) {
				break
			}
			i++
			n++
		}
		if n < c.min {
			return false, true
		}
	}
	return i == len(text), true
}
