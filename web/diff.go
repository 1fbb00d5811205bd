package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/aymanbagabas/go-udiff"
	"github.com/labstack/echo/v4"

	"sandbar/host/catalog"
)

// difference is what is different between two versions, or a version and what somebody writes, as unified diffs.
type difference struct {
	From   int    `json:"from"`
	To     int    `json:"to,omitempty"` // none: what was sent
	Config string `json:"config"`
	Source string `json:"source"`
}

// diff compares a version with another, or with what was sent.
func (s *Site) diff(c echo.Context) error {
	var in struct {
		From   int    `json:"from"`
		To     int    `json:"to"`
		Config string `json:"config"`
		Source string `json:"source"`
		Module []byte `json:"source_base64"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	name, err := s.resolveOnce(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if in.From == 0 {
		all, err := s.opt.Plugins.Versions(ctx, name)
		if err != nil {
			return err
		}
		in.From = all[0].N
	}
	from, err := s.opt.Plugins.Version(ctx, name, in.From)
	if err != nil {
		return err
	}
	to, label := catalog.Version{Config: in.Config, Source: []byte(in.Source)}, "as written"
	if in.Module != nil {
		to.Source = in.Module
	}
	if in.To > 0 {
		if to, err = s.opt.Plugins.Version(ctx, name, in.To); err != nil {
			return err
		}
		label = fmt.Sprint("version ", in.To)
	}
	d, err := compare(ctx, &from, &to, label)
	if err != nil {
		return err
	}
	d.To = in.To
	return answer(c, http.StatusOK, d)
}

// maxDiff bounds the texts that are compared: the work grows with the square of what differs.
const maxDiff = 256 << 10

func compare(ctx context.Context, from, to *catalog.Version, label string) (d difference, err error) {
	d.From = from.N
	before := fmt.Sprint("version ", from.N)
	d.Config = udiff.Unified(before, label, from.Config, to.Config)
	switch {
	case bytes.Equal(from.Source, to.Source):
	case isBinary(from.Source) || isBinary(to.Source) || len(from.Source)+len(to.Source) > 2*maxDiff:
		d.Source = fmt.Sprintf("the sources are different: %d and %d bytes\n", len(from.Source), len(to.Source))
	default:
		d.Source = udiff.Unified(before, label, string(from.Source), string(to.Source))
	}
	return d, ctx.Err()
}

func isBinary(b []byte) bool { return bytes.IndexByte(b, 0) >= 0 }
