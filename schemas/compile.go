package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"sandbar/sandbox"
	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/number"
	"sandbar/schemas/validator"
)

// maxRepairs bounds the keywords that are ignored in one schema.
const maxRepairs = 50

// compile compiles a schema. Some real schemas are not what their meta-schema demands ("required": [] in draft
// 4): keywords that say nothing are cut out and named in ignored. Anything else is refused: a schema is never weakened.
func compile(name string, doc any, others *references) (p *validator.Program, ignored string, err error) {
	var cut []string
	doc = boundNumbers(doc)
	for range maxRepairs {
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft4)
		c.UseLoader(others)
		c.UseRegexpEngine(validator.Patterns)
		for _, f := range validator.Formats() {
			c.RegisterFormat(f)
		}
		url := base + name
		if err := c.AddResource(url, doc); err != nil {
			return nil, "", err
		}
		s, err := c.Compile(url)
		var invalid *jsonschema.SchemaValidationError
		if !errors.As(err, &invalid) {
			if err != nil {
				return nil, "", err
			}
			if len(cut) > 0 {
				ignored = "ignored, since the meta-schema refuses them: " + strings.Join(cut, ", ")
			}
			p, err := validator.New(s)
			return p, ignored, err
		}
		var fault *jsonschema.ValidationError
		if !errors.As(invalid.Err, &fault) {
			return nil, "", err
		}
		at := leaf(fault).InstanceLocation
		if !remove(doc, at) {
			return nil, "", fmt.Errorf("%s is not as the meta-schema demands: %s", pointer(at), reason(leaf(fault)))
		}
		cut = append(cut, "/"+strings.Join(at, "/"))
	}
	return nil, "", fmt.Errorf("more than %d keywords are not as the meta-schema demands", maxRepairs)
}

// boundNumbers bounds every number of a tree (number.Bound), so that the validator can compute with it.
func boundNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return json.Number(number.Bound(string(v)))
	case []any:
		for i := range v {
			v[i] = boundNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = boundNumbers(v[k])
		}
	}
	return v
}

// remove cuts the innermost object member on the way to at out of doc. It reports false for one that says
// something about documents.
func remove(doc any, at []string) bool {
	var owner map[string]any
	var key string
	for _, step := range at {
		switch v := doc.(type) {
		case map[string]any:
			owner, key, doc = v, step, v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return false
			}
			doc = v[i]
		default:
			return false
		}
	}
	if owner == nil || !saysNothing(key, owner[key]) {
		return false
	}
	delete(owner, key)
	return true
}

// saysNothing says whether a keyword could as well be left out.
func saysNothing(key string, v any) bool {
	switch key {
	case "title", "description", "$comment", "default", "examples", "readOnly", "writeOnly", "deprecated", "$schema":
		return true
	case "required":
		list, ok := v.([]any)
		return ok && len(list) == 0
	}
	return false
}

func pointer(at []string) string {
	var path strings.Builder
	for _, step := range at {
		path.WriteByte('/')
		path.WriteString(strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1"))
	}
	return path.String()
}

func reason(e *jsonschema.ValidationError) string {
	return e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

// leaf follows the first cause down.
func leaf(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return e
}

// maxText bounds a verdict's texts: they hold parts of the document.
const maxText = 512

// verdict validates doc. A panic of spend passes through.
func (s *schema) verdict(doc jsondoc.Value, spend func(int64)) (v sandbox.Verdict) {
	spending := false
	defer func() {
		if r := recover(); r != nil {
			if spending {
				panic(r)
			}
			v = sandbox.Verdict{Known: true, Keyword: "schema", Message: bounded(fmt.Sprintf("the validator failed: %v", r))}
			if slow, ok := r.(validator.TooSlow); ok {
				v.Message = bounded(slow.Error())
			}
		}
	}()
	f := s.program.Validate(doc, func(fuel int64) {
		spending = true
		spend(fuel)
		spending = false
	})
	if f == nil {
		return sandbox.Verdict{Known: true, Valid: true}
	}
	path := bounded(f.Path)
	return sandbox.Verdict{Known: true, Path: path, Keyword: f.Keyword, Message: bounded(fmt.Sprintf("at '%s': %s", path, f.Text))}
}

func bounded(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
