package httpdoor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// writePair makes a self-signed pair for 127.0.0.1 with that serial number.
func writePair(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "edge"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		stamp := time.Now().Add(time.Duration(serial) * time.Minute) // file systems may count whole seconds
		if err := os.Chtimes(name, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLSReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, cert, key, 1)

	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func() { mu.Lock(); defer mu.Unlock(); now = now.Add(lookEvery) }

	var log logBuffer
	raw := &fakeRaw{}
	addr := serve(t, ServerOptions{Handler: testDoor(t, Options{Raw: raw}), CertFile: cert, KeyFile: key, Now: clock, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	serial := func() int64 {
		t.Helper()
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // the pair is self-signed; its serial is what matters
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if resp, text := ask(t, c, "POST", post(generic, "{}")); resp.StatusCode != 200 {
			t.Errorf("status %d: %s", resp.StatusCode, text)
		}
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Errorf("certificate %d, want the first", n)
	}
	writePair(t, cert, key, 2)
	if n := serial(); n != 1 {
		t.Errorf("certificate %d: the files are looked at more than once in %v", n, lookEvery)
	}
	pass()
	if n := serial(); n != 2 {
		t.Errorf("certificate %d, want the second", n)
	}
	if err := os.WriteFile(key, []byte("half a ke"), 0o600); err != nil {
		t.Fatal(err)
	}
	pass()
	if n := serial(); n != 2 || !strings.Contains(log.String(), "cannot be read") {
		t.Errorf("certificate %d while the key is broken; log: %s", n, log.String())
	}
	writePair(t, cert, key, 3)
	pass()
	if n := serial(); n != 3 {
		t.Errorf("certificate %d, want the third", n)
	}
	if len(raw.all()) != 5 {
		t.Errorf("%d messages", len(raw.all()))
	}
}

func TestTLSHTTP2(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, cert, key, 1)
	raw := &fakeRaw{}
	addr := serve(t, ServerOptions{Handler: testDoor(t, Options{Raw: raw}), CertFile: cert, KeyFile: key})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	for body, code := range map[io.Reader]int{strings.NewReader("{}"): 200, io.MultiReader(strings.NewReader("{}")): 411} { // the second has no known length
		resp, err := client.Post("https://"+addr+generic, "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != code || resp.ProtoMajor != 2 {
			t.Errorf("status %d over %s, want %d over HTTP/2.0", resp.StatusCode, resp.Proto, code)
		}
	}
	if msgs := raw.all(); len(msgs) != 1 {
		t.Errorf("%d messages", len(msgs))
	} else if all, _ := fields(t, msgs[0]); !strings.Contains(strings.Join(all, " "), "protocol=HTTP/2.0 method=POST") {
		t.Errorf("fields are %q", all)
	}
}

func TestNewServerRefusesOptions(t *testing.T) {
	t.Parallel()
	absent := filepath.Join(t.TempDir(), "absent.pem")
	good := ServerOptions{Handler: http.NotFoundHandler(), Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	for name, spoil := range map[string]func(*ServerOptions){
		"no handler":     func(o *ServerOptions) { o.Handler = nil },
		"no clock":       func(o *ServerOptions) { o.Now = nil },
		"no log":         func(o *ServerOptions) { o.Logger = nil },
		"half a pair":    func(o *ServerOptions) { o.CertFile = absent },
		"an absent pair": func(o *ServerOptions) { o.CertFile, o.KeyFile = absent, absent },
	} {
		o := good
		spoil(&o)
		if _, err := NewServer(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Shutdown lets a submission that is being stored finish, and cuts off when its time is up.
func TestShutdown(t *testing.T) {
	t.Parallel()
	for _, patient := range []bool{true, false} {
		storing, goOn := make(chan struct{}), make(chan struct{})
		raw := &fakeRaw{answer: func(context.Context, [][]byte) error {
			close(storing)
			<-goOn
			return nil
		}}
		s, err := NewServer(ServerOptions{Handler: testDoor(t, Options{Raw: raw}), Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		c := dial(t, l.Addr().String())
		if _, err := io.WriteString(c, post(generic, "{}")); err != nil {
			t.Fatal(err)
		}
		<-storing
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- s.Shutdown(ctx) }()
		if err := <-served; err != nil {
			t.Errorf("Serve ended with %v", err)
		}
		if patient {
			close(goOn)
			if resp, _ := answerOf(t, c, "POST"); resp.StatusCode != 200 {
				t.Errorf("status %d in a shutdown", resp.StatusCode)
			}
			if err := <-stopped; err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		} else {
			cancel()
			if err := <-stopped; !errors.Is(err, context.Canceled) {
				t.Errorf("Shutdown whose time is up: %v", err)
			}
			if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("the connection is not cut: %v", err)
			}
			close(goOn)
		}
		cancel()
	}
}
