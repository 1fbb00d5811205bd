package stream

import (
	"fmt"
	"slices"
)

// MaxName is the longest name of a reader or a state, in bytes.
const MaxName = 255

// CheckName refuses a name of a reader or a state that a store cannot keep.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("name %.40q has %d bytes; 1 to %d are allowed", name, len(name), MaxName)
	}
	return nil
}

// CheckMessages refuses what could not be read back.
func CheckMessages(name string, msgs [][]byte, most int) error {
	for _, m := range msgs {
		if len(m) > most {
			return fmt.Errorf("append %d bytes to stream %s: %w of %d", len(m), name, ErrTooLarge, most)
		}
		if len(m) == 0 {
			return fmt.Errorf("append to stream %s: a message is empty, and a frame cannot be", name)
		}
	}
	return nil
}

// Check refuses a commit that no store takes; most is the largest message, partitions how many there are. Whether positions are ahead
// of their streams only the store knows.
func (c *Commit) Check(most, partitions int) error {
	for name, msgs := range c.Appends {
		if !slices.Contains(Names(), name) || name == Raw {
			return fmt.Errorf("append to stream %q: it is not one that a commit writes to", name)
		}
		if err := CheckMessages(name, msgs, most); err != nil {
			return err
		}
	}
	for reader, positions := range c.Positions {
		if err := CheckName(reader); err != nil {
			return fmt.Errorf("reader: %w", err)
		}
		for name, p := range positions {
			_, partition, elsewhere := ParseElsewhere(name)
			if !slices.Contains(Names(), name) && !(elsewhere && partition < partitions) || p.Segment < 0 || p.Offset < 0 {
				return fmt.Errorf("reader %q: %s of stream %q is no position", reader, p, name)
			}
		}
	}
	for name := range c.States {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	return nil
}
