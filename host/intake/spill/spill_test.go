package spill_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"sandbar/host/intake/spill"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
)

// remote is streams that fail, or do not answer, when told to.
type remote struct {
	mu   sync.Mutex
	down bool
	hang bool
	got  []string
	at   stream.Position
}

var errDown = errors.New("the brokers are away")

func (r *remote) fails(ctx context.Context) error {
	r.mu.Lock()
	down, hang := r.down, r.hang
	r.mu.Unlock()
	if hang {
		<-ctx.Done()
		return errors.Join(stream.ErrUncertain, ctx.Err())
	}
	if down {
		return errDown
	}
	return nil
}

func (r *remote) take(msgs [][]byte) {
	for _, m := range msgs {
		r.got = append(r.got, string(m))
	}
}

func (r *remote) Append(ctx context.Context, msgs ...[]byte) (stream.Position, error) {
	if err := r.fails(ctx); err != nil {
		return stream.Position{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.take(msgs)
	return stream.Position{Offset: int64(len(r.got))}, nil
}

func (r *remote) TakeOver(ctx context.Context, end stream.Position, msgs [][]byte) error {
	if err := r.fails(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.take(msgs)
	r.at = end
	return nil
}

func (r *remote) TakenOver(ctx context.Context) (stream.Position, error) {
	if err := r.fails(ctx); err != nil {
		return stream.Position{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, nil
}

func (r *remote) set(down, hang bool) { r.mu.Lock(); defer r.mu.Unlock(); r.down, r.hang = down, hang }
func (r *remote) all() []string       { r.mu.Lock(); defer r.mu.Unlock(); return slices.Clone(r.got) }

// life is one process: its end is a crash as far as the spill can tell.
func life(t *testing.T, dir string, r *remote, use func(s *spill.Spill, reported func() error)) {
	t.Helper()
	local, err := disk.Open(dir, disk.Options{MinFree: -1, SegmentSize: 4 << 10, MaxMessage: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	var mu sync.Mutex
	var last error
	s := spill.New(spill.Options{Remote: r, Local: local, Patience: 50 * time.Millisecond, Pause: 5 * time.Millisecond, Report: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		last = err
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	use(s, func() error { mu.Lock(); defer mu.Unlock(); return last })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited too long for %s", what)
		case <-tick.C:
		}
	}
}

// TestInOrder: whatever the streams do, and however often the process dies, each message is there once and in order.
func TestInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 3))
			r, dir := &remote{}, t.TempDir()
			var want []string
			for range 6 {
				life(t, dir, r, func(s *spill.Spill, _ func() error) {
					for range 60 {
						if rnd.IntN(10) == 0 {
							r.set(rnd.IntN(2) == 0, false)
						}
						m := fmt.Sprint(len(want))
						if _, err := s.Append(t.Context(), []byte(m)); err != nil {
							t.Fatal(err)
						}
						want = append(want, m)
					}
				})
			}
			r.set(false, false)
			life(t, dir, r, func(s *spill.Spill, reported func() error) {
				await(t, "all to be handed over", func() bool { return len(r.all()) >= len(want) && s.Waiting() == 0 && reported() == nil })
			})
			if got := r.all(); !slices.Equal(got, want) {
				t.Errorf("got %d messages, want %d; %v", len(got), len(want), got)
			}
		})
	}
}

// TestSilence: streams that do not answer have a moment for the first message, which is refused; those behind it do not wait.
func TestSilence(t *testing.T) {
	t.Parallel()
	r := &remote{hang: true}
	life(t, t.TempDir(), r, func(s *spill.Spill, reported func() error) {
		began := time.Now()
		for i := range 200 {
			if _, err := s.Append(t.Context(), []byte(fmt.Sprint(i))); errors.Is(err, stream.ErrUncertain) != (i == 0) {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("200 messages took %v", took)
		}
		if reported() == nil || s.Waiting() == 0 {
			t.Errorf("reported %v, %d bytes wait", reported(), s.Waiting())
		}
		r.set(false, false)
	})
}

// TestAtOnce: many callers at a time, while the streams come and go.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	r := &remote{}
	const callers, each = 8, 100
	life(t, t.TempDir(), r, func(s *spill.Spill, reported func() error) {
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					if c == 0 {
						r.set(i%10 < 5, false)
					}
					if _, err := s.Append(t.Context(), []byte(fmt.Sprintf("%d/%d", c, i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		r.set(false, false)
		await(t, "all to be handed over", func() bool { return len(r.all()) >= callers*each && s.Waiting() == 0 && reported() == nil })
	})
	seen := map[string]int{}
	for _, m := range r.all() {
		seen[m]++
	}
	want := map[string]int{}
	for c := range callers {
		for i := range each {
			want[fmt.Sprintf("%d/%d", c, i)] = 1
		}
	}
	if !maps.Equal(seen, want) {
		t.Errorf("%d different messages, want %d", len(seen), len(want))
	}
}

// TestRefused: what the streams will never take is not spilled.
func TestRefused(t *testing.T) {
	t.Parallel()
	r := &remote{down: true}
	life(t, t.TempDir(), r, func(s *spill.Spill, reported func() error) {
		if _, err := s.Append(t.Context(), make([]byte, 2<<10)); !errors.Is(err, stream.ErrTooLarge) {
			t.Errorf("the error is %v", err)
		}
	})
}
