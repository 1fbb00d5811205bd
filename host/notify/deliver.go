package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Bounds of delivering.
const (
	mostJobs   = 1000
	mostDead   = 200
	mostBytes  = 4 << 20 // of all that wait, and of all that were given up
	senders    = 8
	perAddress = 1
	sendTime   = 30 * time.Second // of one attempt
	firstPause = 10 * time.Second
	mostPause  = 15 * time.Minute
	giveUp     = 24 * time.Hour
)

// Job is a notice on its way to one target.
type Job struct {
	ID       string    `json:"id"`
	To       Target    `json:"to"`
	Notice   Notice    `json:"notice"`
	Made     time.Time `json:"made"`
	Next     time.Time `json:"next"` // attempt
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"` // of the newest attempt

	committed bool // it may be sent
	bytes     int  // about what it takes of the state
}

func (j *Job) size() int {
	if j.bytes == 0 {
		j.bytes = 512
		for _, s := range slices.Concat(j.Notice.Firing, j.Notice.Resolved) {
			j.bytes += 256 + len(s.ID) + len(s.Summary) + len(s.Detail) + len(s.Link)
		}
	}
	return j.bytes
}

func sizeOf(list []*Job) (n int) {
	for _, j := range list {
		n += j.size()
	}
	return n
}

// enqueue adds a delivery. r.mu is held.
func (r *Router) enqueue(j *Job) {
	for len(r.state.Jobs) >= mostJobs || len(r.state.Jobs) > 0 && sizeOf(r.state.Jobs)+j.size() > mostBytes {
		oldest := r.state.Jobs[0]
		oldest.Error = fmt.Sprintf("%d deliveries wait, and no more have a place; the attempt before: %s", len(r.state.Jobs), oldest.Error)
		r.bury(oldest)
	}
	r.state.Jobs = append(r.state.Jobs, j)
}

// bury makes a delivery a dead letter. r.mu is held.
func (r *Router) bury(j *Job) {
	r.state.Jobs = slices.DeleteFunc(r.state.Jobs, func(k *Job) bool { return k == j })
	r.state.Dead = append(r.state.Dead, j)
	for len(r.state.Dead) > mostDead || sizeOf(r.state.Dead) > mostBytes && len(r.state.Dead) > 1 {
		r.state.Dead = slices.Delete(r.state.Dead, 0, 1)
	}
	r.state.Failed++
	r.opt.Logger.Error("a notice of alerts could not be delivered and was given up", "way", j.To.Way, "to", j.To.Address, "plugin", j.Notice.Plugin, "attempts", j.Attempts, "error", j.Error)
	r.version.Bump()
}

// delivering sends what is due until ctx ends.
func (r *Router) delivering(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	free := make(chan struct{}, senders)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		for {
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			j := r.next(r.opt.Now())
			if j == nil {
				<-free
				break
			}
			sending.Go(func() {
				r.attempt(ctx, j)
				<-free
				r.kick()
			})
		}
	}
}

// next is a delivery whose time has come, and marks it as under way; nil: there is none.
func (r *Router) next(now time.Time) *Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	under := map[string]int{}
	for _, j := range r.state.Jobs {
		if r.busy[j.ID] {
			under[j.To.Way+" "+j.To.Address]++
		}
	}
	for _, j := range r.state.Jobs {
		// After a jump of the clock back a delivery does not wait longer than the longest pause.
		due := !now.Before(j.Next) || j.Next.Sub(now) > mostPause
		if j.committed && !r.busy[j.ID] && due && under[j.To.Way+" "+j.To.Address] < perAddress {
			r.busy[j.ID] = true
			return j
		}
	}
	return nil
}

func (r *Router) attempt(ctx context.Context, j *Job) {
	err := r.deliver(ctx, j)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, j.ID)
	if ctx.Err() != nil && err != nil {
		return // the host ends; it is tried again, under the same ID
	}
	now := r.opt.Now().UTC()
	r.version.Bump()
	if err == nil {
		r.state.Jobs = slices.DeleteFunc(r.state.Jobs, func(k *Job) bool { return k == j })
		r.state.Sent++
		r.opt.Report(j.To.Way, nil)
		return
	}
	j.Attempts++
	j.Error = clip(err.Error(), mostDetail)
	r.opt.Logger.Warn("a notice of alerts was not delivered", "way", j.To.Way, "to", j.To.Address, "attempts", j.Attempts, "error", err)
	if !errors.Is(err, ErrPermanent) { // which is about the address, not the way
		r.opt.Report(j.To.Way, err)
	}
	if errors.Is(err, ErrPermanent) || now.Sub(j.Made) > giveUp {
		r.bury(j)
		return
	}
	j.Next = now.Add(min(mostPause, firstPause<<min(j.Attempts-1, 10)))
}

// deliver makes one attempt. A way that panics is one that failed.
func (r *Router) deliver(ctx context.Context, j *Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the way %s failed: %v", j.To.Way, p)
		}
	}()
	way := r.opt.Ways[j.To.Way]
	if way == nil {
		return fmt.Errorf("this host has no way %q: %w", j.To.Way, ErrPermanent)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	n := j.Notice
	if all := slices.Concat(n.Firing, n.Resolved); len(all) > 0 {
		n.Picture = r.opt.Picture(ctx, n.Plugin, all[0].ID)
	}
	return way.Send(ctx, &n, j.To)
}

// Status is how delivering fares.
type Status struct {
	Groups  int   `json:"groups"` // of alerts that go on
	Waiting []Job `json:"waiting"`
	Dead    []Job `json:"dead"`    // given up, the newest first
	Sent    int64 `json:"sent"`    // since the beginning
	Failed  int64 `json:"failed"`  // given up
	Dropped int64 `json:"dropped"` // alerts that nobody was told of, for want of room

	Digests []Digest `json:"digests"` // plugins whose news are told once an hour
}

// Digest is a plugin that raised more incidents in an hour than its budget.
type Digest struct {
	Plugin string    `json:"plugin"`
	Begun  int       `json:"begun"` // incidents since then
	Since  time.Time `json:"since"`
	Budget int       `json:"budget"` // an hour
}

// Status may be called at any time. Secrets are left out.
func (r *Router) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{Groups: len(r.state.Groups), Sent: r.state.Sent, Failed: r.state.Failed, Dropped: r.state.Dropped, Waiting: []Job{}, Dead: []Job{}, Digests: r.digests()}
	public := func(j *Job) Job {
		out := *j
		out.To.Secret = ""
		return out
	}
	for _, j := range r.state.Jobs {
		s.Waiting = append(s.Waiting, public(j))
	}
	for _, j := range slices.Backward(r.state.Dead) {
		s.Dead = append(s.Dead, public(j))
	}
	return s
}

// Again tries a delivery that was given up once more, or one that waits at once. It reports false when there is none of that ID.
func (r *Router) Again(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.opt.Now().UTC()
	for _, j := range r.state.Jobs {
		if j.ID == id {
			j.Next = now
			r.version.Bump()
			r.kick()
			return true
		}
	}
	for i, j := range r.state.Dead {
		if j.ID == id {
			r.state.Dead = slices.Delete(r.state.Dead, i, i+1)
			j.Made, j.Next, j.Attempts = now, now, 0
			r.enqueue(j)
			r.version.Bump()
			r.kick()
			return true
		}
	}
	return false
}

// Test sends a notice that says that it is one to a target, now, and returns how that went.
func (r *Router) Test(ctx context.Context, route string, to Target) error {
	now := r.opt.Now().UTC()
	return r.deliver(ctx, &Job{To: to, Notice: Notice{ID: noticeID(&group{Route: route}, to, now), Route: route, Plugin: "a test", At: now, Test: true,
		Firing: []Subject{{ID: "test", Summary: "This is a test of route " + route, Detail: "Somebody pressed the button. Nothing is wrong.", Severity: 7, Began: now, Last: now, Until: now, Count: 1}}}})
}
