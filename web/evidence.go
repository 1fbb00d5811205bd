package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/alert"
	"sandbar/host/catalog"
	"sandbar/host/evidence"
	"sandbar/host/try"
	"sandbar/sandbox/message"
)

// Evidence is the messages that caused alerts; *evidence.Keeper has them.
type Evidence interface {
	Messages(a alert.Alert) []evidence.Message
}

// caused is a message that caused an alert, as the API tells it.
type caused struct {
	Stream   string          `json:"stream"`
	Position string          `json:"position"`
	Message  json.RawMessage `json:"message,omitempty"`
	Cut      bool            `json:"cut,omitempty"` // long texts of it are
	Missing  string          `json:"missing,omitempty"`
}

// getEvidence has the messages that caused an alert.
func (s *Site) getEvidence(c echo.Context) error {
	a, err := s.alertOf(c)
	if err != nil {
		return err
	}
	out := []caused{}
	for _, m := range s.opt.Evidence.Messages(a) {
		one := caused{Missing: m.Missing}
		one.Stream, one.Position, _ = strings.Cut(m.Place, "/")
		var v message.View
		if m.Missing == "" && v.Parse(m.Raw) == nil {
			one.Message, one.Cut = message.JSON{MaxText: 16 << 10, MaxBytes: 128 << 10}.Append(nil, &v)
		}
		out = append(out, one)
	}
	return answer(c, http.StatusOK, map[string]any{"messages": out})
}

// rerunAfter is how long after an alert its trial goes on at least, so that the timer event comes that raised it.
const rerunAfter = 10 * time.Second

// rerun begins a trial of the version that raised an alert, beside the present one, over the messages that caused it, or what the streams have of the time before it.
func (s *Site) rerun(c echo.Context) error {
	a, err := s.alertOf(c)
	if err != nil {
		return err
	}
	var in struct {
		Before string `json:"before"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	var r try.Request
	if err := s.versionsOf(c, a, &r); err != nil {
		return err
	}
	if in.Before == "" {
		for _, m := range s.opt.Evidence.Messages(a) {
			if m.Raw != nil {
				r.Messages = append(r.Messages, m.Raw)
			}
		}
		if r.Messages == nil {
			return refuse(http.StatusNotFound, "no message that caused this alert is kept; run it again over the time before it")
		}
	} else {
		before, err := time.ParseDuration(in.Before)
		if err != nil || before <= 0 {
			return refuse(http.StatusBadRequest, "before is %.40q; it must be a time like 90m or 6h", in.Before)
		}
		r.Since = s.opt.Now().Sub(a.Time) + before
		r.Until = a.Time.Add(max(rerunAfter, 2*time.Duration(r.Tried.Config.TickerInterval)*time.Second))
	}
	if err := r.Check(); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	id, err := s.opt.Trials.Start(r)
	return begun(c, id, err)
}

// versionsOf finds the version that raised an alert, and the present one if that is another.
func (s *Site) versionsOf(c echo.Context, a alert.Alert, r *try.Request) error {
	ctx := c.Request().Context()
	present, err := s.present(c, a.Logger)
	if err != nil {
		return err
	}
	events, err := s.opt.Plugins.Events(ctx, a.Logger, versionEvents, 0)
	if err != nil {
		return err
	}
	ran := versionAt(events, a.Time)
	if present != nil && (ran == nil || ran.Version == present.Number) {
		r.Tried = *present
		return nil
	}
	if ran == nil {
		return refuse(http.StatusNotFound, "the version of %s that raised this alert is not known", a.Logger)
	}
	v, err := s.opt.Plugins.Version(ctx, a.Logger, ran.Version)
	if errors.Is(err, catalog.ErrNoVersion) {
		return refuse(http.StatusNotFound, "version %d of %s, which raised this alert, is not kept any more", ran.Version, a.Logger)
	}
	if err != nil {
		return err
	}
	cfg, err := s.opt.Parse(v.Kind, strings.TrimPrefix(a.Logger, string(v.Kind)+"."), []byte(v.Config))
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "version %d of %s cannot be loaded any more: %v", ran.Version, a.Logger, err)
	}
	r.Tried, r.Running = try.Version{Config: cfg, Settings: v.Config, Source: v.Source, Number: v.N}, present
	return nil
}
