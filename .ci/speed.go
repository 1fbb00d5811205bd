// Speed measures the CPU time of `sandbar run` over a million messages of 525 bytes with ten fields.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sandbar/sandbox/message"
)

const (
	messages = 1_000_000
	rounds   = 5
	noise    = 1.4 // how much longer the same work takes when others use the machine

	// usual is what work takes, in seconds, on the machine that the limits were set on. The same kind of machine was seen to be twice as slow for a day.
	usual   = 0.019
	slowest = 3 // that such a day may be
)

// work is a fixed amount of it, in maps and slices as the program's.
func work() (sum uint64) {
	m := make(map[uint64]uint64, 1<<14)
	x := uint64(88172645463325252)
	for range 2_000_000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		m[x&(1<<14-1)] += x
	}
	for _, v := range m {
		sum += v
	}
	return sum
}

// slowness is how many times longer than usually the machine takes today, from 1 to slowest.
func slowness() float64 {
	least := time.Hour
	for range rounds {
		start := time.Now()
		if work() == 0 {
			return 1
		}
		least = min(least, time.Since(start))
	}
	fmt.Printf("fixed work takes %v, usually %v s\n", least.Round(time.Millisecond), usual)
	return max(1, min(slowest, least.Seconds()/usual))
}

// loads are what the messages are run through, and the most CPU-seconds that it may take.
func loads() []load {
	hundred := map[string]string{}
	for i := range 100 {
		hundred[fmt.Sprintf("p%02d", i)] = counter(fmt.Sprintf("Fields[hundredth] == %d", i), "local n = 0", "n = n + 1")
	}
	return []load{
		{"no plugin wants them", 0.16, map[string]string{"none": counter("Type == 'nothing'", "", "")}},
		{"circular buffer", 0.40, map[string]string{"cbuf": counter("Type == 'telemetry'",
			`require "circular_buffer" local cb = circular_buffer.new(1440, 3, 60)`, `cb:add(read_message("Timestamp"), 1, 1)`)}},
		{"table by two fields", 0.46, map[string]string{"table": counter("Type == 'telemetry'", `local counts = {}`,
			`local a, b = read_message("Fields[docType]"), read_message("Fields[channel]")
			local t = counts[a]
			if not t then t = {} counts[a] = t end
			t[b] = (t[b] or 0) + 1`)}},
		{"100 plugins, 1 % each", 0.33, hundred},
		{"string.match", 0.55, map[string]string{"match": counter("Type == 'telemetry'", `require "string" local counts = {}`,
			`local t = string.match(read_message("Payload"), '"type":"([^"]+)"')
			counts[t] = (counts[t] or 0) + 1`)}},
		{"cjson.decode", 1.10, map[string]string{"json": counter("Type == 'telemetry'", `local cjson = require "cjson" local counts = {}`,
			`local ok, doc = pcall(cjson.decode, read_message("Payload"))
			local k = doc.type .. "/" .. doc.os
			counts[k] = (counts[k] or 0) + doc.n`)}},
	}
}

type load struct {
	name    string
	limit   float64
	plugins map[string]string // name → config and source, divided by a line of dashes
}

func counter(matcher, top, body string) string {
	return fmt.Sprintf("filename = 'NAME.lua'\nmessage_matcher = %q\n----\n%s\nfunction process_message()\n%s\nreturn 0 end\nfunction timer_event() end\n", matcher, top, body)
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run(sandbar string) error {
	dir, err := os.MkdirTemp("", "speed")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	input := filepath.Join(dir, "input.heka")
	size, err := write(input)
	if err != nil {
		return err
	}
	fmt.Printf("%d messages of %d bytes; CPU-seconds, the least of %d runs\n", messages, size, rounds)
	all := loads()
	best := make([]float64, len(all))
	for round := range rounds { // one after the other, so that a busy minute touches them all alike
		for i, l := range all {
			plugins := filepath.Join(dir, strings.ReplaceAll(l.name, " ", "_"))
			if round == 0 {
				if err := l.write(plugins); err != nil {
					return err
				}
			}
			cmd := exec.Command(sandbar, "run", "--plugins", plugins, "--input", input)
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %v\n%s", l.name, err, out)
			}
			took := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
			if round == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	return report(all, best)
}

func report(all []load, best []float64) error {
	slow, noise := false, noise*slowness()
	for i, l := range all {
		note := ""
		switch {
		case best[i] > noise*l.limit:
			note, slow = "  TOO SLOW", true
		case best[i] > l.limit:
			note = "  above the limit, within the noise of a busy machine"
		}
		fmt.Printf("%-24s %5.2f (at most %.2f)%s\n", l.name, best[i], l.limit, note)
	}
	if slow {
		return fmt.Errorf("slower than it may be")
	}
	return nil
}

func (l load) write(dir string) error {
	dir = filepath.Join(dir, "analysis")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range l.plugins {
		config, source, _ := strings.Cut(text, "----\n")
		config = strings.ReplaceAll(config, "NAME", name)
		if err := os.WriteFile(filepath.Join(dir, name+".cfg"), []byte(config), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".lua"), []byte(source), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// write makes the input and returns the size of a message.
func write(path string) (int, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var b message.Builder
	var buf, frame []byte
	types, channels := []string{"main", "event", "crash", "core", "mobile"}, []string{"release", "beta", "nightly", "esr"}
	for i := range messages {
		b.Reset()
		uuid := message.NewUUID(uint64(i), uint64(i)*0x9e3779b97f4a7c15)
		b.SetUUID(uuid[:])
		b.SetTimestamp(1_700_000_000_000_000_000 + int64(i)*1e6)
		b.SetHeader(message.Type, "telemetry")
		b.SetHeader(message.Logger, "telemetry")
		b.SetHeader(message.Hostname, "ip-172-31-2-68")
		b.AddString("documentId", "", "0055FAC4-8A1A-4FCA-B380-EBFDC8571A01")
		b.AddString("docType", "", types[i%len(types)])
		b.AddString("channel", "", channels[i%7%len(channels)])
		b.AddInt("hundredth", "", int64(i%100))
		b.AddDouble("load", "", float64(i%977)/10)
		b.AddString("appName", "", "Firefox")
		b.AddString("appVersion", "", "128.0.2")
		b.AddString("country", "", "SE")
		b.AddString("userAgent", "", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0")
		b.SetHeader(message.Payload, fmt.Sprintf(`{"type":"%s","n":%d,"os":"%s","blob":"%s"}`, types[i%len(types)], 10+i%90, channels[i%7%len(channels)], strings.Repeat("x", 140-len(types[i%len(types)])-len(channels[i%7%len(channels)]))))
		buf = b.AppendTo(buf[:0])
		frame = message.AppendFrame(frame[:0], buf)
		if _, err := w.Write(frame); err != nil {
			return 0, err
		}
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return len(buf), f.Close()
}
