// Package chart draws a graph as a picture, for where no browser draws it: SVG for other pages, PNG for mail.
//
// It knows circular buffers; it must not know where they come from.
package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sandbar/sandbox/cbuf"
)

// mostColumns bounds what is drawn.
const mostColumns = 12

// colors are those of the page's light theme.
func colors() []string {
	return []string{"#0e7c92", "#d2691e", "#6a51c2", "#2e8b57", "#b8860b", "#c2185b", "#4682b4", "#8b4513", "#556b2f", "#9932cc", "#008b8b", "#a0522d"}
}

const (
	paper = "#ffffff"
	ink   = "#16191d"
	words = "#3d444d"
	quiet = "#606b75"
	grid  = "#e7eaee"
	alarm = "#c02a37"
	usual = "#e2edf0"
)

// anchor is which point of a text stands at its place.
type anchor int

const (
	atStart anchor = iota
	atMiddle
	atEnd
)

// point is in pixels from the upper left corner.
type point struct{ x, y float64 }

// canvas is what a picture is drawn on.
type canvas interface {
	rect(x, y, w, h float64, color string)
	text(x, y float64, a anchor, title bool, color, s string)
	// path draws lines through points. Each part stands for itself; one of a single point is a dot.
	path(parts [][]point, width float64, color string, dashed bool)
	area(corners []point, color string)
}

// Options of a picture.
type Options struct {
	Title         string
	Width, Height int     // pixels
	Marks         []int64 // Unix seconds of alerts
}

// frame is where the lines are drawn, in pixels, and what they show.
type frame struct {
	left, top, right, bottom float64
	from, to                 int64
	low, high                float64
}

func (f *frame) x(t int64) float64 {
	return f.left + (f.right-f.left)*float64(t-f.from)/float64(max(1, f.to-f.from))
}

func (f *frame) y(v float64) float64 { return f.bottom - (f.bottom-f.top)*(v-f.low)/(f.high-f.low) }

// draw draws the columns of a buffer that have values.
func draw(on canvas, d *cbuf.Data, o Options) {
	width, height := float64(o.Width), float64(o.Height)
	on.rect(0, 0, width, height, paper)
	on.text(12, 18, atStart, true, ink, valid(o.Title))
	f := frame{left: 52, top: 30, right: width - 14, bottom: height - 44}
	columns := seen(d)
	if len(columns) == 0 {
		on.text(width/2, height/2, atMiddle, false, quiet, "no values")
		return
	}
	f.from, f.to = d.Time, d.Time+int64(d.Rows)*int64(d.SecondsPerRow)
	f.span(d, columns)
	f.axes(on)
	x := f.left
	if low, high, ok := band(d, columns); ok {
		columns = slices.DeleteFunc(columns, func(c int) bool { return c == low || c == high })
		for _, corners := range f.between(d, low, high) {
			on.area(corners, usual)
		}
		on.rect(x, height-18, 9, 9, usual)
		on.text(x+13, height-10, atStart, false, words, "usual")
		x += 7*5 + 28
	}
	for i, c := range columns {
		color := colors()[i%len(colors())]
		on.path(f.line(d, c), 1.5, color, false)
		label := valid(d.Info[c].Name)
		if wide := 7*float64(len([]rune(label))) + 28; x+wide <= f.right || i == 0 {
			on.rect(x, height-18, 9, 9, color)
			on.text(x+13, height-10, atStart, false, words, label)
			x += wide
		}
	}
	for _, t := range o.Marks {
		if t >= f.from && t <= f.to {
			on.path([][]point{{{f.x(t), f.top}, {f.x(t), f.bottom}}}, 1, alarm, true)
		}
	}
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func number(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

const largest = 1e300 // so that differences are numbers

// value is that of a column in a row; NaN when the row is shorter.
func value(row []float64, c int) float64 {
	if c >= len(row) {
		return math.NaN()
	}
	if math.IsInf(row[c], 0) {
		return row[c]
	}
	return max(-largest, min(largest, row[c]))
}

// seen are the columns that have a value.
func seen(d *cbuf.Data) (columns []int) {
	if d == nil {
		return nil
	}
	for c := range d.Info {
		for _, row := range d.Values {
			if number(value(row, c)) {
				if columns = append(columns, c); len(columns) == mostColumns {
					return columns
				}
				break
			}
		}
	}
	return columns
}

// band are the columns low and high, between which the others are expected.
func band(d *cbuf.Data, columns []int) (low, high int, ok bool) {
	low, high = -1, -1
	for _, c := range columns {
		switch d.Info[c].Name {
		case "low":
			low = c
		case "high":
			high = c
		}
	}
	return low, high, low >= 0 && high >= 0 && len(columns) > 2
}

// between are the areas between two columns, where both have values.
func (f *frame) between(d *cbuf.Data, low, high int) (areas [][]point) {
	var above, below []point
	end := func() {
		if len(above) > 1 {
			slices.Reverse(below)
			areas = append(areas, append(above, below...))
		}
		above, below = nil, nil
	}
	for i, row := range d.Values {
		a, b := value(row, high), value(row, low)
		if !number(a) || !number(b) {
			end()
			continue
		}
		x := f.x(d.Time + int64(i)*int64(d.SecondsPerRow))
		above, below = append(above, point{x, f.y(a)}), append(below, point{x, f.y(b)})
	}
	end()
	return areas
}

// span finds the lowest and the highest value, with 0 between them.
func (f *frame) span(d *cbuf.Data, columns []int) {
	for _, row := range d.Values {
		for _, c := range columns {
			if v := value(row, c); number(v) {
				f.low, f.high = min(f.low, v), max(f.high, v)
			}
		}
	}
	if f.high == f.low {
		f.high = f.low + 1
	}
	f.high += (f.high - f.low) * 0.05
}

const mostLines = 20 // of the grid

// axes draws lines at round values and times.
func (f *frame) axes(on canvas) {
	step := roundStep((f.high - f.low) / 4)
	v := math.Ceil(f.low/step) * step
	for range mostLines {
		if v > f.high || !number(v) {
			break
		}
		on.path([][]point{{{f.left, f.y(v)}, {f.right, f.y(v)}}}, 1, grid, false)
		on.text(f.left-6, f.y(v)+4, atEnd, false, quiet, short(v))
		v += step
	}
	layout := "15:04"
	if f.to-f.from > 2*86400 {
		layout = "2 Jan"
	}
	const labels = 5
	for i := range labels {
		t := f.from + (f.to-f.from)*int64(2*i+1)/(2*labels)
		on.text(f.x(t), f.bottom+15, atMiddle, false, quiet, time.Unix(t, 0).UTC().Format(layout))
	}
}

// roundStep is 1, 2 or 5 times a power of ten, not below v.
func roundStep(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= v {
			return m * p
		}
	}
	return 10 * p
}

func short(v float64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= u.of {
			return strconv.FormatFloat(v/u.of, 'g', 4, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// line is a column, broken where there is no value.
func (f *frame) line(d *cbuf.Data, c int) (parts [][]point) {
	begun := false
	for i, row := range d.Values {
		v := value(row, c)
		if !number(v) {
			begun = false
			continue
		}
		p := point{f.x(d.Time + int64(i)*int64(d.SecondsPerRow)), f.y(v)}
		if !begun {
			parts = append(parts, nil)
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], p)
		begun = true
	}
	return parts
}
