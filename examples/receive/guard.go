package main

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// A guard is a listener that lets each client have only so many connections, and each connection
// live and be silent only so long.
type guard struct {
	net.Listener
	slots *slots
	life  time.Duration // of a connection; 0: no limit
	idle  time.Duration // until the next octet; 0: what the server sets
	full  string        // what one too many is told
}

// Accept implements net.Listener.
func (g *guard) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		free := g.slots.take(clientOf(remote(conn)))
		if free == nil {
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second)) // it fits into the socket's buffer
			_, _ = conn.Write([]byte(g.full))
			_ = conn.Close()
			continue
		}
		c := &guarded{Conn: conn, free: free, idle: g.idle}
		if g.life > 0 {
			c.end.Store(time.Now().Add(g.life).UnixNano())
		}
		return c, nil
	}
}

// A guarded is a connection that ends at a time.
type guarded struct {
	net.Conn
	free    func()
	idle    time.Duration
	end     atomic.Int64 // Unix nanoseconds; 0: no limit
	guesses atomic.Int64
}

// Read waits for the next octets only so long. Go-smtp sets a time at each command, and a large message
// on a slow line takes longer than that.
func (c *guarded) Read(p []byte) (int, error) {
	if c.idle > 0 {
		if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

func (c *guarded) SetReadDeadline(t time.Time) error {
	if end := c.end.Load(); end > 0 && (t.IsZero() || t.UnixNano() > end) {
		t = time.Unix(0, end)
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *guarded) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *guarded) Close() error {
	c.free()
	return c.Conn.Close()
}

// guessed counts a recipient that does not exist, and reports whether there were too many: then the
// connection ends after the reply.
func guessed(c *smtp.Conn, limit int) bool {
	conn := c.Conn()
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn() // below TLS
	}
	g, ok := conn.(*guarded)
	if !ok || g.guesses.Add(1) < int64(limit) {
		return false
	}
	g.end.Store(1)
	return true
}

// remote is the address of the other side.
func remote(c net.Conn) netip.Addr {
	p, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return p.Addr().Unmap()
}
