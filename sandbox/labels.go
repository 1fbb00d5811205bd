package sandbox

import (
	"fmt"
	"maps"
	"slices"

	"sandbar/sandbox/message"
)

// Labels say what alerts are about beside their ID: who looks after it, which country. Routes choose and group alerts by them.
type Labels map[string]string

// Bounds of labels.
const (
	maxLabels = 16
	maxLabel  = 255 // bytes of a value
)

// IsLabel says whether a text can be a label's name: up to 32 letters, digits and underscores, not beginning with a digit.
func IsLabel(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 32
}

// Set adds a label, or replaces its value.
func (l Labels) Set(name, value string) error {
	if !IsLabel(name) {
		return fmt.Errorf("%.40q is no name of a label: up to 32 letters, digits and underscores, not beginning with a digit", name)
	}
	if _, known := l[name]; !known && len(l) >= maxLabels {
		return fmt.Errorf("an alert has %d labels at most", maxLabels)
	}
	l[name] = cut(value, maxLabel)
	return nil
}

// labelsOf reads the labels of a config.
func labelsOf(table Table) (Labels, error) {
	l := Labels{}
	for k, v := range table {
		name, isName := k.(string)
		value, isText := v.(string)
		if !isName || !isText {
			return nil, fmt.Errorf("alert.labels: %v: labels are texts, labels = {team = \"web\"}", k)
		}
		if err := l.Set(name, value); err != nil {
			return nil, fmt.Errorf("alert.labels: %w", err)
		}
	}
	return l, nil
}

// with are these labels and others, of which more win.
func (l Labels) with(more Labels) (Labels, error) {
	if len(more) == 0 {
		return l, nil
	}
	all := maps.Clone(l)
	for name, value := range more {
		if err := all.Set(name, value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// names are sorted.
func (l Labels) names() []string { return slices.Sorted(maps.Keys(l)) }

// size is about what they take of a message.
func (l Labels) size() (n int) {
	for name, value := range l {
		n += len(message.LabelPrefix) + len(name) + len(value) + 16
	}
	return n
}
