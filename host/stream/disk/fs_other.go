//go:build !(linux || darwin || freebsd)

package disk

import (
	"errors"
	"fmt"
	"io"
)

func (osFS) Free(string) (int64, error) {
	return 0, fmt.Errorf("free space on this operating system: %w", errors.ErrUnsupported)
}

// Room is not known.
func Room(string) (free, all int64, ok bool) { return 0, 0, false }

// Lock refuses: without a lock two processes could write the same streams.
func (osFS) Lock(string) (io.Closer, error) {
	return nil, fmt.Errorf("locking a directory on this operating system: %w", errors.ErrUnsupported)
}

func isFull(error) bool { return false }
