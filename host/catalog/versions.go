package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sandbar/sandbox"
)

// KeepVersions is how many versions of a plugin are kept, and KeepEvents how many events of all.
const (
	KeepVersions = 50
	KeepEvents   = 10_000

	keepBytes = 64 << 20 // of the sources of one plugin's versions; the newest is kept whatever it has
)

// ErrNoVersion says that there is no such version of a plugin.
var ErrNoVersion = errors.New("no such version")

// Version is what was submitted once under a name.
type Version struct {
	Plugin  string
	N       int // from 1
	Kind    sandbox.Kind
	Config  string
	Source  []byte
	Shipped string // hash of the shipped plugin it is; "" for a user's
	Updated time.Time
	Author  string
	Note    string
	Warning string // what its check had to say
}

// VersionOf is the present version of a plugin.
func VersionOf(p *Plugin) Version {
	return Version{Plugin: p.Name, N: p.Version, Kind: p.Kind, Config: p.Config, Source: p.Source, Shipped: p.Shipped, Updated: p.Updated, Author: p.Author, Note: p.Note, Warning: p.Warning}
}

func (v *Version) is(p *Plugin) bool {
	return v.Kind == p.Kind && v.Config == p.Config && bytes.Equal(v.Source, p.Source) && v.Shipped == p.Shipped && v.Updated.Equal(p.Updated)
}

// Event is something that was done about a plugin.
type Event struct {
	N       int64     `json:"n"` // from 1, in the order in which they were decided
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"` // who did it, as far as that is known
	What    string    `json:"what"`  // "replace"
	Plugin  string    `json:"plugin"`
	Version int       `json:"version,omitempty"` // that the plugin has since; 0 for none
	Note    string    `json:"note,omitempty"`
}

const (
	versionColumns       = "name, n, kind, config, source, shipped, updated, author, note, warning"
	versionWithoutSource = "name, n, kind, config, x'', shipped, updated, author, note, warning"
)

func scanVersion(s scanner) (v Version, err error) {
	var updated int64
	err = s.Scan(&v.Plugin, &v.N, &v.Kind, &v.Config, &v.Source, &v.Shipped, &updated, &v.Author, &v.Note, &v.Warning)
	v.Updated = time.Unix(0, updated).UTC()
	return v, err
}

// newestVersion has number 0 when there is none.
func newestVersion(ctx context.Context, tx *sql.Tx, name string) (Version, error) {
	v, err := scanVersion(tx.QueryRowContext(ctx, "SELECT "+versionColumns+" FROM versions WHERE name = ? ORDER BY n DESC LIMIT 1", name))
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return v, err
}

// putVersion keeps a version, and drops those that are too many. or is what becomes of one of its number: IGNORE or REPLACE.
func putVersion(ctx context.Context, tx *sql.Tx, or string, v *Version) error {
	res, err := tx.ExecContext(ctx, "INSERT OR "+or+" INTO versions ("+versionColumns+") VALUES (?,?,?,?,?,?,?,?,?,?)",
		v.Plugin, v.N, string(v.Kind), v.Config, notNull(v.Source), v.Shipped, v.Updated.UnixNano(), v.Author, v.Note, v.Warning)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM versions WHERE name = ?1 AND n IN (
		SELECT n FROM (SELECT n, row_number() OVER later AS place, sum(length(source) + length(config)) OVER later AS bytes
			FROM versions WHERE name = ?1 WINDOW later AS (ORDER BY n DESC))
		WHERE place > ?2 OR bytes > ?3 AND place > 1)`, v.Plugin, KeepVersions, keepBytes)
	return err
}

// PutVersion keeps a version that was decided for elsewhere.
func (c *Catalog) PutVersion(ctx context.Context, v Version) error {
	if err := c.in(ctx, func(tx *sql.Tx) error { return putVersion(ctx, tx, "REPLACE", &v) }); err != nil {
		return fmt.Errorf("catalog: keep version %d of plugin %s: %w", v.N, v.Plugin, err)
	}
	return nil
}

// DropVersions forgets all versions of plugins that are not there.
func (c *Catalog) DropVersions(ctx context.Context, names []string) error {
	err := c.in(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, "DELETE FROM versions WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM plugins WHERE name = ?1)", name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("catalog: drop versions of plugins that were removed: %w", err)
	}
	return nil
}

// Version returns a version of a plugin, or ErrNoVersion. It may be that of one that was removed.
func (c *Catalog) Version(ctx context.Context, name string, n int) (Version, error) {
	v, err := scanVersion(c.db.QueryRowContext(ctx, "SELECT "+versionColumns+" FROM versions WHERE name = ? AND n = ?", name, n))
	if errors.Is(err, sql.ErrNoRows) {
		return v, fmt.Errorf("%w: %s has no version %d, or it is not kept any more", ErrNoVersion, name, n)
	}
	if err != nil {
		return v, fmt.Errorf("catalog: read version %d of plugin %s: %w", n, name, err)
	}
	return v, nil
}

// Versions returns the versions of a plugin that are kept, the newest first, without their sources.
func (c *Catalog) Versions(ctx context.Context, name string) ([]Version, error) {
	all, err := queryAll(ctx, c.db, scanVersion, "SELECT "+versionWithoutSource+" FROM versions WHERE name = ? ORDER BY n DESC", name)
	if err != nil {
		return nil, fmt.Errorf("catalog: list versions of plugin %s: %w", name, err)
	}
	return all, nil
}

func putEvent(ctx context.Context, tx *sql.Tx, e *Event) error {
	if e.What == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO events (n, at, actor, what, plugin, version, note) VALUES (?,?,?,?,?,?,?)",
		e.N, e.At.UnixNano(), e.Actor, e.What, e.Plugin, e.Version, e.Note)
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM events WHERE n <= (SELECT max(n) FROM events) - ?", KeepEvents)
	}
	return err
}

// PutEvent keeps an event of something that was decided elsewhere.
func (c *Catalog) PutEvent(ctx context.Context, e Event) error {
	if err := c.in(ctx, func(tx *sql.Tx) error { return putEvent(ctx, tx, &e) }); err != nil {
		return fmt.Errorf("catalog: keep event %d: %w", e.N, err)
	}
	return nil
}

// Events returns the newest events, the newest first: n of them before number older, 0 for the very newest, about one plugin or all when
// the name is empty.
func (c *Catalog) Events(ctx context.Context, plugin string, n int, older int64) ([]Event, error) {
	all, err := queryAll(ctx, c.db, func(s scanner) (e Event, err error) {
		var at int64
		err = s.Scan(&e.N, &at, &e.Actor, &e.What, &e.Plugin, &e.Version, &e.Note)
		e.At = time.Unix(0, at).UTC()
		return e, err
	}, `SELECT n, at, actor, what, plugin, version, note FROM events
		WHERE (?1 = '' OR plugin = ?1) AND (?2 = 0 OR n < ?2) ORDER BY n DESC LIMIT ?3`, plugin, older, n)
	if err != nil {
		return nil, fmt.Errorf("catalog: list events: %w", err)
	}
	return all, nil
}

// queryAll reads all rows of a query.
func queryAll[T any](ctx context.Context, db *sql.DB, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
