package httpdoor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// ServerOptions say how connections are served. Those without a default are required.
type ServerOptions struct {
	Handler           http.Handler   // the door, or what has the door beside it
	CertFile, KeyFile string         // PEM; both or none. They are read again when they change
	MaxPath           int            // as the door's; default 4 KiB. Headers may take 64 KiB more
	HeaderTimeout     time.Duration  // for sending the request line and headers; default 10 s
	IdleTimeout       time.Duration  // of a kept connection between requests; default 2 min
	MaxConnections    int            // in all; default 4096. Beyond it idle ones are closed, then new ones
	PerAddress        int            // connections of one address; default a quarter of MaxConnections
	TrustedProxies    []netip.Prefix // for which PerAddress does not hold
	Now               func() time.Time
	Logger            *slog.Logger
}

// headerRoom is for headers beside the path. A path so long that it does not fit here either is answered by
// net/http with 431 instead of 414.
const headerRoom = 64 << 10

// Server listens for a Handler, with TLS when there is a certificate.
//
// It sets no limit on reading a body or writing an answer: the door has its own for bodies, and pages beside
// it may answer for as long as they like.
type Server struct {
	http http.Server
	tls  bool
}

// NewServer checks the options and reads the certificate.
func NewServer(o ServerOptions) (*Server, error) {
	if o.Handler == nil || o.Now == nil || o.Logger == nil {
		return nil, errors.New("http server: Handler, Now and Logger are required")
	}
	if o.MaxPath == 0 {
		o.MaxPath = 4 << 10
	}
	if o.HeaderTimeout == 0 {
		o.HeaderTimeout = 10 * time.Second
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 2 * time.Minute
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 4096
	}
	if o.PerAddress == 0 {
		o.PerAddress = max(o.MaxConnections/4, 1)
	}
	s := &Server{http: http.Server{
		Handler:           o.Handler,
		ReadHeaderTimeout: o.HeaderTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    o.MaxPath + headerRoom,
		ConnState:         newConnections(o.MaxConnections, o.PerAddress, o.TrustedProxies).state,
		// Else net/http itself would answer OPTIONS * with 200.
		DisableGeneralOptionsHandler: true,
		// What net/http has to say is about broken clients: scanners, failed handshakes.
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, fmt.Errorf("http server: certificate file is %q and key file %q; give both or none", o.CertFile, o.KeyFile)
	}
	if o.CertFile != "" {
		c, err := newCertificate(o.CertFile, o.KeyFile, o.Now, o.Logger)
		if err != nil {
			return nil, err
		}
		s.tls = true
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
	}
	return s, nil
}

// Serve answers connections of l until Shutdown, and then returns nil. It closes l.
func (s *Server) Serve(l net.Listener) error {
	serve := s.http.Serve
	if s.tls {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving HTTP on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown stops listening, lets requests under way finish, and when ctx ends before they did cuts them off.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("waiting for HTTP requests to finish: %w", err), s.http.Close())
	}
	return nil
}
