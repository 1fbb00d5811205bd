package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	cookieName  = "sandbar_session"
	sessionTime = 7 * 24 * time.Hour
)

// session turns the token into a cookie that is not the token: the time when it ends and a random number, signed with a
// key made from the token. It outlives a restart, and another token ends it. What is stored is the sessions that were
// ended by logging out.
type session struct {
	token string
	key   []byte
	now   func() time.Time
	ended Sessions
}

// Sessions remembers which were ended before their time; *catalog.Catalog does.
type Sessions interface {
	EndSession(ctx context.Context, id string, until time.Time) error
	SessionEnded(ctx context.Context, id string) (bool, error)
}

func newSession(token string, now func() time.Time, ended Sessions) session {
	return session{token: token, key: mac([]byte(token), "sandbar session 2"), now: now, ended: ended}
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// wanted reports whether there is a token to be asked for.
func (s *session) wanted() bool { return s.token != "" }

// right compares a token in a time that depends on neither its contents nor its length.
func (s *session) right(token string) bool {
	return hmac.Equal(mac(s.key, "token "+token), mac(s.key, "token "+s.token))
}

// cookie is a new session.
func (s *session) cookie(secure bool) *http.Cookie {
	var id [16]byte
	rand.Read(id[:])
	what := strconv.FormatInt(s.now().Add(sessionTime).Unix(), 10) + "." + hex.EncodeToString(id[:])
	c := s.empty(secure)
	c.Value = what + "." + hex.EncodeToString(mac(s.key, what))
	c.MaxAge = int(sessionTime / time.Second)
	return c
}

// empty takes the cookie away.
func (s *session) empty(secure bool) *http.Cookie {
	return &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode}
}

// holds reports whether the request has a session that has not ended, or needs none.
func (s *session) holds(r *http.Request) bool {
	if !s.wanted() {
		return true
	}
	id, _, ok := s.read(r)
	if !ok {
		return false
	}
	ended, err := s.ended.SessionEnded(r.Context(), id)
	return err == nil && !ended
}

// read is the session that a request's cookie names, and when it ends; ok is false when it has ended or is not ours.
func (s *session) read(r *http.Request) (id string, ends time.Time, ok bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return "", ends, false
	}
	dot := strings.LastIndexByte(c.Value, '.')
	if dot < 0 {
		return "", ends, false
	}
	what := c.Value[:dot]
	given, err := hex.DecodeString(c.Value[dot+1:])
	if err != nil || !hmac.Equal(given, mac(s.key, what)) {
		return "", ends, false
	}
	at, id, _ := strings.Cut(what, ".")
	seconds, err := strconv.ParseInt(at, 10, 64)
	ends = time.Unix(seconds, 0)
	return id, ends, err == nil && id != "" && s.now().Before(ends)
}

// end ends the session of a request for everybody who has its cookie.
func (s *session) end(r *http.Request) error {
	if id, ends, ok := s.read(r); ok && s.wanted() {
		return s.ended.EndSession(r.Context(), id, ends)
	}
	return nil
}

const (
	attemptTime  = time.Minute
	maxAttempts  = 10    // wrong tokens of one address in that time
	maxAddresses = 10000 // counted apart; those beyond share one count
)

// attempts counts wrong tokens by address.
type attempts struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	wrong map[netip.Prefix]int
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, since: now(), wrong: map[netip.Prefix]int{}}
}

// try asks right. A wrong token counts against the address, and ok is false for it when there were too many; a right one
// always passes, since whoever guesses may share the address with many others.
func (a *attempts) try(remote string, right func() bool) (yes, ok bool) {
	if right() {
		return true, true
	}
	from := network(remote)
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); now.Sub(a.since) >= attemptTime {
		a.since = now
		clear(a.wrong)
	}
	if _, known := a.wrong[from]; !known && len(a.wrong) >= maxAddresses {
		from = netip.Prefix{}
	}
	if a.wrong[from] >= maxAttempts {
		return false, false
	}
	a.wrong[from]++
	return false, true
}

// network is what one client has for sure: an IPv4 address, or the half of an IPv6 one that a provider gives.
func network(remote string) netip.Prefix {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}
