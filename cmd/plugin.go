package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"sandbar/host/runner"
	"sandbar/plugins"
)

type pluginCmd struct {
	To    string `default:"http://127.0.0.1:8080" env:"SANDBAR_URL" placeholder:"URL" help:"The running host."`
	Token string `env:"SANDBAR_TOKEN" help:"Its token, if it wants one."`
	As    string `env:"SANDBAR_AS" placeholder:"NAME" help:"Who you are, for the history; nobody checks it (default: your user name)."`

	New    pluginNewCmd    `cmd:"" help:"Write a new plugin, in Lua, Go, Rust, C or AssemblyScript, that works."`
	List   pluginListCmd   `cmd:"" help:"List plugins."`
	Deploy pluginDeployCmd `cmd:"" help:"Submit a plugin: its .cfg, with the source beside it."`
	Stop   pluginStopCmd   `cmd:"" help:"Stop a plugin until somebody starts it; its state is kept."`
	Start  pluginStartCmd  `cmd:"" help:"Start a plugin that was stopped or has ended."`
	Remove pluginRemoveCmd `cmd:"" help:"Remove plugins; restore brings one back."`
	Logs   pluginLogsCmd   `cmd:"" help:"Print what a plugin printed lately."`

	History  pluginHistoryCmd  `cmd:"" help:"Print what was done about a plugin, or about all: when, by whom and why."`
	Show     pluginShowCmd     `cmd:"" help:"Print a version of a plugin: config and source."`
	Diff     pluginDiffCmd     `cmd:"" help:"Print what is different between two versions of a plugin."`
	Rollback pluginRollbackCmd `cmd:"" help:"Run an older version of a plugin again."`
	Restore  pluginRestoreCmd  `cmd:"" help:"Bring back a plugin that was removed."`
	Promote  pluginPromoteCmd  `cmd:"" help:"Make what runs in the shadow of a plugin its next version."`
	Approve  pluginApproveCmd  `cmd:"" help:"Deploy what waits for a second person."`
	Fork     pluginForkCmd     `cmd:"" help:"Run a plugin a second time, under another name."`
}

// AfterApply gives the client to the commands below.
func (c *pluginCmd) AfterApply(k *kong.Context) error {
	if c.As == "" {
		if u, err := user.Current(); err == nil {
			c.As = u.Username
		}
	}
	k.Bind(&client{base: strings.TrimRight(c.To, "/"), token: c.Token, as: c.As, http: &http.Client{Timeout: answerTime}})
	return nil
}

// client speaks to the API of a running host.
type client struct {
	base, token string
	as          string // who asks
	over        int    // the version that is to be changed; 0: any
	http        *http.Client
}

// answerTime is how long an answer may take: a change takes the host a minute at most.
const answerTime = 70 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 16 << 20

// call sends in as JSON and reads the answer into out; both may be nil.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	res, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the host's answer: %w", err)
	}
	if res.StatusCode >= 300 {
		return apiError(res.Status, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("the host's answer is not what this version expects: %w", err)
	}
	return nil
}

// do asks the host. A body is JSON; the answer's body is the caller's to close.
func (c *client) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.over > 0 {
		req.Header.Set("If-Match", strconv.Quote(strconv.Itoa(c.over)))
	}
	if c.as != "" {
		req.Header.Set("Sandbar-As", c.as)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the host: %w; does it run at %s?", err, c.base)
	}
	return res, nil
}

// fault is what the host has against a request.
type fault struct {
	Text  string `json:"error"`
	Line  int    `json:"line"`
	Field string `json:"field"` // the member of a submission that is at fault, when one is
}

func (f *fault) Error() string {
	if f.Line > 0 {
		return fmt.Sprintf("line %d: %s", f.Line, f.Text)
	}
	return f.Text
}

func apiError(status string, answer []byte) error {
	var f fault
	if json.Unmarshal(answer, &f) != nil || f.Text == "" {
		return fmt.Errorf("the host answered %s", status)
	}
	return &f
}

type pluginListCmd struct {
	JSON bool `help:"For programs, with all numbers."`
}

// Run prints a line per plugin.
func (l *pluginListCmd) Run(ctx context.Context, c *client, con console) error {
	if l.JSON {
		var list json.RawMessage
		if err := c.call(ctx, http.MethodGet, "/plugins", nil, &list); err != nil {
			return err
		}
		return printJSON(con, list)
	}
	var list []runner.Status
	if err := c.call(ctx, http.MethodGet, "/plugins", nil, &list); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NAME\tSTATE\tMATCHED\tFAILED\tMADE\tFUEL/MSG\tMEMORY\tLAG\tREASON")
	for _, s := range list {
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", s.Name, s.State, s.Stats.Matched, s.Stats.Failed,
			s.Stats.Injected, s.Stats.Fuel/max(1, s.Stats.Matched), size(int64(s.Stats.Memory)), size(int64(s.LagBytes)), s.Reason)
	}
	return tw.Flush()
}

type pluginDeployCmd struct {
	Config  string `arg:"" type:"existingfile" help:"NAME.cfg; the folder above says the kind unless --kind does."`
	Kind    string `enum:",decoder,analysis,output" default:"" help:"decoder, analysis or output."`
	Replace bool   `help:"Replace a plugin of this name."`
	Over    int    `placeholder:"N" help:"Replace version N of a plugin, and no other."`
	Note    string `help:"Why, for the history."`

	Shadow    bool `help:"Run it in the shadow of the plugin of this name: it sees what comes, and nothing of what it makes is published."`
	WithState bool `help:"With --shadow: begin with the state that the plugin has now."`
}

// Run submits the plugin; errors carry the line.
func (d *pluginDeployCmd) Run(ctx context.Context, c *client, con console) error {
	// A config may be somebody else's: nothing outside of its folder is read for it, whatever it names.
	folder, err := os.OpenRoot(filepath.Dir(d.Config))
	if err != nil {
		return fmt.Errorf("open the folder of the config: %w", err)
	}
	defer folder.Close()
	def, err := plugins.ReadOne(folder.FS(), filepath.Base(d.Config))
	if err != nil {
		return err
	}
	name, config, source := def.Name, def.Config, def.Source
	kind := d.Kind
	if kind == "" {
		kind = kindOf(d.Config)
	}
	in := map[string]any{"kind": kind, "name": name, "config": string(config), "replace": d.Replace, "note": d.Note, "shadow": d.Shadow, "with_state": d.WithState}
	if def.Module() {
		in["source_base64"] = source
	} else {
		in["source"] = string(source)
	}
	var st struct {
		runner.Status
		Why []string `json:"why"`
	}
	c.over = d.Over
	if err := c.call(ctx, http.MethodPost, "/plugins", in, &st); err != nil {
		return inFile(err, d.Config, filepath.Join(filepath.Dir(d.Config), filepath.Base(def.SourcePath())))
	}
	fmt.Fprintf(con.out, "%s is %s; see %s/plugins/%s\n", st.Name, st.State, c.base, url.PathEscape(st.Name))
	for _, why := range st.Why {
		fmt.Fprintf(con.out, "it waits for a second person: %s\n", printable([]byte(why)))
	}
	return nil
}

// inFile puts the file before a fault that is in the config or the source.
func inFile(err error, config, source string) error {
	var f *fault
	if errors.As(err, &f) {
		switch f.Field {
		case "config":
			return fmt.Errorf("%s: %w", config, err)
		case "source":
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	return err
}

// kindOf takes the kind from the folders above the config; analysis where they do not say.
func kindOf(config string) string {
	abs, err := filepath.Abs(config)
	if err != nil {
		return "analysis"
	}
	for dir := filepath.Dir(abs); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		switch base := filepath.Base(dir); base {
		case "decoder", "analysis", "output":
			return base
		}
	}
	return "analysis"
}

type pluginStopCmd struct {
	Name string `arg:"" help:"The plugin, like analysis.rate."`
}

func (a *pluginStopCmd) Run(ctx context.Context, c *client, con console) error {
	return act(ctx, c, con, http.MethodPost, a.Name, "/stop", "stopped")
}

type pluginStartCmd struct {
	Name string `arg:"" help:"The plugin, like analysis.rate."`
}

func (a *pluginStartCmd) Run(ctx context.Context, c *client, con console) error {
	return act(ctx, c, con, http.MethodPost, a.Name, "/start", "started")
}

type pluginRemoveCmd struct {
	Names []string `arg:"" name:"name" help:"The plugins, like analysis.rate."`
}

func (a *pluginRemoveCmd) Run(ctx context.Context, c *client, con console) error {
	var errs []error
	for _, name := range a.Names {
		errs = append(errs, act(ctx, c, con, http.MethodDelete, name, "", "removed"))
	}
	return errors.Join(errs...)
}

func act(ctx context.Context, c *client, con console, method, name, verb, done string) error {
	var st runner.Status
	var out any = &st
	if method == http.MethodDelete {
		out = nil // there is nothing left to tell of
	}
	if err := c.call(ctx, method, "/plugins/"+url.PathEscape(name)+verb, nil, out); err != nil {
		return err
	}
	if st.Name != "" { // the whole one, when a part was given
		name = st.Name
	}
	fmt.Fprintf(con.out, "%s is %s\n", name, done)
	return nil
}

type pluginLogsCmd struct {
	Name   string `arg:"" help:"The plugin, like analysis.rate."`
	Lines  int    `short:"n" default:"-1" placeholder:"N" help:"Only the newest N lines."`
	Follow bool   `short:"f" help:"Go on with those that come."`
}

const followEvery = time.Second

// Run prints the lines, oldest first.
func (l *pluginLogsCmd) Run(ctx context.Context, c *client, con console) error {
	ask := url.Values{}
	if l.Lines >= 0 {
		ask.Set("n", strconv.Itoa(l.Lines))
	}
	for {
		var lines []runner.LogLine
		err := c.call(ctx, http.MethodGet, "/plugins/"+url.PathEscape(l.Name)+"/logs?"+ask.Encode(), nil, &lines)
		if l.Follow && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, line := range lines {
			fmt.Fprintf(con.out, "%s %s\n", line.Time.UTC().Format(time.RFC3339), printable([]byte(line.Text)))
			ask.Set("since", line.Time.Format(time.RFC3339Nano))
		}
		if !l.Follow {
			return nil
		}
		ask.Del("n")
		if !ask.Has("since") { // nothing so far: all that comes is new
			ask.Set("since", time.Unix(0, 0).UTC().Format(time.RFC3339))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
}
