package view

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// ErrGone says that no message begins at a place: it was trimmed away, or there never was one.
var ErrGone = errors.New("there is no message here any more")

// At reads the message that begins at a place. A reader alone would go on to the next one when this one is gone.
func At(log stream.Log, at stream.Position) ([]byte, error) {
	r, err := log.NewReader(at)
	if err != nil {
		return nil, errors.Join(ErrGone, err)
	}
	defer r.Close()
	if r.Position() != at {
		return nil, ErrGone
	}
	var b stream.Batch
	if err := r.Read(&b, 1); err != nil {
		return nil, errors.Join(ErrGone, err)
	}
	// Messages are counted, or lie one behind the other as frames; a segment may end behind one.
	msg, end := b.Messages[0], b.Ends[0]
	if n := end.Offset - at.Offset; end.Segment == at.Segment && n != 1 && n != int64(message.FrameSize(len(msg))) {
		return nil, ErrGone
	}
	return msg, nil
}

// ParsePlace reads what stream.PlaceName has written.
func ParsePlace(n int, place string) (log int, at stream.Position, err error) {
	rest := place
	if number, behind, ok := strings.Cut(place, "-"); ok && n > 1 {
		if log, err = strconv.Atoi(number); err != nil || log < 0 || log >= n {
			return 0, at, fmt.Errorf("position %.40q has no partition that is here: %w", place, ErrGone)
		}
		rest = behind
	}
	at, err = stream.ParsePosition(rest)
	return log, at, err
}
