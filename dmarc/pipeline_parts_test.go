package dmarc_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// A script makes messages and zones of parts that mean something, as its octets say: what
// mutated text hardly comes upon.
type script struct {
	octets []byte
	at     int
}

// pick returns a number from 0 to less than n.
func (s *script) pick(n int) int {
	if s.at >= len(s.octets) {
		return 0
	}
	s.at++
	return int(s.octets[s.at-1]) % n
}

func (s *script) of(list ...string) string { return list[s.pick(len(list))] }

// some returns up to n parts.
func (s *script) some(n int, separator string, part func() string) string {
	var parts []string
	for range s.pick(n + 1) {
		parts = append(parts, part())
	}
	return strings.Join(parts, separator)
}

func (s *script) name() string {
	return s.of("shop.example", "a.shop.example", "b.a.shop.example", "SHOP.example", "stranger.example", "a.stranger.example",
		"bank.co.uk", "www.bank.co.uk", "evil.co.uk", "co.uk", "uk", "alice.github.io", "mallory.github.io", "github.io",
		"1.2.3.4.5.6.7.8.9.shop.example", "1.2.x.4.5.6.7.8.9.shop.example", "b\u00fccher.shop.example")
}

func (s *script) address() string {
	return s.of("x", "X.y", "\"a@b\"", "postmaster", "\"\\\"\"") + "@" + s.name()
}

func (s *script) from() string {
	if s.pick(4) > 0 {
		return s.address()
	}
	return s.of("", "Name ", "=?utf-8?Q?x?= ", "(c) ", "a@shop.example ") + "<" + s.address() + ">" + s.of("", "", " (c)", ", "+s.address(), " x", "\r\n ")
}

func (s *script) spf() string {
	term := func() string {
		mechanism := s.of("ip4:203.0.113.5", "ip4:203.0.113.0/24", "ip6:::/0", "a", "mx", "ptr", "all", "a:"+s.name(), "mx:"+s.name(), "include:"+s.name(),
			"exists:%{i}."+s.name(), "exists:%{l1r+-}.%{d}", "a/0", "redirect="+s.name(), "exp="+s.name(), "x=y", "ip4:300.1.1.1", "a:", "include:%{p}")
		return s.of("", "", "+", "-", "~", "?") + mechanism
	}
	if s.pick(2) == 0 {
		return "v=spf1 ip4:203.0.113.5 -all"
	}
	return s.of("v=spf1 ", "v=spf1 ", "v=spf1 ", "v=spf10 ", "x ") + s.some(12, " ", term) + s.of(" -all", " ~all", " ?all", " +all", "")
}

func (s *script) policy() string {
	tag := func() string {
		return s.of("p=none", "p=quarantine", "p=reject", "sp=none", "sp=reject", "np=reject", "np=none", "adkim=s", "aspf=s", "psd=y", "psd=n", "psd=u",
			"t=y", "pct=0", "pct=50", "rua=mailto:x@"+s.name(), "fo=1", "p=x", "x=y", "=", "p")
	}
	return s.of("v=DMARC1; ", "v=DMARC1; ", "v=DMARC1; ", "v=DMARC1; ", "v=DMARC1; ", "v=DMARC10; ", "x; ") + s.of("p=reject; ", "p=none; ", "") + s.some(5, "; ", tag)
}

func (s *script) key(name string) string {
	if s.pick(3) > 0 {
		return "v=DKIM1; k=ed25519; p=" + name
	}
	flags := s.of("", "", "", "t=y; ", "t=s; ", "s=x; ", "h=sha1; ")
	return s.of("v=DKIM1; ", "", "v=DKIM2; ") + flags + s.of("k=ed25519; ", "k=ed25519; ", "k=rsa; ", "") + "p=" + s.of(name, name, name, "", "AAAA")
}

func (s *script) zone() resolver.Zone {
	zone := resolver.Zone{"5.113.0.203.in-addr.arpa": {PTR: []string{"shop.example", "a.shop.example", "evil.co.uk"}}}
	for range 8 + s.pick(10) {
		name := strings.ToLower(s.name())
		if strings.Contains(name, "\u00fc") {
			name = "xn--bcher-kva.shop.example"
		}
		public := attackKeys()[s.of("ed_victim", "ed_victim", "k_victim")].text()
		zone[name] = resolver.Records{TXT: []string{s.spf()}, A: []string{s.of("203.0.113.5", "198.51.100.1")}, MX: []string{"10 " + s.of("a.shop.example", "evil.co.uk", ".")}}
		zone["s._domainkey."+name] = resolver.Records{TXT: []string{s.key(public)}}
		zone["_dmarc."+name] = resolver.Records{TXT: []string{s.policy()}}
		if s.pick(8) == 0 {
			zone["_dmarc."+name] = resolver.Records{TXT: []string{s.policy(), s.policy()}}
		}
		if s.pick(8) == 0 {
			zone["*."+name] = resolver.Records{TXT: []string{s.policy(), s.spf()}, A: []string{"203.0.113.5"}}
		}
	}
	return zone
}

func (s *script) message(t *testing.T) string {
	message := "From: " + s.from() + "\r\n" + s.of("", "", "", "", "", "", "", "", "From: "+s.from()+"\r\n", "X : y\r\n") + "To: b@receiver.example\r\nSubject: hi\r\n\r\n" + s.of("hello\r\n", "", "a\r\n\r\n", "x")
	for range s.pick(6) {
		a := attackSignature{Key: "ed_victim", A: "ed25519-sha256", D: s.name(), S: "s", H: s.of("from", "from:subject", "from:from", "subject"), C: s.of("relaxed/relaxed", "simple/simple")}
		if s.pick(4) == 0 {
			i := "x@" + s.of(a.D, "a."+a.D, s.name())
			a.I = &i
		}
		if l := 0; s.pick(6) == 0 {
			a.L = &l
		}
		message = a.sign(t, message)
		if s.pick(6) == 0 {
			message = strings.Replace(message, "Subject: hi", "Subject: lo", 1)
		}
	}
	return message
}

// play checks what a script makes.
func (s *script) play(t *testing.T) *dmarc.Result {
	options := uint16(s.pick(256)) & (byList | evaluateAll)
	zone := s.zone()
	message := s.message(t)
	e := dmarc.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: s.name(), MailFrom: s.of(s.address(), s.address(), "", "x")}
	var faults []byte
	if s.pick(2) == 0 {
		for range 16 {
			faults = append(faults, byte(s.pick(64)))
		}
	}
	return checkPipeline(t, e, []byte(message), zone, faults, options)
}

func TestVerdictsOfRandomMessagesAndZones(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	seen := make(map[dmarc.Status]int)
	for n := range 400 {
		s := &script{octets: make([]byte, 1024)}
		for i := range s.octets {
			s.octets[i] = byte(random.Uint32())
		}
		r := s.play(t)
		seen[r.DMARC.Status]++
		if t.Failed() {
			t.Fatalf("script %d", n)
		}
	}
	t.Log(fmt.Sprint(seen))
	for _, status := range []dmarc.Status{dmarc.StatusNone, dmarc.StatusPass, dmarc.StatusFail, dmarc.StatusTempError, dmarc.StatusPermError} {
		if seen[status] < 3 {
			t.Errorf("%s came up %d times: the scripts do not reach it", status, seen[status])
		}
	}
}

func FuzzPipelineOfParts(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		octets := make([]byte, 512)
		for i := range octets {
			octets[i] = byte(random.Uint32())
		}
		f.Add(octets)
	}
	f.Fuzz(func(t *testing.T, octets []byte) { (&script{octets: octets}).play(t) })
}
