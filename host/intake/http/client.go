package httpdoor

import (
	"net/http"
	"net/netip"
	"strings"
)

// target is the path and the arguments as they stood in the request line, without a slash at the end.
func target(r *http.Request) (path, args string) {
	path = r.RequestURI
	if !strings.HasPrefix(path, "/") { // the absolute form that proxies use
		return trimSlash(r.URL.EscapedPath()), r.URL.RawQuery
	}
	path, args, _ = strings.Cut(path, "?")
	return trimSlash(path), args
}

// client is the address that a submission comes from: the peer, or when that is a trusted proxy the right-most
// address of X-Forwarded-For that is none. What stands left of it anybody could have written.
func (d *Door) client(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	addr := plain(peer.Addr())
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; rest != ""; {
			if !d.trusted(addr) {
				return addr.String()
			}
			var last string
			rest, last = cutLast(rest)
			hop, ok := parseHop(last)
			if !ok { // a proxy that does not know; it is the nearest we know itself
				return addr.String()
			}
			addr = hop
		}
	}
	return addr.String()
}

func (d *Door) trusted(a netip.Addr) bool {
	for _, p := range d.opts.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// cutLast takes the last entry off a comma separated list.
func cutLast(list string) (rest, last string) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:]
	}
	return "", list
}

// parseHop reads an entry of X-Forwarded-For: an address, which some proxies write with its port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil {
		return plain(a), true
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return plain(p.Addr()), true
	}
	return netip.Addr{}, false
}

// plain is the address without a zone, an IPv4 one in its own form.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
