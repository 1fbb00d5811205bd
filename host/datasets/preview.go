package datasets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"sandbar/host/bucket"
	"sandbar/sandbox/message"
)

// MostRows is how many rows a preview has at most.
const MostRows = 100

// Preview is the first rows of the newest file.
type Preview struct {
	File     string            `json:"file"`
	Columns  []Column          `json:"columns,omitempty"`  // of Parquet
	Rows     [][]any           `json:"rows,omitempty"`     // a value for each column
	Messages []json.RawMessage `json:"messages,omitempty"` // of Heka
}

// Preview returns the first n rows of the newest file of a dataset, or of one of its partitions.
func (v *View) Preview(ctx context.Context, name string, partition *string, n int) (p Preview, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	list, err := v.files(ctx, name, partition)
	if err != nil {
		return p, err
	}
	newest := list[0]
	for _, info := range list {
		if info.Modified.After(newest.Modified) {
			newest = info
		}
	}
	p.File = newest.Key
	n = min(n, MostRows)
	if formatOf(newest.Key) == parquetFormat {
		p.Columns, p.Rows, err = v.rowsOf(ctx, newest, n)
	} else {
		p.Messages, err = v.messagesOf(ctx, newest, n)
	}
	if err != nil {
		return p, fmt.Errorf("look into %s: %w", newest.Key, err)
	}
	return p, nil
}

// each hands the messages of a Heka file to f until it says that it has enough.
func (v *View) each(ctx context.Context, info bucket.Info, f func(msg []byte) bool) error {
	r, err := v.bucket.Open(ctx, info.Key)
	if err != nil {
		return err
	}
	defer r.Close()
	var from io.Reader = r
	if strings.HasSuffix(info.Key, ".zst") {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return err
		}
		defer z.Close()
		from = z
	}
	frames := message.NewReader(io.LimitReader(from, mostHeka), message.MaxSize)
	for ctx.Err() == nil {
		msg, err := frames.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !f(msg) {
			return nil
		}
	}
	return ctx.Err()
}

// messages counts those of a Heka file.
func (v *View) messages(ctx context.Context, info bucket.Info) (n int64, err error) {
	if info.Size > mostHeka {
		return 0, errors.New("it is too large to be counted")
	}
	err = v.each(ctx, info, func([]byte) bool {
		n++
		return true
	})
	return n, err
}

// messagesOf are the first of a Heka file, as JSON.
func (v *View) messagesOf(ctx context.Context, info bucket.Info, n int) (list []json.RawMessage, err error) {
	var m message.View
	list = []json.RawMessage{}
	err = v.each(ctx, info, func(msg []byte) bool {
		if len(list) >= n {
			return false
		}
		if m.Parse(msg) == nil {
			text, _ := message.JSON{MaxText: mostText, MaxBytes: 16 << 10}.Append(nil, &m)
			list = append(list, text)
		}
		return len(list) < n
	})
	return list, err
}
