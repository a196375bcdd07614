package main

import (
	"net"
	"os"
	"strings"

	"github.com/miekg/dns"
)

// A server answers DNS questions from a zone file, on loopback. Both inspectors ask it.
type server struct {
	records map[string][]dns.RR // by name, in lower case
}

// serve starts a server for a zone file and returns its port.
func serve(path string) (port string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	s := &server{records: map[string][]dns.RR{}}
	parser := dns.NewZoneParser(file, ".", path)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		name := strings.ToLower(rr.Header().Name)
		s.records[name] = append(s.records[name], rr)
	}
	if err := parser.Err(); err != nil {
		return "", err
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, _ = net.SplitHostPort(conn.LocalAddr().String())
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return "", err
	}
	go (&dns.Server{PacketConn: conn, Handler: s}).ActivateAndServe()
	go (&dns.Server{Listener: listener, Handler: s}).ActivateAndServe()
	return port, nil
}

// ServeDNS implements dns.Handler: records, an alias, no record of the type, or no such name.
func (s *server) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	q := r.Question[0]
	m := new(dns.Msg).SetReply(r)
	m.RecursionAvailable = true
	name := strings.ToLower(q.Name)
	for range 8 {
		found := false
		for _, rr := range s.records[name] {
			switch alias, isAlias := rr.(*dns.CNAME); {
			case rr.Header().Rrtype == q.Qtype:
				m.Answer = append(m.Answer, rr)
			case isAlias:
				m.Answer = append(m.Answer, rr)
				name, found = strings.ToLower(alias.Target), true
			}
		}
		if !found {
			break
		}
	}
	if !s.exists(name) {
		m.Rcode = dns.RcodeNameError
	}
	m.Ns = []dns.RR{&dns.SOA{
		Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}, Ns: "ns.example.", Mbox: "h.example.", Minttl: 60,
	}}
	if len(m.Answer) > 0 && m.Rcode == dns.RcodeSuccess {
		m.Ns = nil
	}
	if _, udp := w.LocalAddr().(*net.UDPAddr); udp {
		m.Truncate(512)
	}
	w.WriteMsg(m)
}

func (s *server) exists(name string) bool {
	for known := range s.records {
		if known == name || strings.HasSuffix(known, "."+name) {
			return true
		}
	}
	return false
}
