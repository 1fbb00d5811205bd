package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"text/template"
	"text/template/parse"

	"sandbar/host/notify"
)

// Bounds of a template. What it may do is bounded by what it may say: no calls of templates, lists are those of subjects, within each other no deeper than two, and few functions. A notice has 40 subjects at most, so no template does much.
const (
	MaxTemplate = 16 << 10
	maxRendered = 256 << 10
	maxLists    = 2
)

// functions that a template may use beside its comparisons.
func functions() template.FuncMap {
	return template.FuncMap{
		"json": func(v any) (string, error) {
			b, err := json.Marshal(v)
			return string(b), err
		},
		"title": Title,
	}
}

func allowed() []string {
	return []string{"json", "title", "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len"}
}

// ParseTemplate checks a template of Go's text/template over a notify.Notice.
func ParseTemplate(text string) (*template.Template, error) {
	if len(text) > MaxTemplate {
		return nil, fmt.Errorf("a template has %d bytes; %d are allowed", len(text), MaxTemplate)
	}
	t, err := template.New("template").Funcs(functions()).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	if len(t.Templates()) > 1 {
		return nil, errors.New("template: it may not define others")
	}
	if t.Tree == nil {
		return nil, errors.New("template: it is empty")
	}
	return t, checkNode(t.Tree.Root, 0)
}

// checkNode refuses what could take long.
func checkNode(n parse.Node, lists int) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, c := range n.Nodes {
			if err := checkNode(c, lists); err != nil {
				return err
			}
		}
	case *parse.TextNode, *parse.CommentNode:
	case *parse.ActionNode:
		return checkPipe(n.Pipe)
	case *parse.IfNode:
		return errors.Join(checkPipe(n.Pipe), checkNode(n.List, lists), checkNode(n.ElseList, lists))
	case *parse.WithNode:
		return errors.Join(checkPipe(n.Pipe), checkNode(n.List, lists), checkNode(n.ElseList, lists))
	case *parse.RangeNode:
		if lists == maxLists {
			return fmt.Errorf("template: line %d: a range within ranges; %d are allowed", n.Line, maxLists)
		}
		if !overSubjects(n.Pipe) { // a number may be large
			return fmt.Errorf("template: line %d: a range over something else than .Firing or .Resolved", n.Line)
		}
		return errors.Join(checkNode(n.List, lists+1), checkNode(n.ElseList, lists+1))
	case *parse.BreakNode, *parse.ContinueNode:
	default:
		return fmt.Errorf("template: %.40q is not allowed", n.String())
	}
	return nil
}

// overSubjects says that a pipe is a list of subjects: .Firing, $.Resolved.
func overSubjects(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	var names []string
	switch a := p.Cmds[0].Args[0].(type) {
	case *parse.FieldNode:
		names = a.Ident
	case *parse.VariableNode:
		names = a.Ident[1:]
	}
	return len(names) == 1 && (names[0] == "Firing" || names[0] == "Resolved")
}

func checkPipe(p *parse.PipeNode) error {
	if p == nil {
		return nil
	}
	for _, c := range p.Cmds {
		for _, a := range c.Args {
			switch a := a.(type) {
			case *parse.IdentifierNode:
				if !slices.Contains(allowed(), a.Ident) {
					return fmt.Errorf("template: there is no function %q; there are %v", a.Ident, allowed())
				}
			case *parse.PipeNode:
				if err := checkPipe(a); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// bounded is a buffer that takes no more than maxRendered.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("more than %d bytes", maxRendered)
	}
	return b.Buffer.Write(p)
}

// Render makes a body of a notice.
func Render(text string, n *notify.Notice) ([]byte, error) {
	t, err := ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	var out bounded
	if err := t.Execute(&out, n); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
