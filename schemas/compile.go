package schemas

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"sandbar/sandbox"
)

// noLoader refuses what a schema refers to outside of itself.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("it refers to %s; a schema has to hold all that it needs", url)
}

// maxRepairs bounds the keywords that are ignored in one schema.
const maxRepairs = 50

// compile compiles a schema. Some real schemas are not what their meta-schema demands ("required": [] in draft
// 4): such keywords say nothing, so they are cut out and named in ignored.
func compile(name string, doc any) (s *jsonschema.Schema, ignored string, err error) {
	var cut []string
	for range maxRepairs {
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft4)
		c.UseLoader(noLoader{})
		url := "schema:///" + name
		if err := c.AddResource(url, doc); err != nil {
			return nil, "", err
		}
		s, err := c.Compile(url)
		var invalid *jsonschema.SchemaValidationError
		if !errors.As(err, &invalid) {
			if len(cut) > 0 {
				ignored = "ignored, since the meta-schema refuses them: " + strings.Join(cut, ", ")
			}
			return s, ignored, err
		}
		var fault *jsonschema.ValidationError
		if !errors.As(invalid.Err, &fault) {
			return nil, "", err
		}
		at := leaf(fault).InstanceLocation
		if !remove(doc, at) {
			return nil, "", err
		}
		cut = append(cut, "/"+strings.Join(at, "/"))
	}
	return nil, "", fmt.Errorf("more than %d keywords are not as the meta-schema demands", maxRepairs)
}

// remove cuts the innermost object member on the way to at out of doc.
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
	if owner == nil {
		return false
	}
	delete(owner, key)
	return true
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

// verdict validates doc.
func (s *schema) verdict(doc any) sandbox.Verdict {
	v := sandbox.Verdict{Known: true}
	err := s.compiled.Validate(doc)
	if err == nil {
		v.Valid = true
		return v
	}
	var fault *jsonschema.ValidationError
	if !errors.As(err, &fault) {
		v.Message = bounded(err.Error())
		return v
	}
	first := leaf(fault)
	var path strings.Builder
	for _, step := range first.InstanceLocation {
		path.WriteByte('/')
		path.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	v.Path = bounded(path.String())
	if keywords := first.ErrorKind.KeywordPath(); len(keywords) > 0 {
		v.Keyword = keywords[0]
	}
	v.Message = bounded(fmt.Sprintf("at '%s': %s", v.Path, first.ErrorKind.LocalizedString(message.NewPrinter(language.English))))
	return v
}

func bounded(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
