package cbuf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var aggregations = []string{"sum", "min", "max", "none"}

func newParts(t *testing.T, n, rows int) []*Buffer {
	t.Helper()
	parts := make([]*Buffer, n)
	for i := range parts {
		b, err := New(rows, len(aggregations), 10)
		if err != nil {
			t.Fatal(err)
		}
		for c, how := range aggregations {
			if err := b.SetHeader(c+1, how, "count", how); err != nil {
				t.Fatal(err)
			}
		}
		parts[i] = b
	}
	return parts
}

func merged(t *testing.T, parts []*Buffer) *Data {
	t.Helper()
	var all []*Data
	for _, b := range parts {
		d, err := Parse(b.AppendCbuf(nil))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	m, err := Merge(all...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMerge: values that are spread over several buffers make the buffer that one instance would have filled, by a plain model.
func TestMerge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		parts := newParts(t, 1+r.IntN(4), 2+r.IntN(8))
		rows, _, _ := parts[0].Configuration()
		type cell struct {
			row int64
			col int
		}
		of := make([]map[cell]float64, len(parts)) // what each part has, by row and column
		newest := int64(rows - 1)                  // row; a new buffer begins with time 0
		for i := range of {
			of[i] = map[cell]float64{}
		}
		for range r.IntN(60) {
			i, row, v := r.IntN(len(parts)), int64(r.IntN(20)), float64(r.IntN(100))
			for c, how := range aggregations {
				k := cell{row, c}
				old, has := of[i][k]
				if _, ok, _ := parts[i].Set(row*10e9, c+1, map[bool]float64{true: join(how, old, v), false: v}[has]); ok {
					of[i][k] = map[bool]float64{true: join(how, old, v), false: v}[has]
					newest = max(newest, row)
				}
			}
		}
		m := merged(t, parts)
		if end := m.Time/10 + int64(rows) - 1; end != newest {
			t.Fatalf("seed %d: the newest row is %d, want %d", seed, end, newest)
		}
		for i, values := range m.Values {
			row := m.Time/10 + int64(i)
			for c, how := range aggregations {
				want := math.NaN()
				for _, part := range of {
					if v, ok := part[cell{row, c}]; ok {
						want = join(how, want, v)
					}
				}
				if values[c] != want && !(math.IsNaN(values[c]) && math.IsNaN(want)) {
					t.Errorf("seed %d, row %d, %s: %v, want %v", seed, row, how, values[c], want)
				}
			}
		}
	}
}

func TestMergeAnnotations(t *testing.T) {
	t.Parallel()
	parts := newParts(t, 2, 3)
	for i, b := range parts {
		b.Add(25e9, 1, 1)
		for _, text := range []string{"both", fmt.Sprint("only ", i)} {
			if err := b.Annotate(25e9, 1, "alert", text, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	var texts []string
	for _, a := range merged(t, parts).Annotations {
		texts = append(texts, a.Text)
	}
	slices.Sort(texts)
	if len(slices.Compact(slices.Clone(texts))) != len(texts) {
		t.Errorf("annotations %q", texts)
	}
}

func TestMergeOtherShapes(t *testing.T) {
	t.Parallel()
	base := &Data{Time: 100, Rows: 1, Columns: 1, SecondsPerRow: 10, Info: []ColumnInfo{{Name: "a"}}, Values: Matrix{{1}}}
	for name, change := range map[string]func(d *Data){
		"rows": func(d *Data) { d.Rows, d.Values = 2, Matrix{{1}, {2}} }, "seconds": func(d *Data) { d.SecondsPerRow = 20 },
		"between rows": func(d *Data) { d.Time = 105 },
		"columns": func(d *Data) {
			d.Columns, d.Info, d.Values = MaxColumns, nil, Matrix{make([]float64, MaxColumns)}
			for i := range MaxColumns {
				d.Info = append(d.Info, ColumnInfo{Name: fmt.Sprint(i)})
			}
		},
	} {
		other := *base
		change(&other)
		if _, err := Merge(base, &other); err == nil {
			t.Errorf("%s: merged", name)
		}
	}
	if _, err := Merge(); err == nil {
		t.Error("nothing was merged")
	}
}

// TestMergeByName: plugins give out columns as names come, in another order in each partition. What was never used is left out.
func TestMergeByName(t *testing.T) {
	t.Parallel()
	part := func(names ...string) *Buffer {
		b, err := New(2, 5, 10)
		if err != nil {
			t.Fatal(err)
		}
		for c, name := range names {
			unit := "docs"
			if name == "Column_2" {
				unit = "count"
			}
			if err := b.SetHeader(c+1, name, unit, "sum"); err != nil {
				t.Fatal(err)
			}
			b.Add(10e9, c+1, float64(len(name)+10*c))
		}
		return b
	}
	a, b := part("cart", "main", "event"), part("main", "Column_2", "cart", "main")
	if err := b.Annotate(10e9, 3, "alert", "of cart", false); err != nil {
		t.Fatal(err)
	}
	b.Add(10e9, 5, 7) // without a name, but used
	for _, parts := range [][]*Buffer{{a, b}, {b, a}} {
		m := merged(t, parts)
		var got []string
		for j, info := range m.Info {
			got = append(got, fmt.Sprint(info.Name, " ", m.Values[1][j]))
		}
		// cart 4 and 24, main 14 and 4, the second main of b 34, event 25
		if want := []string{"cart 28", "main 18", "Column_2 18", "event 25", "main 34", "Column_5 7"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(m.Annotations) != 1 || m.Annotations[0].Col != 1 {
			t.Errorf("annotations %+v", m.Annotations)
		}
	}
}
