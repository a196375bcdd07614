package main

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
			rr, err := dns.NewRR(name + " 60 IN TXT " + quoteStrings(text))
			if err != nil {
				t.Error(err)
			}
			m.Answer = []dns.RR{rr}
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

func TestATimeLimitIsNotBlamedOnDNS(t *testing.T) {
	dir := write(t, map[string]string{
		"slow.eml": "From: a@slow.example\n\nHi\n", "slow.zone": "slow.example. TXT \"v=spf1 -all\"\n_dmarc.slow.example. TXT \"v=DMARC1; p=reject\"\n",
		"slow.json": `{"ip": "192.0.2.1", "mail_from": "a@slow.example", "faults": {"slow.example TXT": "1h"}}`,
	})
	check := func(t *testing.T, limit string, args ...string) {
		t.Helper()
		f := verify(t, "", append(args, "-timeout", limit)...)
		said := strings.Join(strings.Fields(f.stdout), " ")
		if f.code != exitOpen || strings.Contains(said, "DNS did not answer") ||
			!strings.Contains(said, "The time limit (-timeout "+limit+") ended before DNS had answered.") {
			t.Errorf("exit %d, stderr %q:\n%s", f.code, f.stderr, f.stdout)
		}
	}
	// Nobody is asked: the time is up before.
	check(t, "1ns", "-dns", "127.0.0.1:53", "-ip", "192.0.2.1", "-from", "a@slow.example")
	synctest.Test(t, func(t *testing.T) { check(t, "100ms", filepath.Join(dir, "slow.eml")) })
}

// A tap is a message that never ends: it flows on, or has stopped.
type tap struct {
	head    string
	stopped <-chan struct{} // nil: flows
}

func (r *tap) Read(p []byte) (int, error) {
	if r.head != "" {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.stopped != nil {
		<-r.stopped
		return 0, io.EOF
	}
	time.Sleep(time.Millisecond) // of the simulated clock, which stands still else
	return copy(p, "y\r\ny\r\ny\r\n"), nil
}

func TestAMessageThatDoesNotEndInTimeIsAResult(t *testing.T) {
	signed := read(t, fixture("custom-mail-from.eml"))
	start := strings.Index(signed, "\r\n\r\n") + len("\r\n\r\nHel")
	for _, tt := range []struct {
		name, head string
		stops      bool
		code       int
		verdict    string
	}{
		{"a signed body that flows on", signed[:start], false, exitOpen, "temperror"},
		{"a signed body that stops", signed[:start], true, exitOpen, "temperror"},
		{"a header that stops", "From: a@b.example\r\nSubj", true, exitOpen, "temperror"},
		{"two From fields", "From: a@b.example\r\nFrom: c@d.example\r\n\r\nHel", true, exitFailed, "permerror"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stdin := &tap{head: tt.head}
				if tt.stops {
					stopped := make(chan struct{})
					defer close(stopped)
					stdin.stopped = stopped
				}
				var out, errs bytes.Buffer
				start := time.Now()
				code := run(t.Context(), []string{"-timeout", "1s", "-zone", fixture("custom-mail-from.zone"),
					"-now", "2026-09-17T05:00:10Z", "-ip", "203.0.113.1", "-"}, stdin, &out, &errs)
				took := time.Since(start)
				time.Sleep(time.Second) // simulated: a read that was under way ends
				said := strings.Join(strings.Fields(out.String()), " ")
				if took > 1100*time.Millisecond || code != tt.code || !strings.Contains(said, tt.verdict) || errs.Len() > 0 ||
					!strings.Contains(said, "The time limit (-timeout 1s) ended before the message did.") {
					t.Errorf("%v, exit %d, stdout %q, stderr %q", took, code, out.String(), errs.String())
				}
			})
		})
	}
}

func TestNothingOnStandardInputIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := make(chan struct{})
		defer close(stopped)
		var out, errs bytes.Buffer
		start := time.Now()
		code := run(t.Context(), []string{"-timeout", "1s", "-"}, &tap{stopped: stopped}, &out, &errs)
		if took := time.Since(start); took != time.Second || code != exitUsage || out.Len() > 0 ||
			errs.String() != "verify: -: nothing came within 1s (-timeout)\n" {
			t.Errorf("%v, exit %d, stdout %q, stderr %q", took, code, out.String(), errs.String())
		}
	})
}
