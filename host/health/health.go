// Package health keeps what is wrong with the parts of a host at this moment, for its page, API and metrics.
package health

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Trouble is one part that does not do its work now.
type Trouble struct {
	Part  string    `json:"part"` // "landfill"
	Since time.Time `json:"since"`
	Text  string    `json:"text"` // the newest error
}

// Board keeps the troubles. Any goroutine may use it.
type Board struct {
	now func() time.Time
	log *slog.Logger

	mu       sync.Mutex
	troubles map[string]Trouble
}

// NewBoard returns a board without troubles.
func NewBoard(now func() time.Time, log *slog.Logger) *Board {
	return &Board{now: now, log: log, troubles: map[string]Trouble{}}
}

// Report says how a part fares: an error that keeps it from its work, or nil when it does that. The log has when a trouble
// begins and ends.
func (b *Board) Report(part string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, troubled := b.troubles[part]
	switch {
	case err != nil && !troubled:
		b.troubles[part] = Trouble{Part: part, Since: b.now(), Text: err.Error()}
		b.log.Error("trouble", "part", part, "error", err)
	case err != nil:
		old.Text = err.Error()
		b.troubles[part] = old
	case troubled:
		delete(b.troubles, part)
		b.log.Info("the trouble is over", "part", part, "lasted", b.now().Sub(old.Since).Round(time.Second))
	}
}

// Scope is a part of the board for those who come and go: its parts have the prefix, and it can be left without troubles.
type Scope struct {
	board  *Board
	prefix string

	mu    sync.Mutex
	parts map[string]bool
	left  bool
}

// Scope makes one.
func (b *Board) Scope(prefix string) *Scope {
	return &Scope{board: b, prefix: prefix, parts: map[string]bool{}}
}

// Report is Board.Report until Leave.
func (s *Scope) Report(part string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return
	}
	s.parts[s.prefix+part] = true
	s.board.Report(s.prefix+part, err)
}

// Leave takes back all troubles.
func (s *Scope) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
	for part := range s.parts {
		s.board.Report(part, nil)
	}
}

// Troubles lists what is wrong now, the oldest first.
func (b *Board) Troubles() []Trouble {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Trouble, 0, len(b.troubles))
	for _, t := range b.troubles {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Trouble) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Part, b.Part)) })
	return all
}
