// Package deaths remembers, over unclean ends of the process, which plugins were at long work when it died. A plugin
// that was there several times in a row is likely to be the cause.
//
// It knows names only. Its file is written when the set of plugins at long work changes, which is seldom, and not synced:
// it has to survive the process, not the machine.
package deaths

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// Limit is how many deaths in a row quarantine a plugin.
const Limit = 3

// maxFile bounds what is read: names have at most 73 bytes, and few are at work at a time.
const maxFile = 4 << 20

// Journal is an open file. Its methods may be called at the same time.
type Journal struct {
	path string

	mu    sync.Mutex
	state state
}

// state is the file.
type state struct {
	Running bool           `json:"running"` // the process that wrote it has not ended cleanly
	AtWork  []string       `json:"at_work,omitempty"`
	Deaths  map[string]int `json:"deaths,omitempty"` // in a row, by plugin
}

// Open reads the file, counts the death of the process before if it was one, and begins a new run. suspects are the plugins
// that were at work Limit times in a row; their count begins anew.
func Open(path string) (j *Journal, suspects []string, err error) {
	j = &Journal{path: path}
	before, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	j.state = state{Running: true, Deaths: map[string]int{}}
	if before.Running {
		for _, name := range before.AtWork {
			if n := before.Deaths[name] + 1; n >= Limit {
				suspects = append(suspects, name)
			} else {
				j.state.Deaths[name] = n
			}
		}
	}
	return j, suspects, j.write()
}

// read returns an empty state when there is no file, or one that tells nothing: a damaged journal must not keep the
// host from starting.
func read(path string) (s state, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read who was at work when the host died: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return s, fmt.Errorf("read who was at work when the host died: %w", err)
	}
	if json.Unmarshal(text, &s) != nil {
		s = state{}
	}
	return s, nil
}

// AtWork notes which plugins are at long work now.
func (j *Journal) AtWork(names []string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.AtWork = names
	return j.write()
}

// Close notes a clean end, which ends every row.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state = state{}
	return j.write()
}

func (j *Journal) write() error {
	text, err := json.Marshal(j.state)
	if err == nil {
		err = os.WriteFile(j.path+".new", text, 0o640)
	}
	if err == nil {
		err = os.Rename(j.path+".new", j.path)
	}
	if err != nil {
		return fmt.Errorf("write who is at work: %w", err)
	}
	return nil
}
