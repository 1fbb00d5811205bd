// Package partitions joins the partitions that a host has now: each has a runner and a landfill of its own, and people see one plugin
// and one landfill.
//
// It must not know how partitions come and go, or what a plugin is made of.
package partitions

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"sandbar/host/landfill"
	"sandbar/host/runner"
	"sandbar/host/runner/commit"
	"sandbar/host/stream"
	"sandbar/sandbox"
)

// Runner is that of one partition; *runner.Runner is one.
type Runner interface {
	Check(ctx context.Context, cfg *sandbox.Config, source []byte) ([]sandbox.Finding, error)
	Hold(cfg *sandbox.Config) error
	Start(ctx context.Context, cfg *sandbox.Config, source []byte, from runner.From) error
	TurnTo(ctx context.Context, name string, version, from int) error
	Adopt(ctx context.Context, name string, version int, from string) error
	States(ctx context.Context, name string) ([]int, error)
	Purge(ctx context.Context, names []string) error
	Stop(ctx context.Context, name string) error
	Replace(ctx context.Context, name string) error
	Remove(ctx context.Context, name string) error
	Status(name string) (runner.Status, bool)
	List() []runner.Status
	Logs(name string) []runner.LogLine
	Commits() commit.Stats
}

// Archive is the landfill of one partition; *landfill.Landfill is one.
type Archive interface {
	Stats() landfill.Stats
}

// Check loads a plugin without any state, and closes it again.
type Check func(ctx context.Context, cfg *sandbox.Config, source []byte) ([]sandbox.Finding, error)

// Set is the partitions that a host has now, as one runner and one archive. Its methods may be called at the same time.
type Set struct {
	of     int   // partitions, on all hosts
	check  Check // while there is no partition
	atWork func(names []string)

	mu      sync.Mutex
	members map[int32]member
	work    map[int32][]string // plugins that are at long work, by partition
	changes int64

	// of partitions that have gone
	plugins map[string]runner.Stats // since they were started, by name
	commits commit.Stats
	archive landfill.Stats
}

// Share is what a host has of all partitions.
type Share struct {
	Here    []int32 `json:"here"`    // their numbers
	Of      int     `json:"of"`      // how many there are on all hosts
	Changes int64   `json:"changes"` // times that one came to this host or left, since the host was started
}

type member struct {
	runner  Runner
	archive Archive
}

// New makes an empty set, of so many partitions on all hosts. atWork is told which plugins are at long work in any partition, whenever that changes.
func New(of int, check Check, atWork func(names []string)) *Set {
	return &Set{of: of, check: check, atWork: atWork, members: map[int32]member{}, work: map[int32][]string{}, plugins: map[string]runner.Stats{}}
}

// Come makes a partition one of the set.
func (s *Set) Come(n int32, r Runner, a Archive) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[n] = member{r, a}
	s.changes++
}

// Leave takes a partition out. What it has counted stays counted.
func (s *Set) Leave(n int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.members[n]; ok {
		s.commits = addCommits(s.commits, m.runner.Commits())
		of := m.archive.Stats()
		s.archive.Files += of.Files
		s.archive.Bytes += of.Bytes
		for _, p := range m.runner.List() {
			p.Stats.Memory = 0 // it has gone with it
			s.plugins[p.Name] = s.plugins[p.Name].Plus(p.Stats)
		}
		s.changes++
	}
	delete(s.members, n)
}

// Share tells which partitions are here.
func (s *Set) Share() Share {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := slices.AppendSeq(make([]int32, 0, len(s.members)), maps.Keys(s.members))
	slices.Sort(here)
	return Share{Here: here, Of: s.of, Changes: s.changes}
}

// AtWork is told which plugins of a partition are at long work.
func (s *Set) AtWork(n int32, names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work[n] = names; len(names) == 0 {
		delete(s.work, n)
	}
	var all []string
	for _, names := range s.work {
		all = append(all, names...)
	}
	slices.Sort(all)
	s.atWork(slices.Compact(all))
}

// all lists the members by number.
func (s *Set) all() (list []member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(s.members)) {
		list = append(list, s.members[n])
	}
	return list
}

// leaves says that an error is of a partition that is being closed.
func leaves(err error) bool {
	return errors.Is(err, commit.ErrOver) || errors.Is(err, stream.ErrClosed)
}

// each does something in every partition, one after the other, to the end. One that is being closed does not count: its successor
// begins with what the catalog says.
func (s *Set) each(f func(r Runner) error) error {
	var errs []error
	for _, m := range s.all() {
		if err := f(m.runner); err != nil && !leaves(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Check loads a plugin as Start would, with the state that it has in each partition, and closes it again.
func (s *Set) Check(ctx context.Context, cfg *sandbox.Config, source []byte) ([]sandbox.Finding, error) {
	var found []sandbox.Finding
	checked := false
	for _, m := range s.all() {
		of, err := m.runner.Check(ctx, cfg, source)
		switch {
		case err == nil:
			found, checked = of, true
		case !leaves(err):
			return nil, err
		}
	}
	if !checked {
		return s.check(ctx, cfg, source)
	}
	return found, nil
}

// Hold lets submissions wait for a decoder that does not run.
func (s *Set) Hold(cfg *sandbox.Config) error {
	return s.each(func(r Runner) error { return r.Hold(cfg) })
}

// anew lets a plugin count from zero.
func (s *Set) anew(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.plugins, name)
}

// Start runs a plugin in all partitions, or in none.
func (s *Set) Start(ctx context.Context, cfg *sandbox.Config, source []byte, from runner.From) error {
	s.anew(cfg.Logger())
	var started []Runner
	for _, m := range s.all() {
		err := m.runner.Start(ctx, cfg, source, from)
		if leaves(err) {
			continue
		}
		if err != nil {
			for _, r := range started {
				err = errors.Join(err, r.Stop(context.WithoutCancel(ctx), cfg.Logger()))
			}
			return err
		}
		started = append(started, m.runner)
	}
	return nil
}

// TurnTo makes the state of a plugin the beginning of a version, in all partitions.
func (s *Set) TurnTo(ctx context.Context, name string, version, from int) error {
	return s.each(func(r Runner) error { return r.TurnTo(ctx, name, version, from) })
}

// Adopt makes the state of another plugin the beginning of a version, in all partitions.
func (s *Set) Adopt(ctx context.Context, name string, version int, from string) error {
	return s.each(func(r Runner) error { return r.Adopt(ctx, name, version, from) })
}

// States are the versions of a plugin whose state at their end is kept in any partition.
func (s *Set) States(ctx context.Context, name string) (versions []int, err error) {
	err = s.each(func(r Runner) error {
		of, err := r.States(ctx, name)
		versions = append(versions, of...)
		return err
	})
	slices.Sort(versions)
	return slices.Compact(versions), err
}

// Purge drops all states of plugins that do not run.
func (s *Set) Purge(ctx context.Context, names []string) error {
	return s.each(func(r Runner) error { return r.Purge(ctx, names) })
}

// Stop ends a plugin in all partitions where it runs.
func (s *Set) Stop(ctx context.Context, name string) error {
	return s.each(func(r Runner) error { return r.Stop(ctx, name) })
}

// Replace stops a plugin that is to be replaced.
func (s *Set) Replace(ctx context.Context, name string) error {
	return s.each(func(r Runner) error { return r.Replace(ctx, name) })
}

// Remove stops a plugin and forgets it.
func (s *Set) Remove(ctx context.Context, name string) error {
	s.anew(name)
	return s.each(func(r Runner) error { return r.Remove(ctx, name) })
}

// Logs returns what a plugin printed lately, oldest first.
func (s *Set) Logs(name string) (lines []runner.LogLine) {
	for _, m := range s.all() {
		lines = append(lines, m.runner.Logs(name)...)
	}
	slices.SortStableFunc(lines, func(a, b runner.LogLine) int { return a.Time.Compare(b.Time) })
	return lines
}

// Status of a plugin, as of one. What it did in partitions that have gone is counted.
func (s *Set) Status(name string) (sum runner.Status, known bool) {
	for _, m := range s.all() {
		st, ok := m.runner.Status(name)
		switch {
		case !ok:
		case !known:
			sum, known = st, true
		default:
			sum = runner.Join(sum, st)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if gone, ok := s.plugins[name]; ok && known {
		sum.Stats = sum.Stats.Plus(gone)
	}
	return sum, known
}

// Commits are the numbers of commits in all partitions, also of those that have gone.
func (s *Set) Commits() commit.Stats {
	s.mu.Lock()
	sum := s.commits
	s.mu.Unlock()
	for _, m := range s.all() {
		sum = addCommits(sum, m.runner.Commits())
	}
	return sum
}

func addCommits(a, b commit.Stats) commit.Stats {
	return commit.Stats{Commits: a.Commits + b.Commits, Failed: a.Failed + b.Failed, Time: a.Time + b.Time}
}

// Stats are those of landfill in all partitions, also of those that have gone.
func (s *Set) Stats() landfill.Stats {
	s.mu.Lock()
	sum := s.archive
	s.mu.Unlock()
	for _, m := range s.all() {
		of := m.archive.Stats()
		sum.Files += of.Files
		sum.Bytes += of.Bytes
		sum.Waiting += of.Waiting
		if sum.Since.IsZero() || !of.Since.IsZero() && of.Since.Before(sum.Since) {
			sum.Since = of.Since
		}
	}
	return sum
}
