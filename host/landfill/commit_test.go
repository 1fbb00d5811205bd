package landfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"sandbar/host/stream"
)

// odd is a store whose next commits go as commit says.
type odd struct {
	Store
	commits int
	commit  func(ctx context.Context, n int, c *stream.Commit) error // n counts from 1
}

func (o *odd) Commit(ctx context.Context, c *stream.Commit) error {
	o.commits++
	return o.commit(ctx, o.commits, c)
}

// TestCommitHangs: a commit that does not come back is given up when its time is over, and tried again.
func TestCommitHangs(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, b := p.store(), p.bucket()
	defer s.Close()
	defer b.Close()
	store := &odd{Store: s, commit: func(ctx context.Context, n int, c *stream.Commit) error {
		if n == 2 { // the first says where landfill begins
			<-ctx.Done()
			return ctx.Err()
		}
		return s.Commit(ctx, c)
	}}
	p.put(s, 20)
	_, stop := p.run(store, b, Options{CommitTime: 20 * time.Millisecond, Size: 1})
	p.await(func() bool { return s.Readers()[Reader][stream.Raw] == s.Log(stream.Raw).End() })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	p.check()
	if left, err := b.Tokens(t.Context(), owner+s.ID().Short()); err != nil || len(left) > 0 {
		t.Errorf("what the hanging commit named is left: %v %v", left, err)
	}
}

// TestCommitOfUnknownOutcome: when a commit breaks the store, a restart may find it or not. Either way each message is in
// one file.
func TestCommitOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{true, false} {
		t.Run(fmt.Sprint(there), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			s, b := p.store(), p.bucket()
			store := &odd{Store: s, commit: func(ctx context.Context, n int, c *stream.Commit) error {
				if n == 1 || there {
					if err := s.Commit(ctx, c); err != nil {
						return err
					}
				}
				if n > 1 {
					return stream.ErrBroken
				}
				return nil
			}}
			p.put(s, 20)
			_, stop := p.run(store, b, Options{})
			if err := stop(); !errors.Is(err, stream.ErrBroken) {
				t.Fatalf("stopped with %v", err)
			}
			s.Close()
			b.Close()
			s, b = p.store(), p.bucket()
			defer s.Close()
			defer b.Close()
			_, stop = p.run(s, b, Options{})
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			p.check()
		})
	}
}

// TestManifestOfBefore: a commit of an older version names one object in a form of its own.
func TestManifestOfBefore(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, b := p.store(), p.bucket()
	defer s.Close()
	defer b.Close()
	object, err := b.Create(t.Context(), owner, "landfill/20261124/abcdef01-00000000-000000000000.heka.zst")
	if err != nil {
		t.Fatal(err)
	}
	token, err := object.Seal()
	if err != nil {
		t.Fatal(err)
	}
	state, _ := json.Marshal(map[string]string{"token": token.ID, "key": token.Key})
	if err := s.Commit(t.Context(), &stream.Commit{States: map[string][]byte{stateName: state}}); err != nil {
		t.Fatal(err)
	}
	_, stop := p.run(s, b, Options{})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), token.Key); err != nil {
		t.Error(err)
	}
}
