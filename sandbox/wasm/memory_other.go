//go:build !unix

package wasm

import "github.com/tetratelabs/wazero/experimental"

// allocator gives each instance its memory from Go's heap.
type allocator struct{}

// Allocate implements experimental.MemoryAllocator.
func (allocator) Allocate(capacity, _ uint64) experimental.LinearMemory {
	return &linear{make([]byte, 0, capacity)}
}

type linear struct{ b []byte }

// Reallocate implements experimental.LinearMemory.
func (l *linear) Reallocate(size uint64) []byte {
	l.b = append(l.b, make([]byte, size-uint64(len(l.b)))...)
	return l.b
}

// Free implements experimental.LinearMemory.
func (l *linear) Free() { l.b = nil }
