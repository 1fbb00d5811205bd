package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/tap"
	"sandbar/sandbox/matcher"
)

// Messages looks into the streams; *tap.Tap does.
type Messages interface {
	Newest(ctx context.Context, q tap.Query, n int) ([]tap.Message, tap.Seen, error)
	Follow(ctx context.Context, q tap.Query, rate int, tell func(tap.Event) error) error
	Get(stream, place string) (tap.Message, error)
	Fields(ctx context.Context, q tap.Query, n int) ([]*tap.Field, tap.Seen, error)
}

const (
	maxSample = 20_000      // messages that fields are counted of
	hintTime  = time.Second // that a check may take longer for a hint
)

// messageQuery reads what chooses messages.
func messageQuery(c echo.Context) (q tap.Query, err error) {
	if q.Stream = c.QueryParam("stream"); q.Stream == "" {
		q.Stream = stream.Valid
	}
	text := c.QueryParam("matcher")
	if text == "" {
		text = "TRUE"
	}
	q.Matcher, err = matcher.Parse(text)
	var wrong *matcher.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return q, &fault{status: http.StatusUnprocessableEntity, Text: err.Error(), Field: "matcher", Column: wrong.Column}
	case err != nil:
		return q, &fault{status: http.StatusUnprocessableEntity, Text: err.Error(), Field: "matcher"}
	}
	return q, nil
}

// looked turns an error of Messages into an answer.
func looked(c echo.Context, err error) error {
	switch {
	case errors.Is(err, tap.ErrBusy):
		c.Response().Header().Set("Retry-After", "5")
		return refuse(http.StatusServiceUnavailable, "%v", err)
	case errors.Is(err, tap.ErrGone):
		return refuse(http.StatusNotFound, "%v", tap.ErrGone)
	case errors.Is(err, tap.ErrWrong):
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return err
}

func (s *Site) listMessages(c echo.Context) error {
	n, err := queryNumber(c, "n", 50, 0, tap.MaxMessages)
	if err != nil {
		return err
	}
	q, err := messageQuery(c)
	if err != nil {
		return err
	}
	list, seen, err := s.opt.Messages.Newest(c.Request().Context(), q, int(n))
	if err != nil {
		return looked(c, err)
	}
	if list == nil {
		list = []tap.Message{}
	}
	return answer(c, http.StatusOK, struct {
		tap.Seen
		Stream string        `json:"stream"`
		List   []tap.Message `json:"list"`
	}{seen, q.Stream, list})
}

func (s *Site) getMessage(c echo.Context) error {
	name, err := pathParam(c, "stream")
	if err != nil {
		return err
	}
	position, err := pathParam(c, "position")
	if err != nil {
		return err
	}
	m, err := s.opt.Messages.Get(name, position)
	if err != nil {
		return looked(c, err)
	}
	return answer(c, http.StatusOK, m)
}

func (s *Site) listFields(c echo.Context) error {
	n, err := queryNumber(c, "n", 2000, 1, maxSample)
	if err != nil {
		return err
	}
	q, err := messageQuery(c)
	if err != nil {
		return err
	}
	list, seen, err := s.opt.Messages.Fields(c.Request().Context(), q, int(n))
	if err != nil {
		return looked(c, err)
	}
	return answer(c, http.StatusOK, struct {
		tap.Seen
		Stream string       `json:"stream"`
		Fields []*tap.Field `json:"fields"`
	}{seen, q.Stream, list})
}

// liveMessages tells a listener of what comes until it goes, the host ends or its time is over.
func (s *Site) liveMessages(c echo.Context) error {
	rate, err := queryNumber(c, "rate", 20, 0, tap.MaxRate)
	if err != nil {
		return err
	}
	q, err := messageQuery(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), listenTime)
	defer cancel()
	defer context.AfterFunc(s.pulse.ending, cancel)()
	begun := false // not before it is sure that it goes
	err = s.opt.Messages.Follow(ctx, q, int(rate), func(e tap.Event) error {
		if !begun {
			begun = true
			c.Response().Header().Set("Content-Type", "text/event-stream")
			c.Response().WriteHeader(http.StatusOK)
		}
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		return s.send(c, fmt.Sprintf("event: messages\ndata: %s\n\n", data))
	})
	if begun { // the listener is gone, or its time is over
		return nil
	}
	return looked(c, err)
}

// unmatched is a warning when a plugin's matcher takes nothing of what came lately. A plugin that wants nothing says FALSE.
// look is "false" when that is not wanted, while somebody types.
func (s *Site) unmatched(ctx context.Context, sub deploy.Submission, look string) string {
	if look == "false" {
		return ""
	}
	cfg, err := s.opt.Parse(sub.Kind, sub.Name, []byte(sub.Config))
	if err != nil || strings.TrimSpace(cfg.Matcher) == "FALSE" {
		return ""
	}
	m, err := matcher.Parse(cfg.Matcher)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, hintTime)
	defer cancel()
	var all tap.Seen
	reads := runner.Reads(cfg)
	for _, name := range reads {
		_, seen, err := s.opt.Messages.Newest(ctx, tap.Query{Stream: name, Matcher: m}, 0)
		if err != nil || seen.Matched > 0 || ctx.Err() != nil {
			return ""
		}
		all.Messages += seen.Messages
		if all.Since.IsZero() || !seen.Since.IsZero() && seen.Since.Before(all.Since) {
			all.Since = seen.Since
		}
	}
	if all.Messages == 0 {
		return ""
	}
	return fmt.Sprintf("its message_matcher takes none of the newest %d messages of %s, back to %s", all.Messages, strings.Join(reads, ", "), all.Since.Format(time.DateTime))
}
