package disk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sandbar/host/stream"
)

func (l *log) Trim(ctx context.Context, keepBytes int64, keepAge time.Duration) (int64, error) {
	if err := l.store.lock(ctx); err != nil {
		return 0, err
	}
	defer l.store.unlock() // so that no commit moves a reader back meanwhile
	victims := l.unlink(keepBytes, keepAge)
	var removed int64
	for i, v := range victims {
		if err := l.fs.Remove(segmentPath(l.dir, v.id)); err != nil && !isMissing(err) {
			l.relink(victims[i:])
			return removed, fmt.Errorf("trim stream %s: %w", l.name, err)
		}
		removed += v.size
		// One after the other, so that a crash brings back no older segment without the newer ones.
		if err := l.fs.SyncDir(l.dir); err != nil {
			l.relink(victims[i+1:])
			return removed, fmt.Errorf("trim stream %s: %w", l.name, err)
		}
	}
	return removed, nil
}

// unlink takes the segments that can be removed out of the list. The caller removes their files.
func (l *log) unlink(keepBytes int64, keepAge time.Duration) []segment {
	floor, held := l.store.slowest(l.name)
	now := l.store.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	var newer int64
	for _, seg := range l.segments {
		newer += seg.size
	}
	n := 0
	for _, seg := range l.segments[:len(l.segments)-1] {
		newer -= seg.size
		beyond := keepBytes >= 0 && newer >= keepBytes
		old := keepAge >= 0 && !now.IsZero() && now.Sub(seg.modified) >= keepAge
		if held && seg.id >= floor.Segment || !beyond && !old {
			break
		}
		n++
	}
	victims := slices.Clone(l.segments[:n])
	l.segments = slices.Clone(l.segments[n:])
	if n > 0 {
		l.gone = victims[n-1].end()
	}
	return victims
}

// relink puts back what was not removed.
func (l *log) relink(kept []segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = slices.Concat(kept, l.segments)
	l.gone = stream.Position{Segment: l.segments[0].id}
}
