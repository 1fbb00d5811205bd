package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/host/series"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// plugin is a status as the API tells it: its limits carry the config's names.
type plugin struct {
	runner.Status
	Limits limits `json:"limits"`
}

type limits struct {
	Instructions  int64 `json:"instruction_limit"`
	Memory        int64 `json:"memory_limit"`
	Output        int64 `json:"output_limit"`
	ProcessInject int   `json:"process_message_inject_limit"`
	TimerInject   int   `json:"timer_event_inject_limit"`

	InjectBytes int64   `json:"inject_bytes"`
	Hourly      int64   `json:"hourly_bytes"`
	State       int64   `json:"state_size"`
	Graph       int64   `json:"graph_size"`
	LogLines    int     `json:"log_lines"`
	Source      int     `json:"source_size"`
	Module      int     `json:"module_size,omitempty"`
	Time        float64 `json:"call_time"` // seconds
	Ticker      int     `json:"ticker_interval,omitempty"`
}

func asLimits(l sandbox.Limits) limits {
	return limits{l.Instructions, l.Memory, l.Output, l.ProcessInject, l.TimerInject, l.InjectBytes, l.Hourly, l.State, l.Graph, l.LogLines, l.Source, 0, l.Time.Seconds(), 0}
}

// limits answers with what the host allows plugins at most.
func (s *Site) limits(c echo.Context) error {
	all := map[sandbox.Kind]limits{}
	for _, kind := range []sandbox.Kind{sandbox.Decoder, sandbox.Analysis, sandbox.Output} {
		most := s.opt.Ceilings(kind)
		l := asLimits(most.Limits)
		l.Ticker, l.Module = most.Ticker, most.Module
		all[kind] = l
	}
	return answer(c, http.StatusOK, all)
}

func asPlugin(s runner.Status) plugin { return plugin{Status: s, Limits: asLimits(s.Limits)} }

func asPlugins(list []runner.Status) []plugin {
	out := make([]plugin, len(list))
	for i, s := range list {
		out[i] = asPlugin(s)
	}
	return out
}

// resolve finds the plugin that the path names: by its full name, or by the part after the kind where only one
// plugin has that.
func (s *Site) resolve(c echo.Context) (string, error) {
	name, err := pathParam(c, "name")
	if err != nil {
		return "", err
	}
	list, err := s.opt.Plugins.List(c.Request().Context())
	if err != nil {
		return "", err
	}
	var found []string
	for _, p := range list {
		if p.Name == name {
			return name, nil
		}
		if p.Name == string(p.Kind)+"."+name {
			found = append(found, p.Name)
		}
	}
	switch len(found) {
	case 0:
		return "", refuse(http.StatusNotFound, "there is no plugin %s", name)
	case 1:
		return found[0], nil
	}
	return "", refuse(http.StatusConflict, "several plugins have this name: %s; use the full one", strings.Join(found, ", "))
}

// pathParam is a part of the path as it was meant: echo leaves it escaped when the path was unusually so.
func pathParam(c echo.Context, name string) (string, error) {
	v := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return v, nil
	}
	v, err := url.PathUnescape(v)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "the path is not escaped as it should be")
	}
	return v, nil
}

func (s *Site) listPlugins(c echo.Context) error {
	list, err := s.opt.Plugins.List(c.Request().Context())
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, asPlugins(list))
}

func (s *Site) getPlugin(c echo.Context) error {
	name, d, err := s.detail(c)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", etag(d.Version))
	return answer(c, http.StatusOK, struct {
		plugin
		Config string        `json:"config"`
		Source string        `json:"source,omitempty"` // of Lua
		Module int           `json:"module,omitempty"` // bytes of a WASM module instead; more of it is at /module
		Series []series.Info `json:"series"`
		// Send it as expected to replace this version and no other, or the ETag as If-Match.
		Updated time.Time `json:"updated"`
		Version int       `json:"version"`
		Author  string    `json:"author,omitempty"`
		Note    string    `json:"note,omitempty"`
		// The message that ended the plugin.
		Message json.RawMessage `json:"message,omitempty"`
	}{asPlugin(d.Status), d.Config, luaOf(d), moduleSize(d), s.infos(name), d.Updated, d.Version, d.Author, d.Note, endMessage(*d)})
}

// endMessage is the message that ended a plugin, as JSON; nil when there is none.
func endMessage(d deploy.Detail) json.RawMessage {
	var v message.View
	if d.State == runner.Running || len(d.Message) == 0 || v.Parse(d.Message) != nil {
		return nil
	}
	return message.AppendJSON(nil, &v)
}

const maxLogLines = 100_000 // of an answer; a plugin has fewer

func (s *Site) pluginLogs(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	n, err := queryNumber(c, "n", maxLogLines, 0, maxLogLines)
	if err != nil {
		return err
	}
	since := time.Time{}
	if text := c.QueryParam("since"); text != "" {
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return refuse(http.StatusBadRequest, "since is %.60q; it must be a time, such as 2024-05-01T12:00:00.5Z", text)
		}
	}
	lines := []runner.LogLine{}
	for _, l := range s.opt.Plugins.Logs(name) {
		if l.Time.After(since) {
			lines = append(lines, l)
		}
	}
	return answer(c, http.StatusOK, lines[max(0, len(lines)-int(n)):])
}

func (s *Site) stopPlugin(c echo.Context) error { return s.change(c, s.opt.Plugins.Stop) }

func (s *Site) startPlugin(c echo.Context) error { return s.change(c, s.opt.Plugins.Start) }

func (s *Site) change(c echo.Context, f func(context.Context, deploy.Actor, string) error) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	if err := f(ctx, by, name); err != nil {
		return err
	}
	d, err := s.opt.Plugins.Get(ctx, name)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, asPlugin(d.Status))
}

func (s *Site) removePlugin(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	if err := s.opt.Plugins.Remove(ctx, by, name); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// changeTime is how long a change may take.
const changeTime = time.Minute

// finish is the context of a change: one that has begun is brought to its end, whether its sender waits or not.
func finish(c echo.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Request().Context()), changeTime)
}

func (s *Site) deployPlugin(c echo.Context) error {
	sub, err := s.submission(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	st, err := s.opt.Plugins.Deploy(ctx, sub)
	if err != nil {
		return proposed(c, err)
	}
	c.Response().Header().Set("Location", "/api/v1/plugins/"+url.PathEscape(st.Name))
	return answer(c, http.StatusCreated, asPlugin(st))
}

func (s *Site) checkPlugin(c echo.Context) error {
	sub, err := s.submission(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), changeTime)
	defer cancel()
	found, err := s.opt.Plugins.Check(ctx, sub)
	if err != nil {
		return err
	}
	if why := s.unmatched(ctx, sub, c.QueryParam("streams")); why != "" {
		found = append(found, sandbox.Finding{Field: "config", Key: "message_matcher", Text: why})
	}
	sandbox.Locate(found, sub.Config)
	var facts *module
	if s.isModule(sub) {
		if facts, err = describe(sub.Source); err != nil {
			return blame("source", err)
		}
	}
	return answer(c, http.StatusOK, struct {
		OK       bool              `json:"ok"`
		Warning  string            `json:"warning,omitempty"` // all findings
		Findings []sandbox.Finding `json:"findings,omitempty"`
		Module   *module           `json:"module,omitempty"`
	}{true, sandbox.JoinFindings(found), found, facts})
}

// submitted is a submission as it is sent.
type submitted struct {
	Kind    sandbox.Kind `json:"kind"`
	Name    string       `json:"name"`
	Config  string       `json:"config"`
	Source  string       `json:"source"`
	Module  []byte       `json:"source_base64"`
	Replace bool         `json:"replace"`
	// It is to run in the shadow of the plugin of its name, perhaps with the state that this has now.
	Shadow    bool `json:"shadow"`
	WithState bool `json:"with_state"`

	Expected time.Time `json:"expected"`
	Note     string    `json:"note"`
}

// submission reads a submission. What is wrong with it finds who takes it.
func (s *Site) submission(c echo.Context) (deploy.Submission, error) {
	var in submitted
	if err := s.readJSON(c, &in); err != nil {
		return deploy.Submission{}, err
	}
	return in.submission(c)
}

func (in *submitted) submission(c echo.Context) (deploy.Submission, error) {
	var none deploy.Submission
	source := in.Module
	if source == nil {
		source = []byte(in.Source)
	}
	if in.Source != "" && in.Module != nil {
		return none, blame("source", errors.New("there are both source and source_base64; send one"))
	}
	version, err := ifMatch(c)
	if err != nil {
		return none, err
	}
	by, err := actor(c)
	if err != nil {
		return none, err
	}
	return deploy.Submission{Kind: in.Kind, Name: in.Name, Config: in.Config, Source: source, Replace: in.Replace || version > 0, Expected: in.Expected, Version: version, Shadow: in.Shadow, WithState: in.WithState, By: by, Note: in.Note}, nil
}

const (
	maxBody  = 15 << 20 // the largest config and module, and what JSON and base64 add
	bodyTime = 30 * time.Second
)

// readBody reads what was sent, within bounds of size and time.
func (s *Site) readBody(c echo.Context, most int64) ([]byte, error) {
	w := c.Response().Writer
	// Deadlines are not supported only where no connection is, in tests.
	_ = http.NewResponseController(w).SetReadDeadline(s.opt.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, c.Request().Body, most))
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", most)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body did not come whole")
	}
	return body, nil
}

// readJSON takes one JSON object with no members but those of v.
func (s *Site) readJSON(c echo.Context, v any) error {
	if typ, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type")); err != nil || typ != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
	}
	body, err := s.readBody(c, maxBody)
	if err != nil {
		return err
	}
	if !utf8.Valid(body) { // the decoder would change it silently
		return refuse(http.StatusBadRequest, "the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return refuse(http.StatusBadRequest, "the body is not the JSON it should be: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, "the body has more than one JSON value")
	}
	return nil
}
