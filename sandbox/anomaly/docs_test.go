package anomaly

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocs: docs/anomaly.md explains each method with all its settings and their defaults.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/anomaly.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Methods() {
		_, section, found := strings.Cut(string(text), "\n### "+m.Name+"\n")
		section, _, _ = strings.Cut(section, "\n##")
		if !found {
			t.Errorf("there is no section %s", m.Name)
		}
		for _, s := range m.Settings {
			if want := fmt.Sprintf("`%s = %v`", s.Name, s.Default); !strings.Contains(section, want) {
				t.Errorf("%s: there is no %s", m.Name, want)
			}
		}
		if !strings.Contains(string(text), "| `"+m.Name+"` |") {
			t.Errorf("%s is not in the table of how good they are", m.Name)
		}
	}
}
