package runner

import (
	"strings"
	"sync"
	"time"
)

// logRing keeps the newest lines that a plugin printed.
type logRing struct {
	mu   sync.Mutex
	ring []LogLine
	next int
}

// logLines and lineBytes bound what is kept of one plugin.
const (
	logLines  = 200
	lineBytes = 2 << 10
)

func newLogRing() *logRing { return &logRing{} }

func (g *logRing) add(at time.Time, text string) {
	if len(text) > lineBytes {
		text = strings.ToValidUTF8(text[:lineBytes], "") + "…"
	}
	line := LogLine{Time: at, Text: strings.Clone(text)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.ring) < logLines {
		g.ring = append(g.ring, line)
		return
	}
	g.ring[g.next] = line
	g.next = (g.next + 1) % logLines
}

func (g *logRing) lines() []LogLine {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append(append([]LogLine(nil), g.ring[g.next:]...), g.ring[:g.next]...)
}
