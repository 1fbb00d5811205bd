package validator

import (
	"regexp/syntax"
	"slices"
)

// simple is a pattern that a text is matched with by going through it once for each of its ways: a beginning, characters of classes so many times each, and the end or whatever comes. Most patterns of
// schemas are so: ^[0-9a-f]{8}-[0-9a-f]{4}$, ^(0x[0-9a-f]+|0)$, ^[0-9]{10}.
type simple struct {
	ways []way
	open bool // more may come
}

// way is a sequence of classes. Where one comes as often as one likes, what may follow has no character of it, so that nothing has to be tried twice.
type way []repeated

// repeated is a class of characters, so many times.
type repeated struct {
	ascii    [2]uint64 // a bit for each
	beyond   bool      // it has some that are not ASCII
	min, max int       // -1 when there is no end
}

func (c *repeated) has(b byte) bool { return c.ascii[b>>6]&(1<<(b&63)) != 0 }

// newSimple makes one of a pattern in RE2's language; nil when it is not so simple.
func newSimple(re2 string) *simple {
	re, err := syntax.Parse(re2, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpBeginText {
		return nil
	}
	s := &simple{}
	middle := re.Sub[1:]
	if last := len(middle) - 1; middle[last].Op == syntax.OpEndText {
		middle = middle[:last]
	} else {
		s.open = true
	}
	s.ways = inSequence(middle)
	for _, w := range s.ways {
		if !w.certain() {
			return nil
		}
	}
	if s.ways == nil {
		return nil
	}
	return s
}

// certain says that how often a class comes is certain from the characters.
func (w way) certain() bool {
	for i := range w {
		if w[i].min == w[i].max {
			continue
		}
		for j := i + 1; j < len(w); j++ {
			if w[i].beyond && w[j].beyond || w[i].ascii[0]&w[j].ascii[0] != 0 || w[i].ascii[1]&w[j].ascii[1] != 0 {
				return false
			}
			if w[j].min > 0 {
				break
			}
		}
	}
	return true
}

const (
	mostRepeated = 1000
	mostWays     = 8
)

// inSequence are the ways through parts of a pattern, one behind the other; nil when they are not so simple.
func inSequence(parts []*syntax.Regexp) []way {
	all := []way{{}}
	for _, part := range parts {
		more := ways(part)
		if more == nil || len(all)*len(more) > mostWays {
			return nil
		}
		var both []way
		for _, w := range all {
			for _, m := range more {
				both = append(both, slices.Concat(w, m))
			}
		}
		all = both
	}
	return all
}

// ways are those through a part of a pattern; nil when it is not so simple.
func ways(re *syntax.Regexp) []way {
	one := repeated{min: 1, max: 1}
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []way{{}}
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return nil
		}
		var w way
		for _, r := range re.Rune {
			c := one
			c.add(r, r)
			w = append(w, c)
		}
		return []way{w}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			one.add(re.Rune[i], re.Rune[i+1])
		}
		return []way{{one}}
	case syntax.OpCapture:
		return ways(re.Sub[0])
	case syntax.OpConcat:
		return inSequence(re.Sub)
	case syntax.OpAlternate:
		var all []way
		for _, sub := range re.Sub {
			more := ways(sub)
			if more == nil || len(all)+len(more) > mostWays {
				return nil
			}
			all = append(all, more...)
		}
		return all
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return repeats(re)
	}
	return nil
}

// repeats are the ways through a part that comes several times.
func repeats(re *syntax.Regexp) []way {
	all := ways(re.Sub[0])
	single := len(all) == 1 && len(all[0]) == 1 && all[0][0].min == 1 && all[0][0].max == 1
	if re.Op == syntax.OpQuest && all != nil && !single {
		return append(all, way{})
	}
	if len(all) != 1 {
		return nil
	}
	w := all[0]
	if re.Op == syntax.OpRepeat && re.Min == re.Max && len(w) > 1 && len(w)*re.Min <= mostRepeated {
		return []way{slices.Repeat(w, re.Min)}
	}
	if !single {
		return nil
	}
	switch re.Op {
	case syntax.OpQuest:
		w[0].min = 0
	case syntax.OpStar:
		w[0].min, w[0].max = 0, -1
	case syntax.OpPlus:
		w[0].max = -1
	default:
		w[0].min, w[0].max = re.Min, re.Max
	}
	return all
}

// add adds a range of characters.
func (c *repeated) add(from, to rune) {
	for r := from; r <= min(to, 0x7f); r++ {
		c.ascii[r>>6] |= 1 << (r & 63)
	}
	c.beyond = c.beyond || to > 0x7f
}

// match says whether a text is matched; it is not sure of one with a character beyond ASCII where such ones may be.
func (s *simple) match(text string) (ok, sure bool) {
	sure = true
	for _, w := range s.ways {
		ok, known := w.match(text, s.open)
		if ok {
			return true, true
		}
		sure = sure && known
	}
	return false, sure
}

func (w way) match(text string, open bool) (ok, sure bool) {
	i := 0
	for k := range w {
		c := &w[k]
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
	return open || i == len(text), true
}
