package schemas

import (
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Fuel of a validation. One unit is about 10 ns.
const (
	stepFuel      = 20 // a schema that looks at a value
	fanFuel       = 4  // for each subschema or choice in it, and for each member or element of the value
	patternBytes  = 8  // of a text that one unit of RE2 matches
	backtrackFuel = 200
)

// meter counts the steps of the validation that runs. A schema has one, since the validator has no place for what
// belongs to a call; so a schema validates one document at a time.
type meter struct {
	spend    func(int64)
	spending bool // a panic is spend's
}

func (m *meter) take(fuel int64) {
	if m.spend == nil { // while the schema itself is checked
		return
	}
	m.spending = true
	m.spend(fuel)
	m.spending = false
}

// vocabulary adds a step to every schema object that a schema is made of.
func (m *meter) vocabulary() *jsonschema.Vocabulary {
	return &jsonschema.Vocabulary{
		URL: "schema:///steps",
		Compile: func(_ *jsonschema.CompilerContext, obj map[string]any) (jsonschema.SchemaExt, error) {
			return step{m, stepFuel + fanFuel*fan(obj)}, nil
		},
	}
}

// fan is how many subschemas and choices an object of a schema has.
func fan(obj map[string]any) int64 {
	n := len(obj)
	for _, v := range obj {
		switch v := v.(type) {
		case []any:
			n += len(v)
		case map[string]any:
			n += len(v)
		}
	}
	return int64(n)
}

// step is what one object of a schema costs. It implements jsonschema.SchemaExt.
type step struct {
	meter *meter
	fuel  int64
}

// Validate implements jsonschema.SchemaExt. It finds nothing.
func (s step) Validate(_ *jsonschema.ValidatorContext, v any) {
	n := 0
	switch v := v.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	case string:
		n = len(v) / 64
	}
	s.meter.take(s.fuel + fanFuel*int64(n))
}
