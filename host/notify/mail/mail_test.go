package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"sandbar/host/notify"
)

// server is an SMTP server that keeps mails.
type server struct {
	*smtp.Server
	addr string
	tls  *tls.Config // for clients

	mu    sync.Mutex
	mails []string
	to    []string
	fail  error
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{s: s}, nil }

type session struct {
	s      *server
	authed bool
}

func (x *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "sandbar" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		x.authed = true
		return nil
	}), nil
}
func (x *session) Mail(string, *smtp.MailOptions) error { return nil }
func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.fail != nil {
		return x.s.fail
	}
	x.s.to = append(x.s.to, to)
	return nil
}
func (x *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.mails = append(x.s.mails, string(text))
	return err
}
func (*session) Reset()        {}
func (*session) Logout() error { return nil }

// newServer listens; direct: TLS from the beginning.
func newServer(t *testing.T, direct bool) *server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	s := &server{tls: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	s.Server = smtp.NewServer(s)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if direct {
		l = tls.NewListener(l, s.TLSConfig)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return s
}

func notice() *notify.Notice {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return &notify.Notice{ID: "abc123", Route: "mine", Plugin: "analysis.a", At: at, Suppressed: 3, More: 2,
		Firing: []notify.Subject{{ID: "x", Summary: "few <b>readings</b>\r\nBcc: eve@example.com", Detail: "line one\nline <script>two</script>", Link: "https://host/alerts/k", Began: at, Last: at, Count: 1},
			{ID: "ü", Summary: "zu wenig – ünïcode", Began: at, Last: at, Count: 5}},
		Resolved: []notify.Subject{{ID: "z", Summary: "done", Began: at, Last: at, Count: 2}}, Picture: []byte("\x89PNG not really")}
}

// parts are the texts of a mail by their type.
func parts(t *testing.T, typ string, body io.Reader, into map[string]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(typ)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		into[kind] = string(text)
		return
	}
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		parts(t, p.Header.Get("Content-Type"), p, into)
	}
}

// TestSend: a mail arrives as text, HTML and picture, over STARTTLS and TLS, with a login, and nothing that a plugin wrote gets into its head or becomes markup.
func TestSend(t *testing.T) {
	t.Parallel()
	for _, how := range []string{StartTLS, TLS} {
		s := newServer(t, how == TLS)
		m, err := New(Options{Server: s.addr, From: "Sandbar <sandbar@example.com>", User: "sandbar", Password: "secret", TLS: how, Roots: s.tls, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Send(t.Context(), notice(), notify.Target{Way: "mail", Address: "ann@example.com"}); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		s.mu.Lock()
		if len(s.mails) != 1 || len(s.to) != 1 || s.to[0] != "ann@example.com" {
			t.Fatalf("%d mails to %v", len(s.mails), s.to)
		}
		msg, err := mail.ReadMessage(strings.NewReader(s.mails[0]))
		s.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || subject != "[analysis.a] few <b>readings</b>  Bcc: eve@example.com and 4 more" || msg.Header.Get("Bcc") != "" {
			t.Errorf("subject %q, bcc %q, %v", subject, msg.Header.Get("Bcc"), err)
		}
		if msg.Header.Get("Message-ID") != "<abc123@sandbar>" || msg.Header.Get("Auto-Submitted") != "auto-generated" || msg.Header.Get("X-Sandbar-Plugin") != "analysis.a" {
			t.Errorf("%v", msg.Header)
		}
		got := map[string]string{}
		parts(t, msg.Header.Get("Content-Type"), msg.Body, got)
		text, html := got["text/plain"], got["text/html"]
		if !strings.Contains(text, "line one") || !strings.Contains(text, "RESOLVED done (z)") || !strings.Contains(text, "https://host/alerts/k") || !strings.Contains(text, "3 further alerts") {
			t.Errorf("text:\n%s", text)
		}
		if strings.Contains(html, "<script>") || strings.Contains(html, "<b>") || !strings.Contains(html, "&lt;script&gt;") || !strings.Contains(html, `src="cid:graph"`) || got["image/png"] == "" {
			t.Errorf("html:\n%s\n%v", html, got["image/png"])
		}
	}
}

// TestRefused: what the server says decides whether it is tried again.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	to := notify.Target{Way: "mail", Address: "ann@example.com"}
	send := func(o Options) error {
		o.Server, o.From, o.Roots, o.Now = s.addr, "sandbar@example.com", s.tls, time.Now
		m, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		return m.Send(t.Context(), notice(), to)
	}
	for name, c := range map[string]struct {
		fail error
		o    Options
		ok   bool
		last bool
	}{
		"taken":            {nil, Options{}, true, false},
		"full":             {&smtp.SMTPError{Code: 452, Message: "mailbox is full"}, Options{}, false, false},
		"unknown":          {&smtp.SMTPError{Code: 550, Message: "no such mailbox"}, Options{}, false, true},
		"a wrong password": {nil, Options{User: "sandbar", Password: "wrong"}, false, false},
		"another domain":   {nil, Options{Domains: []string{"example.org"}}, false, true},
		"its domain":       {nil, Options{Domains: []string{"example.org", "Example.com"}}, true, false},
	} {
		s.mu.Lock()
		s.fail = c.fail
		s.mu.Unlock()
		err := send(c.o)
		if (err == nil) != c.ok || errors.Is(err, notify.ErrPermanent) != c.last {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := New(Options{Server: s.addr, From: "a@b.c", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), notice(), to); err == nil {
		t.Error("a server with an unknown certificate was trusted")
	}
	for _, bad := range []string{"", "ann", "Ann <ann@example.com>", "ann@example.com\r\nBcc: b@c", "a@b, c@d"} {
		if err := m.Check(bad); err == nil {
			t.Errorf("mailbox %q was taken", bad)
		}
	}
	for _, bad := range []Options{{Server: "x", From: "a@b"}, {Server: "x:y", From: "a@b"}, {Server: "x:25", From: "nobody"}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestHangs: a server that says nothing holds nobody up beyond the time of an attempt.
func TestHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m, err := New(Options{Server: l.Addr().String(), From: "a@b.c", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := m.Send(ctx, notice(), notify.Target{Address: "ann@example.com"}); err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

// TestNotes: a mail says why it comes, when that is another reason than an alert.
func TestNotes(t *testing.T) {
	t.Parallel()
	m, err := New(Options{Server: "127.0.0.1:25", From: "a@example.com", TLS: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	n := notice()
	end := time.Unix(1_700_000_000, 0)
	n.SilenceEnds, n.Digest, n.Escalated = &end, true, true
	msg, err := m.message(n, "b@example.com")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	read, err := mail.ReadMessage(&b)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	parts(t, read.Header.Get("Content-Type"), read.Body, got)
	for _, want := range []string{"ends at 2023-11-14 22:13:20 UTC", "more alerts than its budget", "have not acknowledged"} {
		for typ, text := range got {
			if strings.HasPrefix(typ, "text/") && !strings.Contains(strings.ReplaceAll(text, "\n", " "), want) {
				t.Errorf("%s has no %q: %s", typ, want, text)
			}
		}
	}
}

// FuzzSubject: whatever a plugin writes, a subject is one line of a bounded length.
func FuzzSubject(f *testing.F) {
	f.Add("a\r\nBcc: x", "p")
	f.Fuzz(func(t *testing.T, summary, plugin string) {
		s := subject(&notify.Notice{Plugin: plugin, Firing: []notify.Subject{{Summary: summary}}})
		if strings.ContainsAny(s, "\r\n\x00") || len([]rune(s)) > longest+1 {
			t.Errorf("%q", s)
		}
	})
}
