package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"sandbar/host/feed"
)

type sendCmd struct {
	Dir     string `arg:"" type:"existingdir" help:"Folder of NAMESPACE/DOCTYPE.VERSION.NAME.json files, at any depth."`
	To      string `required:"" placeholder:"URL" help:"The edge, http://127.0.0.1:8080."`
	Workers int    `default:"8" help:"Requests at once."`
}

// Run posts every ping file of the folder and counts the answers.
func (c *sendCmd) Run(ctx context.Context, con console) error {
	bar := newProgress(con.err, "send")
	s, err := feed.NewSender(feed.SenderOptions{URL: c.To, Workers: c.Workers,
		Progress: func(done, total int, _ feed.Result) { bar.show("%d of %d files", done, total) }})
	if err != nil {
		return err
	}
	sum, err := s.Send(ctx, c.Dir)
	bar.done()
	if err != nil {
		return err
	}
	for _, name := range sum.Unknown {
		fmt.Fprintf(con.err, "sandbar: %s is left out: its place does not say what it is\n", name)
	}
	for _, r := range sum.Failed {
		fmt.Fprintf(con.err, "sandbar: %s: %s\n", r.Path, failure(r))
	}
	fmt.Fprintf(con.out, "%d files", sum.Files)
	for _, status := range slices.Sorted(maps.Keys(sum.Status)) {
		fmt.Fprintf(con.out, ", %d answered %d", sum.Status[status], status)
	}
	fmt.Fprintln(con.out)
	if len(sum.Failed) > 0 {
		return errQuiet
	}
	return nil
}

func failure(r feed.Result) string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return fmt.Sprintf("answered %d %s", r.Status, r.Text)
}
