package view

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/cespare/xxhash/v2"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// A view's file is a stream of framed messages: a head, what the view keeps, and an end with a hash of all
// bytes before it. docs/format/series.md has the bytes.
const (
	headType   = "sandbar.view"
	endType    = "sandbar.view.end"
	fileFormat = 1
	// maxFile bounds what is read back; a view's own bounds are far below it.
	maxFile = 512 << 20
)

// ErrDamaged says that a file is not one that Save finished, or not this view's.
var ErrDamaged = errors.New("view file is damaged or belongs to another view")

// Head says what a file belongs to, and how far the view had read.
type Head struct {
	View   string // "series"
	Stream string // "derived"
	Places []Place
}

// Place is how far a view had read the stream of one store.
type Place struct {
	Store    stream.ID // zero in a file from before stores had one
	Position stream.Position
}

// Places are those of logs, read up to at.
func Places(logs []stream.Log, at []stream.Position) []Place {
	places := make([]Place, len(logs))
	for i, log := range logs {
		places[i] = Place{log.Store(), at[i]}
	}
	return places
}

// Save replaces the file in one step. each calls put once for every message to keep.
func Save(path string, h Head, each func(put func(msg []byte))) error {
	if err := save(path, h, each); err != nil {
		return fmt.Errorf("save view %s: %w", h.View, err)
	}
	return nil
}

func save(path string, h Head, each func(put func(msg []byte))) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	err = write(f, h, each)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return syncDir(dir)
}

func write(w io.Writer, h Head, each func(put func(msg []byte))) error {
	hash := xxhash.New()
	buf := bufio.NewWriterSize(io.MultiWriter(w, hash), 1<<16)
	var frame []byte
	put := func(msg []byte) {
		frame = message.AppendFrame(frame[:0], msg)
		buf.Write(frame) // an error stays in buf and is found by Flush
	}

	var b message.Builder
	b.SetHeader(message.Type, headType)
	b.SetHeader(message.Logger, h.View)
	b.AddInt("format", "", fileFormat)
	b.AddString("stream", "", h.Stream)
	var stores, positions []string
	for _, p := range h.Places {
		stores, positions = append(stores, p.Store.String()), append(positions, p.Position.String())
	}
	b.AddString("store", "", stores...)
	b.AddString("position", "", positions...)
	put(b.AppendTo(nil))

	kept := int64(0)
	each(func(msg []byte) { put(msg); kept++ })
	if err := buf.Flush(); err != nil { // so that the hash has seen everything
		return err
	}
	put(end(kept, hash.Sum64()))
	return buf.Flush()
}

// end is the last message of a file that has kept messages and that hash before it.
func end(kept int64, hash uint64) []byte {
	var b message.Builder
	b.SetHeader(message.Type, endType)
	b.AddInt("messages", "count", kept)
	b.AddInt("xxhash64", "", int64(hash))
	return b.AppendTo(nil)
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Open restores a view of logs: it hands the messages that Save kept to take (they share one buffer that nobody
// else holds) and returns the positions from which the view goes on. A file that is missing, damaged, or
// of another store or ahead of its log (which was replaced then) makes the view start anew at the first positions.
func Open(path string, h Head, logs []stream.Log, logger *slog.Logger, take func(msg []byte)) ([]stream.Position, error) {
	places, msgs, err := Load(path, h)
	var from []stream.Position
	if err == nil {
		from, err = positions(logs, places)
	}
	switch {
	case err == nil:
		for _, m := range msgs {
			take(m)
		}
		return from, nil
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, ErrDamaged):
		logger.Warn("a view is made anew from its stream", "view", h.View, "reason", err)
	default:
		return nil, fmt.Errorf("open view %s: %w", h.View, err)
	}
	return positions(logs, nil)
}

// positions finds where to go on in each log: at its place, or at its beginning when it is new.
func positions(logs []stream.Log, places []Place) ([]stream.Position, error) {
	at := make([]stream.Position, len(logs))
	for i, log := range logs {
		at[i] = log.First()
	}
	for _, p := range places {
		i := slices.IndexFunc(logs, func(log stream.Log) bool { return p.Store == log.Store() || p.Store == stream.ID{} })
		switch {
		case i < 0:
			return nil, fmt.Errorf("%w: it is of store %s, which is not here: the streams were replaced", ErrDamaged, p.Store)
		case logs[i].End().Before(p.Position):
			return nil, fmt.Errorf("%w: its position %s is behind the end %s of the stream, which was replaced", ErrDamaged, p.Position, logs[i].End())
		}
		at[i] = p.Position
	}
	return at, nil
}

// Load reads a file back. It is checked as a whole: an error that is ErrDamaged, or all of it.
func Load(path string, want Head) ([]Place, [][]byte, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, nil, err
	}
	places, msgs, err := parse(data, want)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	return places, msgs, nil
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file; move it away", path)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%w: %s has %d bytes, more than any view writes", ErrDamaged, path, info.Size())
	}
	return os.ReadFile(path)
}

func parse(data []byte, want Head) ([]Place, [][]byte, error) {
	var msgs [][]byte
	last := 0 // where the newest frame begins
	for at := 0; at < len(data); {
		msg, n, err := message.ScanFrame(data[at:], message.MaxSize)
		if err != nil {
			return nil, nil, fmt.Errorf("frame at byte %d: %w", at, err)
		}
		msgs, last, at = append(msgs, msg), at, at+n
	}
	if len(msgs) < 2 {
		return nil, nil, errors.New("it has no head and end")
	}
	kept := msgs[1 : len(msgs)-1]
	places, err := parseHead(msgs[0], want)
	if err == nil {
		want := message.AppendFrame(nil, end(int64(len(kept)), xxhash.Sum64(data[:last])))
		if !bytes.Equal(data[last:], want) {
			err = errors.New("its end does not fit the contents, or is missing")
		}
	}
	return places, kept, err
}

func parseHead(msg []byte, want Head) ([]Place, error) {
	var v message.View
	if err := v.Parse(msg); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	kind, _ := v.Header(message.Type)
	name, _ := v.Header(message.Logger)
	if string(kind) != headType || string(name) != want.View || text(&v, "stream") != want.Stream || integer(&v, "format") != fileFormat {
		return nil, fmt.Errorf("the head is %.40q of view %.40q, stream %.40q, format %d; wanted view %q, stream %q, format %d",
			kind, name, text(&v, "stream"), integer(&v, "format"), want.View, want.Stream, fileFormat)
	}
	stores, _ := v.Field("store", 0)
	at, _ := v.Field("position", 0)
	if stores.Len() != at.Len() && (stores.Len() != 0 || at.Len() != 1) {
		return nil, fmt.Errorf("the head has %d stores and %d positions", stores.Len(), at.Len())
	}
	places := make([]Place, at.Len())
	for i := range places {
		b, _ := at.Bytes(i)
		var err error
		if places[i].Position, err = stream.ParsePosition(string(b)); err != nil {
			return nil, err
		}
		if b, ok := stores.Bytes(i); ok && stores.Len() > 0 {
			if places[i].Store, err = stream.ParseID(string(b)); err != nil {
				return nil, err
			}
		}
	}
	return places, nil
}

func text(v *message.View, name string) string {
	f, _ := v.Field(name, 0)
	b, _ := f.Bytes(0)
	return string(b)
}

func integer(v *message.View, name string) int64 {
	f, ok := v.Field(name, 0)
	if !ok {
		return -1
	}
	n, _ := f.Int(0)
	return n
}
