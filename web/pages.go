package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// pages are the templates, each with the layout around it.
type pages map[string]*template.Template

func newPages(files fs.FS, a assets) (pages, error) {
	p := pages{}
	for _, name := range []string{"overview", "plugins", "plugin", "submit", "alerts", "alert", "errors", "messages", "schemas", "lake", "dashboards", "dashboard", "help", "missing", "login"} {
		t, err := template.New("layout.html").Funcs(template.FuncMap{"asset": a.url}).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("web: page %s: %w", name, err)
		}
		p[name] = t
	}
	return p, nil
}

// pageData is what a template may use. Everything else a page fetches from the API.
type pageData struct {
	Title string
	Page  string // the template's name without .html
	Host  string
	Name  string // of the plugin that the page is about
	Token bool   // there is something to log out of
	Error string // why the login failed
	Next  string // where to go after the login

	Help template.HTML // of the documentation
}

func (s *Site) render(c echo.Context, status int, d pageData) error {
	d.Host, d.Token = s.opt.Hostname, s.guard.session.wanted()
	var b bytes.Buffer
	if err := s.pages[d.Page].Execute(&b, d); err != nil {
		return fmt.Errorf("page %s: %w", d.Page, err)
	}
	return c.HTMLBlob(status, b.Bytes())
}

func (s *Site) show(name, title string) echo.HandlerFunc {
	return func(c echo.Context) error {
		return s.render(c, http.StatusOK, pageData{Title: title, Page: name})
	}
}

func (s *Site) showPlugin(c echo.Context) error {
	name, err := s.resolve(c)
	status := http.StatusOK
	if err != nil {
		if status = asFault(err).status; status >= http.StatusInternalServerError {
			return err
		}
		name = c.Param("name") // the page asks the API, and shows what that says
	}
	return s.render(c, status, pageData{Title: name, Page: "plugin", Name: name})
}

func (s *Site) showSubmit(c echo.Context) error {
	return s.render(c, http.StatusOK, pageData{Title: "Deploy a plugin", Page: "submit", Name: c.QueryParam("plugin")})
}

func (s *Site) showLogin(c echo.Context) error {
	next := local(c.QueryParam("next"))
	if s.guard.session.holds(c.Request()) {
		return c.Redirect(http.StatusSeeOther, next)
	}
	return s.render(c, http.StatusOK, pageData{Title: "Log in", Page: "login", Next: next})
}

// maxLogin bounds the form.
const maxLogin = 8 << 10

func (s *Site) login(c echo.Context) error {
	body, err := s.readBody(c, maxLogin)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return refuse(http.StatusBadRequest, "the body is not the form it should be")
	}
	next := local(form.Get("next"))
	if !s.guard.session.wanted() {
		return c.Redirect(http.StatusSeeOther, next)
	}
	right, err := s.guard.attempt(c.Request(), form.Get("token"))
	if right {
		c.SetCookie(s.guard.session.cookie(c.Request().TLS != nil))
		return c.Redirect(http.StatusSeeOther, next)
	}
	f := &fault{status: http.StatusUnauthorized, Text: "This is not the token of this host."}
	if err != nil {
		f = asFault(err)
	}
	return s.render(c, f.status, pageData{Title: "Log in", Page: "login", Next: next, Error: f.Text})
}

func (s *Site) logout(c echo.Context) error {
	if err := s.guard.session.end(c.Request()); err != nil {
		return err
	}
	c.SetCookie(s.guard.session.empty(c.Request().TLS != nil))
	return c.Redirect(http.StatusSeeOther, "/login")
}

// loginFor is the login page that leads back to where somebody wanted to go.
func loginFor(u *url.URL) string {
	if to := local(u.RequestURI()); to != "/" {
		return "/login?next=" + url.QueryEscape(to)
	}
	return "/login"
}

// local is a path of this host, or / for everything that a browser could take for an address elsewhere.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || len(path) > 1024 ||
		!strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
