//go:build unix

package wasm

import (
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// allocator gives each instance its memory outside of Go's heap: reserved up to its maximum, and used as it grows. It is never
// copied when it grows, and the collector does not take what is not used for a heap that has grown.
type allocator struct{}

// Allocate implements experimental.MemoryAllocator.
func (allocator) Allocate(_, most uint64) experimental.LinearMemory {
	b, err := unix.Mmap(-1, 0, int(max(most, 1<<16)), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return new(linear)
	}
	return &linear{reserved: b}
}

type linear struct {
	reserved []byte
	size     uint64
}

// Reallocate implements experimental.LinearMemory. It returns nil when there is no memory.
func (l *linear) Reallocate(size uint64) []byte {
	if size > uint64(len(l.reserved)) {
		return nil
	}
	if size > l.size {
		if unix.Mprotect(l.reserved[:size], unix.PROT_READ|unix.PROT_WRITE) != nil {
			return nil
		}
		l.size = size
	}
	return l.reserved[:size:size]
}

// Free implements experimental.LinearMemory.
func (l *linear) Free() {
	if l.reserved != nil {
		_ = unix.Munmap(l.reserved) // it cannot fail for what Mmap gave
		l.reserved = nil
	}
}
