package deaths

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRows plays runs of a host: who was at work at the end of each, and whether the end was clean.
func TestRows(t *testing.T) {
	t.Parallel()
	type run struct {
		work  []string
		clean bool
	}
	die := func(work ...string) run { return run{work, false} }
	clean := run{nil, true}
	for name, c := range map[string]struct {
		runs []run
		want []string // suspects at the next start
	}{
		"three in a row":      {[]run{die("a"), die("a"), die("a")}, []string{"a"}},
		"two":                 {[]run{die("a"), die("a")}, nil},
		"nobody":              {[]run{die(), die(), die(), die()}, nil},
		"a clean end between": {[]run{die("a"), die("a"), clean, die("a")}, nil},
		"not at work once":    {[]run{die("a"), die("a"), die("b"), die("a")}, nil},
		"two plugins":         {[]run{die("a", "b"), die("b", "a"), die("a", "b", "c")}, []string{"a", "b"}},
		"begins anew":         {[]run{die("a"), die("a"), die("a"), die("a"), die("a")}, nil},
		"clean":               {[]run{clean, clean, clean}, nil},
	} {
		path := filepath.Join(t.TempDir(), "deaths.json")
		for _, r := range c.runs {
			j, _, err := Open(path)
			if err == nil {
				err = j.AtWork(r.work)
			}
			if err == nil && r.clean {
				err = j.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, got, err := Open(path); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v %v, want %v", name, got, err, c.want)
		}
	}
}

// TestDamaged: what the file holds does not keep the host from starting.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "null", `{"running":7}`, "\x00\xff"} {
		path := filepath.Join(t.TempDir(), "deaths.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, suspects, err := Open(path); err != nil || suspects != nil {
			t.Errorf("%q: %v %v", text, suspects, err)
		}
	}
}
