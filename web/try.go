package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/deploy"
	"sandbar/host/try"
	"sandbar/sandbox/message"
)

// Trials run what somebody writes over what the streams have kept; *try.Trials does.
type Trials interface {
	Start(r try.Request) (id string, err error)
	Get(id string) (try.Report, error)
	Look(id string, call int64) (trial string, err error)
	Cancel(id string) error
}

const defaultLast = 1000 // messages, when nobody says how many

// tried turns an error of Trials into an answer.
func tried(c echo.Context, err error) error {
	switch {
	case errors.Is(err, try.ErrBusy):
		c.Response().Header().Set("Retry-After", "10")
		return refuse(http.StatusServiceUnavailable, "%v", err)
	case errors.Is(err, try.ErrGone):
		return refuse(http.StatusNotFound, "%v", err)
	}
	return err
}

// startTrial begins a trial of a submission. What is wrong with the config is told at once; what is wrong with the source is in the trial.
func (s *Site) startTrial(c echo.Context) error {
	var in struct {
		submitted
		Last  int    `json:"last"`
		Since string `json:"since"`

		Messages []json.RawMessage `json:"messages"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	sub, err := in.submission(c)
	if err != nil {
		return err
	}
	cfg, err := deploy.Validate(s.opt.Parse, sub)
	if err != nil {
		return err
	}
	r := try.Request{Tried: try.Version{Config: cfg, Settings: sub.Config, Source: sub.Source}, Last: in.Last}
	if in.Since != "" {
		if r.Since, err = time.ParseDuration(in.Since); err != nil {
			return refuse(http.StatusBadRequest, "since is %.40q; it must be a time like 90m or 6h", in.Since)
		}
	} else if r.Messages, err = given(in.Messages); err != nil {
		return err
	} else if r.Last == 0 && r.Messages == nil {
		r.Last = defaultLast
	}
	if err := r.Check(); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	if r.Running, err = s.present(c, cfg.Logger()); err != nil {
		return err
	}
	id, err := s.opt.Trials.Start(r)
	return begun(c, id, err)
}

// given are messages that were sent as JSON.
func given(all []json.RawMessage) (msgs [][]byte, err error) {
	for i, text := range all {
		raw, err := message.FromJSON(text)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "message %d is none: %v", i+1, err)
		}
		msgs = append(msgs, raw)
	}
	return msgs, nil
}

// lookInto begins a trial that tells all about one call of another.
func (s *Site) lookInto(c echo.Context) error {
	call, err := strconv.ParseInt(c.Param("call"), 10, 64)
	if err != nil || call < 1 {
		return refuse(http.StatusNotFound, "there is no call %.40q", c.Param("call"))
	}
	id, err := s.opt.Trials.Look(c.Param("id"), call)
	return begun(c, id, err)
}

// begun tells of a trial that has begun.
func begun(c echo.Context, id string, err error) error {
	if err != nil {
		return tried(c, err)
	}
	c.Response().Header().Set("Location", "/api/v1/try/"+id)
	return answer(c, http.StatusAccepted, struct {
		ID string `json:"id"`
	}{id})
}

// present is the version of a plugin that there is now; nil when there is none.
func (s *Site) present(c echo.Context, name string) (*try.Version, error) {
	d, err := s.opt.Plugins.Get(c.Request().Context(), name)
	if errors.Is(err, deploy.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	short := name[len(d.Kind)+1:]
	cfg, err := s.opt.Parse(d.Kind, short, []byte(d.Config))
	if err != nil {
		return nil, nil // it cannot be loaded, and there is nothing to compare with
	}
	return &try.Version{Config: cfg, Settings: d.Config, Source: d.Source, Number: d.Version}, nil
}

func (s *Site) getTrial(c echo.Context) error {
	r, err := s.opt.Trials.Get(c.Param("id"))
	if err != nil {
		return tried(c, err)
	}
	return answer(c, http.StatusOK, r)
}

func (s *Site) cancelTrial(c echo.Context) error {
	if err := s.opt.Trials.Cancel(c.Param("id")); err != nil {
		return tried(c, err)
	}
	return c.NoContent(http.StatusNoContent)
}
