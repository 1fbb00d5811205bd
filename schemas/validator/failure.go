package validator

import (
	"fmt"
	"strconv"
	"strings"

	"sandbar/sandbox/jsondoc"
)

// failure is a Failure before anybody wants to read it.
type failure struct {
	at          jsondoc.Value
	keyword     string
	text        string // what is said; else it is made of what follows
	name, other string
	got, want   int
	node        *node
	choice      *choice
	bound       *bound
}

// tell makes a Failure of it. root is the document.
func (f *failure) tell(root jsondoc.Value) *Failure {
	return &Failure{Path: pointer(root, f.at), Keyword: f.keyword, Text: f.say()}
}

func (f *failure) say() string {
	switch f.keyword {
	case "type":
		return fmt.Sprintf("got %s, want %s", f.at.Kind(), f.node.types)
	case "const", "enum":
		if f.choice.shown == "" {
			return fmt.Sprintf("'%s' failed", f.keyword)
		}
		return "value must be " + f.choice.shown
	case "format":
		return fmt.Sprintf("%s is not valid %s: %s", quoted(f.at), f.name, f.text)
	case "required":
		return fmt.Sprintf("missing property %q", f.name)
	case "dependencies", "dependentRequired":
		return fmt.Sprintf("property %q required, if %q exists", f.name, f.other)
	case "additionalProperties":
		if f.got > 1 {
			return fmt.Sprintf("additional property %q not allowed, nor %d others", f.name, f.got-1)
		}
		return fmt.Sprintf("additional property %q not allowed", f.name)
	case "additionalItems":
		return fmt.Sprintf("last %d additionalItem(s) not allowed", f.got)
	case "minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength":
		return fmt.Sprintf("%s: got %d, want %d", f.keyword, f.got, f.want)
	case "uniqueItems":
		return fmt.Sprintf("items at %d and %d are equal", f.got, f.want)
	case "minContains":
		return fmt.Sprintf("min %d items required to match contains schema, but %d matched", f.want, f.got)
	case "maxContains":
		return fmt.Sprintf("max %d items required to match contains schema, but %d matched", f.want, f.got)
	case "pattern":
		return fmt.Sprintf("%s does not match pattern %q", quoted(f.at), f.name)
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		return fmt.Sprintf("%s: got %.40s, want %s", f.keyword, f.at.Raw(), f.bound)
	case "oneOf":
		return fmt.Sprintf("'oneOf' failed, subschemas %d, %d matched", f.got, f.want)
	}
	return f.text
}

func (t types) String() string {
	var names []string
	for k := jsondoc.Null; k <= jsondoc.Object; k++ {
		if t&(1<<k) != 0 {
			names = append(names, k.String())
		}
	}
	if t&wholeNumber != 0 {
		names = append(names, "integer")
	}
	return strings.Join(names, " or ")
}

func (b *bound) String() string {
	if b.isInt {
		return strconv.FormatInt(b.whole, 10)
	}
	f, _ := b.rat.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

const mostQuoted = 200 // bytes

func quoted(v jsondoc.Value) string {
	s := v.Str()
	if len(s) > mostQuoted {
		s = strings.ToValidUTF8(s[:mostQuoted], "") + "…"
	}
	return "'" + s + "'"
}

// pointer is the way to a value, or to the object that a name belongs to.
func pointer(root, to jsondoc.Value) string {
	var path strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for at := root; at.Place() != to.Place(); {
		next, step := at, ""
		switch at.Kind() {
		case jsondoc.Object:
			m := at.Members()
			for name, member, ok := m.Next(); ok; name, member, ok = m.Next() {
				if member.Holds(to) {
					next, step = member, escape.Replace(name.Str())
					break
				}
			}
		case jsondoc.Array:
			e := at.Elements()
			i := 0
			for element, ok := e.Next(); ok; element, ok = e.Next() {
				if element.Holds(to) {
					next, step = element, strconv.Itoa(i)
					break
				}
				i++
			}
		}
		if next.Place() == at.Place() { // a name
			break
		}
		path.WriteByte('/')
		path.WriteString(step)
		at = next
	}
	return path.String()
}
