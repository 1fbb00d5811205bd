package disk

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sandbar/host/stream"
)

// Open opens the streams in dir, which is made when it is not there. What a crash left behind is put in
// order first: raw is cut behind its last whole frame, the other streams behind the last commit.
func Open(dir string, opt Options) (*Store, error) {
	opt = opt.withDefaults()
	s := &Store{
		dir: dir, opt: opt, logs: make(map[string]*log),
		turn: make(chan struct{}, 1), closing: make(chan struct{}),
	}
	if err := s.makeDirs(); err != nil {
		return nil, fmt.Errorf("open streams in %s: %w", dir, err)
	}
	lk, err := opt.FS.Lock(s.path("lock"))
	if err != nil {
		return nil, fmt.Errorf("open streams in %s: %w", dir, err)
	}
	s.lk = lk
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("open streams in %s: %w", dir, err), s.release())
	}
	go s.logs[stream.Raw].flush()
	return s, nil
}

func (s *Store) makeDirs() error {
	fs := s.opt.FS
	for _, name := range append(stream.Names(), "states") {
		if err := fs.MkdirAll(s.path(name)); err != nil {
			return err
		}
	}
	if err := fs.SyncDir(s.dir); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(filepath.Clean(s.dir)))
}

func (s *Store) recover() error {
	for _, name := range stream.Names() {
		segments, err := s.findSegments(name)
		if err != nil {
			return err
		}
		dir := s.path(name)
		s.logs[name] = &log{store: s, fs: s.opt.FS, name: name, dir: dir, segments: segments,
			tail: tail{fs: s.opt.FS, dir: dir, limit: s.opt.SegmentSize}}
	}
	cp, err := s.loadCheckpoint()
	if err != nil {
		return err
	}
	for _, name := range stream.Names() {
		l := s.logs[name]
		if name == stream.Raw {
			l.requests, l.stopped = make(chan *request), make(chan struct{})
			err = l.recoverRaw(furthest(cp, name))
		} else {
			cp.ends[name], err = l.recoverCommitted(cp.ends[name])
		}
		if err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
	}
	s.cp.Store(cp)
	s.states = states{fs: s.opt.FS, dir: s.path("states"), log: s.opt.Logger, sizes: make(map[int64]int64)}
	return s.states.open(cp)
}

// findSegments lists the segments of a stream. There may be gaps: a crash can undo part of a trim.
func (s *Store) findSegments(name string) ([]segment, error) {
	files, err := s.opt.FS.List(s.path(name))
	if err != nil {
		return nil, err
	}
	var found []segment
	for _, f := range files {
		digits, isLog := strings.CutSuffix(f.Name, ".log")
		id, err := strconv.ParseInt(digits, 10, 64)
		if !isLog || err != nil || id < 0 || strconv.FormatInt(id, 10) != digits {
			s.opt.Logger.Warn("a file is no segment and is left alone", "file", s.path(name, f.Name))
			continue
		}
		found = append(found, segment{id: id, size: f.Size, modified: f.Modified})
	}
	slices.SortFunc(found, func(a, b segment) int { return cmp.Compare(a.id, b.id) })
	return found, nil
}

// loadCheckpoint reads the checkpoint, or writes the first one of a new directory. Later than that there is
// always one, so that without it nothing can be said about the streams, and nothing may be cut.
func (s *Store) loadCheckpoint() (*checkpoint, error) {
	name := s.path(checkpointName)
	b, err := readFile(s.opt.FS, name, maxCheckpoint)
	if err == nil {
		cp, err := parseCheckpoint(b)
		if err == nil {
			err = s.checkStreams(cp)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w; put back a good copy, or move the whole directory away: the streams begin anew then, empty, and plugins without their states", name, err)
		}
		if cp.id != (stream.ID{}) {
			return cp, nil
		}
		rand.Read(cp.id[:]) // it was written before stores had one
		return cp, s.writeCheckpoint(cp)
	}
	if !isMissing(err) {
		return nil, err
	}
	cp := newCheckpoint()
	rand.Read(cp.id[:])
	for _, name := range stream.Names() {
		if name == stream.Raw {
			continue
		}
		cp.ends[name] = stream.Position{}
		for _, seg := range s.logs[name].segments {
			if seg.size > 0 {
				return nil, fmt.Errorf("%s is missing, but there are messages in stream %s; put the file back, or move the whole directory away: the streams begin anew then, empty, and plugins without their states", checkpointName, name)
			}
		}
	}
	return cp, s.writeCheckpoint(cp)
}

// writeCheckpoint puts cp in place of the one that is there.
func (s *Store) writeCheckpoint(cp *checkpoint) error {
	if err := writeFile(s.opt.FS, s.path(checkpointTemp), cp.appendTo(nil)); err != nil {
		return err
	}
	if err := s.opt.FS.Rename(s.path(checkpointTemp), s.path(checkpointName)); err != nil {
		return err
	}
	return s.opt.FS.SyncDir(s.dir)
}

// checkStreams refuses a checkpoint of other streams than ours.
func (s *Store) checkStreams(cp *checkpoint) error {
	for _, name := range stream.Names() {
		if _, ok := cp.ends[name]; ok == (name == stream.Raw) {
			return fmt.Errorf("it should name the end of every stream but raw, and stream %s is wrong", name)
		}
	}
	for name := range cp.ends {
		if s.logs[name] == nil {
			return fmt.Errorf("there is no stream %q", name)
		}
	}
	for reader, positions := range cp.readers {
		for name := range positions {
			if s.logs[name] == nil {
				return fmt.Errorf("reader %q: there is no stream %q", reader, name)
			}
		}
	}
	return nil
}

// furthest is the highest committed position in a stream.
func furthest(cp *checkpoint, name string) (high stream.Position) {
	for _, positions := range cp.readers {
		if p := positions[name]; high.Before(p) {
			high = p
		}
	}
	return high
}
