package history

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/series"
	"sandbar/sandbox/cbuf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBlocks(t *testing.T) {
	t.Parallel()
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	r := rand.New(rand.NewPCG(1, 2))
	nan := math.NaN()
	for name, of := range map[string]func() float64{
		"counts":         func() float64 { return math.Round(5000 + 70*r.NormFloat64()) },
		"negative":       func() float64 { return math.Round(-3 + 70*r.NormFloat64()) },
		"gaps":           func() float64 { return []float64{nan, 1, 0, nan, 7}[r.IntN(5)] },
		"nothing":        func() float64 { return nan },
		"zero":           func() float64 { return 0 },
		"percent":        func() float64 { return math.Round(1000*100*r.Float64()) / 1000 },
		"mean":           func() float64 { return 5000 + 100*r.NormFloat64() },
		"tiny and large": func() float64 { return math.Pow(10, 40*r.Float64()-20) },
		"infinite":       func() float64 { return []float64{math.Inf(1), math.Inf(-1), 2}[r.IntN(3)] },
	} {
		rows := make([][]float64, 1+r.IntN(2000))
		for i := range rows {
			rows[i] = []float64{of(), of()}
		}
		got, columns, err := c.decode(c.encode(rows, 2))
		if err != nil || columns != 2 || len(got) != len(rows) {
			t.Fatalf("%s: %d rows of %d, %d columns, %v", name, len(got), len(rows), columns, err)
		}
		for i := range rows {
			for j, v := range rows[i] {
				if w := got[i][j]; v != w && !(math.IsNaN(v) && math.IsNaN(w)) && math.Abs(v-w) > 1e-7*math.Abs(v) {
					t.Fatalf("%s: %v came back as %v", name, v, w)
				}
			}
		}
	}
	if got, _, err := c.decode(c.encode(nil, 3)); err != nil || len(got) != 0 {
		t.Errorf("no rows: %v, %v", got, err)
	}
}

func FuzzDecode(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.encode([][]float64{{1, 2}, {3, math.NaN()}, {1e-9, math.Inf(1)}}, 2))
	f.Fuzz(func(t *testing.T, block []byte) {
		rows, columns, err := c.decode(block)
		if err == nil && len(rows) > 0 && len(rows[0]) != columns {
			t.Errorf("rows have %d values of %d", len(rows[0]), columns)
		}
		// What is in the compression, too.
		rows, columns, err = c.decode(c.out.EncodeAll(block, nil))
		if err == nil && len(rows) > 0 && len(rows[0]) != columns {
			t.Errorf("rows have %d values of %d", len(rows[0]), columns)
		}
	})
}

// fake is series with one graph, whose buffer moves on.
type fake struct {
	info series.Info
	data *cbuf.Data
}

func (f *fake) List() []series.Info {
	if f.data == nil {
		return nil
	}
	return []series.Info{f.info, {Logger: "p", Name: "text", Type: "txt"}}
}

func (f *fake) GetType(logger, name, typ string) (series.Graph, bool) {
	return series.Graph{Info: f.info, Data: f.data}, f.data != nil && logger == "p" && name == "g" && typ == "cbuf"
}

// at lets the buffer be of so many rows that end at a time, with the row's number as its value.
func (f *fake) at(end int64, rows int, step int, columns ...string) {
	d := &cbuf.Data{Time: end - int64(rows*step), Rows: rows, Columns: len(columns), SecondsPerRow: step, Annotations: []cbuf.Annotation{}}
	for _, c := range columns {
		d.Info = append(d.Info, cbuf.ColumnInfo{Name: c, Unit: "count", Aggregation: "sum"})
	}
	for i := range rows {
		row := make([]float64, len(columns))
		for c := range row {
			row[c] = float64((d.Time/int64(step) + int64(i)) * int64(c+1))
		}
		d.Values = append(d.Values, row)
	}
	f.data = d
	f.info = series.Info{Logger: "p", Name: "g", Type: "cbuf", Version: f.info.Version + 1}
}

func open1(t testing.TB, path string, f *fake, now *time.Time) *View {
	t.Helper()
	v, err := Open(path, Options{Series: f, Keep: 100 * 24 * time.Hour, Now: func() time.Time { return *now }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestHistory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.db")
	now := time.Unix(60*10_000, 0)
	f := &fake{}
	v := open1(t, path, f, &now)
	take := func() {
		t.Helper()
		if err := v.Take(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	get := func(from, to int64, points int, way Way) *cbuf.Data {
		t.Helper()
		d, err := v.Range(t.Context(), "p", "g", from*60, to*60, points, way)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := get(0, 20_000, 10, Mean); d != nil {
		t.Errorf("of nothing: %+v", d)
	}
	// Three days of a buffer of two hours, looked at each half an hour; the host is restarted once.
	for minute := int64(10_000); minute <= 10_000+3*1440; minute += 30 {
		now = time.Unix(minute*60, 0)
		f.at(minute*60, 120, 60, "a", "b")
		take()
		if minute == 10_000+1440 {
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			v = open1(t, path, f, &now)
		}
	}
	d := get(9_000, 20_000, 5000, Mean)
	if d == nil || d.Time != 60*(10_000-120) || d.Rows != 3*1440+120 || d.SecondsPerRow != 60 {
		t.Fatalf("all: %+v", d)
	}
	for i, row := range d.Values {
		if want := float64(10_000 - 120 + i); row[0] != want || row[1] != 2*want {
			t.Fatalf("row %d is %v, want %v", i, row, want)
		}
	}
	var blocks int
	if err := v.db.QueryRow("SELECT count(*) FROM blocks").Scan(&blocks); err != nil || blocks > 5 {
		t.Errorf("%d blocks for three days, %v", blocks, err)
	}
	// Gathered.
	for way, want := range map[Way]float64{Mean: 10_004.5, Max: 10_009, Min: 10_000} {
		d := get(10_000, 10_100, 10, way)
		if d.Rows != 10 || d.SecondsPerRow != 600 || d.Values[0][0] != want || d.Time != 600_000 {
			t.Errorf("by %s: %+v", way, d)
		}
	}
	// Another shape, by name: columns that are no more are left out.
	f.at((10_000+3*1440+30)*60, 120, 60, "b", "c")
	now = now.Add(30 * time.Minute)
	take()
	d = get(13_000, 20_000, 5000, Mean)
	if len(d.Info) != 2 || d.Info[0].Name != "b" || d.Values[0][0] != 26_000 || !math.IsNaN(d.Values[0][1]) || d.Values[d.Rows-1][1] != 2*float64(10_000+3*1440+29) {
		t.Errorf("after a change of columns: %+v, first %v, last %v", d.Info, d.Values[0], d.Values[d.Rows-1])
	}
	// A gap, while the host was off for longer than the buffer.
	f.at((10_000+4*1440)*60, 120, 60, "b", "c")
	now = time.Unix((10_000+4*1440)*60, 0)
	take()
	d = get(14_000, 20_000, 5000, Mean)
	gaps := 0
	for _, row := range d.Values {
		if math.IsNaN(row[0]) {
			gaps++
		}
	}
	if gaps != 4*1440-3*1440-30-120+1 { // the newest row was not over yet
		t.Errorf("%d rows are empty", gaps)
	}
	// The plugin is gone: its columns are those that it had last.
	f.data = nil
	if d := get(9_000, 20_000, 5000, Mean); d == nil || d.Info[0].Name != "b" || len(d.Info) != 3 {
		t.Errorf("of a plugin that is gone: %+v", d)
	}
	v.Forget("p")
	if d := get(0, 20_000, 10, Mean); d != nil {
		t.Errorf("after it was forgotten: %+v", d)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "history.db")
	if err := os.WriteFile(path, []byte("no database at all, and longer than a header of one hundred bytes, so that SQLite looks at it in earnest"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(60*10_000, 0)
	f := &fake{}
	f.at(now.Unix(), 60, 60, "a")
	v := open1(t, path, f, &now)
	if err := v.Take(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
	// A block that is damaged costs its rows only.
	if _, err := v.db.Exec("UPDATE blocks SET block = x'00'"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	f.at(now.Unix(), 60, 60, "a")
	if err := v.Take(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	d, err := v.Range(t.Context(), "p", "g", 0, now.Unix(), 5000, Mean)
	if err != nil || d == nil || d.Values[d.Rows-1][0] != float64(now.Unix()/60-1) {
		t.Errorf("beside a damaged block: %+v, %v", d, err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	now := time.Unix(60*1_000_000, 0)
	f := &fake{}
	f.at(now.Unix(), 60, 60, "a")
	v := open1(t, filepath.Join(t.TempDir(), "history.db"), f, &now)
	defer v.Close()
	run := func() {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- v.Run(ctx) }()
		for {
			var n int
			if err := v.db.QueryRow("SELECT count(*) FROM blocks WHERE at + rows * step > ?", now.Add(-2*time.Minute).Unix()).Scan(&n); err != nil || n > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	run()
	now = now.Add(101 * 24 * time.Hour)
	f.at(now.Unix(), 60, 60, "a")
	run()
	run() // what came before is dropped at the beginning of a run
	var n int
	if err := v.db.QueryRow("SELECT count(*) FROM blocks").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d blocks are left, %v", n, err)
	}
}

// TestSize: a year of 1 000 graphs with 10 columns at a minute is below 10 GB, by what some graphs of the kinds that plugins draw take.
func TestSize(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.db")
	now := time.Unix(60*1440*1000, 0)
	f := &fake{}
	v := open1(t, path, f, &now)
	const days = 20
	r := rand.New(rand.NewPCG(3, 4))
	names := []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"}
	for range days * 8 {
		now = now.Add(3 * time.Hour)
		f.at(now.Unix(), 240, 60, names...)
		for i, row := range f.data.Values {
			wave := 1 + 0.6*math.Sin(2*math.Pi*float64(f.data.Time/60+int64(i))/1440)
			count := func(mean float64) float64 { return max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64())) }
			for c := range row {
				switch c % 5 {
				case 0:
					row[c] = count(5000 * wave) // a busy type
				case 1:
					row[c] = count(40 * wave) // a quiet one
				case 2:
					row[c] = 5000 + 100*r.NormFloat64() // a mean size, with all digits
				case 3:
					row[c] = math.Round(1000*(50+10*wave+r.NormFloat64())) / 1000 // a percentage
				case 4:
					if row[c] = 0; r.Float64() < 0.05 {
						row[c] = count(3)
					}
				}
			}
		}
		if err := v.Take(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	each := float64(info.Size()) / (days * 1440 * 10)
	year := each * 365 * 1440 * 10 * 1000 / 1e9
	t.Logf("%.2f bytes a value; a year of 1 000 graphs is %.1f GB", each, year)
	if year > 10 {
		t.Errorf("a year of 1 000 graphs is %.1f GB", year)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkTake(b *testing.B) {
	now := time.Unix(60*10_000, 0)
	f := &fake{}
	v := open1(b, filepath.Join(b.TempDir(), "history.db"), f, &now)
	defer v.Close()
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(10 * time.Minute)
		f.at(now.Unix(), 1440, 60, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
		if err := v.Take(b.Context(), now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRange(b *testing.B) {
	now := time.Unix(60*10_000, 0)
	f := &fake{}
	v := open1(b, filepath.Join(b.TempDir(), "history.db"), f, &now)
	defer v.Close()
	for range 60 * 2 {
		now = now.Add(12 * time.Hour)
		f.at(now.Unix(), 1440, 60, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
		if err := v.Take(b.Context(), now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() { // sixty days
		if _, err := v.Range(b.Context(), "p", "g", now.Add(-60*24*time.Hour).Unix(), now.Unix(), 1000, Max); err != nil {
			b.Fatal(err)
		}
	}
}
