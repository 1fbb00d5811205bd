package meter

import "fmt"

// Value types, as in the binary format. unknown is what unreachable code has on its stack.
const (
	i32     = 0x7f
	i64     = 0x7e
	f32     = 0x7d
	f64     = 0x7c
	v128    = 0x7b
	funcref = 0x70
	extref  = 0x6f
	unknown = 0
)

func typeName(t byte) string {
	switch t {
	case i32:
		return "i32"
	case i64:
		return "i64"
	case f32:
		return "f32"
	case f64:
		return "f64"
	case v128:
		return "v128"
	case funcref:
		return "funcref"
	case extref:
		return "externref"
	}
	return fmt.Sprintf("type 0x%02x", t)
}

func isValueType(t byte) bool { return t >= v128 && t <= i32 || t == funcref || t == extref }

// Opcodes that the checker or the writer treat one by one.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectType   = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Eq        = 0x46
	opI64LtS       = 0x53
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64Or        = 0x84
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opPrefixMisc   = 0xfc
	opPrefixSIMD   = 0xfd
)

// Opcodes after 0xfc.
const (
	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscElemDrop   = 13
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableSize  = 16
	miscTableFill  = 17
)

// immediate says what follows an opcode.
type immediate uint8

const (
	none     immediate = iota
	memarg             // alignment and offset
	memlane            // the same and a lane
	lane               // a byte
	bytes16            // 16 bytes
	shuffles           // 16 lanes of two vectors
)

// signature is an opcode that does nothing but take values and give one.
type signature struct {
	known   bool
	in, out string // types, letters i l f d v
	imm     immediate
	align   uint8 // most, as a power of two
	lanes   uint8
	cost    uint8
}

// plain are the opcodes of one byte that are only a signature, simd those after 0xfd.
var (
	plain = func() (t [256]signature) {
		fill(t[:], plainText)
		return t
	}()
	simd = func() (t [256]signature) {
		fill(t[:], simdText)
		return t
	}()
)

// A line is a range of opcodes and what they take and give; then for memory the alignment as a power of two, or how many lanes.
type ops struct {
	from, to int
	sig      string
	imm      immediate
	n        uint8
	cost     uint8
}

// The costs are in units of about the time of one addition; a load or store may miss the cache.
const (
	costMemory = 8
	costStore  = 3
	costDivide = 8
)

var plainText = []ops{
	{0x28, 0x28, "i:i", memarg, 2, costMemory}, {0x29, 0x29, "i:l", memarg, 3, costMemory}, {0x2a, 0x2a, "i:f", memarg, 2, costMemory}, {0x2b, 0x2b, "i:d", memarg, 3, costMemory},
	{0x2c, 0x2d, "i:i", memarg, 0, costMemory}, {0x2e, 0x2f, "i:i", memarg, 1, costMemory}, {0x30, 0x31, "i:l", memarg, 0, costMemory},
	{0x32, 0x33, "i:l", memarg, 1, costMemory}, {0x34, 0x35, "i:l", memarg, 2, costMemory},
	{0x36, 0x36, "ii:", memarg, 2, costStore}, {0x37, 0x37, "il:", memarg, 3, costStore}, {0x38, 0x38, "if:", memarg, 2, costStore}, {0x39, 0x39, "id:", memarg, 3, costStore},
	{0x3a, 0x3a, "ii:", memarg, 0, costStore}, {0x3b, 0x3b, "ii:", memarg, 1, costStore}, {0x3c, 0x3c, "il:", memarg, 0, costStore},
	{0x3d, 0x3d, "il:", memarg, 1, costStore}, {0x3e, 0x3e, "il:", memarg, 2, costStore},
	{0x45, 0x45, "i:i", none, 0, 1}, {0x46, 0x4f, "ii:i", none, 0, 1}, {0x50, 0x50, "l:i", none, 0, 1}, {0x51, 0x5a, "ll:i", none, 0, 1},
	{0x5b, 0x60, "ff:i", none, 0, 1}, {0x61, 0x66, "dd:i", none, 0, 1},
	{0x67, 0x69, "i:i", none, 0, 1}, {0x6a, 0x6c, "ii:i", none, 0, 1}, {0x6d, 0x70, "ii:i", none, 0, costDivide}, {0x71, 0x78, "ii:i", none, 0, 1},
	{0x79, 0x7b, "l:l", none, 0, 1}, {0x7c, 0x7e, "ll:l", none, 0, 1}, {0x7f, 0x82, "ll:l", none, 0, costDivide}, {0x83, 0x8a, "ll:l", none, 0, 1},
	{0x8b, 0x90, "f:f", none, 0, 2}, {0x91, 0x91, "f:f", none, 0, costDivide}, {0x92, 0x94, "ff:f", none, 0, 1}, {0x95, 0x95, "ff:f", none, 0, costDivide}, {0x96, 0x98, "ff:f", none, 0, 2},
	{0x99, 0x9e, "d:d", none, 0, 2}, {0x9f, 0x9f, "d:d", none, 0, costDivide}, {0xa0, 0xa2, "dd:d", none, 0, 1}, {0xa3, 0xa3, "dd:d", none, 0, costDivide}, {0xa4, 0xa6, "dd:d", none, 0, 2},
	{0xa7, 0xa7, "l:i", none, 0, 1}, {0xa8, 0xa9, "f:i", none, 0, 2}, {0xaa, 0xab, "d:i", none, 0, 2}, {0xac, 0xad, "i:l", none, 0, 1},
	{0xae, 0xaf, "f:l", none, 0, 2}, {0xb0, 0xb1, "d:l", none, 0, 2}, {0xb2, 0xb3, "i:f", none, 0, 2}, {0xb4, 0xb5, "l:f", none, 0, 2}, {0xb6, 0xb6, "d:f", none, 0, 2},
	{0xb7, 0xb8, "i:d", none, 0, 2}, {0xb9, 0xba, "l:d", none, 0, 2}, {0xbb, 0xbb, "f:d", none, 0, 2},
	{0xbc, 0xbc, "f:i", none, 0, 1}, {0xbd, 0xbd, "d:l", none, 0, 1}, {0xbe, 0xbe, "i:f", none, 0, 1}, {0xbf, 0xbf, "l:d", none, 0, 1},
	{0xc0, 0xc1, "i:i", none, 0, 1}, {0xc2, 0xc4, "l:l", none, 0, 1},
}

var simdText = []ops{
	{0x00, 0x00, "i:v", memarg, 4, costMemory}, {0x01, 0x06, "i:v", memarg, 3, costMemory}, {0x07, 0x07, "i:v", memarg, 0, costMemory}, {0x08, 0x08, "i:v", memarg, 1, costMemory},
	{0x09, 0x09, "i:v", memarg, 2, costMemory}, {0x0a, 0x0a, "i:v", memarg, 3, costMemory}, {0x0b, 0x0b, "iv:", memarg, 4, costStore},
	{0x0c, 0x0c, ":v", bytes16, 0, 1}, {0x0d, 0x0d, "vv:v", shuffles, 32, 2}, {0x0e, 0x0e, "vv:v", none, 0, 2},
	{0x0f, 0x11, "i:v", none, 0, 1}, {0x12, 0x12, "l:v", none, 0, 1}, {0x13, 0x13, "f:v", none, 0, 1}, {0x14, 0x14, "d:v", none, 0, 1},
	{0x15, 0x16, "v:i", lane, 16, 1}, {0x17, 0x17, "vi:v", lane, 16, 1}, {0x18, 0x19, "v:i", lane, 8, 1}, {0x1a, 0x1a, "vi:v", lane, 8, 1},
	{0x1b, 0x1b, "v:i", lane, 4, 1}, {0x1c, 0x1c, "vi:v", lane, 4, 1}, {0x1d, 0x1d, "v:l", lane, 2, 1}, {0x1e, 0x1e, "vl:v", lane, 2, 1},
	{0x1f, 0x1f, "v:f", lane, 4, 1}, {0x20, 0x20, "vf:v", lane, 4, 1}, {0x21, 0x21, "v:d", lane, 2, 1}, {0x22, 0x22, "vd:v", lane, 2, 1},
	{0x23, 0x4c, "vv:v", none, 0, 2}, {0x4d, 0x4d, "v:v", none, 0, 1}, {0x4e, 0x51, "vv:v", none, 0, 1}, {0x52, 0x52, "vvv:v", none, 0, 2}, {0x53, 0x53, "v:i", none, 0, 2},
	{0x54, 0x54, "iv:v", memlane, 0, costMemory}, {0x55, 0x55, "iv:v", memlane, 1, costMemory}, {0x56, 0x56, "iv:v", memlane, 2, costMemory}, {0x57, 0x57, "iv:v", memlane, 3, costMemory},
	{0x58, 0x58, "iv:", memlane, 0, costStore}, {0x59, 0x59, "iv:", memlane, 1, costStore}, {0x5a, 0x5a, "iv:", memlane, 2, costStore}, {0x5b, 0x5b, "iv:", memlane, 3, costStore},
	{0x5c, 0x5c, "i:v", memarg, 2, costMemory}, {0x5d, 0x5d, "i:v", memarg, 3, costMemory}, {0x5e, 0x62, "v:v", none, 0, 2}, {0x63, 0x64, "v:i", none, 0, 2}, {0x65, 0x66, "vv:v", none, 0, 2},
	{0x67, 0x6a, "v:v", none, 0, 2}, {0x6b, 0x6d, "vi:v", none, 0, 4}, {0x6e, 0x73, "vv:v", none, 0, 1}, {0x74, 0x75, "v:v", none, 0, 2}, {0x76, 0x79, "vv:v", none, 0, 1},
	{0x7a, 0x7a, "v:v", none, 0, 2}, {0x7b, 0x7b, "vv:v", none, 0, 1}, {0x7c, 0x81, "v:v", none, 0, 2}, {0x82, 0x82, "vv:v", none, 0, 2}, {0x83, 0x84, "v:i", none, 0, 2},
	{0x85, 0x86, "vv:v", none, 0, 2}, {0x87, 0x8a, "v:v", none, 0, 1}, {0x8b, 0x8d, "vi:v", none, 0, 2}, {0x8e, 0x93, "vv:v", none, 0, 1}, {0x94, 0x94, "v:v", none, 0, 2},
	{0x95, 0x99, "vv:v", none, 0, 2}, {0x9b, 0x9b, "vv:v", none, 0, 1}, {0x9c, 0x9f, "vv:v", none, 0, 2}, {0xa0, 0xa1, "v:v", none, 0, 1}, {0xa3, 0xa4, "v:i", none, 0, 2},
	{0xa7, 0xaa, "v:v", none, 0, 1}, {0xab, 0xad, "vi:v", none, 0, 2}, {0xae, 0xae, "vv:v", none, 0, 1}, {0xb1, 0xb1, "vv:v", none, 0, 1}, {0xb5, 0xba, "vv:v", none, 0, 2}, {0xbc, 0xbf, "vv:v", none, 0, 2},
	{0xc0, 0xc1, "v:v", none, 0, 2}, {0xc3, 0xc4, "v:i", none, 0, 2}, {0xc7, 0xca, "v:v", none, 0, 1}, {0xcb, 0xcd, "vi:v", none, 0, 4}, {0xce, 0xce, "vv:v", none, 0, 1}, {0xd1, 0xd1, "vv:v", none, 0, 1},
	{0xd5, 0xd5, "vv:v", none, 0, 4}, {0xd6, 0xdb, "vv:v", none, 0, 2}, {0xdc, 0xdf, "vv:v", none, 0, 2}, {0xe0, 0xe1, "v:v", none, 0, 1}, {0xe3, 0xe3, "v:v", none, 0, 16},
	{0xe4, 0xe6, "vv:v", none, 0, 1}, {0xe7, 0xe7, "vv:v", none, 0, 16}, {0xe8, 0xeb, "vv:v", none, 0, 4}, {0xec, 0xed, "v:v", none, 0, 1}, {0xef, 0xef, "v:v", none, 0, 16},
	{0xf0, 0xf2, "vv:v", none, 0, 1}, {0xf3, 0xf3, "vv:v", none, 0, 16}, {0xf4, 0xf7, "vv:v", none, 0, 4}, {0xf8, 0xff, "v:v", none, 0, 4},
}

// fill makes a table of its lines.
func fill(t []signature, text []ops) {
	letters := map[byte]byte{'i': i32, 'l': i64, 'f': f32, 'd': f64, 'v': v128}
	for _, o := range text {
		s := signature{known: true, imm: o.imm, cost: o.cost}
		switch o.imm {
		case memarg, memlane:
			s.align, s.lanes = o.n, 16>>o.n
		default:
			s.lanes = o.n
		}
		in := true
		for _, c := range []byte(o.sig) {
			switch {
			case c == ':':
				in = false
			case in:
				s.in += string([]byte{letters[c]})
			default:
				s.out += string([]byte{letters[c]})
			}
		}
		for op := o.from; op <= o.to; op++ {
			t[op] = s
		}
	}
}

// misc are the eight first opcodes after 0xfc, conversions that do not trap.
var misc = [8]signature{
	{known: true, in: "\x7d", out: "\x7f", cost: 2}, {known: true, in: "\x7d", out: "\x7f", cost: 2}, {known: true, in: "\x7c", out: "\x7f", cost: 2}, {known: true, in: "\x7c", out: "\x7f", cost: 2},
	{known: true, in: "\x7d", out: "\x7e", cost: 2}, {known: true, in: "\x7d", out: "\x7e", cost: 2}, {known: true, in: "\x7c", out: "\x7e", cost: 2}, {known: true, in: "\x7c", out: "\x7e", cost: 2},
}
