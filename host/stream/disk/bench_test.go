package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"sandbar/host/stream"
	"sandbar/host/stream/disk"
)

// Durable appends of 2 kB from many callers at once, on the real disk.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, b.TempDir(), disk.Options{})
			defer s.Close()
			l := s.Log(stream.Raw)
			msg := bytes.Repeat([]byte("m"), 2048)
			b.ReportAllocs()
			b.SetBytes(int64(len(msg)))
			var left atomic.Int64
			left.Store(int64(b.N))
			done := make(chan error, callers)
			b.ResetTimer()
			for range callers {
				go func() {
					for left.Add(-1) >= 0 {
						if _, err := l.Append(b.Context(), msg); err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range callers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			b.ReportMetric(float64(l.Stats().Syncs)/float64(b.N), "syncs/append")
		})
	}
}

// Reading 525-byte messages that are in the system's cache.
func BenchmarkRead(b *testing.B) {
	for _, block := range []int{64 << 10, 256 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("block=%dk", block>>10), func(b *testing.B) {
			s := open(b, b.TempDir(), disk.Options{})
			defer s.Close()
			l := s.Log(stream.Raw)
			batch := make([][]byte, 1000)
			for i := range batch {
				batch[i] = bytes.Repeat([]byte("m"), 525)
			}
			for range 200 {
				if _, err := l.Append(b.Context(), batch...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.SetBytes(l.Stats().Stored)
			messages := 0
			for b.Loop() {
				r, err := l.NewReader(stream.Position{})
				if err != nil {
					b.Fatal(err)
				}
				var sb stream.Batch
				for err == nil {
					err = r.Read(&sb, block)
					messages += len(sb.Messages)
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				r.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(messages), "ns/message")
		})
	}
}

// A commit of the size that a busy host makes: 1000 messages, 100 positions, 10 states of 10 kB.
func BenchmarkCommit(b *testing.B) {
	s := open(b, b.TempDir(), disk.Options{})
	defer s.Close()
	c := &stream.Commit{Appends: map[string][][]byte{}, Positions: map[string]map[string]stream.Position{}, States: map[string][]byte{}}
	for range 1000 {
		c.Appends[stream.Valid] = append(c.Appends[stream.Valid], bytes.Repeat([]byte("m"), 525))
	}
	for i := range 100 {
		c.Positions[fmt.Sprint("analysis.p", i)] = map[string]stream.Position{stream.Valid: {}}
	}
	b.ReportAllocs()
	n := byte(0)
	for b.Loop() {
		n++
		for i := range 10 {
			c.States[fmt.Sprint("analysis.p", i)] = bytes.Repeat([]byte{n}, 10_000)
		}
		if err := s.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
