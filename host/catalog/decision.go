package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Decision is one thing that somebody decided: what a plugin or an item is to be from now on, or that it is removed.
type Decision struct {
	Put    *Plugin
	Item   *Item     // when Put is nil
	Remove string    // name; when Put and Item are nil
	At     time.Time // of a removal
	Event  Event     // how it is remembered; the zero Event: not at all
}

// Name is that of the plugin, or KIND/ID of the item.
func (d *Decision) Name() string {
	switch {
	case d.Put != nil:
		return d.Put.Name
	case d.Item != nil:
		return d.Item.name()
	}
	return d.Remove
}

// Number gives a decision what it needs to be remembered among others: a plugin that is new, or is submitted anew, its version, and an
// event its number. Nothing may be decided between Number and Apply.
func (c *Catalog) Number(ctx context.Context, d *Decision) error {
	err := c.in(ctx, func(tx *sql.Tx) error { return number(ctx, tx, d) })
	if err != nil {
		return fmt.Errorf("catalog: number a decision about %s: %w", d.Name(), err)
	}
	return nil
}

func number(ctx context.Context, tx *sql.Tx, d *Decision) error {
	if p := d.Put; p != nil && p.Version == 0 {
		newest, err := newestVersion(ctx, tx, p.Name)
		if err != nil {
			return err
		}
		p.Version = newest.N
		if newest.N == 0 || !newest.is(p) {
			p.Version++
		}
	}
	if d.Item != nil {
		if err := numberItem(ctx, tx, d.Item); err != nil {
			return err
		}
	}
	if e := &d.Event; e.What != "" && e.N == 0 {
		var newest sql.NullInt64
		if err := tx.QueryRowContext(ctx, "SELECT max(n) FROM events").Scan(&newest); err != nil {
			return err
		}
		e.N, e.Plugin = newest.Int64+1, d.Name()
		if d.Put != nil {
			e.Version = d.Put.Version
		} else if d.Item != nil {
			e.Version = d.Item.Version
		}
	}
	return nil
}

// Apply makes a decision true here, and numbers it where that was not done. It may be repeated.
func (c *Catalog) Apply(ctx context.Context, d Decision) error {
	err := c.in(ctx, func(tx *sql.Tx) error {
		if err := number(ctx, tx, &d); err != nil {
			return err
		}
		var err error
		switch {
		case d.Put != nil:
			err = put(ctx, tx, d.Put)
		case d.Item != nil:
			err = putItem(ctx, tx, d.Item)
		default:
			err = remove(ctx, tx, d.Remove, d.At)
		}
		return errors.Join(err, putEvent(ctx, tx, &d.Event))
	})
	if err != nil {
		return fmt.Errorf("catalog: decide about %s: %w", d.Name(), err)
	}
	if d.Item != nil {
		c.items.Add(1)
	}
	return nil
}

func remove(ctx context.Context, tx *sql.Tx, name string, at time.Time) error {
	unix := int64(0)
	if !at.IsZero() {
		unix = at.UnixNano()
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM plugins WHERE name = ?", name)
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT OR IGNORE INTO removed (name, at) VALUES (?, ?)", name, unix)
	}
	return err
}
