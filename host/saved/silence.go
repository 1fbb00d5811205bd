package saved

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sandbar/host/catalog"
)

// Silence keeps alerts of a plugin from asking for attention: those about one subject, or all of it.
type Silence struct {
	Head    `json:"-"`
	Plugin  string    `json:"plugin"`
	Subject string    `json:"subject,omitempty"` // an alert's ID; empty: all
	Why     string    `json:"why"`
	Until   time.Time `json:"until"`
}

const longestSilence = 366 * 24 * time.Hour

// Covers says whether a silence is about alerts of a subject, at a time.
func (s *Silence) Covers(plugin, subject string, at time.Time) bool {
	return s.Plugin == plugin && (s.Subject == "" || s.Subject == subject) && at.Before(s.Until)
}

// Silences are those that hold now.
func (s *Store) Silences(ctx context.Context) ([]Silence, error) {
	list, err := all(ctx, s, silence, func(q *Silence, h Head) { q.Head = h })
	now := s.opt.Now()
	holds := []Silence{}
	for _, q := range list {
		if now.Before(q.Until) {
			holds = append(holds, q)
		}
	}
	return holds, err
}

// Silence adds one.
func (s *Store) Silence(ctx context.Context, by string, q Silence) (Head, error) {
	now := s.opt.Now()
	switch {
	case q.Plugin == "":
		return Head{}, invalid("a silence needs a plugin")
	case q.Why == "":
		return Head{}, invalid("a silence needs a reason")
	case !q.Until.After(now):
		return Head{}, invalid("a silence has to end later than now")
	case q.Until.Sub(now) > longestSilence:
		return Head{}, invalid("a silence lasts a year at most")
	}
	if err := textsOf(q.Plugin, q.Subject, q.Why); err != nil {
		return Head{}, err
	}
	q.Until = q.Until.UTC()
	note := fmt.Sprintf("%s %s until %s: %s", q.Plugin, q.Subject, q.Until.Format(time.RFC3339), q.Why)
	return s.put(ctx, silence, by, "silence", q, note, func(present []catalog.Item) (string, error) {
		return free(present, func(value []byte) bool {
			var old Silence
			return json.Unmarshal(value, &old) == nil && now.Before(old.Until)
		})
	})
}

// EndSilence ends one before its time.
func (s *Store) EndSilence(ctx context.Context, by, id string) error {
	return s.drop(ctx, silence, id, by, "end")
}

// Seen says that somebody has seen that a subject is alerted about, and looks after it.
type Seen struct {
	Head    `json:"-"`
	Plugin  string    `json:"plugin"`
	Subject string    `json:"subject"`
	Began   time.Time `json:"began"` // of the incident; another one is not seen
	Note    string    `json:"note,omitempty"`

	Useless bool `json:"useless,omitempty"`       // the incident was not worth an alert
	Times   int  `json:"times"`                   // incidents of the subject that somebody has seen, with this one
	Wasted  int  `json:"times_useless,omitempty"` // of these, those that were called useless
}

const keepSeen = 30 * 24 * time.Hour

// AllSeen are those that are kept: the newest of each subject, for 30 days at least.
func (s *Store) AllSeen(ctx context.Context) ([]Seen, error) {
	return all(ctx, s, seen, func(q *Seen, h Head) { q.Head = h })
}

// MarkSeen remembers who has seen an incident.
func (s *Store) MarkSeen(ctx context.Context, by string, q Seen) (Head, error) {
	if q.Plugin == "" || q.Began.IsZero() {
		return Head{}, invalid("what was seen needs a plugin and a time at which it began")
	}
	if err := textsOf(q.Plugin, q.Subject, q.Note); err != nil {
		return Head{}, err
	}
	q.Began, q.Times, q.Wasted = q.Began.UTC(), 1, 0
	before, err := s.AllSeen(ctx)
	if err != nil {
		return Head{}, err
	}
	for _, old := range before {
		if old.Plugin != q.Plugin || old.Subject != q.Subject {
			continue
		}
		again := old.Began.Equal(q.Began)
		q.Times, q.Wasted = old.Times+1, old.Wasted
		if again {
			q.Times = max(1, old.Times)
			q.Useless = q.Useless || old.Useless
		}
		if again && old.Useless {
			q.Wasted--
		}
	}
	verb := "acknowledge"
	if q.Useless {
		q.Wasted++
		verb = "call useless"
	}
	note := fmt.Sprintf("%s %s %s", q.Plugin, q.Subject, q.Note)
	return s.put(ctx, seen, by, verb, q, note, func(present []catalog.Item) (string, error) {
		for _, i := range present { // of one subject only the newest counts
			var old Seen
			if i.Value != nil && json.Unmarshal(i.Value, &old) == nil && old.Plugin == q.Plugin && old.Subject == q.Subject {
				return i.ID, nil
			}
		}
		for _, i := range present { // that are too old
			if i.Value != nil && s.opt.Now().Sub(i.Updated) > keepSeen {
				return i.ID, nil
			}
		}
		return free(present, func([]byte) bool { return true })
	})
}

func textsOf(plugin, subject, note string) error {
	if err := text("the plugin", plugin, mostName); err != nil {
		return err
	}
	if err := text("the subject", subject, mostName); err != nil {
		return err
	}
	return text("the reason", note, mostNote)
}
