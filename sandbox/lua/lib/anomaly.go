package lib

import (
	"math"
	"slices"

	"sandbar/sandbox/anomaly"
	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/lua/vm"
)

// perFuel is how many values a detector goes through for a unit of fuel.
const perFuel = 8

// maxSample is how many values or categories of a plugin are compared.
const maxSample = 1 << 20

func openAnomaly(L *vm.State, _ Host) *vm.Table {
	fns := map[string]vm.HostFunc{
		"decompose": decompose, "quantile_shift": quantileShift, "rank_sum": rankSum, "pearson": pearson, "earth_mover": earthMover,
		"chi_square": chiSquare, "categories": categories,
	}
	for _, m := range anomaly.Methods() {
		fns[m.Name] = func(L *vm.State) int { return detect(L, m.Name) }
	}
	return functions(L, fns)
}

// detect is METHOD(series [, settings]) → score, direction, expected, low, high.
func detect(L *vm.State, method string) int {
	L.Spend(80)
	settings, own := map[string]float64{}, map[string]float64{"column": 1, "at": -1, "step": 60}
	if t := L.Arg(2).Table(); t != nil {
		for k, v := range t.All() {
			L.Spend(16)
			name, ok := k.Str()
			f, number := v.Float()
			if !ok || !number || len(settings) > 16 || len(name) > 64 {
				L.ArgError(2, "settings are names with numbers")
			}
			if _, is := own[name]; is {
				own[name] = f
			} else {
				settings[name] = f
			}
		}
	} else if !L.Arg(2).IsNil() {
		L.TypeError(2, "table")
	}
	d, err := anomaly.New(method, settings)
	if err != nil {
		L.ArgError(2, err.Error())
	}
	s, i := series(L, own)
	if i < 0 {
		L.ArgError(2, "at is not within the series")
	}
	work := d.Work(s.Step, i)
	L.Room(8 * min(work, int64(len(s.Values))*8))
	L.Spend(work / perFuel)
	v := d.Look(s, i)
	if v.Score != v.Score {
		v.Score = 0 // of numbers that are none
	}
	L.PushFloat(v.Score)
	L.PushInt(v.Direction)
	for _, x := range []float64{v.Expected, v.Low, v.High} {
		pushCell(L, x, x == x)
	}
	return 5
}

// series is the first argument: a circular buffer, of which at is a time and the default the newest row that is complete, or an array, of which it is an index and the default the last.
func series(L *vm.State, own map[string]float64) (*anomaly.Series, int) {
	if ud := L.Arg(1).Userdata(); ud != nil {
		if b, ok := ud.Object.(*buffer); ok {
			return column1(L, b, own)
		}
	}
	values := sample(L, 1)
	i, step := len(values), own["step"]
	if own["at"] != -1 {
		i = vm.ToInt(own["at"])
	}
	if !(step >= 1 && step <= 1<<40) {
		L.ArgError(2, "step is not a number of seconds")
	}
	if i < 1 || i > len(values) {
		return nil, -1
	}
	return &anomaly.Series{Step: int64(step), Values: values}, i - 1
}

func column1(L *vm.State, b *buffer, own map[string]float64) (*anomaly.Series, int) {
	rows, cols, sec := b.Configuration()
	col := vm.ToInt(own["column"])
	if col < 1 || col > cols {
		L.ArgError(2, "column is not one of the buffer")
	}
	at := b.CurrentTime() - int64(sec)*1e9
	if own["at"] != -1 {
		at = int64(math.Max(-1, math.Min(own["at"], math.MaxInt64/2)))
	}
	values := cells(L, b.Buffer, col, rows, at)
	return &anomaly.Series{Step: int64(sec), Values: values}, len(values) - 1
}

// cells is a column up to a time; nil when the buffer does not have it.
func cells(L *vm.State, b *cbuf.Buffer, col, rows int, at int64) []float64 {
	if at < 0 {
		return nil
	}
	L.Room(int64(rows) * 8)
	L.Spend(int64(rows) / 16)
	values, err := b.Range(col, -1, at)
	if err != nil {
		return nil
	}
	return values
}

// sample is an array of numbers; what is none is NaN.
func sample(L *vm.State, arg int) []float64 {
	t := L.CheckTable(arg)
	n := t.Len()
	if n > maxSample {
		L.ArgError(arg, "too many values")
	}
	L.Room(int64(n) * 8)
	L.Spend(int64(n) / 8)
	values := make([]float64, n)
	for i := range values {
		f, ok := t.GetInt(i + 1).Float()
		if !ok {
			f = math.NaN()
		}
		values[i] = f
	}
	return values
}

// two is the first two arguments as arrays, paid for what is done with them.
func two(L *vm.State) (a, b []float64) {
	a, b = sample(L, 1), sample(L, 2)
	L.Room(int64(len(a)+len(b)) * 32)
	L.Spend(32 + int64(len(a)+len(b))*2) // to sort them
	return a, b
}

// decompose is decompose(array, {period, ...}) → trend, wave, rest.
func decompose(L *vm.State) int {
	values, periods := sample(L, 1), sample(L, 2)
	if len(periods) > 8 {
		L.ArgError(2, "at most 8 periods")
	}
	whole := make([]int, len(periods))
	for i, p := range periods {
		whole[i] = vm.ToInt(p)
	}
	L.Room(int64(len(values)) * 8 * 6)
	L.Spend(64 + int64(len(values))*int64(1+len(periods))*4)
	trend, wave, rest := anomaly.Decompose(values, whole)
	for _, part := range [][]float64{trend, wave, rest} {
		t := L.NewTable(len(part), 0)
		L.Push(t.Value())
		for i, v := range part {
			L.SetInt(t, i+1, vm.Number(v))
		}
	}
	return 3
}

// quantileShift is quantile_shift(now, then, q) → quantile now, quantile then, standard deviations.
func quantileShift(L *vm.State) int {
	a, b := two(L)
	now, then, z := anomaly.QuantileShift(a, b, L.CheckNumber(3))
	for _, v := range []float64{now, then, z} {
		pushCell(L, v, v == v)
	}
	return 3
}

// rankSum is rank_sum(a, b) → chance, p.
func rankSum(L *vm.State) int {
	chance, p := anomaly.RankSum(two(L))
	pushCell(L, chance, chance == chance)
	pushCell(L, p, p == p)
	return 2
}

func pearson(L *vm.State) int {
	v := anomaly.Pearson(two(L))
	return pushCell(L, v, v == v)
}

func earthMover(L *vm.State) int {
	v := anomaly.EarthMover(two(L))
	return pushCell(L, v, v == v)
}

// chiSquare is chi_square(a, b) → chi-square, degrees of freedom, p.
func chiSquare(L *vm.State) int {
	chi2, degrees, p := anomaly.ChiSquare(two(L))
	pushCell(L, chi2, chi2 == chi2)
	L.PushInt(degrees)
	pushCell(L, p, p == p)
	return 3
}

// categories is categories(now, then [, p]) → those that are new, those that have vanished: both arrays, in order. now and then say how often each was seen.
func categories(L *vm.State) int {
	index := map[string]int{}
	var names []string
	counts := [2][]float64{}
	for arg := range counts {
		t := L.CheckTable(arg + 1)
		slots, keys := t.Shape()
		if slots+keys > maxSample {
			L.ArgError(arg+1, "too many categories")
		}
		L.Room(int64(slots+keys) * 96)
		L.Spend(32 + int64(slots+keys)*8)
		for k, v := range t.All() {
			name, ok := k.Str()
			f, number := v.Float()
			if !ok || !number {
				L.ArgError(arg+1, "categories are texts with numbers")
			}
			L.Spend(int64(len(name)) / 16)
			i, known := index[name]
			if !known {
				i = len(names)
				index[name], names = i, append(names, name)
				counts[0], counts[1] = append(counts[0], 0), append(counts[1], 0)
			}
			counts[arg][i] = f
		}
	}
	p := L.OptNumber(3, 1e-6)
	if !(p > 0 && p < 1) {
		L.ArgError(3, "a chance is between 0 and 1")
	}
	found := map[int8][]string{}
	for i, what := range anomaly.Categories(counts[0], counts[1], p) {
		found[what] = append(found[what], names[i])
	}
	for _, what := range []int8{anomaly.Appeared, anomaly.Vanished} {
		list := found[what]
		slices.Sort(list)
		t := L.NewTable(len(list), 0)
		L.Push(t.Value())
		for i, name := range list {
			L.SetInt(t, i+1, L.Str(name))
		}
	}
	return 2
}
