// Package evidence keeps the messages that caused alerts for longer than the streams have them: it follows stream derived, reads the messages that
// an alert says it is about, and writes them to a file of that alert.
//
// It knows alerts and places in streams; it must not know what a message means, nor who looks.
package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sandbar/host/alert"
	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/message"
)

// Options bound a Keeper. A zero means the default.
type Options struct {
	Streams map[string][]stream.Log // required: where messages may lie, by name, of all partitions
	Now     func() time.Time        // required
	Logger  *slog.Logger            // required

	MaxFiles   int           // alerts whose messages are kept; 20 000
	MaxBytes   int64         // of all files; 256 MiB
	MaxMessage int           // bytes of a message that is kept; 256 KiB
	Burst      int           // alerts of a plugin at once, of which one a second comes back; 20
	SaveEvery  time.Duration // the least time between two saves of its place; 20 s
}

// Message is one that caused an alert.
type Message struct {
	Place   string // STREAM/POSITION
	Raw     []byte // encoded; nil when it is not kept,
	Missing string // and then why
}

// Keeper keeps the messages of one host.
type Keeper struct {
	dir     string
	opt     Options
	logs    []stream.Log // of stream derived
	from    []stream.Position
	version view.Version

	// Of the goroutine of Run.
	files   []file // the oldest first
	bytes   int64
	spent   map[string]spent // by plugin
	failing bool
}

// file is one of an alert.
type file struct {
	name  string
	bytes int64
	at    time.Time
}

// spent is how much a plugin has taken of its burst, and when that was.
type spent struct {
	n  float64
	at time.Time
}

const suffix = ".heka"

// Open opens the folder of a keeper, whose place in stream derived is kept in it.
func Open(dir string, logs []stream.Log, opt Options) (*Keeper, error) {
	opt.MaxFiles, opt.MaxBytes = cmp.Or(opt.MaxFiles, 20_000), cmp.Or(opt.MaxBytes, 256<<20)
	opt.MaxMessage, opt.Burst, opt.SaveEvery = cmp.Or(opt.MaxMessage, 256<<10), cmp.Or(opt.Burst, 20), cmp.Or(opt.SaveEvery, 20*time.Second)
	k := &Keeper{dir: dir, logs: logs, opt: opt, spent: map[string]spent{}}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the folder of what caused alerts: %w", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the messages that caused alerts: %w", err)
	}
	for _, e := range list {
		if strings.HasSuffix(e.Name(), ".tmp") { // a process before this one died over it
			os.Remove(k.path(e.Name()))
		}
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), suffix) && info.Mode().IsRegular() {
			k.files, k.bytes = append(k.files, file{e.Name(), info.Size(), info.ModTime()}), k.bytes+info.Size()
		}
	}
	slices.SortFunc(k.files, func(a, b file) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.name, b.name)) })
	k.from, err = view.Open(k.path("place"), k.head(), logs, opt.Logger, func([]byte) {})
	return k, err
}

func (k *Keeper) path(name string) string { return filepath.Join(k.dir, name) }

func (k *Keeper) head() view.Head { return view.Head{View: "evidence", Stream: stream.Derived} }

// Messages are those that caused an alert: as they are kept, or as the streams still have them.
func (k *Keeper) Messages(a alert.Alert) []Message {
	kept, err := k.read(a.Key)
	if err == nil {
		return kept
	}
	all := []Message{}
	for _, place := range a.Evidence {
		all = append(all, k.find(place))
	}
	return all
}

// find reads a message out of its stream.
func (k *Keeper) find(place string) Message {
	m := Message{Place: place}
	name, position, _ := strings.Cut(place, "/")
	logs := k.opt.Streams[name]
	switch {
	case len(logs) == 0:
		m.Missing = fmt.Sprintf("there is no stream %.40q", name)
		return m
	case name == stream.Raw: // it may say who the client is
		m.Missing = "messages of stream raw are not kept outside of it"
		return m
	}
	log, at, err := view.ParsePlace(len(logs), position)
	if err == nil {
		m.Raw, err = view.At(logs[log], at)
	}
	switch {
	case errors.Is(err, view.ErrGone):
		m.Missing = "it is neither kept nor in its stream any more"
	case err != nil:
		m.Missing = err.Error()
	case len(m.Raw) > k.opt.MaxMessage:
		m.Missing = fmt.Sprintf("it has %d bytes; messages of up to %d are kept", len(m.Raw), k.opt.MaxMessage)
		m.Raw = nil
	}
	return m
}

// Fields of the messages of a file.
const (
	fieldPlace   = "place"
	fieldMissing = "missing"
)

// encode is a message of an alert's file, with the one that caused the alert as its payload.
func (m *Message) encode() []byte {
	var b message.Builder
	b.SetHeader(message.Type, "evidence")
	b.AddString(fieldPlace, "", m.Place)
	if m.Missing != "" {
		b.AddString(fieldMissing, "", m.Missing)
	} else {
		b.SetHeaderBytes(message.Payload, m.Raw)
	}
	return b.AppendTo(nil)
}

// read reads the file of an alert.
func (k *Keeper) read(key string) (all []Message, err error) {
	if key == "" || strings.Trim(key, "0123456789abcdef") != "" {
		return nil, fs.ErrNotExist
	}
	_, kept, err := view.Load(k.path(key+suffix), k.head())
	if err != nil {
		return nil, err
	}
	for _, raw := range kept {
		var v message.View
		if err := v.Parse(raw); err != nil {
			return nil, err
		}
		m := Message{Place: text(&v, fieldPlace), Missing: text(&v, fieldMissing)}
		if m.Missing == "" {
			m.Raw, _ = v.Header(message.Payload)
		}
		all = append(all, m)
	}
	return all, nil
}

func text(v *message.View, name string) string {
	f, _ := v.Field(name, 0)
	b, _ := f.Bytes(0)
	return string(b)
}
