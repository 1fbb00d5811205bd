package disk_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sandbar/host/stream"
	"sandbar/host/stream/disk"
)

// childDir is the environment variable that makes the test binary the process that is killed.
const childDir = "SANDBAR_STREAM_TEST_DIR"

const writers = 4

// child appends from several goroutines and moves raw to valid in commits, for ever, and prints what was
// acknowledged: "a WRITER NUMBER" for an append.
func child(dir string) int {
	s, err := disk.Open(dir, disk.Options{SegmentSize: 64 << 10, MinFree: -1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	next := make([]int, writers)
	for _, m := range strings.Fields(os.Getenv(childDir + "_NEXT")) {
		var w, n int
		fmt.Sscanf(m, "%d/%d", &w, &n)
		next[w] = n
	}
	failed := make(chan error)
	for w := range writers {
		go func() {
			for n := next[w]; ; n++ {
				m := fmt.Appendf(nil, "%d/%d/%s", w, n, strings.Repeat("x", n*31%4000))
				if _, err := s.Log(stream.Raw).Append(context.Background(), m); err != nil {
					failed <- err
					return
				}
				os.Stdout.WriteString(fmt.Sprintf("a %d %d\n", w, n)) // one write call each
			}
		}()
	}
	go func() { failed <- decode(s) }()
	fmt.Fprintln(os.Stderr, <-failed)
	return 1
}

// decode moves messages from raw to valid, with how many as its state.
func decode(s *disk.Store) error {
	count := 0
	if b, err := s.State(context.Background(), "decoder"); err != nil {
		return err
	} else if b != nil {
		count, _ = strconv.Atoi(string(b))
	}
	raw := s.Log(stream.Raw)
	r, err := raw.NewReader(s.Readers()["decoder"][stream.Raw])
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if err := r.Wait(context.Background()); err != nil {
			return err
		}
		var b stream.Batch
		if err := r.Read(&b, 20_000); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return err
		}
		count += len(b.Messages)
		err := s.Commit(context.Background(), &stream.Commit{
			Appends:   map[string][][]byte{stream.Valid: b.Messages},
			Positions: map[string]map[string]stream.Position{"decoder": {stream.Raw: r.Position()}},
			States:    map[string][]byte{"decoder": []byte(strconv.Itoa(count))},
		})
		if err != nil {
			return err
		}
		if _, err := s.Log(stream.Raw).Trim(context.Background(), 1<<20, -1); err != nil {
			return err
		}
	}
}

// A process is killed 20 times while it writes. Whatever it acknowledged is in raw or was decoded from it,
// once and in order, and valid is exactly what the decoder's position and state say.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(5, 6))
	acked := make([]int, writers) // one past the highest number that was acknowledged
	seen := make([]int, writers)  // one past the highest number that is in the streams
	for range 20 {
		killOne(t, dir, seen, acked, 50+rnd.IntN(400))
		verifyKilled(t, dir, seen, acked)
	}
}

// killOne runs the child until it has acknowledged so many appends and kills it.
func killOne(t *testing.T, dir string, next, acked []int, acks int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	var start []string
	for w, n := range next {
		start = append(start, fmt.Sprintf("%d/%d", w, n))
	}
	cmd.Env = append(os.Environ(), childDir+"="+dir, childDir+"_NEXT="+strings.Join(start, " "))
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { cmd.Process.Kill() })
	defer kill()
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ { // also what was in the pipe when it died
		var w, number int
		if _, err := fmt.Sscanf(lines.Text(), "a %d %d", &w, &number); err == nil {
			acked[w] = number + 1
		}
		if n == acks {
			kill()
		}
	}
	cmd.Wait()
	if said.Len() > 0 {
		t.Fatalf("the child says: %s", &said)
	}
}

func verifyKilled(t *testing.T, dir string, seen, acked []int) {
	t.Helper()
	s := open(t, dir, disk.Options{SegmentSize: 64 << 10})
	defer closeStore(t, s)
	decoded := s.Readers()["decoder"][stream.Raw]
	valid := strings.Fields(readAll(t, s.Log(stream.Valid), stream.Position{}))
	rest := strings.Fields(readAll(t, s.Log(stream.Raw), decoded))
	state, err := s.State(t.Context(), "decoder")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := strconv.Atoi(string(state)); n != len(valid) {
		t.Fatalf("the decoder's state says %d, and valid has %d messages", n, len(valid))
	}
	next := make([]int, writers)
	for _, m := range append(valid, rest...) {
		var w, n int
		var body string
		fmt.Sscanf(m, "%d/%d/%s", &w, &n, &body)
		if n != next[w] || len(body) != n*31%4000 {
			t.Fatalf("of writer %d came %d with %d bytes, not %d", w, n, len(body), next[w])
		}
		next[w]++
	}
	for w := range writers {
		if next[w] < acked[w] {
			t.Fatalf("writer %d was told of %d messages, and %d are there", w, acked[w], next[w])
		}
	}
	copy(seen, next)
}
