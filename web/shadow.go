package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/deploy"
	"sandbar/host/shadow"
	"sandbar/sandbox"
)

// Shadows is what plugins make that run in the shadow of others; *shadow.View is one.
type Shadows interface {
	Get(name string) shadow.Made
}

// getShadow is what runs in the shadow of a plugin, and what it has made.
func (s *Site) getShadow(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	d, err := s.opt.Plugins.Get(c.Request().Context(), sandbox.ShadowOf(name))
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		plugin
		Config  string    `json:"config"`
		Source  string    `json:"source,omitempty"` // of Lua
		Updated time.Time `json:"updated"`
		Author  string    `json:"author,omitempty"`
		Note    string    `json:"note,omitempty"`
		shadow.Made
	}{asPlugin(d.Status), d.Config, luaOf(&d), d.Updated, d.Author, d.Note, s.opt.Shadows.Get(d.Name)})
}

// promote makes the shadow of a plugin its next version.
func (s *Site) promote(c echo.Context) error {
	var in struct {
		WithState bool   `json:"with_state"`
		Note      string `json:"note"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	p := deploy.Promotion{WithState: in.WithState, Note: in.Note}
	var err error
	if p.Name, err = s.resolve(c); err != nil {
		return err
	}
	if p.Present, err = ifMatch(c); err != nil {
		return err
	}
	if p.By, err = actor(c); err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	st, err := s.opt.Plugins.Promote(ctx, p)
	if err != nil {
		return proposed(c, err)
	}
	return answer(c, http.StatusOK, asPlugin(st))
}

// fork runs a plugin a second time, under another name.
func (s *Site) fork(c echo.Context) error {
	var in struct {
		Name      string `json:"name"`
		WithState bool   `json:"with_state"`
		Note      string `json:"note"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	f := deploy.Fork{To: in.Name, WithState: in.WithState, Note: in.Note}
	var err error
	if f.Name, err = s.resolve(c); err != nil {
		return err
	}
	if f.By, err = actor(c); err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	st, err := s.opt.Plugins.Fork(ctx, f)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/plugins/"+url.PathEscape(st.Name))
	return answer(c, http.StatusCreated, asPlugin(st))
}
