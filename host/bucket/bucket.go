// Package bucket is where finished objects go: landfill and the lake. An object is written under no name,
// becomes durable, and is then published under its key, whole, at once.
//
// It knows keys and bytes; it must not know what an object holds. host/bucket/dir keeps it in a directory.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
)

// ErrNotExist says that there is no such object or token. It is fs.ErrNotExist.
var ErrNotExist = fs.ErrNotExist

// ErrExist says that another object has the key. It is fs.ErrExist.
var ErrExist = fs.ErrExist

// ErrBadKey says that a key is not one.
var ErrBadKey = errors.New("bucket: bad key")

// Bucket is a set of objects by key. All methods may be called at the same time, and come back within a time that the
// bucket was opened with, also when their context has no end.
//
// Two steps make an object: Create and Seal write it durably and give a token, Publish gives it its key.
// In between, the token can be committed together with positions in a stream; a Ledger does that.
type Bucket interface {
	Maker

	// Open reads an object; ErrNotExist when there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// OpenRange reads n bytes of an object from an offset on, or fewer where it ends. What lies behind its end is nothing.
	OpenRange(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error)
	Stat(ctx context.Context, key string) (Info, error)
	// List yields the objects whose key begins with prefix, in the order of their keys. It ends after an error.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Remove deletes an object. One that is gone is fine.
	Remove(ctx context.Context, key string) error
	Close() error
}

// Maker is the part of a Bucket that makes objects.
type Maker interface {
	// Create begins an object that will have the key. The owner is a short name by which Tokens finds what it
	// has sealed; those who share a bucket have different ones. The context is that of Create alone.
	Create(ctx context.Context, owner, key string) (Staged, error)
	// Publish makes a sealed object visible under its key, durably. It may be repeated: when the token is gone and
	// the key is there, it was done before and is fine; when neither is there, the error is ErrNotExist. When another
	// object has the key the error is ErrExist, and both stay.
	Publish(ctx context.Context, t Token) error
	// Replace is Publish in place of another object.
	Replace(ctx context.Context, t Token) error
	// Discard removes the sealed object of a token's ID, which is not to be published. One that is gone is fine.
	Discard(ctx context.Context, id string) error
	// Tokens are the IDs of an owner's sealed objects that were neither published nor discarded.
	Tokens(ctx context.Context, owner string) ([]string, error)
}

// Token stands for a sealed object: what the bucket calls it, and the key that it will have.
type Token struct {
	ID  string `json:"token"`
	Key string `json:"key"`
}

// Staged is an object that is being written. It is used by one goroutine, which ends it with Seal or Abort.
type Staged interface {
	io.Writer
	// Seal makes what was written durable and returns the token to publish it with.
	Seal() (Token, error)
	// Abort gives up. It does nothing after Seal.
	Abort() error
}

// Info describes an object.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Put writes an object in one go, in place of another one.
func Put(ctx context.Context, b Maker, owner, key string, r io.Reader) error {
	w, err := b.Create(ctx, owner, key)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, r); err != nil {
		return fmt.Errorf("write object %s: %w", key, err)
	}
	token, err := w.Seal()
	if err != nil {
		return err
	}
	return b.Replace(ctx, token)
}

const (
	maxKey     = 1024
	maxSegment = 200 // file names may have 255 bytes; something is left for suffixes
	maxOwner   = 32
)

// CheckKey refuses keys that some bucket could not hold or that could lead out of it: a key is made of
// segments with slashes in between, and a segment of letters, digits and - . _ = + , @ ~ without a leading dot.
func CheckKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("%w: it has %d bytes, and %d are allowed: %.60q", ErrBadKey, len(key), maxKey, key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment[0] == '.' || len(segment) > maxSegment {
			return fmt.Errorf("%w %.80q: a part is empty, begins with a dot or has more than %d bytes", ErrBadKey, key, maxSegment)
		}
		if i := strings.IndexFunc(segment, func(r rune) bool { return !isKeyRune(r) }); i >= 0 {
			return fmt.Errorf("%w %.80q: letters, digits, / and -._=+,@~ are allowed", ErrBadKey, key)
		}
	}
	return nil
}

func isKeyRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < 0x80 && strings.ContainsRune("-._=+,@~", r)
}

// CheckPrefix refuses what no key can begin with.
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return CheckKey(strings.TrimSuffix(prefix, "/"))
}

// CheckOwner refuses what cannot be the first part of a token.
func CheckOwner(owner string) error {
	other := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if owner == "" || len(owner) > maxOwner || owner[0] < 'a' || strings.ContainsFunc(owner, other) {
		return fmt.Errorf("bucket: owner %.40q must be 1 to %d letters and digits, a letter first", owner, maxOwner)
	}
	return nil
}
