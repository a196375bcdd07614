//go:build integration

package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/signing"
)

// The domains of the tests: each with its policy, SPF for 192.0.2.7 and 2001:db8::7, and a key. What is
// below slow.test is never answered: its name server is an address where nobody is.
const records = `
bank.test. TXT "v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all"
_dmarc.bank.test. TXT "v=DMARC1; p=reject"
s._domainkey.bank.test. TXT "%[1]s"
quiet.test. TXT "v=spf1 ip4:192.0.2.7 -all"
_dmarc.quiet.test. TXT "v=DMARC1; p=quarantine"
watch.test. TXT "v=spf1 -all"
_dmarc.watch.test. TXT "v=DMARC1; p=none"
mail.sender.test. TXT "v=spf1 ip4:192.0.2.7 -all"
xn--bcher-kva.test. TXT "v=spf1 ip4:192.0.2.7 -all"
_dmarc.xn--bcher-kva.test. TXT "v=DMARC1; p=reject"
slow.test. NS ns.slow.test.
ns.slow.test. A 192.0.2.254
`

func zoneText(t *testing.T) string {
	t.Helper()
	record, err := signing.Record(signing.Ed25519("bank").Public())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(records, record)
}

const (
	good   = "ADDR=192.0.2.7 NAME=[UNAVAILABLE]"
	forger = "ADDR=198.51.100.9 NAME=[UNAVAILABLE]"
)

// mail is a message of a case from an author.
func mail(name, from string, more ...string) string {
	return "From: " + from + "\r\nTo: u@example.com\r\nSubject: " + name + "\r\nDate: Sun, 29 Nov 2026 06:00:00 +0000\r\n" +
		"Message-ID: <" + name + "@case.test>\r\nX-Case: " + name + "\r\n" + strings.Join(more, "") + "\r\nHello\r\n.dot\r\n"
}

// signed signs a message for bank.test now, its header as it is (c=simple).
func signed(t *testing.T, text string) string {
	t.Helper()
	out, err := signing.Signature{Key: signing.Ed25519("bank"), Domain: "bank.test", Selector: "s", Canonicalization: "simple/simple", Time: time.Now()}.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unfold returns the header of a message with each field on one line.
func unfold(text string) string {
	header, _, _ := strings.Cut(text, "\r\n\r\n")
	return strings.NewReplacer("\r\n\t", " ", "\r\n ", " ").Replace(header)
}

// A delivery is one message of the table, and what has to become of it.
type delivery struct {
	name    string
	client  string // XCLIENT attributes
	from    string // with brackets and arguments
	text    string
	to      []string
	reply   string   // the beginning of the reply
	has     []string // in the header that is delivered, unfolded
	hasNot  []string
	firstIn string // the first field
}

func (r *rig) check(t *testing.T, cases []delivery) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.in(t)
			d := r.dial(c.client)
			defer func() { _ = d.conn.Close() }()
			to := c.to
			if to == nil {
				to = []string{"u@example.com"}
			}
			reply := d.send(c.from, c.text, to...)
			if !strings.HasPrefix(reply, c.reply) {
				t.Fatalf("reply %q, want %q", reply, c.reply)
			}
			if c.reply[0] != '2' {
				return
			}
			_, rest, _ := strings.Cut(c.text, "X-Case: ")
			name, _, _ := strings.Cut(rest, "\r\n")
			header := unfold(r.delivered(name))
			for _, want := range c.has {
				if !strings.Contains(header, want) {
					t.Errorf("delivered without %q:\n%s", want, header)
				}
			}
			for _, bad := range c.hasNot {
				if strings.Contains(header, bad) {
					t.Errorf("delivered with %q:\n%s", bad, header)
				}
			}
			if !strings.HasPrefix(header, c.firstIn) {
				t.Errorf("delivered without %q on top:\n%s", c.firstIn, header)
			}
		})
	}
}

const ours = "Authentication-Results: mx.example.com;"

func TestRealPostfixDeliversRejectsAndMarksAsConfigured(t *testing.T) {
	r := newRig(t, zoneText(t), false)
	r.start(`reject = "always"` + "\n" + `reject_text = "see https://example.com/dmarc"` + "\n" + `local = "enforce"`)
	r.check(t, []delivery{
		{name: "aligned SPF passes", client: good, from: "<a@bank.test>", text: mail("pass", "a@bank.test"),
			reply: "250", has: []string{"dmarc=pass", "spf=pass"}, hasNot: []string{"X-DMARC-Disposition"}, firstIn: ours},
		{name: "a simple signature survives the way through the milter", client: forger, from: "<x@elsewhere.test>",
			text: signed(t, mail("signed", "a@bank.test", "X-Folded: one\r\n\t two\r\n")), reply: "250", has: []string{"dkim=pass", "dmarc=pass"}, firstIn: ours},
		{name: "a forgery is rejected", client: forger, from: "<a@bank.test>", text: mail("forged", "a@bank.test"),
			reply: "550 5.7.1 "},
		{name: "the reply names the domain and what the operator adds", client: forger, from: "<>", text: mail("forged", "a@bank.test"),
			reply: "550 5.7.1 Message refused per DMARC policy for bank.test see https://example.com/dmarc"},
		{name: "two From fields are rejected", client: good, from: "<a@bank.test>", text: mail("two", "a@bank.test", "From: b@quiet.test\r\n"),
			reply: "550 5.6.0 "},
		{name: "quarantine is a mark", client: forger, from: "<a@quiet.test>", text: mail("quarantine", "a@quiet.test"),
			reply: "250", has: []string{"dmarc=fail", "X-DMARC-Disposition: quarantine"}, firstIn: ours},
		{name: "p=none changes nothing", client: forger, from: "<a@watch.test>", text: mail("none", "a@watch.test"),
			reply: "250", has: []string{"dmarc=fail"}, hasNot: []string{"X-DMARC-Disposition"}, firstIn: ours},
		{name: "forged fields are removed, those of others stay", client: good, from: "<a@bank.test>",
			text: mail("fields", "a@bank.test", "Authentication-Results: mx.example.com; dmarc=pass header.from=first.test\r\n"+
				"Authentication-Results: other.test; dmarc=pass header.from=kept.test\r\n"+
				"authentication-results: (c) \"mx.example.com\"\r\n\t; dmarc=pass header.from=second.test\r\n"+
				"X-DMARC-Disposition: none\r\n"),
			reply: "250", has: []string{"kept.test"}, hasNot: []string{"first.test", "second.test", "X-DMARC-Disposition"}, firstIn: ours},
		{name: "the null sender is checked by HELO", client: good, from: "<>", text: mail("null", "a@mail.sender.test"),
			reply: "250", has: []string{"spf=pass", "smtp.helo=mail.sender.test"}, firstIn: ours},
		{name: "IPv6", client: "ADDR=IPV6:2001:db8::7 NAME=[UNAVAILABLE]", from: "<a@bank.test>", text: mail("six", "a@bank.test"),
			reply: "250", has: []string{"spf=pass", "dmarc=pass"}, firstIn: ours},
		{name: "SMTPUTF8", client: good, from: "<ä@bücher.test> SMTPUTF8", text: mail("utf8", "ä@bücher.test"),
			reply: "250", has: []string{"dmarc=pass", "header.from=xn--bcher-kva.test"}, firstIn: ours},
		{name: "an authenticated client is not checked, but cannot forge fields", client: forger + " LOGIN=user", from: "<a@bank.test>",
			text:  mail("login", "a@bank.test", "Authentication-Results: mx.example.com; dmarc=pass header.from=first.test\r\n"),
			reply: "250", hasNot: []string{"Authentication-Results"}},
		{name: "postmaster gets mail, and so does who is beside", client: forger, from: "<a@bank.test>", text: mail("postmaster", "a@bank.test"),
			to: []string{"u@example.com", "Postmaster@example.com"}, reply: "250", has: []string{"dmarc=fail", "X-DMARC-Disposition: quarantine"}, firstIn: ours},
		{name: "10 MiB", client: forger, from: "<x@elsewhere.test>",
			text: signed(t, mail("large", "a@bank.test")+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 10<<20/72)), reply: "250", has: []string{"dkim=pass", "dmarc=pass"}, firstIn: ours},
	})

	t.Run("an octet of the body is the same after the milter", func(t *testing.T) {
		_, body, _ := strings.Cut(r.delivered("pass"), "\r\n\r\n")
		if body != "Hello\r\n.dot\r\n" {
			t.Errorf("body %q", body)
		}
	})
	t.Run("two messages and a RSET in one session are three", func(t *testing.T) {
		d := r.dial(good)
		first := d.send("<a@bank.test>", mail("first", "a@bank.test"), "u@example.com")
		if d.say("MAIL FROM:<x@quiet.test>")[0] != '2' || d.say("RCPT TO:<postmaster@example.com>")[0] != '2' || d.say("RSET")[0] != '2' {
			t.Fatal("no RSET")
		}
		// The recipient of the message that was given up makes nothing exempt.
		second := d.send("<a@elsewhere.test>", mail("second", "a@bank.test"), "u@example.com")
		if first[:3] != "250" || second[:3] != "550" {
			t.Errorf("replies %q and %q, want 250 and 550", first, second)
		}
		if got := r.line(queueID(first)); got["action"] != "accept" || got["kind"] != "other" {
			t.Errorf("log line: %v", got)
		}
	})

	r.reload(`reject = "unless-indirect"` + "\n" + `known_forwarders = ["198.51.100.9"]`)
	r.check(t, []delivery{
		{name: "unless-indirect marks what a known forwarder changed", client: forger, from: "<x@elsewhere.test>", text: signed(t, mail("forwarder", "a@bank.test")) + "a footer\r\n",
			reply: "250", has: []string{"dmarc=fail", "X-DMARC-Disposition: quarantine"}, firstIn: ours},
		{name: "it rejects what somebody else changed", client: "ADDR=203.0.113.5 NAME=[UNAVAILABLE]", from: "<x@elsewhere.test>",
			text: signed(t, mail("changed", "a@bank.test")) + "a footer\r\n", reply: "550 5.7.1"},
		{name: "and what came directly", client: forger, from: "<a@bank.test>", text: mail("direct", "a@bank.test"), reply: "550 5.7.1"},
	})

	r.reload(`reject = "never"`)
	r.check(t, []delivery{
		{name: "never rejects none", client: forger, from: "<a@bank.test>", text: mail("never", "a@bank.test"),
			reply: "250", has: []string{"dmarc=fail", "policy.applied-disposition=quarantine", "X-DMARC-Disposition: quarantine"}, firstIn: ours},
		{name: "two From fields are marked", client: good, from: "<a@bank.test>", text: mail("two-never", "a@bank.test", "From: b@quiet.test\r\n"),
			reply: "250", has: []string{"dmarc=permerror", "X-DMARC-Disposition: quarantine"}, firstIn: ours},
	})
	r.reload(`reject = "alwyas"`)
	r.check(t, []delivery{{name: "a wrong configuration leaves the old one", client: forger, from: "<a@bank.test>", text: mail("still-never", "a@bank.test"),
		reply: "250", has: []string{"X-DMARC-Disposition: quarantine"}, firstIn: ours}})

	r.reload(`received_spf = true` + "\n" + `trusted = "mark"` + "\n" + `trusted_clients = ["198.51.100.0/24"]` + "\n" + `reject = "always"`)
	r.check(t, []delivery{{name: "a trusted client is marked only", client: forger, from: "<a@bank.test>",
		text:  mail("trusted", "a@bank.test", "Received-SPF: pass (mx.example.com: ok) client-ip=198.51.100.9;\r\n"),
		reply: "250", has: []string{"X-DMARC-Disposition: quarantine", "Received-SPF: fail"}, hasNot: []string{"Received-SPF: pass"}, firstIn: ours}})

	r.reload(`gateways = ["198.51.100.9"]` + "\n" + `reject = "always"`)
	r.check(t, []delivery{
		{name: "the client is the one behind the gateway", client: forger, from: "<a@bank.test>",
			text:  "Received: from mail.bank.test (mail.bank.test [192.0.2.7]) by gate.example.com (Postfix) with ESMTP id 1;\r\n\tSun, 29 Nov 2026 06:00:00 +0000\r\n" + mail("gateway", "a@bank.test"),
			reply: "250", has: []string{"spf=pass", "dmarc=pass"}, firstIn: ours},
		{name: "a forgery behind the gateway is one", client: forger, from: "<a@bank.test>",
			text:  "Received: from mail.bank.test (unknown [203.0.113.5]) by gate.example.com (Postfix) with ESMTP id 1;\r\n\tSun, 29 Nov 2026 06:00:00 +0000\r\n" + mail("gateway-forged", "a@bank.test"),
			reply: "550"},
	})
}

func TestRealPostfixInShadowModeChangesNothing(t *testing.T) {
	r := newRig(t, zoneText(t), false)
	r.start(`shadow = "other.test"` + "\n" + `reject = "always"`)
	theirs := "Authentication-Results: other.test; spf=fail smtp.mailfrom=bank.test; dmarc=pass header.from=bank.test\r\n"
	d := r.dial(forger)
	reply := d.send("<a@bank.test>", mail("shadow", "a@bank.test", theirs, "X-DMARC-Disposition: none\r\n"), "u@example.com")
	if !strings.HasPrefix(reply, "250") {
		t.Fatalf("reply %q", reply)
	}
	header := unfold(r.delivered("shadow"))
	if strings.Contains(header, ours) || !strings.Contains(header, "X-DMARC-Disposition: none") {
		t.Errorf("changed:\n%s", header)
	}
	if line := r.line(queueID(reply)); line["action"] != "shadow" || line["differences"] != "dmarc theirs=pass ours=fail" {
		t.Errorf("log line: %v", line)
	}
}

func TestRealPostfixInAChrootReachesAUnixSocket(t *testing.T) {
	r := newRig(t, zoneText(t), true)
	r.start(`reject = "always"`)
	r.check(t, []delivery{
		{name: "pass", client: good, from: "<a@bank.test>", text: mail("pass", "a@bank.test"), reply: "250", has: []string{"dmarc=pass"}, firstIn: ours},
		{name: "fail", client: forger, from: "<a@bank.test>", text: mail("fail", "a@bank.test"), reply: "550 5.7.1"},
	})
	r.stop(syscall.SIGKILL)
	r.start(`reject = "always"`)
	r.check(t, []delivery{{name: "after kill -9 the socket is taken over", client: good, from: "<a@bank.test>", text: mail("again", "a@bank.test"),
		reply: "250", has: []string{"dmarc=pass"}, firstIn: ours}})
}
