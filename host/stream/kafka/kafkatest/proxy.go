package kafkatest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy is a way to a broker that can be cut.
type Proxy struct {
	Addr string
	to   string

	mu    sync.Mutex
	cut   chan struct{} // closed while it is not cut
	conns map[net.Conn]bool
}

func newProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), to: to, cut: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(p.cut)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.Mend()
		p.drop()
		serving.Wait()
	})
	return p
}

// Cut lets nothing through any more. Nobody is told: what is sent is lost on the way.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = make(chan struct{})
}

// Mend lets new connections through; those from before are over.
func (p *Proxy) Mend() {
	p.mu.Lock()
	cut := p.cut
	select {
	case <-cut:
		p.mu.Unlock()
		return
	default:
	}
	p.mu.Unlock()
	p.drop()
	close(cut)
}

// drop ends all connections.
func (p *Proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// whole is closed while nothing is cut.
func (p *Proxy) whole() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cut
}

func (p *Proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

func (p *Proxy) serve(in net.Conn) {
	p.keep(in)
	defer p.forget(in)
	<-p.whole()
	out, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	p.keep(out)
	defer p.forget(out)
	var copying sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		copying.Go(func() {
			io.Copy(way[1], held{way[0], p})
			in.Close()
			out.Close()
		})
	}
	copying.Wait()
}

// held gives what was read only while the way is not cut.
type held struct {
	net.Conn
	p *Proxy
}

func (h held) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	<-h.p.whole()
	return n, err
}
