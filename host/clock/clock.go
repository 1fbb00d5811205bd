// Package clock is where the program takes the time from.
//
// Everything else is handed a func() time.Time, so that tests choose the time. It must not know anybody.
package clock

import "time"

// Now is the current time.
func Now() time.Time { return time.Now() }
