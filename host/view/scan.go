package view

import (
	"context"
	"errors"
	"io"

	"sandbar/host/stream"
)

const scanBytes = 1 << 20 // read at once

// Scan hands over the messages between two positions of a log with their places, until each returns false or ctx ends, which is no error.
// What cannot be read now is waited for; what was trimmed away meanwhile is left out. A message is valid until each returns.
func Scan(ctx context.Context, log stream.Log, from, to stream.Position, each func(at stream.Position, msg []byte) bool) error {
	r, err := log.NewReader(from)
	if err != nil {
		return err
	}
	defer r.Close()
	var b stream.Batch
	for at := r.Position(); at.Before(to) && ctx.Err() == nil; at = r.Position() {
		switch err := r.Read(&b, scanBytes); {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, stream.ErrUnavailable), errors.Is(err, stream.ErrTrimmed):
			continue
		case err != nil:
			return err
		}
		for i, msg := range b.Messages {
			if !at.Before(to) || !each(at, msg) {
				return nil
			}
			at = b.Ends[i]
		}
	}
	return nil
}
