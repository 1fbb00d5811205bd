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
	frames     []byte
	rows       int

	specs  []*spec // what the rows of a Parquet object are made of; nil for Heka
	specOf []int32 // by row
}

// spec is a sandbox.Row without its message.
type spec struct {
	fields                         []string // nil: all scalar ones
	payload                        string
	namespace, docType, docVersion string
}

func (s *spec) fits(row *sandbox.Row) bool {
	return s.payload == row.Payload && s.docVersion == row.DocVersion && s.docType == row.DocType && s.namespace == row.Namespace &&
		(s.fields == nil) == (row.Fields == nil) && slices.Equal(s.fields, row.Fields)
}

// maxSpecs bounds the specs of one object; what a plugin gives is nearly always one. Further rows keep
// their message columns only.
const maxSpecs = 64

func (b *buffer) add(msg []byte, row *sandbox.Row) {
	b.frames = message.AppendFrame(b.frames, msg)
	b.rows++
	if row != nil {
		b.specOf = append(b.specOf, b.specIndex(row))
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
func (b *buffer) size() int64 { return int64(cap(b.frames)) + 4*int64(cap(b.specOf)) }

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
		_, err = z.Write(b.frames)
		return misfit, errors.Join(err, z.Close())
	}
	_, err = out.Write(b.frames)
	return misfit, err
}

// each calls row for every message of a Parquet object. A message that is none is not given.
func (b *buffer) each(row func(v *message.View, s *spec) error) error {
	var v message.View
	rest := b.frames
	for _, s := range b.specOf {
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
