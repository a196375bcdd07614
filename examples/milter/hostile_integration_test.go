//go:build integration

package main

import (
	"strings"
	"testing"
)

func TestRealPostfixWithHostileMessages(t *testing.T) {
	r := newRig(t, zoneText(t), false)
	r.start("")
	forged := "Authentication-Results: mx.example.com; dmarc=pass header.from=forged.test\r\n"
	r.check(t, []delivery{
		{name: "10,000 forged fields are refused", client: good, from: "<a@bank.test>", text: mail("forged-10000", "a@bank.test", strings.Repeat(forged, 10_000)),
			reply: "550 5.6.0"},
		{name: "as many as are removed are removed", client: good, from: "<a@bank.test>", text: mail("forged-1000", "a@bank.test", strings.Repeat(forged, maxRemovals)),
			reply: "250", hasNot: []string{"forged.test"}, firstIn: ours},
		{name: "a header of 1 MB is marked", client: good, from: "<a@bank.test>", text: mail("megabyte", "a@bank.test", strings.Repeat("X-Big: "+strings.Repeat("b", 900)+"\r\n", 1100)),
			reply: "250", has: []string{"dmarc=permerror", "X-DMARC-Disposition: quarantine"}, firstIn: ours},
		{name: "a field of 1 MB is cut by Postfix, and what is left is checked", client: forger, from: "<a@bank.test>",
			text: mail("long", "a@bank.test", "X-Big: x"+strings.Repeat("\r\n "+strings.Repeat("b", 900), 1100)+"\r\n"), reply: "250", has: []string{"X-DMARC-Disposition: quarantine"}, firstIn: ours},
		{name: "what follows a NUL in From is delivered to nobody, and does not count", client: good, from: "<a@bank.test>", text: mail("nul", "a@bank.test\x00 <x@elsewhere.test>"),
			reply: "250", has: []string{"dmarc=pass", "header.from=bank.test"}, hasNot: []string{"elsewhere.test"}, firstIn: ours},
		{name: "a NUL in the body is content", client: good, from: "<a@bank.test>", text: mail("nul-body", "a@bank.test") + "\x00\r\n", reply: "250", has: []string{"dmarc=pass"}, firstIn: ours},
		{name: "bare CRs in From are two readings", client: good, from: "<a@bank.test>", text: mail("cr", "a@bank.test\rFrom: x@elsewhere.test"),
			reply: "250", has: []string{"dmarc=permerror", "X-DMARC-Disposition: quarantine"}, firstIn: ours},
		{name: "a folded and commented forgery is one", client: good, from: "<a@bank.test>", text: mail("folded", "a@bank.test",
			"AUTHENTICATION-results:\r\n\t(a (b) c)\r\n mx.example.com (d) 1;\r\n dmarc=pass header.from=forged.test\r\n"), reply: "250", hasNot: []string{"forged.test"}, firstIn: ours},
	})
	if n := r.log.count(`"msg":"panic"`); n != 0 {
		t.Errorf("%d panics", n)
	}
}
