package httpdoor

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// connections bounds how many there are, of one address and in all. Beyond that an idle connection makes room for a new one,
// the one that has been idle longest; when none is idle the new one is closed.
type connections struct {
	most, perAddress int
	exempt           []netip.Prefix // whose many clients come through one address

	mu   sync.Mutex
	all  map[net.Conn]*connection
	of   map[netip.Addr]int
	idle *list.List // of *connection, the longest idle in front
}

type connection struct {
	conn net.Conn
	from netip.Addr
	idle *list.Element // nil while it is busy
}

func newConnections(most, perAddress int, exempt []netip.Prefix) *connections {
	return &connections{most: most, perAddress: perAddress, exempt: exempt, all: map[net.Conn]*connection{}, of: map[netip.Addr]int{}, idle: list.New()}
}

// state is the ConnState of a server.
func (c *connections) state(conn net.Conn, s http.ConnState) {
	var close net.Conn
	c.mu.Lock()
	switch s {
	case http.StateNew:
		close = c.add(conn)
	case http.StateActive:
		c.busy(c.all[conn])
	case http.StateIdle:
		if k := c.all[conn]; k != nil && k.idle == nil {
			k.idle = c.idle.PushBack(k)
		}
	case http.StateClosed, http.StateHijacked:
		c.remove(conn)
	}
	c.mu.Unlock()
	if close != nil {
		close.Close()
	}
}

// add takes a new connection in. It returns the one that has to go for it, which may be the new one itself.
func (c *connections) add(conn net.Conn) (surplus net.Conn) {
	k := &connection{conn: conn, from: address(conn)}
	c.all[conn] = k
	c.of[k.from]++
	// One that has sent nothing yet is as good as idle.
	k.idle = c.idle.PushBack(k)
	switch {
	case c.of[k.from] > c.perAddress && !c.isExempt(k.from):
		surplus = conn
		for e := c.idle.Front(); e != nil; e = e.Next() {
			if old := e.Value.(*connection); old.from == k.from {
				surplus = old.conn
				break
			}
		}
	case len(c.all) > c.most:
		surplus = c.idle.Front().Value.(*connection).conn
	default:
		return nil
	}
	c.remove(surplus)
	return surplus
}

func (c *connections) isExempt(a netip.Addr) bool {
	for _, p := range c.exempt {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func (c *connections) busy(k *connection) {
	if k != nil && k.idle != nil {
		c.idle.Remove(k.idle)
		k.idle = nil
	}
}

func (c *connections) remove(conn net.Conn) {
	k := c.all[conn]
	if k == nil {
		return
	}
	c.busy(k)
	delete(c.all, conn)
	if c.of[k.from]--; c.of[k.from] <= 0 {
		delete(c.of, k.from)
	}
}

func address(conn net.Conn) netip.Addr {
	if p, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		return plain(p.Addr())
	}
	return netip.Addr{}
}
