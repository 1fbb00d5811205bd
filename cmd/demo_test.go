package cmd

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sandbar/host/feed"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
)

// TestDemoIncidentIsTold: the demo's first incident is told while it lasts, whenever the demo begins and whatever its chance.
func TestDemoIncidentIsTold(t *testing.T) {
	t.Parallel()
	defs, err := plugins.Read(plugins.Shipped())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(defs, func(d plugins.Definition) bool { return d.Logger() == "analysis.watch_volume" })
	cfg, err := lua.ParseConfig(sandbox.Analysis, "watch_volume", defs[i].Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []uint64{0, 5, 8, 10, 11, 16} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			begin := time.Unix(1_700_000_000, int64(seed)*1e9*10/24) // where in a window of 10 s decides how much of the incident its first window has
			told := time.Duration(0)
			var now time.Time
			p, err := lua.Load(cfg, defs[i].Source, sandbox.Env{Hostname: "host", Pid: 1, Seed: 1, Now: func() time.Time { return now },
				Emit: func(b []byte) error {
					if bytes.Contains(b, []byte("Volume of main is low")) && told == 0 {
						told = now.Sub(begin)
					}
					return nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			script, err := feed.NewScript(feed.ScriptOptions{Start: begin, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			next := begin.Add(3 * time.Second)
			for {
				sub, err := script.Next()
				if err != nil {
					t.Fatal(err)
				}
				now = begin.Add(sub.At)
				if sub.At > 150*time.Second {
					break
				}
				for !now.Before(next) {
					if res := p.Timer(next.Unix()*1e9, false); res.Outcome != sandbox.OK {
						t.Fatalf("%v %s", res.Outcome, res.Text)
					}
					next = next.Add(5 * time.Second)
				}
				if sub.Fault != feed.None && sub.Fault != feed.SentTwice {
					continue
				}
				kind, _, _ := strings.Cut(sub.Kind, ".")
				var b message.Builder
				b.SetTimestamp(now.UnixNano())
				b.SetHeader(message.Type, "telemetry")
				b.AddString("docType", "", kind)
				var v message.View
				if err := v.Parse(b.AppendTo(nil)); err != nil {
					t.Fatal(err)
				}
				if res := p.Process(&v); res.Outcome != sandbox.OK {
					t.Fatalf("%v %s", res.Outcome, res.Text)
				}
			}
			if told < 90*time.Second || told > 135*time.Second {
				t.Errorf("it is told after %v; it lasts from 1m30s to 2m15s", told)
			}
		})
	}
}
