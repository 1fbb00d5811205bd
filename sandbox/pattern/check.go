package pattern

// Check says whether a pattern is malformed, wherever that is. Find says so only of the part it gets to.
func Check(pat string) error {
	steps := int64(len(pat)) + 1
	x := matcher{p: pat, steps: 2 * steps}
	if len(pat) > 0 && pat[0] == '^' {
		x.p = pat[1:]
	}
	closed, opened := 0, 0
	for pi := 0; pi < len(x.p) && x.err == nil; {
		switch c := x.p[pi]; {
		case c == '(' && pi+1 < len(x.p) && x.p[pi+1] == ')':
			opened, closed, pi = opened+1, closed+1, pi+2
		case c == '(':
			opened, pi = opened+1, pi+1
		case c == ')':
			if closed++; closed > opened {
				return ErrPatternCapture
			}
			pi++
		case c == '%' && pi+1 < len(x.p) && x.p[pi+1] == 'b':
			if pi += 4; pi > len(x.p) {
				return ErrUnbalanced
			}
		case c == '%' && pi+1 < len(x.p) && x.p[pi+1] == 'f':
			if pi += 2; pi >= len(x.p) || x.p[pi] != '[' {
				return ErrMissingFrontier
			}
			pi = x.classEnd(pi)
		case c == '%' && pi+1 < len(x.p) && isDigit(x.p[pi+1]):
			if l := int(x.p[pi+1] - '1'); x.p[pi+1] == '0' || l >= opened {
				return ErrCaptureIndex
			}
			pi += 2
		default:
			pi = x.classEnd(pi)
		}
		if opened > MaxCaptures {
			return ErrTooManyCaptures
		}
	}
	if x.err == nil && opened > closed {
		return ErrUnfinished
	}
	return x.err
}
