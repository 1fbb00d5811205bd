package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"sandbar/sandbox/cbuf"
)

// SVG draws a buffer.
func SVG(d *cbuf.Data, o Options) []byte {
	c := &vector{}
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="11" role="img"><title>%s</title>`,
		o.Width, o.Height, o.Width, o.Height, escaped(valid(o.Title)))
	draw(c, d, o)
	c.b.WriteString("</svg>")
	return c.b.Bytes()
}

type vector struct{ b bytes.Buffer }

func (c *vector) rect(x, y, w, h float64, color string) {
	fmt.Fprintf(&c.b, `<rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" fill="%s"/>`, x, y, w, h, color)
}

func (c *vector) text(x, y float64, a anchor, title bool, color, s string) {
	more := ""
	switch a {
	case atMiddle:
		more = ` text-anchor="middle"`
	case atEnd:
		more = ` text-anchor="end"`
	}
	if title {
		more += ` font-size="13" font-weight="600"`
	}
	fmt.Fprintf(&c.b, `<text x="%.1f" y="%.1f"%s fill="%s">%s</text>`, x, y, more, color, escaped(s))
}

func (c *vector) area(corners []point, color string) {
	c.b.WriteString(`<path d="`)
	for i, p := range corners {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&c.b, "%s%.1f %.1f", verb, p.x, p.y)
	}
	fmt.Fprintf(&c.b, `z" fill="%s"/>`, color)
}

func (c *vector) path(parts [][]point, width float64, color string, dashed bool) {
	more := ""
	if dashed {
		more = ` stroke-dasharray="4 3"`
	}
	c.b.WriteString(`<path d="`)
	for _, part := range parts {
		for i, p := range part {
			verb := "L"
			if i == 0 {
				verb = "M"
			}
			fmt.Fprintf(&c.b, "%s%.1f %.1f", verb, p.x, p.y)
		}
		if len(part) == 1 {
			c.b.WriteString("h0.01")
		}
	}
	fmt.Fprintf(&c.b, `" fill="none" stroke="%s" stroke-width="%g" stroke-linejoin="round" stroke-linecap="round"%s/>`, color, width, more)
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes all
	return b.String()
}
