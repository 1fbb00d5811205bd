package datasets

import (
	"encoding/binary"
	"errors"
)

// The footer of a Parquet file is one struct in Thrift's compact protocol. The reader of Parquet makes room for as many elements as a list says that it has,
// so a few bytes could ask for gigabytes; checkThrift finds that out before.

const (
	mostElements = 500_000 // of all lists of a footer together
	mostDepth    = 32
)

var errThrift = errors.New("it is damaged: its footer cannot be read")

// scanner walks over a value and makes nothing of it.
type scanner struct {
	b        []byte
	elements int
}

// checkThrift says whether b begins with a struct whose lists are all there.
func checkThrift(b []byte) error {
	s := scanner{b: b}
	return s.structure(0)
}

func (s *scanner) take(n uint64) ([]byte, error) {
	if n > uint64(len(s.b)) {
		return nil, errThrift
	}
	out := s.b[:n]
	s.b = s.b[n:]
	return out, nil
}

func (s *scanner) varint() (uint64, error) {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		return 0, errThrift
	}
	s.b = s.b[n:]
	return v, nil
}

func (s *scanner) structure(depth int) error {
	if depth > mostDepth {
		return errThrift
	}
	for {
		head, err := s.take(1)
		if err != nil {
			return err
		}
		if head[0] == 0 {
			return nil
		}
		if head[0]>>4 == 0 { // the number of the field is written out
			if _, err := s.varint(); err != nil {
				return err
			}
		}
		kind := head[0] & 15
		if kind == 1 || kind == 2 {
			continue // true and false are kinds of their own
		}
		if err := s.value(kind, depth+1); err != nil {
			return err
		}
	}
}

func (s *scanner) value(kind byte, depth int) (err error) {
	switch kind {
	case 1, 2, 3: // in a list a bool has a byte
		_, err = s.take(1)
	case 4, 5, 6:
		_, err = s.varint()
	case 7:
		_, err = s.take(8)
	case 8:
		var n uint64
		if n, err = s.varint(); err == nil {
			_, err = s.take(n)
		}
	case 9, 10:
		err = s.list(depth)
	case 11:
		err = s.table(depth)
	case 12:
		err = s.structure(depth)
	default:
		err = errThrift
	}
	return err
}

// count takes room for n elements, each of which has a byte at least.
func (s *scanner) count(n uint64) error {
	if n > uint64(len(s.b)) || n > mostElements {
		return errThrift
	}
	if s.elements += int(n); s.elements > mostElements {
		return errors.New("its footer has too many elements to be looked at")
	}
	return nil
}

func (s *scanner) list(depth int) error {
	head, err := s.take(1)
	if err != nil {
		return err
	}
	n := uint64(head[0] >> 4)
	if n == 15 {
		if n, err = s.varint(); err != nil {
			return err
		}
	}
	if err := s.count(n); err != nil || depth > mostDepth {
		return errors.Join(errThrift, err)
	}
	for range n {
		if err := s.value(head[0]&15, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) table(depth int) error {
	n, err := s.varint()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := s.take(1)
	if err != nil {
		return err
	}
	if err := s.count(n); err != nil || depth > mostDepth {
		return errors.Join(errThrift, err)
	}
	for range n {
		if err := errors.Join(s.value(kinds[0]>>4, depth+1), s.value(kinds[0]&15, depth+1)); err != nil {
			return err
		}
	}
	return nil
}
