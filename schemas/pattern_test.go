package schemas

import (
	"strings"
	"testing"
	"testing/fstest"
)

// one makes a registry of the schema ns/doc.1.
func one(t testing.TB, schema string) *Registry {
	t.Helper()
	return open(t, fstest.MapFS{"ns/doc/doc.1.schema.json": {Data: []byte(schema)}})
}

// TestSchemaIsNeverWeakened: what cannot be honoured is refused with its path.
func TestSchemaIsNeverWeakened(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, path string }{
		{`{"properties":{"a":{"pattern":"("}}}`, "/properties/a/pattern"},
		{`{"properties":{"a":{"pattern":"a**"}}}`, "/properties/a/pattern"},
		{`{"patternProperties":{"[":{"type":"string"}}}`, "patternProperties"},
		{`{"properties":{"a":{"type":"integre"}}}`, "/properties/a/type"},
		{`{"properties":{"a":{"minimum":"1"}}}`, "/properties/a/minimum"},
		{`{"properties":{"a":{"required":true}}}`, "/properties/a/required"},
		{`{"properties":{"a":{"enum":[]}}}`, "/properties/a/enum"},
		{`{"properties":{"a":{"pattern":"` + strings.Repeat("a", 16<<10+1) + `"}}}`, "pattern"},
	} {
		r := one(t, c.schema)
		if problems := r.Problems(); r.Len() != 0 || len(problems) != 1 || !strings.Contains(problems[0].Text, c.path) {
			t.Errorf("%.60s: %d schemas, %.300v; want a refusal that names %s", c.schema, r.Len(), problems, c.path)
		}
	}
}
