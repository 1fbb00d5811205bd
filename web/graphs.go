package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/history"
	"sandbar/sandbox/cbuf"
)

// History is what graphs showed beyond their buffers; *history.View is one.
type History interface {
	Range(ctx context.Context, logger, name string, from, to int64, points int, way history.Way) (*cbuf.Data, error)
}

// historyTime is how long a range may take to be read.
const historyTime = 20 * time.Second

// graphHistory is what a graph of a plugin showed over a time, up to now.
func (s *Site) graphHistory(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	from, err := queryNumber(c, "from", 0, 0, math.MaxInt64)
	if err != nil {
		return err
	}
	to, err := queryNumber(c, "to", uint64(s.opt.Now().Unix())+1, 0, math.MaxInt64)
	if err != nil {
		return err
	}
	points, err := queryNumber(c, "points", 1000, 1, history.MaxPoints)
	if err != nil {
		return err
	}
	way := history.Way(cmp.Or(c.QueryParam("way"), string(history.Mean)))
	if way != history.Mean && way != history.Max && way != history.Min {
		return refuse(http.StatusBadRequest, "way is %.40q; it may be mean, max or min", way)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), historyTime)
	defer cancel()
	d, err := s.opt.History.Range(ctx, name, c.QueryParam("payload"), int64(from), int64(to), int(points), way)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Data *cbuf.Data `json:"data"` // null when there is nothing
	}{d})
}
