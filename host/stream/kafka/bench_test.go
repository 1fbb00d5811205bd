package kafka

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// pass is a plugin in Go: a decoder passes each message on, an analysis plugin counts.
type pass struct {
	env  sandbox.Env
	n    int64
	onto bool
}

func (p *pass) Process(v *message.View) sandbox.Result {
	p.n++
	if p.onto {
		p.env.Emit(v.Raw())
	}
	return sandbox.Result{}
}
func (p *pass) Timer(int64, bool) sandbox.Result { return sandbox.Result{} }
func (p *pass) Snapshot() ([]byte, error)        { return fmt.Append(nil, p.n), nil }
func (p *pass) Restore([]byte) error             { return nil }
func (p *pass) Interrupt()                       {}
func (p *pass) Memory() int64                    { return 8 }
func (p *pass) Close() error                     { return nil }

const hostMessages = 40_000

// BenchmarkHost takes messages of 1.5 kB through a host: appended to raw, decoded to valid, read by an analysis plugin. It
// reports the CPU time of the host for a message, and that of the broker.
func BenchmarkHost(b *testing.B) {
	b.Run("disk", func(b *testing.B) {
		through(b, func() stream.Store {
			s, err := disk.Open(b.TempDir(), disk.Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			return s
		})
	})
	b.Run("kafka", func(b *testing.B) {
		broker := kafkatest.Real(b)
		before := kafkatest.CPU(b, broker.Pid())
		through(b, func() stream.Store {
			opt := optionsOf(b, []string{broker.Addr})
			opt.Timeout = 30 * time.Second
			return open(b, opt)
		})
		b.ReportMetric(float64((kafkatest.CPU(b, broker.Pid())-before).Microseconds())/float64(b.N*hostMessages), "broker-cpu-us/msg")
	})
}

func through(b *testing.B, place func() stream.Store) {
	var mb message.Builder
	mb.SetUUID(make([]byte, 16))
	mb.SetTimestamp(1)
	mb.SetHeader(message.Type, "raw")
	mb.SetHeader(message.Payload, strings.Repeat("0123456789", 140))
	msg := mb.AppendTo(nil)
	var cpu time.Duration
	for b.Loop() {
		s := place()
		r := runner.New(runner.Options{Store: s, Now: time.Now, Log: slog.New(slog.DiscardHandler), Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{Now: time.Now} },
			Load: func(cfg *sandbox.Config, _ []byte, env sandbox.Env) (sandbox.Plugin, error) {
				return &pass{env: env, onto: cfg.Kind == sandbox.Decoder}, nil
			}})
		for _, kind := range []sandbox.Kind{sandbox.Decoder, sandbox.Analysis} {
			cfg := &sandbox.Config{Kind: kind, Name: "p", Matcher: "TRUE", PreserveData: true, ReadQueue: sandbox.ReadBoth, Limits: sandbox.DefaultLimits()}
			if err := r.Start(b.Context(), cfg, nil, runner.Oldest); err != nil {
				b.Fatal(err)
			}
		}
		if err := r.Begin(); err != nil {
			b.Fatal(err)
		}
		before := selfCPU(b)
		batch := make([][]byte, 50)
		for i := range batch {
			batch[i] = msg
		}
		for range hostMessages / len(batch) {
			if _, err := s.Log(stream.Raw).Append(b.Context(), batch...); err != nil {
				b.Fatal(err)
			}
		}
		tick := time.NewTicker(5 * time.Millisecond)
		for seen := int64(0); seen < hostMessages; <-tick.C {
			st, _ := r.Status("analysis.p")
			seen = st.Stats.Matched
		}
		tick.Stop()
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
		cpu += selfCPU(b) - before
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N*hostMessages), "cpu-us/msg")
}

func selfCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMove opens a partition whose plugins have 64 MiB of states in 64 pieces, as a host does that takes it over from another
// one, and reports megabytes of state a second.
func BenchmarkMove(b *testing.B) {
	broker := kafkatest.Real(b)
	opt := optionsOf(b, []string{broker.Addr})
	s := open(b, opt)
	const plugins, size = 64, 1 << 20
	for i := range plugins {
		state := make([]byte, size)
		rand.NewChaCha8([32]byte{byte(i)}).Read(state) // which cannot be compressed
		if err := s.Commit(b.Context(), &stream.Commit{States: map[string][]byte{fmt.Sprint("analysis.p", i): state}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		next := open(b, opt)
		s.Close()
		s = next
	}
	s.Close()
	b.SetBytes(plugins * size)
}
