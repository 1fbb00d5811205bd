package lua

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/message"
)

// dearest is how many nanoseconds a unit of fuel may take.
const dearest = 100

// worst calls the functions that a kind of plugin has with arguments as bad as arguments can be, those of testdata/lua/worst.lua.
type worst struct {
	t      *testing.T
	p      *plugin
	many   vm.Value // calls a function many times
	failed vm.Value // the same for one that fails
	names  []string
	values []vm.Value
	fn     map[string]vm.Value
	most   map[string]float64 // nanoseconds a unit, by function
	worked map[string]bool    // a call of it succeeded
	faults map[string]int
}

const worstMany = `
function many(f, n, ...) for i = 1, n do f(...) end end
function spin() for i = 1, 1000000 do end end
function failed(f, n, ...) for i = 1, n do pcall(f, ...) end end
`

func newWorst(t *testing.T, kind sandbox.Kind, size int) *worst {
	t.Helper()
	w := &worst{t: t, most: map[string]float64{}, worked: map[string]bool{}, faults: map[string]int{}}
	cfg, err := ParseConfig(kind, "worst", []byte("message_matcher = 'TRUE' process_message_inject_limit = 100 list = {1, {2}, 'x'} alert = {modules = {web = {}}}"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Limits.Instructions, cfg.Limits.Memory, cfg.Limits.Time = 1_500_000, 128<<20, 0
	text, err := os.ReadFile("../../testdata/lua/worst.lua")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakes{}
	p, err := Load(cfg, fmt.Appendf(nil, "SIZE = %d %s %s", size, text, worstMany), sandbox.Env{Hostname: "h", Now: time.Now, Schemas: f, Geo: f, Lake: f, Log: func(string) {}, Emit: func([]byte) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	w.p = p.(*plugin)
	var m message.Builder
	for i := range 200 {
		m.AddInt(fmt.Sprintf("field%d", i), "", int64(i))
	}
	m.SetHeader(message.Payload, strings.Repeat("x", size))
	m.AddBytes("content", "", []byte(`{"a":[`+strings.Repeat("1,", size/2)+`1]}`))
	m.AddString("last", "", "x")
	w.p.msg = new(message.View)
	if err := w.p.msg.Parse(m.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	w.many, w.failed = w.p.L.Global("many"), w.p.L.Global("failed")
	w.functions()
	w.renew()
	return w
}

// functions finds all that there are, and gives those of modules the name module.function, of objects object:function.
func (w *worst) functions() {
	w.fn = map[string]vm.Value{}
	L := w.p.L
	own := map[string]bool{"many": true, "failed": true, "spin": true, "worst_values": true, "process_message": true}
	for k, v := range L.Globals().All() {
		if name, _ := k.Str(); v.Function() != nil && !own[name] {
			w.fn[strings.Clone(name)] = v
		}
	}
	for _, m := range lib.Modules() {
		if m.Only != "" && m.Only != w.p.cfg.Kind {
			continue
		}
		t := w.do(L.Global("require"), L.Str(m.Name))[0].Table()
		for k, v := range t.All() {
			if name, _ := k.Str(); v.Function() != nil {
				w.fn[m.Name+"."+name] = v
			}
		}
	}
	for k, v := range L.Global("worst_operators").Table().All() {
		name, _ := k.Str()
		w.fn["operator "+name] = v
	}
	w.fn["crc"] = w.do(w.fn["zlib.crc32"])[0]
}

func (w *worst) do(fn vm.Value, args ...vm.Value) []vm.Value {
	w.t.Helper()
	var res sandbox.Result
	values := w.p.call(&res, fn, false, -1, args...)
	if res.Outcome != sandbox.OK {
		w.t.Fatal(res.Text)
	}
	return slices.Clone(values)
}

// renew makes the values again, since calls change them.
func (w *worst) renew() {
	t := w.do(w.p.L.Global("worst_values"))[0].Table()
	w.names, w.values = nil, nil
	for i := 1; !t.GetInt(i).IsNil(); i += 2 {
		name, _ := t.GetInt(i).Str()
		w.names, w.values = append(w.names, strings.Clone(name)), append(w.values, t.GetInt(i+1))
		ud := t.GetInt(i + 1).Userdata()
		if ud == nil {
			continue
		}
		kind := map[string]string{"document": "json", "buffer": "circular_buffer", "filter": "cuckoo_filter_expire"}[name]
		for k, v := range w.p.L.Field(ud.Meta(), "__index").Table().All() {
			if method, _ := k.Str(); v.Function() != nil {
				w.fn[kind+":"+method] = v
			}
		}
	}
	w.p.L.SetGlobal("kept", t.Value())
}

// cost calls a function n times through many or failed, or once by itself, and says how long a unit took.
func (w *worst) cost(fn, through vm.Value, n int, args []vm.Value) (nanoseconds float64, took time.Duration, ok bool) {
	if n > 0 {
		args = append([]vm.Value{fn, vm.Int(n)}, args...)
		fn = through
	}
	start := time.Now()
	var res sandbox.Result
	w.p.call(&res, fn, false, 0, args...)
	took = time.Since(start)
	if res.Outcome != sandbox.OK {
		res.Fuel += 1000 // what ends the call is paid for by there being no more of it
	}
	return float64(took) / float64(max(res.Fuel, 1)), took, res.Outcome == sandbox.OK
}

// try calls a function, as often as it needs to see how long a unit takes.
func (w *worst) try(name string, args func() []vm.Value, what string) {
	if w.faults[name] >= 3 {
		return
	}
	fn, through := w.fn[name], w.many
	_, took, ok := w.cost(fn, w.many, 0, args())
	if ok {
		w.worked[name] = true
	} else {
		through = w.failed
	}
	n := min(100, int(20*time.Microsecond/max(took, 1))+1)
	ns, _, _ := w.cost(fn, through, n, args())
	for tries := 0; ns > dearest/2 && tries < 20; tries++ { // a busy machine, or the collector
		n = max(n, min(200, int(time.Millisecond/max(took, 1))))
		again, _, _ := w.cost(fn, through, n, args())
		ns = min(ns, again)
	}
	w.most[name] = max(w.most[name], ns)
	if ns > dearest && ns > dearest*w.slow() {
		w.faults[name]++
		w.t.Errorf("%s(%s): a unit takes %.0f ns, %d are allowed", name, what, ns, dearest)
	}
}

// slow is how many times longer an instruction takes just now than the 6 ns that it takes on a quiet machine.
func (w *worst) slow() float64 {
	const most = 6
	start := time.Now()
	var res sandbox.Result
	w.p.call(&res, w.p.L.Global("spin"), false, 0)
	return max(1, float64(time.Since(start))/float64(res.Fuel)/most)
}

func (w *worst) sweep(name string, seed uint64, pairs bool) {
	random := rand.New(rand.NewPCG(seed, uint64(len(name))))
	none := func() []vm.Value { return nil }
	w.try(name, none, "")
	calls := w.p.L.Field(w.p.L.Global("worst_calls").Table(), name).Table()
	var self []vm.Value
	selfName := ""
	if object, _, method := strings.Cut(name, ":"); method {
		own := map[string]string{"json": "document", "circular_buffer": "buffer", "cuckoo_filter_expire": "filter"}[object]
		i := slices.Index(w.names, own)
		self, selfName = []vm.Value{w.values[i]}, own+", "
	}
	for i := 1; calls != nil && !calls.GetInt(i).IsNil(); i++ {
		w.try(name, func() []vm.Value { return append(slices.Clip(self), w.do(calls.GetInt(i))...) }, fmt.Sprintf("%sof worst_calls, number %d", selfName, i))
	}
	argument := func(chosen ...int) {
		args := slices.Clip(self)
		what := []string{}
		for _, i := range chosen {
			args, what = append(args, w.values[i]), append(what, w.names[i])
		}
		w.try(name, func() []vm.Value { return args }, selfName+strings.Join(what, ", "))
	}
	const few = 24 // of so many pairs one is tried
	for i := range w.values {
		argument(i)
	}
	if !pairs {
		return
	}
	for i := range w.values {
		for j := range w.values {
			if random.IntN(few) == 0 {
				argument(i, j)
			}
		}
	}
	for range 25 {
		argument(random.IntN(len(w.values)), random.IntN(len(w.values)), random.IntN(len(w.values)))
	}
}

// TestWorst: no function takes more than 100 ns a unit of fuel, whatever it is given. The functions are those that there are, so that a new one is
// tried too, and fails here until it has arguments with which it works. It is not parallel: it takes the time.
func TestWorst(t *testing.T) {
	if slowdown > 1 {
		t.Skip("the race detector takes another time for each thing: it runs in the step without it")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	most := map[string]float64{}
	for _, kind := range []sandbox.Kind{sandbox.Analysis, sandbox.Output} {
		before := maps.Clone(most)
		for _, size := range []int{1000, 30_000, 300_000} {
			for _, name := range slices.Sorted(maps.Keys(newWorst(t, kind, size).fn)) {
				if _, tried := before[name]; tried {
					continue
				}
				w := newWorst(t, kind, size) // another for each: they change environments and metatables
				w.sweep(name, seed, size < 300_000)
				most[name] = max(most[name], w.most[name])
				if size == 1000 && !w.worked[name] && !slices.Contains([]string{"error", "coroutine.yield", "table.setn", "cuckoo_filter_expire:fromstring"}, name) {
					t.Errorf("no arguments were found with which %s works: give it some in testdata/lua/worst.lua", name)
				}
			}
		}
	}
	names := slices.SortedFunc(maps.Keys(most), func(a, b string) int { return int(most[b] - most[a]) })
	for _, name := range names[:min(20, len(names))] {
		t.Logf("%-28s %5.0f ns a unit", name, most[name])
	}
}
