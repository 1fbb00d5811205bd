package migrate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sandbar/host/migrate"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/kafka"
	"sandbar/host/stream/kafka/kafkatest"
)

func onDisk(t *testing.T) *disk.Store {
	t.Helper()
	s, err := disk.Open(t.TempDir(), disk.Options{MinFree: -1, SegmentSize: 8 << 10, MaxMessage: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func onKafka(t *testing.T, brokers []string, prefix string) *kafka.Store {
	t.Helper()
	opt := kafka.Options{Brokers: brokers, Prefix: prefix, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Timeout: 10 * time.Second}
	if err := kafka.Create(t.Context(), opt, 1, 1); err != nil {
		t.Fatal(err)
	}
	s, err := kafka.Open(t.Context(), opt, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// rest is what lies behind a position.
func rest(t *testing.T, l stream.Log, from stream.Position) (msgs [][]byte) {
	t.Helper()
	r, err := l.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		var b stream.Batch
		if err := r.Read(&b, 1<<20); errors.Is(err, io.EOF) {
			return msgs
		} else if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, b.Messages...)
	}
}

// fill puts messages into all streams, with readers at any place, and states.
func fill(t *testing.T, s *disk.Store, rnd *rand.Rand) {
	t.Helper()
	msgs := func() (list [][]byte) {
		for range rnd.IntN(20) {
			list = append(list, bytes.Repeat([]byte{byte(rnd.Uint32() | 1)}, 1+rnd.IntN(900)))
		}
		return list
	}
	places := map[string][]stream.Position{}
	for range 30 {
		if _, err := s.Log(stream.Raw).Append(t.Context(), msgs()...); err != nil {
			t.Fatal(err)
		}
		c := &stream.Commit{Appends: map[string][][]byte{}, Positions: map[string]map[string]stream.Position{}, States: map[string][]byte{}}
		for _, name := range stream.Names()[1:] {
			c.Appends[name] = msgs()
		}
		for _, name := range stream.Names() {
			places[name] = append(places[name], s.Log(name).End())
		}
		reader := fmt.Sprint("reader", rnd.IntN(6))
		c.Positions[reader] = map[string]stream.Position{}
		for _, name := range stream.Names() {
			if rnd.IntN(2) == 0 {
				c.Positions[reader][name] = places[name][rnd.IntN(len(places[name]))]
			}
		}
		c.States[fmt.Sprint("state", rnd.IntN(5))] = bytes.Repeat([]byte{1}, rnd.IntN(3000))
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if rnd.IntN(2) == 0 {
		if _, err := s.Log(stream.Valid).Trim(t.Context(), 10_000, -1); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	brokers := kafkatest.Fake(t).ListenAddrs()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			from := onDisk(t)
			fill(t, from, rand.New(rand.NewPCG(seed, 9)))
			for name, to := range map[string]stream.Store{"kafka": onKafka(t, brokers, fmt.Sprint("copy", seed)), "disk": onDisk(t)} {
				if err := migrate.Copy(t.Context(), from, to, func(string, int) {}); err != nil {
					t.Fatal(name, err)
				}
				same(t, name, from, to)
				if err := migrate.Copy(t.Context(), from, to, func(string, int) {}); !errors.Is(err, migrate.ErrNotEmpty) {
					t.Errorf("%s: copied twice: %v", name, err)
				}
			}
		})
	}
}

func same(t *testing.T, what string, from *disk.Store, to stream.Store) {
	t.Helper()
	for _, name := range stream.Names() {
		if !slices.EqualFunc(rest(t, from.Log(name), stream.Position{}), rest(t, to.Log(name), stream.Position{}), bytes.Equal) {
			t.Errorf("%s: stream %s is another", what, name)
		}
	}
	readers := to.Readers()
	for reader, positions := range from.Readers() {
		if len(readers[reader]) != len(positions) {
			t.Errorf("%s: reader %s has %v, had %v", what, reader, readers[reader], positions)
		}
		for name, p := range positions {
			if !slices.EqualFunc(rest(t, from.Log(name), p), rest(t, to.Log(name), readers[reader][name]), bytes.Equal) {
				t.Errorf("%s: reader %s stands elsewhere in %s: %s, was %s", what, reader, name, readers[reader][name], p)
			}
		}
	}
	for _, name := range from.States() {
		a, err := from.State(t.Context(), name)
		b, err2 := to.State(t.Context(), name)
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: state %s is another: %v %v", what, name, err, err2)
		}
	}
}
