package web

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/history"
	"sandbar/sandbox/cbuf"
)

// pictureMost bounds the series that are drawn.
const pictureMost = 12

// pictureColors are those of the page's light theme.
func pictureColors() []string {
	return []string{"#0e7c92", "#d2691e", "#6a51c2", "#2e8b57", "#b8860b", "#c2185b", "#4682b4", "#8b4513", "#556b2f", "#9932cc", "#008b8b", "#a0522d"}
}

// pictureSign is in the address of a picture, in place of a token: who has the address sees this graph, and nothing else.
func (s *Site) pictureSign(name, payload string) string {
	return hex.EncodeToString(mac([]byte(s.opt.Token), fmt.Sprintf("sandbar picture %q %q", name, payload))[:16])
}

// pictureLink answers with the address of a picture of a graph.
func (s *Site) pictureLink(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	payload := c.QueryParam("payload")
	q := url.Values{"payload": {payload}, "sign": {s.pictureSign(name, payload)}}
	return answer(c, http.StatusOK, struct {
		Path string `json:"path"`
	}{"/pictures/" + url.PathEscape(name) + "?" + q.Encode()})
}

// picture draws a graph as SVG, for pages of others to show: an img of this address.
func (s *Site) picture(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	if sign := s.pictureSign(name, c.QueryParam("payload")); !hmac.Equal([]byte(sign), []byte(c.QueryParam("sign"))) {
		return refuse(http.StatusForbidden, "the address of a picture has its sign in it; the menu of a graph gives it")
	}
	last, err := queryNumber(c, "last", 3600, 60, 400*86400)
	if err != nil {
		return err
	}
	width, err := queryNumber(c, "width", 640, 160, 2400)
	if err != nil {
		return err
	}
	height, err := queryNumber(c, "height", 240, 100, 1200)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), historyTime)
	defer cancel()
	payload := c.QueryParam("payload")
	to := s.opt.Now().Unix() + 1
	d, err := s.opt.History.Range(ctx, name, payload, max(0, to-int64(last)), to, int(width), history.Mean)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, max-age=30")
	c.Response().Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Blob(http.StatusOK, "image/svg+xml; charset=utf-8", drawGraph(payload+", "+name, d, float64(width), float64(height)))
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

// drawGraph draws the columns of a buffer that have values.
func drawGraph(title string, d *cbuf.Data, width, height float64) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="system-ui, sans-serif" font-size="11" role="img">`, width, height, width, height)
	fmt.Fprintf(&b, `<title>%s</title><rect width="100%%" height="100%%" fill="#ffffff"/><text x="12" y="18" font-size="13" font-weight="600" fill="#16191d">%s</text>`, escaped(title), escaped(title))
	f := frame{left: 52, top: 30, right: width - 14, bottom: height - 44}
	columns := seenColumns(d)
	if len(columns) == 0 {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="middle" fill="#68717c">no values</text></svg>`, width/2, height/2)
		return b.Bytes()
	}
	f.from, f.to = d.Time, d.Time+int64(d.Rows)*int64(d.SecondsPerRow)
	f.span(d, columns)
	f.axes(&b)
	colors := pictureColors()
	x := f.left
	for i, c := range columns {
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5" stroke-linejoin="round"/>`, f.line(d, c), colors[i%len(colors)])
		label := d.Info[c].Name
		if wide := 7*float64(len([]rune(label))) + 28; x+wide <= f.right || i == 0 {
			fmt.Fprintf(&b, `<rect x="%.0f" y="%.0f" width="9" height="9" fill="%s"/><text x="%.0f" y="%.0f" fill="#3d444d">%s</text>`, x, height-18, colors[i%len(colors)], x+13, height-10, escaped(label))
			x += wide
		}
	}
	b.WriteString("</svg>")
	return b.Bytes()
}

// seenColumns are those that have a value.
func seenColumns(d *cbuf.Data) (columns []int) {
	if d == nil {
		return nil
	}
	for c := range d.Info {
		for _, row := range d.Values {
			if c < len(row) && !math.IsNaN(row[c]) && !math.IsInf(row[c], 0) {
				if columns = append(columns, c); len(columns) == pictureMost {
					return columns
				}
				break
			}
		}
	}
	return columns
}

// span finds the lowest and the highest value, with 0 between them.
func (f *frame) span(d *cbuf.Data, columns []int) {
	for _, row := range d.Values {
		for _, c := range columns {
			if v := row[c]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				f.low, f.high = min(f.low, v), max(f.high, v)
			}
		}
	}
	if f.high == f.low {
		f.high = f.low + 1
	}
	f.high += (f.high - f.low) * 0.05
}

// axes draws lines at round values and times.
func (f *frame) axes(b *bytes.Buffer) {
	step := roundStep((f.high - f.low) / 4)
	for v := math.Ceil(f.low/step) * step; v <= f.high; v += step {
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#e7eaee"/><text x="%.1f" y="%.1f" text-anchor="end" fill="#68717c">%s</text>`, f.left, f.y(v), f.right, f.left-6, f.y(v)+4, shortNumber(v))
	}
	layout := "15:04"
	if f.to-f.from > 2*86400 {
		layout = "2 Jan"
	}
	const labels = 5
	for i := range labels {
		t := f.from + (f.to-f.from)*int64(2*i+1)/(2*labels)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#68717c">%s</text>`, f.x(t), f.bottom+15, time.Unix(t, 0).UTC().Format(layout))
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

func shortNumber(v float64) string {
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

// line is the path of a column, broken where there is no value.
func (f *frame) line(d *cbuf.Data, c int) string {
	var p strings.Builder
	begun := false
	for i, row := range d.Values {
		if v := row[c]; math.IsNaN(v) || math.IsInf(v, 0) {
			begun = false
			continue
		}
		verb := "L"
		if !begun {
			verb = "M"
		}
		x, y := f.x(d.Time+int64(i)*int64(d.SecondsPerRow)), f.y(row[c])
		fmt.Fprintf(&p, "%s%.1f %.1f", verb, x, y)
		if !begun { // one alone is a dot
			fmt.Fprintf(&p, "h0.01")
		}
		begun = true
	}
	return p.String()
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(strings.ToValidUTF8(s, "\uFFFD"))) // a strings.Builder takes all
	return b.String()
}
