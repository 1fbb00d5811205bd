// Package saved keeps what people save beside plugins: dashboards, silences of alerts, that somebody has seen an alert, and who is told of which. It lies in the
// catalog and is shared among hosts as decisions about plugins are.
//
// It knows names of plugins and graphs as words; it must not know a plugin, a graph or an alert.
package saved

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sandbar/host/catalog"
)

// Kinds of items in the catalog.
const (
	dashboard = "dashboard"
	silence   = "silence"
	seen      = "seen"
	route     = "route"
)

// Bounds of what is saved.
const (
	mostItems = 1000      // of a kind
	mostBytes = 256 << 10 // of one
	mostName  = 255       // bytes of a plugin's name, a title, a subject
	mostNote  = 1000      // bytes of a reason
)

// Errors that a caller may want to tell apart.
var (
	ErrNotFound = errors.New("it is not there")
	ErrChanged  = errors.New("somebody else has changed it")
	ErrInvalid  = errors.New("it cannot be saved")
	ErrDenied   = errors.New("not allowed")
)

// Journal makes decisions, one at a time, for all hosts; a deploy.Journal is one.
type Journal interface {
	Decide(ctx context.Context, f func() (catalog.Decision, error)) error
}

// Catalog is where they lie; *catalog.Catalog is one.
type Catalog interface {
	Items(ctx context.Context, kind string) ([]catalog.Item, error)
	ItemsVersion() uint64
}

// Options of a Store; all are required but May and CheckRoute.
type Options struct {
	Journal Journal
	Catalog Catalog
	Now     func() time.Time
	// May is the one place that is asked whether somebody may save or remove something: what is "save", "silence" and so on, of a kind.
	May func(by, what, kind string) error
	// CheckRoute says whether this host can follow a route: its matcher and its addresses; nil: any.
	CheckRoute func(r *Route) error
}

// Store is what is saved.
type Store struct{ opt Options }

// New makes a store.
func New(o Options) *Store {
	if o.May == nil {
		o.May = func(string, string, string) error { return nil }
	}
	if o.CheckRoute == nil {
		o.CheckRoute = func(*Route) error { return nil }
	}
	return &Store{o}
}

// Version changes with what is saved.
func (s *Store) Version() uint64 { return s.opt.Catalog.ItemsVersion() }

// Head is what all that is saved has.
type Head struct {
	ID      string    `json:"id"`
	Version int       `json:"version"`
	Updated time.Time `json:"updated"`
	Author  string    `json:"author,omitempty"`
}

func headOf(i *catalog.Item) Head { return Head{i.ID, i.Version, i.Updated, i.Author} }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

// text checks what a person wrote.
func text(what, s string, most int) error {
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return invalid("%s has to be UTF-8 of at most %d bytes, without control characters", what, most)
	}
	return nil
}

// all reads what is there of a kind. One that cannot be read is left out: another version may have written it.
func all[T any](ctx context.Context, s *Store, kind string, with func(*T, Head)) ([]T, error) {
	items, err := s.opt.Catalog.Items(ctx, kind)
	if err != nil {
		return nil, err
	}
	out := []T{}
	for i := range items {
		var t T
		if items[i].Value == nil || json.Unmarshal(items[i].Value, &t) != nil {
			continue
		}
		with(&t, headOf(&items[i]))
		out = append(out, t)
	}
	return out, nil
}

// put saves an item. f says, while nobody else decides, what of the present items it replaces.
func (s *Store) put(ctx context.Context, kind, by, what string, value any, note string, f func(present []catalog.Item) (id string, err error)) (Head, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return Head{}, err
	}
	if len(raw) > mostBytes {
		return Head{}, invalid("it has %d bytes, and %d are the most", len(raw), mostBytes)
	}
	item := catalog.Item{Kind: kind, Value: raw, Updated: s.opt.Now().UTC(), Author: by}
	err = s.decide(ctx, &item, catalog.Event{At: item.Updated, Actor: by, What: what, Note: note}, f)
	return headOf(&item), err
}

func (s *Store) decide(ctx context.Context, item *catalog.Item, event catalog.Event, f func(present []catalog.Item) (id string, err error)) error {
	if err := s.opt.May(event.Actor, event.What, item.Kind); err != nil {
		return fmt.Errorf("%s a %s: %w: %w", event.What, item.Kind, ErrDenied, err)
	}
	return s.opt.Journal.Decide(ctx, func() (catalog.Decision, error) {
		present, err := s.opt.Catalog.Items(ctx, item.Kind)
		if err != nil {
			return catalog.Decision{}, err
		}
		if item.ID, err = f(present); err != nil {
			return catalog.Decision{}, err
		}
		item.Version = 1
		if old := find(present, item.ID); old != nil {
			item.Version = old.Version + 1
		}
		return catalog.Decision{Item: item, Event: event}, nil
	})
}

// drop removes an item.
func (s *Store) drop(ctx context.Context, kind, id, by, what string) error {
	item := catalog.Item{Kind: kind, Updated: s.opt.Now().UTC(), Author: by}
	return s.decide(ctx, &item, catalog.Event{At: item.Updated, Actor: by, What: what}, func(present []catalog.Item) (string, error) {
		if old := find(present, id); old == nil || old.Value == nil {
			return "", fmt.Errorf("%s %.80q: %w", kind, id, ErrNotFound)
		}
		return id, nil
	})
}

func find(items []catalog.Item, id string) *catalog.Item {
	for i := range items {
		if items[i].ID == id {
			return &items[i]
		}
	}
	return nil
}

// free is the smallest number that no item has which is still wanted: IDs are used again, so that there are never more than are wanted at once.
func free(items []catalog.Item, wanted func(value []byte) bool) (string, error) {
	for n := 1; n <= mostItems; n++ {
		id := strconv.Itoa(n)
		if i := find(items, id); i == nil || i.Value == nil || !wanted(i.Value) {
			return id, nil
		}
	}
	return "", invalid("there are %d already; end some", mostItems)
}
