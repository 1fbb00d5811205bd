package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"gopkg.in/yaml.v3"
)

// readParams reads from openapi.yaml which query parameters a route takes, by "GET /api/v1/errors/{position}".
func readParams() (map[string][]string, error) {
	type param struct {
		Name, In string
		Ref      string `yaml:"$ref"`
	}
	type operation struct{ Parameters []param }
	var doc struct {
		Paths map[string]struct {
			Parameters             []param
			Get, Post, Put, Delete *operation
		}
		Components struct{ Parameters map[string]param }
	}
	text, err := embedded.ReadFile("openapi.yaml")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("web: openapi.yaml: %w", err)
	}
	known := map[string][]string{}
	for path, p := range doc.Paths {
		for method, op := range map[string]*operation{http.MethodGet: p.Get, http.MethodPost: p.Post, http.MethodPut: p.Put, http.MethodDelete: p.Delete} {
			if op == nil {
				continue
			}
			names := []string{}
			for _, one := range slices.Concat(p.Parameters, op.Parameters) {
				if one.Ref != "" {
					one = doc.Components.Parameters[one.Ref[strings.LastIndexByte(one.Ref, '/')+1:]]
				}
				if one.In == "query" {
					names = append(names, one.Name)
				}
			}
			slices.Sort(names)
			known[method+" "+path] = names
		}
	}
	return known, nil
}

// onlyKnown refuses query parameters that a route of the API does not have: a misspelt filter would otherwise answer with everything.
func onlyKnown(method, path string, known func() (map[string][]string, error), next echo.HandlerFunc) echo.HandlerFunc {
	if !strings.HasPrefix(path, "/api/") {
		return next
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, is := strings.CutPrefix(part, ":"); is {
			parts[i] = "{" + name + "}"
		}
	}
	route := method + " " + strings.Join(parts, "/")
	return func(c echo.Context) error {
		if c.Request().URL.RawQuery == "" {
			return next(c)
		}
		all, err := known()
		if err != nil {
			return err
		}
		names := all[route]
		for name := range c.QueryParams() {
			if slices.Contains(names, name) {
				continue
			}
			takes := "it takes none"
			if len(names) > 0 {
				takes = "it takes " + strings.Join(names, ", ")
			}
			return refuse(http.StatusBadRequest, "there is no parameter %.64q here; %s", name, takes)
		}
		return next(c)
	}
}
