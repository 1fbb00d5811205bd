package evidence

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"sandbar/host/alert"
	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/message"
)

// Run follows stream derived until the context ends.
func (k *Keeper) Run(ctx context.Context) error {
	f := view.Follower{Name: "evidence", Logs: k.logs, From: k.from, Now: k.opt.Now, Logger: k.opt.Logger, Take: k.take, Save: k.save, Version: &k.version, Every: k.opt.SaveEvery}
	return f.Run(ctx)
}

func (k *Keeper) save(at []stream.Position) error {
	return view.Save(k.path("place"), view.Head{View: k.head().View, Stream: stream.Derived, Places: view.Places(k.logs, at)}, func(func([]byte)) {})
}

func (k *Keeper) take(_ int, b *stream.Batch) {
	var v message.View
	for _, msg := range b.Messages {
		if v.Parse(msg) != nil {
			continue
		}
		if typ, _ := v.Header(message.Type); string(typ) != message.TypeAlert {
			continue
		}
		if a, ok := alert.Decode(&v); ok && len(a.Evidence) > 0 && k.may(a.Logger) {
			k.tell(k.keep(&a))
			k.version.Bump()
		}
	}
}

// may says whether a plugin has something left of its burst, and takes one.
func (k *Keeper) may(plugin string) bool {
	now, most := k.opt.Now(), float64(k.opt.Burst)
	s := k.spent[plugin]
	if since := now.Sub(s.at); since > 0 {
		s.n = max(0, s.n-since.Seconds())
	}
	s.at = now
	ok := s.n <= most-1
	if ok {
		s.n++
	}
	if len(k.spent) >= maxSpent {
		clear(k.spent)
	}
	k.spent[plugin] = s
	return ok
}

const maxSpent = 20_000 // plugins

// keep writes the file of an alert, unless there is one.
func (k *Keeper) keep(a *alert.Alert) error {
	name := a.Key + suffix
	if _, err := os.Lstat(k.path(name)); err == nil {
		return nil
	}
	all, some := []Message{}, false
	for _, place := range a.Evidence {
		m := k.find(place)
		all, some = append(all, m), some || m.Raw != nil
	}
	if !some {
		return nil // what is missing can be told later
	}
	size := int64(0)
	err := view.Save(k.path(name), k.head(), func(put func([]byte)) {
		for i := range all {
			msg := all[i].encode()
			size += int64(len(msg))
			put(msg)
		}
	})
	if err != nil {
		return err
	}
	k.files, k.bytes = append(k.files, file{name, size, k.opt.Now()}), k.bytes+size
	k.makeRoom()
	return nil
}

// makeRoom removes the oldest files.
func (k *Keeper) makeRoom() {
	for len(k.files) > k.opt.MaxFiles || k.bytes > k.opt.MaxBytes {
		if err := os.Remove(k.path(k.files[0].name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			k.tell(err)
		}
		k.bytes -= k.files[0].bytes
		k.files = k.files[1:]
	}
}

// tell writes a line when writing begins to fail, and one when it is over.
func (k *Keeper) tell(err error) {
	if err != nil && !k.failing {
		k.opt.Logger.Error("messages that caused alerts are not kept; they are shown as long as their streams have them", "error", err)
	}
	if err == nil && k.failing {
		k.opt.Logger.Info("messages that caused alerts are kept again")
	}
	k.failing = err != nil
}
