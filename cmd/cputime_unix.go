//go:build unix

package cmd

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used of the processors so far; 0 where that is not to be had.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
