package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"sandbar/host/clock"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox/message"
)

type replayCmd struct {
	Data string   `default:"sandbar-data" placeholder:"DIR" help:"Data directory of a host that does not run now."`
	File []string `arg:"" type:"existingfile" help:"Landfill files, .heka.zst."`
}

// replayBatch is how many bytes become durable together.
const replayBatch = 4 << 20

// Run appends the messages of the files to stream raw, where the host finds them at its next start.
func (c *replayCmd) Run(ctx context.Context, con console) (err error) {
	store, err := disk.Open(filepath.Join(c.Data, "streams"), disk.Options{Now: clock.Now})
	if errors.Is(err, disk.ErrLocked) {
		return fmt.Errorf("%w; stop the host first, it decodes what was replayed when it starts", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	bar := newProgress(con.err, "replay")
	src := &files{names: c.File, max: message.MaxSize}
	defer func() { err = errors.Join(err, src.Close()) }()
	var batch [][]byte
	bytes, n, left := 0, 0, 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := store.Log(stream.Raw).Append(ctx, batch...)
		n += len(batch)
		batch, bytes = nil, 0
		bar.show("%d messages", n)
		return err
	}
	var v message.View
	for {
		msg, err := src.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if v.Parse(msg) != nil || v.Whole() != nil {
			left++
			continue
		}
		batch = append(batch, append([]byte(nil), msg...))
		if bytes += len(msg); bytes >= replayBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	bar.done()
	fmt.Fprintf(con.out, "%d messages were appended to raw, %d frames hold no message, %d bytes are no frame\n", n, left, src.skipped)
	return nil
}
