package runner_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// TestWrongLengthCostsOneMessage: a header on disk that announces too much makes plugins lose its message, and none of those
// that it covers.
func TestWrongLengthCostsOneMessage(t *testing.T) {
	t.Parallel()
	for _, more := range []byte{1, 7, 30, 90} {
		dir := t.TempDir()
		b := newBench(t, dir)
		for n := range int64(20) {
			b.feed(stream.Valid, numbered("x", n))
		}
		b.shut()
		files, err := filepath.Glob(filepath.Join(dir, "valid", "*.log"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		frame := message.AppendFrame(nil, numbered("x", 5))
		at := bytes.Index(data, frame)
		data[at+3] += more // the length, one byte long
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		b = newBench(t, dir)
		var got []int64
		b.start(config(sandbox.Analysis, "a", "TRUE"), runner.Oldest, note(b, &got))
		b.begin()
		b.awaitRead()
		b.close()
		for n := range int64(20) {
			if n != 5 && !slices.Contains(got, n) {
				t.Errorf("%d more announced: message %d is lost, seen %v", more, n, got)
			}
		}
	}
}

// TestFramesWithoutAMessage: plugins get no message that lacks what Hindsight wants of each, and all of those around.
func TestFramesWithoutAMessage(t *testing.T) {
	t.Parallel()
	uuid := func(size int) []byte { return append([]byte{1<<3 | 2, byte(size)}, bytes.Repeat([]byte{1}, size)...) }
	timestamp, kind := []byte{2 << 3, 5}, []byte{3<<3 | 2, 1, 'x'}
	b := newBench(t, t.TempDir())
	b.feed(stream.Valid, numbered("x", 1), bytes.Repeat([]byte{'x'}, 40), numbered("x", 2), slices.Concat(uuid(16), kind),
		slices.Concat(timestamp, kind), slices.Concat(uuid(15), timestamp, kind), numbered("x", 3))
	var got []int64
	b.start(config(sandbox.Analysis, "a", "TRUE"), runner.Oldest, note(b, &got))
	b.begin()
	b.awaitRead()
	if n := b.run.Damaged(); n != 4 || !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("%d frames hold no message, plugins got %v", n, got)
	}
	b.close()
}
