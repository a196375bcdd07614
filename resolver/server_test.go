package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// serve starts a DNS server on a loopback port, UDP and TCP, and returns its address.
func serve(t *testing.T, handler dns.HandlerFunc) string {
	t.Helper()
	pc, l := listenBoth(t)
	start(t, &dns.Server{PacketConn: pc, Handler: handler})
	start(t, &dns.Server{Listener: l, Handler: handler})
	return pc.LocalAddr().String()
}

// listenBoth listens on a loopback port, by UDP and TCP.
func listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 10 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l
		}
		pc.Close() // somebody has the port for TCP
	}
	t.Fatal("no port that is free for UDP and TCP")
	return nil, nil
}

func start(t *testing.T, s *dns.Server) {
	started, ended := make(chan struct{}), make(chan struct{})
	s.NotifyStartedFunc = func() { close(started) }
	go func() {
		defer close(ended)
		s.ActivateAndServe()
	}()
	<-started
	t.Cleanup(func() {
		// Connections that the client keeps idle need not hold up the end.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.ShutdownContext(ctx)
		<-ended
	})
}

// isTCP reports whether a question came over TCP.
func isTCP(w dns.ResponseWriter) bool { return strings.HasPrefix(w.RemoteAddr().Network(), "tcp") }

// reply returns a recursive server's response to r.
func reply(r *dns.Msg, rcode int, answer, authority []string) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(r, rcode)
	m.RecursionAvailable = true
	for _, s := range answer {
		m.Answer = append(m.Answer, mustRR(s))
	}
	for _, s := range authority {
		m.Ns = append(m.Ns, mustRR(s))
	}
	return m
}

func mustRR(s string) dns.RR {
	rr, err := dns.NewRR(s)
	if err != nil {
		panic(err)
	}
	return rr
}

// A network is servers without sockets, for tests in a synctest bubble: a function
// by server address that is given each query and returns what comes back.
type network map[string]func(network string, query *dns.Msg) (replies [][]byte)

var errNoServer = errors.New("connection refused")

func (n network) dial(ctx context.Context, protocol, address string) (net.Conn, error) {
	server, ok := n[address]
	if !ok {
		return nil, errNoServer
	}
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		buf := make([]byte, 1<<16)
		for {
			size, err := far.Read(buf)
			if err != nil {
				return
			}
			query := buf[:size]
			if protocol == "tcp" {
				query = query[2:]
			}
			var m dns.Msg
			if m.Unpack(query) != nil {
				return
			}
			for _, wire := range server(protocol, &m) {
				if protocol == "tcp" {
					wire = append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
				}
				if _, err := far.Write(wire); err != nil {
					return
				}
			}
		}
	}()
	return near, nil
}

// pack returns the wire form of each message.
func pack(messages ...*dns.Msg) (wire [][]byte) {
	for _, m := range messages {
		b, err := m.Pack()
		if err != nil {
			panic(err)
		}
		wire = append(wire, b)
	}
	return wire
}

func answering(records ...string) func(string, *dns.Msg) [][]byte {
	return func(_ string, r *dns.Msg) [][]byte { return pack(reply(r, dns.RcodeSuccess, records, nil)) }
}

func failing(rcode int) func(string, *dns.Msg) [][]byte {
	return func(_ string, r *dns.Msg) [][]byte { return pack(reply(r, rcode, nil, nil)) }
}

func silent(string, *dns.Msg) [][]byte { return nil }
