package main

import (
	"net"
	"testing"

	"github.com/miekg/dns"
)

// serve answers TXT questions over UDP on this host until the test ends, and returns its
// address.
func serve(t *testing.T, records map[string]string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) }}
	server.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		name := q.Question[0].Name
		switch text, ok := records[name]; {
		case !ok:
			m.Rcode = dns.RcodeNameError
		case q.Question[0].Qtype == dns.TypeTXT:
			m.Answer = []dns.RR{&dns.TXT{
				Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60},
				Txt: []string{text},
			}}
		}
		if err := w.WriteMsg(m); err != nil {
			t.Error(err)
		}
	})
	go server.ActivateAndServe()
	<-started
	t.Cleanup(func() { server.Shutdown() })
	return conn.LocalAddr().String()
}

func TestTheServerOfTheFlagIsAsked(t *testing.T) {
	server := serve(t, map[string]string{
		"example.org.":        "v=spf1 ip4:192.0.2.1 -all",
		"_dmarc.example.org.": "v=DMARC1; p=reject",
	})
	dir := write(t, map[string]string{"a.eml": "From: a@example.org\n\nHi\n"})
	args := []string{"-json", "-v", "-dns", server, "-ip", "192.0.2.1", "-from", "a@example.org", dir}
	f := verify(t, "", args...)
	o := one(t, f)
	if f.code != exitOK || at(o, "dmarc", "verdict") != "pass" {
		t.Errorf("exit %d, %v", f.code, o)
	}
	if event := o["dns"].([]any)[0].(map[string]any); event["server"] != server {
		t.Errorf("%v was asked, want %s", event["server"], server)
	}
}

func TestATimeoutIsAResult(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0") // never answers
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	dir := write(t, map[string]string{"a.eml": "From: a@example.org\n\nHi\n"})
	f := verify(t, "", "-json", "-timeout", "50ms", "-dns", conn.LocalAddr().String(), "-ip", "192.0.2.1", "-from", "a@example.org", dir)
	o := one(t, f)
	if f.code != exitOpen || at(o, "dmarc", "verdict") != "temperror" || at(o, "dmarc", "disposition") != "tempfail" {
		t.Errorf("exit %d, %v", f.code, o)
	}
}
