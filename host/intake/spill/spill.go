// Package spill keeps submissions on the local disk while the streams cannot take them, and hands them over later, in order.
//
// While nothing is spilled, a submission goes to the streams. When they fail, it goes to the local log, and so does every
// later one, until all of that log is handed over: no submission overtakes another. Handing
// over is exactly once, since the streams remember with each part how far in the local log it went.
//
// When the streams do not answer for some seconds it is not known whether they have the submissions that were under way. These
// are refused, so that none is there twice that was taken; those behind them go to the local log.
package spill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"sandbar/host/stream"
)

// reader is under whose name the local log holds back trimming.
const reader = "spill"

// Remote is the streams.
type Remote interface {
	// Append makes messages durable; see stream.Log.
	Append(ctx context.Context, msgs ...[]byte) (stream.Position, error)
	// TakeOver makes messages durable together with the place in the local log behind the last of them, as one.
	TakeOver(ctx context.Context, end stream.Position, msgs [][]byte) error
	// TakenOver is the place of the newest TakeOver that is durable, the zero Position before the first.
	TakenOver(ctx context.Context) (stream.Position, error)
}

// Local is the local store; only its stream raw is used.
type Local interface {
	Log(name string) stream.Log
	Commit(ctx context.Context, c *stream.Commit) error
	Readers() map[string]map[string]stream.Position
}

// Options of a Spill. Those without a default are required.
type Options struct {
	Remote   Remote
	Local    Local
	Report   func(err error) // why submissions are spilled; nil when they are not any more
	Patience time.Duration   // that the streams have for a submission; 3 s
	Pause    time.Duration   // between attempts to hand over; 1 s
}

// Spill implements Append for the edge. Run has to run beside it.
type Spill struct {
	opt  Options
	log  stream.Log
	wake chan struct{} // capacity 1: something was spilled

	mu      sync.Mutex
	spilled bool // there is something in the local log; then everything goes there
}

// New finds out what an earlier process has left to hand over.
func New(opt Options) *Spill {
	if opt.Patience == 0 {
		opt.Patience = 3 * time.Second
	}
	if opt.Pause == 0 {
		opt.Pause = time.Second
	}
	s := &Spill{opt: opt, log: opt.Local.Log(stream.Raw), wake: make(chan struct{}, 1)}
	if s.committed().Before(s.log.End()) {
		s.spilled = true
		s.signal()
	}
	return s
}

func (s *Spill) committed() stream.Position { return s.opt.Local.Readers()[reader][stream.Raw] }

func (s *Spill) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Append makes messages durable, here or there, or fails and they may be there. The position is of use to nobody.
func (s *Spill) Append(ctx context.Context, msgs ...[]byte) (stream.Position, error) {
	if !s.isSpilled() {
		waiting, cancel := context.WithTimeout(ctx, s.opt.Patience)
		at, err := s.opt.Remote.Append(waiting, msgs...)
		cancel()
		if err == nil || errors.Is(err, stream.ErrTooLarge) || errors.Is(err, stream.ErrClosed) {
			return at, err
		}
		s.begin(err)
		if errors.Is(err, stream.ErrUncertain) || ctx.Err() != nil {
			return at, err
		}
	}
	return s.appendLocal(ctx, msgs)
}

func (s *Spill) isSpilled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spilled
}

func (s *Spill) begin(why error) {
	s.mu.Lock()
	first := !s.spilled
	s.spilled = true
	s.mu.Unlock()
	if first {
		s.opt.Report(fmt.Errorf("submissions are kept on the local disk until the streams take them: %w", why))
	}
}

func (s *Spill) appendLocal(ctx context.Context, msgs [][]byte) (stream.Position, error) {
	at, err := s.log.Append(ctx, msgs...)
	if err != nil {
		return at, fmt.Errorf("keep a submission on the local disk: %w", err)
	}
	s.mu.Lock()
	s.spilled = true // it may have been handed over and ended in the moment before
	s.mu.Unlock()
	s.signal()
	return at, nil
}

// Waiting is how many bytes are to be handed over.
func (s *Spill) Waiting() int64 { return s.log.Distance(s.committed(), s.log.End()) }

// Run hands over what is spilled until ctx ends.
func (s *Spill) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		for {
			err := s.handOver(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err == nil {
				s.opt.Report(nil)
				break
			}
			s.opt.Report(fmt.Errorf("submissions are kept on the local disk until the streams take them: %w", err))
			pause, cancel := context.WithTimeout(ctx, s.opt.Pause)
			<-pause.Done()
			cancel()
		}
	}
}

// batchBytes is how much is handed over at once.
const batchBytes = 512 << 10

// handOver hands over all of the local log, and returns when submissions go to the streams again.
func (s *Spill) handOver(ctx context.Context) error {
	at, err := s.opt.Remote.TakenOver(ctx)
	if err != nil {
		return err
	}
	r, err := s.log.NewReader(at)
	if err != nil {
		return fmt.Errorf("read the local log: %w", err)
	}
	defer r.Close()
	var batch stream.Batch
	for {
		err := r.Read(&batch, batchBytes)
		if errors.Is(err, io.EOF) {
			if s.end(r.Position()) {
				return s.forget(ctx, r.Position())
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("read the local log: %w", err)
		}
		if err := s.opt.Remote.TakeOver(ctx, r.Position(), batch.Messages); err != nil {
			return err
		}
		if err := s.forget(ctx, r.Position()); err != nil {
			return err
		}
	}
}

// end sends submissions to the streams again, if all up to at was handed over and that is all.
func (s *Spill) end(at stream.Position) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Before(s.log.End()) {
		return false
	}
	s.spilled = false
	return true
}

// forget lets the local log be trimmed up to at.
func (s *Spill) forget(ctx context.Context, at stream.Position) error {
	c := &stream.Commit{Positions: map[string]map[string]stream.Position{reader: {stream.Raw: at}}}
	if err := s.opt.Local.Commit(ctx, c); err != nil {
		return fmt.Errorf("note what of the local log was handed over: %w", err)
	}
	if _, err := s.log.Trim(ctx, 0, 0); err != nil {
		return fmt.Errorf("trim the local log: %w", err)
	}
	return nil
}
