package std

import (
	"bytes"
	little "encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"sandbar/sandbox/lua/vm"
)

// steppers are programs that go on with what they were when step is called, and say what they see.
var steppers = map[string]string{
	"globals": `n, t = 0, {a = {1, 2, {3}}, [1.5] = "x", [true] = "y"} t.me = t t.list = t.a
		function step(i) n = n + i t.a[#t.a + 1] = n t["k" .. i] = i t["k" .. i - 3] = nil local k = {} for key in pairs(t) do k[#k + 1] = tostring(key) end
			return n .. " " .. #t.a .. tostring(t.me == t) .. tostring(t.list == t.a) .. #t.list end`,
	"closures": `local n = 0 local function pair() local m = 0 return function(k) m = m + k n = n + 1 return m end, function() return m end end
		local add, get = pair() local other = pair() list = {}
		function step(i) add(i) other(2 * i) list[#list + 1] = function() n = n + 10 i = i + 1 return i end
			local s = 0 for _, f in ipairs(list) do s = s + f() end return get() .. " " .. other(0) .. " " .. n .. " " .. s end`,
	"coroutines": `local function gen(name, limit) return coroutine.create(function(a, ...)
			local sum = select("#", ...) for i = 1, limit do local t = {i, i * 2} local got = coroutine.yield(name .. i .. ":" .. tostring(a), t) sum = sum + (got or 0) a = sum end
			local function inner(n) if n == 0 then return coroutine.yield("deep") end return (inner(n - 1)) end local back = inner(5)
			return "end", sum, back end) end
		local cos = {gen("x", 3), gen("y", 20)} local wrapped = coroutine.wrap(function() for k, v in pairs({a = 1, b = 2, c = 3}) do coroutine.yield(k .. v) end while true do coroutine.yield("again") end end)
		local self self = coroutine.wrap(function() while true do local n = 0 coroutine.yield(tostring(self ~= nil), function() n = n + 1 return n end) end end)
		function step(i) local out = {} for _, co in ipairs(cos) do local ok, a, b = coroutine.resume(co, i, "v", nil) out[#out + 1] = tostring(ok) .. tostring(a) .. tostring(type(b) == "table" and b[2] or b) .. coroutine.status(co) end
			local s, f = self() return table.concat(out, " ") .. " " .. wrapped() .. s .. f() .. f() end`,
	"classes": `local A = {} A.__index = A A.__add = function(a, b) return A.new(a.v + b.v) end A.__tostring = function(a) return "A" .. a.v end A.__eq = function(a, b) return a.v == b.v end
		function A.new(v) return setmetatable({v = v}, A) end local B = setmetatable({}, {__index = A}) B.__index = B B.__call = function(self, n) self.v = self.v + n return self end
		local a, b = A.new(1), setmetatable({v = 5}, B) local proxy = setmetatable({}, {__index = function(_, k) return b[k] end, __newindex = function(_, k, v) b[k] = v end})
		function step(i) a = a + A.new(i) b(i) proxy.extra = i return tostring(a) .. " " .. b.v .. " " .. proxy.v .. " " .. b.extra .. tostring(a == A.new(a.v)) .. tostring(getmetatable(b) == B) end`,
	"host": `local it = ("one two three four five six seven"):gmatch("%a+") local find, sort = string.find, table.sort local ip, _, zero = ipairs {1} string.extra = function(s) return s:upper() .. "!" end local saved = string.rep string.rep = nil
		local env = {tostring = tostring, n = 0} local function counted() n = n + 1 return tostring(n) end setfenv(counted, env)
		function step(i) return tostring(it()) .. find("abc", "c") .. ("x"):extra() .. saved("y", 2) .. counted() .. env.n .. tostring(string.rep) .. tostring(ip == (ipairs {})) .. tostring(sort == table.sort) .. tostring(print ~= nil) end`,
	"varargs": `local function make(...) local n, t = select("#", ...), {...} return coroutine.wrap(function(...) while true do local a, b = coroutine.yield(n, t[1], ...) t[1] = (a or 0) + 1 end end) end
		local f, g = make(1, nil, 3), make() f("first") g()
		function step(i) return tostring(select(2, f(i, i + 1))) .. " " .. select("#", g(nil)) end`,
	"tail calls and loops": `local co = coroutine.wrap(function() for i = 10, 1, -2 do for _, v in ipairs {1, 2} do repeat coroutine.yield(i .. v) until true end end local function t(n) if n > 0 then coroutine.yield("t" .. n) return t(n - 1) end return coroutine.yield("last") end return t(3) end)
		function step(i) local ok, v = pcall(co) return tostring(ok) .. tostring(v) end`,
}

// imaged loads a program into a State that keeps images.
func imaged(t testing.TB, source string, run bool) *vm.State {
	t.Helper()
	return imagedWith(t, source, run, rand.NewPCG(1, 1), new(strings.Builder))
}

func imagedWith(t testing.TB, source string, run bool, random *rand.PCG, said *strings.Builder) *vm.State {
	t.Helper()
	L := vm.New(vm.Options{Fuel: 10_000_000, Memory: 64 << 20, Images: true})
	OpenBase(L)
	modules := Modules(Options{Random: random})
	for _, name := range sortedKeys(modules) {
		m := modules[name](L)
		L.SetGlobal(name, m.Value())
		L.Permanent("module "+name, m.Value())
	}
	L.SetGlobal("print", L.NewFunction("print", printTo(said)).Value())
	L.PermanentIn("tests", L.Globals())
	fn, err := L.Load("x.lua", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	L.Refill()
	if run {
		if _, err := L.Do(fn.Value(), 0); err != nil {
			t.Fatal(err)
		}
	}
	return L
}

func nothingKept() vm.Keeping {
	return vm.Keeping{Keep: func(*vm.Userdata) (string, string, bool) { return "", "", false },
		Revive: func(string, string) (*vm.Userdata, error) { return nil, fmt.Errorf("nothing is revived here") }}
}

func step(t testing.TB, L *vm.State, i int) string {
	t.Helper()
	L.Refill()
	got, err := L.Do(L.Global("step"), 1, vm.Int(i))
	if err != nil {
		return err.Error()
	}
	s, _ := got[0].Str()
	return strings.Clone(s)
}

// TestImage: a program that is stopped and goes on from an image, at random points, does what one does that never stopped.
func TestImage(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for name, source := range steppers {
		t.Run(name, func(t *testing.T) {
			never, now := imaged(t, source, true), imaged(t, source, true)
			for i := range 40 {
				if random.IntN(3) == 0 {
					image, err := now.Image(1<<20, nothingKept())
					if err != nil {
						t.Fatal(err)
					}
					now = imaged(t, source, random.IntN(2) == 0)
					if err := now.SetImage(image, nothingKept()); err != nil {
						t.Fatalf("step %d: %v", i, err)
					}
				}
				if want, got := step(t, never, i), step(t, now, i); got != want {
					t.Fatalf("step %d: %q, want %q", i, got, want)
				}
			}
		})
	}
}

// damaged is an image with another body, whose sum is made right, so that it is not what is tried.
func damaged(body []byte) []byte {
	image := append([]byte("SBI1"), 0, 0, 0, 0)
	little.LittleEndian.PutUint32(image[4:], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(image, body...)
}

// tryImage holds that whatever an image is, it is an error or a program that runs on within its limits, and no fault of the machine.
func tryImage(t *testing.T, source string, body []byte) {
	t.Helper()
	L := imaged(t, source, true)
	var fault *vm.InternalError
	if err := L.SetImage(damaged(body), nothingKept()); err != nil {
		if errors.As(err, &fault) {
			t.Fatal(err)
		}
		return
	}
	for i := range 5 {
		L.Refill()
		if _, err := L.Do(L.Global("step"), 1, vm.Int(i)); errors.As(err, &fault) {
			t.Fatal(err)
		}
	}
}

// imageBody is what follows the sum of a program's image.
func imageBody(t testing.TB, source string) []byte {
	t.Helper()
	L := imaged(t, source, true)
	step(t, L, 1)
	image, err := L.Image(1<<20, nothingKept())
	if err != nil {
		t.Fatal(err)
	}
	return image[8:]
}

// TestImageDamaged changes some bytes of images. SANDBAR_DAMAGED is how often.
func TestImageDamaged(t *testing.T) {
	t.Parallel()
	count, err := strconv.Atoi(os.Getenv("SANDBAR_DAMAGED"))
	if err != nil {
		count = 100
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, name := range sortedKeys(steppers) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, uint64(len(name))))
			body := imageBody(t, steppers[name])
			for range count {
				bad := bytes.Clone(body)
				for range 1 + random.IntN(3) {
					switch at := random.IntN(len(bad)); random.IntN(4) {
					case 0:
						bad[at] = byte(random.Uint32())
					case 1:
						bad[at] ^= 1 << random.IntN(8)
					case 2:
						bad = append(bad[:at:at], bad[min(at+1+random.IntN(4), len(bad)-1):]...)
					default:
						bad[at] = bad[random.IntN(len(bad))]
					}
				}
				tryImage(t, steppers[name], bad)
			}
		})
	}
}

func FuzzImage(f *testing.F) {
	for _, name := range sortedKeys(steppers) {
		f.Add(name, imageBody(f, steppers[name]))
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		if source, ok := steppers[name]; ok {
			tryImage(t, source, body)
		}
	})
}
