package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// maxDatagram is the largest datagram there is. Some servers send more than the
// udpSize that they were told, and do not say that it is truncated: what a smaller
// buffer cut off would be an answer that is broken at every try. Buffers are used again,
// since a question takes 15 % longer with a new one.
const maxDatagram = 1<<16 - 1

// exchangeUDP sends one datagram and waits for the response to it. The socket is
// this question's alone, so its port is too, and it receives from this server only.
func (c *Client) exchangeUDP(ctx context.Context, server string, query []byte, id uint16, q Question) (*dns.Msg, error) {
	conn, err := c.connect(ctx, "udp", server)
	if err != nil {
		return nil, connError(ctx, err)
	}
	defer conn.Close()
	defer endWith(ctx, conn)()
	if _, err := conn.Write(query); err != nil {
		return nil, connError(ctx, err)
	}
	buf, _ := c.datagrams.Get().(*[maxDatagram]byte)
	if buf == nil {
		buf = new([maxDatagram]byte)
	}
	defer c.datagrams.Put(buf) // what we read of a dns.Msg are copies
	for {
		n, err := conn.Read(buf[:])
		if err != nil {
			return nil, connError(ctx, err)
		}
		m, err := parseResponse(buf[:n], id, q)
		if !errors.Is(err, errNotOurs) {
			return m, err
		}
	}
}

// exchangeStream asks over TCP or TLS: on an idle connection if there is one, and on
// a new one if that has broken in the meantime.
func (c *Client) exchangeStream(ctx context.Context, server string, query []byte, id uint16, q Question) (*dns.Msg, error) {
	if conn := c.idle.take(server); conn != nil {
		m, err := c.exchangeOn(ctx, conn, server, query, id, q)
		if !errors.Is(err, ErrUnreachable) {
			return m, err
		}
	}
	conn, err := c.connect(ctx, "tcp", server)
	if err != nil {
		return nil, connError(ctx, err)
	}
	return c.exchangeOn(ctx, conn, server, query, id, q)
}

// exchangeOn asks on conn, and keeps it for the next question if all went well.
func (c *Client) exchangeOn(ctx context.Context, conn net.Conn, server string, query []byte, id uint16, q Question) (*dns.Msg, error) {
	stop := endWith(ctx, conn)
	wire, err := roundTrip(conn, query)
	if !stop() && err == nil {
		err = ctx.Err() // the connection has been told to end
	}
	if err != nil {
		conn.Close()
		return nil, connError(ctx, err)
	}
	m, err := parseResponse(wire, id, q)
	if errors.Is(err, errNotOurs) || errors.Is(err, errTruncated) {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	c.idle.put(server, conn)
	return m, nil
}

// roundTrip sends and receives one message with the length before it: RFC 1035,
// section 4.2.2.
func roundTrip(conn net.Conn, query []byte) ([]byte, error) {
	// In one write: some servers read one segment and expect it all.
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(query)), uint16(len(query)))
	if _, err := conn.Write(append(framed, query...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, wire)
	return wire, err
}

// endWith makes reads and writes on conn fail once ctx ends. The function returned
// undoes that, and reports whether it came in time.
func endWith(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
}

// connError puts an error of a connection in the package's terms.
func connError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, os.ErrDeadlineExceeded) || ok && timeout.Timeout() {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// Connections that no question is using are kept for a moment: RFC 7766, section
// 6.2.3, asks clients not to keep them for long.
const (
	idleTime = 5 * time.Second
	maxIdle  = 8 // per server
)

// idleConns holds connections between questions. The zero value is ready.
type idleConns struct {
	mu    sync.Mutex
	conns map[string][]idleConn // by server, the one used last at the end
}

type idleConn struct {
	net.Conn
	expiry *time.Timer
}

// take returns an idle connection to server, or nil.
func (p *idleConns) take(server string) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conns := p.conns[server]; len(conns) > 0; conns = p.conns[server] {
		c := conns[len(conns)-1]
		p.conns[server] = conns[:len(conns)-1]
		if c.expiry.Stop() {
			return c.Conn
		}
	}
	return nil
}

// put keeps conn for a while, or closes it where there are enough.
func (p *idleConns) put(server string, conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns[server]) >= maxIdle {
		conn.Close()
		return
	}
	if p.conns == nil {
		p.conns = make(map[string][]idleConn)
	}
	p.conns[server] = append(p.conns[server], idleConn{conn, time.AfterFunc(idleTime, func() { p.expire(server, conn) })})
}

func (p *idleConns) expire(server string, conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	conns := p.conns[server]
	for i := range conns {
		if conns[i].Conn == conn {
			p.conns[server] = append(conns[:i:i], conns[i+1:]...)
			break
		}
	}
	conn.Close()
}

func (p *idleConns) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conns := range p.conns {
		for _, c := range conns {
			if c.expiry.Stop() {
				c.Close()
			}
		}
	}
	p.conns = nil
}
