// Package history keeps the rows of graphs beyond their circular buffers: those that are over, compact, for a time that the config
// says. It is a view of one host, in one SQLite file, made of what the view of series has now and then.
//
// It knows circular buffers; it must not know what a plugin is, nor how a graph is drawn.
package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"slices"
	"time"

	_ "modernc.org/sqlite" // the driver registers itself under "sqlite"

	"sandbar/host/series"
	"sandbar/sandbox/cbuf"
)

const (
	look      = 5 * time.Second  // between two looks at what came
	longest   = 10 * time.Minute // between two takes of one graph
	blockMax  = 1440             // rows of a block
	maxGraphs = 200              // of one plugin
	dropping  = time.Hour        // between two looks at what is too old
)

// Series is what a history is made of; *series.View is one.
type Series interface {
	List() []series.Info
	GetType(logger, name, typ string) (series.Graph, bool)
}

// Options of a View; all are required.
type Options struct {
	Series Series
	Keep   time.Duration // rows that are older go; 0 keeps all
	Now    func() time.Time
	Logger *slog.Logger
}

// View is the history of the graphs of one host.
type View struct {
	opt Options
	db  *sql.DB

	codec *codec

	taken map[graph]taken // Run's own
}

// graph names one.
type graph struct{ logger, name string }

// taken is when a graph was looked at last, and which version that was.
type taken struct {
	at      time.Time
	version uint64
	every   time.Duration
}

func migrations() []string {
	return []string{`CREATE TABLE shapes (id INTEGER PRIMARY KEY, info TEXT NOT NULL UNIQUE) STRICT;
		CREATE TABLE blocks (
			logger TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, step INTEGER NOT NULL, rows INTEGER NOT NULL, shape INTEGER NOT NULL, block BLOB NOT NULL,
			PRIMARY KEY (logger, name, at)
		) STRICT;
		CREATE INDEX blocks_by_time ON blocks (at)`}
}

// Open opens or makes the file at path. One that is damaged is moved away: what it had is lost, and nothing else.
func Open(path string, opt Options) (*View, error) {
	db, err := open(path)
	if errors.Is(err, errDamaged) {
		aside := path + ".damaged"
		opt.Logger.Error("the history of graphs is damaged and begins anew", "file", path, "moved to", aside, "error", err)
		if err = os.Rename(path, aside); err == nil {
			db, err = open(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the history of graphs %s: %w", path, err)
	}
	v := &View{opt: opt, db: db, taken: map[graph]taken{}}
	if v.codec, err = newCodec(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return v, nil
}

var errDamaged = errors.New("it is no history of graphs")

func open(path string) (*sql.DB, error) {
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{"_txlock": {"immediate"}, "_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(5000)"}}.Encode()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	var verdict string
	var version int
	err = db.QueryRow("PRAGMA quick_check(1)").Scan(&verdict)
	if err == nil && verdict == "ok" {
		err = db.QueryRow("PRAGMA user_version").Scan(&version)
	}
	if err != nil || verdict != "ok" {
		return nil, errors.Join(errDamaged, err, db.Close())
	}
	for i := version; i < len(migrations()); i++ {
		if _, err := db.Exec(fmt.Sprintf("BEGIN; %s; PRAGMA user_version = %d; COMMIT", migrations()[i], i+1)); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// Close closes the file.
func (v *View) Close() error {
	v.codec.close()
	return v.db.Close()
}

// Run keeps what graphs show until ctx ends.
func (v *View) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	var dropped time.Time
	for {
		now := v.opt.Now()
		if err := v.Take(ctx, now); err != nil && ctx.Err() == nil {
			v.opt.Logger.Warn("what graphs show is not kept", "error", err)
		}
		if v.opt.Keep > 0 && now.Sub(dropped) >= dropping {
			dropped = now
			if _, err := v.db.ExecContext(ctx, "DELETE FROM blocks WHERE at + rows * step < ?", now.Add(-v.opt.Keep).Unix()); err != nil && ctx.Err() == nil {
				v.opt.Logger.Warn("old rows of graphs are not dropped", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Take keeps the rows that are over of all graphs that have changed, and whose buffers would lose some otherwise.
func (v *View) Take(ctx context.Context, now time.Time) error {
	var errs []error
	there := map[graph]bool{}
	for _, info := range v.opt.Series.List() {
		if info.Type != "cbuf" {
			continue
		}
		g := graph{info.Logger, info.Name}
		there[g] = true
		last := v.taken[g]
		if last.version == info.Version && !last.at.IsZero() || now.Sub(last.at) < last.every {
			continue
		}
		shown, ok := v.opt.Series.GetType(info.Logger, info.Name, info.Type)
		if !ok || shown.Data == nil {
			continue
		}
		d := shown.Data
		span := time.Duration(d.Rows) * time.Duration(d.SecondsPerRow) * time.Second
		v.taken[g] = taken{now, info.Version, min(max(span/4, look), longest)}
		if err := v.keep(ctx, g, d); err != nil {
			errs = append(errs, fmt.Errorf("graph %q of %s: %w", g.name, g.logger, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for g := range v.taken {
		if !there[g] {
			delete(v.taken, g)
		}
	}
	return errors.Join(errs...)
}

// part is a block with its place.
type part struct {
	at    int64 // seconds; of its first row
	step  int64
	shape int64
	rows  [][]float64
}

func (p *part) end() int64 { return p.at + int64(len(p.rows))*p.step }

// keep adds the rows of a buffer that are over, and newer than those that are kept.
func (v *View) keep(ctx context.Context, g graph, d *cbuf.Data) error {
	if d.SecondsPerRow < 1 || d.Columns < 1 || d.Columns > maxColumns || len(d.Values) < 2 {
		return nil
	}
	tx, err := v.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	shape, err := shapeOf(ctx, tx, d.Info)
	if err != nil {
		return err
	}
	fresh := part{at: d.Time, step: int64(d.SecondsPerRow), shape: shape, rows: d.Values[:len(d.Values)-1]} // the newest row is not over
	last, found, err := v.newest(ctx, tx, g)
	if err != nil {
		return err
	}
	if found {
		fresh.cut(last.end())
	} else if many, err := v.tooMany(ctx, tx, g.logger); many || err != nil {
		return err
	}
	fresh.trim()
	if len(fresh.rows) == 0 {
		return nil
	}
	if joins := found && last.step == fresh.step && last.shape == shape && (fresh.at-last.end())%fresh.step == 0 && (fresh.at-last.at)/fresh.step < blockMax; joins {
		for last.end() < fresh.at {
			last.rows = append(last.rows, none(d.Columns))
		}
		last.rows = append(last.rows, fresh.rows...)
		fresh = last
	}
	for len(fresh.rows) > 0 {
		n := min(len(fresh.rows), blockMax)
		block := v.codec.encode(fresh.rows[:n], d.Columns)
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO blocks (logger, name, at, step, rows, shape, block) VALUES (?,?,?,?,?,?,?)", g.logger, g.name, fresh.at, fresh.step, n, fresh.shape, block); err != nil {
			return err
		}
		fresh.at += int64(n) * fresh.step
		fresh.rows = fresh.rows[n:]
	}
	return tx.Commit()
}

// tooMany says that a plugin has as many graphs in the history as it may: their names are the plugin's to choose.
func (v *View) tooMany(ctx context.Context, tx *sql.Tx, logger string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT count(DISTINCT name) FROM blocks WHERE logger = ?", logger).Scan(&n)
	return n >= maxGraphs, err
}

// cut drops the rows that begin before a time.
func (p *part) cut(before int64) {
	if n := (before - p.at + p.step - 1) / p.step; n > 0 {
		n = min(n, int64(len(p.rows)))
		p.at, p.rows = p.at+n*p.step, p.rows[n:]
	}
}

// trim drops rows without any value at both ends.
func (p *part) trim() {
	empty := func(row []float64) bool {
		return !slices.ContainsFunc(row, func(f float64) bool { return !math.IsNaN(f) })
	}
	for len(p.rows) > 0 && empty(p.rows[0]) {
		p.at, p.rows = p.at+p.step, p.rows[1:]
	}
	for len(p.rows) > 0 && empty(p.rows[len(p.rows)-1]) {
		p.rows = p.rows[:len(p.rows)-1]
	}
}

func none(columns int) []float64 {
	row := make([]float64, columns)
	for i := range row {
		row[i] = math.NaN()
	}
	return row
}

// shapeOf is the number under which names and units of columns are kept.
func shapeOf(ctx context.Context, tx *sql.Tx, info []cbuf.ColumnInfo) (id int64, err error) {
	text, err := json.Marshal(info)
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO shapes (info) VALUES (?)", string(text)); err != nil {
		return 0, err
	}
	return id, tx.QueryRowContext(ctx, "SELECT id FROM shapes WHERE info = ?", string(text)).Scan(&id)
}

// newest is the last block of a graph. A damaged one counts as its time without rows.
func (v *View) newest(ctx context.Context, tx *sql.Tx, g graph) (p part, found bool, err error) {
	var block []byte
	var rows int64
	err = tx.QueryRowContext(ctx, "SELECT at, step, rows, shape, block FROM blocks WHERE logger = ? AND name = ? ORDER BY at DESC LIMIT 1", g.logger, g.name).Scan(&p.at, &p.step, &rows, &p.shape, &block)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	if p.rows, _, err = v.codec.decode(block); err != nil {
		v.opt.Logger.Warn("a block of history is damaged", "plugin", g.logger, "graph", g.name, "error", err)
		return part{at: p.at + rows*p.step, step: p.step}, true, nil
	}
	return p, true, nil
}

// Forget drops the history of a plugin that was removed.
func (v *View) Forget(logger string) {
	if _, err := v.db.Exec("DELETE FROM blocks WHERE logger = ?", logger); err != nil {
		v.opt.Logger.Warn("the history of a plugin that was removed is not dropped", "plugin", logger, "error", err)
	}
}
