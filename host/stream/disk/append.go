package disk

import (
	"context"
	"fmt"

	"sandbar/host/stream"
)

// request is one call of Append on its way through the flusher.
type request struct {
	msgs [][]byte
	end  stream.Position
	err  error
	done chan struct{}
}

// maxBatch is about how many bytes are made durable by one sync at most.
const maxBatch = 16 << 20

func (l *log) Append(ctx context.Context, msgs ...[]byte) (stream.Position, error) {
	if l.requests == nil {
		return stream.Position{}, fmt.Errorf("append to stream %s: only a commit writes to it", l.name)
	}
	if err := stream.CheckMessages(l.name, msgs, l.store.opt.MaxMessage); err != nil {
		return stream.Position{}, err
	}
	if err := ctx.Err(); err != nil {
		return stream.Position{}, err
	}
	r := &request{msgs: msgs, done: make(chan struct{})}
	select {
	case l.requests <- r:
		<-r.done
		return r.end, r.err
	case <-ctx.Done():
		return stream.Position{}, ctx.Err()
	case <-l.store.closing:
		return stream.Position{}, stream.ErrClosed
	}
}

// flush is the goroutine that appends to raw: it takes all requests that wait, makes them durable with
// one sync, and answers them.
func (l *log) flush() {
	defer close(l.stopped)
	var batch []*request
	for {
		select {
		case r := <-l.requests:
			batch = l.gather(append(batch[:0], r))
		case <-l.store.closing:
			return
		}
		err := l.appendBatch(batch)
		for i, r := range batch {
			if r.err = err; err != nil {
				r.end = stream.Position{}
			}
			close(r.done)
			batch[i] = nil
		}
	}
}

// gather adds the requests that wait now.
func (l *log) gather(batch []*request) []*request {
	size := batch[0].size()
	for size < maxBatch {
		select {
		case r := <-l.requests:
			batch = append(batch, r)
			size += r.size()
		default:
			return batch
		}
	}
	return batch
}

func (r *request) size() (n int) {
	for _, m := range r.msgs {
		n += len(m)
	}
	return n
}

func (l *log) appendBatch(batch []*request) error {
	if err := l.store.admit(l.store.opt.MinFree); err != nil {
		return fmt.Errorf("append to stream %s: %w", l.name, err)
	}
	before := l.tail.at
	w, err := l.write(batch)
	if err != nil {
		return fmt.Errorf("append to stream %s: %w", l.name, l.store.undo(err, rewinding{&l.tail, before}))
	}
	l.publish(w)
	return nil
}

func (l *log) write(batch []*request) (written, error) {
	for _, r := range batch {
		for _, m := range r.msgs {
			if err := l.tail.add(m); err != nil {
				return written{}, err
			}
		}
		r.end = l.tail.at
	}
	return l.tail.sync()
}
