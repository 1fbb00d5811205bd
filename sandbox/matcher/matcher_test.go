package matcher_test

import (
	"errors"
	"strings"
	"testing"

	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

func view(t testing.TB, build func(b *message.Builder)) *message.View {
	t.Helper()
	var b message.Builder
	build(&b)
	v := new(message.View)
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return v
}

// full has every header and every kind of field; bare has only Type.
func full(t testing.TB) *message.View {
	return view(t, func(b *message.Builder) {
		b.SetUUID([]byte("\x01\x02345678901234\xff\x00"))
		b.SetTimestamp(1_396_612_600_000_000_000) // 2014-04-04T11:56:40Z
		b.SetHeader(message.Type, "TEST")
		b.SetHeader(message.Logger, "GoSpec")
		b.SetHeader(message.Hostname, "www.example.com")
		b.SetHeader(message.EnvVersion, "0.8")
		b.SetHeader(message.Payload, "Test Payload")
		b.SetSeverity(6)
		b.SetPid(14098)
		b.AddString("foo", "", "bar", "second")
		b.AddString("foo", "", "again", "x")
		b.AddBytes("data", "json", []byte("{\"a\":1}"))
		b.AddInt("int", "B", 999, 1024)
		b.AddInt("one", "", 1)
		b.AddInt("zero", "", 0)
		b.AddDouble("double", "", 99.9, -1.5)
		b.AddBool("true", "", true, false)
		b.AddBool("false", "", false)
		b.AddString("empty", "", "")
		b.AddString("none", "")
		b.AddString("quote", "", `it's "quoted" \ here`)
		b.AddString("a.b-c[d", "", "odd name")
	})
}

const bare = "bare:" // expressions after it are asked of a message that has nothing but a Type

func TestTruth(t *testing.T) {
	t.Parallel()
	yes := []string{
		"TRUE", " TRUE ", "(TRUE)", "((TRUE))", "TRUE || FALSE", "FALSE || TRUE", "TRUE && TRUE", "FALSE && FALSE || TRUE", "TRUE || FALSE && FALSE", "TRUE && (FALSE || TRUE)",
		"TRUE&&TRUE||FALSE", "\t\r\nTRUE\n&&\tTRUE",
		// headers that hold text
		"Type == 'TEST'", `Type == "TEST"`, "Type != 'test'", "Type >= 'TEST'", "Type >= 'TES'", "Type >= 'SEST'", "Type > 'TES'", "Type > 'S'", "Type <= 'TEST'", "Type <= 'TESTS'", "Type < 'TESTS'", "Type < 'U'",
		"Type =~ 'ES'", "Type =~ '^TEST$'", "Type =~ '^%u+$'", "Type !~ '^es'", "Type =~ 'ES'%", "Type !~ '^TEST$'%", "Type != NIL",
		"Logger == 'GoSpec'", "Logger != 'Go'", "Logger =~ '^Go'", "Logger < 'H'", "Hostname == 'www.example.com'", "Hostname =~ 'example%.com$'", "Hostname >= 'www'", "EnvVersion == '0.8'", "EnvVersion > '0.7'", "EnvVersion < '0.9'",
		"Payload == 'Test Payload'", "Payload =~ 'Payload'", "Payload !~ 'xyz'", "Payload != NIL",
		// headers that are missing
		bare + "Logger != 'x'", bare + "Logger < 'x'", bare + "Logger <= 'x'", bare + "Logger !~ 'x'", bare + "Logger == NIL", bare + "Payload == NIL", bare + "Hostname == NIL", bare + "EnvVersion == NIL", bare + "Pid == NIL", bare + "Severity == 7", bare + "Uuid != 'x'", bare + "Uuid < 'x'", bare + "Timestamp == 0",
		// uuid
		"Uuid < '\x02'", "Uuid >= '\x01'", "Uuid != 'x'", "Uuid =~ '^\x01\x02345'", "Uuid !~ 'zzz'", "Uuid > '\x01'", "Uuid <= '\x01\x03'",
		// numbers
		"Timestamp == 1396612600000000000", "Timestamp != 1", "Timestamp > 1.3e18", "Timestamp >= 1396612600000000000", "Timestamp < 1.4e18", "Timestamp <= 1396612600000000000",
		"Timestamp == '2014-04-04T11:56:40Z'", "Timestamp == '2014-04-04T13:56:40+02:00'", "Timestamp == '2014-04-04T13:56:40+0200'", "Timestamp == '2014-04-04T06:56:40-05:00'", "Timestamp < '2014-04-04T11:56:40.5Z'", "Timestamp > \"2014-04-04T11:56:39.999Z\"", "Timestamp != '2014-04-04T11:56:41Z'", "Timestamp >= '2014-04-04T11:56:40Z'", "Timestamp <= '2014-04-04T11:56:40Z'",
		"Severity == 6", "Severity != 5", "Severity > 5", "Severity >= 6", "Severity < 7", "Severity <= 6", "Severity == 6.0", "Severity < 6.5", "Severity > -1", "Severity == +6", "Severity == 60e-1",
		"Pid == 14098", "Pid != 1", "Pid > 14097", "Pid >= 14098", "Pid < 14099", "Pid <= 14098", "Pid != NIL",
		// fields of text
		"Fields[foo] == 'bar'", "Fields[foo] != 'baz'", "Fields[foo] > 'ba'", "Fields[foo] >= 'bar'", "Fields[foo] < 'bas'", "Fields[foo] <= 'bar'", "Fields[foo] =~ '^b.r$'", "Fields[foo] !~ '^a'", "Fields[foo] =~ 'a'%", "Fields[foo] != NIL",
		"Fields[foo][0] == 'bar'", "Fields[foo][0][0] == 'bar'", "Fields[foo][0][1] == 'second'", "Fields[foo][1] == 'again'", "Fields[foo][1][1] == 'x'", "Fields[foo][2] == NIL", "Fields[foo][0][2] == NIL", "Fields[foo][0][255] == NIL", "Fields[foo][206] == NIL", "Fields[foo][249][246] == NIL",
		"Fields[empty] == ''", "Fields[empty] != NIL", "Fields[empty] < 'a'", "Fields[none] == NIL", "Fields[missing] == NIL", bare + "Fields[foo] == NIL", "Fields[a.b-c[d] == 'odd name'",
		`Fields[quote] == 'it\'s "quoted" \\ here'`, `Fields[quote] == "it's \"quoted\" \\ here"`, `Fields[quote] =~ '%\\'`, `Fields[quote] =~ '\ h'%`,
		// fields of bytes
		"Fields[data] == '{\"a\":1}'", "Fields[data] =~ '^{'", "Fields[data] > '{'", "Fields[data] !~ 'b'", "Fields[data] != NIL",
		// fields of numbers
		"Fields[int] == 999", "Fields[int] != 998", "Fields[int] > 998", "Fields[int] >= 999", "Fields[int] < 1000", "Fields[int] <= 999", "Fields[int][0][1] == 1024", "Fields[int] == 999.0", "Fields[int][0][2] == NIL", "Fields[int] != NIL",
		"Fields[double] == 99.9", "Fields[double] != 99", "Fields[double] > 99", "Fields[double] >= 99.9", "Fields[double] < 100", "Fields[double] <= 99.9", "Fields[double][0][1] == -1.5", "Fields[double][0][1] < 0",
		// truth
		"Fields[true] == TRUE", "Fields[true] != FALSE", "Fields[true][0][1] == FALSE", "Fields[false] == FALSE", "Fields[false] != TRUE", "Fields[true] != NIL", "Fields[one] == TRUE", "Fields[zero] == FALSE", "Fields[one] != FALSE", "Fields[int] != TRUE", "Fields[int] != FALSE",
		// together
		"Type == 'TEST' && Severity == 6", "Type == 'x' || Severity == 6", "(Type == 'x' || Severity == 6) && Pid > 0", "Type == 'x' && Type == 'y' || Pid > 0", "Pid > 0 || Type == 'x' && Type == 'y'",
		"Type=='TEST'&&Severity==6&&Fields[foo]=='bar'", "TRUE && (FALSE) || TRUE",
	}
	no := []string{
		"FALSE", "(FALSE)", "FALSE || FALSE", "TRUE && FALSE", "FALSE && TRUE", "FALSE && (TRUE || TRUE)", "(TRUE || TRUE) && FALSE", "FALSE && TRUE || FALSE",
		"Type == 'test'", "Type == 'TES'", "Type == 'TESTS'", "Type != 'TEST'", "Type >= 'TESTS'", "Type > 'TEST'", "Type > 'U'", "Type <= 'TES'", "Type < 'TEST'", "Type < 'A'", "Type =~ '^ES'", "Type =~ '^TEST$'%", "Type !~ 'ES'", "Type !~ 'ES'%", "Type == NIL", "Type == ''",
		"Logger == 'gospec'", "Logger != 'GoSpec'", "Logger !~ '^Go'", "Hostname == 'www'", "Hostname =~ '^example'", "EnvVersion < '0.8'", "EnvVersion >= '0.9'", "Payload == NIL", "Payload =~ '^Payload'", "Payload > 'Test Payload'",
		bare + "Logger == 'x'", bare + "Logger == ''", bare + "Logger > ''", bare + "Logger >= ''", bare + "Logger =~ ''", bare + "Logger =~ '.*'", bare + "Logger != NIL", bare + "Pid != NIL", bare + "Pid == 0", bare + "Pid != 0", bare + "Pid < 1", bare + "Uuid == ''", bare + "Severity == 6", bare + "Payload =~ 'x'%",
		"Uuid == 'x'", "Uuid > '\x02'", "Uuid =~ 'zzz'", "Uuid < '\x01'",
		"Timestamp == 1", "Timestamp != 1396612600000000000", "Timestamp > 1.4e18", "Timestamp < 1.3e18", "Timestamp >= 1.4e18", "Timestamp <= 1", "Timestamp == '2014-04-04T11:56:40+02:00'", "Timestamp > '2014-04-04T11:56:40Z'", "Timestamp < '2014-04-04T11:56:40Z'",
		"Severity == 5", "Severity != 6", "Severity > 6", "Severity >= 7", "Severity < 6", "Severity <= 5", "Pid == 1", "Pid != 14098", "Pid > 14098", "Pid < 14098", "Pid >= 14099", "Pid <= 1", "Pid == NIL",
		"Fields[foo] == 'ba'", "Fields[foo] != 'bar'", "Fields[foo] > 'bar'", "Fields[foo] >= 'bas'", "Fields[foo] < 'bar'", "Fields[foo] <= 'ba'", "Fields[foo] =~ '^a'", "Fields[foo] !~ 'a'", "Fields[foo] =~ '.r'%", "Fields[foo] == NIL", "Fields[foo][1] == 'bar'", "Fields[foo][0][1] == 'bar'", "Fields[foo][2] != NIL", "Fields[foo][0][9] != NIL",
		// another type, or nothing: false for every operator
		"Fields[foo] == 1", "Fields[foo] != 1", "Fields[foo] > 1", "Fields[foo] < 1", "Fields[foo] == TRUE", "Fields[foo] != TRUE", "Fields[int] == '999'", "Fields[int] != '999'", "Fields[int] =~ '9'", "Fields[int] !~ 'x'", "Fields[int] == TRUE", "Fields[int] == FALSE", "Fields[one] == FALSE", "Fields[zero] == TRUE", "Fields[double] == TRUE", "Fields[true] == 'true'", "Fields[true] == 1", "Fields[true] != 1", "Fields[true] == FALSE", "Fields[true] != TRUE", "Fields[false] == TRUE",
		"Fields[missing] == 'a'", "Fields[missing] != 'a'", "Fields[missing] !~ 'a'", "Fields[missing] != NIL", "Fields[missing] == 1", "Fields[missing] != 1", "Fields[missing] != TRUE", "Fields[missing] < 1", "Fields[none] == ''", "Fields[none] != NIL", "Fields[FOO] == 'bar'", "Fields[empty] == NIL", "Fields[empty] > ''", bare + "Fields[foo] != 'x'",
		"Fields[int] == 1000", "Fields[int] != 999", "Fields[int] > 999", "Fields[int] >= 1000", "Fields[int] < 999", "Fields[int] <= 998", "Fields[double] == 99", "Fields[double] > 99.9", "Fields[double] < 99.9", "Fields[data] == 'x'", "Fields[data] =~ 'b'", "Fields[data] == 1",
		"Type == 'TEST' && Severity == 5", "Type == 'x' || Severity == 5", "(Type == 'TEST' || TRUE) && FALSE", "FALSE && (TRUE) || FALSE",
	}
	messages := map[string]*message.View{"": full(t), bare: view(t, func(b *message.Builder) { b.SetHeader(message.Type, "TEST") })}
	check := func(expr string, want bool) {
		which := ""
		if rest, ok := strings.CutPrefix(expr, bare); ok {
			which, expr = bare, rest
		}
		m, err := matcher.Parse(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			return
		}
		if got := m.Match(messages[which]); got != want {
			t.Errorf("%s%s is %v", which, expr, got)
		}
		if got := len(matcher.NewIndex([]*matcher.Matcher{m}).Match(messages[which], nil)) == 1; got != want {
			t.Errorf("%s%s is %v in an index", which, expr, got)
		}
		if m.String() != expr {
			t.Errorf("%s prints as %s", expr, m)
		}
	}
	for _, e := range yes {
		check(e, true)
	}
	for _, e := range no {
		check(e, false)
	}
	if len(yes)+len(no) < 150 {
		t.Errorf("only %d cases", len(yes)+len(no))
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expr, expected string
		column         int
	}{
		{"", "TRUE, FALSE", 1}, {"   ", "TRUE, FALSE", 4}, {"true", "TRUE, FALSE", 1}, {"TRUEX", "TRUE, FALSE", 1}, {"TRUE FALSE", `"&&", "||" or the end`, 6}, {"TRUE &&", "TRUE, FALSE", 8}, {"TRUE & TRUE", "or the end", 6}, {"&& TRUE", "TRUE, FALSE", 1},
		{"(TRUE", `")"`, 6}, {"TRUE)", "or the end", 5}, {"()", "TRUE, FALSE", 2}, {"!TRUE", "TRUE, FALSE", 1}, {"Type", "==", 5}, {"Type = 'x'", "==", 6}, {"Type == x", "a string or NIL", 9}, {"Type == 1", "a string or NIL", 9}, {"Type > NIL", "a string", 8}, {"Type == NILL", "a string or NIL", 9}, {"Type == 'x", "closing quote", 11}, {`Type == 'x"`, "closing quote", 12},
		{"Uuid == NIL", "a string", 9}, {"Severity == 'x'", "a number", 13}, {"Severity =~ 'x'", "==, !=", 10}, {"Severity == NIL", "a number", 13}, {"Pid =~ 'x'", "==, !=", 5}, {"Pid == x", "a number", 8}, {"Pid == 1.", "digits after the point", 10}, {"Pid == 1e", "exponent", 10}, {"Pid == 1e999", "double", 8}, {"Pid == 01", "or the end", 9},
		{"Timestamp == 'yesterday'", "a time like", 14}, {"Timestamp == NIL", "a time like", 14}, {"Timestamp =~ 'x'", "==, !=", 11}, {"Timestamp == '2014-13-04T11:56:40Z'", "a time like", 14},
		{"Fields", `"["`, 7}, {"Fields [x] == 1", `"["`, 7}, {"Fields[x == 1", `"]"`, 14}, {"Fields[x]", "an index", 10}, {"Fields[x][256] == 1", "0 to 255", 11}, {"Fields[x][-1] == 1", "0 to 255", 11}, {"Fields[x][01] == 1", "0 to 255", 11}, {"Fields[x][1 == 1", `"]" after the index`, 12}, {"Fields[x][0][0][0] == 1", "an index", 16}, {"Fields[x] == ", "TRUE, FALSE or NIL", 14}, {"Fields[x] > TRUE", "a string or a number", 13}, {"Fields[x] =~ 1", "a string", 14}, {"Fields[x] == true", "TRUE, FALSE or NIL", 14}, {"Fields[]", "an index", 9},
		{"Type =~ '[a'", "Lua pattern", 12}, {"Type =~ '%'", "Lua pattern", 11}, {"Type =~ '(a'", "Lua pattern", 12}, {"Type =~ 'a)'", "Lua pattern", 12}, {"Type =~ '%1'", "Lua pattern", 12}, {"raw == 'x'", "TRUE, FALSE", 1},
		{"Type == '" + strings.Repeat("x", 256) + "'", "at most 255 bytes", 9}, {"Fields[" + strings.Repeat("x", 256) + "] == 1", "at most 255 bytes", 8}, {strings.Repeat("TRUE && ", 128) + "TRUE", "at most 128 tests", 1025}, {strings.Repeat("(", 129) + "TRUE" + strings.Repeat(")", 129), "nested parentheses", 129}, {strings.Repeat(" ", 16385), "at most 16384 bytes", 16385},
	} {
		_, err := matcher.Parse(c.expr)
		var syntax *matcher.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%.60s: %v", c.expr, err)
			continue
		}
		if syntax.Column != c.column || !strings.Contains(syntax.Expected, c.expected) {
			t.Errorf("%.60s: %v; want column %d and %q", c.expr, err, c.column, c.expected)
		}
	}
	for _, ok := range []string{strings.Repeat("TRUE && ", 127) + "TRUE", strings.Repeat("(", 128) + "TRUE" + strings.Repeat(")", 128), "Type == '" + strings.Repeat("x", 255) + "'"} {
		if _, err := matcher.Parse(ok); err != nil {
			t.Errorf("at a limit: %v", err)
		}
	}
}

func TestHindsightDiffers(t *testing.T) {
	t.Parallel()
	const a, b, c, d = "Type == 'a'", "Pid == 1", "Severity == 2", "Logger == 'd'"
	many := make([]string, 14)
	for i := range many {
		many[i] = "Severity == " + string(rune('a'+i)-'a'+'1')
	}
	for expr, want := range map[string]string{
		a: "", a + " && " + b + " || " + c: "", a + " || " + b + " && " + c: "", "(" + a + " && " + b + ") || " + c: "", "(" + a + " || " + b + ") && " + c: "",
		a + " && (" + b + " || " + c + ")": "", a + " && (" + b + ") && " + c: "", a + " || (" + b + ") || " + c: "",
		a + " && (" + b + ") || " + c:                     "A && (B || C)",
		a + " && (" + b + " || " + c + ") || " + d:        "A && (B || C || D)",
		a + " && (" + b + ") || " + c + " && " + d:        "A && (B || (C && D))",
		a + " && (" + b + ") || TRUE":                     "A && (B || TRUE)",
		a + " && (" + a + ") || " + a:                     "", // means the same either way
		"(" + a + " && (" + b + ") || " + c + ") && " + d: "A && (B || C) && D",
	} {
		m, err := matcher.Parse(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		how, differs := m.HindsightDiffers()
		if differs != (want != "") || !strings.Contains(how, want) {
			t.Errorf("%s: differs %v, %s; want %q", expr, differs, how, want)
		}
	}
}

func TestStepLimit(t *testing.T) {
	t.Parallel()
	v := view(t, func(b *message.Builder) { b.SetHeader(message.Payload, strings.Repeat("a", 30_000)) })
	for _, expr := range []string{"Payload =~ '.-.-.-.-b'", "Payload !~ '.-.-.-.-b'"} {
		m, err := matcher.Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		if m.Match(v) || m.Exhausted() != 1 {
			t.Errorf("%s: running out of steps must make it false; exhausted %d", expr, m.Exhausted())
		}
		x := matcher.NewIndex([]*matcher.Matcher{m})
		if len(x.Match(v, nil)) != 0 || x.Exhausted() != 1 {
			t.Errorf("%s: in an index: exhausted %d", expr, x.Exhausted())
		}
	}
}
