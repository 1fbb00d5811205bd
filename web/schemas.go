package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/schemas"
)

// Schemas is what document types there are; *schemas.Registry is one.
type Schemas interface {
	List() []schemas.Info
	Describe(i schemas.Info) (schemas.Description, error)
	Problems() []schemas.Problem
}

func (s *Site) listSchemas(c echo.Context) error {
	problems := s.opt.Schemas.Problems()
	if problems == nil {
		problems = []schemas.Problem{}
	}
	return answer(c, http.StatusOK, struct {
		Schemas  []schemas.Info    `json:"schemas"`
		Problems []schemas.Problem `json:"problems"`
	}{s.opt.Schemas.List(), problems})
}

func (s *Site) getSchema(c echo.Context) error {
	var name [3]string
	for i, param := range []string{"namespace", "type", "version"} {
		var err error
		if name[i], err = pathParam(c, param); err != nil {
			return err
		}
	}
	d, err := s.opt.Schemas.Describe(schemas.Info{Namespace: name[0], DocType: name[1], Version: name[2]})
	if errors.Is(err, schemas.ErrNone) {
		return refuse(http.StatusNotFound, "%v", err)
	}
	if err != nil {
		return err
	}
	if d.Fields == nil {
		d.Fields = []schemas.Field{}
	}
	return answer(c, http.StatusOK, d)
}
