package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"sandbar/host/catalog"
)

// pluginVersion is a version as the API tells it.
type pluginVersion struct {
	Version int       `json:"version"`
	Kind    string    `json:"kind"`
	Updated time.Time `json:"updated"`
	Author  string    `json:"author,omitempty"`
	Note    string    `json:"note,omitempty"`
	Warning string    `json:"warning,omitempty"`
	Shipped bool      `json:"shipped"`
	State   bool      `json:"state"`
	Config  string    `json:"config"`
	Source  string    `json:"source,omitempty"`
	Module  []byte    `json:"source_base64,omitempty"`
}

func (c *client) versions(ctx context.Context, name string) (all []pluginVersion, err error) {
	return all, c.call(ctx, http.MethodGet, "/plugins/"+url.PathEscape(name)+"/versions", nil, &all)
}

func (c *client) version(ctx context.Context, name string, n int) (v pluginVersion, err error) {
	return v, c.call(ctx, http.MethodGet, "/plugins/"+url.PathEscape(name)+"/versions/"+strconv.Itoa(n), nil, &v)
}

// printJSON prints a value for programs.
func printJSON(con console, v any) error {
	e := json.NewEncoder(con.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// on is a moment as tables show it.
func on(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

type pluginHistoryCmd struct {
	Name string `arg:"" optional:"" help:"The plugin, like analysis.rate, also one that was removed; without it, all plugins."`
	N    int    `default:"50" help:"How much of it, at most 1000."`
	JSON bool   `help:"For programs."`
}

// Run prints what was done, the newest first.
func (h *pluginHistoryCmd) Run(ctx context.Context, c *client, con console) error {
	name := h.Name
	if name != "" { // the history knows full names only
		all, err := c.versions(ctx, name)
		if err != nil {
			return err
		}
		if prefix := all[0].Kind + "."; len(name) < len(prefix) || name[:len(prefix)] != prefix {
			name = prefix + name
		}
	}
	var events []catalog.Event
	if err := c.call(ctx, http.MethodGet, "/audit?n="+strconv.Itoa(h.N)+"&plugin="+url.QueryEscape(name), nil, &events); err != nil {
		return err
	}
	if h.JSON {
		return printJSON(con, events)
	}
	tw := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "WHEN\tPLUGIN\tVERSION\tWHAT\tWHO\tNOTE")
	for _, e := range events {
		version := "-"
		if e.Version > 0 {
			version = strconv.Itoa(e.Version)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", on(e.At), e.Plugin, version, e.What, printable([]byte(e.Actor)), printable([]byte(e.Note)))
	}
	return tw.Flush()
}

type pluginShowCmd struct {
	Name   string `arg:"" help:"The plugin, like analysis.rate, also one that was removed."`
	Number int    `name:"at" placeholder:"N" help:"The version; the newest without it."`
	JSON   bool   `help:"For programs, with the source."`
}

// Run prints a version: who submitted it, config and source.
func (s *pluginShowCmd) Run(ctx context.Context, c *client, con console) error {
	n := s.Number
	if n == 0 {
		all, err := c.versions(ctx, s.Name)
		if err != nil {
			return err
		}
		n = all[0].Version
	}
	v, err := c.version(ctx, s.Name, n)
	if err != nil {
		return err
	}
	if s.JSON {
		return printJSON(con, v)
	}
	fmt.Fprintf(con.out, "-- version %d, %s", v.Version, on(v.Updated))
	for _, about := range [][2]string{{", by", v.Author}, {"\n--", v.Note}, {"\n-- warning:", v.Warning}} {
		if about[1] != "" {
			fmt.Fprintf(con.out, "%s %s", about[0], printable([]byte(about[1])))
		}
	}
	fmt.Fprintf(con.out, "\n\n%s\n%s", v.Config, v.text())
	return nil
}

// text is the source for people.
func (v *pluginVersion) text() string {
	if v.Module != nil {
		return fmt.Sprintf("-- a module of %d bytes\n", len(v.Module))
	}
	return v.Source
}

type pluginDiffCmd struct {
	Name string `arg:"" help:"The plugin, like analysis.rate, also one that was removed."`
	From int    `arg:"" optional:"" help:"A version; the one before the newest without it."`
	To   int    `arg:"" optional:"" help:"Another; the newest without it."`
}

// Run prints what is different between two versions.
func (d *pluginDiffCmd) Run(ctx context.Context, c *client, con console) error {
	all, err := c.versions(ctx, d.Name)
	if err != nil {
		return err
	}
	if d.To == 0 {
		d.To = all[0].Version
	}
	if d.From == 0 {
		for _, v := range all {
			if v.Version < d.To {
				d.From = max(d.From, v.Version)
			}
		}
	}
	if d.From == 0 {
		return fmt.Errorf("there is no version before version %d of %s", d.To, d.Name)
	}
	from, err := c.version(ctx, d.Name, d.From)
	if err != nil {
		return err
	}
	to, err := c.version(ctx, d.Name, d.To)
	if err != nil {
		return err
	}
	a, b := fmt.Sprintf("version %d", d.From), fmt.Sprintf("version %d", d.To)
	text := udiff.Unified("config, "+a, "config, "+b, from.Config, to.Config)
	switch {
	case from.Module == nil && to.Module == nil:
		text += udiff.Unified("source, "+a, "source, "+b, from.Source, to.Source)
	case !bytes.Equal(from.Module, to.Module) || from.Source != to.Source:
		text += fmt.Sprintf("the modules are different: %d and %d bytes\n", len(from.Module), len(to.Module))
	}
	fmt.Fprint(con.out, text)
	return nil
}

type pluginRollbackCmd struct {
	Name string `arg:"" help:"The plugin, like analysis.rate."`
	To   int    `arg:"" help:"The version whose config and source are wanted."`
	Note string `help:"Why, for the history."`

	WithState bool `help:"Begin with the state that the version had at its end, not with the one that there is."`
}

// Run submits an older version again.
func (r *pluginRollbackCmd) Run(ctx context.Context, c *client, con console) error {
	if r.To < 1 {
		return errors.New("say which version is wanted: sandbar plugin history has them")
	}
	return back(ctx, c, con, r.Name, r.To, r.WithState, r.Note)
}

type pluginRestoreCmd struct {
	Name string `arg:"" help:"The full name of a plugin that was removed, like analysis.rate."`
	At   int    `placeholder:"N" help:"The version; the newest without it."`
	Note string `help:"Why, for the history."`

	WithoutState bool `help:"Begin anew. Without it the plugin begins with the state that the version had at its end, if that is kept."`
}

// Run brings back a plugin that was removed.
func (r *pluginRestoreCmd) Run(ctx context.Context, c *client, con console) error {
	all, err := c.versions(ctx, r.Name)
	if err != nil {
		return err
	}
	if r.At == 0 {
		r.At = all[0].Version
	}
	kept := slices.ContainsFunc(all, func(v pluginVersion) bool { return v.Version == r.At && v.State })
	return back(ctx, c, con, r.Name, r.At, kept && !r.WithoutState, r.Note)
}

func back(ctx context.Context, c *client, con console, name string, version int, withState bool, note string) error {
	var st struct{ Name, State string }
	in := map[string]any{"version": version, "note": note, "with_state": withState}
	if err := c.call(ctx, http.MethodPost, "/plugins/"+url.PathEscape(name)+"/rollback", in, &st); err != nil {
		return err
	}
	fmt.Fprintf(con.out, "%s is %s\n", st.Name, st.State)
	return nil
}
