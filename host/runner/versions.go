package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sandbar/host/runner/commit"
	"sandbar/host/stream"
)

// Beside the state that a plugin has now, the store has those that its last versions had at their end.
const (
	versionsState = "versions." // prefix of the name: which version the state is of, and of which others there is one
	keptState     = "kept."     // prefix of number and name: what a version had at its end
	keptStates    = 3           // of a plugin
)

// stateVersions is in the state versionsState.
type stateVersions struct {
	Now  int   `json:"now"`  // version that the present state is of; 0: there is none
	Kept []int `json:"kept"` // the oldest first
}

func keptName(version int, name string) string {
	return fmt.Sprintf("%s%d.%s", keptState, version, name)
}

func (r *Runner) stateVersions(ctx context.Context, name string) (v stateVersions, err error) {
	text, err := r.opt.Store.State(ctx, versionsState+name)
	if err == nil && text != nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		err = fmt.Errorf("read of which versions of plugin %s there are states: %w", name, err)
	}
	return v, err
}

// keep notes the present state as that which its version had at its end. What is too old goes.
func (v *stateVersions) keep(name string, state []byte, states map[string][]byte) {
	if v.Now > 0 && state != nil {
		v.Kept = append(slices.DeleteFunc(v.Kept, func(n int) bool { return n == v.Now }), v.Now)
		states[keptName(v.Now, name)] = state
	}
	for len(v.Kept) > keptStates {
		states[keptName(v.Kept[0], name)] = nil
		v.Kept = v.Kept[1:]
	}
}

func (v *stateVersions) put(name string, states map[string][]byte) {
	states[versionsState+name], _ = json.Marshal(v) // integers
}

// TurnTo makes the state of a plugin that does not run the beginning of a version. What it is now is kept as that which the version
// before had at its end. With from it becomes what version from had at its end, none if that is not kept; with 0 it stays. For the same
// version it does nothing.
func (r *Runner) TurnTo(ctx context.Context, name string, version, from int) error {
	if err := r.settle(ctx, name); err != nil {
		return fmt.Errorf("turn plugin %s to version %d: commit what it did before: %w", name, version, err)
	}
	v, err := r.stateVersions(ctx, name)
	if err != nil || v.Now == version {
		return err
	}
	state, err := r.opt.Store.State(ctx, name)
	if err != nil {
		return fmt.Errorf("turn plugin %s to version %d: read its state: %w", name, version, err)
	}
	states := map[string][]byte{}
	if from > 0 {
		then, err := r.opt.Store.State(ctx, keptName(from, name))
		if err != nil {
			return fmt.Errorf("turn plugin %s to version %d: read the state of version %d: %w", name, version, from, err)
		}
		states[name] = then
	}
	v.keep(name, state, states)
	v.Now = version
	v.put(name, states)
	if from == 0 { // nobody reads what this changes
		r.commits.Submit(commit.Part{States: states})
		return nil
	}
	return r.commitNow(ctx, commit.Part{States: states})
}

// Adopt makes the state that another plugin has now, and how far it has read, the beginning of a version of one that does not run. What the
// state was is kept as that which the version before had at its end. When the other has gone its newest kept state is taken. For the same
// version it does nothing.
func (r *Runner) Adopt(ctx context.Context, name string, version int, from string) error {
	if err := errors.Join(r.settle(ctx, name), r.settle(ctx, from)); err != nil {
		return fmt.Errorf("begin plugin %s with the state of %s: commit what they did before: %w", name, from, err)
	}
	v, err := r.stateVersions(ctx, name)
	if err != nil || v.Now == version {
		return err
	}
	state, err := r.opt.Store.State(ctx, name)
	if err != nil {
		return fmt.Errorf("begin plugin %s with the state of %s: read its own: %w", name, from, err)
	}
	then, positions, err := r.stateAt(ctx, from)
	if err != nil {
		return fmt.Errorf("begin plugin %s with the state of %s: %w", name, from, err)
	}
	states := map[string][]byte{}
	v.keep(name, state, states)
	v.Now, states[name] = version, then
	v.put(name, states)
	return r.commitNow(ctx, commit.Part{Reader: name, Positions: positions, States: states})
}

// stateAt is the committed state of a plugin with the positions that it is of; no positions when it has gone.
func (r *Runner) stateAt(ctx context.Context, name string) (state []byte, positions map[string]stream.Position, err error) {
	positions = r.opt.Store.Readers()[name]
	for { // both are of one commit when nothing was committed meanwhile
		if state, err = r.opt.Store.State(ctx, name); err != nil {
			return nil, nil, err
		}
		now := r.opt.Store.Readers()[name]
		if maps.Equal(now, positions) {
			break
		}
		if positions = now; ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
	if state != nil || positions != nil {
		return state, positions, nil
	}
	v, err := r.stateVersions(ctx, name)
	if err != nil || len(v.Kept) == 0 {
		return nil, nil, err
	}
	state, err = r.opt.Store.State(ctx, keptName(v.Kept[len(v.Kept)-1], name))
	return state, nil, err
}

// commitNow makes a part durable, also before Begin.
func (r *Runner) commitNow(ctx context.Context, p commit.Part) error {
	r.commits.Submit(p)
	r.mu.Lock()
	begun := r.begun
	r.mu.Unlock()
	if begun {
		return r.commits.Flush(ctx)
	}
	return r.commits.Commit()
}

// States are the versions of a plugin of which there is a state, besides the present one.
func (r *Runner) States(ctx context.Context, name string) ([]int, error) {
	v, err := r.stateVersions(ctx, name)
	return v.Kept, err
}

// retire is the part that drops position and state of a plugin. What it has is kept as that which its version had at its end.
func (r *Runner) retire(ctx context.Context, name string) (commit.Part, error) {
	states := map[string][]byte{name: nil, lakeState + name: nil}
	v, err := r.stateVersions(ctx, name)
	if err == nil && v.Now > 0 {
		var state []byte
		if state, err = r.opt.Store.State(ctx, name); err == nil {
			v.keep(name, state, states)
			v.Now = 0
			v.put(name, states)
		}
	}
	return commit.Part{Reader: name, Forget: true, States: states}, err
}

// Purge drops all that there is of plugins that do not run, with the states of their versions.
func (r *Runner) Purge(ctx context.Context, names []string) error {
	for _, name := range names {
		v, err := r.stateVersions(ctx, name)
		if err != nil {
			return err
		}
		if v.Now == 0 && v.Kept == nil {
			continue
		}
		states := map[string][]byte{name: nil, lakeState + name: nil, versionsState + name: nil}
		for _, n := range v.Kept {
			states[keptName(n, name)] = nil
		}
		if err := r.commitNow(ctx, commit.Part{Reader: name, Forget: true, States: states}); err != nil {
			return err
		}
	}
	return nil
}
