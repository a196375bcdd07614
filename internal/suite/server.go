package suite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mailverdict/mailverdict/resolver"
)

// Serve answers from a zone on a loopback port, by UDP and TCP, as a recursive server
// does, until t ends. It returns the address, for resolver.Client. A fault of the zone is
// SERVFAIL: a timeout would only take its time.
func Serve(t testing.TB, zone resolver.Zone) (address string) {
	t.Helper()
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		w.WriteMsg(reply(zone, query, w.LocalAddr().Network()))
	})
	for range 10 {
		datagrams, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := datagrams.LocalAddr().String()
		streams, err := net.Listen("tcp", address)
		if err != nil { // somebody has the port for TCP
			datagrams.Close()
			continue
		}
		start(t, &dns.Server{PacketConn: datagrams, Handler: handler})
		start(t, &dns.Server{Listener: streams, Handler: handler})
		return address
	}
	t.Fatal("no port that is free for UDP and TCP")
	return ""
}

func start(t testing.TB, s *dns.Server) {
	started, ended := make(chan struct{}), make(chan struct{})
	s.NotifyStartedFunc = func() { close(started) }
	go func() {
		defer close(ended)
		s.ActivateAndServe()
	}()
	<-started
	t.Cleanup(func() {
		// Connections that a client keeps idle need not hold up the end.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.ShutdownContext(ctx)
		<-ended
	})
}

// reply returns the response to a query.
func reply(zone resolver.Zone, query *dns.Msg, network string) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(query)
	m.RecursionAvailable = true
	asked := query.Question[0]
	answer, err := zone.Resolve(context.Background(), resolver.Question{Name: rawName(asked.Name), Type: resolver.Type(asked.Qtype)})
	absent := errors.Is(err, resolver.ErrNotFound)
	switch {
	case errors.Is(err, resolver.ErrNXDomain):
		m.Rcode = dns.RcodeNameError
	case err != nil && !absent:
		m.Rcode = dns.RcodeServerFailure
	}
	header := dns.RR_Header{Name: asked.Name, Rrtype: asked.Qtype, Class: dns.ClassINET, Ttl: 60}
	if absent {
		header.Name, header.Rrtype = ".", dns.TypeSOA
		m.Ns = append(m.Ns, &dns.SOA{Hdr: header, Ns: "ns.", Mbox: "host.", Minttl: 60})
	}
	for _, txt := range answer.TXT {
		m.Answer = append(m.Answer, &dns.TXT{Hdr: header, Txt: characterStrings(txt)})
	}
	for _, addr := range answer.Addrs {
		if addr.Is4() {
			m.Answer = append(m.Answer, &dns.A{Hdr: header, A: addr.AsSlice()})
		} else {
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: header, AAAA: addr.AsSlice()})
		}
	}
	for _, mx := range answer.MX {
		m.Answer = append(m.Answer, &dns.MX{Hdr: header, Preference: mx.Preference, Mx: escaped(mx.Host) + "."})
	}
	for _, name := range answer.PTR {
		m.Answer = append(m.Answer, &dns.PTR{Hdr: header, Ptr: escaped(name) + "."})
	}
	if network == "udp" {
		size := dns.MinMsgSize
		if opt := query.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		m.Truncate(size)
	}
	return m
}

// rawName returns the octets of the name of a query, in lower case: what package dns
// writes as escapes stands for octets of its labels.
func rawName(name string) string {
	wire := make([]byte, 256)
	end, err := dns.PackDomainName(name, wire, 0, nil, false)
	if err != nil {
		return name
	}
	var labels []string
	for i := 0; i < end && wire[i] != 0; i += 1 + int(wire[i]) {
		labels = append(labels, string(wire[i+1:i+1+int(wire[i])]))
	}
	return strings.ToLower(strings.Join(labels, "."))
}

// escaped writes the octets of a name or text for package dns: each but letters, digits,
// and the dots of names as \DDD.
func escaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "\\%03d", c)
		}
	}
	return b.String()
}

// characterStrings cuts a TXT record into strings of at most 255 octets: RFC 1035,
// section 3.3.14.
func characterStrings(txt string) (parts []string) {
	for ; len(txt) > 255; txt = txt[255:] {
		parts = append(parts, escaped(txt[:255]))
	}
	return append(parts, escaped(txt))
}
