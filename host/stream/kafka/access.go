package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Access is how brokers are reached and persuaded.
type Access struct {
	TLS         bool
	CA          string // file of certificates, PEM, that brokers' are signed by; empty: the machine's
	Certificate string // file of the client's certificate chain, PEM; read again for each connection, as is Key
	Key         string // file of its private key, PEM
	SASL        string // "", PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER
	User        string
	Password    string
	TokenFile   string // of OAUTHBEARER; read again for each connection
	Rack        string // of this host; what is read comes from a replica in it, where brokers allow that
}

// Opts are the options of a client.
func (a Access) Opts() (opts []kgo.Opt, err error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if a.TLS {
		config, err := a.tls()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	switch a.SASL {
	case "PLAIN":
		opts = append(opts, kgo.SASL(plain.Auth{User: a.User, Pass: a.Password}.AsMechanism()))
	case "SCRAM-SHA-256":
		opts = append(opts, kgo.SASL(scram.Auth{User: a.User, Pass: a.Password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		opts = append(opts, kgo.SASL(scram.Auth{User: a.User, Pass: a.Password}.AsSha512Mechanism()))
	case "OAUTHBEARER":
		opts = append(opts, kgo.SASL(oauth.Oauth(func(context.Context) (oauth.Auth, error) { return a.token() })))
	}
	if a.Rack != "" {
		opts = append(opts, kgo.Rack(a.Rack))
	}
	return opts, nil
}

func (a Access) check() error {
	switch {
	case !a.TLS && a.CA+a.Certificate+a.Key != "":
		return errors.New("streams.kafka: ca, certificate and key need tls = true")
	case (a.Certificate == "") != (a.Key == ""):
		return errors.New("streams.kafka: certificate and key belong together; give both or none")
	}
	switch a.SASL {
	case "":
		if a.User+a.Password+a.TokenFile != "" {
			return errors.New("streams.kafka: user, password and token_file need sasl")
		}
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		if a.User == "" || a.Password == "" || a.TokenFile != "" {
			return fmt.Errorf("streams.kafka: sasl %s needs user and password, and no token_file", a.SASL)
		}
	case "OAUTHBEARER":
		if a.TokenFile == "" || a.User+a.Password != "" {
			return errors.New("streams.kafka: sasl OAUTHBEARER needs token_file, and neither user nor password")
		}
	default:
		return fmt.Errorf("streams.kafka.sasl is %q; it may be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or empty", a.SASL)
	}
	return nil
}

func (a Access) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CA != "" {
		text, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, fmt.Errorf("streams.kafka.ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("streams.kafka.ca: %s holds no certificate in PEM", a.CA)
		}
	}
	if a.Certificate == "" {
		return config, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(a.Certificate, a.Key)
		if err != nil {
			return nil, fmt.Errorf("streams.kafka.certificate: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return config, nil
}

func (a Access) token() (oauth.Auth, error) {
	text, err := os.ReadFile(a.TokenFile)
	if err != nil {
		return oauth.Auth{}, fmt.Errorf("streams.kafka.token_file: %w", err)
	}
	return oauth.Auth{Token: strings.TrimSpace(string(text))}, nil
}
