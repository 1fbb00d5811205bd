// Package series is the view behind the graphs: the newest payload of each name that an analysis plugin
// injects. It follows stream derived and keeps its positions in the same file as the payloads. A plugin that runs on several
// partitions has a payload of that name in each; what is asked for is made of all of them.
//
// It knows payloads, names and times; it must not know a plugin's state or config, nor how a graph is drawn.
package series

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
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
	Payloads int   `json:"payloads"` // kept now
	Bytes    int64 `json:"bytes"`    // kept now
	Refused  int64 `json:"refused"`  // too large or malformed
	Evicted  int64 `json:"evicted"`  // given up for newer ones
}

// View is the series of one host.
type View struct {
	path    string
	logs    []stream.Log // of stream derived
	opt     Options
	from    []stream.Position
	version view.Version
	table
}

// Open restores the view of the logs of stream derived from its file; without one it is made anew when Run reads them.
func Open(path string, logs []stream.Log, opt Options) (*View, error) {
	opt.defaults()
	s := &View{path: path, logs: logs, opt: opt, table: newTable(opt, len(logs))}
	var err error
	log := 0
	s.from, err = view.Open(path, view.Head{View: "series", Stream: stream.Derived}, logs, opt.Logger, func(msg []byte) {
		if i, ok := s.parseMark(msg); ok {
			log = i
		} else if log >= 0 {
			s.put(log, msg, s.version.Now())
		}
	})
	if err != nil {
		return nil, err
	}
	copy(s.at, s.from)
	return s, nil
}

// markType is that of messages in the file which say of which log the ones behind them are. Those before the first are of the
// first log.
const markType = "sandbar.view.log"

func (s *View) mark(log int) []byte {
	var b message.Builder
	b.SetHeader(message.Type, markType)
	b.AddString("store", "", s.logs[log].Store().String())
	return b.AppendTo(nil)
}

// parseMark reads a mark; the log is -1 when it is not here.
func (s *View) parseMark(msg []byte) (log int, ok bool) {
	var v message.View
	if v.Parse(msg) != nil {
		return 0, false
	}
	if typ, _ := v.Header(message.Type); string(typ) != markType {
		return 0, false
	}
	store := text(&v, "store")
	return slices.IndexFunc(s.logs, func(l stream.Log) bool { return l.Store().String() == store }), true
}

// Run follows the stream until the context ends, and saves the view then and every few seconds.
func (s *View) Run(ctx context.Context) error {
	f := view.Follower{Name: "series", Logs: s.logs, From: s.from, Now: s.opt.Now, Logger: s.opt.Logger,
		Take: s.take, Save: s.save, Version: &s.version, Every: s.opt.SaveEvery}
	return f.Run(ctx)
}

func (s *View) take(log int, b *stream.Batch) {
	if s.putAll(log, b, s.version.Now()+1) {
		s.version.Bump()
	}
}

func (s *View) save(at []stream.Position) error {
	entries := s.entries()
	return view.Save(s.path, view.Head{View: "series", Stream: stream.Derived, Places: view.Places(s.logs, at)}, func(put func([]byte)) {
		log := 0
		for _, e := range entries {
			if e.log != log {
				log = e.log
				put(s.mark(log))
			}
			put(e.msg)
		}
	})
}

// List tells of every payload, ordered by logger, name and type.
func (s *table) List() []Info {
	infos := s.infos()
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Logger, b.Logger), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	return infos
}

// Get returns the newest payload of that name, whatever its type.
func (s *table) Get(logger, name string) (Graph, bool) {
	newest := s.find(logger, func(k key) bool { return k.name == name })
	if len(newest) == 0 {
		return Graph{}, false
	}
	return s.GetType(logger, name, newest[len(newest)-1].info.Type)
}

// GetType returns the payload of that name and type.
func (s *table) GetType(logger, name, typ string) (Graph, bool) {
	parts := s.find(logger, func(k key) bool { return k.name == name && k.typ == typ })
	if len(parts) == 0 {
		return Graph{}, false
	}
	g := Graph{Info: join(parts)}
	if g.Type == "cbuf" {
		var err error
		if g.Data, err = merge(parts); err == nil {
			return g, true
		}
		g.Problem = err.Error()
	}
	g.Text = texts(parts)
	return g, true
}

// join is what is known of the payloads of all partitions.
func join(parts []*entry) Info {
	newest := parts[len(parts)-1].info
	for _, e := range parts[:len(parts)-1] {
		newest.Bytes += e.info.Bytes
		newest.Version = max(newest.Version, e.info.Version)
		if e.info.Updated.After(newest.Updated) {
			newest.Updated = e.info.Updated
		}
	}
	return newest
}

func merge(parts []*entry) (*cbuf.Data, error) {
	var all []*cbuf.Data
	for _, e := range parts {
		data, err := cbuf.Parse(e.payload())
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return cbuf.Merge(all...)
}

// texts are the payloads as they are, each with its partition above when there are several.
func texts(parts []*entry) string {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b *entry) int { return a.log - b.log })
	var out strings.Builder
	for _, e := range parts {
		if len(parts) > 1 {
			fmt.Fprintf(&out, "partition %d:\n", e.log)
		}
		out.WriteString(strings.ToValidUTF8(string(bytes.TrimSuffix(e.payload(), []byte{0})), "\uFFFD"))
		if len(parts) > 1 {
			out.WriteByte('\n')
		}
	}
	return out.String()
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
	ends := make([]stream.Position, len(s.logs))
	for i, log := range s.logs {
		ends[i] = log.End()
	}
	s.forget(logger, ends)
	s.version.Bump()
}

// text is a field's first value as valid UTF-8.
func text(v *message.View, name string) string {
	f, _ := v.Field(name, 0)
	b, _ := f.Bytes(0)
	return valid(b)
}

func valid(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
