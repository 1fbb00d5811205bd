// Package try runs a plugin that somebody writes over what the streams have kept, beside the live host, and tells what it would have
// made, what it costs, and how it differs from the version that runs.
//
// It runs package trial with the engines and limits of the host, at most half a core for all trials together, and writes nothing. It must
// not know who asks, nor the catalog.
package try

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
)

const (
	workers  = 2                // trials at once
	queued   = 8                // that have not begun
	endedMax = 8                // that have ended and are kept
	keptTime = 30 * time.Minute // after the end
	mostTime = 10 * time.Minute // of one trial

	// MaxLast is how many messages may be asked for.
	MaxLast = 1_000_000
	// MaxMessages is how many may be given.
	MaxMessages = 100
	// MaxSince is how far back one may ask.
	MaxSince = 90 * 24 * time.Hour
	// lookBack is how many bytes are looked at for the last messages that a plugin wants.
	lookBack = 8 << 30
)

var (
	// ErrBusy says that as many trials wait as may.
	ErrBusy = errors.New("as many trials wait as may; try again in a moment")
	// ErrGone says that a trial is not known, or not any more.
	ErrGone = errors.New("there is no such trial any more; begin it again")
)

// Options of Trials; all are required.
type Options struct {
	Logs map[string][]stream.Log // of all partitions
	Load runner.Loader
	Env  func(*sandbox.Config) sandbox.Env // what a plugin may reach, but for Emit, Log, Now and Lake
	Now  func() time.Time
}

// Version is a plugin as it can be loaded.
type Version struct {
	Config   *sandbox.Config
	Settings string // the text of Config
	Source   []byte
	Number   int
}

// Request is what to try, and over which messages: the last ones that it wants, or those since a time ago.
type Request struct {
	Tried   Version
	Running *Version // the present version; nil when there is none
	Last    int
	Since   time.Duration
	Until   time.Time // with Since: only messages from before; the zero time: all
	// Messages are what it is tried on instead, encoded.
	Messages [][]byte

	spans []span // where an earlier trial of it read
	step  int64  // the call to look into, with which it ends; 0 for none
}

// Check says what is wrong with the range.
func (r *Request) Check() error {
	if n := len(r.Messages); n > 0 {
		if n > MaxMessages || r.Last != 0 || r.Since != 0 || !r.Until.IsZero() {
			return fmt.Errorf("a trial runs over at most %d messages that are given, or over those of the streams", MaxMessages)
		}
		return nil
	}
	if r.Last < 0 || r.Last > MaxLast || r.Since < 0 || r.Since > MaxSince || (r.Last > 0) == (r.Since > 0) || r.Last > 0 && !r.Until.IsZero() {
		return fmt.Errorf("a trial runs over the last 1 to %d messages, or those of the last %v at most", MaxLast, MaxSince)
	}
	return nil
}

// Trials of a host. Run has to run beside it.
type Trials struct {
	opt   Options
	turn  chan struct{} // of pace
	queue chan *job

	mu   sync.Mutex
	jobs map[string]*job
	past []*job // that have ended, the oldest first
}

// New makes trials that wait for Run.
func New(opt Options) *Trials {
	return &Trials{opt: opt, turn: make(chan struct{}, 1), queue: make(chan *job, queued), jobs: map[string]*job{}}
}

// Run works until ctx ends, which ends all trials.
func (t *Trials) Run(ctx context.Context) error {
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case j := <-t.queue:
					t.work(ctx, j)
				}
			}
		})
	}
	working.Wait()
	return ctx.Err()
}

// Start begins a trial, and returns its ID.
func (t *Trials) Start(r Request) (id string, err error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	return t.start(r)
}

func (t *Trials) start(r Request) (id string, err error) {
	j := newJob(r, t.opt.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget()
	select {
	case t.queue <- j:
	default:
		return "", ErrBusy
	}
	t.jobs[j.report.ID] = j
	return j.report.ID, nil
}

// Look begins a trial that does what another did until a call, and tells all about that one. Its ID is returned.
func (t *Trials) Look(id string, call int64) (string, error) {
	j, err := t.find(id)
	if err != nil {
		return "", err
	}
	r := j.request
	r.Running, r.step, r.spans = nil, call, j.readFrom()
	if call < 1 || r.spans == nil && r.Messages == nil {
		return "", ErrGone
	}
	return t.start(r)
}

// Get tells of a trial.
func (t *Trials) Get(id string) (Report, error) {
	j, err := t.find(id)
	if err != nil {
		return Report{}, err
	}
	return j.tell(t.opt.Now()), nil
}

// Wait returns what a trial found when it has ended.
func (t *Trials) Wait(ctx context.Context, id string) (Report, error) {
	j, err := t.find(id)
	if err != nil {
		return Report{}, err
	}
	select {
	case <-j.over:
		return j.tell(t.opt.Now()), nil
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
}

// Cancel ends a trial. What it has found so far can be got.
func (t *Trials) Cancel(id string) error {
	j, err := t.find(id)
	if err == nil {
		j.cancel()
	}
	return err
}

func (t *Trials) find(id string) (*job, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget()
	if j := t.jobs[id]; j != nil {
		return j, nil
	}
	return nil, ErrGone
}

// forget drops trials that ended long ago, or too many of them. mu is held.
func (t *Trials) forget() {
	for len(t.past) > 0 && (len(t.past) > endedMax || t.opt.Now().Sub(t.past[0].ended) > keptTime) {
		delete(t.jobs, t.past[0].report.ID)
		t.past = t.past[1:]
	}
}

// work runs a trial to its end.
func (t *Trials) work(ctx context.Context, j *job) {
	ctx, cancel := context.WithTimeout(ctx, mostTime)
	defer cancel()
	defer context.AfterFunc(j.ctx, cancel)()
	err := t.try(ctx, j)
	switch {
	case j.ctx.Err() != nil:
		j.end(Cancelled, "", t.opt.Now())
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		j.end(Done, fmt.Sprintf("it was ended after %v, before it had read everything", mostTime), t.opt.Now())
	case ctx.Err() != nil:
		j.end(Cancelled, "the host is being stopped", t.opt.Now())
	case err != nil:
		j.end(Failed, err.Error(), t.opt.Now())
	default:
		j.end(Done, "", t.opt.Now())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.past = append(t.past, j)
	t.forget()
}

func newID() string { return rand.Text() }
