package cmd

import (
	"fmt"
	"io"
	"os"
	"time"

	"sandbar/host/clock"
)

// progress shows on a terminal how far long work is, at most five times a second, and nothing elsewhere.
type progress struct {
	w    io.Writer // nil when it is no terminal
	what string
	next time.Time
	last int
}

func newProgress(w io.Writer, what string) *progress {
	p := &progress{what: what}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	return p
}

// show replaces the line by text.
func (p *progress) show(format string, args ...any) {
	if p.w == nil {
		return
	}
	now := clock.Now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(200 * time.Millisecond)
	line := p.what + ": " + fmt.Sprintf(format, args...)
	fmt.Fprintf(p.w, "\r%-*s", p.last, line)
	p.last = len(line)
}

// done clears the line.
func (p *progress) done() {
	if p.w != nil && p.last > 0 {
		fmt.Fprintf(p.w, "\r%*s\r", p.last, "")
	}
}
