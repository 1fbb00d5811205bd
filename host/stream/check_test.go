package stream

import "testing"

func TestElsewhere(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"valid@0": true, "errors@12": true, "valid@": false, "valid": false, "valid@-1": false, "valid@01": false, "other@1": false, "@1": false, "valid@1@2": false, "valid@1x": false} {
		name, partition, ok := ParseElsewhere(s)
		if ok != want || ok && Elsewhere(name, partition) != s {
			t.Errorf("%q: %q %d %v", s, name, partition, ok)
		}
	}
	at := func(name string) *Commit {
		return &Commit{Positions: map[string]map[string]Position{"r": {name: {Offset: 1}}}}
	}
	for _, c := range []struct {
		name       string
		partitions int
		ok         bool
	}{{"valid@3", 4, true}, {"valid@4", 4, false}, {"valid@0", 0, false}, {"valid", 0, true}} {
		if err := at(c.name).Check(100, c.partitions); (err == nil) != c.ok {
			t.Errorf("%s of %d partitions: %v", c.name, c.partitions, err)
		}
	}
}
