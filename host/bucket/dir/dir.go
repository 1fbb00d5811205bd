// Package dir keeps a bucket in a directory: an object's key is its path.
//
//	ROOT/landfill/20261123/...   objects
//	ROOT/.open/NAME              objects that are being written; removed at the next start
//	ROOT/.sealed/TOKEN           objects that wait to be published
//
// It must not know what the objects hold. One process at a time writes to a directory; any number may read
// the files.
package dir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"sandbar/host/bucket"
)

const (
	openDir   = ".open"
	sealedDir = ".sealed"
)

// Bucket implements bucket.Bucket.
type Bucket struct {
	path string
	root *os.Root // nothing below can lead out of it, not even a symbolic link
}

var _ bucket.Bucket = (*Bucket)(nil)

// Open opens a directory, which is made when it is not there. Objects that nobody finished are removed.
func Open(name string) (*Bucket, error) {
	if err := os.MkdirAll(name, 0o750); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	b := &Bucket{path: name, root: root}
	if err := b.prepare(); err != nil {
		root.Close()
		return nil, fmt.Errorf("open bucket %s: %w", name, err)
	}
	return b, nil
}

func (b *Bucket) prepare() error {
	if err := b.root.RemoveAll(openDir); err != nil {
		return err
	}
	for _, d := range []string{openDir, sealedDir} {
		if err := b.root.MkdirAll(d, 0o750); err != nil {
			return err
		}
	}
	return b.syncDir(".")
}

// Close implements bucket.Bucket.
func (b *Bucket) Close() error { return b.root.Close() }

// Create implements bucket.Bucket.
func (b *Bucket) Create(ctx context.Context, owner, key string) (bucket.Staged, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckOwner(owner), bucket.CheckKey(key)); err != nil {
		return nil, err
	}
	var id [12]byte
	rand.Read(id[:])
	token := bucket.Token{ID: owner + "-" + hex.EncodeToString(id[:]), Key: key}
	f, err := b.root.OpenFile(path.Join(openDir, token.ID), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, fmt.Errorf("begin an object in bucket %s: %w", b.path, err)
	}
	return &staged{b: b, f: f, token: token}, nil
}

// staged is an object that is being written.
type staged struct {
	b     *Bucket
	f     *os.File // nil when ended
	token bucket.Token
}

func (s *staged) Write(p []byte) (int, error) {
	if s.f == nil {
		return 0, errors.New("bucket: write to an object that was ended")
	}
	return s.f.Write(p)
}

func (s *staged) Seal() (bucket.Token, error) {
	if s.f == nil {
		return bucket.Token{}, errors.New("bucket: seal an object that was ended")
	}
	err := s.f.Sync()
	if cerr := s.f.Close(); err == nil {
		err = cerr
	}
	s.f = nil
	open := path.Join(openDir, s.token.ID)
	if err == nil {
		err = s.b.root.Rename(open, path.Join(sealedDir, s.token.ID))
	}
	if err != nil {
		s.b.root.Remove(open)
		return bucket.Token{}, fmt.Errorf("finish an object in bucket %s: %w", s.b.path, err)
	}
	if err := s.b.syncDir(sealedDir); err != nil {
		return bucket.Token{}, fmt.Errorf("finish an object in bucket %s: %w", s.b.path, err)
	}
	return s.token, nil
}

func (s *staged) Abort() error {
	if s.f == nil {
		return nil
	}
	s.f.Close()
	s.f = nil
	return s.b.root.Remove(path.Join(openDir, s.token.ID))
}

// Publish implements bucket.Bucket.
func (b *Bucket) Publish(ctx context.Context, t bucket.Token) error {
	return b.show(ctx, t, b.place)
}

// Replace implements bucket.Bucket.
func (b *Bucket) Replace(ctx context.Context, t bucket.Token) error {
	return b.show(ctx, t, b.root.Rename)
}

func (b *Bucket) show(ctx context.Context, t bucket.Token, move func(sealed, key string) error) error {
	if err := errors.Join(ctx.Err(), checkToken(t.ID), bucket.CheckKey(t.Key)); err != nil {
		return err
	}
	if err := b.publish(t.ID, t.Key, move); err != nil {
		return fmt.Errorf("publish %s in bucket %s: %w", t.Key, b.path, err)
	}
	return nil
}

func (b *Bucket) publish(id, key string, move func(sealed, key string) error) error {
	sealed := path.Join(sealedDir, id)
	if _, err := b.root.Stat(sealed); errors.Is(err, fs.ErrNotExist) {
		if _, err := b.root.Stat(key); err != nil {
			return err
		}
		// Done before, though perhaps not durably.
	} else {
		if err := b.root.MkdirAll(path.Dir(key), 0o750); err != nil {
			return err
		}
		if err := move(sealed, key); err != nil {
			return err
		}
	}
	for d := path.Dir(key); ; d = path.Dir(d) {
		if err := b.syncDir(d); err != nil || d == "." {
			return err
		}
	}
}

// place gives a sealed object its key, unless another object has it. A link cannot replace a file, as a rename does; after
// a crash between the two steps both names are of one file.
func (b *Bucket) place(sealed, key string) error {
	err := b.root.Link(sealed, key)
	if errors.Is(err, fs.ErrExist) {
		mine, merr := b.root.Stat(sealed)
		there, terr := b.root.Stat(key)
		if err := errors.Join(merr, terr); err != nil {
			return err
		}
		if !os.SameFile(mine, there) {
			return fmt.Errorf("another object has this key: %w", bucket.ErrExist)
		}
		err = nil
	}
	if err != nil {
		return err
	}
	return b.root.Remove(sealed)
}

// Discard implements bucket.Bucket.
func (b *Bucket) Discard(ctx context.Context, id string) error {
	if err := errors.Join(ctx.Err(), checkToken(id)); err != nil {
		return err
	}
	return b.remove(path.Join(sealedDir, id))
}

// Tokens implements bucket.Bucket.
func (b *Bucket) Tokens(ctx context.Context, owner string) ([]string, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckOwner(owner)); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(b.root.FS(), sealedDir)
	if err != nil {
		return nil, fmt.Errorf("list sealed objects of bucket %s: %w", b.path, err)
	}
	var tokens []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), owner+"-") {
			tokens = append(tokens, e.Name())
		}
	}
	return tokens, nil
}

// Open implements bucket.Bucket.
func (b *Bucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckKey(key)); err != nil {
		return nil, err
	}
	if _, err := b.stat(key); err != nil {
		return nil, err
	}
	f, err := b.root.Open(key)
	if err != nil {
		return nil, fmt.Errorf("read from bucket %s: %w", b.path, err)
	}
	return f, nil
}

// OpenRange implements bucket.Bucket.
func (b *Bucket) OpenRange(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error) {
	r, err := b.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	f := r.(*os.File)
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, fmt.Errorf("read from bucket %s at %d: %w", b.path, offset, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(f, n), f}, nil
}

// Stat implements bucket.Bucket.
func (b *Bucket) Stat(ctx context.Context, key string) (bucket.Info, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckKey(key)); err != nil {
		return bucket.Info{}, err
	}
	return b.stat(key)
}

func (b *Bucket) stat(key string) (bucket.Info, error) {
	info, err := b.root.Stat(key)
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "stat", Path: key, Err: fs.ErrNotExist}
	}
	if err != nil {
		return bucket.Info{}, fmt.Errorf("look into bucket %s: %w", b.path, err)
	}
	return bucket.Info{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil
}

// Remove implements bucket.Bucket.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), bucket.CheckKey(key)); err != nil {
		return err
	}
	if _, err := b.stat(key); errors.Is(err, fs.ErrNotExist) {
		return nil // also for a directory, which is no object
	}
	return b.remove(key)
}

func (b *Bucket) remove(name string) error {
	err := b.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = b.syncDir(path.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("remove from bucket %s: %w", b.path, err)
	}
	return nil
}

// List implements bucket.Bucket.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error] {
	return func(yield func(bucket.Info, error) bool) {
		if err := bucket.CheckPrefix(prefix); err != nil {
			yield(bucket.Info{}, err)
			return
		}
		w := walk{ctx: ctx, fsys: b.root.FS(), prefix: prefix, yield: yield}
		err := w.dir(path.Dir(prefix + "x"))
		if err != nil && !errors.Is(err, errStopped) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			yield(bucket.Info{}, fmt.Errorf("list bucket %s: %w", b.path, err))
		}
	}
}

var errStopped = errors.New("the caller wants no more")

// walk yields the files below a directory in the order of their keys.
type walk struct {
	ctx    context.Context
	fsys   fs.FS
	prefix string
	yield  func(bucket.Info, error) bool
}

func (w *walk) dir(name string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(w.fsys, name)
	if err != nil {
		return err
	}
	// A slash sorts behind some characters that names may have: "a-b" is before "a/b".
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := w.entry(path.Join(name, e.Name()), e); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(key string, e fs.DirEntry) error {
	if e.IsDir() {
		if below := key + "/"; strings.HasPrefix(below, w.prefix) || strings.HasPrefix(w.prefix, below) {
			return w.dir(key)
		}
		return nil
	}
	if !strings.HasPrefix(key, w.prefix) || !e.Type().IsRegular() {
		return nil
	}
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed in this moment
	}
	if err != nil {
		return err
	}
	if !w.yield(bucket.Info{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil) {
		return errStopped
	}
	return nil
}

func sortName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

func (b *Bucket) syncDir(name string) error {
	d, err := b.root.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// checkToken refuses what Create did not make.
func checkToken(id string) error {
	owner, random, _ := strings.Cut(id, "-")
	if raw, err := hex.DecodeString(random); err != nil || len(raw) != 12 || bucket.CheckOwner(owner) != nil {
		return fmt.Errorf("bucket: %.60q is no token", id)
	}
	return nil
}
