package cmd

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"sandbar/sandbox/message"
)

// appendText appends a message in the form of lsb_heka_cat: a line per header and field.
func appendText(dst []byte, v *message.View) []byte {
	if u := v.UUID(); u != nil {
		dst = fmt.Appendf(dst, ":Uuid: %s\n", message.FormatUUID(u))
	}
	dst = fmt.Appendf(dst, ":Timestamp: %s\n", time.Unix(0, v.Timestamp()).UTC().Format(time.RFC3339Nano))
	for h := message.Header(0); h < message.Headers; h++ {
		if b, ok := v.Header(h); ok {
			dst = append(fmt.Appendf(dst, ":%s: ", h), printable(b)...)
			dst = append(dst, '\n')
		}
	}
	if pid, ok := v.Pid(); ok {
		dst = fmt.Appendf(dst, ":Pid: %d\n", pid)
	}
	dst = fmt.Appendf(dst, ":Severity: %d\n:Fields:\n", v.Severity())
	for f := range v.Fields() {
		dst = append(appendField(dst, f), '\n')
	}
	return append(dst, '\n')
}

// fieldTypes is indexed by message.ValueType.
var fieldTypes = [...]string{"string", "bytes", "integer", "double", "bool"}

func appendField(dst []byte, f message.Field) []byte {
	typ := strconv.Itoa(int(f.Type()))
	if int(f.Type()) < len(fieldTypes) {
		typ = fieldTypes[f.Type()]
	}
	dst = fmt.Appendf(dst, "    | name: %q type: %s", f.Name(), typ)
	if r := f.Representation(); len(r) > 0 {
		dst = fmt.Appendf(dst, " representation: %q", r)
	}
	dst = append(dst, " value: "...)
	for i := range f.Len() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendValue(dst, f, i)
	}
	return dst
}

func appendValue(dst []byte, f message.Field, i int) []byte {
	switch f.Type() {
	case message.Integer:
		n, _ := f.Int(i)
		return strconv.AppendInt(dst, n, 10)
	case message.Double:
		d, _ := f.Double(i)
		return strconv.AppendFloat(dst, d, 'g', -1, 64)
	case message.Bool:
		b, _ := f.Bool(i)
		return strconv.AppendBool(dst, b)
	}
	b, _ := f.Bytes(i)
	return append(dst, printable(b)...)
}

// printable is text as it is, and anything else quoted, so that a terminal is safe from it.
func printable(b []byte) string {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) && r != '\n' && r != '\t' {
			return strconv.Quote(string(b))
		}
		i += n
	}
	return string(b)
}

// size is a number of bytes for people: 512 B, 1.5 KiB, 20 MiB.
func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n)/(1<<10), 0
	for v >= 999.5 && unit < 3 {
		v, unit = v/(1<<10), unit+1
	}
	digits := 1
	if v >= 100 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %ciB", digits, v, "KMGT"[unit])
}
