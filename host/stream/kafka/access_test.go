package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"sandbar/host/stream/kafka/kafkatest"
)

// pair is a certificate for 127.0.0.1 that signs itself, as files.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", text)
}

// TestAccess: a store is opened over TLS and with SASL, and not with the wrong ones.
func TestAccess(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	otherCertificate, otherKey := pair(t)
	served, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	text, _ := os.ReadFile(certificate)
	pool.AppendCertsFromPEM(text)
	mutual := &tls.Config{Certificates: []tls.Certificate{served}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	for name, c := range map[string]struct {
		server []kfake.Opt
		access Access
		want   string // part of the error; empty: opened
	}{
		"plain text":          {nil, Access{Rack: "a"}, ""},
		"SCRAM-SHA-256":       {[]kfake.Opt{kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "u", "p")}, Access{SASL: "SCRAM-SHA-256", User: "u", Password: "p"}, ""},
		"SCRAM-SHA-512":       {[]kfake.Opt{kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "u", "p")}, Access{SASL: "SCRAM-SHA-512", User: "u", Password: "p"}, ""},
		"PLAIN":               {[]kfake.Opt{kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "p")}, Access{SASL: "PLAIN", User: "u", Password: "p"}, ""},
		"wrong password":      {[]kfake.Opt{kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "p")}, Access{SASL: "PLAIN", User: "u", Password: "q"}, "on Kafka ["},
		"TLS":                 {[]kfake.Opt{kfake.TLS(&tls.Config{Certificates: []tls.Certificate{served}})}, Access{TLS: true, CA: certificate}, ""},
		"TLS of others":       {[]kfake.Opt{kfake.TLS(&tls.Config{Certificates: []tls.Certificate{served}})}, Access{TLS: true, CA: otherCertificate}, "certificate"},
		"client certificate":  {[]kfake.Opt{kfake.TLS(mutual)}, Access{TLS: true, CA: certificate, Certificate: certificate, Key: key}, ""},
		"another certificate": {[]kfake.Opt{kfake.TLS(mutual)}, Access{TLS: true, CA: certificate, Certificate: otherCertificate, Key: otherKey}, "on Kafka ["},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := Options{Brokers: kafkatest.Fake(t, c.server...).ListenAddrs(), Now: time.Now, Timeout: 10 * time.Second, Logger: quiet()}
			if c.want != "" {
				opt.Timeout = time.Second
			}
			var err error
			if opt.Client, err = c.access.Opts(); err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if err := Create(t.Context(), opt, 1, 1); err != nil {
					t.Fatal(err)
				}
			}
			s, err := Open(t.Context(), opt, 0)
			if err == nil {
				s.Close()
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("opened with %v, want %q", err, c.want)
			}
		})
	}
}

// TestOAuth: Apache Kafka takes a token from a file, one that somebody has renewed meanwhile, too, and none that is over.
func TestOAuth(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Real(t)
	opt := optionsOf(t, []string{broker.Addr})
	opt.Brokers = []string{broker.SASL}
	file := filepath.Join(t.TempDir(), "token")
	token := func(until time.Time) {
		part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		text := part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":"sandbar","iat":%d,"exp":%d}`, time.Now().Add(-2*time.Hour).Unix(), until.Unix())) + "."
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if opt.Client, err = (Access{SASL: "OAUTHBEARER", TokenFile: file}).Opts(); err != nil {
		t.Fatal(err)
	}
	token(time.Now().Add(-time.Hour))
	opt.Timeout = 3 * time.Second
	if s, err := Open(t.Context(), opt, 0); err == nil {
		s.Close()
		t.Error("opened with a token that is over")
	} else if !strings.Contains(err.Error(), "SASL") && !strings.Contains(err.Error(), "auth") {
		t.Errorf("refused with %v", err)
	}
	opt.Timeout = 10 * time.Second
	token(time.Now().Add(time.Hour))
	s := open(t, opt)
	defer s.Close()
	if err := s.Commit(t.Context(), work(1)); err != nil {
		t.Fatal(err)
	}
	holds(t, s, 1)
}

func TestAccessRefused(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, a := range map[string]Access{
		"need tls":         {CA: "x"},
		"belong together":  {TLS: true, Certificate: "x"},
		"need sasl":        {User: "u"},
		"user and passwor": {SASL: "PLAIN", User: "u"},
		"needs token_file": {SASL: "OAUTHBEARER"},
		"it may be":        {SASL: "GSSAPI"},
		"no such file":     {TLS: true, CA: "/nowhere"},
		"no certificate":   {TLS: true, CA: empty},
		"kafka.certificat": {TLS: true, Certificate: empty, Key: empty},
	} {
		if _, err := a.Opts(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", a, err, want)
		}
	}
	token := filepath.Join(t.TempDir(), "token")
	a := Access{SASL: "OAUTHBEARER", TokenFile: token}
	if _, err := a.token(); err == nil {
		t.Error("a token that is not there is taken")
	}
	for _, text := range []string{"one\n", "two\n"} { // renewed by others
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := a.token(); err != nil || got.Token+"\n" != text {
			t.Errorf("the token is %q, %v", got.Token, err)
		}
	}
}
