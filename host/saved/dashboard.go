package saved

import (
	"context"
	"fmt"

	"sandbar/host/catalog"
)

// Dashboard is a page that somebody has composed.
type Dashboard struct {
	Head   `json:"-"`
	Title  string  `json:"title"`
	Panels []Panel `json:"panels"`
}

// Panel is one box of a dashboard: one of Series, Payload and Text.
type Panel struct {
	Title   string   `json:"title,omitempty"`
	Wide    bool     `json:"wide,omitempty"`   // as wide as the page
	Series  []Series `json:"series,omitempty"` // drawn in one graph
	Payload *Payload `json:"payload,omitempty"`
	Text    string   `json:"text,omitempty"`
}

// Payload is what a plugin shows under a name.
type Payload struct {
	Plugin string `json:"plugin"`
	Name   string `json:"name"`
	Type   string `json:"type"`
}

// Series is a column of a graph.
type Series struct {
	Plugin string `json:"plugin"`
	Graph  string `json:"graph"`
	Column string `json:"column"` // as its header has it
}

const (
	mostPanels = 60
	mostSeries = 24
	mostText   = 16 << 10
	mostID     = 80
)

func (d *Dashboard) check() error {
	if d.Title == "" {
		return invalid("a dashboard needs a title")
	}
	if err := text("the title", d.Title, mostName); err != nil {
		return err
	}
	if len(d.Panels) > mostPanels {
		return invalid("it has %d panels, and %d are the most", len(d.Panels), mostPanels)
	}
	for i := range d.Panels {
		if err := d.Panels[i].check(); err != nil {
			return fmt.Errorf("panel %d: %w", i+1, err)
		}
	}
	return nil
}

func (p *Panel) check() error {
	kinds := 0
	for _, is := range []bool{len(p.Series) > 0, p.Payload != nil, p.Text != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return invalid("a panel has one of series, payload and text; this one has %d", kinds)
	}
	if len(p.Series) > mostSeries {
		return invalid("it has %d series, and %d are the most", len(p.Series), mostSeries)
	}
	words := []string{p.Title}
	for _, s := range p.Series {
		words = append(words, s.Plugin, s.Graph, s.Column)
		if s.Plugin == "" {
			return invalid("a series needs a plugin")
		}
	}
	if q := p.Payload; q != nil {
		words = append(words, q.Plugin, q.Name, q.Type)
		if q.Plugin == "" {
			return invalid("a payload needs a plugin")
		}
	}
	for _, w := range words {
		if err := text("a name", w, mostName); err != nil {
			return err
		}
	}
	return text("the text", p.Text, mostText)
}

// checkID holds an ID to what an address can hold as it is.
func checkID(id string) error {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return invalid("%.80q cannot be the name of a dashboard or route: it has a to z, 0 to 9 and -", id)
		}
	}
	if id == "" || len(id) > mostID {
		return invalid("the name of a dashboard or route has 1 to %d letters", mostID)
	}
	return nil
}

// Dashboards are all, by their IDs.
func (s *Store) Dashboards(ctx context.Context) ([]Dashboard, error) {
	return all(ctx, s, dashboard, func(d *Dashboard, h Head) { d.Head = h })
}

// Dashboard is one, or ErrNotFound.
func (s *Store) Dashboard(ctx context.Context, id string) (Dashboard, error) {
	list, err := s.Dashboards(ctx)
	for _, d := range list {
		if d.ID == id {
			return d, err
		}
	}
	if err == nil {
		err = fmt.Errorf("dashboard %.80q: %w", id, ErrNotFound)
	}
	return Dashboard{}, err
}

// SaveDashboard makes or replaces the dashboard of d's ID. over is the version that it replaces, 0 for none; with another one there it is ErrChanged.
func (s *Store) SaveDashboard(ctx context.Context, by string, d Dashboard, over int) (Head, error) {
	if err := checkID(d.ID); err != nil {
		return Head{}, err
	}
	if err := d.check(); err != nil {
		return Head{}, err
	}
	return s.put(ctx, dashboard, by, "save", d, "", replacing(dashboard, d.ID, over))
}

// replacing holds an item that is saved to the version that it replaces, 0 for none.
func replacing(kind, id string, over int) func(present []catalog.Item) (string, error) {
	return func(present []catalog.Item) (string, error) {
		there, n := 0, 0
		for _, i := range present {
			if i.Value == nil {
				continue
			}
			n++
			if i.ID == id {
				there = i.Version
			}
		}
		if there != over {
			return "", fmt.Errorf("%s %s: %w: version %d is there, and version %d was to be replaced", kind, id, ErrChanged, there, over)
		}
		if there == 0 && n >= mostItems {
			return "", invalid("there are %d already; remove some", mostItems)
		}
		return id, nil
	}
}

// RemoveDashboard forgets one.
func (s *Store) RemoveDashboard(ctx context.Context, by, id string) error {
	return s.drop(ctx, dashboard, id, by, "remove")
}
