package feed

import (
	"fmt"
	"math/rand/v2"
)

// Fault is what is wrong with a submission on purpose.
type Fault uint8

// The faults of real clients, as a decoder meets them.
const (
	None        Fault = iota
	BrokenJSON        // the document ends in the middle
	BadUTF8           // a string holds bytes that are no UTF-8
	Missing           // a key that the schema requires is not there
	WrongType         // a key has a value of another type
	UnknownType       // no schema has that name
	BadGzip           // says gzip, is not
	SentTwice         // the same docId as the submission before
)

func (f Fault) String() string {
	names := [...]string{"none", "broken_json", "bad_utf8", "missing_key", "wrong_type", "unknown_type", "bad_gzip", "sent_twice"}
	if int(f) < len(names) {
		return names[f]
	}
	return fmt.Sprintf("fault(%d)", uint8(f))
}

// faults lists what can be wrong; those listed twice happen twice as often.
func faults() []Fault {
	return []Fault{BrokenJSON, BadUTF8, Missing, Missing, WrongType, WrongType, UnknownType, BadGzip, SentTwice, SentTwice}
}

// spoilDocument puts the faults into d that a schema finds.
func (f Fault) spoilDocument(rng *rand.Rand, d doc) {
	switch f {
	case Missing:
		delete(d, pick(rng, []string{"creationDate", "application", "type", "version", "id"}))
	case WrongType:
		switch rng.IntN(3) {
		case 0:
			d["creationDate"] = 20260802
		case 1:
			d["application"] = "Firefox"
		default:
			d["id"] = "not-an-id"
		}
	}
}

// spoilBytes puts the faults into a written document that make it no JSON at all.
func (f Fault) spoilBytes(rng *rand.Rand, body []byte) []byte {
	switch f {
	case BrokenJSON:
		return body[:1+rng.IntN(len(body)-1)]
	case BadUTF8:
		return append([]byte{'{', '"', 'x', '"', ':', '"', 0xc3, 0x28, '"', ','}, body[1:]...)
	case BadGzip:
		return append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, body[:min(len(body), 64)]...)
	}
	return body
}
