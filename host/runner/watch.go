package runner

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// longWork is when a piece of work counts as long, and watchEvery is how often that is looked at.
const (
	longWork   = time.Second
	watchEvery = 100 * time.Millisecond
)

// watch tells which plugins have been in one piece of work for long: a chunk of messages, a timer event, loading.
type watch struct {
	tell func([]string)
	tick atomic.Int64 // counts the looks, from 1

	mu    sync.Mutex
	all   map[*work]struct{}
	long  []string // as last told, sorted
	stop  chan struct{}
	ended chan struct{}
}

// work is what one plugin is at.
type work struct {
	name  string
	watch *watch
	since atomic.Int64 // the tick in which the piece began, 0 between pieces
}

func newWatch(tell func([]string)) *watch {
	w := &watch{tell: tell, all: map[*work]struct{}{}, stop: make(chan struct{}), ended: make(chan struct{})}
	w.tick.Store(1)
	if tell == nil {
		close(w.ended)
		return w
	}
	go w.run()
	return w
}

// add begins to watch a plugin, until remove.
func (w *watch) add(name string) *work {
	k := &work{name: name, watch: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[k] = struct{}{}
	return k
}

func (w *watch) remove(k *work) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, k)
}

// begin and end are around a piece of work.
func (k *work) begin() { k.since.Store(k.watch.tick.Load()) }
func (k *work) end()   { k.since.Store(0) }

func (w *watch) run() {
	defer close(w.ended)
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-t.C:
			w.look()
		}
	}
}

// look tells of the plugins at long work when they are others than the last time.
func (w *watch) look() {
	now := w.tick.Add(1)
	var long []string
	w.mu.Lock()
	for k := range w.all {
		if since := k.since.Load(); since != 0 && now-since > int64(longWork/watchEvery) {
			long = append(long, k.name)
		}
	}
	w.mu.Unlock()
	slices.Sort(long)
	if long = slices.Compact(long); !slices.Equal(long, w.long) {
		w.long = long
		w.tell(long)
	}
}

// close ends the watching.
func (w *watch) close() {
	close(w.stop)
	<-w.ended
}
