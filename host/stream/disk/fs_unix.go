//go:build linux || darwin || freebsd

package disk

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Room is how many bytes a disk has in all, and how many are free; false where that cannot be known.
func Room(dir string) (free, all int64, ok bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), true
}

func (osFS) Free(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// Lock takes a lock that the system gives back when the process ends, however it ends.
func (osFS) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &os.PathError{Op: "flock", Path: name, Err: err}
		}
		owner := make([]byte, 20)
		n, _ := f.ReadAt(owner, 0)
		return nil, fmt.Errorf("%w, process %q", ErrLocked, owner[:n])
	}
	// The number is only for the message above; a lock without it is as good.
	f.Truncate(0)
	fmt.Fprint(f, os.Getpid())
	return fileLock{f}, nil
}

// fileLock gives the lock back before it closes the file: a process that is being started has the file open too, until it runs.
type fileLock struct{ *os.File }

func (l fileLock) Close() error {
	err := unix.Flock(int(l.Fd()), unix.LOCK_UN)
	return errors.Join(err, l.File.Close())
}

// isFull reports whether an error says that there is no room: the disk's, or this user's share of it.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
