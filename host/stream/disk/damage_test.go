package disk_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox/message"
)

func frame(msg string) string { return string(message.AppendFrame(nil, []byte(msg))) }

// What a crash can leave at the end of raw is cut off; what was whole before stays.
func TestRawIsCutAtItsLastWholeFrame(t *testing.T) {
	t.Parallel()
	whole := frame("one") + frame("two")
	tails := map[string]string{
		"nothing":               "",
		"a byte":                "\x1e",
		"half a header":         frame("three")[:3],
		"a header":              frame("three")[:5],
		"half a message":        frame("three")[:7],
		"zeros":                 strings.Repeat("\x00", 5000),
		"no frame":              "something else",
		"a message with frames": frame(strings.Repeat("x", 50) + frame("forged") + strings.Repeat("x", 50))[:100],
		"a huge length":         "\x1e\x06\x08\xff\xff\xff\xff\x07\x1f",
	}
	for name, tail := range tails {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := raw(t, disk.Options{}, "one", "two")
			edit(t, func(b []byte) []byte { return append(b, tail...) }, dir, "raw", "0.log")
			var said strings.Builder
			s := open(t, dir, disk.Options{Logger: logged(&said)})
			if got := readAll(t, s.Log(stream.Raw), stream.Position{}); got != "one two" {
				t.Errorf("raw is %q", got)
			}
			if cut := strings.Contains(said.String(), "cut"); cut != (tail != "") {
				t.Errorf("the log says %q", &said)
			}
			appendRaw(t, s, "three")
			closeStore(t, s)
			got, err := os.ReadFile(filepath.Join(dir, "raw", "0.log"))
			if err != nil || string(got) != whole+frame("three") {
				t.Errorf("the file is %q, %v", got, err)
			}
		})
	}
}

// Damage inside costs the frames that it lies in, not those behind, and the bytes are counted.
func TestDamageIsSteppedOver(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		content string
		want    string
		skipped int
	}{
		{"between frames", frame("one") + "junk" + frame("two"), "one two", 4},
		{"at the start", "junk" + frame("one"), "one", 4},
		{"everywhere", "\x1e" + frame("one") + "\x1e\x02" + frame("two") + "\x1e\x02\x08" + frame("three"), "one two three", 6},
		{"a header", frame("one") + "\x00" + frame("two")[1:] + frame("three"), "one three", 8},
		{"a length", frame("one") + "\x1e\x02\x08\x7f\x1ftwo" + frame("three"), "one three", 8},
		{"a length of zero", frame("one") + "\x1e\x02\x08\x00\x1f" + frame("three"), "one three", 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := raw(t, disk.Options{SegmentSize: 1}, "x", "last")
			edit(t, func([]byte) []byte { return []byte(test.content) }, dir, "raw", "0.log")
			s := open(t, dir, disk.Options{})
			defer closeStore(t, s)
			l := s.Log(stream.Raw)
			if got := readAll(t, l, stream.Position{}); got != test.want+" last" {
				t.Errorf("raw is %q, want %q", got, test.want+" last")
			}
			if got := l.Stats().Skipped; got != int64(test.skipped) {
				t.Errorf("%d bytes were skipped, want %d", got, test.skipped)
			}
		})
	}
}

// Wherever a reader begins, it finds the next message.
func TestReadFromTheMiddleOfAMessage(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), disk.Options{})
	defer closeStore(t, s)
	appendRaw(t, s, "one", "two", "three")
	for offset := range int64(8) {
		want := "two three"
		if offset == 0 {
			want = "one two three"
		}
		if got := readAll(t, s.Log(stream.Raw), stream.Position{Offset: offset}); got != want {
			t.Errorf("from %d: %q, want %q", offset, got, want)
		}
	}
}

// Random damage to the newest segment, anywhere: opening never fails, and no frame that the damage leaves
// whole is lost unless it lies behind a header whose length the damage has changed.
func TestRandomDamage(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		dir := t.TempDir()
		var content []byte
		var ends []int
		for i := range 40 {
			content = message.AppendFrame(content, bytes.Repeat([]byte{byte('A' + i)}, 1+rnd.IntN(60)))
			ends = append(ends, len(content))
		}
		at, n := rnd.IntN(len(content)), 1+rnd.IntN(20)
		damaged := slices.Clone(content)
		for i := at; i < min(at+n, len(content)); i++ {
			damaged[i] = 0x55 // begins no frame and is no length
		}
		if err := os.MkdirAll(filepath.Join(dir, "raw"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "raw", "0.log"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, disk.Options{})
		got := readAll(t, s.Log(stream.Raw), stream.Position{})
		closeStore(t, s)
		for i, end := range ends {
			start := 0
			if i > 0 {
				start = ends[i-1]
			}
			letter := string(rune('A' + i))
			if untouched := end <= at || start >= at+n; untouched && !strings.Contains(got, letter) && lengthKept(content, damaged) {
				t.Fatalf("message %q at %d-%d was lost to damage at %d-%d", letter, start, end, at, at+n)
			}
		}
	}
}

// lengthKept reports whether no byte of a length was changed, the only damage that can hide good frames.
func lengthKept(content, damaged []byte) bool {
	for at := 0; at < len(content); {
		_, n, _ := message.ScanFrame(content[at:], message.MaxSize)
		if content[at+3] != damaged[at+3] {
			return false
		}
		at += n
	}
	return true
}

func FuzzRecovery(f *testing.F) {
	f.Add([]byte(frame("one") + frame("two")))
	f.Add([]byte(frame("one") + "\x1e\x02\x08\x7f\x1ftwo"))
	f.Add([]byte("\x1e\x06\x08\xff\xff\xff\xff\x07\x1f"))
	f.Add([]byte(strings.Repeat("\x1e", 50)))
	f.Add([]byte(frame(" begins with a space")))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "raw"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "raw", "0.log"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, disk.Options{})
		before := readAll(t, s.Log(stream.Raw), stream.Position{})
		appendRaw(t, s, "appended")
		closeStore(t, s)
		s = open(t, dir, disk.Options{})
		defer closeStore(t, s)
		want := before + " appended"
		if before == "" { // there was none
			want = "appended"
		}
		if got := readAll(t, s.Log(stream.Raw), stream.Position{}); got != want {
			t.Errorf("before: %q; after an append and a restart: %q", before, got)
		}
	})
}

// Without its checkpoint, or with a damaged one, nothing is guessed and nothing is cut.
func TestCheckpointMissingOrDamaged(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, name string){
		"missing": func(t *testing.T, name string) {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		},
		"empty":   func(t *testing.T, name string) { edit(t, func([]byte) []byte { return nil }, name) },
		"cut off": func(t *testing.T, name string) { edit(t, func(b []byte) []byte { return b[:len(b)-1] }, name) },
		"a bit":   func(t *testing.T, name string) { edit(t, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, name) },
		"newer": func(t *testing.T, name string) {
			edit(t, func(b []byte) []byte { return bytes.Replace(b, []byte("checkpoint 2\n"), []byte("checkpoint 9\n"), 1) }, name)
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir, disk.Options{})
			commitValid(t, s, "one")
			closeStore(t, s)
			file := filepath.Join(dir, "checkpoint")
			good, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			spoil(t, file)
			if s, err := disk.Open(dir, disk.Options{}); err == nil {
				s.Close()
				t.Fatal("the store opened")
			} else if !strings.Contains(err.Error(), "checkpoint") || !strings.Contains(err.Error(), dir) {
				t.Errorf("error is %v", err)
			}
			if err := os.WriteFile(file, good, 0o600); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, disk.Options{})
			defer closeStore(t, s)
			if got := readAll(t, s.Log(stream.Valid), stream.Position{}); got != "one" {
				t.Errorf("with the checkpoint back, valid is %q", got)
			}
		})
	}
}

func commitValid(t *testing.T, s *disk.Store, msg string) {
	t.Helper()
	err := s.Commit(t.Context(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: {[]byte(msg)}}})
	if err != nil {
		t.Fatal(err)
	}
}

// When data is gone that was durable, it is said, the rest is kept, and no position is given away twice.
func TestLostSegments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, disk.Options{SegmentSize: 1})
	end := appendRaw(t, s, "a", "b", "c")
	commitValid(t, s, "a")
	commitValid(t, s, "b")
	err := s.Commit(t.Context(), &stream.Commit{Positions: map[string]map[string]stream.Position{"r": {stream.Raw: end, stream.Valid: s.Log(stream.Valid).End()}}})
	if err != nil {
		t.Fatal(err)
	}
	validEnd := s.Log(stream.Valid).End()
	closeStore(t, s)
	for _, name := range []string{"raw/2.log", "raw/1.log", "valid/1.log"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	var said strings.Builder
	s = open(t, dir, disk.Options{SegmentSize: 1, Logger: logged(&said)})
	defer closeStore(t, s)
	if strings.Count(said.String(), "gone") != 2 {
		t.Errorf("the log says %q", &said)
	}
	if next := appendRaw(t, s, "d"); !end.Before(next) {
		t.Errorf("after %s came %s", end, next)
	}
	commitValid(t, s, "d")
	if next := s.Log(stream.Valid).End(); !validEnd.Before(next) {
		t.Errorf("after %s came %s", validEnd, next)
	}
	for name, from := range map[string]stream.Position{stream.Raw: end, stream.Valid: validEnd} {
		if got := readAll(t, s.Log(name), from); got != "d" {
			t.Errorf("%s after what was lost is %q", name, got)
		}
		if got := readAll(t, s.Log(name), stream.Position{}); got != "a d" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// A state that is damaged is an error, not something else.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(b []byte) []byte{
		"a bit":   func(b []byte) []byte { b[3] ^= 1; return b },
		"cut off": func(b []byte) []byte { return b[:4] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir, disk.Options{})
			if err := s.Commit(t.Context(), &stream.Commit{States: map[string][]byte{"p": []byte("state")}}); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			edit(t, spoil, dir, "states", "0")
			s = open(t, dir, disk.Options{})
			defer closeStore(t, s)
			if b, err := s.State(t.Context(), "p"); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "states", "0")) {
				t.Errorf("state is %q, %v", b, err)
			}
			if err := s.Commit(t.Context(), &stream.Commit{States: map[string][]byte{"p": []byte("new"), "q": []byte("x")}}); err != nil {
				t.Fatal(err)
			}
			if b, err := s.State(t.Context(), "p"); err != nil || string(b) != "new" {
				t.Errorf("replaced state is %q, %v", b, err)
			}
		})
	}
}
