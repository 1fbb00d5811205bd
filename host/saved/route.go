package saved

import (
	"context"
	"fmt"
)

// Route says who is told of which alerts.
type Route struct {
	Head      `json:"-"`
	Title     string   `json:"title"`
	Matcher   string   `json:"matcher"` // of the alert's message
	Mail      []string `json:"mail,omitempty"`
	Webhooks  []Hook   `json:"webhooks,omitempty"`
	BySubject bool     `json:"by_subject,omitempty"` // told for each subject; else for each plugin
	Wait      int      `json:"wait"`                 // seconds from the first alert to its notice
	Interval  int      `json:"interval"`             // seconds between notices with news
	Repeat    int      `json:"repeat"`               // seconds between notices without news; 0: none
	Resolved  bool     `json:"resolved"`             // also told when it is over
}

// Hook is a webhook.
type Hook struct {
	URL    string `json:"url"`
	Secret string `json:"secret,omitempty"` // signs what is sent
}

const (
	mostTargets = 20
	longestWait = 24 * 3600
	longestTurn = 30 * 24 * 3600
)

func (r *Route) check() error {
	if r.Title == "" {
		return invalid("a route needs a title")
	}
	if len(r.Mail)+len(r.Webhooks) == 0 {
		return invalid("a route needs somebody to tell: mailboxes or webhooks")
	}
	if len(r.Mail)+len(r.Webhooks) > mostTargets {
		return invalid("a route tells %d at most", mostTargets)
	}
	for _, s := range append([]string{r.Title}, r.Mail...) {
		if err := text("a title or mailbox", s, mostName); err != nil {
			return err
		}
	}
	if err := text("the matcher", r.Matcher, mostText); err != nil {
		return err
	}
	for _, h := range r.Webhooks {
		if err := text("a webhook", h.URL+h.Secret, 2000); err != nil {
			return err
		}
	}
	for _, n := range []struct {
		name       string
		value, max int
	}{{"wait", r.Wait, longestWait}, {"interval", r.Interval, longestWait}, {"repeat", r.Repeat, longestTurn}} {
		if n.value < 0 || n.value > n.max {
			return invalid("%s is %d seconds; it has to be between 0 and %d", n.name, n.value, n.max)
		}
	}
	return nil
}

// Routes are all, by their IDs.
func (s *Store) Routes(ctx context.Context) ([]Route, error) {
	return all(ctx, s, route, func(r *Route, h Head) { r.Head = h })
}

// SaveRoute makes or replaces the route of r's ID. over is as with SaveDashboard. A webhook without a secret keeps the one that it had.
func (s *Store) SaveRoute(ctx context.Context, by string, r Route, over int) (Head, error) {
	if err := checkID(r.ID); err != nil {
		return Head{}, err
	}
	if err := r.check(); err != nil {
		return Head{}, err
	}
	if err := s.opt.CheckRoute(&r); err != nil {
		return Head{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	present, err := s.Routes(ctx)
	if err != nil {
		return Head{}, err
	}
	for _, old := range present {
		for i := range r.Webhooks {
			for _, h := range old.Webhooks {
				if old.ID == r.ID && h.URL == r.Webhooks[i].URL && r.Webhooks[i].Secret == "" {
					r.Webhooks[i].Secret = h.Secret
				}
			}
		}
	}
	return s.put(ctx, route, by, "save", r, "", replacing(route, r.ID, over))
}

// RemoveRoute forgets one.
func (s *Store) RemoveRoute(ctx context.Context, by, id string) error {
	return s.drop(ctx, route, id, by, "remove")
}
