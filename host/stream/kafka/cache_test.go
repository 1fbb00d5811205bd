package kafka

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/stream/kafka/kafkatest"
)

// TestCache: a host that has a partition again reads what was committed since it had it, and no more; a copy of no use costs nothing
// but time.
func TestCache(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
	var out bytes.Buffer
	mine := opt
	mine.Cache, mine.Logger = t.TempDir(), slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	commit := func(s *Store, c *stream.Commit) {
		t.Helper()
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, mine)
	large := bytes.Repeat([]byte("x"), 2*chunkBytes+5)
	for i := range 100 {
		commit(s, &stream.Commit{States: map[string][]byte{"n": fmt.Append(nil, i), "gone": large, "large": large}, Positions: map[string]map[string]stream.Position{fmt.Sprint("r", i%3): {stream.Raw: {}}}})
	}
	s.Close()
	other := open(t, opt) // another host has it for a while
	commit(other, &stream.Commit{States: map[string][]byte{"n": []byte("later"), "gone": nil, "large": large[:chunkBytes/2], "new": []byte("new")}, Forget: []string{"r1"}})
	other.Close()

	read := func() int {
		t.Helper()
		m := regexp.MustCompile(`records=(\d+)`).FindAllStringSubmatch(out.String(), -1)
		n, _ := strconv.Atoi(m[len(m)-1][1])
		return n
	}
	// check opens it and compares it with what is read without a copy.
	check := func(what string, most int) {
		t.Helper()
		whole := open(t, opt)
		want, readers := maps.Clone(whole.states), whole.Readers()
		whole.Close()
		s := open(t, mine)
		if !maps.EqualFunc(s.states, want, bytes.Equal) || fmt.Sprint(s.Readers()) != fmt.Sprint(readers) || s.before != whole.before {
			t.Errorf("%s: states %d, want %d; readers %v, want %v; before %q, want %q", what, len(s.states), len(want), s.Readers(), readers, s.before, whole.before)
		}
		if n := read(); n > most {
			t.Errorf("%s: %d records were read, want at most %d", what, n, most)
		}
		commit(s, &stream.Commit{States: map[string][]byte{"large": nil}}) // and it can be worked with
		s.Close()
	}
	check("a copy", 12)
	path := filepath.Join(mine.Cache, "partition-0")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, damage := range map[string]func() []byte{
		"cut off": func() []byte { return data[:len(data)/2] }, "empty": func() []byte { return nil },
		"changed": func() []byte { d := bytes.Clone(data); d[len(d)/2] ^= 1; return d },
	} {
		if err := os.WriteFile(path, damage(), 0o600); err != nil {
			t.Fatal(err)
		}
		check(what, 1000)
	}
	mine.Now = func() time.Time { return time.Now().Add(13 * time.Hour) }
	check("an old one", 1000)
	if n := read(); n < 100 {
		t.Errorf("of an old copy only %d records were read", n)
	}
	mine.Now = time.Now
	check("one from the future", 1000)
	check("a fresh one", 12)

	// What cannot be opened leaves no copy behind.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s = open(t, opt)
	if err := s.cluster.appends.ProduceSync(t.Context(), s.changelogRecord("something", []byte("odd"))).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(t.Context(), mine, 0); err == nil {
		t.Error("a changelog with an odd key was opened")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it left a copy")
	}

	// The same folder with other topics.
	elsewhere := optionsOf(t, opt.Brokers)
	elsewhere.Cache = mine.Cache
	s = open(t, elsewhere)
	defer s.Close()
	if len(s.states) != 0 {
		t.Errorf("new topics begin with %d states", len(s.states))
	}
}

// TestCacheOfKilled: the copy of a process that was killed is from some commits ago.
func TestCacheOfKilled(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, kafkatest.Fake(t).ListenAddrs())
	opt.Cache = t.TempDir()
	now := time.Now()
	opt.Now = func() time.Time { return now }
	s := open(t, opt)
	for i := range 10 {
		now = now.Add(2 * time.Minute)
		if err := s.Commit(t.Context(), work(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(opt.Cache, "partition-0")); err != nil {
		t.Errorf("after 20 minutes there is no copy: %v", err)
	}
	next := open(t, opt) // while the one before has not closed
	defer next.Close()
	defer s.Close()
	if state, err := next.State(t.Context(), "n"); err != nil || string(state) != "9" {
		t.Errorf("the state is %q, %v", state, err)
	}
}

func FuzzCache(f *testing.F) {
	f.Add([]byte{})
	f.Add(append([]byte("no copy"), hashOf([]byte("no copy"))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		decodeCache(data)
		decodeCache(append(data, hashOf(data)...)) // as if the hash were right
	})
}
