// Package faultfs is a file system in memory that does what disks do at the worst moment: it forgets what
// was not synced, fails an operation, and runs full. Durability is tested on it.
//
// It must not know what the files hold.
package faultfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"sandbar/host/stream/disk"
)

// ErrCrashed is what every operation returns once the power is gone.
var ErrCrashed = errors.New("faultfs: the power is gone")

// Op is one operation that changes something.
type Op struct {
	N    int64  // its number, from 0
	Kind string // "write", "truncate", "sync", "create", "rename", "remove", "syncdir"
	Name string
}

// FS implements disk.FS. Its fields are set before it is used.
type FS struct {
	// Fault is asked before every operation that changes something; an error makes it fail. A write that
	// fails may leave a part of its bytes. After ErrCrashed nothing succeeds any more.
	Fault func(Op) error
	Now   func() time.Time

	mu      sync.Mutex
	rand    *rand.Rand
	ops     int64
	crashed bool
	room    int64 // bytes that all files may have together
	dirs    map[string]*dir
	locks   map[string]bool
}

// dir is one directory: what the running system sees, what is on the disk, and the changes in between.
type dir struct {
	now, synced map[string]*inode
	pending     []change
}

// change is one creation, removal or renaming; it happens whole or not at all.
type change struct {
	gone, name string // either may be ""
	inode      *inode
}

type inode struct {
	now, synced []byte
	modified    time.Time
}

// New makes an empty file system. The same seed leaves the same behind after a crash.
func New(seed uint64) *FS {
	return &FS{rand: rand.New(rand.NewPCG(seed, 0)), room: 1 << 40, dirs: map[string]*dir{}, locks: map[string]bool{}}
}

// Ops is how many operations were asked for.
func (f *FS) Ops() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// SetRoom bounds the bytes that all files may have together.
func (f *FS) SetRoom(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room = bytes
}

// Crash ends this file system and returns what the next start finds: everything synced, and of the rest an
// arbitrary part, since a disk may also have written what it was not told to sync.
func (f *FS) Crash() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashed = true
	next := New(f.rand.Uint64())
	next.room, next.Now = f.room, f.Now
	kept := make(map[*inode]*inode)
	for _, name := range slices.Sorted(maps.Keys(f.dirs)) {
		d := f.dirs[name]
		names := maps.Clone(d.synced)
		for _, c := range d.pending {
			if f.rand.IntN(2) == 0 {
				c.apply(names)
			}
		}
		for _, n := range slices.Sorted(maps.Keys(names)) {
			in := names[n]
			if kept[in] == nil {
				kept[in] = f.survive(in)
			}
			names[n] = kept[in]
		}
		next.dirs[name] = &dir{now: names, synced: maps.Clone(names)}
	}
	return next
}

func (c change) apply(names map[string]*inode) {
	if c.gone != "" {
		delete(names, c.gone)
	}
	if c.name != "" {
		names[c.name] = c.inode
	}
}

// survive mixes, sector by sector, what was synced of a file with what was written since.
func (f *FS) survive(in *inode) *inode {
	const sector = 64
	size := len(in.synced)
	if d := len(in.now) - size; d > 0 {
		size += f.rand.IntN(d + 1)
	} else if d < 0 && f.rand.IntN(2) == 0 {
		size = len(in.now)
	}
	b := make([]byte, size)
	copy(b, in.synced)
	keep := f.rand.Float64() // from nothing to nearly all
	for at := 0; at < size; at += sector {
		if f.rand.Float64() < keep && at < len(in.now) {
			copy(b[at:min(at+sector, size)], in.now[at:])
		}
	}
	return &inode{now: b, synced: slices.Clone(b), modified: in.modified}
}

// op counts an operation and asks whether it fails. The caller holds mu.
func (f *FS) op(kind, name string) error {
	n := f.ops
	f.ops++
	if f.crashed {
		return ErrCrashed
	}
	if f.Fault == nil {
		return nil
	}
	err := f.Fault(Op{N: n, Kind: kind, Name: name})
	if errors.Is(err, ErrCrashed) {
		f.crashed = true
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind, name, err)
	}
	return nil
}

func (f *FS) time() time.Time {
	if f.Now == nil {
		return time.Time{}
	}
	return f.Now()
}

// at finds the directory of a file. The caller holds mu.
func (f *FS) at(name string) (*dir, string, error) {
	d := f.dirs[filepath.Dir(name)]
	if d == nil {
		return nil, "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return d, filepath.Base(name), nil
}

// MkdirAll makes a directory, durably: the tests are about files.
func (f *FS) MkdirAll(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return ErrCrashed
	}
	for name = filepath.Clean(name); f.dirs[name] == nil; name = filepath.Dir(name) {
		f.dirs[name] = &dir{now: map[string]*inode{}, synced: map[string]*inode{}}
	}
	return nil
}

func (f *FS) List(name string) ([]disk.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.dirs[filepath.Clean(name)]
	if d == nil || f.crashed {
		return nil, &fs.PathError{Op: "list", Path: name, Err: fs.ErrNotExist}
	}
	var list []disk.Entry
	for _, n := range slices.Sorted(maps.Keys(d.now)) {
		in := d.now[n]
		list = append(list, disk.Entry{Name: n, Size: int64(len(in.now)), Modified: in.modified})
	}
	return list, nil
}

func (f *FS) Open(name string) (disk.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, base, err := f.at(name)
	if err != nil {
		return nil, err
	}
	in := d.now[base]
	if in == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{fs: f, in: in, name: name}, nil
}

func (f *FS) OpenWrite(name string) (disk.File, error) { return f.Open(name) }

func (f *FS) Create(name string) (disk.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, base, err := f.at(name)
	if err != nil {
		return nil, err
	}
	if err := f.op("create", name); err != nil {
		return nil, err
	}
	in := d.now[base]
	if in == nil {
		in = &inode{}
		d.change(change{name: base, inode: in})
	}
	in.now, in.modified = nil, f.time()
	return &file{fs: f, in: in, name: name}, nil
}

func (d *dir) change(c change) {
	c.apply(d.now)
	d.pending = append(d.pending, c)
}

// Rename works within one directory.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, base, err := f.at(from)
	if err != nil {
		return err
	}
	if filepath.Dir(from) != filepath.Dir(to) || d.now[base] == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	if err := f.op("rename", from); err != nil {
		return err
	}
	d.change(change{gone: base, name: filepath.Base(to), inode: d.now[base]})
	return nil
}

func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, base, err := f.at(name)
	if err != nil {
		return err
	}
	if d.now[base] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if err := f.op("remove", name); err != nil {
		return err
	}
	d.change(change{gone: base})
	return nil
}

func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op("syncdir", name); err != nil {
		return err
	}
	if d := f.dirs[filepath.Clean(name)]; d != nil {
		d.synced, d.pending = maps.Clone(d.now), nil
	}
	return nil
}

// Free is the room that is left.
func (f *FS) Free(string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.room - f.used(), nil
}

func (f *FS) used() (n int64) {
	for _, d := range f.dirs {
		for _, in := range d.now {
			n += int64(len(in.now))
		}
	}
	return n
}

func (f *FS) Lock(name string) (io.Closer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.locks[name] {
		return nil, disk.ErrLocked
	}
	f.locks[name] = true
	return unlocker{f, name}, nil
}

type unlocker struct {
	fs   *FS
	name string
}

func (u unlocker) Close() error {
	u.fs.mu.Lock()
	defer u.fs.mu.Unlock()
	delete(u.fs.locks, u.name)
	return nil
}

// file is an open file.
type file struct {
	fs   *FS
	in   *inode
	name string
}

func (f *file) Close() error { return nil }

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if off >= int64(len(f.in.now)) {
		return 0, io.EOF
	}
	n := copy(p, f.in.now[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n := len(p)
	dead := f.fs.crashed
	err := f.fs.op("write", f.name)
	if dead {
		return 0, err
	}
	if err != nil {
		n = f.fs.rand.IntN(n + 1)
	}
	grows := off + int64(n) - int64(len(f.in.now))
	if left := f.fs.room - f.fs.used(); err == nil && grows > max(left, 0) {
		n -= int(grows - max(left, 0))
		err = fmt.Errorf("write %s: %w", f.name, syscall.ENOSPC)
	}
	n = max(n, 0)
	if missing := int(off) + n - len(f.in.now); missing > 0 {
		f.in.now = append(f.in.now, make([]byte, missing)...)
	}
	copy(f.in.now[off:], p[:n])
	f.in.modified = f.fs.time()
	return n, err
}

func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.op("truncate", f.name); err != nil {
		return err
	}
	if grow := int(size) - len(f.in.now); grow > 0 {
		f.in.now = append(f.in.now, make([]byte, grow)...)
	}
	f.in.now = f.in.now[:size]
	return nil
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.op("sync", f.name); err != nil {
		return err
	}
	f.in.synced = slices.Clone(f.in.now)
	return nil
}
