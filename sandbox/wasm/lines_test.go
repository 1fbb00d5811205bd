package wasm

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/sandboxtest"
	"sandbar/sandbox/wasm/meter"
)

const trapping = `#include "sandbar.h"
static volatile int zero;
__attribute__((noinline)) static int divide(int a) {
  int b = a + 1;
  return b / zero;
}
__attribute__((noinline)) static int deeper(int a) {
  if (a > 100) {
    return 1;
  }
  return divide(a) + 1;
}
int sandbar_process(int n) {
  return deeper(n);
}
`

// FuzzLines: DWARF from anywhere gives a line or none, soon.
func FuzzLines(f *testing.F) {
	source := filepath.Join(f.TempDir(), "trapping.c")
	if err := os.WriteFile(source, []byte(trapping), 0o644); err != nil {
		f.Fatal(err)
	}
	module := compileC(f, source, "-gdwarf-4")
	m, err := meter.Rewrite(module, meter.Options{Pages: 100, Entries: 100, Offsets: true})
	if err != nil {
		f.Fatal(err)
	}
	part := func(name string) []byte { return module[m.CustomData[name][0]:m.CustomData[name][1]] }
	f.Add(part(".debug_abbrev"), part(".debug_info"), part(".debug_line"), part(".debug_str"), uint32(100))
	f.Fuzz(func(_ *testing.T, abbrev, info, line, str []byte, at uint32) {
		all, sections := bytes.Join([][]byte{abbrev, info, line, str}, nil), map[string][2]int{}
		from := 0
		for i, b := range [][]byte{abbrev, info, line, str} {
			sections[[]string{".debug_abbrev", ".debug_info", ".debug_line", ".debug_str"}[i]] = [2]int{from, from + len(b)}
			from += len(b)
		}
		d := &debugInfo{source: all, info: &meter.Module{CustomData: sections}}
		d.line(uint64(at))
	})
}

// TestTrapNamesTheLine: the text names function, file and line where the module has DWARF, and the function where it has not.
func TestTrapNamesTheLine(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "trapping.c")
	if err := os.WriteFile(source, []byte(trapping), 0o644); err != nil {
		t.Fatal(err)
	}
	e := engine(t)
	for _, tt := range []struct {
		flags []string
		text  string
		trace string
	}{
		{[]string{"-g"}, "integer divide by zero in divide at trapping.c:5", "trapping.c:11"},
		{[]string{"-gdwarf-4", "-O0"}, "integer divide by zero in divide at trapping.c:5", "trapping.c:14"},
		{[]string{"-gdwarf-5"}, "integer divide by zero in divide at trapping.c:5", "trapping.c:11"},
		{nil, "integer divide by zero in divide", "deeper"},
	} {
		p, err := loaded(e, "", compileC(t, source, tt.flags...))
		if err != nil {
			t.Fatal(err)
		}
		res := p.Process(sandboxtest.Sample(t))
		if res.Outcome != sandbox.RuntimeError || res.Text != tt.text || !strings.Contains(res.Trace, tt.trace) {
			t.Errorf("%v: %v %q\n%s", tt.flags, res.Outcome, res.Text, res.Trace)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLinesHaveABudget: thousands of units that name the same long list of ranges are not followed to the end.
func TestLinesHaveABudget(t *testing.T) {
	t.Parallel()
	abbrev := []byte{1, 0x11, 0, 0x55, 0x17, 0, 0, 0} // a compile unit with an offset into the ranges
	info := bytes.Repeat([]byte{12, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0}, 5000)
	var ranges []byte
	for i := range uint32(5000) {
		ranges = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(ranges, 1000+i), 1001+i)
	}
	ranges = append(ranges, make([]byte, 8)...)
	var source []byte
	sections := map[string][2]int{}
	for name, b := range map[string][]byte{".debug_abbrev": abbrev, ".debug_info": info, ".debug_ranges": ranges} {
		sections[name] = [2]int{len(source), len(source) + len(b)}
		source = append(source, b...)
	}
	d := &debugInfo{source: source, info: &meter.Module{CustomData: sections}}
	if got := d.line(5); got != "" || d.steps < maxSteps || d.steps > maxSteps+len(ranges) {
		t.Errorf("%q after %d steps", got, d.steps)
	}
}
