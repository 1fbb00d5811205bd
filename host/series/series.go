// Package series is the view behind the graphs: the newest payload of each name that an analysis plugin
// injects. It follows stream derived and keeps its position in the same file as the payloads.
//
// It knows payloads, names and times; it must not know a plugin's state or config, nor how a graph is drawn.
package series

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/message"
)

// Options bound the view. A zero means the default.
type Options struct {
	Now    func() time.Time // required
	Logger *slog.Logger     // required

	MaxPayload   int           // bytes of one message; a larger one is refused; 4 MiB
	MaxBytes     int64         // bytes of all messages; the ones longest without an update go; 64 MiB
	MaxPerLogger int           // payloads of one plugin; its own oldest goes; 100
	SaveEvery    time.Duration // the least time between two saves; 5 s
}

func (o *Options) defaults() {
	o.MaxPayload = cmp.Or(o.MaxPayload, 4<<20)
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	o.MaxPerLogger = cmp.Or(o.MaxPerLogger, 100)
	o.SaveEvery = cmp.Or(o.SaveEvery, 5*time.Second)
}

// Info says which payload a graph is made of.
type Info struct {
	Logger  string    `json:"logger"`  // "analysis.rate"
	Name    string    `json:"name"`    // payload_name, may be empty
	Type    string    `json:"type"`    // payload_type: "cbuf", "txt", "json", ...
	Title   string    `json:"title"`   // for people, never empty
	Updated time.Time `json:"updated"` // the message's timestamp
	Bytes   int       `json:"bytes"`   // of the payload
	Version uint64    `json:"version"` // of the view, when this payload came
}

// Graph is a payload: the data of a circular buffer, or text.
type Graph struct {
	Info
	Data    *cbuf.Data `json:"data,omitempty"`
	Text    string     `json:"text,omitempty"`
	Problem string     `json:"problem,omitempty"` // why a cbuf is shown as text
}

// Stats count since the view was opened.
type Stats struct {
	Payloads int    `json:"payloads"` // kept now
	Bytes    int64  `json:"bytes"`    // kept now
	Refused  int64  `json:"refused"`  // too large or malformed
	Evicted  int64  `json:"evicted"`  // given up for newer ones
	Position string `json:"position"` // in stream derived
}

// View is the series of one host.
type View struct {
	path    string
	log     stream.Log
	opt     Options
	from    stream.Position
	version view.Version
	table
}

// Open restores the view from its file; without one it is made anew when Run reads the stream.
func Open(path string, log stream.Log, opt Options) (*View, error) {
	opt.defaults()
	s := &View{path: path, log: log, opt: opt, table: newTable(opt)}
	var err error
	s.from, err = view.Open(path, head(log, stream.Position{}), log, opt.Logger, func(msg []byte) {
		s.put(msg, stream.Position{}, s.version.Now())
	})
	if err != nil {
		return nil, err
	}
	s.at = s.from
	return s, nil
}

func head(log stream.Log, at stream.Position) view.Head {
	return view.Head{View: "series", Stream: stream.Derived, Store: log.Store(), Position: at}
}

// Run follows the stream until the context ends, and saves the view then and every few seconds.
func (s *View) Run(ctx context.Context) error {
	f := view.Follower{Name: "series", Log: s.log, From: s.from, Now: s.opt.Now, Logger: s.opt.Logger,
		Take: s.take, Save: s.save, Version: &s.version, Every: s.opt.SaveEvery}
	return f.Run(ctx)
}

func (s *View) take(b *stream.Batch) {
	if s.putAll(b, s.version.Now()+1) {
		s.version.Bump()
	}
}

func (s *View) save(at stream.Position) error {
	msgs := s.messages()
	return view.Save(s.path, head(s.log, at), func(put func([]byte)) {
		for _, m := range msgs {
			put(m)
		}
	})
}

// List tells of every payload, ordered by logger, name and type.
func (s *View) List() []Info {
	infos := s.infos()
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Logger, b.Logger), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	return infos
}

// Get returns the newest payload of that name, whatever its type.
func (s *View) Get(logger, name string) (Graph, bool) {
	return s.graph(s.newest(logger, func(k key) bool { return k.name == name }))
}

// GetType returns the payload of that name and type.
func (s *View) GetType(logger, name, typ string) (Graph, bool) {
	return s.graph(s.newest(logger, func(k key) bool { return k.name == name && k.typ == typ }))
}

func (s *View) graph(e *entry) (Graph, bool) {
	if e == nil {
		return Graph{}, false
	}
	g := Graph{Info: e.info}
	payload := e.payload()
	if e.info.Type == "cbuf" {
		data, err := cbuf.Parse(payload)
		if err == nil {
			g.Data = data
			return g, true
		}
		g.Problem = err.Error()
	}
	g.Text = strings.ToValidUTF8(string(bytes.TrimSuffix(payload, []byte{0})), "\uFFFD")
	return g, true
}

// Version is the number of the newest change.
func (s *View) Version() uint64 { return s.version.Now() }

// Wait returns the version as soon as it is not seen, or the context's error.
func (s *View) Wait(ctx context.Context, seen uint64) (uint64, error) {
	return s.version.Wait(ctx, seen)
}

// Forget drops the payloads of a plugin that was removed, also those that the stream already holds but
// the view has not read yet. A plugin of that name that is started later begins anew.
func (s *View) Forget(logger string) {
	s.forget(logger, s.log.End())
	s.version.Bump()
}

// text is a field's first value as valid UTF-8.
func text(v *message.View, name string) string {
	f, _ := v.Field(name, 0)
	b, _ := f.Bytes(0)
	return valid(b)
}

func valid(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
