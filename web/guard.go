package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// guard decides which requests are answered at all.
type guard struct {
	session  session
	attempts *attempts
	origin   *http.CrossOriginProtection
	// names are the hosts that a request may ask for. Only a site without a token on loopback has them: there a
	// page from elsewhere could let its own name point at this machine and then ask in the browser's name.
	// With a token that is no use, since the cookie belongs to the right name.
	names []string
}

func newGuard(listen, token string, now func() time.Time, ended Sessions) guard {
	g := guard{session: newSession(token, now, ended), attempts: newAttempts(now), origin: http.NewCrossOriginProtection()}
	if host, _, err := net.SplitHostPort(listen); err == nil && token == "" && loopback(host) {
		g.names = []string{"localhost", strings.ToLower(host)}
	}
	return g
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// knows reports whether a request for that host is meant for us.
func (g *guard) knows(hostport string) bool {
	if g.names == nil {
		return true
	}
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	host = strings.ToLower(host)
	for _, name := range g.names {
		if host == name {
			return true
		}
	}
	return loopback(host) // an address cannot be pointed elsewhere
}

// policy allows what comes from this host and nothing inline, so that text which found its way into a page
// could still not run.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// permissions are none of those that pages could ask for, but full screen and the clipboard.
const permissions = "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), payment=(), midi=(), serial=(), fullscreen=(self), clipboard-write=(self)"

// common is for every request, also those that no route answers.
func (g *guard) common(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Permissions-Policy", permissions)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !g.knows(c.Request().Host) {
			return refuse(http.StatusForbidden, "the host name %q is not this machine's; use localhost or 127.0.0.1, or configure a token", c.Request().Host)
		}
		return next(c)
	}
}

// wrap lets those through to a route who may pass its door.
func (g *guard) wrap(d door, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		header := r.Header.Get("Authorization")
		if d == open || header == "" || !g.session.wanted() {
			if d != open && !g.session.holds(r) {
				return stop(c, d)
			}
			if err := g.checkOrigin(r, d); err != nil {
				return err
			}
			return next(c)
		}
		// Whoever sends the token itself is not asked where the request comes from: no browser adds it by itself.
		scheme, token, _ := strings.Cut(header, " ")
		right, err := g.attempt(r, strings.TrimSpace(token))
		switch {
		case err != nil:
			return err
		case !right || !strings.EqualFold(scheme, "Bearer"):
			return stop(c, d)
		}
		return next(c)
	}
}

// stop answers who may not pass.
func stop(c echo.Context, d door) error {
	if d == page {
		return c.Redirect(http.StatusSeeOther, loginFor(c.Request().URL))
	}
	c.Response().Header().Set("WWW-Authenticate", `Bearer realm="sandbar"`)
	return refuse(http.StatusUnauthorized, "this host wants its token; send it as Authorization: Bearer TOKEN, or log in at /login")
}

// attempt compares a token, unless too many wrong ones came from the address.
func (g *guard) attempt(r *http.Request, token string) (bool, error) {
	right, ok := g.attempts.try(r.RemoteAddr, func() bool { return g.session.right(token) })
	if !ok {
		return false, refuse(http.StatusTooManyRequests, "too many wrong tokens came from this address; wait a minute")
	}
	return right, nil
}

// checkOrigin refuses what a browser was told to send by a page of another origin. Nothing of the API may be
// asked so, a page may be linked to. A request without these headers is from no browser.
func (g *guard) checkOrigin(r *http.Request, d door) error {
	site := r.Header.Get("Sec-Fetch-Site")
	foreign := d == api && site != "" && site != "same-origin" && site != "none"
	if foreign || g.origin.Check(r) != nil {
		return refuse(http.StatusForbidden, "this request comes from a page of another origin")
	}
	return nil
}

// recovered makes an answer of a panic.
func (s *Site) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		return next(c)
	}
}
