package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"sandbar/host/try"
	"sandbar/plugins"
)

const (
	askTrial   = 250 * time.Millisecond // between two looks at a trial
	shownLines = 5                      // of prints, failures and alerts
)

// live tries a plugin on a host, over what its streams have kept. It reports whether the plugin would run.
func (c *testCmd) live(ctx context.Context, host *client, d *plugins.Definition, con console) (ok bool, err error) {
	in := map[string]any{"kind": d.Kind, "name": d.Name, "config": string(d.Config)}
	if d.Module() {
		in["source_base64"] = d.Source
	} else {
		in["source"] = string(d.Source)
	}
	switch {
	case c.Since > 0:
		in["since"] = time.Duration(c.Since).String()
	case c.Last > 0:
		in["last"] = c.Last
	}
	var begun struct {
		ID string `json:"id"`
	}
	if err := host.call(ctx, http.MethodPost, "/try", in, &begun); err != nil {
		return false, err
	}
	r, err := waitTrial(ctx, host, "/try/"+begun.ID, d.Logger(), con)
	if err != nil {
		return false, err
	}
	printTrial(con.out, r)
	return r.State == try.Done && r.Tried.Ended == nil, nil
}

// waitTrial asks for a trial until it ends. When ctx ends the trial does too.
func waitTrial(ctx context.Context, host *client, path, name string, con console) (r try.Report, err error) {
	bar := newProgress(con.err, name)
	defer bar.done()
	tick := time.NewTicker(askTrial)
	defer tick.Stop()
	for {
		if err := host.call(ctx, http.MethodGet, path, nil, &r); err != nil {
			return r, errors.Join(err, endTrial(ctx, host, path))
		}
		switch r.State {
		case try.Done, try.Cancelled:
			return r, nil
		case try.Failed:
			return r, errors.New(r.Problem)
		}
		bar.show("%s, %.0f%%, %d of %d messages matched", r.State, 100*r.Share, r.Tried.Matched, r.Range.Messages)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return r, errors.Join(ctx.Err(), endTrial(ctx, host, path))
		}
	}
}

// endTrial does not let a trial run for which nobody waits any more.
func endTrial(ctx context.Context, host *client, path string) error {
	if ctx.Err() == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return host.call(ctx, http.MethodDelete, path, nil, nil)
}

// printTrial prints what a trial found: the numbers, beside those of the version that runs, and the first of the rest.
func printTrial(w io.Writer, r try.Report) {
	g := r.Range
	fmt.Fprintf(w, "     %d messages of %s", g.Messages, strings.Join(g.Streams, ", "))
	if !g.From.IsZero() {
		fmt.Fprintf(w, ", %s to %s", g.From.Format(time.DateTime), g.To.Format(time.DateTime))
	}
	if g.All {
		fmt.Fprint(w, ", all there are")
	}
	fmt.Fprintf(w, ", in %.1f s\n", r.Seconds)
	if r.Problem != "" {
		fmt.Fprintf(w, "     %s\n", r.Problem)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name string, of func(*try.Result) string) {
		fmt.Fprintf(tw, "     %s\t%s", name, of(&r.Tried))
		if r.Running != nil {
			fmt.Fprintf(tw, "\t%s", of(r.Running))
		}
		fmt.Fprintln(tw)
	}
	if r.Running != nil {
		fmt.Fprintf(tw, "     \tas it is here\tversion %d\n", r.Version)
	}
	row("matched", func(t *try.Result) string { return fmt.Sprintf("%d, %.3g a second", t.Matched, t.Rate) })
	row("returned -1", func(t *try.Result) string { return fmt.Sprint(t.Returned) })
	row("made", func(t *try.Result) string {
		return fmt.Sprintf("%d, the largest of %d bytes of %d", t.Made, t.Largest, t.OutLimit)
	})
	row("alerts", func(t *try.Result) string { return fmt.Sprint(t.Alerted) })
	row("fuel a call", func(t *try.Result) string {
		return fmt.Sprintf("median %d, 99%% %d, most %d of %d", t.Fuel.P50, t.Fuel.P99, t.Fuel.Max, t.FuelLimit)
	})
	row("memory", func(t *try.Result) string { return fmt.Sprintf("%d, most %d of %d", t.Memory, t.MemoryMax, t.MemLimit) })
	row("cost", func(t *try.Result) string { return fmt.Sprintf("%.3g%% of a core", 100*t.Cost) })
	row("would end", func(t *try.Result) string {
		if t.Ended == nil {
			return "no"
		}
		return t.Ended.Outcome
	})
	tw.Flush()
	if r.Running != nil {
		printBackTest(w, &r)
	}
	printFindings(w, &r.Tried, r.Running == nil)
}

// printFindings prints what has texts, and the alerts unless they stand next to others.
func printFindings(w io.Writer, t *try.Result, alerts bool) {
	for _, why := range t.Warnings {
		fmt.Fprintf(w, "     warning: %s\n", printable([]byte(why.String())))
	}
	for _, f := range t.Failures[:min(len(t.Failures), shownLines)] {
		fmt.Fprintf(w, "     returned -1, %d times: %s\n", f.Count, printable([]byte(f.Text)))
	}
	for _, a := range t.Alerts[:min(len(t.Alerts), shownLines)] {
		if !alerts {
			break
		}
		fmt.Fprintf(w, "     alert %s %s: %s\n", a.Time.Format(time.DateTime), printable([]byte(a.ID)), printable([]byte(a.Summary)))
	}
	for _, f := range t.Lake[:min(len(t.Lake), shownLines)] {
		fmt.Fprintf(w, "     lake %s: %d rows\n", printable([]byte(f.Path)), f.Rows)
	}
	for _, p := range t.Payloads {
		fmt.Fprintf(w, "     payload %s, %s, %d bytes\n", printable([]byte(p.Title)), printable([]byte(p.Type)), p.Bytes)
	}
	for _, p := range t.Prints[max(0, len(t.Prints)-shownLines):] {
		fmt.Fprintf(w, "     print %s: %s\n", p.Time.Format(time.DateTime), printable([]byte(p.Text)))
	}
	if e := t.Ended; e != nil {
		where := ""
		if e.Line > 0 {
			where = fmt.Sprintf(" line %d", e.Line)
		}
		fmt.Fprintf(w, "     it would end in call %d:%s %s: %s\n", e.Call, where, e.Outcome, printable([]byte(e.Text)))
		fmt.Fprint(w, indent(printable([]byte(e.Trace))))
		if e.Message != nil {
			fmt.Fprintf(w, "     with the message %s\n", e.Message)
		}
	}
}
