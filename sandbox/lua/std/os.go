package std

import (
	"math"
	"strconv"
	"strings"
	"time"

	"sandbar/sandbox/lua/vm"
)

// clock is the os module: times only, always in UTC.
type clock struct {
	read  func() time.Time
	start time.Time
}

func openOS(L *vm.State, now func() time.Time) *vm.Table {
	m := &clock{read: now}
	if now != nil {
		m.start = now()
	}
	return functions(L, map[string]vm.HostFunc{"clock": m.clock, "date": m.date, "difftime": m.difftime, "time": m.time})
}

func (m *clock) now(L *vm.State) time.Time {
	if m.read == nil {
		L.Throw("os: there is no clock here")
	}
	return m.read()
}

// clock is the seconds since the module was loaded.
func (m *clock) clock(L *vm.State) int {
	L.PushFloat(float64(m.now(L).Sub(m.start).Seconds()))
	return 1
}

func (m *clock) difftime(L *vm.State) int {
	later := L.CheckNumber(1)
	earlier := 0.0
	if !L.Arg(2).IsNil() {
		earlier = L.CheckNumber(2)
	}
	L.PushFloat(float64(math.Trunc(later) - math.Trunc(earlier)))
	return 1
}

// time is time([table]).
func (m *clock) time(L *vm.State) int {
	if L.Arg(1).IsNil() {
		L.PushFloat(float64(m.now(L).Unix()))
		return 1
	}
	t := L.CheckTable(1)
	L.Spend(20)
	sec, minute, hour := part(L, t, "sec", 0), part(L, t, "min", 0), part(L, t, "hour", 12)
	day, month, year := part(L, t, "day", -1), part(L, t, "month", -1), part(L, t, "year", -1)
	at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() + int64(hour)*3600 + int64(minute)*60 + int64(sec)
	if L.Field(t, "isdst").True() { // there is no summer time in UTC, so it is taken off, as C does
		at -= 3600
	}
	if at == -1 { // C's sign of failure
		L.Push(vm.Nil)
		return 1
	}
	L.PushFloat(float64(at))
	return 1
}

// part is a field of a table for time; a negative otherwise says that it must be there.
func part(L *vm.State, t *vm.Table, name string, otherwise int) int {
	f, ok := L.ToNumber(L.Field(t, name))
	switch {
	case ok:
		return min(max(vm.ToInt(float64(f)), math.MinInt32), math.MaxInt32)
	case otherwise < 0:
		L.Throwf("field '%s' missing in date table", name)
	}
	return otherwise
}

// lastDate is the first second whose year is more than C can hold.
const lastDate = 67768036191676800

// date is date([format [, time]]).
func (m *clock) date(L *vm.State) int {
	format := L.OptString(1, "%c")
	var at time.Time
	if L.Arg(2).IsNil() {
		at = m.now(L).UTC()
	} else {
		sec := L.CheckNumber(2)
		if !(math.Abs(sec) < lastDate) {
			L.Push(vm.Nil)
			return 1
		}
		at = time.Unix(int64(sec), 0).UTC()
	}
	zone := "UTC"
	if strings.HasPrefix(format, "!") {
		format, zone = format[1:], "GMT"
	}
	if format == "*t" {
		L.Push(parts(L, at).Value())
		return 1
	}
	L.Spend(int64(len(format)) / 16)
	room(L, len(format)+32*strings.Count(format, "%"))
	L.Spend(16 * int64(strings.Count(format, "%")))
	d := date{at, zone}
	var out []byte
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			break
		}
		out = append(out, format[:i]...)
		format = format[i+1:]
		if format == "" || !isSpecifier(format[0]) { // as it stands
			out = append(out, '%')
			continue
		}
		out = d.append(out, format[0])
		format = format[1:]
	}
	L.PushString(string(append(out, format...)))
	return 1
}

// isSpecifier says whether there is such a conversion in C99 or of glibc.
func isSpecifier(c byte) bool {
	return strings.IndexByte("aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%", c) >= 0
}

// parts is the table of "*t".
func parts(L *vm.State, at time.Time) *vm.Table {
	L.Spend(40)
	t := L.NewTable(0, 9)
	for _, p := range []struct {
		name string
		n    int
	}{
		{"sec", at.Second()}, {"min", at.Minute()}, {"hour", at.Hour()}, {"day", at.Day()}, {"month", int(at.Month())}, {"year", at.Year()},
		{"wday", int(at.Weekday()) + 1}, {"yday", at.YearDay()},
	} {
		L.SetField(t, p.name, vm.Int(p.n))
	}
	L.SetField(t, "isdst", vm.False)
	return t
}

// date formats a time as strftime does in the C locale.
type date struct {
	time.Time
	zone string
}

func (d date) append(b []byte, verb byte) []byte {
	switch verb {
	case 'a':
		return append(b, d.Weekday().String()[:3]...)
	case 'A':
		return append(b, d.Weekday().String()...)
	case 'b', 'h':
		return append(b, d.Month().String()[:3]...)
	case 'B':
		return append(b, d.Month().String()...)
	case 'c':
		return d.all(b, "a b e T Y")
	case 'C':
		return digits(b, int(math.Floor(float64(d.Year())/100)), 2, '0')
	case 'd':
		return digits(b, d.Day(), 2, '0')
	case 'D', 'x':
		return d.all(b, "m/d/y")
	case 'e':
		return digits(b, d.Day(), 2, ' ')
	case 'F':
		return d.all(b, "Y-m-d")
	case 'H':
		return digits(b, d.Hour(), 2, '0')
	case 'I':
		return digits(b, (d.Hour()+11)%12+1, 2, '0')
	case 'j':
		return digits(b, d.YearDay(), 3, '0')
	case 'm':
		return digits(b, int(d.Month()), 2, '0')
	case 'M':
		return digits(b, d.Minute(), 2, '0')
	case 'n':
		return append(b, '\n')
	case 'p':
		if d.Hour() < 12 {
			return append(b, "AM"...)
		}
		return append(b, "PM"...)
	case 'k':
		return digits(b, d.Hour(), 2, ' ')
	case 'l':
		return digits(b, (d.Hour()+11)%12+1, 2, ' ')
	case 'P':
		if d.Hour() < 12 {
			return append(b, "am"...)
		}
		return append(b, "pm"...)
	case 's':
		return strconv.AppendInt(b, d.Unix(), 10)
	case 'r':
		return d.all(b, "I:M:S p")
	case 'R':
		return d.all(b, "H:M")
	case 'S':
		return digits(b, d.Second(), 2, '0')
	case 't':
		return append(b, '\t')
	case 'T', 'X':
		return d.all(b, "H:M:S")
	case 'y':
		return digits(b, ((d.Year()%100)+100)%100, 2, '0')
	case 'Y':
		return strconv.AppendInt(b, int64(d.Year()), 10)
	case 'z':
		return append(b, "+0000"...)
	case 'Z':
		return append(b, d.zone...)
	case '%':
		return append(b, '%')
	}
	return d.week(b, verb)
}

// week appends what numbers weeks and their days.
func (d date) week(b []byte, verb byte) []byte {
	year, week := d.ISOWeek()
	switch verb {
	case 'g':
		return digits(b, ((year%100)+100)%100, 2, '0')
	case 'G':
		return strconv.AppendInt(b, int64(year), 10)
	case 'u':
		return digits(b, (int(d.Weekday())+6)%7+1, 1, '0')
	case 'U':
		return digits(b, (d.YearDay()+6-int(d.Weekday()))/7, 2, '0')
	case 'V':
		return digits(b, week, 2, '0')
	case 'w':
		return digits(b, int(d.Weekday()), 1, '0')
	}
	return digits(b, (d.YearDay()+6-(int(d.Weekday())+6)%7)/7, 2, '0') // W
}

// all appends a form whose letters are verbs.
func (d date) all(b []byte, form string) []byte {
	for i := range len(form) {
		if c := form[i] | 0x20; c >= 'a' && c <= 'z' {
			b = d.append(b, form[i])
		} else {
			b = append(b, form[i])
		}
	}
	return b
}

// digits appends n, filled up to a width.
func digits(b []byte, n, width int, fill byte) []byte {
	var buf [20]byte
	text := strconv.AppendInt(buf[:0], int64(n), 10)
	for range width - len(text) {
		b = append(b, fill)
	}
	return append(b, text...)
}
