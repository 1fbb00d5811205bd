//go:build unix

package datasets

import (
	"os/exec"
	"syscall"
)

const niceness = 10

// detach keeps signals of the terminal away from a process, and lets all that it starts be ended with it.
func detach(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}

// lower lets everybody else's work go first.
func lower(pid int) {
	_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, niceness) // without it the query is only less polite
}
