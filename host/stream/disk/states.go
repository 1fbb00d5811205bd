package disk

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// states are the files with the states of readers. All that change in one commit lie in one file behind
// one another, so that a commit costs one sync however many they are, and one that does not change is not
// written again. A file is removed when the checkpoint names nothing in it any more.
type states struct {
	fs    FS
	dir   string
	log   *slog.Logger
	next  int64           // number of the next file
	sizes map[int64]int64 // of the files that exist
}

// write makes changed states durable and notes in next where they are.
func (st *states) write(changed map[string][]byte, next *checkpoint) error {
	fresh := make(map[string][]byte)
	for name, b := range changed {
		ref, ok := next.states[name]
		switch {
		case b == nil:
			delete(next.states, name)
		case ok && ref.size == int64(len(b)) && ref.sum == xxhash.Sum64(b):
		default:
			delete(next.states, name)
			fresh[name] = b
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	st.carry(fresh, next)
	if err := st.writeFile(fresh, next); err != nil {
		return fmt.Errorf("write states: %w", err)
	}
	return nil
}

// carry adds the states that are left in files which are mostly waste. So no more room is wasted than used.
func (st *states) carry(fresh map[string][]byte, next *checkpoint) {
	used := make(map[int64]int64)
	for _, ref := range next.states {
		used[ref.file] += ref.size
	}
	for name, ref := range next.states {
		if used[ref.file] >= st.sizes[ref.file]/2 {
			continue
		}
		if b, err := st.read(ref); err == nil { // one that is damaged is left for State to complain of
			fresh[name] = b
		}
	}
}

func (st *states) writeFile(fresh map[string][]byte, next *checkpoint) error {
	number := st.next
	st.next++ // a number is not used again, whatever comes of this file
	f, err := st.fs.Create(st.path(number))
	if err != nil {
		return err
	}
	st.sizes[number] = 0
	var at int64
	for _, name := range slices.Sorted(maps.Keys(fresh)) {
		b := fresh[name]
		if _, err = f.WriteAt(b, at); err != nil {
			break
		}
		next.states[name] = stateRef{file: number, offset: at, size: int64(len(b)), sum: xxhash.Sum64(b)}
		at += int64(len(b))
	}
	if err = finish(f, err); err != nil {
		return err
	}
	st.sizes[number] = at
	if err := st.fs.SyncDir(st.dir); err != nil {
		return &syncError{err}
	}
	return nil
}

func (st *states) read(ref stateRef) ([]byte, error) {
	if ref.size > st.sizes[ref.file] || ref.offset > st.sizes[ref.file]-ref.size {
		return nil, fmt.Errorf("%s is too short or missing; put the file back, or remove what the state belongs to", st.path(ref.file))
	}
	f, err := st.fs.Open(st.path(ref.file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, ref.size)
	if n, err := f.ReadAt(b, ref.offset); n < len(b) {
		return nil, fmt.Errorf("read %s: %w", st.path(ref.file), err)
	}
	if xxhash.Sum64(b) != ref.sum {
		return nil, fmt.Errorf("%s is damaged at byte %d; put the file back, or remove what the state belongs to", st.path(ref.file), ref.offset)
	}
	return b, nil
}

// clean removes the files that c names nothing in. What cannot be removed is tried again at the next start.
func (st *states) clean(c *checkpoint) {
	used := make(map[int64]bool)
	for _, ref := range c.states {
		used[ref.file] = true
	}
	for number := range st.sizes {
		if used[number] {
			continue
		}
		delete(st.sizes, number)
		if err := st.fs.Remove(st.path(number)); err != nil && !isMissing(err) {
			st.log.Warn("an old state file stays until the next start", "error", err)
		}
	}
}

// open finds the files, and removes those that c does not need.
func (st *states) open(c *checkpoint) error {
	files, err := st.fs.List(st.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		number, err := strconv.ParseInt(f.Name, 10, 64)
		if err != nil || number < 0 {
			st.log.Warn("a file is no state file and is left alone", "file", filepath.Join(st.dir, f.Name))
			continue
		}
		st.sizes[number] = f.Size
		st.next = max(st.next, number+1)
	}
	for _, ref := range c.states {
		st.next = max(st.next, ref.file+1)
	}
	st.clean(c)
	return nil
}

func (st *states) path(number int64) string {
	return filepath.Join(st.dir, strconv.FormatInt(number, 10))
}
