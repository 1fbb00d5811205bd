// Package clock is where the program takes the time from.
//
// Everything else is handed a func() time.Time, so that tests choose the time. It must not know anybody.
package clock

import "time"

// Now is the current time.
func Now() time.Time { return time.Now() }

// Jump is by how much the clock was changed between two times that Now returned: what it shows went on by more, or less, than
// time did.
func Jump(before, after time.Time) time.Duration {
	return after.Round(0).Sub(before.Round(0)) - after.Sub(before)
}
