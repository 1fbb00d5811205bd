package sandbox

import (
	"fmt"
	"slices"
)

// HostKeys are the keys of a config that mean something to the host and are long enough for a slip to be told from a key of the
// plugin's own.
func HostKeys() []string {
	return []string{"filename", "message_matcher", "instruction_limit", "memory_limit", "output_limit", "process_message_inject_limit", "timer_event_inject_limit",
		"ticker_interval", "preserve_data", "preservation_version", "restricted_headers", "shutdown_on_terminate", "read_queue", "partition_by", "workers"}
}

// Misspelt says which keys of the config look like one of the host's, which they are not.
func (c *Config) Misspelt() (found []Finding) {
	known := HostKeys()
	var own []string
	for k := range c.Keys {
		if key, ok := k.(string); ok && len(key) <= 64 && !slices.Contains(known, key) {
			own = append(own, key)
		}
	}
	slices.Sort(own)
	for _, key := range own {
		for _, k := range known {
			if _, both := c.Keys[k]; !both && distance(key, k) <= 2 {
				found = append(found, Finding{Field: "config", Key: key, Text: fmt.Sprintf("the config key %s means nothing to the host; did you mean %s?", key, k)})
				break
			}
		}
	}
	return found
}

// Nearest is the one of known that a name looks like a slip for, "" for none.
func Nearest(name string, known []string) (near string) {
	best := 3
	for _, k := range known {
		if d := distance(name, k); d < best && d <= max(len(name), len(k))/2 {
			best, near = d, k
		}
	}
	return near
}

// distance is how many letters have to be put in, taken out or changed to make b of a (Levenshtein), in the dynamic program of Wagner and Fischer
// (1974) with one row.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
