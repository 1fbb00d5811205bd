package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// help shows a page of the documentation.
func (s *Site) help(c echo.Context) error {
	name, err := pathParam(c, "*")
	if err != nil {
		return err
	}
	if name == "" {
		name = "tour"
	}
	file := path.Clean("/" + name)[1:]
	isPicture := strings.HasSuffix(file, ".webp")
	if !isPicture {
		file += ".md"
	}
	source, err := fs.ReadFile(s.docs, file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return refuse(http.StatusNotFound, "there is no help page %.60q", name)
	}
	if err != nil {
		return fmt.Errorf("read a help page: %w", err)
	}
	if isPicture {
		return c.Blob(http.StatusOK, "image/webp", source)
	}
	title, body, err := markdown(source, path.Dir(name))
	if err != nil {
		return fmt.Errorf("help page %s: %w", name, err)
	}
	return s.render(c, http.StatusOK, pageData{Title: title, Page: "help", Name: name, Help: body})
}

// markdown makes HTML of a page of ours, and says its title. Links to other pages lead to their help; raw HTML is left out.
func markdown(source []byte, dir string) (title string, body template.HTML, err error) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	tree := md.Parser().Parse(text.NewReader(source))
	var elsewhere []ast.Node
	err = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 1 && title == "" {
				title = string(n.Lines().Value(source))
			}
		case *ast.Link:
			to, here := helpLink(string(n.Destination), dir)
			n.Destination = []byte(to)
			if entering && !here {
				elsewhere = append(elsewhere, n)
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return "", "", err
	}
	for _, n := range elsewhere { // its text stays
		for child := n.FirstChild(); child != nil; child = n.FirstChild() {
			n.Parent().InsertBefore(n.Parent(), n, child)
		}
		n.Parent().RemoveChild(n.Parent(), n)
	}
	var out bytes.Buffer
	if err := md.Renderer().Render(&out, source, tree); err != nil {
		return "", "", err
	}
	html := strings.ReplaceAll(out.String(), "<th></th>", "<td></td>") // Markdown has no table without a head; an empty one is none
	return title, template.HTML(html), nil                             // of files that are part of the program
}

// helpLink is where a link of a page leads here. It reports false for files that are not of the documentation.
func helpLink(to, dir string) (link string, here bool) {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" || strings.HasPrefix(u.Path, "/help/") {
		return to, true
	}
	file, page := strings.CutSuffix(path.Join(dir, u.Path), ".md")
	u.Path = "/help/" + file
	return u.String(), page && !strings.HasPrefix(file, "../")
}

// openAPI is the description of the API.
func (s *Site) openAPI(c echo.Context) error {
	text, err := embedded.ReadFile("openapi.yaml")
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/yaml; charset=utf-8", text)
}
