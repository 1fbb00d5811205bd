// Package mail delivers notices by e-mail: as HTML with the graph as a picture, and as plain text.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/mail"
	"strconv"
	"strings"
	texts "text/template"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"sandbar/host/notify"
)

//go:embed notice.html notice.txt
var files embed.FS

// Ways of encryption.
const (
	StartTLS = "starttls" // required
	TLS      = "tls"      // from the beginning
	Plain    = "none"
)

// Options of a Mail.
type Options struct {
	Server   string // HOST:PORT
	From     string // ADDRESS or NAME <ADDRESS>
	User     string // empty: without logging in
	Password string
	TLS      string      // StartTLS, TLS or Plain
	Domains  []string    // of mailboxes that may be written to; empty: any
	Roots    *tls.Config // nil: as the machine has it
	Now      func() time.Time
}

// Mail is a notify.Way.
type Mail struct {
	opt  Options
	host string
	port int
	html *template.Template
	text *texts.Template
}

// New checks the options.
func New(o Options) (*Mail, error) {
	host, port, err := net.SplitHostPort(o.Server)
	if err != nil {
		return nil, fmt.Errorf("alerts.mail.server is %q; it must be HOST:PORT: %w", o.Server, err)
	}
	m := &Mail{opt: o, host: host}
	if m.port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("alerts.mail.server is %q; its port must be a number", o.Server)
	}
	if _, err := mail.ParseAddress(o.From); err != nil {
		return nil, fmt.Errorf("alerts.mail.from is %q; it must be a mailbox: %w", o.From, err)
	}
	funcs := map[string]any{"when": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }}
	if m.html, err = template.New("notice.html").Funcs(funcs).ParseFS(files, "notice.html"); err != nil {
		return nil, err
	}
	m.text, err = texts.New("notice.txt").Funcs(funcs).ParseFS(files, "notice.txt")
	return m, err
}

// Check says whether a mailbox may be written to.
func (m *Mail) Check(address string) error {
	a, err := mail.ParseAddress(address)
	if err != nil || a.Name != "" || a.Address != address {
		return fmt.Errorf("%.120q is no mailbox, such as ann@example.com", address)
	}
	_, domain, _ := strings.Cut(address, "@")
	if i := strings.LastIndex(address, "@"); i >= 0 {
		domain = address[i+1:]
	}
	for _, d := range m.opt.Domains {
		if strings.EqualFold(d, domain) {
			return nil
		}
	}
	if len(m.opt.Domains) > 0 {
		return fmt.Errorf("this host writes to %s only, not to %s", strings.Join(m.opt.Domains, ", "), domain)
	}
	return nil
}

// Send implements notify.Way.
func (m *Mail) Send(ctx context.Context, n *notify.Notice, to notify.Target) error {
	if err := m.Check(to.Address); err != nil {
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	msg, err := m.message(n, to.Address)
	if err != nil {
		return fmt.Errorf("write the mail: %w: %w", err, notify.ErrPermanent)
	}
	client, err := m.client(ctx)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, msg)
	var refused *gomail.SendError
	if errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return fmt.Errorf("%w: %w", err, notify.ErrPermanent)
	}
	return err
}

const timeout = 20 * time.Second // of each step of the conversation

// client speaks to the server until ctx ends, whatever the server does.
func (m *Mail) client(ctx context.Context) (*gomail.Client, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.opt.Roots != nil {
		conf = m.opt.Roots.Clone()
	}
	conf.ServerName = m.host
	wait := timeout
	if until, ok := ctx.Deadline(); ok {
		wait = max(time.Millisecond, min(wait, until.Sub(m.opt.Now())))
	}
	opts := []gomail.Option{gomail.WithPort(m.port), gomail.WithTimeout(wait), gomail.WithoutNoop(), gomail.WithTLSConfig(conf)}
	switch m.opt.TLS {
	case TLS:
		opts = append(opts, gomail.WithSSL())
	case Plain:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS), hangingUp(ctx))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory), hangingUp(ctx))
	}
	if m.opt.User != "" {
		auth := gomail.SMTPAuthAutoDiscover
		if m.opt.TLS == Plain {
			auth = gomail.SMTPAuthPlainNoEnc
		}
		opts = append(opts, gomail.WithSMTPAuth(auth), gomail.WithUsername(m.opt.User), gomail.WithPassword(m.opt.Password))
	}
	return gomail.NewClient(m.host, opts...)
}

// hangingUp closes the connection when ctx ends.
func hangingUp(ctx context.Context) gomail.Option {
	return gomail.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	})
}

// message is the mail of a notice. What plugins wrote goes through templates that escape it, and through the library's encoding of headers.
func (m *Mail) message(n *notify.Notice, to string) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(m.opt.From), msg.To(to)); err != nil {
		return nil, err
	}
	msg.Subject(subject(n))
	msg.SetMessageIDWithValue(n.ID + "@sandbar")
	msg.SetDateWithValue(n.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // so that nobody's absence answers
	msg.SetGenHeader("X-Sandbar-Plugin", oneLine(n.Plugin))
	var text, html bytes.Buffer
	data := struct {
		*notify.Notice
		Title      string
		HasPicture bool
	}{n, subject(n), len(n.Picture) > 0}
	if err := errors.Join(m.text.Execute(&text, data), m.html.Execute(&html, data)); err != nil {
		return nil, err
	}
	msg.SetBodyString(gomail.TypeTextPlain, text.String())
	msg.AddAlternativeString(gomail.TypeTextHTML, html.String())
	if len(n.Picture) > 0 {
		if err := msg.EmbedReader("graph.png", bytes.NewReader(n.Picture), gomail.WithFileContentID("graph"), gomail.WithFileContentType("image/png")); err != nil {
			return nil, err
		}
	}
	return msg, nil
}

// subject says in a line what it is about.
func subject(n *notify.Notice) string {
	what := ""
	switch {
	case n.Test:
		what = "Test: "
	case len(n.Firing) == 0:
		what = "Resolved: "
	case n.Repeated:
		what = "Still: "
	}
	all := append(append([]notify.Subject{}, n.Firing...), n.Resolved...)
	first := "alerts"
	if len(all) > 0 {
		first = all[0].Summary
		if first == "" {
			first = all[0].ID
		}
	}
	more := ""
	if k := len(all) - 1 + n.More + n.MoreResolved; k > 0 {
		more = fmt.Sprintf(" and %d more", k)
	}
	return oneLine(fmt.Sprintf("[%s] %s%s%s", n.Plugin, what, first, more))
}

const longest = 200 // letters of a line in the head

// oneLine makes a text fit for a header.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > longest {
		s = string(r[:longest]) + "…"
	}
	return s
}
