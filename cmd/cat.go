package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

type catCmd struct {
	Files   []string `arg:"" optional:"" type:"existingfile" help:"Files of framed messages; .zst and .gz are inflated."`
	Matcher string   `short:"m" default:"TRUE" help:"Only messages that this message_matcher wants."`
	Number  int64    `short:"n" default:"-1" placeholder:"N" help:"At most N messages."`
	Output  string   `short:"o" enum:"text,json,framed" default:"text" help:"text, json (one line each) or framed."`

	To     string `placeholder:"URL" help:"In place of files: the newest messages of a running host."`
	Token  string `env:"SANDBAR_TOKEN" help:"Its token, if it wants one."`
	Stream string `enum:"raw,valid,errors,derived" default:"valid" help:"With --to: raw, valid, errors or derived."`
	Follow bool   `short:"f" help:"With --to: go on with those that come."`
}

// Run prints the messages; what was skipped as damaged is told on standard error.
func (c *catCmd) Run(ctx context.Context, con console) error {
	m, err := matcher.Parse(c.Matcher)
	if err != nil {
		return fmt.Errorf("message_matcher: %w", err)
	}
	switch {
	case c.To != "" && len(c.Files) > 0:
		return errors.New("either files or --to")
	case c.To != "":
		return c.live(ctx, con)
	case len(c.Files) == 0 || c.Follow:
		return errors.New("name files, or a running host with --to; only a host can be followed")
	}
	out := bufio.NewWriterSize(con.out, 64<<10)
	src := &files{names: c.Files, max: message.MaxSize}
	n, damaged, err := c.copy(ctx, src, m, out)
	if err = errors.Join(err, out.Flush(), src.Close()); err != nil {
		return err
	}
	if src.skipped > 0 || damaged > 0 {
		fmt.Fprintf(con.err, "sandbar: %d messages printed; %d bytes skipped that are no frame, %d frames that hold no message\n", n, src.skipped, damaged)
	}
	return nil
}

func (c *catCmd) copy(ctx context.Context, src *files, m *matcher.Matcher, out io.Writer) (n, damaged int64, err error) {
	var v message.View
	var line, scratch []byte
	var inside [][]byte // messages that a wrong length covered
	next := func() ([]byte, error) {
		if len(inside) == 0 {
			return src.Next()
		}
		msg := inside[0]
		inside = inside[1:]
		return msg, nil
	}
	for c.Number < 0 || n < c.Number {
		msg, err := next()
		if errors.Is(err, io.EOF) {
			return n, damaged, nil
		}
		if err != nil {
			return n, damaged, err
		}
		if ctx.Err() != nil {
			return n, damaged, ctx.Err()
		}
		if scratch, err = message.Decode(&v, msg, scratch); err != nil {
			damaged++
			for m := range message.Inside(bytes.Clone(msg)) {
				inside = append(inside, m)
			}
			continue
		}
		if !m.Match(&v) {
			continue
		}
		line = c.format(line[:0], &v)
		if _, err := out.Write(line); err != nil {
			return n, damaged, err
		}
		n++
	}
	return n, damaged, nil
}

func (c *catCmd) format(dst []byte, v *message.View) []byte {
	switch c.Output {
	case "framed":
		return message.AppendFrame(dst, v.Raw())
	case "json":
		return append(message.AppendJSON(dst, v), '\n')
	}
	return appendText(dst, v)
}
