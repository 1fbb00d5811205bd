package web

import (
	"context"
	"math"
	"sync"
	"time"

	"sandbar/host/alert"
	"sandbar/host/failures"
	"sandbar/host/stream"
)

type fakeAlerts []alert.Alert

func (f fakeAlerts) List(n int, by alert.Filter) (out []alert.Alert) {
	for _, a := range f {
		if len(out) < n && (by.Logger == "" || by.Logger == a.Logger) && (by.ID == "" || by.ID == a.ID) && a.Version > by.Newer {
			out = append(out, a)
		}
	}
	return out
}
func (f fakeAlerts) Count(by alert.Filter) int { return len(f.List(math.MaxInt, by)) }
func (f fakeAlerts) ForLogger(logger string) []alert.Alert {
	return f.List(9, alert.Filter{Logger: logger})
}
func (f fakeAlerts) Version() uint64 { return uint64(len(f)) }

func (f fakeAlerts) Get(key string) (alert.Alert, bool) {
	for _, a := range f {
		if a.Key == key {
			return a, true
		}
	}
	return alert.Alert{}, false
}

func (f fakeAlerts) Firing() (out []alert.Incident) {
	for _, a := range f {
		out = append(out, f.Incident(a))
	}
	return out
}

func (f fakeAlerts) Incident(a alert.Alert) alert.Incident {
	return alert.Incident{Logger: a.Logger, ID: a.ID, Summary: a.Summary, Began: a.Began, Last: a.Time, Until: a.Time.Add(time.Hour), Count: 1, Key: a.Key}
}

// fakeRaw keeps what is appended.
type fakeRaw struct {
	mu   sync.Mutex
	msgs [][]byte
}

func (f *fakeRaw) Append(_ context.Context, msgs ...[]byte) (stream.Position, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.msgs = append(f.msgs, msgs...)
	return stream.Position{}, nil
}

type fakeFailures []failures.Failure

func (f fakeFailures) List(n int, by failures.Filter) (list []failures.Failure, total int, err error) {
	list = []failures.Failure{}
	for _, k := range f {
		if (by.Type == "" || by.Type == k.Type) && (by.Cause == "" || by.Cause == k.Cause) {
			total++
			k.Payload = nil
			list = append(list, k)
		}
	}
	return list[:min(n, len(list))], total, nil
}

func (f fakeFailures) Get(position string) (failures.Failure, error) {
	for _, k := range f {
		if k.Position == position {
			return k, nil
		}
	}
	return failures.Failure{}, failures.ErrGone
}
func (f fakeFailures) Counts() ([]failures.Count, int64) {
	return []failures.Count{{Type: "json", Namespace: "telemetry", Count: 2}}, 7
}
func (f fakeFailures) Version() uint64 { return uint64(len(f)) }

func (f fakeFailures) Causes() []failures.Cause {
	return []failures.Cause{{Key: "c1", Type: "json", Namespace: "telemetry", Error: hostile, First: start(), Last: start(), Count: 2, Minutes: make([]int, 60), Samples: []string{"0:0"}}}
}

func (f fakeFailures) Content(position string) ([]byte, error) {
	k, err := f.Get(position)
	if err == nil && k.Payload == nil {
		err = failures.ErrNoSubmission
	}
	if err != nil {
		return nil, err
	}
	return []byte(k.Payload.Text), nil
}

func (f fakeFailures) Submission(position string) ([]byte, error) { return f.Content(position) }
