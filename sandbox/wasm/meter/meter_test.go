package meter

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// build makes a module of sections.
func build(sections ...[]byte) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		out = append(out, s...)
	}
	return out
}

func section(id byte, content ...byte) []byte { return appendSection(nil, id, content) }

// one is a module of one exported function f of that type with that code, without its end, and a memory and a table.
func one(params, results, locals, code string) []byte {
	typ := appendName([]byte{1, 0x60}, params)
	typ = appendName(typ, results)
	body := append([]byte(locals), code...)
	body = append(body, opEnd)
	return build(section(secType, typ...), section(secFunction, 1, 0), section(secTable, 1, funcref, 0, 2), section(secMemory, 1, 0, 1),
		section(secExport, 1, 1, 'f', 0, 0), section(secCode, append([]byte{1, byte(len(body))}, body...)...))
}

func options() Options { return Options{Pages: 4, Entries: 100} }

// run calls f of a metered module with that much fuel and returns its result, the fuel that is left, and the error.
func run(t *testing.T, module []byte, fuel int64, args ...uint64) (result uint64, left int64, err error) {
	t.Helper()
	m, err := Rewrite(module, options())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	mod, err := r.Instantiate(ctx, m.Code)
	if err != nil {
		t.Fatalf("%v\n%x", err, m.Code)
	}
	g := mod.ExportedGlobal(Fuel).(api.MutableGlobal)
	g.Set(uint64(fuel))
	out, err := mod.ExportedFunction("f").Call(ctx, args...)
	if len(out) > 0 {
		result = out[0]
	}
	return result, int64(g.Get()), err
}

func TestCosts(t *testing.T) {
	t.Parallel()
	const noLocals = "\x00"
	for name, tt := range map[string]struct {
		code string
		arg  uint64
		want uint64
		fuel int64
	}{
		"nothing":          {"\x20\x00", 7, 7, 2 + 1},
		"an addition":      {"\x20\x00\x41\x05\x6a", 7, 12, 2 + 3},
		"return":           {"\x20\x00\x0f\x41\x01\x1a", 7, 7, 2 + 2},
		"if":               {"\x20\x00\x04\x7f\x41\x01\x05\x41\x02\x41\x03\x6a\x0b", 0, 5, 2 + 2 + 3},
		"if, other arm":    {"\x20\x00\x04\x7f\x41\x01\x05\x41\x02\x41\x03\x6a\x0b", 1, 1, 2 + 2 + 1},
		"a loop":           {"\x03\x40\x20\x00\x41\x01\x6b\x22\x00\x0d\x00\x0b\x20\x00", 5, 0, 2 + 5*5 + 1},
		"a division":       {"\x20\x00\x41\x02\x6d", 8, 4, 2 + 2 + costDivide},
		"load and store":   {"\x41\x00\x20\x00\x36\x02\x00\x41\x00\x28\x02\x00", 9, 9, 2 + 2 + costStore + 1 + costMemory},
		"fill":             {"\x41\x00\x41\x01\x20\x00\xfc\x0b\x00\x41\x00\x2d\x00\x00", 64, 1, 2 + 3 + 2 + 4 + 1 + costMemory},
		"grow":             {"\x20\x00\x40\x00", 2, 1, 2 + 1 + costGrow + 2*costPage},
		"branch out":       {"\x02\x40\x20\x00\x0d\x00\x41\x01\x1a\x0b\x20\x00", 1, 1, 2 + 2 + 1 + 1},
		"block of a value": {"\x02\x7f\x41\x04\x0b\x20\x00\x6a", 1, 5, 2 + 3},
	} {
		got, left, err := run(t, one("\x7f", "\x7f", noLocals, tt.code), 1_000_000, tt.arg)
		if err != nil || got != tt.want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, tt.want)
		}
		if used := 1_000_000 - left; used != tt.fuel {
			t.Errorf("%s takes %d units, want %d", name, used, tt.fuel)
		}
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	loop := one("", "", "\x00", "\x03\x40\x0c\x00\x0b")
	if _, left, err := run(t, loop, 100_000); err == nil || left != -1 {
		t.Errorf("an endless loop: %v, %d units are left", err, left)
	}
	recursion := one("", "", "\x00", "\x10\x00")
	m, err := Rewrite(recursion, options())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	mod, err := r.Instantiate(ctx, m.Code)
	if err != nil {
		t.Fatal(err)
	}
	fuel, stack, full := mod.ExportedGlobal(Fuel).(api.MutableGlobal), mod.ExportedGlobal(Stack), mod.ExportedGlobal(Full)
	fuel.Set(1 << 40)
	if _, err := mod.ExportedFunction("f").Call(ctx); err == nil || int64(stack.Get()) >= 0 || int64(fuel.Get()) < 0 || full.Get() != 0 {
		t.Errorf("an endless recursion: %v, stack %d, fuel %d", err, int64(stack.Get()), int64(fuel.Get()))
	}
}

// TestRefused holds what is wrong with a module to where and why.
func TestRefused(t *testing.T) {
	t.Parallel()
	good := one("\x7f", "\x7f", "\x00", "\x20\x00")
	for name, tt := range map[string]struct {
		module []byte
		at     int
		text   string
	}{
		"nothing":           {nil, 0, "no WebAssembly module"},
		"a component":       {[]byte("\x00asm\x0d\x00\x01\x00rest"), 4, "core module"},
		"another version":   {[]byte("\x00asm\x02\x00\x00\x00"), 4, "version 2"},
		"cut":               {good[:len(good)-3], 38, "ends after"},
		"unknown section":   {build(section(14)), 8, "not known"},
		"twice":             {build(section(secType, 0), section(secType, 0)), 11, "twice"},
		"imports a memory":  {build(section(secImport, 1, 1, 'a', 1, 'b', 2, 0, 1)), 11, "no function"},
		"our export":        {build(section(secMemory, 1, 0, 1), section(secExport, append(appendName([]byte{1}, Fuel), 2, 0)...)), 16, "host's"},
		"our import":        {build(section(secType, 1, 0x60, 0, 0), section(secImport, append(append([]byte{1, 1, 'a'}, appendName(nil, Stack)...), 0, 0)...)), 17, "host's"},
		"shared memory":     {build(section(secMemory, 1, 3, 1, 1)), 11, "shared"},
		"much memory":       {build(section(secMemory, 1, 0, 5)), 10, "memory_limit allows 262144"},
		"large table":       {build(section(secTable, 1, funcref, 0, 101)), 11, "100 are allowed"},
		"two memories":      {build(section(secMemory, 2, 0, 1, 0, 1)), 10, "1 are allowed"},
		"vector global":     {build(section(secGlobal, 1, v128, 1)), 11, "could not be saved"},
		"atomics":           {one("", "", "\x00", "\xfe\x03\x00"), 41, "not known"},
		"tail call":         {one("", "", "\x00", "\x12\x00"), 41, "not known"},
		"empty stack":       {one("", "\x7f", "\x00", ""), 43, "there is none"},
		"wrong type":        {one("\x7f", "\x7e", "\x00", "\x20\x00"), 46, "takes i64, and there is i32"},
		"too many values":   {one("\x7f", "", "\x00", "\x20\x00"), 45, "too many"},
		"unknown local":     {one("", "", "\x00", "\x20\x01\x1a"), 42, "no local 1"},
		"branch too far":    {one("", "", "\x00", "\x0c\x01"), 42, "blocks out"},
		"thousands locals":  {one("", "", "\x01\xd1\x0f\x7f", ""), 41, "2000 are allowed"},
		"over-aligned load": {one("", "", "\x00", "\x41\x00\x28\x03\x00\x1a"), 44, "aligned"},
		"undeclared ref":    {build(section(secType, 1, 0x60, 0, 0), section(secFunction, 1, 0), section(secCode, 1, 5, 0, opRefFunc, 0, opDrop, opEnd)), 23, "not declared"},
	} {
		_, err := Rewrite(tt.module, options())
		var fault *Error
		if !errors.As(err, &fault) || !strings.Contains(fault.Text, tt.text) {
			t.Errorf("%s: %v, want %q", name, err, tt.text)
			continue
		}
		if fault.Offset != tt.at {
			t.Errorf("%s: at byte %d, want %d: %v", name, fault.Offset, tt.at, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, -1, 63, 64, -64, -65, 1 << 31, -1 << 31, 1<<31 - 1, 1 << 40, -1 << 63, 1<<63 - 1} {
		b := appendSigned(nil, n)
		r := &reader{b: b, end: len(b)}
		if got := r.signed(64); got != n || r.err != nil || r.at != len(b) {
			t.Errorf("%d is read as %d, %v", n, got, r.err)
		}
		if n == int64(int32(n)) {
			r = &reader{b: b, end: len(b)}
			if got := r.signed(32); got != n || r.err != nil {
				t.Errorf("%d of 32 bits is read as %d, %v", n, got, r.err)
			}
		} else if r = (&reader{b: b, end: len(b)}); r.signed(32) != n && r.err == nil {
			t.Errorf("%d was taken for 32 bits", n)
		}
		u := binary.AppendUvarint(nil, uint64(n))
		r = &reader{b: u, end: len(u)}
		if got := r.unsigned(64); got != uint64(n) || r.err != nil {
			t.Errorf("%d is read as %d, %v", uint64(n), got, r.err)
		}
	}
}

// FuzzRewrite: never a panic, and what is accepted wazero accepts as well.
func FuzzRewrite(f *testing.F) {
	for _, code := range []string{"\x20\x00", "\x03\x40\x20\x00\x0d\x00\x0b\x20\x00", "\x20\x00\x40\x00", "\x20\x00\x04\x7f\x41\x01\x05\x41\x02\x0b", "\x41\x00\x41\x01\x20\x00\xfc\x0b\x00\x20\x00",
		"\x02\x40\x02\x40\x20\x00\x0e\x01\x00\x01\x0b\x0b\x20\x00", "\xd2\x00\xd1", "\x00"} {
		f.Add(one("\x7f", "\x7f", "\x00", code))
	}
	ctx := context.Background()
	config := wazero.NewRuntimeConfigInterpreter() // checks the same, and is quicker
	f.Fuzz(func(t *testing.T, module []byte) {
		m, err := Rewrite(module, options())
		if err != nil {
			return
		}
		r := wazero.NewRuntimeWithConfig(ctx, config)
		defer r.Close(ctx)
		if _, err := r.CompileModule(ctx, m.Code); err != nil {
			t.Fatalf("%v\n%x\n%x", err, module, m.Code)
		}
	})
}
