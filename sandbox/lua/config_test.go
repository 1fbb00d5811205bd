package lua

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/sandbox"
)

// FuzzConfig: whatever a config is, it is one, or an error that says what is wrong with it and is no fault of the machine.
func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob("../../plugins/*/*/*.cfg")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d configs, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`message_matcher = 'TRUE' t = {} t.t = t`))
	f.Add([]byte(`message_matcher = 'TRUE' a = {{}, {}} b = {a, a, a} c = {b, b, b} memory_limit = -1`))
	f.Add([]byte(`while true do x = (x or "") .. "xxxxxxxx" end`))
	f.Fuzz(func(t *testing.T, source []byte) {
		cfg, err := ParseConfig(sandbox.Analysis, "fuzz", source)
		switch {
		case err == nil && cfg == nil:
			t.Error("neither a config nor an error")
		case err != nil && (err.Error() == "" || strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), "goroutine ") || len(err.Error()) > 10_000):
			t.Errorf("%.2000v", err)
		}
	})
}
