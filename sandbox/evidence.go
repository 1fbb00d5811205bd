package sandbox

// evidence is where messages lie that alerts of an id are about: the newest few that the plugin has noted since the last alert of the id. It is
// not preserved.
type evidence struct{ noted map[string][]string }

const (
	maxEvidence = 3     // messages of an alert
	maxNoted    = 2_000 // ids
)

// note adds places to those of an id.
func (e *evidence) note(id string, places []string) {
	if len(places) == 0 {
		return
	}
	if e.noted == nil || len(e.noted) >= maxNoted && e.noted[id] == nil {
		e.noted = map[string][]string{}
	}
	all := append(e.noted[id], places...)
	e.noted[id] = append([]string(nil), all[max(0, len(all)-maxEvidence):]...)
}

// take returns what was noted of an id, and forgets it.
func (e *evidence) take(id string) []string {
	places := e.noted[id]
	delete(e.noted, id)
	return places
}
