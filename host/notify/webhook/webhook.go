// Package webhook delivers notices by HTTP: a POST of JSON, signed when there is a secret, or in the form of a service that people have.
//
// Whoever may make a route chooses the address, so the host does not post to its own networks unless its operator allows them.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"sandbar/host/notify"
)

// Headers of a delivery.
const (
	// IDHeader names the notice; it is the same when the delivery is tried again.
	IDHeader = "Idempotency-Key"
	// TimeHeader is when this attempt was made, in Unix seconds.
	TimeHeader = "Sandbar-Timestamp"
	// SignHeader is "sha256=" and the HMAC-SHA256 in hexadecimal of TimeHeader, a dot and the body, with the route's secret.
	SignHeader = "Sandbar-Signature"
)

// Options of a Webhook.
type Options struct {
	Networks []netip.Prefix // of this host's own and private ones: where it may post nevertheless
	Version  string         // of the program
	Now      func() time.Time
}

// Webhook is a notify.Way.
type Webhook struct {
	opt    Options
	dialer *net.Dialer
	client *http.Client
}

// New makes one.
func New(o Options) *Webhook {
	w := &Webhook{opt: o}
	w.dialer = &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error { return w.allowed(address) }}
	w.client = &http.Client{
		Transport: &http.Transport{DialContext: w.dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10},
		// A redirect would turn a POST into a GET, or lead elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

// Dial connects to where webhooks may go.
func (w *Webhook) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return w.dialer.DialContext(ctx, network, address)
}

// Check says whether an address can be one.
func Check(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%.120q is no address of a webhook; it begins with https:// or http://, and has no user in it", address)
	}
	return nil
}

// allowed says whether a connection may go to an address, when the name was looked up.
func (w *Webhook) allowed(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	ip := to.Addr().Unmap()
	inside := !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || shared().Contains(ip) || ip.Is4() && ip.As4()[0] == 0
	if inside && !slices.ContainsFunc(w.opt.Networks, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return fmt.Errorf("%s is an address of this host's own networks; its operator has to allow it (alerts.webhook_networks): %w", ip, notify.ErrPermanent)
	}
	return nil
}

// shared is what providers use inside (RFC 6598).
func shared() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) }

const mostAnswer = 4 << 10 // bytes that are read

// Send implements notify.Way.
func (w *Webhook) Send(ctx context.Context, n *notify.Notice, to notify.Target) error {
	all, err := calls(n, to)
	if err != nil {
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	for _, c := range all {
		req, err := w.request(ctx, c, n, to)
		if err != nil {
			return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
		}
		if err := w.do(req, c.gone); err != nil {
			return err
		}
	}
	return nil
}

func (w *Webhook) do(req *http.Request, gone bool) error {
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, mostAnswer)) // for people
	switch {
	case res.StatusCode/100 == 2 || gone && res.StatusCode == http.StatusNotFound:
		return nil
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout || res.StatusCode >= 500:
		return fmt.Errorf("it answered %s: %.200q", res.Status, text)
	}
	return fmt.Errorf("it answered %s: %.200q: %w", res.Status, text, notify.ErrPermanent)
}

// sign adds when the request is made and, with a secret, its signature.
func (w *Webhook) sign(req *http.Request, secret string, body []byte) {
	stamp := strconv.FormatInt(w.opt.Now().Unix(), 10)
	req.Header.Set(TimeHeader, stamp)
	if secret != "" {
		req.Header.Set(SignHeader, Sign(secret, stamp, body))
	}
}

// Sign is what SignHeader has.
func Sign(secret, stamp string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(stamp + "."))
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}
