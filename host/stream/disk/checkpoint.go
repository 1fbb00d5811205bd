package disk

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"sandbar/host/stream"
)

const (
	checkpointName  = "checkpoint"
	checkpointTemp  = "checkpoint.tmp"
	checkpointFirst = "sandbar checkpoint 2\n"
	checkpointOld   = "sandbar checkpoint 1\n" // has no id
	maxCheckpoint   = 256 << 20
)

// checkpoint is what the newest commit made true. Its text form is in docs/format/stream.md.
type checkpoint struct {
	id      stream.ID
	ends    map[string]stream.Position            // of the streams that commits write
	readers map[string]map[string]stream.Position // reader → stream → position
	states  map[string]stateRef
}

// stateRef says where a state lies and what it must be.
type stateRef struct {
	file   int64 // the N of states/N
	offset int64
	size   int64
	sum    uint64 // xxhash64 of its bytes
}

func newCheckpoint() *checkpoint {
	return &checkpoint{ends: map[string]stream.Position{}, readers: map[string]map[string]stream.Position{}, states: map[string]stateRef{}}
}

// clone copies what a commit may change: the outer maps. A reader's own map is replaced, never changed.
func (c *checkpoint) clone() *checkpoint {
	return &checkpoint{id: c.id, ends: maps.Clone(c.ends), readers: maps.Clone(c.readers), states: maps.Clone(c.states)}
}

// move applies the readers of a commit.
func (c *checkpoint) move(commit *stream.Commit) {
	for _, reader := range commit.Forget {
		delete(c.readers, reader)
	}
	for reader, positions := range commit.Positions {
		moved := maps.Clone(c.readers[reader])
		if moved == nil {
			moved = map[string]stream.Position{}
		}
		maps.Copy(moved, positions)
		c.readers[reader] = moved
	}
}

// appendTo writes the text form, sorted, so that the same contents are the same bytes.
func (c *checkpoint) appendTo(b []byte) []byte {
	start := len(b)
	if c.id == (stream.ID{}) {
		b = append(b, checkpointOld...)
	} else {
		b = fmt.Appendf(append(b, checkpointFirst...), "id %s\n", c.id)
	}
	for _, name := range slices.Sorted(maps.Keys(c.ends)) {
		b = strconv.AppendQuoteToASCII(append(b, "end "...), name)
		b = appendPosition(b, c.ends[name])
	}
	for _, reader := range slices.Sorted(maps.Keys(c.readers)) {
		for _, name := range slices.Sorted(maps.Keys(c.readers[reader])) {
			b = strconv.AppendQuoteToASCII(append(b, "reader "...), reader)
			b = strconv.AppendQuoteToASCII(append(b, ' '), name)
			b = appendPosition(b, c.readers[reader][name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.states)) {
		ref := c.states[name]
		b = strconv.AppendQuoteToASCII(append(b, "state "...), name)
		for _, n := range []int64{ref.file, ref.offset, ref.size} {
			b = strconv.AppendInt(append(b, ' '), n, 10)
		}
		b = fmt.Appendf(b, " %016x\n", ref.sum)
	}
	return fmt.Appendf(b, "sum %016x\n", xxhash.Sum64(b[start:]))
}

func appendPosition(b []byte, p stream.Position) []byte {
	b = strconv.AppendInt(append(b, ' '), p.Segment, 10)
	b = strconv.AppendInt(append(b, ':'), p.Offset, 10)
	return append(b, '\n')
}

// parseCheckpoint reads the text form. It takes nothing that appendTo would not have written.
func parseCheckpoint(b []byte) (*checkpoint, error) {
	const sumLine = len("sum 0123456789abcdef\n")
	if len(b) < len(checkpointFirst)+sumLine || !bytes.HasPrefix(b, []byte(checkpointFirst)) && !bytes.HasPrefix(b, []byte(checkpointOld)) {
		return nil, fmt.Errorf("the first line is not %q", strings.TrimSpace(checkpointFirst))
	}
	body := b[:len(b)-sumLine]
	if want := fmt.Sprintf("sum %016x\n", xxhash.Sum64(body)); string(b[len(body):]) != want {
		return nil, errors.New("it is damaged: its checksum does not fit its contents")
	}
	c := newCheckpoint()
	n := 1
	for line := range strings.Lines(string(body[len(checkpointFirst):])) {
		n++
		if err := c.parseLine(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if !bytes.Equal(c.appendTo(nil), b) {
		return nil, errors.New("its lines are not in order")
	}
	return c, nil
}

func (c *checkpoint) parseLine(line string) error {
	t := tokens{rest: line}
	switch kind := t.word(); kind {
	case "id ":
		var err error
		if c.id, err = stream.ParseID(strings.TrimSuffix(t.rest, "\n")); err != nil {
			return err
		}
		t.rest = ""
	case "end ":
		name := t.name()
		c.ends[name] = t.position('\n')
	case "reader ":
		reader, name := t.name(), t.name()
		if c.readers[reader] == nil {
			c.readers[reader] = map[string]stream.Position{}
		}
		c.readers[reader][name] = t.position('\n')
	case "state ":
		name := t.name()
		c.states[name] = stateRef{file: t.number(' '), offset: t.number(' '), size: t.number(' '), sum: t.sum()}
	default:
		return fmt.Errorf("begins with %q, not with id, end, reader or state", kind)
	}
	if t.err == nil && t.rest != "" {
		t.err = fmt.Errorf("%q is too much", t.rest)
	}
	return t.err
}

// tokens takes a line apart and remembers the first thing that is wrong.
type tokens struct {
	rest string
	err  error
}

func (t *tokens) word() string {
	word, rest, _ := strings.Cut(t.rest, " ")
	t.rest = rest
	return word + " "
}

// name reads a quoted name and the space behind it.
func (t *tokens) name() string {
	if t.err != nil {
		return ""
	}
	quoted, err := strconv.QuotedPrefix(t.rest)
	name, uerr := strconv.Unquote(quoted)
	if err != nil || uerr != nil || !strings.HasPrefix(t.rest[len(quoted):], " ") {
		t.err = fmt.Errorf("%q does not begin with a quoted name", t.rest)
		return ""
	}
	t.rest = t.rest[len(quoted)+1:]
	if err := stream.CheckName(name); err != nil {
		t.err = err
	}
	return name
}

// number reads a whole number from 0 on and the byte behind it.
func (t *tokens) number(behind byte) int64 {
	if t.err != nil {
		return 0
	}
	digits, rest, found := strings.Cut(t.rest, string(behind))
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || !found {
		t.err = fmt.Errorf("%q does not begin with a number", t.rest)
		return 0
	}
	t.rest = rest
	return n
}

func (t *tokens) position(behind byte) stream.Position {
	return stream.Position{Segment: t.number(':'), Offset: t.number(behind)}
}

func (t *tokens) sum() uint64 {
	if t.err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(t.rest, "\n"), 16, 64)
	if err != nil {
		t.err = fmt.Errorf("%q is not a checksum", t.rest)
	}
	t.rest = ""
	return n
}
