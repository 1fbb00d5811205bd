package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/host/saved"
)

// Saved is what people save beside plugins; *saved.Store is one.
type Saved interface {
	Dashboards(ctx context.Context) ([]saved.Dashboard, error)
	Dashboard(ctx context.Context, id string) (saved.Dashboard, error)
	SaveDashboard(ctx context.Context, by string, d saved.Dashboard, over int) (saved.Head, error)
	RemoveDashboard(ctx context.Context, by, id string) error
	Silences(ctx context.Context) ([]saved.Silence, error)
	Silence(ctx context.Context, by string, q saved.Silence) (saved.Head, error)
	EndSilence(ctx context.Context, by, id string) error
	AllSeen(ctx context.Context) ([]saved.Seen, error)
	MarkSeen(ctx context.Context, by string, q saved.Seen) (saved.Head, error)
	Routes(ctx context.Context) ([]saved.Route, error)
	SaveRoute(ctx context.Context, by string, r saved.Route, over int) (saved.Head, error)
	RemoveRoute(ctx context.Context, by, id string) error
	Version() uint64
}

// savedFault is what to tell of an error of Saved.
func savedFault(err error) error {
	for is, status := range map[error]int{saved.ErrNotFound: http.StatusNotFound, saved.ErrChanged: http.StatusConflict, saved.ErrInvalid: http.StatusUnprocessableEntity, saved.ErrDenied: http.StatusForbidden} {
		if errors.Is(err, is) {
			return refuse(status, "%v", err)
		}
	}
	return err
}

// listDashboards has their titles.
func (s *Site) listDashboards(c echo.Context) error {
	list, err := s.opt.Saved.Dashboards(c.Request().Context())
	if err != nil {
		return err
	}
	type entry struct {
		saved.Head
		Title  string `json:"title"`
		Panels int    `json:"panels"`
	}
	out := []entry{}
	for _, d := range list {
		out = append(out, entry{d.Head, d.Title, len(d.Panels)})
	}
	return answer(c, http.StatusOK, map[string]any{"dashboards": out})
}

// board is a dashboard as the API tells it.
type board struct {
	saved.Head
	Title  string        `json:"title"`
	Panels []saved.Panel `json:"panels"`
}

func (s *Site) getDashboard(c echo.Context) error {
	id, err := pathParam(c, "id")
	if err != nil {
		return err
	}
	d, err := s.opt.Saved.Dashboard(c.Request().Context(), id)
	if err != nil {
		return savedFault(err)
	}
	if d.Panels == nil {
		d.Panels = []saved.Panel{}
	}
	c.Response().Header().Set("ETag", etag(d.Version))
	return answer(c, http.StatusOK, board{d.Head, d.Title, d.Panels})
}

// saveDashboard makes a dashboard, or replaces the version that If-Match names.
func (s *Site) saveDashboard(c echo.Context) error {
	id, err := pathParam(c, "id")
	if err != nil {
		return err
	}
	d := saved.Dashboard{}
	if err := s.readJSON(c, &d); err != nil {
		return err
	}
	d.ID = id
	over, err := ifMatch(c)
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	head, err := s.opt.Saved.SaveDashboard(ctx, string(by), d, over)
	if err != nil {
		return savedFault(err)
	}
	c.Response().Header().Set("ETag", etag(head.Version))
	return answer(c, http.StatusOK, head)
}

func (s *Site) removeDashboard(c echo.Context) error {
	return s.drop(c, s.opt.Saved.RemoveDashboard)
}

func (s *Site) drop(c echo.Context, f func(ctx context.Context, by, id string) error) error {
	id, err := pathParam(c, "id")
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	if err := f(ctx, string(by), id); err != nil {
		return savedFault(err)
	}
	return c.NoContent(http.StatusNoContent)
}
