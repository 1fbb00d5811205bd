package web

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"sandbar/host/catalog"
	"sandbar/host/deploy"
	"sandbar/sandbox"
)

// asHeader is the header in which people say who they are. Nobody checks it while there are no accounts.
const (
	asHeader = "Sandbar-As"
	maxAs    = 64 // bytes
)

// actor is who asks: the name that he gives himself, and the address.
func actor(c echo.Context) (deploy.Actor, error) {
	host, _, err := net.SplitHostPort(c.Request().RemoteAddr)
	if err != nil {
		host = "?"
	}
	name := c.Request().Header.Get(asHeader)
	odd := strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	switch {
	case len(name) > maxAs || !utf8.ValidString(name) || odd:
		return "", refuse(http.StatusBadRequest, "%s has at most %d bytes of printable UTF-8", asHeader, maxAs)
	case name == "":
		return deploy.Actor(host), nil
	}
	return deploy.Actor(name + " (" + host + ")"), nil
}

// etag names a version of a plugin.
func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// ifMatch is the version that a request is for; 0 when it does not say.
func ifMatch(c echo.Context) (version int, err error) {
	text := c.Request().Header.Get("If-Match")
	if text == "" || text == "*" {
		return 0, nil
	}
	if version, err = strconv.Atoi(strings.Trim(text, `"`)); err != nil || version < 1 || text != etag(version) {
		return 0, refuse(http.StatusBadRequest, "If-Match is %.40q; it must be the ETag of a plugin, such as \"3\"", text)
	}
	return version, nil
}

// version is a version as the API tells it.
type version struct {
	Version int          `json:"version"`
	Kind    sandbox.Kind `json:"kind"`
	Updated time.Time    `json:"updated"`
	Author  string       `json:"author,omitempty"`
	Note    string       `json:"note,omitempty"`
	Warning string       `json:"warning,omitempty"`
	Shipped bool         `json:"shipped"`
	State   bool         `json:"state"` // the state that it had at its end is kept
	Config  string       `json:"config"`
	// The source is only told of one version.
	Source string `json:"source,omitempty"`
	Module []byte `json:"source_base64,omitempty"` // when it is no text
}

func asVersion(v *catalog.Version) version {
	out := version{Version: v.N, Kind: v.Kind, Updated: v.Updated, Author: v.Author, Note: v.Note, Warning: v.Warning, Shipped: v.Shipped != "", Config: v.Config}
	if utf8.Valid(v.Source) {
		out.Source = string(v.Source)
	} else {
		out.Module = v.Source
	}
	return out
}

// resolveOnce is resolve, also for the full name of a plugin that was removed.
func (s *Site) resolveOnce(c echo.Context) (string, error) {
	name, err := s.resolve(c)
	if f := asFault(err); err == nil || f.status != http.StatusNotFound {
		return name, err
	}
	if name, perr := pathParam(c, "name"); perr == nil {
		if _, verr := s.opt.Plugins.Versions(c.Request().Context(), name); verr == nil {
			return name, nil
		}
	}
	return "", err
}

func (s *Site) listVersions(c echo.Context) error {
	name, err := s.resolveOnce(c)
	if err != nil {
		return err
	}
	all, err := s.opt.Plugins.Versions(c.Request().Context(), name)
	if err != nil {
		return err
	}
	kept, err := s.opt.Plugins.States(c.Request().Context(), name)
	if err != nil {
		return err
	}
	out := make([]version, len(all))
	for i := range all {
		out[i] = asVersion(&all[i])
		out[i].State = slices.Contains(kept, all[i].N)
	}
	return answer(c, http.StatusOK, out)
}

func (s *Site) getVersion(c echo.Context) error {
	name, err := s.resolveOnce(c)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(c.Param("version"))
	if err != nil {
		return refuse(http.StatusNotFound, "there is no version %.40q", c.Param("version"))
	}
	v, err := s.opt.Plugins.Version(c.Request().Context(), name, n)
	if err != nil {
		return err
	}
	kept, err := s.opt.Plugins.States(c.Request().Context(), name)
	if err != nil {
		return err
	}
	out := asVersion(&v)
	out.State = slices.Contains(kept, n)
	return answer(c, http.StatusOK, out)
}

// goBack runs an older version again, or restores a plugin that was removed.
func (s *Site) goBack(c echo.Context) error {
	name, err := s.resolveOnce(c)
	if err != nil {
		return err
	}
	var in struct {
		Version   int    `json:"version"`
		Note      string `json:"note"`
		WithState bool   `json:"with_state"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	b := deploy.Back{Name: name, Version: in.Version, Note: in.Note, Then: in.WithState}
	if b.Present, err = ifMatch(c); err != nil {
		return err
	}
	if b.By, err = actor(c); err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	st, err := s.opt.Plugins.GoBack(ctx, b)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, asPlugin(st))
}

// audit answers with what was done, by whom.
func (s *Site) audit(c echo.Context) error {
	n, err := queryNumber(c, "n", 100, 1, 1000)
	if err != nil {
		return err
	}
	older, err := queryNumber(c, "older", 0, 1, 1<<62)
	if err != nil {
		return err
	}
	list, err := s.opt.Plugins.Events(c.Request().Context(), c.QueryParam("plugin"), int(n), int64(older))
	if err != nil {
		return err
	}
	if list == nil {
		list = []catalog.Event{}
	}
	return answer(c, http.StatusOK, list)
}
