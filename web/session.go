package web

import (
	"crypto/hmac"
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

// session turns the token into a cookie that is not the token: the time when it ends, signed with a key made
// from the token. Nothing is stored, it outlives a restart, and another token ends it.
type session struct {
	token string
	key   []byte
	now   func() time.Time
}

func newSession(token string, now func() time.Time) session {
	return session{token: token, key: mac([]byte(token), "sandbar session 1"), now: now}
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
	ends := strconv.FormatInt(s.now().Add(sessionTime).Unix(), 10)
	c := s.empty(secure)
	c.Value = ends + "." + hex.EncodeToString(mac(s.key, ends))
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
	c, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	ends, sum, _ := strings.Cut(c.Value, ".")
	given, err := hex.DecodeString(sum)
	if err != nil || !hmac.Equal(given, mac(s.key, ends)) {
		return false
	}
	at, err := strconv.ParseInt(ends, 10, 64)
	return err == nil && s.now().Unix() < at
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

// try asks right, unless the address had too many wrong tokens already; then it reports false for ok.
func (a *attempts) try(remote string, right func() bool) (yes, ok bool) {
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
	if right() {
		return true, true
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
