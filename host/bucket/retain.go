package bucket

import (
	"context"
	"fmt"
	"time"
)

// Rule says how long the objects whose keys begin with a prefix are kept.
type Rule struct {
	Prefix string
	Age    time.Duration
}

// Expirer is a bucket that removes old objects by itself.
type Expirer interface {
	// Expire replaces the rules that were given before; others' rules stay. It reports false when the bucket cannot keep them.
	Expire(ctx context.Context, rules []Rule) (bool, error)
}

// Retain removes the objects that are older than the rules say, or has an Expirer do it. It reports how many it removed.
func Retain(ctx context.Context, b Bucket, rules []Rule, now time.Time) (removed int, err error) {
	if e, ok := b.(Expirer); ok {
		if done, err := e.Expire(ctx, rules); done || err != nil {
			return 0, err
		}
	}
	for _, r := range rules {
		for info, err := range b.List(ctx, r.Prefix) {
			if err != nil {
				return removed, err
			}
			if now.Sub(info.Modified) < r.Age {
				continue
			}
			if err := b.Remove(ctx, info.Key); err != nil {
				return removed, fmt.Errorf("remove what is older than %v: %w", r.Age, err)
			}
			removed++
		}
	}
	return removed, nil
}
