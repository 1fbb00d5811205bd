package chart

import (
	"bytes"
	"fmt"
	"image/png"

	"git.sr.ht/~sbinet/gg"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"

	"sandbar/sandbox/cbuf"
)

// scale makes pictures sharp on screens with small pixels.
const scale = 2

// PNG draws a buffer.
func PNG(d *cbuf.Data, o Options) ([]byte, error) {
	c := &pixels{ctx: gg.NewContext(o.Width*scale, o.Height*scale)}
	var err error
	if c.plain, err = face(goregular.TTF, 11*scale); err != nil {
		return nil, err
	}
	if c.bold, err = face(gobold.TTF, 13*scale); err != nil {
		return nil, err
	}
	draw(c, d, o)
	var b bytes.Buffer
	if err := png.Encode(&b, c.ctx.Image()); err != nil {
		return nil, fmt.Errorf("encode the picture: %w", err)
	}
	return b.Bytes(), nil
}

func face(ttf []byte, size float64) (font.Face, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("read a font: %w", err)
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
}

type pixels struct {
	ctx         *gg.Context
	plain, bold font.Face
}

func (c *pixels) rect(x, y, w, h float64, color string) {
	c.ctx.SetHexColor(color)
	c.ctx.DrawRectangle(x*scale, y*scale, w*scale, h*scale)
	c.ctx.Fill()
}

func (c *pixels) text(x, y float64, a anchor, title bool, color, s string) {
	c.ctx.SetHexColor(color)
	c.ctx.SetFontFace(c.plain)
	if title {
		c.ctx.SetFontFace(c.bold)
	}
	c.ctx.DrawStringAnchored(s, x*scale, y*scale, float64(a)/2, 0)
}

func (c *pixels) area(corners []point, color string) {
	c.ctx.SetHexColor(color)
	for _, p := range corners {
		c.ctx.LineTo(p.x*scale, p.y*scale)
	}
	c.ctx.ClosePath()
	c.ctx.Fill()
}

func (c *pixels) path(parts [][]point, width float64, color string, dashed bool) {
	c.ctx.SetHexColor(color)
	c.ctx.SetLineWidth(width * scale)
	c.ctx.SetLineCapRound()
	c.ctx.SetLineJoinRound()
	c.ctx.SetDash()
	if dashed {
		c.ctx.SetDash(4*scale, 3*scale)
	}
	for _, part := range parts {
		if len(part) == 1 {
			c.ctx.DrawCircle(part[0].x*scale, part[0].y*scale, width*scale/2)
			c.ctx.Fill()
			continue
		}
		for _, p := range part {
			c.ctx.LineTo(p.x*scale, p.y*scale)
		}
		c.ctx.Stroke()
	}
}
