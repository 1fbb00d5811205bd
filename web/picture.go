package web

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"sandbar/host/chart"
	"sandbar/host/history"
)

// pictureSign is in the address of a picture, in place of a token: who has the address sees this graph, and nothing else.
func (s *Site) pictureSign(name, payload string) string {
	return hex.EncodeToString(mac([]byte(s.opt.Token), fmt.Sprintf("sandbar picture %q %q", name, payload))[:16])
}

// pictureLink answers with the address of a picture of a graph.
func (s *Site) pictureLink(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	payload := c.QueryParam("payload")
	q := url.Values{"payload": {payload}, "sign": {s.pictureSign(name, payload)}}
	return answer(c, http.StatusOK, struct {
		Path string `json:"path"`
	}{"/pictures/" + url.PathEscape(name) + "?" + q.Encode()})
}

// picture draws a graph as SVG, for pages of others to show: an img of this address.
func (s *Site) picture(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	if sign := s.pictureSign(name, c.QueryParam("payload")); !hmac.Equal([]byte(sign), []byte(c.QueryParam("sign"))) {
		return refuse(http.StatusForbidden, "the address of a picture has its sign in it; the menu of a graph gives it")
	}
	last, err := queryNumber(c, "last", 3600, 60, 400*86400)
	if err != nil {
		return err
	}
	width, err := queryNumber(c, "width", 640, 160, 2400)
	if err != nil {
		return err
	}
	height, err := queryNumber(c, "height", 240, 100, 1200)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), historyTime)
	defer cancel()
	payload := c.QueryParam("payload")
	to := s.opt.Now().Unix() + 1
	d, err := s.opt.History.Range(ctx, name, payload, max(0, to-int64(last)), to, int(width), history.Mean)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, max-age=30")
	c.Response().Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Blob(http.StatusOK, "image/svg+xml; charset=utf-8", chart.SVG(d, chart.Options{Title: payload + ", " + name, Width: int(width), Height: int(height)}))
}
