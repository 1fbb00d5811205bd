package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sandbar/host/tap"
	"sandbar/sandbox/message"
)

const (
	catNewest = 20 // messages, when nobody says how many
	reconnect = time.Second
)

// live prints messages of a running host.
func (c *catCmd) live(ctx context.Context, con console) error {
	host := &client{base: strings.TrimRight(c.To, "/"), token: c.Token, http: &http.Client{Timeout: 30 * time.Second}}
	ask := url.Values{"stream": {c.Stream}, "matcher": {c.Matcher}}
	out := bufio.NewWriterSize(con.out, 64<<10)
	p := &livePrinter{cat: c, out: out, notes: con.err, left: c.Number}
	var err error
	if c.Follow {
		err = c.follow(ctx, host, ask, p)
	} else {
		ask.Set("n", strconv.FormatInt(min(max(c.Number, 0), tap.MaxMessages), 10))
		if c.Number < 0 {
			ask.Set("n", strconv.Itoa(catNewest))
		}
		var found struct {
			tap.Seen
			List []tap.Message `json:"list"`
		}
		if err = host.call(ctx, http.MethodGet, "/messages?"+ask.Encode(), nil, &found); err == nil {
			err = p.print(found.List)
		}
		if err == nil && len(found.List) == 0 {
			fmt.Fprintf(con.err, "sandbar: none of the newest %d messages of stream %s is wanted\n", found.Seen.Messages, c.Stream)
		}
	}
	return errors.Join(err, out.Flush())
}

// follow prints what comes until ctx ends, or as many messages as are asked for. The host ends an answer after some minutes.
func (c *catCmd) follow(ctx context.Context, host *client, ask url.Values, p *livePrinter) error {
	ask.Set("rate", strconv.Itoa(tap.MaxRate))
	host.http = &http.Client{} // an answer takes as long as somebody looks
	for {
		err := host.events(ctx, "/messages/live?"+ask.Encode(), func(data []byte) error {
			var e tap.Event
			if err := json.Unmarshal(data, &e); err != nil {
				return fmt.Errorf("the host's answer is not what this version expects: %w", err)
			}
			p.sampled(e)
			if err := p.print(e.Messages); err != nil {
				return err
			}
			return p.out.Flush()
		})
		switch {
		case errors.Is(err, errPrinted), ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		select { // the host has ended it
		case <-time.After(reconnect):
		case <-ctx.Done():
			return nil
		}
	}
}

// errPrinted says that as many messages are printed as were asked for.
var errPrinted = errors.New("enough is printed")

// livePrinter prints messages that came as JSON.
type livePrinter struct {
	cat   *catCmd
	out   *bufio.Writer
	notes io.Writer
	left  int64 // negative: any number
	line  []byte

	toldSampled, toldCut bool
}

func (p *livePrinter) print(list []tap.Message) error {
	for _, m := range slices.Backward(list) {
		if p.left == 0 {
			return errPrinted
		}
		p.left--
		if m.Cut && p.cat.Output == "framed" {
			return fmt.Errorf("the message at %s has %d bytes, and a host shows only the beginning of long texts: not with --output framed", m.Position, m.Bytes)
		}
		if m.Cut && !p.toldCut {
			p.toldCut = true
			fmt.Fprintf(p.notes, "sandbar: of long texts, and of messages with very many fields, only the beginning is shown\n")
		}
		raw, err := message.FromJSON(m.Message)
		var v message.View
		if err == nil {
			err = v.Parse(raw)
		}
		if err != nil {
			return fmt.Errorf("the message at %s cannot be read: %w", m.Position, err)
		}
		p.line = p.cat.format(p.line[:0], &v)
		if _, err := p.out.Write(p.line); err != nil {
			return err
		}
	}
	if p.left == 0 && p.cat.Follow {
		return errPrinted
	}
	return nil
}

// sampled says once that not all are shown.
func (p *livePrinter) sampled(e tap.Event) {
	if !p.toldSampled && (e.Matched > int64(len(e.Messages)) || e.Skipped > 0) {
		p.toldSampled = true
		fmt.Fprintf(p.notes, "sandbar: more comes than is shown: of each half second the newest %d\n", tap.MaxRate)
	}
}

// events hands on the data of server-sent events until the host ends them.
func (c *client) events(ctx context.Context, path string, each func(data []byte) error) error {
	res, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		return apiError(res.Status, answer)
	}
	lines := bufio.NewReaderSize(res.Body, 64<<10)
	for {
		line, err := readLine(lines, maxAnswer)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the host's answer: %w", err)
		}
		if data, ok := strings.CutPrefix(string(line), "data: "); ok {
			if err := each([]byte(data)); err != nil {
				return err
			}
		}
	}
}

// readLine reads a line of at most so many bytes, without its end.
func readLine(r *bufio.Reader, most int) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > most {
			return nil, fmt.Errorf("a line has more than %d bytes", most)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return []byte(strings.TrimRight(string(line), "\r\n")), err
		}
	}
}
