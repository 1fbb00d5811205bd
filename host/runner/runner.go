// Package runner moves messages from the streams through the plugins and commits what they make of them.
//
// Each stream is read once by a fanout, which shows every message only to the plugins that want it. Each
// plugin has a worker, a goroutine of its own; one that is slow leaves the fanout and catches up from the log. Package
// commit gathers how far each plugin is, its state and what it made into one stream.Commit.
//
// Locks are taken in this order: Runner.mu, fanout.mu, inbox.mu.
//
// It knows nothing of how a plugin is executed (a Loader is handed in), stored or shown.
package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbar/host/runner/commit"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// Options of a Runner. All but Lake, Failed, Shadow, OnEnd, AtWork, Report and the times are required.
type Options struct {
	Store stream.Store
	Load  Loader
	Env   func(*sandbox.Config) sandbox.Env // what a plugin may reach, but for Emit, Log and Lake
	// Inherited is the state that a plugin begins with which has none: what Hindsight preserved of it. It may be nil, and return nil.
	Inherited func(cfg *sandbox.Config) ([]byte, error)
	Lake      func(logger string) LakeWriter // one for each output plugin
	// Failed is told of each message that a plugin returned -1 for, which is valid during the call only.
	Failed func(name, text string, m *message.View)
	// Shadow takes what a plugin makes that runs in the shadow of another.
	Shadow func(name string, msgs [][]byte)
	OnEnd  func(*sandbox.Error) // a plugin ended by itself; called once, not under a lock
	// AtWork is told which plugins have been in one piece of work for longer than a second, whenever that changes, so
	// that it can be known which ones were when the process dies.
	AtWork func(names []string)
	// Report is told when a part does not do its work, and with nil when that is over: commits, files of an output.
	Report    func(part string, err error)
	Partition Partition     // of the store; the zero value when it is the only one
	Interval  time.Duration // between commits; 200 ms when 0
	Timeout   time.Duration // of one commit; 30 s when 0
	CloseTime time.Duration // that Close waits for plugins; 4 s when 0
	Now       func() time.Time
	Log       *slog.Logger
}

// Partition is which one of how many.
type Partition struct{ Number, Of int }

// hosts says whether a plugin of global scope runs in this partition: it runs in one, which its name says.
func (p Partition) hosts(name string) bool {
	return p.Of < 2 || int(spread(name)%uint32(p.Of)) == p.Number
}

// From says where a plugin begins that has no committed position yet.
type From int

const (
	Oldest From = iota // with everything that is kept
	Newest             // with what comes from now on
)

var errClosing = commit.ErrOver

// Runner runs plugins over a store.
type Runner struct {
	opt     Options
	log     *slog.Logger
	fanouts map[string]*fanout
	commits *commit.Committer
	claims  claims

	mu        sync.Mutex
	plugins   map[string]*entry
	loading   map[string]bool  // names that Start is loading
	held      map[string]claim // decoders that do not run, by name
	unclaimed *worker          // takes what no decoder wants
	begun     bool
	closed    bool

	loads    chan struct{} // one entry for each plugin that is being loaded or checked
	reads    chan struct{} // one entry for each plugin that is reading by itself
	watch    *watch
	cancel   context.CancelFunc
	readTime context.Context // ends with cancel
	reading  sync.WaitGroup  // fanouts
	running  sync.WaitGroup  // plugins
	endSync  chan struct{}
	synced   chan error
}

// entry is a plugin that was started once.
type entry struct {
	worker *worker
	status Status
	logs   *logRing
}

// New makes a runner that runs nothing yet. Start the plugins that were there before, then Begin.
func New(opt Options) *Runner {
	opt.Interval, opt.Timeout, opt.CloseTime = cmp.Or(opt.Interval, 200*time.Millisecond), cmp.Or(opt.Timeout, 30*time.Second), cmp.Or(opt.CloseTime, 4*time.Second)
	if opt.OnEnd == nil {
		opt.OnEnd = func(*sandbox.Error) {}
	}
	if opt.Shadow == nil {
		opt.Shadow = func(string, [][]byte) {}
	}
	if opt.Report == nil {
		opt.Report = func(string, error) {}
	}
	r := &Runner{opt: opt, log: opt.Log, fanouts: map[string]*fanout{}, plugins: map[string]*entry{}, loading: map[string]bool{}, held: map[string]claim{},
		loads: make(chan struct{}, maxLoads), reads: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), watch: newWatch(opt.AtWork),
		endSync: make(chan struct{}), synced: make(chan error, 1)}
	for _, s := range append(stream.Names(), opt.Partition.elsewhere()...) {
		r.fanouts[s] = &fanout{name: s, log: opt.Store.Log(s), logger: opt.Log, now: opt.Now, report: opt.Report}
	}
	r.claims.set(nil)
	r.commits = commit.New(commit.Options{Store: opt.Store, Members: r.members, Interval: opt.Interval, Timeout: opt.Timeout, Now: opt.Now, Report: opt.Report})
	return r
}

// Begin commits where every plugin begins, then starts reading. It is called once.
func (r *Runner) Begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun || r.closed {
		return errors.New("runner: Begin comes once, and before Close")
	}
	if err := r.addUnclaimed(); err != nil {
		return err
	}
	workers := r.sorted()
	subs := make([]*subscriber, len(workers))
	for i, w := range workers {
		subs[i] = w.subscriber
		w.inbox.resting(func(pos map[string]stream.Position) { r.commits.Submit(commit.Part{Reader: w.name, Positions: pos}) })
	}
	if err := r.commits.Commit(); err != nil {
		return fmt.Errorf("commit where plugins begin: %w", err)
	}
	r.begun = true
	r.readTime, r.cancel = context.WithCancel(context.Background())
	r.read(stream.Names(), subs)
	for _, w := range workers {
		r.read(w.route.reads, subs)
	}
	go func() { r.synced <- r.commits.Run(r.endSync) }()
	for _, w := range workers {
		r.running.Go(func() { r.work(w) })
	}
	return nil
}

// read begins to read streams that are not read yet. mu is held.
func (r *Runner) read(names []string, subs []*subscriber) {
	for _, name := range names {
		f := r.fanouts[name]
		if f.reads {
			continue
		}
		f.reads = true
		f.begin(subs)
		r.reading.Go(func() {
			for r.readTime.Err() == nil {
				f.failed(r.readTime, f.run(r.readTime))
			}
		})
	}
}

// spread turns a name into a number, so that the timers of many plugins do not all fire at once.
func spread(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}

// members lists what is running now.
func (r *Runner) members() []commit.Member {
	var running []commit.Member
	for _, w := range r.all() {
		if !w.hasEnded() {
			running = append(running, w)
		}
	}
	return running
}

// all lists every plugin that was started, in the order data flows.
func (r *Runner) all() []*worker {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sorted()
}

// sorted is all with mu held.
func (r *Runner) sorted() []*worker {
	var ws []*worker
	if r.unclaimed != nil {
		ws = append(ws, r.unclaimed)
	}
	for _, e := range r.plugins {
		ws = append(ws, e.worker)
	}
	order := map[sandbox.Kind]int{sandbox.Decoder: 0, sandbox.Analysis: 1, sandbox.Output: 2}
	slices.SortFunc(ws, func(a, b *worker) int {
		return cmp.Or(order[a.kind]-order[b.kind], strings.Compare(a.name, b.name))
	})
	return ws
}
