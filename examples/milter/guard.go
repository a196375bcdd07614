package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// maxPacket is the size of the largest packet that is taken from the MTA. Postfix sends up to
// 64 KiB, and up to 1 MiB is what the protocol lets a program ask for.
const maxPacket = 1 << 20

// negotiationTime is how long the MTA has for its first packet.
const negotiationTime = 10 * time.Second

// A guardListener hands over connections that deliver only whole, well-formed packets. The protocol
// library believes what it reads: a packet that lacks a NUL ends the program, and one may take
// half a gigabyte.
type guardListener struct {
	net.Listener
	slots   chan struct{} // one for each connection, of all listeners together
	closed  chan struct{}
	closing sync.Once
	metrics *metrics
}

// guard returns a listener that lets no more connections in at once than slots has room for.
func guard(l net.Listener, slots chan struct{}, m *metrics) *guardListener {
	return &guardListener{Listener: l, slots: slots, closed: make(chan struct{}), metrics: m}
}

// Close also ends an Accept that waits for a free slot.
func (l *guardListener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Accept waits for a connection, and then for a free slot.
func (l *guardListener) Accept() (net.Conn, error) {
	conn, err := l.accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	l.metrics.connections.Inc()
	return &guardConn{Conn: conn, in: bufio.NewReader(conn), metrics: l.metrics, free: func() {
		<-l.slots
		l.metrics.connections.Dec()
	}}, nil
}

// accept tries again after an error, such as too many open files: the library would never accept again.
func (l *guardListener) accept() (net.Conn, error) {
	const first, last = 5 * time.Millisecond, time.Second
	for pause := first; ; pause = min(2*pause, last) {
		conn, err := l.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return conn, err
		}
		l.metrics.failures.WithLabelValues("accept").Inc()
		select {
		case <-time.After(pause):
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
}

// A guardConn reads packets, and delivers each after it was checked.
type guardConn struct {
	net.Conn
	in      *bufio.Reader
	packet  bytes.Buffer // what is left of the packet that was checked
	some    bool         // a packet was delivered
	err     error        // why no more is delivered
	metrics *metrics
	once    sync.Once
	free    func()
}

// Read delivers octets of the packet that was checked last, or reads the next one.
func (c *guardConn) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.packet.Len() == 0 {
		if err := c.next(); err != nil {
			c.err = err
			if errors.Is(err, errPacket) {
				c.metrics.failures.WithLabelValues("protocol").Inc()
			}
			return 0, err
		}
	}
	return c.packet.Read(p)
}

// SetReadDeadline sets the deadline, but leaves the time for negotiation as it is here: the library's
// own is one second, which a loaded machine exceeds.
func (c *guardConn) SetReadDeadline(t time.Time) error {
	if !c.some && !t.IsZero() {
		t = time.Now().Add(negotiationTime)
	}
	return c.Conn.SetReadDeadline(t)
}

// Close closes the connection and frees its slot.
func (c *guardConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}

// errPacket says that the MTA sent something that is no packet.
var errPacket = errors.New("malformed packet from the MTA")

// next reads the next packet. Memory grows with what arrives, not with what is announced.
func (c *guardConn) next() error {
	if c.packet.Cap() > 128<<10 {
		c.packet = bytes.Buffer{}
	}
	c.packet.Reset()
	if c.in.Buffered() == 0 {
		quickAck(c.Conn)
	}
	if _, err := io.CopyN(&c.packet, c.in, 4); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(c.packet.Bytes())
	if size == 0 || size > maxPacket {
		return fmt.Errorf("%w: %d octets", errPacket, size)
	}
	if _, err := io.CopyN(&c.packet, c.in, int64(size)); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	packet := c.packet.Bytes()[4:]
	if err := checkPacket(packet[0], packet[1:], !c.some); err != nil {
		return err
	}
	c.some = true
	return nil
}

// checkPacket reports what is wrong with a packet: its command, and whether the data has the parts
// that the library expects to be there.
func checkPacket(command byte, data []byte, first bool) error {
	bad := func(why string) error { return fmt.Errorf("%w: command %q: %s", errPacket, command, why) }
	if first != (command == 'O') {
		return bad("out of order")
	}
	nuls := bytes.Count(data, []byte{0})
	ends := len(data) > 0 && data[len(data)-1] == 0
	switch command {
	case 'O':
		if len(data) < 12 {
			return bad("too short")
		}
	case 'C': // name NUL family [port address NUL]
		_, rest, ok := bytes.Cut(data, []byte{0})
		if !ok || len(rest) == 0 || rest[0] != 'U' && (len(rest) < 4 || !ends) {
			return bad("no name, family or address")
		}
	case 'H', 'M', 'R', 'U':
		if !ends {
			return bad("no NUL at its end")
		}
	case 'L':
		if nuls != 2 || !ends {
			return bad("want name NUL value NUL")
		}
	case 'D':
		if len(data) == 0 || len(data) > 1 && (!ends || nuls%2 != 0) {
			return bad("want a command and pairs")
		}
	case 'A', 'B', 'E', 'K', 'N', 'Q', 'T':
	default:
		return bad("unknown")
	}
	return nil
}
