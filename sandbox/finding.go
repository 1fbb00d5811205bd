package sandbox

import (
	"fmt"
	"strings"
)

// Finding is something odd about a plugin that does not keep it from being loaded.
type Finding struct {
	Field string `json:"field"`          // "config" or "source"
	Line  int    `json:"line,omitempty"` // of it; 0 when not known
	Text  string `json:"text"`
	Key   string `json:"-"` // of the config, that it is about
}

func (f Finding) String() string {
	if f.Line > 0 {
		return fmt.Sprintf("%s line %d: %s", f.Field, f.Line, f.Text)
	}
	return f.Text
}

// JoinFindings is all of them on one line.
func JoinFindings(all []Finding) string {
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = f.String()
	}
	return strings.Join(texts, "; ")
}

// Locate fills in the lines of findings about keys of a config.
func Locate(all []Finding, config string) {
	for i := range all {
		if f := &all[i]; f.Field == "config" && f.Key != "" && f.Line == 0 {
			f.Line = KeyLine(config, f.Key)
		}
	}
}

// KeyLine is the line of a config on which a key is set, from 1; 0 when that is not found.
func KeyLine(config, key string) int {
	n := 0
	for line := range strings.Lines(config) {
		n++
		rest, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), key)
		if rest = strings.TrimLeft(rest, " \t"); ok && strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "==") {
			return n
		}
	}
	return 0
}
