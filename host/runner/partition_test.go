package runner

import (
	"fmt"
	"slices"
	"testing"

	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// TestGlobalHasOneHome: a plugin of global scope runs in exactly one partition and reads all of them; others read their own.
func TestGlobalHasOneHome(t *testing.T) {
	t.Parallel()
	homes := map[int]int{}
	for i := range 1000 {
		name := fmt.Sprint("analysis.p", i)
		n := 0
		for number := range 12 {
			if (Partition{Number: number, Of: 12}).hosts(name) {
				n++
				homes[number]++
			}
		}
		if n != 1 {
			t.Fatalf("%s runs in %d partitions", name, n)
		}
	}
	for number := range 12 {
		if homes[number] < 40 {
			t.Errorf("partition %d has %d of 1000 plugins", number, homes[number])
		}
	}
	if !(Partition{}).hosts("analysis.p") || !(Partition{Of: 1}).hosts("analysis.p") {
		t.Error("the only partition has no plugins")
	}
	cfg, err := sandbox.NewConfig(sandbox.Analysis, "p", sandbox.Table{"message_matcher": "TRUE", "scope": "global"})
	if err != nil {
		t.Fatal(err)
	}
	got := routeOf(cfg, Partition{Number: 1, Of: 3}).reads
	if want := []string{"valid", "errors", "valid@0", "errors@0", "valid@2", "errors@2"}; !slices.Equal(got, want) {
		t.Errorf("it reads %v", got)
	}
	if got := routeOf(cfg, Partition{}).reads; !slices.Equal(got, []string{stream.Valid, stream.Errors}) {
		t.Errorf("on files it reads %v", got)
	}
	cfg.Global = false
	if got := routeOf(cfg, Partition{Number: 1, Of: 3}).reads; !slices.Equal(got, []string{stream.Valid, stream.Errors}) {
		t.Errorf("one of each partition reads %v", got)
	}
	for kind, fails := range map[sandbox.Kind]bool{sandbox.Output: true, sandbox.Decoder: true, sandbox.Analysis: false} {
		if _, err := sandbox.NewConfig(kind, "p", sandbox.Table{"message_matcher": "TRUE", "scope": "global"}); (err != nil) != fails {
			t.Errorf("%s: %v", kind, err)
		}
		if cfg, err := sandbox.NewConfig(kind, "p", sandbox.Table{"message_matcher": "TRUE", "scope": "mine"}); err != nil || cfg.Global {
			t.Errorf("%s with a scope of its own: %v", kind, err)
		}
	}
}

func TestKeyOf(t *testing.T) {
	t.Parallel()
	var b message.Builder
	b.AddString("client", "", "abc", "second")
	b.AddInt("n", "", -7)
	b.AddBool("flag", "", true)
	msg := b.AppendTo(nil)
	for field, want := range map[string]string{"client": "abc", "n": "-7", "flag": "", "none": "", "": ""} {
		if got := keyOf(field, msg); string(got) != want || want == "" && got != nil {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
	}
	if keyOf("client", []byte("no message")) != nil {
		t.Error("what is no message has a key")
	}
	for by, want := range map[string]string{"Fields[clientId]": "clientId", "": "", "clientId": "error", "Fields[": "error", "Fields[]": "error"} {
		cfg, err := sandbox.NewConfig(sandbox.Decoder, "d", sandbox.Table{"partition_by": by})
		if (err != nil) != (want == "error") || err == nil && cfg.PartitionBy != want {
			t.Errorf("partition_by = %q: %v", by, err)
		}
	}
}
