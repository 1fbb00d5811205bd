package wasm

import (
	"bytes"
	"debug/dwarf"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"sandbar/sandbox/wasm/meter"
)

// What is read of a module's DWARF: so many bytes at most, and for so many traces of one plugin, since whoever wrote the module wrote that too.
const (
	maxDebug  = 4 << 20
	maxTraces = 10
	maxSteps  = 2_000_000 // entries, ranges and rows of all traces together
)

// debugInfo finds source lines. It is nil for a module that has none.
type debugInfo struct {
	source []byte // the module as it was submitted
	info   *meter.Module
	traces int
	steps  int
	data   *dwarf.Data // nil until it is needed
}

// hasLines says whether a module's own DWARF is to be used.
func hasLines(source []byte) bool {
	return len(source) <= maxDebug && bytes.Contains(source, []byte(".debug_line"))
}

// offsetLine is a line of a trace that says where in the code section a function was.
var offsetLine = regexp.MustCompile(`^\s*0x([0-9a-f]+): `)

// inTrace replaces the offsets of a trace by files and lines, and returns the first place too; "" when none is known.
func (d *debugInfo) inTrace(trace string) (first, lines string) {
	var out strings.Builder
	d.traces++
	for line := range strings.Lines(trace) {
		m := offsetLine.FindStringSubmatch(line)
		if m == nil {
			out.WriteString(line)
			continue
		}
		offset, err := strconv.ParseInt(m[1], 16, 32)
		if err != nil || d.traces > maxTraces {
			continue
		}
		place := d.place(int(offset))
		if place == "" {
			continue
		}
		if first == "" {
			first = place
		}
		out.WriteString("\t\t" + place + "\n")
	}
	return first, out.String()
}

// place is the file and line of an offset of the new code section.
func (d *debugInfo) place(offset int) string {
	was, ok := d.info.Original(offset)
	if !ok {
		return ""
	}
	return d.line(uint64(was))
}

// line is the file and line of an offset of the original. The debug/dwarf package is not made for hostile input.
func (d *debugInfo) line(offset uint64) (found string) {
	defer func() {
		if recover() != nil {
			found = ""
		}
	}()
	if d.data == nil {
		data, err := d.read()
		if err != nil {
			return ""
		}
		d.data = data
	}
	return d.lineAt(offset)
}

// read reads the module's DWARF.
func (d *debugInfo) read() (*dwarf.Data, error) {
	total := 0
	part := func(name string) []byte {
		at := d.info.CustomData[name]
		total += at[1] - at[0]
		return d.source[at[0]:at[1]]
	}
	abbrev, info, line, ranges, str := part(".debug_abbrev"), part(".debug_info"), part(".debug_line"), part(".debug_ranges"), part(".debug_str")
	if total > maxDebug {
		return nil, errors.New("there is too much of it")
	}
	data, err := dwarf.New(abbrev, nil, nil, info, line, nil, ranges, str)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{".debug_addr", ".debug_line_str", ".debug_str_offsets", ".debug_rnglists"} {
		if b := part(name); len(b) > 0 {
			if err := data.AddSection(name, b); err != nil {
				return nil, err
			}
		}
	}
	return data, nil
}

// spend takes steps and says whether there are any left: entries may lead back to themselves, and many units to the same long list.
func (d *debugInfo) spend(n int) bool {
	d.steps += n
	return d.steps <= maxSteps
}

// lineAt is the line of the row with the greatest address that is not beyond it, in the units that cover it.
func (d *debugInfo) lineAt(address uint64) string {
	data := d.data
	r := data.Reader()
	best, place := uint64(0), ""
	for d.spend(1) {
		unit, err := r.Next()
		if err != nil || unit == nil {
			return place
		}
		if unit.Tag != dwarf.TagCompileUnit {
			r.SkipChildren()
			continue
		}
		r.SkipChildren()
		if !d.covers(unit, address) {
			continue
		}
		at := d.info.CustomData[".debug_line"]
		if !d.spend((at[1] - at[0]) / 16) { // the head of a program may be as long as all of them
			return place
		}
		lines, err := data.LineReader(unit)
		if err != nil || lines == nil {
			continue
		}
		var row dwarf.LineEntry
		for d.spend(1) {
			if err := lines.Next(&row); err != nil {
				if !errors.Is(err, io.EOF) {
					return place
				}
				break
			}
			if !row.EndSequence && row.File != nil && row.Line > 0 && row.Address <= address && row.Address >= best {
				best, place = row.Address, fmt.Sprintf("%s:%d", path.Base(row.File.Name), row.Line)
			}
		}
	}
	return place
}

func (d *debugInfo) covers(unit *dwarf.Entry, address uint64) bool {
	ranges, err := d.data.Ranges(unit)
	if err != nil || !d.spend(len(ranges)) {
		return false
	}
	for _, r := range ranges {
		if r[0] <= address && address < r[1] {
			return true
		}
	}
	return false
}
