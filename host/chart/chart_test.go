package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"sandbar/sandbox/cbuf"
)

const hostile = `<script>alert("x")</script>`

// TestDrawn: what is drawn is well-formed, whatever the names and values.
func TestDrawn(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, values := range map[string][][]float64{
		"gaps": {{1, nan}, {nan, nan}, {3, 2}, {nan, 4}}, "one": {{5, nan}}, "same": {{7, 7}, {7, 7}}, "negative": {{-5, 3}, {-1, nan}}, "none": {{nan, nan}}, "no rows": {},
		"infinite": {{math.Inf(1), 2}, {3, math.Inf(-1)}}, "large": {{1e300, 1e-300}, {-1e300, 0}}, "largest": {{math.MaxFloat64, -math.MaxFloat64}}, "short rows": {{1, 2}, {3}, {}},
	} {
		d := &cbuf.Data{Time: 100, Rows: len(values), Columns: 2, SecondsPerRow: 60, Info: []cbuf.ColumnInfo{{Name: hostile}, {Name: "]]>\x00&\xff"}}, Values: values}
		o := Options{Title: hostile + "\xff", Width: 640, Height: 240, Marks: []int64{-1, 130, 1 << 60}}
		out := SVG(d, o)
		dec := xml.NewDecoder(bytes.NewReader(out))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
		}
		if text := string(out); strings.Contains(text, "<script") || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s: %s", name, out)
		}
		text, err := PNG(d, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := png.Decode(bytes.NewReader(text))
		if err != nil || img.Bounds().Dx() != 1280 || img.Bounds().Dy() != 480 {
			t.Fatalf("%s: %v", name, err)
		}
		colors := map[[3]uint32]bool{}
		for x := range 1280 {
			for y := range 480 {
				r, g, b, _ := img.At(x, y).RGBA()
				colors[[3]uint32{r, g, b}] = true
			}
		}
		if len(colors) < 3 {
			t.Errorf("%s: the picture has %d colours", name, len(colors))
		}
	}
	if out := SVG(nil, Options{Width: 100, Height: 100}); !strings.Contains(string(out), "no values") {
		t.Errorf("%s", out)
	}
}

// TestBand: what lies between low and high is drawn as an area, where both have values; the two are no lines then.
func TestBand(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	d := &cbuf.Data{Rows: 5, Columns: 3, SecondsPerRow: 60, Info: []cbuf.ColumnInfo{{Name: "Volume"}, {Name: "low"}, {Name: "high"}},
		Values: [][]float64{{5, 1, 9}, {5, 2, 8}, {5, nan, 8}, {5, 1, 9}, {99, 1, 9}}}
	out := string(SVG(d, Options{Title: "x", Width: 640, Height: 240}))
	if n := strings.Count(out, `z" fill="`+usual+`"`); n != 2 || strings.Contains(out, ">low<") || strings.Contains(out, ">high<") || !strings.Contains(out, ">usual<") || !strings.Contains(out, ">Volume<") {
		t.Errorf("%d areas: %s", n, out)
	}
	if _, err := PNG(d, Options{Title: "x", Width: 640, Height: 240}); err != nil {
		t.Error(err)
	}
	d.Info[2].Name = "other"
	if out := string(SVG(d, Options{Width: 640, Height: 240})); strings.Contains(out, usual) || !strings.Contains(out, ">low<") {
		t.Errorf("without high: %s", out)
	}
}

func BenchmarkPNG(b *testing.B) {
	values := make([][]float64, 1500)
	for i := range values {
		values[i] = []float64{math.Sin(float64(i) / 40), math.Cos(float64(i) / 30), float64(i%100) / 100}
	}
	d := &cbuf.Data{Rows: len(values), Columns: 3, SecondsPerRow: 60, Info: []cbuf.ColumnInfo{{Name: "a"}, {Name: "b"}, {Name: "c"}}, Values: values}
	for b.Loop() {
		if _, err := PNG(d, Options{Title: "t", Width: 640, Height: 240}); err != nil {
			b.Fatal(err)
		}
	}
}
