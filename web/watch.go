package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/letters"
	"sandbar/host/runner"
	"sandbar/host/series"
	"sandbar/host/vitals"
	"sandbar/sandbox"
)

// Vitals is how plugins fared lately; *vitals.View is one. The site feeds it.
type Vitals interface {
	Note(at time.Time, list []runner.Status)
	Now(name string) vitals.Rates
	History(name string) []series.Graph
}

// Letters are the messages that plugins failed on; *letters.View is one.
type Letters interface {
	List(name string) []letters.Letter
}

// row is a plugin in a list: no more than a line shows.
type row struct {
	Name     string       `json:"name"`
	Kind     sandbox.Kind `json:"kind"`
	State    runner.State `json:"state"`
	Since    time.Time    `json:"since"`
	Outcome  string       `json:"outcome,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Line     int          `json:"line,omitempty"`
	Shipped  bool         `json:"shipped,omitempty"`
	Shadow   string       `json:"shadow_of,omitempty"`
	Proposal string       `json:"proposal_of,omitempty"`
	Owner    string       `json:"owner"`
	Rates    vitals.Rates `json:"rates"`
	Matched  int64        `json:"matched"`
	Failed   int64        `json:"failed"`
	FuelMax  int64        `json:"fuel_max"`
	Fuel     int64        `json:"instruction_limit"`
	Memory   int64        `json:"memory"`
	MemLimit int64        `json:"memory_limit"`
	Lag      int64        `json:"lag_bytes"`
	Error    string       `json:"last_error,omitempty"`
	Nanos    int64        `json:"nanos"` // of a message
}

const (
	maxRows  = 200
	maxError = 200 // bytes of a last error in a list
)

// shippedOwner is whose the plugins are that come with the program.
const shippedOwner = "Sandbar"

func (s *Site) asRow(p *runner.Status) row {
	owner := p.Author
	if p.Shipped {
		owner = shippedOwner
	} else if i := strings.LastIndex(owner, " ("); i >= 0 { // without the address
		owner = owner[:i]
	}
	r := row{Name: p.Name, Kind: p.Kind, State: p.State, Since: p.Since, Outcome: p.Outcome, Reason: clip(p.Reason), Line: p.Line, Shipped: p.Shipped, Shadow: p.ShadowOf, Proposal: p.ProposalOf,
		Owner: owner, Rates: s.opt.Vitals.Now(p.Name), Matched: p.Stats.Matched, Failed: p.Stats.Failed, FuelMax: p.Stats.FuelMax, Fuel: p.Limits.Instructions,
		Memory: p.Stats.Memory, MemLimit: p.Limits.Memory, Lag: p.LagBytes, Error: clip(p.Stats.LastError)}
	if p.Stats.Matched > 0 {
		r.Nanos = p.Stats.Nanos / p.Stats.Matched
	}
	return r
}

func clip(s string) string {
	if len(s) <= maxError {
		return s
	}
	return strings.ToValidUTF8(s[:maxError], "") + "…"
}

// trouble is how much a plugin wants to be looked at: what is broken comes first.
func (r *row) trouble() int {
	switch r.State {
	case runner.Terminated, runner.Failed:
		return 3
	case runner.Proposed:
		return 2
	case runner.StoppedBy:
		return 0
	}
	return 1
}

// orders are by what a list can be sorted; the largest first but for names.
func orders() map[string]func(a, b *row) int {
	down := func(f func(r *row) float64) func(a, b *row) int {
		return func(a, b *row) int { return cmp.Compare(f(b), f(a)) }
	}
	share := func(n, limit int64) float64 { return float64(n) / float64(max(limit, 1)) }
	return map[string]func(a, b *row) int{
		"name":   func(*row, *row) int { return 0 },
		"cost":   down(func(r *row) float64 { return r.Rates.Cost }),
		"rate":   down(func(r *row) float64 { return r.Rates.Matched }),
		"failed": down(func(r *row) float64 { return float64(r.Failed) }),
		"fuel":   down(func(r *row) float64 { return share(r.FuelMax, r.Fuel) }),
		"memory": down(func(r *row) float64 { return share(r.Memory, r.MemLimit) }),
		"lag":    down(func(r *row) float64 { return float64(r.Lag) }),
		"since":  down(func(r *row) float64 { return float64(r.Since.UnixMilli()) }),
	}
}

// list are plugins that are chosen, some of them, with counts of all.
type list struct {
	Total   int                  `json:"total"`  // that are chosen
	Counts  map[runner.State]int `json:"counts"` // of all, by state
	Owners  []string             `json:"owners"` // of all; at most 200
	Plugins []row                `json:"plugins"`
}

// findPlugins answers with plugins that fit, what is broken first.
func (s *Site) findPlugins(c echo.Context) error {
	n, err := queryNumber(c, "n", 100, 0, maxRows)
	if err != nil {
		return err
	}
	from, err := queryNumber(c, "from", 0, 0, 1<<31)
	if err != nil {
		return err
	}
	percent, err := queryNumber(c, "cost", 0, 0, 10_000)
	if err != nil {
		return err
	}
	by := cmp.Or(c.QueryParam("sort"), "name")
	order := orders()[by]
	if order == nil {
		return refuse(http.StatusBadRequest, "sort is %.40q; it may be name, cost, rate, failed, fuel, memory, lag or since", by)
	}
	all, err := s.opt.Plugins.List(c.Request().Context())
	if err != nil {
		return err
	}
	out := list{Counts: map[runner.State]int{}, Owners: []string{}, Plugins: []row{}}
	text, state, kind, owner := strings.ToLower(c.QueryParam("text")), c.QueryParam("state"), c.QueryParam("kind"), c.QueryParam("owner")
	owners := map[string]bool{}
	var found []row
	for i := range all {
		r := s.asRow(&all[i])
		out.Counts[r.State]++
		owners[r.Owner] = true
		fits := (state == "" || string(r.State) == state || state == "broken" && r.trouble() == 3) && (kind == "" || string(r.Kind) == kind) && (owner == "" || r.Owner == owner) &&
			(percent == 0 || r.Rates.Cost*100 >= float64(percent)) &&
			(text == "" || strings.Contains(strings.ToLower(r.Name), text) || strings.Contains(strings.ToLower(r.Reason), text) || strings.Contains(strings.ToLower(r.Owner), text))
		if fits {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b row) int {
		return cmp.Or(b.trouble()-a.trouble(), order(&a, &b), cmp.Compare(a.Name, b.Name))
	})
	for o := range owners {
		out.Owners = append(out.Owners, o)
	}
	slices.Sort(out.Owners)
	out.Owners = out.Owners[:min(len(out.Owners), maxRows)]
	out.Total = len(found)
	found = found[min(int(from), len(found)):]
	out.Plugins = append(out.Plugins, found[:min(int(n), len(found))]...)
	return answer(c, http.StatusOK, out)
}

// pluginVitals are graphs of how a plugin fared over the last two hours.
func (s *Site) pluginVitals(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Rates  vitals.Rates   `json:"rates"`
		Series []series.Graph `json:"series"`
	}{s.opt.Vitals.Now(name), s.opt.Vitals.History(name)})
}

// pluginLetters are the messages that a plugin failed on.
func (s *Site) pluginLetters(c echo.Context) error {
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, s.opt.Letters.List(name))
}
