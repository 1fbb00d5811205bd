package std

import (
	"math"
	"math/rand/v2"

	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/number"
)

// numbers is the math module.
type numbers struct{ random *rand.PCG }

func openMath(L *vm.State, random *rand.PCG) *vm.Table {
	m := numbers{random}
	t := functions(L, map[string]vm.HostFunc{
		"random": m.next, "randomseed": m.seed, "frexp": frexp, "ldexp": ldexp, "max": largest, "min": smallest, "modf": modf,
	})
	for _, name := range sortedKeys(unary) {
		f := unary[name]
		L.SetField(t, name, L.NewFunction(name, func(L *vm.State) int {
			L.PushFloat(f(L.CheckNumber(1)))
			return 1
		}).Value())
	}
	for _, name := range sortedKeys(binary) {
		f := binary[name]
		L.SetField(t, name, L.NewFunction(name, func(L *vm.State) int {
			x, y := L.CheckNumber(1), L.CheckNumber(2)
			L.Spend(binaryWork(x, y))
			L.PushFloat(f(x, y))
			return 1
		}).Value())
	}
	L.SetField(t, "huge", vm.Number(math.Inf(1)))
	L.SetField(t, "pi", vm.Number(math.Pi))
	return t
}

// The functions of one and of two numbers.
var (
	unary = map[string]func(float64) float64{
		"abs": math.Abs, "acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "ceil": math.Ceil, "cos": math.Cos,
		"cosh": cosh, "deg": degrees, "erf": math.Erf, "erfc": math.Erfc, "exp": exp, "floor": math.Floor,
		"log": math.Log, "log10": log10, "rad": radians, "sin": math.Sin, "sinh": math.Sinh, "sqrt": math.Sqrt,
		"tan": math.Tan, "tanh": math.Tanh,
	}
	binary = map[string]func(x, y float64) float64{"atan2": math.Atan2, "fmod": math.Mod, "mod": math.Mod, "pow": number.Pow}
)

// binaryWork is what a function of two numbers costs: fmod subtracts once for each binary place between them.
func binaryWork(x, y float64) int64 {
	_, a := math.Frexp(x)
	_, b := math.Frexp(y)
	return int64(max(a-b, 0))
}

// exp and cosh are 1 + x and 1 for numbers next to 0, which take Go's 700 ns when they are the least there are.
func exp(x float64) float64 {
	if math.Abs(x) < 1e-20 {
		return 1 + x
	}
	return math.Exp(x)
}

func cosh(x float64) float64 {
	if math.Abs(x) < 1e-20 {
		return 1
	}
	return math.Cosh(x)
}

func degrees(x float64) float64 { return x / (math.Pi / 180) }
func radians(x float64) float64 { return x * (math.Pi / 180) }

// log10 is exact for powers of ten, which Go's is not and plugins round down.
func log10(x float64) float64 {
	y := math.Log10(x)
	if n := math.Round(y); n != y && math.Abs(n-y) < 1e-9 && math.Pow10(int(n)) == x {
		return n
	}
	return y
}

func frexp(L *vm.State) int {
	f, e := math.Frexp(L.CheckNumber(1))
	L.PushFloat(float64(f))
	L.PushFloat(float64(e))
	return 2
}

func ldexp(L *vm.State) int {
	x, e := L.CheckNumber(1), L.CheckInt(2)
	L.PushFloat(float64(math.Ldexp(x, e)))
	return 1
}

func modf(L *vm.State) int {
	x := L.CheckNumber(1)
	whole, fraction := math.Trunc(x), math.Copysign(0, x)
	if !math.IsInf(x, 0) {
		fraction = math.Copysign(x-whole, x)
	}
	L.PushFloat(float64(whole))
	L.PushFloat(float64(fraction))
	return 2
}

func largest(L *vm.State) int {
	x := L.CheckNumber(1)
	for i := 2; i <= L.Args(); i++ {
		if y := L.CheckNumber(i); y > x {
			x = y
		}
	}
	L.PushFloat(float64(x))
	return 1
}

func smallest(L *vm.State) int {
	x := L.CheckNumber(1)
	for i := 2; i <= L.Args(); i++ {
		if y := L.CheckNumber(i); y < x {
			x = y
		}
	}
	L.PushFloat(float64(x))
	return 1
}

// next is random([[from,] to]).
func (m numbers) next(L *vm.State) int {
	r := float64(m.random.Uint64()>>11) / (1 << 53)
	from, to := 1, 0
	switch L.Args() {
	case 0:
		L.PushFloat(float64(r))
		return 1
	case 1:
		to = L.CheckInt(1)
	case 2:
		from, to = L.CheckInt(1), L.CheckInt(2)
	default:
		L.Throwf("wrong number of arguments")
	}
	if from > to {
		L.ArgError(L.Args(), "interval is empty")
	}
	L.PushFloat(float64(math.Floor(r*float64(to-from+1)) + float64(from)))
	return 1
}

func (m numbers) seed(L *vm.State) int {
	n := uint64(L.CheckInt(1))
	m.random.Seed(n, n)
	return 0
}
