package view

import (
	"errors"
	"fmt"
	"io"

	"sandbar/host/stream"
)

// Tail finds the position before the newest n messages of a log. It looks no further back than log.Earlier: when there are
// fewer messages behind it, it is the place where they begin.
func Tail(log stream.Log, n int) (stream.Position, error) {
	end := log.End()
	from := log.Earlier(end)
	reader, err := log.NewReader(from)
	if err != nil {
		return stream.Position{}, fmt.Errorf("open a reader at %s: %w", from, err)
	}
	defer reader.Close()

	// befores is a ring of the positions before the newest messages read so far.
	befores := make([]stream.Position, max(n, 1))
	read, before := 0, reader.Position()
	var batch stream.Batch
	for before.Before(end) {
		if err := reader.Read(&batch, batchBytes); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return stream.Position{}, fmt.Errorf("read at %s: %w", before, err)
		}
		for _, after := range batch.Ends {
			befores[read%len(befores)] = before
			read++
			before = after
		}
	}
	if read == 0 || n <= 0 {
		return before, nil
	}
	return befores[max(read-len(befores), 0)%len(befores)], nil
}
