package bucket

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Ledger makes the objects of one writer visible exactly when a commit says so.
//
//  1. Create and Seal: the object is durable, under no name.
//  2. Manifest: the caller commits the entries together with the positions that the objects cover.
//  3. Committed: it was. Publish: the objects of committed manifests get their keys.
//
// After a crash before the commit Recover discards the object, and its messages are read again; after the commit it
// publishes the object. An object whose publishing fails stays in later manifests until it is visible.
//
// Create and Manifest are called by one goroutine, the others by any.
type Ledger struct {
	bucket Maker
	owner  string

	mu     sync.Mutex
	rounds []*round // oldest first; of those that are not named there is one, the last
}

// round is the objects between two manifests.
type round struct {
	entries   []Entry
	named     bool // a manifest names them
	committed bool // and was committed
}

// Entry is a sealed object as a manifest names it.
type Entry struct {
	Token
	Bytes int64 `json:"bytes"`
	Rows  int64 `json:"rows"` // messages in it, for people who look
}

func (e *Entry) lost(err error) error {
	return fmt.Errorf("object %s with %d messages is lost: %w", e.Key, e.Rows, err)
}

// NewLedger returns a ledger without entries.
func NewLedger(b Maker, owner string) *Ledger { return &Ledger{bucket: b, owner: owner} }

// Object is an object that is being written.
type Object struct {
	staged Staged
	ledger *Ledger
	bytes  int64
}

// Create begins an object.
func (l *Ledger) Create(ctx context.Context, key string) (*Object, error) {
	staged, err := l.bucket.Create(ctx, l.owner, key)
	if err != nil {
		return nil, err
	}
	return &Object{staged: staged, ledger: l}, nil
}

func (o *Object) Write(p []byte) (int, error) {
	n, err := o.staged.Write(p)
	o.bytes += int64(n)
	return n, err
}

// Seal makes the object durable; the next manifest names it.
func (o *Object) Seal(rows int64) error {
	token, err := o.staged.Seal()
	if err != nil {
		return err
	}
	l := o.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.rounds); n == 0 || l.rounds[n-1].named {
		l.rounds = append(l.rounds, new(round))
	}
	r := l.rounds[len(l.rounds)-1]
	r.entries = append(r.entries, Entry{token, o.bytes, rows})
	return nil
}

// Abort gives the object up. It does nothing after Seal.
func (o *Object) Abort() error { return o.staged.Abort() }

// Manifest names every object that is not known to be visible, since it replaces the manifest before. What is sealed later
// belongs to the next one.
func (l *Ledger) Manifest() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.rounds); n == 0 || l.rounds[n-1].named { // Committed counts manifests
		l.rounds = append(l.rounds, new(round))
	}
	l.rounds[len(l.rounds)-1].named = true
	entries := []Entry{}
	for _, r := range l.rounds {
		entries = append(entries, r.entries...)
	}
	return entries
}

// Committed says that the oldest manifest of which that was not known yet is committed. So it is called once after each commit
// of a manifest, in their order.
func (l *Ledger) Committed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.rounds {
		if r.named && !r.committed {
			r.committed = true
			return
		}
	}
}

// Publish makes visible what is committed, and returns what became so. After an error it can be called again. An object that
// somebody else has removed before it was visible is lost: that is an error once, and those behind it go on.
func (l *Ledger) Publish(ctx context.Context) (visible []Entry, lost error) {
	for {
		e, ok := l.nextCommitted()
		if !ok {
			return visible, lost
		}
		switch err := l.bucket.Publish(ctx, e.Token); {
		case err == nil:
			visible = append(visible, e)
		case errors.Is(err, ErrNotExist):
			lost = errors.Join(lost, e.lost(err), l.bucket.Discard(ctx, e.ID))
		default:
			return visible, errors.Join(lost, err)
		}
		l.published(e)
	}
}

func (l *Ledger) nextCommitted() (Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.rounds) > 0 && l.rounds[0].committed {
		if r := l.rounds[0]; len(r.entries) > 0 {
			return r.entries[0], true
		}
		l.rounds = l.rounds[1:]
	}
	return Entry{}, false
}

// published takes e out, unless somebody who published at the same time has.
func (l *Ledger) published(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rounds) > 0 && len(l.rounds[0].entries) > 0 && l.rounds[0].entries[0] == e {
		l.rounds[0].entries = l.rounds[0].entries[1:]
	}
}

// Discard gives up what no manifest names.
func (l *Ledger) Discard(ctx context.Context) error {
	return l.discard(ctx, func(r *round) bool { return !r.named })
}

// Retract gives up what the newest manifest added, whose commit has failed and will not be tried again. It must be known
// to have failed.
func (l *Ledger) Retract(ctx context.Context) error {
	return l.discard(ctx, func(r *round) bool { return r.named && !r.committed })
}

func (l *Ledger) discard(ctx context.Context, which func(*round) bool) error {
	l.mu.Lock()
	var entries []Entry
	if n := len(l.rounds); n > 0 && which(l.rounds[n-1]) {
		entries = l.rounds[n-1].entries
		l.rounds = l.rounds[:n-1]
	}
	l.mu.Unlock()
	var errs []error
	for _, e := range entries {
		if err := l.bucket.Discard(ctx, e.ID); err != nil {
			errs = append(errs, fmt.Errorf("discard %s, which stays until the next start: %w", e.Key, err))
		}
	}
	return errors.Join(errs...)
}

// Len is how many objects are sealed and not known to be visible.
func (l *Ledger) Len() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.rounds {
		n += len(r.entries)
	}
	return n
}

// Recover finishes what an earlier process left of some owners: it publishes what committed manifests name, and discards all
// else. committed holds the newest manifest of every writer. It comes before anything new is sealed, and can be repeated after
// an error. It returns what became visible.
func Recover(ctx context.Context, b Maker, committed []Entry, owners ...string) (visible []Entry, err error) {
	var errs []error
	left := map[string]bool{}
	for _, owner := range owners {
		tokens, err := b.Tokens(ctx, owner)
		if err != nil {
			return nil, fmt.Errorf("list the sealed objects of %s: %w", owner, err)
		}
		for _, id := range tokens {
			left[id] = true
		}
	}
	for _, e := range committed {
		if !left[e.ID] {
			continue // published before, perhaps even removed by somebody since
		}
		switch err := b.Publish(ctx, e.Token); {
		case err == nil:
			delete(left, e.ID)
			visible = append(visible, e)
		case errors.Is(err, ErrNotExist): // what is left of it is discarded below, so that it is an error once
			errs = append(errs, e.lost(err))
		default:
			return visible, errors.Join(append(errs, fmt.Errorf("publish %s, which was committed before: %w", e.Key, err))...)
		}
	}
	for id := range left {
		if err := b.Discard(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("discard object %s, which was never committed: %w", id, err))
		}
	}
	return visible, errors.Join(errs...)
}
