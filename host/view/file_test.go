package view_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/message"
)

var update = flag.Bool("update", false, "rewrite the fixtures in testdata")

func text(payload string) []byte {
	var b message.Builder
	b.SetTimestamp(1)
	b.SetHeader(message.Payload, payload)
	return b.AppendTo(nil)
}

// load reads a file that has one place.
func load(path string, h view.Head) (at stream.Position, msgs [][]byte, err error) {
	places, msgs, err := view.Load(path, h)
	if len(places) == 1 {
		at = places[0].Position
	} else if err == nil {
		err = fmt.Errorf("it has %d places", len(places))
	}
	return at, msgs, err
}

func head(at stream.Position) view.Head {
	return view.Head{View: "series", Stream: stream.Derived, Places: []view.Place{{Position: at}}}
}

func save(t testing.TB, path string, at stream.Position, payloads ...string) {
	t.Helper()
	err := view.Save(path, head(at), func(put func([]byte)) {
		for _, p := range payloads {
			put(text(p))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func payload(msg []byte) string {
	var v message.View
	if v.Parse(msg) != nil {
		return "?"
	}
	p, _ := v.Header(message.Payload)
	return string(p)
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "views", "series")
	at := stream.Position{Segment: 3, Offset: 4711}
	for _, want := range [][]string{{}, {"a", "", "b"}, {"newer"}} {
		save(t, path, at, want...)
		got, msgs, err := load(path, head(stream.Position{}))
		if err != nil || got != at || len(msgs) != len(want) {
			t.Fatalf("loaded %d messages at %s, %v", len(msgs), got, err)
		}
		for i, m := range msgs {
			if payload(m) != want[i] {
				t.Errorf("message %d is %q", i, m)
			}
		}
	}
	if left, _ := filepath.Glob(path + ".*"); left != nil {
		t.Errorf("left over: %v", left)
	}
}

func TestSaveKeepsTheOldFileWhenItFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "series")
	save(t, path, stream.Position{}, "old")
	if err := os.Mkdir(path+".tmp", 0o755); err != nil { // what is in the way
		t.Fatal(err)
	}
	err := view.Save(path, head(stream.Position{}), func(put func([]byte)) { put(text("new")) })
	if err == nil || !strings.Contains(err.Error(), "series") {
		t.Fatalf("error is %v", err)
	}
	if _, msgs, err := load(path, head(stream.Position{})); err != nil || payload(msgs[0]) != "old" {
		t.Error("the old file is gone", err)
	}
}

// Every shorter file and every flipped bit is found.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	save(t, whole, stream.Position{Segment: 1, Offset: 2}, "one", "two")
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "damaged")
	check := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := load(path, head(stream.Position{})); !errors.Is(err, view.ErrDamaged) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for n := range data {
		check(fmt.Sprintf("cut to %d of %d bytes", n, len(data)), data[:n])
		flipped := bytes.Clone(data)
		flipped[n] ^= 4
		check(fmt.Sprintf("bit flipped in byte %d", n), flipped)
	}
	check("twice", append(bytes.Clone(data), data...))

	for _, h := range []view.Head{{View: "alert", Stream: stream.Derived}, {View: "series", Stream: stream.Errors}} {
		if _, _, err := load(whole, h); !errors.Is(err, view.ErrDamaged) {
			t.Errorf("a file of another view was taken: %v", err)
		}
	}
	if _, _, err := load(filepath.Join(dir, "missing"), head(stream.Position{})); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file is %v", err)
	}
	if _, _, err := load(dir, head(stream.Position{})); err == nil || errors.Is(err, view.ErrDamaged) {
		t.Errorf("a folder is %v", err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	log := viewtest.New(2)
	log.Put(text("0"), text("1"), text("2"), text("3"))
	log.Drop(1)
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		at   stream.Position
		n    int
		warn string
	}{
		{"missing", func(*testing.T, string) {}, log.First(), 0, ""},
		{"whole", func(t *testing.T, path string) { save(t, path, log.End(), "a") }, log.End(), 1, ""},
		{"damaged", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("nothing"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, log.First(), 0, "damaged"},
		{"ahead of the stream", func(t *testing.T, path string) { save(t, path, stream.Position{Segment: 99}, "a") }, log.First(), 0, "replaced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "series")
			c.make(t, path)
			var out bytes.Buffer
			n := 0
			at, err := view.Open(path, head(stream.Position{}), []stream.Log{log}, slog.New(slog.NewTextHandler(&out, nil)), func([]byte) { n++ })
			if err != nil || len(at) != 1 || at[0] != c.at || n != c.n {
				t.Errorf("opened with %d messages at %s, %v; want %d at %s", n, at, err, c.n, c.at)
			}
			if got := out.String(); (got != "") != (c.warn != "") || !strings.Contains(got, c.warn) {
				t.Errorf("logged %q", got)
			}
		})
	}
}

// A file that an older version of this program wrote.
func TestFixture(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "series.v1")
	if *update {
		save(t, path, stream.Position{Segment: 7, Offset: 65_536}, "first", "second")
	}
	at, msgs, err := load(path, head(stream.Position{}))
	if err != nil || at != (stream.Position{Segment: 7, Offset: 65_536}) || len(msgs) != 2 || payload(msgs[1]) != "second" {
		t.Errorf("loaded %d messages at %s, %v", len(msgs), at, err)
	}
}

func FuzzLoad(f *testing.F) {
	path := filepath.Join(f.TempDir(), "series")
	save(f, path, stream.Position{Segment: 1}, "a", "b")
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "series")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		at, msgs, err := load(path, head(stream.Position{}))
		if err != nil {
			if !errors.Is(err, view.ErrDamaged) || len(msgs) > 0 {
				t.Fatalf("%d messages with %v", len(msgs), err)
			}
			return
		}
		again := path + "2"
		err = view.Save(again, head(at), func(put func([]byte)) {
			for _, m := range msgs {
				put(m)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if at2, msgs2, err := load(again, head(at)); err != nil || at2 != at || len(msgs2) != len(msgs) {
			t.Fatal("what was loaded cannot be saved", err)
		}
	})
}
