package lake

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// buffer is one object that is being filled: framed messages in memory, which a Heka object is made of as
// they are, and a Parquet object through the specs of its rows.
type buffer struct {
	root, path string
	frames     [][]byte // each holds whole frames
	bytes      int64    // in them
	held       int64    // of memory
	rows       int

	specs  []*spec // what the rows of a Parquet object are made of; nil for Heka
	specOf []int32 // by row
}

// spec is a sandbox.Row without its message.
type spec struct {
	fields                         []string // nil: all scalar ones
	payload                        string
	namespace, docType, docVersion string

	known map[string]*seen // fields that its messages have
	order []*seen          // of the newest message
	more  int64            // names beyond maxSeen
}

// seen is what is known of a message field.
type seen struct {
	name  string
	kind  kind
	mixed bool // values of several kinds meet in it
}

// maxSeen bounds the names that are known of one spec.
const maxSeen = 10_000

// see takes note of a message's fields. Messages of one origin have the same ones in the same order, so that one looks where the last message had it first.
func (s *spec) see(v *message.View) {
	i := -1
	for f := range v.Fields() {
		i++
		var e *seen
		if i < len(s.order) && s.order[i].name == string(f.Name()) {
			e = s.order[i]
		} else if e = s.learn(i, f.Name()); e == nil {
			continue
		}
		if k := fieldKind(f); e.kind != k && (e.kind != text || !e.mixed) && f.Len() > 0 {
			e.mixed = e.mixed || e.kind != unset
			e.kind = widen(e.kind, k)
		}
	}
}

// learn finds or adds a field that a message has at place i.
func (s *spec) learn(i int, name []byte) *seen {
	e := s.known[string(name)]
	if e == nil {
		if len(s.known) == maxSeen {
			s.more++
			return nil
		}
		if s.known == nil {
			s.known = map[string]*seen{}
		}
		e = &seen{name: string(name)}
		s.known[e.name] = e
	}
	switch {
	case i < len(s.order):
		s.order[i] = e
	case i == len(s.order):
		s.order = append(s.order, e)
	}
	return e
}

func (s *spec) fits(row *sandbox.Row) bool {
	return s.payload == row.Payload && s.docVersion == row.DocVersion && s.docType == row.DocType && s.namespace == row.Namespace &&
		(s.fields == nil) == (row.Fields == nil) && slices.Equal(s.fields, row.Fields)
}

// maxSpecs bounds the specs of one object; what a plugin gives is nearly always one. Further rows keep
// their message columns only.
const maxSpecs = 64

// Chunks of a buffer's memory: the first is small, since there may be thousands of buffers, and each later one twice as large as the one before.
const (
	firstChunk = 4 << 10
	mostChunk  = 1 << 20
)

// add adds a message, and a row of it when v is there.
func (b *buffer) add(msg []byte, v *message.View, row *sandbox.Row) {
	size := message.FrameSize(len(msg))
	last := len(b.frames) - 1
	if last < 0 || cap(b.frames[last])-len(b.frames[last]) < size {
		next := firstChunk
		if last >= 0 {
			next = min(2*cap(b.frames[last]), mostChunk)
		}
		b.frames = append(b.frames, make([]byte, 0, max(next, size)))
		last++
		b.held += int64(cap(b.frames[last]))
	}
	b.frames[last] = message.AppendFrame(b.frames[last], msg)
	b.bytes += int64(size)
	b.rows++
	if v != nil {
		i := b.specIndex(row)
		b.specOf = append(b.specOf, i)
		b.specs[i].see(v)
	}
}

func (b *buffer) specIndex(row *sandbox.Row) int32 {
	for i := len(b.specs) - 1; i >= 0; i-- {
		if b.specs[i].fits(row) {
			return int32(i)
		}
	}
	if len(b.specs) == maxSpecs {
		return maxSpecs - 1
	}
	s := &spec{fields: slices.Clone(row.Fields), payload: row.Payload, namespace: row.Namespace, docType: row.DocType, docVersion: row.DocVersion}
	if len(b.specs) == maxSpecs-1 {
		s = &spec{}
	}
	b.specs = append(b.specs, s)
	return int32(len(b.specs) - 1)
}

// size is the memory that the buffer holds.
func (b *buffer) size() int64 { return b.held + 4*int64(cap(b.specOf)) }

// ext is the ending of the object's name.
func (b *buffer) ext(opt *Options) string {
	switch {
	case b.specs != nil:
		return ".parquet"
	case opt.HekaZstd:
		return ".heka.zst"
	}
	return ".heka"
}

// encode writes the object's bytes.
func (b *buffer) encode(ctx context.Context, out io.Writer, opt *Options, n *names) (misfit Misfit, err error) {
	switch {
	case b.specs != nil:
		return writeParquet(ctx, out, b, n)
	case opt.HekaZstd:
		z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return misfit, err
		}
		return misfit, errors.Join(b.writeTo(z), z.Close())
	}
	return misfit, b.writeTo(out)
}

// writeTo writes the frames.
func (b *buffer) writeTo(out io.Writer) error {
	for _, chunk := range b.frames {
		if _, err := out.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// each calls row for every message of a Parquet object. A message that is none is not given.
func (b *buffer) each(row func(v *message.View, s *spec) error) error {
	var v message.View
	var rest []byte
	chunk := 0
	for _, s := range b.specOf {
		for len(rest) == 0 {
			rest = b.frames[chunk]
			chunk++
		}
		msg, n, err := message.ScanFrame(rest, message.MaxSize)
		if err != nil {
			return err // cannot be: the frames are ours
		}
		rest = rest[n:]
		if err := v.Parse(msg); err != nil {
			return err // cannot be: add checks
		}
		if err := row(&v, b.specs[s]); err != nil {
			return err
		}
	}
	return nil
}
