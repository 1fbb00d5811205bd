package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"sandbar/host/clock"
	"sandbar/host/config"
	httpdoor "sandbar/host/intake/http"
)

// hostFlags are the flags of serve and demo. A flag wins over the config file.
type hostFlags struct {
	Data     string `placeholder:"DIR" help:"Folder for everything the host keeps (default sandbar-data)."`
	Listen   string `placeholder:"ADDR" help:"Address of edge and web page (default 127.0.0.1:8080)."`
	Schemas  string `placeholder:"DIR" help:"JSON Schemas, NAMESPACE/DOCTYPE/DOCTYPE.VERSION.schema.json (default: those that ship)."`
	Config   string `placeholder:"FILE" help:"Config file, TOML; docs/configuration.md lists its keys."`
	Token    string `env:"SANDBAR_TOKEN" help:"Secret that page and API ask for."`
	Insecure bool   `help:"Serve page and API without a token on any address."`
	Safe     bool   `help:"Start with submitted plugins stopped: those that ship run. Start others by hand."`
	Verbose  bool   `short:"v" help:"Log more."`
}

// config reads the file and lets the flags win.
func (f *hostFlags) config() (config.Config, error) {
	c := config.Default()
	if f.Config != "" {
		var err error
		if c, err = config.Load(f.Config); err != nil {
			return c, err
		}
	}
	for flag, key := range map[*string]*string{&f.Data: &c.Data, &f.Listen: &c.Listen, &f.Schemas: &c.Schemas, &f.Token: &c.Token} {
		if *flag != "" {
			*key = *flag
		}
	}
	c.Insecure = c.Insecure || f.Insecure
	c.Safe = f.Safe
	if c.Hostname == "" {
		c.Hostname, _ = os.Hostname()
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("config: %w", err)
	}
	return c, nil
}

func (f *hostFlags) logger(con console) *slog.Logger {
	level := slog.LevelInfo
	if f.Verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(con.err, &slog.HandlerOptions{Level: level}))
}

type serveCmd struct {
	hostFlags
}

// Run serves until it is interrupted.
func (c *serveCmd) Run(ctx context.Context, con console) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	return serve(ctx, con, cfg, c.logger(con), nil)
}

// shutdownTime is how long requests under way may take when the host stops, and endTime how long all of its end.
const (
	shutdownTime = 2 * time.Second
	endTime      = 9 * time.Second
)

// endInTime ends the process when it is still there endTime after ctx has ended, unless cancel is called before. What was
// acknowledged is on disk, so that nothing is lost by it.
func endInTime(ctx context.Context, log *slog.Logger) (cancel func()) {
	over := make(chan struct{})
	go func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		timer := time.NewTimer(endTime)
		defer timer.Stop()
		select {
		case <-over:
		case <-timer.C:
			log.Error("the host does not come to its end and is ended; what was acknowledged is kept", "after", endTime)
			os.Exit(1)
		}
	}()
	return func() { close(over) }
}

// serve runs a host until ctx ends or a part of it fails. beside, when not nil, runs while the host serves.
func serve(ctx context.Context, con console, cfg config.Config, log *slog.Logger, beside func(ctx context.Context, url string) error) (err error) {
	defer endInTime(ctx, log)()
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; choose another with --listen", cfg.Listen, err)
	}
	defer listener.Close()
	h, err := newHost(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	server, err := httpdoor.NewServer(httpdoor.ServerOptions{
		Handler: h.door.Beside(&h.front), CertFile: cfg.TLS.Certificate, KeyFile: cfg.TLS.Key,
		MaxPath: int(cfg.Edge.MaxPath), MaxConnections: int(cfg.Edge.MaxConnections), TrustedProxies: cfg.Edge.Prefixes(), Now: clock.Now, Logger: log,
	})
	if err != nil {
		return err
	}
	parts := newParts(ctx)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	parts.start("http", func(context.Context) error { return server.Serve(listener) })
	url := "http://" + reachable(listener.Addr())
	if cfg.TLS.Certificate != "" {
		url = "https://" + reachable(listener.Addr())
	}
	err = h.open(parts.ctx, func() {
		fmt.Fprintf(con.out, "Sandbar takes submissions at %s and waits for its brokers (data in %s). Stop it with Ctrl-C.\n", url, cfg.Data)
	})
	if err == nil {
		h.run(working, parts)
		fmt.Fprintf(con.out, "Sandbar runs at %s (data in %s). Stop it with Ctrl-C.\n", url, cfg.Data)
		if beside != nil {
			parts.start("generator", func(ctx context.Context) error { return beside(ctx, url) })
		}
		<-parts.ending()
	} else if ctx.Err() != nil {
		err = nil // it was told to stop
	}
	// In the order data flows: no new submissions, then plugins, then the views of what they made.
	quiet, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	serr := server.Shutdown(quiet)
	if errors.Is(serr, context.DeadlineExceeded) || errors.Is(serr, http.ErrServerClosed) {
		serr = nil
	}
	stop()
	return errors.Join(err, serr, parts.wait())
}

// reachable is an address at which this machine reaches a listener: one on all addresses has none that a browser could open.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
