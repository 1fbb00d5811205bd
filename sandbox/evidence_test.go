package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/message"
)

type free struct{}

func (free) Spend(int64) {}

// TestEvidence: an alert says where the messages lie that were noted for it; without notes where the plugin is.
func TestEvidence(t *testing.T) {
	t.Parallel()
	at := 0
	var made []string
	env := &Env{Now: func() time.Time { return time.Unix(0, 0) }, Here: func() []string { return []string{fmt.Sprint("valid/0:", at)} }}
	env.Emit = func(msg []byte) error {
		var v message.View
		if err := v.Parse(msg); err != nil {
			return err
		}
		f, _ := v.Field(message.FieldEvidence, 0)
		var all []string
		for i := range f.Len() {
			b, _ := f.Bytes(i)
			all = append(all, strings.TrimPrefix(string(b), "valid/0:"))
		}
		made = append(made, strings.Join(all, " "))
		return nil
	}
	limits := DefaultLimits()
	limits.ProcessInject = 100
	cfg := &Config{Kind: Analysis, Name: "x", Limits: limits, Keys: Table{"alert": Table{"throttle": 0.0, "modules": Table{"web": Table{}}}}}
	a, err := NewAlerts(cfg, env, &Throttles{})
	if err != nil {
		t.Fatal(err)
	}
	out := NewOutbox(cfg, env, free{})
	send := func(id string) {
		t.Helper()
		if sent, err := a.Send(out, id, "s", "", 0, nil); err != nil || !sent {
			t.Fatal(sent, err)
		}
	}
	for at = range 5 {
		a.Note("x")
	}
	at = 7
	a.Note("y")
	send("x")
	send("x") // what was noted went with the one before
	send("y")
	env.Here = func() []string { return []string{"valid/0:1", "valid/0:2", "valid/0:3", "valid/0:4"} }
	send("z")
	env.Here = nil
	a.Note("z")
	send("z")
	if got, want := strings.Join(made, "; "), "2 3 4; 7; 7; 2 3 4"; !strings.HasPrefix(strings.ReplaceAll(got, "valid/0:", ""), want) || len(made) != 5 || made[4] != "" {
		t.Errorf("%s, want %s", got, want)
	}
	env.Here = func() []string { return []string{"valid/0:1"} }
	for i := range 3 * maxNoted {
		a.Note(fmt.Sprint(i))
	}
	if n := len(a.noted.noted); n > maxNoted {
		t.Errorf("of %d ids something is noted", n)
	}
}
