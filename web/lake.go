package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/host/datasets"
)

// Lake is what is in the lake; *datasets.View is one.
type Lake interface {
	List(ctx context.Context) (all []datasets.Dataset, cut bool, err error)
	Get(ctx context.Context, name string) (datasets.Detail, error)
	Preview(ctx context.Context, name string, partition *string, n int) (datasets.Preview, error)
}

// SQL asks the lake; *datasets.SQL is one.
type SQL interface {
	Query(ctx context.Context, sql string) (datasets.Result, error)
}

func lakeFault(err error) error {
	switch {
	case errors.Is(err, datasets.ErrNotFound):
		return refuse(http.StatusNotFound, "%v", err)
	case errors.Is(err, datasets.ErrQuery):
		return refuse(http.StatusUnprocessableEntity, "%v", err)
	case errors.Is(err, datasets.ErrBusy):
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	return err
}

func (s *Site) listLake(c echo.Context) error {
	all, cut, err := s.opt.Lake.List(c.Request().Context())
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Datasets []datasets.Dataset `json:"datasets"`
		Cut      bool               `json:"cut"`
		SQL      bool               `json:"sql"`
		NoSQL    string             `json:"no_sql,omitempty"` // why
	}{all, cut, s.opt.SQL != nil, s.opt.NoSQL})
}

func (s *Site) getDataset(c echo.Context) error {
	d, err := s.opt.Lake.Get(c.Request().Context(), c.QueryParam("name"))
	if err != nil {
		return lakeFault(err)
	}
	return answer(c, http.StatusOK, d)
}

func (s *Site) previewLake(c echo.Context) error {
	n, err := queryNumber(c, "n", 20, 1, datasets.MostRows)
	if err != nil {
		return err
	}
	var partition *string
	if q := c.QueryParams(); q.Has("partition") {
		p := q.Get("partition")
		partition = &p
	}
	p, err := s.opt.Lake.Preview(c.Request().Context(), c.QueryParam("name"), partition, int(n))
	if err != nil {
		return lakeFault(err)
	}
	return answer(c, http.StatusOK, p)
}

// queryLake runs one SELECT.
func (s *Site) queryLake(c echo.Context) error {
	var in struct {
		SQL string `json:"sql"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	if s.opt.SQL == nil {
		return refuse(http.StatusNotImplemented, "%s", s.opt.NoSQL)
	}
	r, err := s.opt.SQL.Query(c.Request().Context(), in.SQL)
	if err != nil {
		return lakeFault(err)
	}
	return answer(c, http.StatusOK, r)
}
