package view

import (
	"context"
	"sync"
)

// Version counts the changes of a view, and wakes those who wait for the next one. Its zero value is ready.
// Waiting costs nothing per change: whoever is slow sees several changes as one.
type Version struct {
	mu      sync.Mutex
	n       uint64
	changed chan struct{} // closed at the next change; nil while nobody waits
}

// Bump counts a change and returns its number.
func (v *Version) Bump() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.n++
	if v.changed != nil {
		close(v.changed)
		v.changed = nil
	}
	return v.n
}

// Now is the number of the newest change.
func (v *Version) Now() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.n
}

// Wait returns the version as soon as it is not seen, or the context's error.
func (v *Version) Wait(ctx context.Context, seen uint64) (uint64, error) {
	for {
		v.mu.Lock()
		n := v.n
		if n != seen {
			v.mu.Unlock()
			return n, nil
		}
		if v.changed == nil {
			v.changed = make(chan struct{})
		}
		changed := v.changed
		v.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return seen, ctx.Err()
		}
	}
}
