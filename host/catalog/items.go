package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Item is something that people save beside plugins, such as a dashboard.
type Item struct {
	Kind, ID string
	Value    []byte // what it is, for who saved it; nil: it is removed
	Version  int    // from 1; goes on when an ID is used again
	Updated  time.Time
	Author   string
}

// name is what events and the topic of decisions call an item. A plugin's name has no slash.
func (i *Item) name() string { return i.Kind + "/" + i.ID }

const itemColumns = "kind, id, value, version, updated, author"

func scanItem(s scanner) (i Item, err error) {
	var updated int64
	err = s.Scan(&i.Kind, &i.ID, &i.Value, &i.Version, &updated, &i.Author)
	i.Updated = time.Unix(0, updated).UTC()
	return i, err
}

func putItem(ctx context.Context, tx *sql.Tx, i *Item) error {
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO items ("+itemColumns+") VALUES (?,?,?,?,?,?)", i.Kind, i.ID, i.Value, i.Version, i.Updated.UnixNano(), i.Author)
	return err
}

// numberItem gives an item without a version the next one of its ID.
func numberItem(ctx context.Context, tx *sql.Tx, i *Item) error {
	if i.Version != 0 {
		return nil
	}
	err := tx.QueryRowContext(ctx, "SELECT version FROM items WHERE kind = ? AND id = ?", i.Kind, i.ID).Scan(&i.Version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	i.Version++
	return nil
}

// Items returns all items of a kind by their IDs, of every kind when it is empty; those that were removed, too, without a value.
func (c *Catalog) Items(ctx context.Context, kind string) ([]Item, error) {
	all, err := queryAll(ctx, c.db, scanItem, "SELECT "+itemColumns+" FROM items WHERE ?1 = '' OR kind = ?1 ORDER BY kind, id", kind)
	if err != nil {
		return nil, fmt.Errorf("catalog: list what is saved as %s: %w", kind, err)
	}
	return all, nil
}

// ItemsVersion changes with every item that is saved or removed while the catalog is open.
func (c *Catalog) ItemsVersion() uint64 { return c.items.Load() }
