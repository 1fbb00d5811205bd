package web

import (
	"math"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/host/alert"
	"sandbar/host/series"
)

const (
	maxAlerts   = 1000
	maxFailures = 200
	// maxSeries bounds the payloads of one answer; what does not fit can be asked for alone.
	maxSeries = 16 << 20
)

func (s *Site) listSeries(c echo.Context) error {
	list := s.opt.Series.List()
	if list == nil {
		list = []series.Info{}
	}
	return answer(c, http.StatusOK, list)
}

// infos are the payloads of one plugin.
func (s *Site) infos(logger string) []series.Info {
	mine := []series.Info{}
	for _, i := range s.opt.Series.List() {
		if i.Logger == logger {
			mine = append(mine, i)
		}
	}
	return mine
}

// graph is a payload, or the word that it was left out.
type graph struct {
	series.Graph
	LeftOut bool `json:"left_out,omitempty"`
}

func (s *Site) pluginSeries(c echo.Context) error {
	since, err := queryNumber(c, "since", 0, 0, math.MaxUint64)
	if err != nil {
		return err
	}
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	version := s.opt.Series.Version() // before the payloads: what comes meanwhile comes again
	query := c.QueryParams()
	graphs, room := []graph{}, maxSeries
	for _, i := range s.infos(name) {
		if i.Version <= since || query.Has("payload") && query.Get("payload") != i.Name || query.Has("type") && query.Get("type") != i.Type {
			continue
		}
		if i.Bytes > room && len(graphs) > 0 {
			graphs = append(graphs, graph{series.Graph{Info: i}, true})
			continue
		}
		if g, ok := s.opt.Series.GetType(i.Logger, i.Name, i.Type); ok {
			graphs = append(graphs, graph{Graph: g})
			room -= g.Bytes
		}
	}
	marks := s.opt.Alerts.ForLogger(name)
	if marks == nil {
		marks = []alert.Alert{}
	}
	return answer(c, http.StatusOK, struct {
		Name    string        `json:"name"`
		Version uint64        `json:"version"`
		Series  []graph       `json:"series"`
		Marks   []alert.Alert `json:"marks"`
	}{name, version, graphs, marks})
}

func (s *Site) listAlerts(c echo.Context) error {
	n, err := queryNumber(c, "n", 100, 1, maxAlerts)
	if err != nil {
		return err
	}
	newer, err := queryNumber(c, "newer", 0, 0, math.MaxUint64)
	if err != nil {
		return err
	}
	older, err := queryNumber(c, "older", 0, 0, math.MaxUint64)
	if err != nil {
		return err
	}
	version := s.opt.Alerts.Version()
	f := alert.Filter{Logger: c.QueryParam("logger"), ID: c.QueryParam("id"), Newer: newer, Text: c.QueryParam("text")}
	total := s.opt.Alerts.Count(f)
	f.Older = older
	list := s.opt.Alerts.List(int(n), f)
	if list == nil {
		list = []alert.Alert{}
	}
	return answer(c, http.StatusOK, struct {
		Version uint64        `json:"version"`
		Total   int           `json:"total"`
		Alerts  []alert.Alert `json:"alerts"`
	}{version, total, list})
}
