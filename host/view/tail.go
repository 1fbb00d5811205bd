package view

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sandbar/host/stream"
)

// Tail finds the position before the newest n messages of a log. It looks no further back than log.Earlier: when there are
// fewer messages behind it, it is the place where they begin. While the store does not give what it has it waits, until ctx ends.
func Tail(ctx context.Context, log stream.Log, n int) (stream.Position, error) {
	end := log.End()
	from := log.Earlier(end)
	reader, err := openReader(ctx, log, from)
	if err != nil {
		return stream.Position{}, err
	}
	defer reader.Close()

	// befores is a ring of the positions before the newest messages read so far.
	befores := make([]stream.Position, max(n, 1))
	read, before := 0, reader.Position()
	var batch stream.Batch
	for before.Before(end) {
		err := reader.Read(&batch, batchBytes)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, stream.ErrUnavailable) && ctx.Err() == nil { // after a pause
			continue
		}
		if err != nil {
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
