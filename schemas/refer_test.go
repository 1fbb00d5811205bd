package schemas

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// TestReferences: schemas refer to other files of their folder by place or by $id, and are compiled anew when one of these changes; nothing else is read.
func TestReferences(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	fsys := fstest.MapFS{
		"lab/place/place.1.schema.json":   file(`{"properties":{"a":{"$ref":"../../common/id.json"},"b":{"$ref":"../../common/id.json#/definitions/word"}}}`),
		"lab/id/id.1.schema.json":         file(`{"$id":"https://example.com/lab/id.json","$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"$ref":"/lab/other.json#/definitions/n"}}}`),
		"lab/other/other.1.schema.json":   file(`{"$id":"https://example.com/lab/other.json","$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"type":"integer"}}}`),
		"lab/circle/circle.1.schema.json": file(`{"properties":{"next":{"$ref":"../circle/circle.1.schema.json"},"n":{"type":"integer"}}}`),
		"lab/out/out.1.schema.json":       file(`{"$ref":"../../../secret.json"}`),
		"lab/gone/gone.1.schema.json":     file(`{"$ref":"none.json"}`),
		"lab/bad/bad.1.schema.json":       file(`{"$ref":"../../common/bad.json"}`),
		"common/id.json":                  file(`{"type":"string","minLength":3,"definitions":{"word":{"pattern":"^[a-z]+$"}}}`),
		"common/bad.json":                 file(`{`),
	}
	r := open(t, fsys)
	check := func(docType, doc string, want bool) {
		t.Helper()
		if v := r.Validate("lab", docType, "1", value(t, doc), free); !v.Known || v.Valid != want {
			t.Errorf("%s of %s: %+v", doc, docType, v)
		}
	}
	check("place", `{"a":"abc","b":"x"}`, true)
	check("place", `{"a":"ab"}`, false)
	check("place", `{"b":"X"}`, false)
	check("id", `{"a":5}`, true)
	check("id", `{"a":"5"}`, false)
	check("circle", `{"next":{"next":{"n":1}}}`, true)
	check("circle", `{"next":{"next":{"n":"1"}}}`, false)
	var problems []string
	for _, p := range r.Problems() {
		problems = append(problems, p.Path+": "+p.Text)
	}
	if len(problems) != 3 || !strings.Contains(problems[0], "no JSON") || !strings.Contains(problems[1], "none.json") || !strings.Contains(problems[2], "secret.json") {
		t.Errorf("problems: %q", problems)
	}
	fsys["common/id.json"] = file(`{"type":"string","minLength":2}`)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if v := r.Validate("lab", "place", "1", value(t, `{"a":"ab"}`), free); !v.Known || v.Valid {
		t.Errorf("it refers to what is not there any more, and %+v", v)
	}
	fsys["common/id.json"] = file(`{"type":"string","minLength":2,"definitions":{"word":{}}}`)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	check("place", `{"a":"ab","b":"X"}`, true)

	many := fstest.MapFS{}
	all := ""
	for i := range maxReferred + 10 {
		name := fmt.Sprintf("common/%d.json", i)
		many[name] = file(`{}`)
		all += fmt.Sprintf(`{"$ref":"../../%s"},`, name)
	}
	many["lab/many/many.1.schema.json"] = file(`{"allOf":[` + strings.TrimSuffix(all, ",") + `]}`)
	if p := open(t, many).Problems(); len(p) != 1 || !strings.Contains(p[0].Text, "more than") {
		t.Errorf("many: %v", p)
	}
}
