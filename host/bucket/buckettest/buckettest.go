// Package buckettest is the suite that every bucket passes. It knows nothing of directories.
package buckettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"sandbar/host/bucket"
)

// Run runs the suite. place makes an empty place for a bucket and returns a function that opens it; called
// again after Close it opens the same objects.
func Run(t *testing.T, place func(t *testing.T) (open func() bucket.Bucket)) {
	tests := []struct {
		name string
		run  func(t *testing.T, open func() bucket.Bucket)
	}{
		{"publish", publish},
		{"publish again", publishAgain},
		{"publish over an older one", publishOver},
		{"publish nothing", publishNothing},
		{"sealed objects survive", sealedSurvive},
		{"unfinished objects vanish", unfinishedVanish},
		{"discard", discard},
		{"staged after its end", stagedAfterEnd},
		{"ranges", ranges},
		{"list", list},
		{"remove", remove},
		{"bad keys", badKeys},
		{"bad owners and tokens", badOwners},
		{"cancelled", cancelled},
		{"many at once", manyAtOnce},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, place(t))
		})
	}
}

const owner = "suite"

func with(t *testing.T, open func() bucket.Bucket, use func(b bucket.Bucket)) {
	t.Helper()
	b := open()
	defer func() { check(t, b.Close()) }()
	use(b)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func seal(t *testing.T, b bucket.Bucket, key, content string) bucket.Token {
	t.Helper()
	w, err := b.Create(t.Context(), owner, key)
	check(t, err)
	_, err = io.WriteString(w, content)
	check(t, err)
	token, err := w.Seal()
	check(t, err)
	return token
}

func wantObject(t *testing.T, b bucket.Bucket, key, content string) {
	t.Helper()
	r, err := b.Open(t.Context(), key)
	check(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	check(t, err)
	if string(got) != content {
		t.Fatalf("object %s is %.50q, want %.50q", key, got, content)
	}
	info, err := b.Stat(t.Context(), key)
	check(t, err)
	if info.Key != key || info.Size != int64(len(content)) || info.Modified.IsZero() {
		t.Fatalf("Stat says %+v of the %d bytes of %s", info, len(content), key)
	}
}

func wantKeys(t *testing.T, b bucket.Bucket, prefix string, want ...string) {
	t.Helper()
	var got []string
	for info, err := range b.List(t.Context(), prefix) {
		check(t, err)
		got = append(got, info.Key)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("List(%q) is %q, want %q", prefix, got, want)
	}
}

func wantTokens(t *testing.T, b bucket.Bucket, tokens ...bucket.Token) {
	t.Helper()
	got, err := b.Tokens(t.Context(), owner)
	check(t, err)
	var want []string
	for _, token := range tokens {
		want = append(want, token.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("tokens are %q, want %q", got, want)
	}
}

func publish(t *testing.T, open func() bucket.Bucket) {
	large := strings.Repeat("0123456789", 300_000)
	with(t, open, func(b bucket.Bucket) {
		token := seal(t, b, "a/b.txt", "hello")
		_, err := b.Open(t.Context(), "a/b.txt")
		wantError(t, err, bucket.ErrNotExist)
		wantKeys(t, b, "")
		check(t, b.Publish(t.Context(), token))
		wantObject(t, b, "a/b.txt", "hello")
		wantTokens(t, b)
		check(t, bucket.Put(t.Context(), b, owner, "large", strings.NewReader(large)))
		check(t, bucket.Put(t.Context(), b, owner, "empty", strings.NewReader("")))
	})
	with(t, open, func(b bucket.Bucket) {
		wantObject(t, b, "a/b.txt", "hello")
		wantObject(t, b, "large", large)
		wantObject(t, b, "empty", "")
	})
}

func publishAgain(t *testing.T, open func() bucket.Bucket) {
	var token bucket.Token
	with(t, open, func(b bucket.Bucket) {
		token = seal(t, b, "k", "x")
		check(t, b.Publish(t.Context(), token))
		check(t, b.Publish(t.Context(), token))
	})
	with(t, open, func(b bucket.Bucket) {
		check(t, b.Publish(t.Context(), token))
		wantObject(t, b, "k", "x")
		check(t, b.Remove(t.Context(), "k"))
		wantError(t, b.Publish(t.Context(), token), bucket.ErrNotExist)
	})
}

func publishOver(t *testing.T, open func() bucket.Bucket) {
	with(t, open, func(b bucket.Bucket) {
		check(t, bucket.Put(t.Context(), b, owner, "k", strings.NewReader("older and longer")))
		r, err := b.Open(t.Context(), "k")
		check(t, err)
		defer r.Close()
		check(t, bucket.Put(t.Context(), b, owner, "k", strings.NewReader("newer")))
		wantObject(t, b, "k", "newer")
		wantKeys(t, b, "", "k")
		token := seal(t, b, "k", "newest")
		wantError(t, b.Publish(t.Context(), token), bucket.ErrExist)
		wantObject(t, b, "k", "newer")
		wantTokens(t, b, token)
		check(t, b.Replace(t.Context(), token))
		check(t, b.Replace(t.Context(), token))
		wantObject(t, b, "k", "newest")
		wantTokens(t, b)
	})
}

func publishNothing(t *testing.T, open func() bucket.Bucket) {
	with(t, open, func(b bucket.Bucket) {
		token := seal(t, b, "k", "x")
		check(t, b.Discard(t.Context(), token.ID))
		wantError(t, b.Publish(t.Context(), token), bucket.ErrNotExist)
		wantKeys(t, b, "")
	})
}

func sealedSurvive(t *testing.T, open func() bucket.Bucket) {
	var token bucket.Token
	with(t, open, func(b bucket.Bucket) { token = seal(t, b, "k", "kept") })
	with(t, open, func(b bucket.Bucket) {
		wantTokens(t, b, token)
		if others, err := b.Tokens(t.Context(), "sui"); err != nil || len(others) > 0 {
			t.Fatalf("another owner has tokens %q, %v", others, err)
		}
		wantKeys(t, b, "")
		check(t, b.Publish(t.Context(), token))
		wantObject(t, b, "k", "kept")
	})
}

func unfinishedVanish(t *testing.T, open func() bucket.Bucket) {
	b := open()
	w, err := b.Create(t.Context(), owner, "k")
	check(t, err)
	_, err = w.Write([]byte("half"))
	check(t, err)
	check(t, b.Close()) // as a crash would, without Seal or Abort
	with(t, open, func(b bucket.Bucket) {
		wantTokens(t, b)
		wantKeys(t, b, "")
	})
}

func discard(t *testing.T, open func() bucket.Bucket) {
	with(t, open, func(b bucket.Bucket) {
		keep, drop := seal(t, b, "k", "keep"), seal(t, b, "k", "drop")
		check(t, b.Discard(t.Context(), drop.ID))
		check(t, b.Discard(t.Context(), drop.ID))
		wantTokens(t, b, keep)
		check(t, b.Publish(t.Context(), keep))
		check(t, b.Discard(t.Context(), keep.ID))
		wantObject(t, b, "k", "keep")
	})
}

func stagedAfterEnd(t *testing.T, open func() bucket.Bucket) {
	with(t, open, func(b bucket.Bucket) {
		sealed, err := b.Create(t.Context(), owner, "k")
		check(t, err)
		token, err := sealed.Seal()
		check(t, err)
		check(t, sealed.Abort())
		wantTokens(t, b, token)
		aborted, err := b.Create(t.Context(), owner, "k")
		check(t, err)
		check(t, aborted.Abort())
		check(t, aborted.Abort())
		for _, w := range []bucket.Staged{sealed, aborted} {
			if _, err := w.Write([]byte("x")); err == nil {
				t.Error("an ended object takes bytes")
			}
			if _, err := w.Seal(); err == nil {
				t.Error("an ended object can be sealed")
			}
		}
		wantTokens(t, b, token)
	})
}

func list(t *testing.T, open func() bucket.Bucket) {
	keys := []string{"a-b", "a/b", "a/b=1/c.x", "a/b=2/c.x", "a/ba", "a0", "b/c/d/e", "bb"}
	with(t, open, func(b bucket.Bucket) {
		wantKeys(t, b, "")
		for _, k := range keys {
			check(t, bucket.Put(t.Context(), b, owner, k, strings.NewReader(k)))
		}
		wantKeys(t, b, "", keys...)
		wantKeys(t, b, "a", keys[:6]...)
		wantKeys(t, b, "a/", keys[1:5]...)
		wantKeys(t, b, "a/b", keys[1:5]...)
		wantKeys(t, b, "a/b=", keys[2:4]...)
		wantKeys(t, b, "b/c/d", keys[6])
		wantKeys(t, b, "a/b/")
		wantKeys(t, b, "none/")
		for info, err := range b.List(t.Context(), "") {
			check(t, err)
			if info.Size != int64(len(info.Key)) {
				t.Fatalf("%+v has the wrong size", info)
			}
			break // an early end must be fine
		}
		for _, err := range b.List(t.Context(), "../") {
			wantError(t, err, bucket.ErrBadKey)
		}
	})
}

func remove(t *testing.T, open func() bucket.Bucket) {
	with(t, open, func(b bucket.Bucket) {
		check(t, bucket.Put(t.Context(), b, owner, "a/b", strings.NewReader("x")))
		check(t, b.Remove(t.Context(), "a"))
		wantKeys(t, b, "", "a/b")
		check(t, b.Remove(t.Context(), "a/b"))
		check(t, b.Remove(t.Context(), "a/b"))
		wantKeys(t, b, "")
		_, err := b.Open(t.Context(), "a/b")
		wantError(t, err, bucket.ErrNotExist)
		_, err = b.Stat(t.Context(), "a/b")
		wantError(t, err, bucket.ErrNotExist)
		_, err = b.Open(t.Context(), "a")
		wantError(t, err, bucket.ErrNotExist)
	})
}

func badKeys(t *testing.T, open func() bucket.Bucket) {
	bad := []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.b", "a\\b", "a\x00b", "a b", "ä", "a:b", "a\nb",
		strings.Repeat("a", 201), strings.Repeat("a/", 512) + "a"}
	with(t, open, func(b bucket.Bucket) {
		token := seal(t, b, "k", "x")
		for _, key := range bad {
			wantError(t, b.Publish(t.Context(), bucket.Token{ID: token.ID, Key: key}), bucket.ErrBadKey)
			_, err := b.Create(t.Context(), owner, key)
			wantError(t, err, bucket.ErrBadKey)
			_, err = b.Open(t.Context(), key)
			wantError(t, err, bucket.ErrBadKey)
			_, err = b.Stat(t.Context(), key)
			wantError(t, err, bucket.ErrBadKey)
			wantError(t, b.Remove(t.Context(), key), bucket.ErrBadKey)
			wantError(t, bucket.Put(t.Context(), b, owner, key, strings.NewReader("x")), bucket.ErrBadKey)
		}
		wantTokens(t, b, token)
		for _, key := range []string{"a", "A0-._=+,@~", strings.Repeat("a", 200), strings.Repeat("a/", 100) + "a.x"} {
			check(t, bucket.CheckKey(key))
		}
	})
}

func badOwners(t *testing.T, open func() bucket.Bucket) {
	with(t, open, func(b bucket.Bucket) {
		for _, bad := range []string{"", "A", "1a", "a-b", "a/b", "..", strings.Repeat("a", 33)} {
			if _, err := b.Create(t.Context(), bad, "k"); err == nil {
				t.Errorf("owner %q is taken", bad)
			}
			if _, err := b.Tokens(t.Context(), bad); err == nil {
				t.Errorf("owner %q has tokens", bad)
			}
		}
		for _, bad := range []string{"", "x", "../x", "suite-", "suite-../../x", "suite-00"} {
			if err := b.Publish(t.Context(), bucket.Token{ID: bad, Key: "k"}); err == nil {
				t.Errorf("token %q is published", bad)
			}
			if err := b.Discard(t.Context(), bad); err == nil {
				t.Errorf("token %q is discarded", bad)
			}
		}
	})
}

func ranges(t *testing.T, open func() bucket.Bucket) {
	with(t, open, func(b bucket.Bucket) {
		check(t, bucket.Put(t.Context(), b, owner, "k", strings.NewReader("0123456789")))
		for _, c := range []struct {
			offset, n int64
			want      string
		}{{0, 3, "012"}, {4, 2, "45"}, {8, 10, "89"}, {10, 5, ""}, {99, 5, ""}, {3, 0, ""}} {
			r, err := b.OpenRange(t.Context(), "k", c.offset, c.n)
			check(t, err)
			got, err := io.ReadAll(r)
			check(t, errors.Join(err, r.Close()))
			if string(got) != c.want {
				t.Errorf("%d bytes from %d on are %q, want %q", c.n, c.offset, got, c.want)
			}
		}
		_, err := b.OpenRange(t.Context(), "missing", 0, 1)
		wantError(t, err, bucket.ErrNotExist)
		_, err = b.OpenRange(t.Context(), "../k", 0, 1)
		wantError(t, err, bucket.ErrBadKey)
		if _, err = b.OpenRange(t.Context(), "k", -1, 1); err == nil {
			t.Error("a negative offset was taken")
		}
	})
}

func cancelled(t *testing.T, open func() bucket.Bucket) {
	ctx, cancel := context.WithCancel(t.Context())
	with(t, open, func(b bucket.Bucket) {
		token := seal(t, b, "k", "x")
		check(t, b.Publish(ctx, token))
		cancel()
		_, err := b.Create(ctx, owner, "k")
		wantError(t, err, context.Canceled)
		wantError(t, b.Publish(ctx, token), context.Canceled)
		_, err = b.Open(ctx, "k")
		wantError(t, err, context.Canceled)
		var got error
		for _, err := range b.List(ctx, "") {
			got = err
		}
		wantError(t, got, context.Canceled)
	})
}

func manyAtOnce(t *testing.T, open func() bucket.Bucket) {
	const writers, each = 8, 10
	with(t, open, func(b bucket.Bucket) {
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					key := fmt.Sprintf("shared/%d/%d", i, w)
					if err := bucket.Put(t.Context(), b, owner, key, bytes.NewReader([]byte(key))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		n := 0
		for info, err := range b.List(t.Context(), "shared/") {
			check(t, err)
			wantObject(t, b, info.Key, info.Key)
			n++
		}
		if n != writers*each {
			t.Errorf("%d objects, want %d", n, writers*each)
		}
		wantTokens(t, b)
	})
}
