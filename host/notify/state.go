package notify

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// stateFormat is the version of the state; docs/format/notify.md has the members.
const stateFormat = 1

// state is what is committed.
type state struct {
	Format  int               `json:"format"`
	Groups  map[string]*group `json:"groups"`
	Jobs    []*Job            `json:"jobs"`
	Dead    []*Job            `json:"dead"`
	Sent    int64             `json:"sent"`
	Failed  int64             `json:"failed"`
	Dropped int64             `json:"dropped"`

	Noise map[string]*noise               `json:"noise,omitempty"` // by plugin
	Held  map[string]map[string]time.Time `json:"held,omitempty"`  // route → what fires beside which it does not tell others → until when

	Unless map[string]time.Time `json:"unless,omitempty"` // the same of a version before, which did not know what fires
}

func (s *state) encode() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts, numbers and times only
	}
	return b
}

func decodeState(text []byte) (state, error) {
	s := state{Format: stateFormat, Groups: map[string]*group{}, Held: map[string]map[string]time.Time{}, Noise: map[string]*noise{}}
	if len(text) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, err
	}
	if s.Format != stateFormat {
		return s, fmt.Errorf("its format is %d, not %d; it was written by another version of this program", s.Format, stateFormat)
	}
	missing := func(j *Job) bool { return j == nil }
	s.Jobs, s.Dead = slices.DeleteFunc(s.Jobs, missing), slices.DeleteFunc(s.Dead, missing)
	if s.Noise == nil {
		s.Noise = map[string]*noise{}
	}
	maps.DeleteFunc(s.Noise, func(_ string, n *noise) bool { return n == nil })
	if s.Held == nil {
		s.Held = map[string]map[string]time.Time{}
	}
	for route, until := range s.Unless {
		s.Held[route] = map[string]time.Time{"": until}
	}
	s.Unless = nil
	if s.Groups == nil {
		s.Groups = map[string]*group{}
	}
	for key, g := range s.Groups {
		if g == nil {
			delete(s.Groups, key)
			continue
		}
		if g.Subjects == nil {
			g.Subjects = map[string]*Subject{}
		}
		for id, sub := range g.Subjects {
			if sub == nil {
				delete(g.Subjects, id)
			}
		}
	}
	return s, nil
}
