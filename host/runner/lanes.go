package runner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// lanes is a decoder with several workers: instances of one plugin that work at the same time. Which of them gets a message is decided by the id of its document, so that what has the same id stays in
// order and meets the same state.
type lanes struct {
	all   []*lane
	calls []laneCall // of the newest run, one for each message
	emit  func(msg []byte) error

	jobs    []chan laneJob // of all workers but the first, which works on the caller's goroutine
	working sync.WaitGroup // on a run
	running sync.WaitGroup
}

// laneJob is what a run asks of a worker.
type laneJob struct {
	calls []laneCall
	views []message.View
	hits  []int32
	now   func() time.Time
}

// lane is one of the workers.
type lane struct {
	load func() (sandbox.Plugin, error)
	made [][]byte
	own  []int         // its messages of a run, by their places in it
	busy time.Duration // with them

	mu          sync.Mutex // guards what Interrupt reaches
	plugin      sandbox.Plugin
	interrupted bool
}

// laneCall is what a message came to.
type laneCall struct {
	res   sandbox.Result
	made  [][]byte
	ended bool // its worker cannot go on
}

// inLanes makes a loader of decoders with so many workers.
func inLanes(load Loader, workers int) Loader {
	return func(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
		l := &lanes{emit: env.Emit}
		for range workers {
			n := &lane{}
			own := env
			own.Emit = func(msg []byte) error {
				n.made = append(n.made, bytes.Clone(msg))
				return nil
			}
			own.Here = func() []string { return nil } // decoders raise no alerts
			n.load = func() (sandbox.Plugin, error) { return load(cfg, source, own) }
			plugin, err := n.load()
			if err != nil {
				return nil, errors.Join(err, l.Close())
			}
			n.plugin = plugin
			l.all = append(l.all, n)
		}
		for _, n := range l.all[1:] {
			jobs := make(chan laneJob)
			l.jobs = append(l.jobs, jobs)
			l.running.Go(func() {
				for j := range jobs {
					n.work(j)
					l.working.Done()
				}
			})
		}
		return l, nil
	}
}

// of is the worker that a message falls to.
func (l *lanes) of(v *message.View) *lane {
	f, ok := v.Field("uri", 0)
	if !ok || len(l.all) == 1 {
		return l.all[0]
	}
	uri, _ := f.Bytes(0)
	return l.all[xxhash.Sum64(documentID(uri))%uint64(len(l.all))]
}

// documentID is the first part of a path that looks like a UUID; the whole path when none does.
func documentID(uri []byte) []byte {
	rest := uri
	for found := true; found; {
		var part []byte
		part, rest, found = bytes.Cut(rest, []byte("/"))
		if len(part) == 36 && part[8] == '-' && part[13] == '-' && part[18] == '-' && part[23] == '-' {
			return part
		}
	}
	return uri
}

// run calls the workers for the messages of views that hits names, each for its own in order, and returns when all are done, with how long they were busy in all. Behind a call that ends a worker its
// other messages have no result.
func (l *lanes) run(views []message.View, hits []int32, now func() time.Time) (calls []laneCall, busy time.Duration) {
	if cap(l.calls) < len(hits) {
		l.calls = make([]laneCall, len(hits))
	}
	l.calls = l.calls[:len(hits)]
	clear(l.calls)
	for i, h := range hits {
		n := l.of(&views[h])
		n.own = append(n.own, i)
	}
	job := laneJob{l.calls, views, hits, now}
	for i, n := range l.all[1:] {
		if len(n.own) > 0 {
			l.working.Add(1)
			l.jobs[i] <- job
		}
	}
	l.all[0].work(job)
	l.working.Wait()
	for _, n := range l.all {
		busy += n.busy
		n.own, n.made, n.busy = n.own[:0], nil, 0
	}
	return l.calls, busy
}

func (n *lane) work(j laneJob) {
	start := j.now()
	defer func() { n.busy = j.now().Sub(start) }()
	calls := j.calls
	for _, i := range n.own {
		before := len(n.made)
		res := n.plugin.Process(&j.views[j.hits[i]])
		calls[i] = laneCall{res: res, made: n.made[before:len(n.made):len(n.made)]}
		switch res.Outcome {
		case sandbox.TerminatedByPlugin, sandbox.Stopped:
			calls[i].ended = true
		case sandbox.MemoryExceeded: // its state is of no use any more
			calls[i].ended = n.reload() != nil
		}
		if calls[i].ended {
			return
		}
	}
}

// reload loads the worker anew, without a state.
func (n *lane) reload() error {
	plugin, err := n.load()
	if err != nil {
		return err
	}
	n.mu.Lock()
	old := n.plugin
	n.plugin = plugin
	if n.interrupted {
		plugin.Interrupt()
	}
	n.mu.Unlock()
	return old.Close()
}

// Process implements sandbox.Plugin.
func (l *lanes) Process(m *message.View) sandbox.Result {
	n := l.of(m)
	return l.flush(n, n.plugin.Process(m))
}

// flush gives what a worker made to the host.
func (l *lanes) flush(n *lane, res sandbox.Result) sandbox.Result {
	for _, msg := range n.made {
		if err := l.emit(msg); err != nil {
			res.Outcome, res.Text = sandbox.RuntimeError, err.Error()
		}
	}
	n.made = nil
	return res
}

// Timer implements sandbox.Plugin: every worker has its timer event.
func (l *lanes) Timer(ns int64, shutdown bool) sandbox.Result {
	var all sandbox.Result
	for i, n := range l.all {
		res := l.flush(n, n.plugin.Timer(ns, shutdown))
		res.Fuel += all.Fuel
		if all.Fuel = res.Fuel; i == 0 || res.Outcome != sandbox.OK {
			all = res
		}
		if res.Outcome != sandbox.OK {
			break
		}
	}
	return all
}

// Interrupt implements sandbox.Plugin.
func (l *lanes) Interrupt() {
	for _, n := range l.all {
		n.mu.Lock()
		n.interrupted = true
		n.plugin.Interrupt()
		n.mu.Unlock()
	}
}

// Memory implements sandbox.Plugin.
func (l *lanes) Memory() (sum int64) {
	for _, n := range l.all {
		sum += n.plugin.Memory()
	}
	return sum
}

// Close implements sandbox.Plugin.
func (l *lanes) Close() error {
	for _, jobs := range l.jobs {
		close(jobs)
	}
	l.running.Wait()
	l.jobs = nil
	var errs []error
	for _, n := range l.all {
		errs = append(errs, n.plugin.Close())
	}
	return errors.Join(errs...)
}

// Lint implements sandbox.Linter.
func (l *lanes) Lint(source []byte) []sandbox.Finding {
	if p, ok := l.all[0].plugin.(sandbox.Linter); ok {
		return p.Lint(source)
	}
	return nil
}

// laneStates is what the state of a plugin with several workers begins with. Their number and their states follow, each with its length.
const laneStates = "sandbar workers 1\n"

// Snapshot implements sandbox.Plugin.
func (l *lanes) Snapshot() ([]byte, error) {
	out := binary.AppendUvarint([]byte(laneStates), uint64(len(l.all)))
	some := false
	for _, n := range l.all {
		state, err := n.plugin.Snapshot()
		if err != nil {
			return nil, err
		}
		some = some || len(state) > 0
		out = append(binary.AppendUvarint(out, uint64(len(state))), state...)
		if r, ok := n.plugin.(sandbox.Recycler); ok && len(state) > 0 {
			r.Recycle(state)
		}
	}
	if !some {
		return nil, nil
	}
	return out, nil
}

// Restore implements sandbox.Plugin. When there were fewer workers before, and their number divides the present one, each goes on with all it needs: what fell to it fell to the one whose state it
// gets. In any other case a part of what they knew is forgotten.
func (l *lanes) Restore(state []byte) error {
	states, err := splitStates(state)
	if err != nil {
		return err
	}
	for i, n := range l.all {
		if err := n.plugin.Restore(states[i%len(states)]); err != nil {
			return err
		}
	}
	return nil
}

// splitStates are the states of each worker: one when it is of a plugin with one.
func splitStates(state []byte) ([][]byte, error) {
	rest, ok := bytes.CutPrefix(state, []byte(laneStates))
	if !ok {
		return [][]byte{state}, nil
	}
	count, n := binary.Uvarint(rest)
	if n <= 0 || count == 0 || count > uint64(len(rest)) {
		return nil, fmt.Errorf("the state of several workers is damaged: %d of them in %d bytes", count, len(state))
	}
	rest = rest[n:]
	states := make([][]byte, count)
	for i := range states {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return nil, fmt.Errorf("the state of several workers is damaged: that of worker %d is not whole", i+1)
		}
		states[i], rest = rest[n:n+int(size)], rest[n+int(size):]
	}
	return states, nil
}
