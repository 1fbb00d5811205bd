package std

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yuin/gopher-lua/parse"

	"sandbar/sandbox/lua/vm"
)

// TestImageOfScripts: every script of the corpus does the same when it is stopped between its statements, at random, and goes on from an image.
func TestImageOfScripts(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	stops, tried := 0, 0
	all := corpus(t)
	for i, s := range all {
		source, ok := paused(s.source)
		if !ok {
			continue
		}
		tried++
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		never, now := newStopped(t, source), newStopped(t, source)
		for n := range 1000 {
			if random.IntN(3) == 0 {
				image, err := now.L.Image(8<<20, nothingKept())
				if err != nil {
					t.Fatalf("%s, step %d: %v", s.name, n, err)
				}
				other := newStopped(t, source)
				*other.random = *now.random
				if err := other.L.SetImage(image, nothingKept()); err != nil {
					t.Fatalf("%s, step %d: %v", s.name, n, err)
				}
				now = other
				stops++
			}
			want, got := never.step(), now.step()
			if got != want {
				t.Errorf("%s, step %d: it says\n%s\nand without a stop\n%s", s.name, n, got, want)
				break
			}
			if strings.Contains(want, "dead coroutine") {
				break
			}
		}
	}
	t.Logf("%d of %d scripts, %d stops", tried, len(all), stops)
	if tried < 380 {
		t.Errorf("only %d of %d scripts can be stopped", tried, len(all))
	}
}

// paused is a script as a coroutine that rests before each statement of its own that begins a line. ok is false for one that does not compile so.
func paused(script string) (source string, ok bool) {
	chunk, err := parse.Parse(strings.NewReader(script), "x")
	if err != nil {
		return "", false
	}
	lines := strings.Split(script, "\n")
	last := 0
	for _, s := range chunk {
		if at := s.Line() - 1; at > last && at < len(lines) {
			lines[at] = "__rest() " + lines[at]
		}
		last = max(last, s.Line()-1, s.LastLine()-1)
	}
	source = "local __rest = coroutine.yield local __script = coroutine.wrap(function(...) " + strings.Join(lines, "\n") + "\nend) function step() return __script() end"
	_, err = vm.New(vm.Options{}).Load("x.lua", []byte(source))
	return source, err == nil
}

// stopped is a script and what it has said.
type stopped struct {
	L      *vm.State
	random *rand.PCG
	said   *strings.Builder
}

func newStopped(t *testing.T, source string) *stopped {
	s := &stopped{random: rand.NewPCG(1, 1), said: new(strings.Builder)}
	s.L = imagedWith(t, source, true, s.random, s.said)
	return s
}

func (s *stopped) step() string {
	s.said.Reset()
	s.L.Refill()
	if _, err := s.L.Do(s.L.Global("step"), 0); err != nil {
		return s.said.String() + err.Error()
	}
	return s.said.String()
}
