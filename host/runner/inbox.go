package runner

import (
	"maps"
	"sync"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// batch is a run of parsed messages of one stream, shared read-only by every plugin that wants some of it.
type batch struct {
	stream  string
	views   []message.View
	from    stream.Position   // of the first message
	ends    []stream.Position // ends[i] is the position after views[i]
	end     stream.Position   // after the last message, damaged ones included
	bytes   int               // of memory
	damaged int               // frames that are left out, since they hold no message
}

// item is what one plugin gets of a batch: the messages it wants, and how far the batch goes.
type item struct {
	stream string
	batch  *batch // nil when it wants none
	hits   []int32
	end    stream.Position
	passed int
}

// maxInboxBytes bounds the batches that wait for one plugin. A plugin that is further behind leaves the
// shared reader and catches up from the log by itself, so that nobody waits for it.
const maxInboxBytes = 4 << 20

// inbox is where fanouts leave work for a plugin. It also keeps how far the plugin is, so that the
// position of a plugin that has nothing to do moves on without waking it.
type inbox struct {
	wake chan struct{} // capacity 1

	mu     sync.Mutex
	items  []item
	bytes  int
	busy   bool                       // the plugin is working on an item
	dirty  bool                       // it was called since its last part
	moved  bool                       // pos changed since the last part
	pos    map[string]stream.Position // everything before is done
	behind map[string]bool            // streams that it reads by itself
	passed int64                      // messages that went by while it was idle
}

func newInbox(pos map[string]stream.Position) *inbox {
	behind := make(map[string]bool, len(pos))
	for s := range pos {
		behind[s] = true
	}
	return &inbox{wake: make(chan struct{}, 1), pos: pos, behind: behind, moved: true}
}

func (in *inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// put leaves an item. It reports false when too much is waiting; the stream is then marked as behind.
func (in *inbox) put(it item) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(it.hits) == 0 {
		in.pass(it)
		return true
	}
	if in.bytes+it.batch.bytes > maxInboxBytes && len(in.items) > 0 {
		in.behind[it.stream] = true
		in.signal()
		return false
	}
	in.items = append(in.items, it)
	in.bytes += it.batch.bytes
	in.signal()
	return true
}

// pass notes that messages went by which the plugin does not want. It wakes nobody.
func (in *inbox) pass(it item) {
	if len(in.items) == 0 && !in.busy {
		in.pos[it.stream] = it.end
		in.moved = true
		in.passed += int64(it.passed)
		return
	}
	for i := len(in.items) - 1; i >= 0; i-- {
		if last := &in.items[i]; last.stream == it.stream {
			last.end, last.passed = it.end, last.passed+it.passed
			return
		}
	}
	it.batch = nil
	in.items = append(in.items, it)
}

// next hands the plugin the oldest item. The plugin is busy until it asks and there is none.
func (in *inbox) next() (item, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.busy = len(in.items) > 0
	if !in.busy {
		return item{}, false
	}
	it := in.items[0]
	in.items[0] = item{}
	in.items = in.items[1:]
	if it.batch != nil {
		in.bytes -= it.batch.bytes
	}
	return it, true
}

// advance notes that everything of the stream before p is done; called says whether the plugin was.
func (in *inbox) advance(s string, p stream.Position, called bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pos[s], in.moved = p, true
	in.dirty = in.dirty || called
}

// touched notes that the plugin was called without having read anything.
func (in *inbox) touched() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dirty = true
}

// positions returns a copy of how far the plugin is, for a part that holds all it did so far, and whether
// that is further than in its last part.
func (in *inbox) positions() (pos map[string]stream.Position, moved bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	moved = in.moved
	in.dirty, in.moved = false, false
	return maps.Clone(in.pos), moved
}

// notTaken says that the part which positions were for did not come about.
func (in *inbox) notTaken() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dirty, in.moved = true, true
}

// resting hands take the positions of a plugin that was not called since its last part, if they moved.
// It reports false for a plugin that was, or is at work now. take runs under the lock, so that no part of
// the plugin itself comes in between.
func (in *inbox) resting(take func(pos map[string]stream.Position)) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.busy || in.dirty || len(in.items) > 0 {
		return false
	}
	if in.moved {
		in.moved = false
		take(maps.Clone(in.pos))
	}
	return true
}

// lagging lists the streams that the plugin has to read by itself, with its positions: those of which no
// item waits that is from before it fell behind.
func (in *inbox) lagging() map[string]stream.Position {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.behind) == 0 {
		return nil
	}
	lag := make(map[string]stream.Position, len(in.behind))
	for s := range in.behind {
		lag[s] = in.pos[s]
	}
	for i := range in.items {
		delete(lag, in.items[i].stream)
	}
	return lag
}

// passedBy returns and clears the count of messages that went by while the plugin was idle.
func (in *inbox) passedBy() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := in.passed
	in.passed = 0
	return int(n)
}

func (in *inbox) caughtUp(s string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.behind, s)
}

// peek returns a copy of how far the plugin is.
func (in *inbox) peek() map[string]stream.Position {
	in.mu.Lock()
	defer in.mu.Unlock()
	return maps.Clone(in.pos)
}
