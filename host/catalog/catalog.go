// Package catalog keeps what people decided: which plugins there are, with config and source, and whether
// they should run. It is one SQLite file. What happened is in the streams, never here.
package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"modernc.org/sqlite" // the driver registers itself under "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"sandbar/sandbox"
)

// ErrNotFound says that there is no such plugin.
var ErrNotFound = errors.New("catalog: no such plugin")

// Plugin is one row: what somebody submitted and what should become of it.
type Plugin struct {
	Name    string // Logger form: "analysis.rate"
	Kind    sandbox.Kind
	Config  string
	Source  []byte
	Shipped string // hash of the shipped plugin it came from; "" for a user's
	Run     bool   // should run
	Updated time.Time
	Author  string // who submitted it, as far as that is known: an address
	// Why it does not run although nobody stopped it; empty while it runs.
	Outcome, Reason string
	Line            int
	Message         string // that ended it, encoded; "" when none did

	Version int    // number of Config and Source among all that were submitted under this name, from 1; 0 before Number
	Note    string // why they were submitted, in the author's words
	Warning string // what their check had to say
	StateOf int    // version whose state at its end this one begins with; 0: the one that there is
	// StateFrom is another plugin, whose state at that time this version begins with; "" for none.
	StateFrom string
}

// Catalog is an open catalog file.
type Catalog struct {
	db    *sql.DB
	items atomic.Uint64 // changes of items
}

// schema versions: PRAGMA user_version says how many of these ran.
func migrations() []string {
	return []string{`CREATE TABLE plugins (
		name TEXT PRIMARY KEY, kind TEXT NOT NULL, config TEXT NOT NULL, source TEXT NOT NULL, shipped TEXT NOT NULL,
		run INTEGER NOT NULL, updated INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, line INTEGER NOT NULL
	) STRICT`,
		`CREATE TABLE removed (name TEXT PRIMARY KEY) STRICT`, // shipped plugins that somebody does not want
		`ALTER TABLE plugins ADD COLUMN message BLOB`,         // that ended a plugin
		`ALTER TABLE plugins ADD COLUMN author TEXT NOT NULL DEFAULT ''`,
		`CREATE TABLE ended_sessions (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT`, // by logging out, before their time
		// A source may be a WASM module, which is no text.
		`CREATE TABLE plugins_new (
			name TEXT PRIMARY KEY, kind TEXT NOT NULL, config TEXT NOT NULL, source BLOB NOT NULL, shipped TEXT NOT NULL,
			run INTEGER NOT NULL, updated INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, line INTEGER NOT NULL,
			message BLOB, author TEXT NOT NULL DEFAULT ''
		) STRICT;
		INSERT INTO plugins_new SELECT name, kind, config, CAST(source AS BLOB), shipped, run, updated, outcome, reason, line, message, author FROM plugins;
		DROP TABLE plugins;
		ALTER TABLE plugins_new RENAME TO plugins`,
		// Every version, and who did what.
		`ALTER TABLE plugins ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
		ALTER TABLE plugins ADD COLUMN note TEXT NOT NULL DEFAULT '';
		ALTER TABLE plugins ADD COLUMN warning TEXT NOT NULL DEFAULT '';
		CREATE TABLE versions (
			name TEXT NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, config TEXT NOT NULL, source BLOB NOT NULL, shipped TEXT NOT NULL,
			updated INTEGER NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL, warning TEXT NOT NULL, PRIMARY KEY (name, n)
		) STRICT;
		INSERT INTO versions SELECT name, 1, kind, config, source, shipped, updated, author, '', '' FROM plugins;
		CREATE TABLE events (
			n INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL, plugin TEXT NOT NULL, version INTEGER NOT NULL, note TEXT NOT NULL
		) STRICT;
		CREATE INDEX events_by_plugin ON events (plugin, n)`,
		`ALTER TABLE plugins ADD COLUMN state_of INTEGER NOT NULL DEFAULT 0;
		ALTER TABLE removed ADD COLUMN at INTEGER NOT NULL DEFAULT 0`,
		`ALTER TABLE plugins ADD COLUMN state_from TEXT NOT NULL DEFAULT ''`,
		`CREATE TABLE items (
			kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB, version INTEGER NOT NULL, updated INTEGER NOT NULL, author TEXT NOT NULL, PRIMARY KEY (kind, id)
		) STRICT`,
	}
}

// Open opens or creates the catalog at path.
func Open(path string) (*Catalog, error) {
	// A URL, since a path may hold what SQLite would take for parameters; without a host, since a relative
	// path would become one.
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{"_txlock": {"immediate"}, "_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"}}.Encode()}).String()
	// SQLite gives the files beside it the mode of this one.
	if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640); err == nil {
		err = errors.Join(f.Chmod(0o640), f.Close())
		if err != nil {
			return nil, fmt.Errorf("open catalog %s: %w", path, err)
		}
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open catalog %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // one writer; every query here is small
	if err = check(db); err == nil {
		err = migrate(db)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open catalog %s: %w", path, err)
	}
	return &Catalog{db: db}, nil
}

// check finds damage now rather than at some query.
func check(db *sql.DB) error {
	var verdict string
	err := db.QueryRow("PRAGMA quick_check(1)").Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = errors.New(verdict)
	}
	if err != nil {
		return fmt.Errorf("%w; %s", err, advice(err))
	}
	return nil
}

// advice says what to do about an error of opening. Only a file that is damaged for sure is to be moved away.
func advice(err error) string {
	var e *sqlite.Error
	code := 0
	if errors.As(err, &e) {
		code = e.Code() & 0xff
	}
	switch code {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "another program has it open; end that"
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return "it is not known to be damaged, leave it where it is: look for a full disk, too few open files (ulimit -n) and the permissions of the folder"
	}
	return "it is damaged: put back a copy, or move it away, which gives up all submitted plugins"
}

func migrate(db *sql.DB) error {
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	steps := migrations()
	if version > len(steps) {
		return fmt.Errorf("it was written by a newer version (%d, this one knows %d)", version, len(steps))
	}
	for i := version; i < len(steps); i++ {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.Exec(steps[i]); err != nil {
			return fmt.Errorf("migration %d: %w", i+1, err)
		}
		if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", i+1)); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

const (
	columns       = "name, kind, config, source, shipped, run, updated, outcome, reason, line, coalesce(message, x''), author, version, note, warning, state_of, state_from"
	withoutSource = "name, kind, config, x'', shipped, run, updated, outcome, reason, line, coalesce(message, x''), author, version, note, warning, state_of, state_from"
)

// Put creates or replaces a plugin.
func (c *Catalog) Put(ctx context.Context, p Plugin) error { return c.Apply(ctx, Decision{Put: &p}) }

func put(ctx context.Context, tx *sql.Tx, p *Plugin) error {
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO plugins (name, kind, config, source, shipped, run, updated, outcome, reason, line, message, author, version, note, warning, state_of, state_from) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		p.Name, string(p.Kind), p.Config, notNull(p.Source), p.Shipped, p.Run, p.Updated.UnixNano(), p.Outcome, p.Reason, p.Line, []byte(p.Message), p.Author, p.Version, p.Note, p.Warning, p.StateOf, p.StateFrom)
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM removed WHERE name = ?", p.Name)
	}
	if err == nil {
		v := VersionOf(p)
		err = putVersion(ctx, tx, "IGNORE", &v)
	}
	return err
}

// in does a change whole or not at all.
func (c *Catalog) in(ctx context.Context, change func(*sql.Tx) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := change(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Get returns one plugin or ErrNotFound.
func (c *Catalog) Get(ctx context.Context, name string) (Plugin, error) {
	p, err := scan(c.db.QueryRowContext(ctx, "SELECT "+columns+" FROM plugins WHERE name = ?", name))
	if errors.Is(err, sql.ErrNoRows) {
		return Plugin{}, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	if err != nil {
		return Plugin{}, fmt.Errorf("catalog: read plugin %s: %w", name, err)
	}
	return p, nil
}

// List returns all plugins by name.
func (c *Catalog) List(ctx context.Context) ([]Plugin, error) { return c.list(ctx, columns) }

// Summaries returns all plugins by name without their sources, which may have megabytes. They are not for Put.
func (c *Catalog) Summaries(ctx context.Context) ([]Plugin, error) { return c.list(ctx, withoutSource) }

func (c *Catalog) list(ctx context.Context, columns string) ([]Plugin, error) {
	all, err := queryAll(ctx, c.db, scan, "SELECT "+columns+" FROM plugins ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("catalog: list plugins: %w", err)
	}
	return all, nil
}

// RemovedNames are those of all plugins that somebody removed, at the latest at a time; the zero time: whenever.
func (c *Catalog) RemovedNames(ctx context.Context, latest time.Time) (names []string, err error) {
	until := int64(math.MaxInt64)
	if !latest.IsZero() {
		until = latest.UnixNano()
	}
	names, err = queryAll(ctx, c.db, func(s scanner) (name string, err error) { return name, s.Scan(&name) }, "SELECT name FROM removed WHERE at <= ? ORDER BY name", until)
	if err != nil {
		return nil, fmt.Errorf("catalog: list what was removed: %w", err)
	}
	return names, nil
}

// Removed says whether the plugin was there once and somebody removed it.
func (c *Catalog) Removed(ctx context.Context, name string) (bool, error) {
	var n int
	if err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM removed WHERE name = ?", name).Scan(&n); err != nil {
		return false, fmt.Errorf("catalog: read whether %s was removed: %w", name, err)
	}
	return n > 0, nil
}

// EndSession remembers that a session was ended, until it would have ended by itself; those that have by now are forgotten.
func (c *Catalog) EndSession(ctx context.Context, id string, until time.Time) error {
	err := c.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO ended_sessions (id, until) VALUES (?, ?)", id, until.Unix())
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM ended_sessions WHERE until < ?", until.Add(-30*24*time.Hour).Unix())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("catalog: end a session: %w", err)
	}
	return nil
}

// SessionEnded says whether EndSession was called for the session.
func (c *Catalog) SessionEnded(ctx context.Context, id string) (bool, error) {
	var n int
	if err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM ended_sessions WHERE id = ?", id).Scan(&n); err != nil {
		return false, fmt.Errorf("catalog: read whether a session was ended: %w", err)
	}
	return n > 0, nil
}

// Close closes the file.
func (c *Catalog) Close() error { return c.db.Close() }

// notNull is b as a value of SQL: a nil slice would be NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

type scanner interface{ Scan(...any) error }

func scan(s scanner) (Plugin, error) {
	var p Plugin
	var updated int64
	var msg []byte
	err := s.Scan(&p.Name, &p.Kind, &p.Config, &p.Source, &p.Shipped, &p.Run, &updated, &p.Outcome, &p.Reason, &p.Line, &msg, &p.Author, &p.Version, &p.Note, &p.Warning, &p.StateOf, &p.StateFrom)
	p.Updated, p.Message = time.Unix(0, updated).UTC(), string(msg)
	return p, err
}
