package bucket_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
)

// weak is a bucket whose operations fail when fails says so.
type weak struct {
	bucket.Bucket
	fails func() bool
}

var errWeak = errors.New("the bucket is down")

func (w *weak) Publish(ctx context.Context, t bucket.Token) error {
	if w.fails() {
		return errWeak
	}
	return w.Bucket.Publish(ctx, t)
}

func (w *weak) Discard(ctx context.Context, id string) error {
	if w.fails() {
		return errWeak
	}
	return w.Bucket.Discard(ctx, id)
}

// TestLedger does anything in any order, with crashes and a bucket that fails: what a commit named becomes visible, once,
// and nothing else ever does.
func TestLedger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		root := t.Context()
		d := tempBucket(t)
		down := false
		b := &weak{d, func() bool { return down }}
		ledger := bucket.NewLedger(b, "suite")
		var open []string                // sealed, not named
		var named [][]string             // by manifest, not committed
		var manifests [][]bucket.Entry   // of these
		var committed []bucket.Entry     // the newest committed manifest
		visible := map[string]bool{}     // what has to be
		unpublished := map[string]bool{} // what may be
		n := 0
		publish := func() {
			_, err := ledger.Publish(root)
			if (err != nil) != (down && len(unpublished) > 0) {
				t.Fatalf("publish with %d objects, down %v: %v", len(unpublished), down, err)
			}
			if err == nil {
				for k := range unpublished {
					visible[k] = true
				}
				clear(unpublished)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"seal": func(t *rapid.T) {
				key := fmt.Sprintf("k%d", n)
				n++
				o, err := ledger.Create(root, key)
				if err == nil {
					_, err = o.Write([]byte(key))
				}
				if err == nil {
					err = o.Seal(1)
				}
				if err != nil {
					t.Fatal(err)
				}
				open = append(open, key)
			},
			"manifest": func(t *rapid.T) {
				manifests = append(manifests, ledger.Manifest())
				named, open = append(named, open), nil
			},
			"commit": func(t *rapid.T) {
				if len(named) == 0 {
					t.Skip("nothing to commit")
				}
				committed = manifests[0]
				for _, k := range named[0] {
					unpublished[k] = true
				}
				named, manifests = named[1:], manifests[1:]
				ledger.Committed()
			},
			"publish": func(t *rapid.T) { publish() },
			"discard": func(t *rapid.T) {
				if err := ledger.Discard(root); (err != nil) != (down && len(open) > 0) {
					t.Fatal(err)
				}
				open = nil
			},
			"retract": func(t *rapid.T) {
				if len(named) != 1 || len(open) > 0 {
					t.Skip("only who has one manifest at a time retracts it")
				}
				if err := ledger.Retract(root); (err != nil) != (down && len(named[0]) > 0) {
					t.Fatal(err)
				}
				named, manifests = nil, nil
			},
			"down or up": func(t *rapid.T) { down = !down },
			"crash": func(t *rapid.T) {
				down = false
				if _, err := bucket.Recover(root, b, committed, "suite"); err != nil {
					t.Fatal(err)
				}
				ledger = bucket.NewLedger(b, "suite")
				for k := range unpublished {
					visible[k] = true
				}
				clear(unpublished)
				open, named, manifests = nil, nil, nil
				if left, err := d.Tokens(root, "suite"); err != nil || len(left) > 0 {
					t.Fatalf("sealed objects are left: %v, %v", left, err)
				}
			},
			"": func(t *rapid.T) {
				for info, err := range d.List(root, "") {
					if err != nil || !visible[info.Key] && !unpublished[info.Key] {
						t.Fatalf("%s is visible: %v", info.Key, err)
					}
				}
				for k := range visible {
					if _, err := d.Stat(root, k); err != nil {
						t.Fatal(err)
					}
				}
				if want := len(open) + len(slices.Concat(named...)) + len(unpublished); ledger.Len() < want-len(unpublished) || ledger.Len() > want {
					t.Fatalf("the ledger has %d objects, want %d", ledger.Len(), want)
				}
			},
		})
	})
}

func tempBucket(t *rapid.T) *dir.Bucket {
	root, err := os.MkdirTemp("", "ledger")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	b, err := dir.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestLostObject: an object that is gone before it is visible is told of once, and does not hold up others.
func TestLostObject(t *testing.T) {
	t.Parallel()
	b, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ledger := bucket.NewLedger(b, "suite")
	for _, key := range []string{"a", "b", "c"} {
		o, err := ledger.Create(t.Context(), key)
		if err == nil {
			err = o.Seal(7)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	entries := ledger.Manifest()
	if err := b.Discard(t.Context(), entries[1].ID); err != nil { // by somebody else
		t.Fatal(err)
	}
	ledger.Committed()
	visible, err := ledger.Publish(t.Context())
	if len(visible) != 2 || !errors.Is(err, bucket.ErrNotExist) || !strings.Contains(err.Error(), "object b with 7 messages is lost") {
		t.Errorf("visible are %v, %v", visible, err)
	}
	if visible, err := ledger.Publish(t.Context()); len(visible) != 0 || err != nil || ledger.Len() != 0 {
		t.Errorf("again: %v %v, %d are left", visible, err, ledger.Len())
	}
}
