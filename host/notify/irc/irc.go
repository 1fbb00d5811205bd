// Package irc delivers notices to a channel of IRC (RFC 2812, with TLS): it connects, joins, says a line for each subject, and leaves.
//
// There is a client of our own since none of the libraries could be had when this was written; it speaks five commands.
package irc

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"sandbar/host/notify"
)

// Options of an IRC.
type Options struct {
	// Dial connects to an address, or refuses to.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Nick string      // what it is called; others are tried when that is taken
	TLS  *tls.Config // nil: the system's authorities
	Line func(n *notify.Notice) []string
}

// IRC is a notify.Way. The secret of a target is the server's password.
type IRC struct{ opt Options }

// New makes one.
func New(o Options) *IRC { return &IRC{o} }

const (
	mostLines = 12
	mostLine  = 400 // bytes; a line of the protocol has 512 with what stands before it
	pause     = 600 * time.Millisecond
)

// place is a server and a channel.
type place struct {
	host, address, channel string
	tls                    bool
}

// parse reads ircs://server[:port]/channel, or irc:// without TLS. The channel's # may be left out.
func parse(address string) (p place, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return p, fmt.Errorf("%.120q is no address of a channel: %w", address, err)
	}
	p.channel = strings.TrimPrefix(u.Path, "/")
	if u.Fragment != "" { // ircs://server/#channel
		p.channel += "#" + u.Fragment
	}
	if !strings.HasPrefix(p.channel, "#") {
		p.channel = "#" + p.channel
	}
	p.host, p.tls = u.Hostname(), u.Scheme == "ircs"
	port := u.Port()
	if port == "" && p.tls {
		port = "6697"
	} else if port == "" {
		port = "6667"
	}
	p.address = net.JoinHostPort(p.host, port)
	if u.Scheme != "irc" && u.Scheme != "ircs" || p.host == "" || u.User != nil || len(p.channel) < 2 || len(p.channel) > 50 || strings.ContainsAny(p.channel, " ,:\a\r\n\x00") {
		return p, fmt.Errorf("%.120q is no address of a channel; it is ircs://server/channel", address)
	}
	return p, nil
}

// Check says whether an address can be one.
func Check(address string) error {
	_, err := parse(address)
	return err
}

// Send implements notify.Way.
func (i *IRC) Send(ctx context.Context, n *notify.Notice, to notify.Target) error {
	p, err := parse(to.Address)
	if err != nil {
		return fmt.Errorf("%w: %w", err, notify.ErrPermanent)
	}
	c, err := i.opt.Dial(ctx, "tcp", p.address)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if p.tls {
		cfg := i.opt.TLS.Clone()
		if cfg == nil {
			cfg = &tls.Config{}
		}
		cfg.ServerName = p.host
		t := tls.Client(c, cfg)
		if err := t.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("TLS with %s: %w", p.address, err)
		}
		c = t
	}
	s := &session{c: c, in: bufio.NewReaderSize(c, 8<<10), nick: clean(i.opt.Nick)}
	if to.Secret != "" {
		s.say("PASS :%s", clean(to.Secret))
	}
	s.say("NICK %s", s.nick)
	s.say("USER sandbar 0 * :Sandbar")
	if err := s.until("001"); err != nil {
		return fmt.Errorf("log in at %s: %w", p.address, err)
	}
	s.say("JOIN %s", p.channel)
	if err := s.until("366"); err != nil { // end of the names
		return fmt.Errorf("join %s at %s: %w", p.channel, p.address, err)
	}
	if err := s.lines(ctx, p.channel, i.opt.Line(n)); err != nil {
		return err
	}
	s.say("QUIT :told")
	s.until("ERROR") // it closes then; what was said before has arrived
	return s.err
}

// session is a connection that is spoken on.
type session struct {
	c    net.Conn
	in   *bufio.Reader
	nick string
	err  error // of writing
}

func (s *session) say(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.c, format+"\r\n", args...)
	}
}

// lines says them, slowly enough not to be thrown out.
func (s *session) lines(ctx context.Context, channel string, all []string) error {
	if len(all) > mostLines {
		all = append(all[:mostLines-1:mostLines-1], fmt.Sprintf("and %d more", len(all)-mostLines+1))
	}
	for k, l := range all {
		if k > 3 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		s.say("PRIVMSG %s :%s", channel, clean(l))
	}
	return s.err
}

// clean is a text in one line of the protocol.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
	if len(text) > mostLine {
		text = text[:mostLine]
		for len(text) > 0 && !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}

const mostRead = 500 // lines of a server until what is waited for

// until reads until a command comes; refusals are errors.
func (s *session) until(command string) error {
	tries := 0
	for range mostRead {
		if s.err != nil {
			return s.err
		}
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		text := strings.TrimRight(string(line), "\r\n")
		rest := text
		if strings.HasPrefix(rest, ":") {
			_, rest, _ = strings.Cut(rest, " ")
		}
		got, args, _ := strings.Cut(rest, " ")
		switch {
		case got == command:
			return nil
		case got == "PING":
			s.say("PONG %s", clean(args))
		case got == "433" && command == "001" && tries < 5: // the nick is taken
			tries++
			s.nick += "_"
			s.say("NICK %s", s.nick)
		case got == "ERROR" || len(got) == 3 && (got[0] == '4' || got[0] == '5') && got != "422": // there need be no message of the day
			return fmt.Errorf("the server answered %.200q", text)
		}
	}
	return errors.New("the server says too much")
}
