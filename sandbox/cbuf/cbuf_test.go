package cbuf

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const sec = int64(1e9)

func mustNew(t testing.TB, rows, cols, span int) *Buffer {
	t.Helper()
	b, err := New(rows, cols, span)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestShape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows, cols, span int
		ok               bool
	}{{2, 1, 1, true}, {1, 1, 1, false}, {2, 0, 1, false}, {2, 257, 1, false}, {2, 256, 1, true}, {2, 1, 0, false}, {MaxCells, 2, 1, false}, {-5, 1, 1, false}} {
		if _, err := New(c.rows, c.cols, c.span); (err == nil) != c.ok {
			t.Errorf("New(%d, %d, %d): %v", c.rows, c.cols, c.span, err)
		}
	}
}

// TestGolden holds both formats against text in Hindsight's form.
func TestGolden(t *testing.T) {
	t.Parallel()
	b := mustNew(t, 3, 2, 60)
	if err := b.SetHeader(1, "main.4 and more text", "B/s", "sum"); err != nil {
		t.Fatal(err)
	}
	b.SetHeader(2, "peak", "ms", "max")
	b.Add(120*sec, 1, 1.5)
	b.Add(185*sec, 1, 2)
	b.Add(180*sec, 1, 3)
	b.Set(180*sec, 2, 9)
	b.Set(180*sec, 2, 7)
	b.Annotate(180*sec, 1, "alert", `a "quote"`, true)
	head := `{"time":60,"rows":3,"columns":2,"seconds_per_row":60,"column_info":[{"name":"main_4_and_more","unit":"B/s","aggregation":"sum"},{"name":"peak","unit":"ms","aggregation":"max"}],"annotations":[`
	note := `{"x":180000,"col":1,"shortText":"A","text":"a \"quote\""}`
	want := head + note + "]}\nnan\tnan\n1.5\tnan\n5\t9\n"
	if got := string(b.AppendCbuf(nil)); got != want {
		t.Errorf("cbuf\n%s\nwant\n%s", got, want)
	}
	want = head + note + "]}\n120\t1.5\tnan\n180\t5\t9\n"
	if got := string(b.AppendCbufd(nil)); got != want {
		t.Errorf("cbufd\n%s\nwant\n%s", got, want)
	}
	if got := string(b.AppendCbufd([]byte("x"))); got != "x" {
		t.Errorf("a second cbufd wrote %q", got)
	}
	d, err := Parse(b.AppendCbuf(nil))
	if err != nil {
		t.Fatal(err)
	}
	if d.Values[2][0] != 5 || !math.IsNaN(d.Values[0][1]) || d.Annotations[0].Text != `a "quote"` || d.Info[1].Aggregation != "max" {
		t.Errorf("parsed %+v", d)
	}
	text, err := json.Marshal(d)
	if err != nil || !strings.Contains(string(text), `"values":[[null,null],[1.5,null],[5,9]]`) {
		t.Errorf("%v %s", err, text)
	}
}

func TestSemantics(t *testing.T) {
	t.Parallel()
	b := mustNew(t, 3, 2, 1)
	if b.CurrentTime() != 2*sec {
		t.Errorf("a new buffer is at %d", b.CurrentTime())
	}
	b.Add(10*sec, 1, 1)
	if _, ok := b.Add(7*sec, 1, 1); ok {
		t.Error("a time before the window was taken")
	}
	if v, ok := b.Add(8*sec, 1, 4); !ok || v != 4 {
		t.Errorf("the oldest row: %v %v", v, ok)
	}
	if v, ok := b.Add(10*sec, 1, math.NaN()); !ok || v != 1 {
		t.Errorf("adding NaN gave %v", v)
	}
	if _, _, err := b.Set(10*sec, 1, math.NaN()); err == nil {
		t.Error("a value was uninitialised")
	}
	if _, ok := b.Get(11*sec, 1); ok {
		t.Error("a time after the window was read")
	}
	if _, ok := b.Get(-5, 1); ok {
		t.Error("a negative time was read")
	}
	if got, err := b.Range(1, -1, -1); err != nil || len(got) != 3 || got[0] != 4 || got[2] != 1 {
		t.Errorf("range %v %v", got, err)
	}
	if _, err := b.Range(1, 10*sec, 9*sec); err == nil {
		t.Error("a range that ends before it starts")
	}
	b.Add(1000*sec, 2, 1)
	if v, ok := b.Get(999*sec, 1); !ok || !math.IsNaN(v) {
		t.Errorf("a jump did not clear the rows between: %v %v", v, ok)
	}
	if err := b.SetHeader(1, "x", "y", "mean"); err == nil {
		t.Error("an unknown aggregation was taken")
	}
	b.SetHeader(1, "x", "y", "min")
	b.Set(1000*sec, 1, 5)
	b.Set(1000*sec, 1, 7)
	if v, _ := b.Get(1000*sec, 1); v != 5 {
		t.Errorf("min is %v", v)
	}
}

// TestModel compares with a map of cells.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows, cols, span := rapid.IntRange(2, 6).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "cols"), rapid.IntRange(1, 4).Draw(t, "span")
		b, err := New(rows, cols, span)
		if err != nil {
			t.Fatal(err)
		}
		type key struct{ row, col int }
		model, newest := map[key]float64{}, rows-1
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			second, col := rapid.IntRange(0, 60).Draw(t, "second"), rapid.IntRange(1, cols).Draw(t, "col")
			v := float64(rapid.IntRange(-5, 5).Draw(t, "v"))
			row := second / span
			newest = max(newest, row)
			_, ok := b.Add(int64(second)*sec, col, v)
			if ok != (row > newest-rows) {
				t.Fatalf("add at %d: %v", second, ok)
			}
			if ok {
				model[key{row, col}] += v
			}
			if rapid.Bool().Draw(t, "again") { // a state comes back as it was
				state := string(b.AppendState(nil))
				c, err := Revive(state)
				if err != nil {
					t.Fatal(err)
				}
				if string(c.AppendCbuf(nil)) != string(b.AppendCbuf(nil)) || string(c.AppendState(nil)) != state {
					t.Fatal("the state changed the buffer")
				}
				b = c
			}
		}
		for row := newest - rows + 1; row <= newest; row++ {
			for col := 1; col <= cols; col++ {
				want, has := model[key{row, col}]
				got, ok := b.Get(int64(row*span)*sec, col)
				if !ok || has != (got == got) || has && got != want {
					t.Fatalf("row %d column %d is %v %v, want %v %v", row, col, got, ok, want, has)
				}
			}
		}
	})
}

func TestFromString(t *testing.T) {
	t.Parallel()
	b := mustNew(t, 2, 2, 1)
	if err := b.FromString("11 1 1 2 3 nan 11 3 nan"); err != nil {
		t.Fatal(err)
	}
	if v, _ := b.Get(10*sec, 2); v != 2 {
		t.Errorf("value %v", v)
	}
	if v, _ := b.GetDelta(11*sec, 1); v != 3 {
		t.Errorf("delta %v", v)
	}
	for _, bad := range []string{"", "1", "11 1 1 2 3", "11 1 1 2 3 4 5", "11 9 1 2 3 4", "x 1 1 2 3 4", "11 1 1 2 3 y"} {
		if err := b.FromString(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzState(f *testing.F) {
	b := mustNew(f, 2, 2, 1)
	b.Add(5*sec, 1, 1)
	b.Annotate(5*sec, 1, "info", "x", true)
	f.Add(string(b.AppendState(nil)))
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := Revive(s); err == nil {
			again, err := Revive(string(c.AppendState(nil)))
			if err != nil || string(again.AppendState(nil)) != string(c.AppendState(nil)) {
				t.Errorf("a state that was read is written differently: %v", err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	b := mustNew(f, 2, 2, 1)
	b.Add(5*sec, 1, 1)
	f.Add(b.AppendCbuf(nil))
	f.Fuzz(func(t *testing.T, p []byte) {
		d, err := Parse(p)
		if err != nil {
			return
		}
		if len(d.Values) != d.Rows {
			t.Errorf("%d rows, the header says %d", len(d.Values), d.Rows)
		}
		if m, err := Merge(d, d); err != nil || m.Columns != d.Columns {
			t.Errorf("merged with itself it has %+v, %v", m, err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	buf := mustNew(b, 1440, 10, 60)
	b.ReportAllocs()
	for i := range b.N {
		buf.Add(int64(i)*1e6, 1+i%10, 1)
	}
}

func BenchmarkAppendCbuf(b *testing.B) {
	buf := mustNew(b, 600, 12, 1)
	for i := range 600 * 12 {
		buf.Add(int64(i/12)*sec, 1+i%12, float64(i))
	}
	var dst []byte
	b.ReportAllocs()
	for range b.N {
		dst = buf.AppendCbuf(dst[:0])
	}
}
