// Package stream is the durable log that everything reads from and writes to, and the commit that
// makes positions, appends and plugin states true together.
//
// It knows bytes and positions, never a plugin or a message's contents. host/stream/disk keeps it in files.
package stream

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The four streams.
const (
	Raw     = "raw"     // submissions as received; appended to directly, trimmed only below landfill
	Valid   = "valid"   // decoded and validated
	Errors  = "errors"  // what could not be, with payload and cause
	Derived = "derived" // what analysis plugins made
)

// Names lists the streams in the order data flows.
func Names() []string { return []string{Raw, Valid, Errors, Derived} }

var (
	// ErrFull says that the disk has no room left for appends; nothing was written.
	ErrFull = errors.New("stream: no room on disk; free space or lower the retention")
	// ErrTooLarge says that a message is above the store's maximum; nothing was written.
	ErrTooLarge = errors.New("stream: message is larger than the maximum")
	// ErrTrimmed says that a reader's position is no longer kept.
	ErrTrimmed = errors.New("stream: position was trimmed away")
	// ErrAhead says that a position is after the end of its stream, so it is of other data than this.
	ErrAhead = errors.New("stream: position is after the end of the stream")
	// ErrBroken says that the store takes no writes any more, since it cannot know what of them the disk has.
	// Reading goes on. What was acknowledged is kept; opening the store again finds out the rest.
	ErrBroken = errors.New("stream: writing has stopped after a failure of the disk; look at the disk, then restart")
	// ErrUncertain says that an append has had no answer: the messages may be there, or come to be.
	ErrUncertain = errors.New("stream: it is not known whether the messages are there")
	// ErrUnavailable says that a store does not give what it has now. It may later: read on. Such an error comes after a pause.
	ErrUnavailable = errors.New("stream: what the store has cannot be read now")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("stream: closed")
)

// Elsewhere names a stream of another partition, as readers have it who read several: "valid@3".
func Elsewhere(name string, partition int) string { return fmt.Sprintf("%s@%d", name, partition) }

// ParseElsewhere reads what Elsewhere writes.
func ParseElsewhere(s string) (name string, partition int, ok bool) {
	name, number, ok := strings.Cut(s, "@")
	partition, err := strconv.Atoi(number)
	return name, partition, ok && err == nil && partition >= 0 && slices.Contains(Names(), name) && Elsewhere(name, partition) == s
}

// Position is a place between two messages of a stream: the segment (the N of N.log) and the byte in it.
// The zero Position is the oldest place ever.
type Position struct {
	Segment int64
	Offset  int64
}

// Before reports whether p is nearer to the start of the stream than q.
func (p Position) Before(q Position) bool {
	return p.Segment < q.Segment || p.Segment == q.Segment && p.Offset < q.Offset
}

func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Segment, p.Offset) }

// ParsePosition reads the form that String writes.
func ParsePosition(s string) (Position, error) {
	var p Position
	var rest string
	n, err := fmt.Sscanf(s+" .", "%d:%d %s", &p.Segment, &p.Offset, &rest)
	if n != 3 || err != nil || rest != "." || p.Segment < 0 || p.Offset < 0 {
		return Position{}, fmt.Errorf("stream: position %q is not SEGMENT:OFFSET", s)
	}
	return p, nil
}

// PlaceName names a place in one of n logs, for people: PARTITION-POSITION where there are several.
func PlaceName(n, log int, at Position) string {
	if n == 1 {
		return at.String()
	}
	return fmt.Sprintf("%d-%s", log, at)
}

// Sortable is p as text that sorts as positions do, in characters that suit a file name.
func (p Position) Sortable() string { return fmt.Sprintf("%08d-%012d", p.Segment, p.Offset) }

// Range is what lies between two positions of a stream.
type Range struct {
	Stream   string
	From, To Position
}

// ID tells the data of one store from that of any other, also from one that begins anew in the same place: positions mean
// something in the store that they come from only.
type ID [16]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is enough of an ID to keep names apart.
func (id ID) Short() string { return hex.EncodeToString(id[:4]) }

// ParseID reads what String writes.
func ParseID(s string) (id ID, err error) {
	if b, err := hex.DecodeString(s); err == nil && len(b) == len(id) {
		return ID(b), nil
	}
	return id, fmt.Errorf("stream: id %.40q is not 32 hexadecimal digits", s)
}

// Store is a set of streams with one commit over all of them.
type Store interface {
	// ID is that of the data. It is random, made with the first of it, and never changes.
	ID() ID
	// Log returns the stream of that name, which is one of Names, or one Elsewhere where there are other partitions; for another
	// name it is nil. A stream elsewhere is only read.
	Log(name string) Log
	// Commit makes c durable as one: after a crash either all of it is there or nothing of it.
	// Positions, states and readers that c does not mention stay as they are. Commits at the same time
	// follow one another. After an error nothing of c is there, and it may be tried again, unless the
	// error is ErrBroken.
	Commit(ctx context.Context, c *Commit) error
	// Readers returns every committed position, by reader and stream. The maps are the caller's.
	Readers() map[string]map[string]Position
	// State returns the committed state of that name, nil when there is none.
	State(ctx context.Context, name string) ([]byte, error)
	Close() error
}

// Commit is one value: what was made, how far it was read, and what was remembered.
type Commit struct {
	Appends   map[string][][]byte            // stream name → messages (unframed), in order; never to Raw
	Keys      map[string]map[int][]byte      // stream name → index of a message → its key, for those that go to the partition of their key
	Positions map[string]map[string]Position // reader → stream, also one Elsewhere → position
	States    map[string][]byte              // state name → bytes; nil deletes it
	Forget    []string                       // readers that no longer hold back trimming; done before Positions
}

// Log is one stream.
type Log interface {
	// Append writes messages and returns when they are durable; callers that wait together share one sync.
	// It returns the position after the last message. Only Raw is appended to directly. The context ends
	// the wait for a turn; what has begun is finished, so that its outcome is known, or the error is ErrUncertain. The messages of one
	// call lie together, and are not used after it returns, unless the error is ErrUncertain.
	Append(ctx context.Context, msgs ...[]byte) (Position, error)
	// Store is the ID of the log's store.
	Store() ID
	// First is the oldest kept position, End the position after the newest readable message.
	First() Position
	End() Position
	// Distance is how many bytes lie between two positions; 0 when to is not after from.
	Distance(from, to Position) int64
	// Within is where to look for messages inside of one of so many bytes that ends there, and turned out not to be one: its
	// length may be what is wrong. It reports false where a message's bounds are certain.
	Within(end Position, size int) (Position, bool)
	// Earlier is a place some tens of megabytes before p, or First.
	Earlier(p Position) Position
	// NewReader reads from a position on. A position that was trimmed away moves up to First;
	// a position that is no frame boundary is resynchronised and counted as skipped; a position after End
	// is ErrAhead.
	NewReader(from Position) (Reader, error)
	// Trim removes whole segments that lie below every committed reader's position of this stream and
	// are older than keepAge or beyond keepBytes of the newest data. It reports the bytes removed.
	// A negative keepAge or keepBytes sets no such limit, so with both negative nothing is removed.
	// A reader holds back trimming from its first commit on: one that must miss nothing commits the
	// zero Position before anything is appended.
	Trim(ctx context.Context, keepBytes int64, keepAge time.Duration) (int64, error)
	// Stats are the stream's own numbers.
	Stats() Stats
}

// Stats of one stream.
type Stats struct {
	Messages int64 // appended since the store was opened
	Bytes    int64 // appended since the store was opened
	Stored   int64 // bytes kept on disk
	Skipped  int64 // bytes that readers had to skip as damaged
	Syncs    int64 // fsyncs for appends
}

// Reader reads a log in order. It is used by one goroutine.
type Reader interface {
	// Read replaces b's contents with the next messages, up to about maxBytes (always at least one when
	// there is one). At the end of the log it returns io.EOF and an empty batch; it never blocks for data.
	// When what it would read next was trimmed away it returns ErrTrimmed once, and then goes on at First.
	// After ErrUnavailable it can be called again.
	// The batch owns its memory: it stays valid after the next Read unless the same Batch is passed again.
	Read(b *Batch, maxBytes int) error
	// Wait returns when there is something to read, or with the context's error, or ErrUnavailable.
	Wait(ctx context.Context) error
	// Position is the place after the last message read, or after what was skipped since then.
	Position() Position
	Close() error
}

// Batch is a run of messages. Ends[i] is the position after Messages[i].
type Batch struct {
	Messages [][]byte
	Ends     []Position
	Buf      []byte // backing memory; a Reader reuses it when the same Batch is passed again
}
