package schemas

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/jsondoc"
)

// soon is far above what a number takes, also on a busy machine (10 ms), and far below what writing its digits out would.
const soon = 2 * time.Second

// TestNumbers: a verdict comes soon for every exponent and count of digits, under every keyword, and is right.
func TestNumbers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("7", 1_000_000)
	for _, c := range []struct {
		schema, number string
		valid          bool
	}{
		{`{"type":"integer"}`, "1e999999", true}, {`{"type":"integer"}`, "1e9999999999", true}, {`{"type":"integer"}`, "-1e-999999", false},
		{`{"type":"integer"}`, long, true}, {`{"type":"integer"}`, "1." + long, false}, {`{"type":"integer"}`, "1e-99999999999999999999", false},
		{`{"type":"integer"}`, "1.0", true}, {`{"type":"integer"}`, "12e-1", false},
		{`{"minimum":0,"maximum":10}`, "1e9999999", false}, {`{"minimum":0,"maximum":10}`, "-1e9999999", false}, {`{"minimum":0,"maximum":10}`, "1e-9999999", true},
		{`{"minimum":0,"exclusiveMinimum":true}`, "1e-9999999", true}, {`{"maximum":0,"exclusiveMaximum":true}`, "-1e-9999999", true},
		{`{"maximum":1e500}`, "1e499", true}, {`{"maximum":1e500}`, "1e501", false}, {`{"minimum":-1e9999999}`, "-1e9999998", true},
		{`{"multipleOf":0.01}`, "4.07", true}, {`{"multipleOf":0.01}`, "4.075", false}, {`{"multipleOf":2}`, "1e999999", true}, {`{"multipleOf":0.5}`, "1e-999999", false},
		{`{"enum":[1e9999999]}`, "1e9999999", true}, {`{"enum":[1e9999999]}`, "1e9999998", false}, {`{"enum":[1]}`, "10e-1", true},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","const":1e-9999999}`, "1e-9999999", true},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","const":1e-9999999}`, "1e-9999998", false},
		{`{"enum":[9007199254740993]}`, "9007199254740992", false},
	} {
		r := one(t, c.schema)
		if r.Len() != 1 {
			t.Errorf("%s is refused: %.200v", c.schema, r.Problems())
			continue
		}
		doc := value(t, c.number)
		start := time.Now()
		v := r.Validate("ns", "doc", "1", doc, free)
		if took := time.Since(start); took > soon {
			t.Errorf("%s under %s took %v", brief(c.number), c.schema, took)
		}
		if v.Valid != c.valid || strings.Contains(v.Message, "goroutine") || len(v.Message) > 600 {
			t.Errorf("%s under %s: %+v", brief(c.number), c.schema, v)
		}
	}
	for _, c := range []struct {
		list  string
		valid bool
	}{{"1e500,1e501", true}, {"1e500,10e499", false}, {"1e-500,2e-500", true}, {"1,1.0", false}} {
		if v := one(t, `{"uniqueItems":true}`).Validate("ns", "doc", "1", value(t, "["+c.list+"]"), free); v.Valid != c.valid {
			t.Errorf("%s: %+v", c.list, v)
		}
	}
	for _, schema := range []string{`{"minLength":1e9999999}`, `{"maxItems":1e-9999999}`, `{"minProperties":` + long + `}`} {
		start := time.Now()
		one(t, schema).Validate("ns", "doc", "1", value(t, `"x"`), free)
		if took := time.Since(start); took > soon {
			t.Errorf("%.40s took %v", schema, took)
		}
	}
}

func brief(s string) string { return fmt.Sprintf("%.30s (%d bytes)", s, len(s)) }

// TestStepsAreCharged: fuel goes with the work, also where a small document makes much of it, and ends it.
func TestStepsAreCharged(t *testing.T) {
	t.Parallel()
	// Every level of lists doubles what is looked at.
	r := one(t, `{"anyOf":[{"type":"string"},{"items":{"$ref":"#"},"type":"array","not":{}},{"items":{"$ref":"#"},"type":"array"}]}`)
	nested := func(depth int) jsondoc.Value {
		return value(t, strings.Repeat("[", depth+1)+strings.Repeat("]", depth+1))
	}
	cost := func(depth int) (fuel int64) {
		r.Validate("ns", "doc", "1", nested(depth), func(n int64) { fuel += n })
		return fuel
	}
	if a, b := cost(6), cost(8); b < 3*a {
		t.Errorf("6 levels cost %d, 8 cost %d", a, b)
	}
	type out struct{}
	left := int64(10_000_000)
	ended := func() (ended bool) {
		defer func() { _, ended = recover().(out) }()
		r.Validate("ns", "doc", "1", nested(40), func(n int64) {
			if left -= n; left < 0 {
				panic(out{})
			}
		})
		return false
	}
	if !ended() {
		t.Error("a validation without end went on")
	}
	if v := r.Validate("ns", "doc", "1", value(t, `"text"`), free); !v.Valid {
		t.Errorf("after a validation that was cut off: %+v", v)
	}
}

// BenchmarkHostileNumbers validates a small document with two numbers of each kind, and one of the same length without.
func BenchmarkHostileNumbers(b *testing.B) {
	r := one(b, `{"type":"object","properties":{"a":{"type":"number","minimum":-100,"maximum":100},"b":{"type":"number","minimum":0,"maximum":100}}}`)
	for name, n := range map[string]string{"ordinary": "20.5", "text": `"1e999999"`, "exponent": "1e999999", "1e400": "1e400", "small": "1e-999999999",
		"digits": strings.Repeat("9", 5000), "fraction": "0." + strings.Repeat("0", 5000) + "1", "longtext": `"` + strings.Repeat("x", 5000) + `"`} {
		b.Run(name, func(b *testing.B) {
			doc := value(b, `{"a":`+n+`,"b":`+n+`}`)
			b.ReportAllocs()
			for b.Loop() {
				r.Validate("ns", "doc", "1", doc, free)
			}
		})
	}
}
