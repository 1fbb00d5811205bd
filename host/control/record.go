package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sandbar/host/catalog"
	"sandbar/host/stream/kafka"
	"sandbar/plugins"
	"sandbar/sandbox"
)

// Keys. Of versions and events so many are kept as there are keys: each number takes the key of the one that is too old.
const (
	keyPrefix     = "plugin/"  // NAME: what it is to be
	versionPrefix = "version/" // NAME/(N modulo catalog.KeepVersions)
	eventPrefix   = "event/"   // N modulo catalog.KeepEvents
	itemPrefix    = "item/"    // KIND/ID
)

// record is a decision as it is in the topic; docs/format/control.md has it.
type record struct {
	Removed bool      `json:"removed,omitempty"`
	Kind    string    `json:"kind,omitempty"`
	Config  string    `json:"config,omitempty"`
	Source  []byte    `json:"source,omitempty"`
	Shipped string    `json:"shipped,omitempty"`
	Run     bool      `json:"run,omitempty"`
	Updated time.Time `json:"updated,omitzero"`
	Author  string    `json:"author,omitempty"`
	Outcome string    `json:"outcome,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Line    int       `json:"line,omitempty"`
	Message []byte    `json:"message,omitempty"`
	Version int       `json:"version,omitempty"`
	Note    string    `json:"note,omitempty"`
	Warning string    `json:"warning,omitempty"`
	StateOf int       `json:"state_of,omitempty"`

	StateFrom string `json:"state_from,omitempty"`
}

func encode(d catalog.Decision) (kafka.Entry, error) {
	if d.Put == nil && d.Item != nil {
		return encodeItem(d.Item)
	}
	r := record{Removed: true, Updated: d.At.UTC()}
	if p := d.Put; p != nil {
		r = record{Kind: string(p.Kind), Config: p.Config, Source: p.Source, Shipped: p.Shipped, Run: p.Run, Updated: p.Updated.UTC(), Author: p.Author,
			Outcome: p.Outcome, Reason: p.Reason, Line: p.Line, Message: []byte(p.Message), Version: p.Version, Note: p.Note, Warning: p.Warning, StateOf: p.StateOf, StateFrom: p.StateFrom}
	}
	value, err := json.Marshal(r)
	return kafka.Entry{Key: keyPrefix + d.Name(), Value: value}, err
}

func decode(e kafka.Entry) (d catalog.Decision, err error) {
	name, ok := strings.CutPrefix(e.Key, keyPrefix)
	if !ok {
		return d, errors.New("its key is none of a plugin")
	}
	kind, err := kindOf(name)
	if err != nil {
		return d, err
	}
	var r record
	if err := json.Unmarshal(e.Value, &r); err != nil {
		return d, err
	}
	if err := checkTime(r.Updated); err != nil {
		return d, err
	}
	if r.Removed {
		return catalog.Decision{Remove: name, At: r.Updated}, nil
	}
	if r.StateFrom != "" {
		if _, err := kindOf(r.StateFrom); err != nil {
			return d, fmt.Errorf("plugin %.80q begins with the state of %.80q: %w", name, r.StateFrom, err)
		}
	}
	if r.Kind != string(kind) || r.Version < 0 {
		return d, fmt.Errorf("plugin %.80q is of kind %.40q and version %d", name, r.Kind, r.Version)
	}
	return catalog.Decision{Put: &catalog.Plugin{Name: name, Kind: kind, Config: r.Config, Source: r.Source, Shipped: r.Shipped, Run: r.Run, Updated: r.Updated,
		Author: r.Author, Outcome: r.Outcome, Reason: r.Reason, Line: r.Line, Message: string(r.Message), Version: r.Version, Note: r.Note, Warning: r.Warning, StateOf: r.StateOf, StateFrom: r.StateFrom}}, nil
}

// kindOf is the kind of a plugin's name; it refuses what is no name of a plugin.
func kindOf(name string) (sandbox.Kind, error) {
	kind, short, _ := strings.Cut(name, ".")
	if !slices.Contains([]sandbox.Kind{sandbox.Decoder, sandbox.Analysis, sandbox.Output}, sandbox.Kind(kind)) {
		return "", errors.New("its key is none of a plugin")
	}
	if of, ok := sandbox.CutShadow(short); ok {
		short = of
	} else if of, ok := sandbox.CutProposal(short); ok {
		short = of
	}
	return sandbox.Kind(kind), plugins.CheckName(short)
}

// checkTime refuses what could not be written again.
func checkTime(t time.Time) error {
	if year := t.UTC().Year(); year > 9999 {
		return fmt.Errorf("it is of the year %d", year)
	}
	return nil
}

// versionRecord is a version as it is in the topic.
type versionRecord struct {
	Plugin  string    `json:"plugin"`
	N       int       `json:"n"`
	Config  string    `json:"config,omitempty"`
	Source  []byte    `json:"source,omitempty"`
	Shipped string    `json:"shipped,omitempty"`
	Updated time.Time `json:"updated,omitzero"`
	Author  string    `json:"author,omitempty"`
	Note    string    `json:"note,omitempty"`
	Warning string    `json:"warning,omitempty"`
}

func encodeVersion(v *catalog.Version) (kafka.Entry, error) {
	value, err := json.Marshal(versionRecord{v.Plugin, v.N, v.Config, v.Source, v.Shipped, v.Updated.UTC(), v.Author, v.Note, v.Warning})
	return kafka.Entry{Key: versionKey(v.Plugin, v.N), Value: value}, err
}

func versionKey(plugin string, n int) string {
	return fmt.Sprint(versionPrefix, plugin, "/", n%catalog.KeepVersions)
}

func decodeVersion(e kafka.Entry) (v catalog.Version, err error) {
	var r versionRecord
	if err := json.Unmarshal(e.Value, &r); err != nil {
		return v, err
	}
	kind, err := kindOf(r.Plugin)
	if err != nil {
		return v, err
	}
	if r.N < 1 || e.Key != versionKey(r.Plugin, r.N) {
		return v, fmt.Errorf("its key is not that of version %d of plugin %s", r.N, r.Plugin)
	}
	return catalog.Version{Plugin: r.Plugin, N: r.N, Kind: kind, Config: r.Config, Source: r.Source, Shipped: r.Shipped, Updated: r.Updated, Author: r.Author, Note: r.Note,
		Warning: r.Warning}, checkTime(r.Updated)
}

func encodeEvent(e *catalog.Event) (kafka.Entry, error) {
	e.At = e.At.UTC()
	value, err := json.Marshal(e)
	return kafka.Entry{Key: eventKey(e.N), Value: value}, err
}

func eventKey(n int64) string { return fmt.Sprint(eventPrefix, n%catalog.KeepEvents) }

func decodeEvent(e kafka.Entry) (ev catalog.Event, err error) {
	if err := json.Unmarshal(e.Value, &ev); err != nil {
		return ev, err
	}
	if ev.N < 1 || e.Key != eventKey(ev.N) || ev.What == "" {
		return ev, fmt.Errorf("its key is not that of event %d", ev.N)
	}
	return ev, checkTime(ev.At)
}

// itemRecord is an item as it is in the topic.
type itemRecord struct {
	Removed bool            `json:"removed,omitempty"`
	Value   json.RawMessage `json:"value,omitempty"`
	Version int             `json:"version"`
	Updated time.Time       `json:"updated,omitzero"`
	Author  string          `json:"author,omitempty"`
}

func encodeItem(i *catalog.Item) (kafka.Entry, error) {
	value, err := json.Marshal(itemRecord{i.Value == nil, i.Value, i.Version, i.Updated.UTC(), i.Author})
	return kafka.Entry{Key: itemPrefix + i.Kind + "/" + i.ID, Value: value}, err
}

const maxItemKey = 255

func decodeItem(e kafka.Entry) (i catalog.Item, err error) {
	kind, id, ok := strings.Cut(strings.TrimPrefix(e.Key, itemPrefix), "/")
	if !ok || kind == "" || id == "" || len(e.Key) > maxItemKey {
		return i, errors.New("its key is none of an item")
	}
	var r itemRecord
	if err := json.Unmarshal(e.Value, &r); err != nil {
		return i, err
	}
	if r.Version < 1 || r.Removed != (r.Value == nil) {
		return i, fmt.Errorf("%s %.80q is of version %d, removed: %t", kind, id, r.Version, r.Removed)
	}
	return catalog.Item{Kind: kind, ID: id, Value: r.Value, Version: r.Version, Updated: r.Updated, Author: r.Author}, checkTime(r.Updated)
}
