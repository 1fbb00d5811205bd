package matcher_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// anyExpr draws an expression, fully parenthesised or not.
func anyExpr(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom([]string{
			"TRUE", "FALSE", "Type == 'a'", "Type == 'b'", "Type != 'a'", "Type =~ '^a'", "Logger == 'x'", "Logger == NIL", "Severity > 4", "Pid == 2",
			"Fields[n] == 0", "Fields[n] == 1", "Fields[n] == -0", "Fields[n] == 2", "Fields[n] > 1", "Fields[n] == 'a'", "Fields[n] != NIL", "Fields[n][0][1] == 1", "Fields[n][1] == 'a'",
			"Fields[s] == 'a'", "Fields[s] == 'b'", "Fields[s] == 1", "Fields[s] !~ 'a'", "Fields[s] == TRUE",
		}).Draw(t, "test")
	}
	op := rapid.SampledFrom([]string{" && ", " || "}).Draw(t, "op")
	kids := make([]string, rapid.IntRange(2, 4).Draw(t, "kids"))
	for i := range kids {
		kids[i] = anyExpr(t, depth-1)
	}
	s := strings.Join(kids, op)
	if rapid.Bool().Draw(t, "parentheses") {
		s = "(" + s + ")"
	}
	return s
}

func anyView(t *rapid.T) *message.View {
	var b message.Builder
	b.SetHeader(message.Type, rapid.SampledFrom([]string{"a", "b", "ab", ""}).Draw(t, "type"))
	if rapid.Bool().Draw(t, "has logger") {
		b.SetHeader(message.Logger, "x")
	}
	b.SetSeverity(rapid.Int32Range(0, 7).Draw(t, "severity"))
	for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"n", "s"}), 0, 4).Draw(t, "fields") {
		switch rapid.IntRange(0, 3).Draw(t, "type") {
		case 0:
			b.AddInt(name, "", rapid.SliceOfN(rapid.Int64Range(0, 2), 0, 2).Draw(t, "ints")...)
		case 1:
			b.AddDouble(name, "", rapid.SampledFrom([]float64{0, 1, math.Copysign(0, -1), 1.5}).Draw(t, "double"))
		case 2:
			b.AddBool(name, "", rapid.Bool().Draw(t, "bool"))
		case 3:
			b.AddString(name, "", rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "string"))
		}
	}
	v := new(message.View)
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestIndexIsEveryMatcherByItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ms []*matcher.Matcher
		for range rapid.IntRange(0, 12).Draw(t, "matchers") {
			m, err := matcher.Parse(anyExpr(t, 3))
			if err != nil {
				t.Fatal(err)
			}
			ms = append(ms, m)
		}
		x := matcher.NewIndex(ms)
		for range 5 {
			v := anyView(t)
			want := []int{7}
			for i, m := range ms {
				if m.Match(v) {
					want = append(want, i)
				}
			}
			if got := x.Match(v, []int{7}); !slices.Equal(got, want) {
				t.Fatalf("index found %v, one by one %v in %v", got, want, ms)
			}
		}
	})
}

// naive evaluates an expression by the grammar alone: split at ||, then at &&, outside parentheses.
func naive(expr string, v *message.View) bool {
	for _, op := range []string{"||", "&&"} {
		if parts := split(expr, op); len(parts) > 1 {
			for _, p := range parts {
				if naive(p, v) == (op == "||") {
					return op == "||"
				}
			}
			return op == "&&"
		}
	}
	expr = strings.TrimSpace(expr)
	if strings.HasPrefix(expr, "(") {
		return naive(expr[1:len(expr)-1], v)
	}
	m, err := matcher.Parse(expr)
	if err != nil {
		panic(err)
	}
	return m.Match(v)
}

func split(expr, op string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(expr) {
		switch {
		case expr[i] == '(':
			depth++
		case expr[i] == ')':
			depth--
		case depth == 0 && strings.HasPrefix(expr[i:], op):
			parts = append(parts, expr[from:i])
			from = i + 2
		}
	}
	return append(parts, expr[from:])
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expr := anyExpr(t, 4)
		m, err := matcher.Parse(expr)
		if err != nil && strings.Contains(err.Error(), "at most 128 tests") {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		v := anyView(t)
		if got, want := m.Match(v), naive(expr, v); got != want {
			t.Fatalf("%s is %v, by the grammar %v", expr, got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("Type == 'a' && (Fields[x][1] =~ '^%d' || Pid != NIL)")
	f.Add("Timestamp > '2014-04-04T11:56:40Z' || Fields[a] == TRUE")
	f.Fuzz(func(t *testing.T, expr string) {
		m, err := matcher.Parse(expr)
		if err != nil {
			return
		}
		v := full(t)
		m.HindsightDiffers()
		if got := len(matcher.NewIndex([]*matcher.Matcher{m}).Match(v, nil)) == 1; got != m.Match(v) {
			t.Fatalf("%q is %v in an index", expr, got)
		}
	})
}

// numbered is a message of some 525 bytes and ten fields, as Hindsight's figures have it.
func numbered(b testing.TB, n int64) *message.View {
	return view(b, func(mb *message.Builder) {
		mb.SetUUID(make([]byte, 16))
		mb.SetTimestamp(1_700_000_000_000_000_000)
		mb.SetHeader(message.Type, "telemetry")
		mb.SetHeader(message.Logger, "telemetry")
		mb.SetHeader(message.Payload, strings.Repeat("p", 180))
		mb.SetHeader(message.Hostname, "edge-01.example.com")
		for i := range 8 {
			mb.AddString(fmt.Sprintf("field%d", i), "", strings.Repeat("v", 12))
		}
		mb.AddInt("n", "", n)
		mb.AddDouble("d", "", 1.5)
	})
}

func parseAll(b testing.TB, n int, expr func(i int) string) []*matcher.Matcher {
	ms := make([]*matcher.Matcher, n)
	for i := range ms {
		m, err := matcher.Parse(expr(i))
		if err != nil {
			b.Fatal(err)
		}
		ms[i] = m
	}
	return ms
}

func BenchmarkIndex(b *testing.B) {
	shapes := []string{"Type == 'telemetry' && Fields[n] == %d", "Fields[n] == %d || Fields[n] == 1%d", "Type == 'x%d' && Fields[d] > 2", "Fields[field1] =~ '^x%d'"}
	sets := map[string][]*matcher.Matcher{
		"100 by one number": parseAll(b, 100, func(i int) string { return fmt.Sprintf("Fields[n] == %d", i) }),
		"1000 mixed": parseAll(b, 1000, func(i int) string {
			return strings.ReplaceAll(shapes[i%len(shapes)], "%d", fmt.Sprint(i))
		}),
	}
	views := make([]*message.View, 100)
	for i := range views {
		views[i] = numbered(b, int64(i))
	}
	for name, ms := range sets {
		b.Run(name+"/index", func(b *testing.B) {
			x := matcher.NewIndex(ms)
			var ids []int
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				ids = x.Match(views[i%len(views)], ids[:0])
			}
		})
		b.Run(name+"/one by one", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				for _, m := range ms {
					m.Match(views[i%len(views)])
				}
			}
		})
	}
}
