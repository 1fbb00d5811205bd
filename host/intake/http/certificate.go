package httpdoor

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a key pair in two files that is read again when one of them changes, so that a renewed
// certificate needs no restart.
type certificate struct {
	certFile, keyFile string
	now               func() time.Time
	log               throttledLog

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]fileState // of what pair was read from
	lookAt time.Time    // when to look at the files again
}

// fileState tells one content of a file from the next.
type fileState struct {
	modified time.Time
	size     int64
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

func newCertificate(certFile, keyFile string, now func() time.Time, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, now: now, log: throttledLog{logger: logger, now: now}}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.lookAt = now().Add(lookEvery)
	return c, nil
}

// get is a tls.Config.GetCertificate. While the files are broken, as in the middle of being replaced, the old
// pair goes on serving.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); !now.Before(c.lookAt) {
		c.lookAt = now.Add(lookEvery)
		if err := c.read(); err != nil {
			c.log.error("the TLS certificate changed but cannot be read; the old one stays in use", err)
		}
	}
	return c.pair, nil
}

// read takes the pair from the files unless it came from just these.
func (c *certificate) read() error {
	var state [2]fileState
	for i, name := range [2]string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("looking at TLS file: %w", err)
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	if c.pair != nil && state == c.seen {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("reading TLS certificate %s and key %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair, c.seen = &pair, state
	return nil
}
