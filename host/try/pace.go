package try

import (
	"context"
	"time"
)

// slice is how long a trial works before it rests as long.
const slice = 10 * time.Millisecond

// pace lets trials work one at a time, and half of the time: all together take half a core from the live host at most.
type pace struct {
	turn  chan struct{} // capacity 1; of all trials
	now   func() time.Time
	rests func() // called when it rests
	began time.Time
	has   bool
}

// step is called between two pieces of work. It comes back when the next may be done, or with the context's error.
func (p *pace) step(ctx context.Context) error {
	took := slice
	if p.has {
		if took = p.now().Sub(p.began); took < slice {
			return nil
		}
		p.rests()
		rest := time.NewTimer(took) // with the turn, so that nobody else works
		defer rest.Stop()
		select {
		case <-rest.C:
		case <-ctx.Done():
		}
		p.leave()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.turn <- struct{}{}:
		p.has, p.began = true, p.now()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the turn to others.
func (p *pace) leave() {
	if p.has {
		<-p.turn
		p.has = false
	}
}
