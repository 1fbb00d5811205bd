package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/host/failures"
	"sandbar/host/stream"
)

// Appender is stream raw, for what is submitted again.
type Appender interface {
	Append(ctx context.Context, msgs ...[]byte) (stream.Position, error)
}

func (s *Site) listErrors(c echo.Context) error {
	n, err := queryNumber(c, "n", 50, 1, maxFailures)
	if err != nil {
		return err
	}
	version := s.opt.Failures.Version()
	list, total, err := s.opt.Failures.List(int(n), failures.Filter{Type: c.QueryParam("type"), Namespace: c.QueryParam("namespace"), Cause: c.QueryParam("cause"), Before: c.QueryParam("before")})
	if err != nil {
		return refuse(http.StatusBadRequest, "before: %v", err)
	}
	counts, duplicates := s.opt.Failures.Counts()
	if counts == nil {
		counts = []failures.Count{}
	}
	return answer(c, http.StatusOK, struct {
		Version    uint64             `json:"version"`
		Total      int                `json:"total"`
		Errors     []failures.Failure `json:"errors"`
		Counts     []failures.Count   `json:"counts"`
		Duplicates int64              `json:"duplicates"`
	}{version, total, list, counts, duplicates})
}

// getError is one error with the beginning of what was submitted.
func (s *Site) getError(c echo.Context) error {
	position, err := pathParam(c, "position")
	if err != nil {
		return err
	}
	f, err := s.opt.Failures.Get(position)
	if err != nil {
		return failureFault(err)
	}
	return answer(c, http.StatusOK, f)
}

// listCauses groups errors by what caused them.
func (s *Site) listCauses(c echo.Context) error {
	version := s.opt.Failures.Version()
	return answer(c, http.StatusOK, struct {
		Version uint64           `json:"version"`
		Causes  []failures.Cause `json:"causes"`
	}{version, s.opt.Failures.Causes()})
}

// errorContent is what was submitted, to be kept as a file.
func (s *Site) errorContent(c echo.Context) error {
	position, err := pathParam(c, "position")
	if err != nil {
		return err
	}
	b, err := s.opt.Failures.Content(position)
	if err != nil {
		return failureFault(err)
	}
	c.Response().Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "submission-"+fileName(position)))
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, b)
}

// fileName is a position as a part of a file's name.
func fileName(position string) string {
	name := []byte(position)
	for i, b := range name {
		if (b < '0' || b > '9') && b != '-' {
			name[i] = '_'
		}
	}
	return string(name)
}

func failureFault(err error) error {
	switch {
	case errors.Is(err, failures.ErrGone):
		return refuse(http.StatusNotFound, "%v", failures.ErrGone)
	case errors.Is(err, failures.ErrNoSubmission):
		return refuse(http.StatusConflict, "%v", err)
	}
	return refuse(http.StatusBadRequest, "%v", err)
}

const (
	mostResent  = 1000     // errors of one request
	resendBytes = 16 << 20 // of one append
)

// resend appends what was submitted to stream raw again: one error, or those of a cause that are kept, the newest 1000.
func (s *Site) resend(c echo.Context) error {
	var in struct {
		Position string `json:"position"`
		Cause    string `json:"cause"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	if err := s.opt.May(string(by), "submit again", "errors"); err != nil {
		return refuse(http.StatusForbidden, "%v", err)
	}
	positions := []string{in.Position}
	switch {
	case (in.Position == "") == (in.Cause == ""):
		return refuse(http.StatusBadRequest, "one of position and cause is needed")
	case in.Cause != "":
		list, _, err := s.opt.Failures.List(mostResent, failures.Filter{Cause: in.Cause})
		if err != nil {
			return err
		}
		positions = positions[:0]
		for _, f := range list {
			positions = append(positions, f.Position)
		}
	}
	ctx, cancel := finish(c)
	defer cancel()
	sent, gone := 0, 0
	var batch [][]byte
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if _, err := s.opt.Raw.Append(ctx, batch...); err != nil {
			return fmt.Errorf("submit again: %w", err)
		}
		sent += len(batch)
		batch, size = nil, 0
		return nil
	}
	for _, p := range positions {
		msg, err := s.opt.Failures.Submission(p)
		if err != nil && in.Position != "" {
			return failureFault(err)
		}
		if err != nil {
			gone++
			continue
		}
		batch, size = append(batch, msg), size+len(msg)
		if size < resendBytes {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	s.opt.Logger.Info("errors were submitted again", "by", string(by), "position", in.Position, "cause", in.Cause, "sent", sent, "gone", gone)
	return answer(c, http.StatusOK, map[string]int{"sent": sent, "gone": gone})
}
