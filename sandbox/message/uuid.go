package message

import (
	"encoding/binary"
	"encoding/hex"
)

// NewUUID makes a random (version 4) uuid of two random numbers.
func NewUUID(hi, lo uint64) (u [16]byte) {
	binary.BigEndian.PutUint64(u[:8], hi)
	binary.BigEndian.PutUint64(u[8:], lo)
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// dashes is where the dashed form has them.
func dashes() [4]int { return [4]int{8, 13, 18, 23} }

// FormatUUID writes 16 bytes in the form 8-4-4-4-12, lower case; "" for anything else.
func FormatUUID(u []byte) string {
	if len(u) != 16 {
		return ""
	}
	var s [36]byte
	hex.Encode(s[0:8], u[0:4])
	hex.Encode(s[9:13], u[4:6])
	hex.Encode(s[14:18], u[6:8])
	hex.Encode(s[19:23], u[8:10])
	hex.Encode(s[24:36], u[10:16])
	for _, i := range dashes() {
		s[i] = '-'
	}
	return string(s[:])
}

// ParseUUID reads the dashed form, upper or lower case.
func ParseUUID(s string) (u [16]byte, ok bool) {
	if len(s) != 36 {
		return u, false
	}
	for _, i := range dashes() {
		if s[i] != '-' {
			return u, false
		}
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	_, err := hex.Decode(u[:], []byte(digits))
	return u, err == nil
}
