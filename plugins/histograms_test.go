package plugins

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// document gives the plugin a document with twenty histograms; those of odd have another shape.
func (r *running) document(rnd *rand.Rand, build string, at int64, odd ...string) {
	r.t.Helper()
	all := map[string]any{}
	for k := range 20 {
		name := fmt.Sprintf("H%02d", k)
		values := map[string]int{}
		for range 5 + rnd.IntN(10) {
			v := rnd.IntN(10) + rnd.IntN(3+k)
			if slices.Contains(odd, name) {
				v += rnd.IntN(6)
			}
			values[fmt.Sprint(10*v)]++
		}
		all[name] = map[string]any{"values": values, "range": []int{1, 100}, "bucket_count": 50}
	}
	all["no histogram"], all["empty"] = 5, map[string]any{"values": map[string]int{}}
	text, err := json.Marshal(all)
	if err != nil {
		r.t.Fatal(err)
	}
	var b message.Builder
	b.SetTimestamp(at * 1e9)
	b.SetHeader(message.Type, "telemetry")
	b.AddString("docType", "", "main")
	b.AddString("appBuildId", "", build)
	b.AddString("payload.histograms", "json", string(text))
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		r.t.Fatal(err)
	}
	if res := r.Process(&v); res.Outcome != sandbox.OK {
		r.t.Fatalf("%v line %d %s", res.Outcome, res.Line, res.Text)
	}
}

// drawn lets the timer run and returns the alerts, and what it drew.
func (r *running) drawn(at int64) (alerts []string, html string) {
	r.t.Helper()
	r.made = nil
	if res := r.Timer(at*1e9, false); res.Outcome != sandbox.OK {
		r.t.Fatalf("%v line %d %s", res.Outcome, res.Line, res.Text)
	}
	for i := range r.made {
		payload, _ := r.made[i].Header(message.Payload)
		if typ, _ := r.made[i].Header(message.Type); string(typ) == "alert" {
			alerts = append(alerts, fmt.Sprintf("%v: %v: %s", get(&r.made[i], "id"), get(&r.made[i], "summary"), payload))
		} else {
			html = string(payload)
		}
	}
	return alerts, html
}

// TestHistograms: one of twenty that changes with the time, or with a build, is told and drawn, and no other.
func TestHistograms(t *testing.T) {
	t.Parallel()
	const begin = 1_700_000_400
	t.Run("time", func(t *testing.T) {
		t.Parallel()
		r, rnd := run(t, "analysis.histograms"), rand.New(rand.NewPCG(1, 1))
		var told []string
		html := ""
		for k := int64(0); k < 12; k++ {
			for i := range int64(480) {
				odd := []string{}
				if k == 10 {
					odd = []string{"H05"}
				}
				r.document(rnd, "1", begin+k*600+i, odd...)
			}
			var said []string
			said, html = r.drawn(begin + k*600 + 500)
			told = append(told, said...)
		}
		if len(told) != 1 || !strings.HasPrefix(told[0], "H05: histogram H05 has another shape: its counts moved by ") {
			t.Errorf("%q", told)
		}
		if !strings.Contains(html, "H05, with the time") || !strings.Contains(html, "<rect class='n'") || strings.Count(html, "<svg") != 1 {
			t.Errorf("%.300s", html)
		}
	})
	t.Run("builds", func(t *testing.T) {
		t.Parallel()
		r, rnd := run(t, "analysis.histograms"), rand.New(rand.NewPCG(1, 2))
		var told []string
		for k, odd := range [][]string{nil, nil, {"H07", "H11"}} {
			for i := range int64(4100) {
				r.document(rnd, fmt.Sprint(20260101+k), begin+int64(k)*10+i/1000, odd...)
			}
			said, html := r.drawn(begin + int64(k)*10 + 5)
			told = append(told, said...)
			if k == 2 && strings.Count(html, "build 20260103 after 20260102") != 4 { // each in its caption and its label
				t.Errorf("%d %.200s", strings.Count(html, "build 20260103 after 20260102"), html)
			}
		}
		if len(told) != 1 || told[0] != "build 20260103: build 20260103 differs from 20260102 in 2 histograms: H07\nH11" {
			t.Errorf("%q", told)
		}
	})
}

// FuzzHistograms: whatever a document has in place of histograms, the plugin goes on.
func FuzzHistograms(f *testing.F) {
	f.Add(`{"a":{"values":{"0":1}}}`, "1")
	f.Add(`{"a":{"values":{"0":1e300,"x":-1,"":null}},"b":[],"c":{"values":[1,2]}}`, "")
	f.Add(`[[]`, "z")
	f.Fuzz(func(t *testing.T, text, build string) {
		r := run(t, "analysis.histograms")
		var b message.Builder
		for k := int64(0); k < 12; k++ {
			b.Reset()
			b.SetTimestamp((1_700_000_400 + k*600) * 1e9)
			b.AddString("payload.histograms", "json", text)
			b.AddString("appBuildId", "", fmt.Sprint(build, k%2))
			var v message.View
			if err := v.Parse(b.AppendTo(nil)); err != nil {
				t.Fatal(err)
			}
			if res := r.Process(&v); res.Outcome != sandbox.OK && res.Outcome != sandbox.MemoryExceeded {
				t.Fatalf("%v line %d %s", res.Outcome, res.Line, res.Text)
			}
			r.drawn(1_700_000_400 + k*600 + 1)
		}
	})
}
