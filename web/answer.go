package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/labstack/echo/v4"

	"sandbar/host/deploy"
	"sandbar/host/try"
	"sandbar/sandbox"
)

// fault is an error as the API tells it.
type fault struct {
	status  int
	Text    string `json:"error"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field,omitempty"`
	Outcome string `json:"outcome,omitempty"`
}

func (f *fault) Error() string { return f.Text }

func refuse(status int, format string, args ...any) error {
	return &fault{status: status, Text: fmt.Sprintf(format, args...)}
}

// blame says that a member of a submission is at fault.
func blame(field string, err error) error {
	f := &fault{status: http.StatusUnprocessableEntity, Text: err.Error(), Field: field}
	var e *sandbox.Error
	if errors.As(err, &e) {
		f.Text, f.Line, f.Outcome = e.Text, e.Line, e.Outcome.String()
		if strings.HasPrefix(e.Text, "message_matcher") { // it stands in the config, whoever read it
			f.Field = "config"
		}
	}
	return f
}

// asFault finds out what to tell of an error. One that nobody foresaw is the host's.
func asFault(err error) *fault {
	var f *fault
	var part *deploy.Fault
	var refusal *deploy.Refusal
	var e *sandbox.Error
	var routing *echo.HTTPError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &part):
		return asFault(blame(part.Field, part.Err))
	case errors.As(err, &e):
		return asFault(blame("source", err))
	case errors.Is(err, deploy.ErrNotFound):
		return &fault{status: http.StatusNotFound, Text: "there is no such plugin"}
	case errors.Is(err, deploy.ErrNoVersion), errors.Is(err, deploy.ErrNoShadow):
		return &fault{status: http.StatusNotFound, Text: err.Error()}
	case errors.Is(err, deploy.ErrNoProposal):
		return &fault{status: http.StatusNotFound, Text: err.Error()}
	case errors.Is(err, try.ErrBusy):
		return &fault{status: http.StatusServiceUnavailable, Text: err.Error()}
	case errors.As(err, &refusal):
		return &fault{status: http.StatusUnprocessableEntity, Text: err.Error(), Field: "gate"}
	case errors.Is(err, deploy.ErrSamePerson):
		return &fault{status: http.StatusForbidden, Text: err.Error()}
	case errors.Is(err, deploy.ErrForbidden):
		return &fault{status: http.StatusForbidden, Text: err.Error()}
	case errors.Is(err, deploy.ErrChanged):
		return &fault{status: http.StatusConflict, Text: err.Error(), Field: "expected"}
	case errors.Is(err, deploy.ErrNoState):
		return &fault{status: http.StatusConflict, Text: err.Error(), Field: "with_state"}
	case errors.Is(err, deploy.ErrNameTaken):
		return &fault{status: http.StatusConflict, Text: err.Error(), Field: "name"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &fault{status: http.StatusServiceUnavailable, Text: err.Error()}
	case errors.As(err, &routing):
		return &fault{status: routing.Code, Text: strings.ToLower(http.StatusText(routing.Code))}
	}
	return &fault{status: http.StatusInternalServerError, Text: "the host could not do this; its log says why"}
}

// tell answers with an error, unless an answer has begun.
func (s *Site) tell(err error, c echo.Context) {
	f := asFault(err)
	if f.status >= http.StatusInternalServerError && f.status != http.StatusNotImplemented && f.status != http.StatusServiceUnavailable {
		s.opt.Logger.Error("a request to page or API failed", "method", c.Request().Method, "path", c.Request().URL.Path, "error", err)
	}
	if c.Response().Committed {
		return
	}
	told := answer
	if wantsPage(c.Request()) {
		told = func(c echo.Context, status int, _ any) error {
			return s.render(c, status, pageData{Title: http.StatusText(status), Page: "missing", Error: f.Text})
		}
	}
	if err := told(c, f.status, f); err != nil {
		s.opt.Logger.Debug("an error could not be told", "error", err)
	}
}

// wantsPage says that a person asks with a browser, and not for the API.
func wantsPage(r *http.Request) bool {
	path := r.URL.Path
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html") &&
		!strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/prometheus/") && !strings.HasPrefix(path, "/assets/")
}

// answer sends v as JSON. It is made whole before it is sent, so that it is never half an answer. Who asks again and has it already is told so.
func answer(c echo.Context, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("make the answer: %w", err)
	}
	h := c.Response().Header()
	if r := c.Request(); r.Method == http.MethodGet && status == http.StatusOK && h.Get("ETag") == "" {
		tag := fmt.Sprintf(`W/"%016x"`, xxhash.Sum64(b))
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			return c.NoContent(http.StatusNotModified)
		}
	}
	return c.JSONBlob(status, append(b, '\n'))
}

// queryNumber reads a whole number of the query between low and high; def when it is not there.
func queryNumber(c echo.Context, name string, def, low, high uint64) (uint64, error) {
	text := c.QueryParam(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < low || n > high {
		return 0, refuse(http.StatusBadRequest, "%s is %q; it must be a whole number from %d to %d", name, text, low, high)
	}
	return n, nil
}
