package cmd

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

type pluginPromoteCmd struct {
	Name string `arg:"" help:"The plugin, like analysis.rate."`
	Note string `help:"Why, for the history."`

	WithState bool `help:"Go on with the state and the position of the shadow, not with the plugin's own."`
}

// Run promotes the shadow of a plugin.
func (p *pluginPromoteCmd) Run(ctx context.Context, c *client, con console) error {
	return second(ctx, c, con, p.Name, "/promote", map[string]any{"with_state": p.WithState, "note": p.Note})
}

type pluginForkCmd struct {
	Name string `arg:"" help:"The plugin, like analysis.rate."`
	To   string `arg:"" help:"The name of the other, without its kind."`
	Note string `help:"Why, for the history."`

	WithState bool `help:"Begin with the state and the position that the plugin has now."`
}

// Run makes a plugin of another.
func (f *pluginForkCmd) Run(ctx context.Context, c *client, con console) error {
	return second(ctx, c, con, f.Name, "/fork", map[string]any{"name": f.To, "with_state": f.WithState, "note": f.Note})
}

type pluginApproveCmd struct {
	Name string `arg:"" help:"The proposal, like analysis.rate~proposed."`
	Note string `help:"Why, for the history."`
}

// Run deploys what somebody else has proposed.
func (a *pluginApproveCmd) Run(ctx context.Context, c *client, con console) error {
	return second(ctx, c, con, a.Name, "/approve", map[string]any{"note": a.Note})
}

// second asks for something about a plugin and its second.
func second(ctx context.Context, c *client, con console, name, verb string, in map[string]any) error {
	var st struct{ Name, State string }
	if err := c.call(ctx, http.MethodPost, "/plugins/"+url.PathEscape(name)+verb, in, &st); err != nil {
		return err
	}
	fmt.Fprintf(con.out, "%s is %s\n", st.Name, st.State)
	return nil
}
