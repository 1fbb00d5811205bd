package lib

import (
	"math"
	"math/rand/v2"

	lua "github.com/yuin/gopher-lua"
)

// numbers is the math module.
type numbers struct{ random *rand.PCG }

func openMath(L *lua.LState, h Host) *lua.LTable {
	m := numbers{rand.NewPCG(h.Env().Seed, h.Env().Seed)}
	t := functions(L, map[string]lua.LGFunction{
		"random": m.next, "randomseed": m.seed, "frexp": frexp, "ldexp": ldexp, "max": largest, "min": smallest, "modf": modf,
	})
	for name, f := range map[string]func(float64) float64{
		"abs": math.Abs, "acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "ceil": math.Ceil, "cos": math.Cos,
		"cosh": math.Cosh, "deg": degrees, "erf": math.Erf, "erfc": math.Erfc, "exp": math.Exp, "floor": math.Floor,
		"log": math.Log, "log10": log10, "rad": radians, "sin": math.Sin, "sinh": math.Sinh, "sqrt": math.Sqrt,
		"tan": math.Tan, "tanh": math.Tanh,
	} {
		t.RawSetString(name, L.NewFunction(func(L *lua.LState) int {
			L.Push(lua.LNumber(f(checkNumber(L, 1, name))))
			return 1
		}))
	}
	for name, f := range map[string]func(x, y float64) float64{
		"atan2": math.Atan2, "fmod": math.Mod, "mod": math.Mod, "pow": math.Pow,
	} {
		t.RawSetString(name, L.NewFunction(func(L *lua.LState) int {
			L.Push(lua.LNumber(f(checkNumber(L, 1, name), checkNumber(L, 2, name))))
			return 1
		}))
	}
	t.RawSetString("huge", lua.LNumber(math.Inf(1)))
	t.RawSetString("pi", lua.LNumber(math.Pi))
	return t
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

func frexp(L *lua.LState) int {
	f, e := math.Frexp(checkNumber(L, 1, "frexp"))
	L.Push(lua.LNumber(f))
	L.Push(lua.LNumber(e))
	return 2
}

func ldexp(L *lua.LState) int {
	x, e := checkNumber(L, 1, "ldexp"), checkInt(L, 2, "ldexp")
	L.Push(lua.LNumber(math.Ldexp(x, e)))
	return 1
}

func modf(L *lua.LState) int {
	x := checkNumber(L, 1, "modf")
	whole, fraction := math.Trunc(x), math.Copysign(0, x)
	if !math.IsInf(x, 0) {
		fraction = math.Copysign(x-whole, x)
	}
	L.Push(lua.LNumber(whole))
	L.Push(lua.LNumber(fraction))
	return 2
}

func largest(L *lua.LState) int {
	x := checkNumber(L, 1, "max")
	for i := 2; i <= L.GetTop(); i++ {
		if y := checkNumber(L, i, "max"); y > x {
			x = y
		}
	}
	L.Push(lua.LNumber(x))
	return 1
}

func smallest(L *lua.LState) int {
	x := checkNumber(L, 1, "min")
	for i := 2; i <= L.GetTop(); i++ {
		if y := checkNumber(L, i, "min"); y < x {
			x = y
		}
	}
	L.Push(lua.LNumber(x))
	return 1
}

// next is random([[from,] to]).
func (m numbers) next(L *lua.LState) int {
	r := float64(m.random.Uint64()>>11) / (1 << 53)
	from, to := 1, 0
	switch L.GetTop() {
	case 0:
		L.Push(lua.LNumber(r))
		return 1
	case 1:
		to = checkInt(L, 1, "random")
	case 2:
		from, to = checkInt(L, 1, "random"), checkInt(L, 2, "random")
	default:
		L.RaiseError("wrong number of arguments")
	}
	if from > to {
		argError(L, L.GetTop(), "random", "interval is empty")
	}
	L.Push(lua.LNumber(math.Floor(r*float64(to-from+1)) + float64(from)))
	return 1
}

func (m numbers) seed(L *lua.LState) int {
	n := uint64(checkInt(L, 1, "randomseed"))
	m.random.Seed(n, n)
	return 0
}
