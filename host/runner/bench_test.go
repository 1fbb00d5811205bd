package runner_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
)

// BenchmarkRunner is how many recorded messages of some 500 bytes the runner of `serve` gives to Lua plugins in a second: streams, commits and states included.
func BenchmarkRunner(b *testing.B) {
	const messages = 200_000
	store, round := recorded(b, messages), 0
	for _, c := range []struct {
		name, source string
		plugins      int
	}{
		{"circular buffer", `require "circular_buffer" local cb = circular_buffer.new(1440, 2, 60)
			function process_message() local ts = read_message("Timestamp") cb:add(ts, 1, 1) cb:add(ts, 2, read_message("Fields[size]")) return 0 end`, 1},
		{"table by two fields", `local counts = {}
			function process_message() local k = read_message("Fields[docType]") .. "/" .. read_message("Fields[country]") counts[k] = (counts[k] or 0) + 1 return 0 end`, 1},
		{"table by two fields, four plugins", `local counts = {}
			function process_message() local k = read_message("Fields[docType]") .. "/" .. read_message("Fields[country]") counts[k] = (counts[k] or 0) + 1 return 0 end`, 4},
		{"string.match", `require "string" local counts = {}
			function process_message() local t = string.match(read_message("Payload"), '"type":"([^"]+)"') counts[t] = (counts[t] or 0) + 1 return 0 end`, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				run := runner.New(runner.Options{Store: store, Now: clock.Now, Log: slog.New(slog.DiscardHandler), Load: lua.Load,
					Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{Now: clock.Now} }})
				var names []string
				for range c.plugins {
					round++ // another name, since where a plugin came to is kept
					cfg, err := lua.ParseConfig(sandbox.Analysis, fmt.Sprintf("p%d", round), []byte("filename = 'p.lua' message_matcher = \"Type == 'telemetry'\""))
					if err != nil {
						b.Fatal(err)
					}
					if err := run.Start(b.Context(), cfg, []byte(c.source), runner.Oldest); err != nil {
						b.Fatal(err)
					}
					names = append(names, cfg.Logger())
				}
				if err := run.Begin(); err != nil {
					b.Fatal(err)
				}
				for _, name := range names {
					for matched := int64(0); matched < messages; <-time.After(time.Millisecond) {
						s, _ := run.Status(name)
						if matched = s.Stats.Matched; s.Outcome != "" {
							b.Fatal(s.Reason)
						}
					}
				}
				if err := run.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// recorded is a store whose stream valid has so many messages.
func recorded(b *testing.B, n int) stream.Store {
	store, err := disk.Open(b.TempDir(), disk.Options{Now: clock.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	types, countries := []string{"main", "event", "crash", "core"}, []string{"US", "DE", "FR", "CN", "BR"}
	var mb message.Builder
	var msgs [][]byte
	for i := range n {
		mb.Reset()
		uuid := message.NewUUID(uint64(i), 1)
		mb.SetUUID(uuid[:])
		mb.SetTimestamp(1_700_000_000_000_000_000 + int64(i)*1e6)
		mb.SetHeader(message.Type, "telemetry")
		mb.SetHeader(message.Payload, fmt.Sprintf(`{"type":%q,"n":%d,"blob":"%0150d"}`, types[i%4], i, i))
		mb.AddString("docType", "", types[i%4])
		mb.AddString("appName", "", "Firefox")
		mb.AddString("appVersion", "", "128.0.2")
		mb.AddString("documentId", "", "0055fac4-8a1a-4fca-b380-ebfdc8571a01")
		mb.AddString("country", "", countries[i%5])
		mb.AddInt("size", "B", int64(i%5000))
		mb.AddInt("sampleId", "", int64(i%100))
		if msgs = append(msgs, mb.AppendTo(nil)); len(msgs) == 1000 || i == n-1 {
			if err := store.Commit(b.Context(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: msgs}}); err != nil {
				b.Fatal(err)
			}
			msgs = msgs[:0]
		}
	}
	return store
}
