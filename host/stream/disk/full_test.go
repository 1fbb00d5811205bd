package disk_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/disk/faultfs"
)

// The disk runs full: raw refuses, nothing half-written stays, and it goes on when there is room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	fs := faultfs.New(1)
	s := open(t, "/streams", disk.Options{FS: fs, MinFree: -1, SegmentSize: 1000})
	defer closeStore(t, s)
	fs.SetRoom(10_000)
	msg := strings.Repeat("x", 300)
	var want []string
	for {
		if _, err := s.Log(stream.Raw).Append(t.Context(), []byte(msg)); err != nil {
			if !errors.Is(err, stream.ErrFull) {
				t.Fatalf("a full disk is %v", err)
			}
			break
		}
		want = append(want, msg)
	}
	if len(want) < 30 {
		t.Fatalf("only %d appends went in", len(want))
	}
	if err := s.Commit(t.Context(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: {bytes.Repeat([]byte("y"), 900)}}}); !errors.Is(err, stream.ErrFull) {
		t.Fatalf("a commit on a full disk is %v", err)
	}
	fs.SetRoom(20_000)
	appendRaw(t, s, msg)
	commitValid(t, s, "y")
	want = append(want, msg)
	if got := readAll(t, s.Log(stream.Raw), stream.Position{}); got != strings.Join(want, " ") {
		t.Errorf("raw has %d bytes, want %d", len(got), len(strings.Join(want, " ")))
	}
	if got := readAll(t, s.Log(stream.Valid), stream.Position{}); got != "y" || s.Log(stream.Raw).Stats().Skipped > 0 {
		t.Errorf("valid is %.20q, stats of raw are %+v", got, s.Log(stream.Raw).Stats())
	}
}

// Before the disk is full the door closes, then the plugins stop, and positions can move until the end, so
// that trimming makes room.
func TestMinFree(t *testing.T) {
	t.Parallel()
	const room = 1 << 30
	fs := faultfs.New(1)
	s := open(t, "/streams", disk.Options{FS: fs, MinFree: 100_000})
	defer closeStore(t, s)
	write := &stream.Commit{Appends: map[string][][]byte{stream.Valid: {[]byte("v")}}}
	move := &stream.Commit{Positions: map[string]map[string]stream.Position{"r": {stream.Raw: {}}}, States: map[string][]byte{"r": []byte("x")}}
	for _, step := range []struct {
		free                  int64
		appends, writes, move bool
	}{
		{room, true, true, true},
		{99_000, false, true, true},
		{20_000, false, false, true},
		{0, false, false, false}, // now it is the disk that says no
		{20_000, false, false, true},
		{99_000, false, true, true},
		{room, true, true, true},
	} {
		fs.SetRoom(room)
		free, err := fs.Free("/")
		if err != nil {
			t.Fatal(err)
		}
		fs.SetRoom(room - free + step.free)
		_, err = s.Log(stream.Raw).Append(t.Context(), []byte("m"))
		check := func(what string, err error, want bool) {
			if want && err != nil || !want && !errors.Is(err, stream.ErrFull) {
				t.Errorf("with %d bytes free, %s is %v", step.free, what, err)
			}
		}
		check("append", err, step.appends)
		check("a commit with messages", s.Commit(t.Context(), write), step.writes)
		check("a commit of positions", s.Commit(t.Context(), move), step.move)
	}
}
