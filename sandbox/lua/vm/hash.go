package vm

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Hashes depend on a number that each State draws, so that nobody can prepare keys that all have the same one. They
// show nowhere: tables keep the order in which keys came.

// hash is that of a key.
func (t *Table) hash(v Value) uint32 {
	switch {
	case v.bits >= numberBase:
		return fold(v.bits, t.seed)
	case v.isString():
		return v.strHash(t.seed)
	case v.bits <= trueBits:
		return uint32(v.bits)
	}
	return fold(uint64(uintptr(v.ref)), t.seed)
}

// strHash is that of a string, which remembers it.
func (v Value) strHash(seed uint32) uint32 {
	if v.strLen() == 0 {
		return 1
	}
	t := (*text)(v.ref)
	if t.hash == 0 {
		t.hash = hashText(v.str(), seed) | 1
	}
	return t.hash
}

const (
	oddA = 0x9e3779b97f4a7c15 // of the golden ratio
	oddB = 0xd6e8feb86659fd93
)

func fold(b uint64, seed uint32) uint32 {
	hi, lo := bits.Mul64(b^(oddA*uint64(seed|1)), oddB)
	return uint32((hi ^ lo) >> 32)
}

// hashText multiplies eight bytes after the other into 128 bits and folds them, as wyhash does.
func hashText(s string, seed uint32) uint32 {
	h := oddA * uint64(seed|1)
	tail := uint64(len(s)) << 56
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for ; len(b) >= 8; b = b[8:] {
		hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(b), oddB)
		h = hi ^ lo
	}
	for i, c := range b {
		tail ^= uint64(c) << (8 * i)
	}
	hi, lo := bits.Mul64(h^tail, oddB)
	h = hi ^ lo
	hi, lo = bits.Mul64(h^oddA, oddB)
	return uint32((hi ^ lo) >> 32)
}
