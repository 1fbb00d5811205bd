package validator

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The patterns of JSON Schema are those of ECMA 262. What RE2 can express is matched by Go's regexp, in linear time; the rest
// (lookaround, back references, ...) by a backtracking engine with a bound on time and stack.

const (
	patternTime = 50 * time.Millisecond // of one match of the backtracking engine
	maxPattern  = 16 << 10              // bytes of a pattern

	patternBytes  = 8 // of a text that one unit of fuel matches in linear time
	backtrackFuel = 200
)

// unicodeOnly finds \u{...}, \p{...} and surrogates.
var unicodeOnly = regexp.MustCompile(`\\(u\{|[pP]\{|u[dD][89a-fA-F])`)

// Pattern is a compiled one. It implements jsonschema.Regexp.
type Pattern struct {
	source string
	simple *simple         // nil where it is not
	linear *regexp.Regexp  // nil where RE2 cannot express it
	other  *regexp2.Regexp // then this
}

// Patterns compiles one; it is a jsonschema.RegexpEngine.
func Patterns(source string) (jsonschema.Regexp, error) {
	if len(source) > maxPattern {
		return nil, fmt.Errorf("the pattern has more than %d bytes", maxPattern)
	}
	p := &Pattern{source: source}
	if translated, ok := toRE2(source); ok {
		if re, err := regexp.Compile(translated); err == nil {
			p.linear, p.simple = re, newSimple(translated)
			return p, nil
		}
	}
	// Without the Unicode flag ECMA allows needless backslashes, which many schemas have; what only the flag
	// knows is tried with it.
	options := regexp2.ECMAScript
	if unicodeOnly.MatchString(source) {
		options |= regexp2.Unicode
	}
	re, err := regexp2.Compile(source, options)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = patternTime
	p.other = re
	return p, nil
}

func (p *Pattern) String() string { return p.source }

// MatchString implements jsonschema.Regexp, for schemas themselves. It panics with TooSlow.
func (p *Pattern) MatchString(s string) bool { return p.match(s, &run{}) }

// TooSlow is the panic of a match that cannot be had.
type TooSlow struct{ Pattern string }

func (t TooSlow) Error() string {
	return fmt.Sprintf("a text takes more than %v to match with pattern %s", patternTime, t.Pattern)
}

func (p *Pattern) match(s string, r *run) bool {
	r.take(1 + int64(len(s))/patternBytes)
	if p.simple != nil {
		if ok, sure := p.simple.match(s); sure {
			return ok
		}
	}
	if p.linear != nil {
		return p.linear.MatchString(s)
	}
	r.take(backtrackFuel + int64(len(s)))
	found, err := p.other.MatchString(s)
	if err != nil {
		panic(TooSlow{p.source})
	}
	return found
}

// ECMA's classes where RE2 means less by the same letters.
const (
	spaces   = `\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	lineEnds = `\n\r\x{2028}\x{2029}`
)

// toRE2 writes an ECMA pattern in RE2's language; ok is false when it has something that RE2 does not know, or that
// means another thing there.
func toRE2(source string) (re string, ok bool) {
	var out strings.Builder
	inClass, negated := false, false
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case c == '\\':
			text, n, ok := escapeToRE2(source[i:], inClass, negated)
			if !ok {
				return "", false
			}
			out.WriteString(text)
			i += n - 1
			continue
		case inClass && c == ']':
			inClass = false
		case inClass && c == '[':
			out.WriteByte('\\')
		case inClass:
		case c == '[':
			inClass, negated = true, strings.HasPrefix(source[i+1:], "^")
			rest := strings.TrimPrefix(source[i+1:], "^")
			if strings.HasPrefix(rest, "]") { // ECMA's empty class
				return "", false
			}
		case c == '.':
			out.WriteString("[^" + lineEnds + "]")
			continue
		case c == '(' && strings.HasPrefix(source[i:], "(?") && !strings.HasPrefix(source[i:], "(?:"):
			return "", false
		case c == '{' && !quantifier(source[i:]):
			return "", false
		case strings.IndexByte("*+?}", c) >= 0 && strings.HasPrefix(source[i+1:], "+"): // possessive elsewhere
			return "", false
		}
		out.WriteByte(c)
	}
	return out.String(), !inClass
}

var quantifierForm = regexp.MustCompile(`^\{\d{1,4}(,\d{0,4})?\}`)

func quantifier(s string) bool { return quantifierForm.MatchString(s) }

// escapeToRE2 translates the escape that s begins with, of n bytes.
func escapeToRE2(s string, inClass, negated bool) (text string, n int, ok bool) {
	if len(s) < 2 {
		return "", 0, false
	}
	switch c := s[1]; c {
	case 'd', 'D', 'w', 'W', 't', 'n', 'r', 'f', 'v':
		return s[:2], 2, true
	case 'b', 'B':
		return s[:2], 2, !inClass
	case 's':
		if inClass {
			return spaces, 2, true
		}
		return "[" + spaces + "]", 2, true
	case 'S':
		return "[^" + spaces + "]", 2, !inClass
	case 'x':
		return unicodeEscape(s[2:], 2, 2)
	case 'u':
		return unicodeEscape(s[2:], 4, 2)
	default:
		return s[:2], 2, strings.IndexByte(`^$\.*+?()[]{}|/-"'#%&,:;<=>@!~`+"`"+` `, c) >= 0
	}
}

// unicodeEscape translates so many hexadecimal digits behind before bytes. Surrogates are left to the other engine.
func unicodeEscape(s string, digits, before int) (text string, n int, ok bool) {
	if len(s) < digits || strings.Trim(s[:digits], "0123456789abcdefABCDEF") != "" {
		return "", 0, false
	}
	if h := s[:digits]; digits == 4 && h[0]|0x20 == 'd' && h[1] >= '8' {
		return "", 0, false
	}
	return `\x{` + s[:digits] + "}", before + digits, true
}
