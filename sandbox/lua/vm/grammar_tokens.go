package vm

import (
	"bytes"
	"fmt"
	"strings"

	"sandbar/sandbox/number"
)

// scan takes the next token.
func (g *grammar) scan() token {
	for g.at < len(g.src) {
		switch c := g.src[g.at]; {
		case c == '\n' || c == '\r':
			g.newline()
		case c == ' ' || c == '\t' || c == '\v' || c == '\f':
			g.at++
		case c == '-' && g.peek(1) == '-':
			g.at += 2
			if n := g.level(); n >= 0 {
				g.longText(n, "comment")
			} else {
				g.toLineEnd()
			}
		default:
			from := g.at
			kind, near := g.read(c)
			return token{kind, near, from}
		}
	}
	return token{eofToken, eofToken, len(g.src)}
}

func (g *grammar) read(c byte) (kind, near string) {
	from := g.at
	switch {
	case isLetter(c):
		for isLetter(g.peek(0)) || isDigit(g.peek(0)) {
			g.at++
		}
		text := string(g.src[from:g.at])
		if reserved(text) {
			return text, text
		}
		return nameToken, text
	case isDigit(c) || c == '.' && isDigit(g.peek(1)):
		return numberToken, g.numeral()
	case c == '"' || c == '\'':
		return stringToken, g.shortText(c)
	case c == '[':
		if n := g.level(); n >= 0 {
			g.longText(n, "string")
			text := strings.NewReplacer("\r\n", "\n", "\n\r", "\n", "\r", "\n").Replace(string(g.src[from+n+2 : g.at]))
			return stringToken, string(g.src[from:from+n+2]) + strings.TrimPrefix(text, "\n")
		}
		if g.peek(1) == '=' {
			for g.at++; g.peek(0) == '='; g.at++ {
			}
			g.wrong(from, "invalid long string delimiter", string(g.src[from:g.at]))
		}
	}
	for _, symbol := range [...]string{"...", "..", "==", "~=", "<=", ">="} {
		if bytes.HasPrefix(g.src[g.at:], []byte(symbol)) {
			g.at += len(symbol)
			return symbol, symbol
		}
	}
	g.at++
	if c < ' ' || c == 0x7f {
		return string(c), fmt.Sprintf("char(%d)", c)
	}
	return string([]byte{c}), string([]byte{c})
}

func reserved(word string) bool {
	switch word {
	case "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while":
		return true
	}
	return false
}

func (g *grammar) numeral() string {
	from := g.at
	for isDigit(g.peek(0)) || g.peek(0) == '.' {
		g.at++
	}
	if g.peek(0)|0x20 == 'e' {
		g.at++
		if c := g.peek(0); c == '+' || c == '-' {
			g.at++
		}
	}
	for isLetter(g.peek(0)) || isDigit(g.peek(0)) {
		g.at++
	}
	text := string(g.src[from:g.at])
	if _, ok := number.Parse(text); !ok {
		g.wrong(from, "malformed number", text)
	}
	return text
}

// shortText takes a string in quotes and returns it with its quotes, and characters for escapes.
func (g *grammar) shortText(quote byte) string {
	from := g.at
	text := []byte{quote}
	for g.at++; ; {
		if g.at >= len(g.src) {
			g.wrong(from, "unfinished string", eofToken)
		}
		switch c := g.src[g.at]; {
		case c == quote:
			g.at++
			return string(append(text, quote))
		case c == '\n' || c == '\r':
			g.wrong(from, "unfinished string", string(text))
		case c != '\\':
			text = append(text, c)
			g.at++
		default:
			g.at++
			text = g.escaped(text, from)
		}
	}
}

// escaped appends what an escape stands for.
func (g *grammar) escaped(text []byte, from int) []byte {
	if g.at >= len(g.src) {
		return text
	}
	c := g.src[g.at]
	switch {
	case c == '\n' || c == '\r':
		g.newline()
		return append(text, '\n')
	case isDigit(c):
		n := 0
		for start := g.at; g.at < start+3 && isDigit(g.peek(0)); g.at++ {
			n = n*10 + int(g.peek(0)-'0')
		}
		if n > 255 {
			g.wrong(from, "escape sequence too large", string(text))
		}
		return append(text, byte(n))
	}
	g.at++
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		c = "\a\b\f\n\r\t\v"[i]
	}
	return append(text, c)
}

// longText takes a long string or comment that begins with n characters = between its brackets.
func (g *grammar) longText(n int, what string) {
	from := g.at
	g.at += n + 2
	end := append(append([]byte{']'}, bytes.Repeat([]byte{'='}, n)...), ']')
	for !bytes.HasPrefix(g.src[g.at:], end) {
		switch {
		case g.at >= len(g.src):
			g.wrong(from, "unfinished long "+what, eofToken)
		case g.src[g.at] == '\n' || g.src[g.at] == '\r':
			g.newline()
		case n == 0 && g.src[g.at] == '[' && g.peek(1) == '[':
			g.wrong(from, "nesting of [[...]] is deprecated", "[")
		default:
			g.at++
		}
	}
	g.at += len(end)
}
