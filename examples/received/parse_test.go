package received

import (
	"net/netip"
	"strings"
	"testing"
)

func TestReceivedFields(t *testing.T) {
	const helo = "mx.sender.example"
	for _, tt := range []struct {
		name, body string
		ip, helo   string // ip "" where there is none
	}{
		{"Postfix", "from mx.sender.example (host.isp.example [192.0.2.1]) by mx.receiver.example (Postfix) with ESMTPS id 4cT", "192.0.2.1", helo},
		{"Postfix, no name", "from mx.sender.example (unknown [192.0.2.1])\r\n\tby mx.receiver.example", "192.0.2.1", helo},
		{"Postfix, IPv6", "from mx.sender.example (unknown [IPv6:2001:db8::1]) by mx.receiver.example", "2001:db8::1", helo},
		{"RFC 5321", "from mx.sender.example ([192.0.2.1]) by mx.receiver.example", "192.0.2.1", helo},
		{"Gmail", "from mx.sender.example (host.isp.example. [192.0.2.1])\r\n        by mx.google.com with ESMTPS id a1", "192.0.2.1", helo},
		{"Exim", "from host.isp.example ([192.0.2.1] helo=mx.sender.example) by mx.receiver.example with esmtps (TLS1.3)", "192.0.2.1", helo},
		{"Exim, a port", "from host.isp.example ([192.0.2.1]:42389 helo=mx.sender.example) by mx.receiver.example with esmtps", "192.0.2.1", helo},
		{"Exim, no name", "from [192.0.2.1] (helo=mx.sender.example) by mx.receiver.example", "192.0.2.1", helo},
		{"Exim, no name, a port", "from [192.0.2.1]:4567 (helo=mx.sender.example) by mx.receiver.example", "192.0.2.1", helo},
		{"Exim, ident", "from host.isp.example ([192.0.2.1] helo=mx.sender.example ident=[203.0.113.77]) by mx.receiver.example", "192.0.2.1", helo},
		{"Exchange", "from mx.sender.example (2001:db8::1) by\r\n AM0.receiver.example (2001:db8::2) with Microsoft SMTP", "2001:db8::1", helo},
		{"qmail", "from unknown (HELO mx.sender.example) (192.0.2.1) by 0 with SMTP", "192.0.2.1", helo},
		{"qmail, ident", "from unknown (HELO mx.sender.example) (203.0.113.77@192.0.2.1) by 0 with SMTP", "192.0.2.1", helo},
		{"qmail, no HELO", "from unknown (192.0.2.1) by 0 with SMTP", "192.0.2.1", ""},
		{"Yahoo", "from 192.0.2.1 (EHLO mx.sender.example) by 10.0.0.1 with SMTPs", "192.0.2.1", helo},
		{"Momentum", "from [192.0.2.1] ([192.0.2.1:54321] helo=mx.sender.example) by mx.receiver.example (envelope-from <a@b>) (ecelerity 4.2) with ESMTPS", "192.0.2.1", helo},
		{"MessageLabs", "from unknown [192.0.2.1] (EHLO mx.sender.example) by mx.receiver.example with ESMTP", "192.0.2.1", helo},
		{"IronPort", "from mx.sender.example ([192.0.2.1]) by esa1.receiver.example with ESMTP/TLS/TLS_AES_256_GCM_SHA384", "192.0.2.1", helo},
		{"Sendmail, root", "from mx.sender.example (root@mx.sender.example [192.0.2.1]) by mx.receiver.example", "192.0.2.1", helo},
		{"CommuniGate Pro", "from [192.0.2.1] (account a@b.example HELO mx.sender.example) by receiver.example", "192.0.2.1", helo},
		{"Courier", "from mx.sender.example (host.isp.example [::ffff:192.0.2.1]) (TLS: TLSv1.3,256bits) by mx.receiver.example with ESMTPS", "192.0.2.1", helo},
		{"James", "from 192.0.2.1 (EHLO mx.sender.example) ([192.0.2.1]) by mx.receiver.example (JAMES SMTP Server) with ESMTP", "192.0.2.1", helo},
		{"Exchange 2003", "from mx.sender.example ([192.0.2.1] unverified) by mx.receiver.example with Microsoft SMTPSVC(6.0)", "192.0.2.1", helo},
		{"an address without a comment", "from mx.sender.example [192.0.2.1] by mx.receiver.example with ESMTP", "192.0.2.1", helo},
		{"a name that is digits", "from mx.sender.example (203.0.113.77 [192.0.2.1]) by mx.receiver.example", "192.0.2.1", helo},
		{"no address", "from mx.sender.example by mx.receiver.example", "", helo},
		{"parentheses that do not match", ")))((( from mx", "", ""},
		{"empty", "", "", ""},
		{"from alone", "from", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := Parse(tt.body)
			var ip netip.Addr
			if tt.ip != "" {
				ip = netip.MustParseAddr(tt.ip)
			}
			if h.IP != ip || h.HELO != tt.helo || h.Doubt != "" {
				t.Errorf("%+v, want %s %s", h, tt.ip, tt.helo)
			}
		})
	}
}

// 203.0.113.77 is what the client wants to be taken for.
func TestTheHELONameIsNeverTheAddress(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		doubt      bool // it can be seen that there are two readings
	}{
		{"an address literal", "from [203.0.113.77] (unknown [192.0.2.1]) by mx.receiver.example (Postfix)", false},
		{"an address", "from 203.0.113.77 (unknown [192.0.2.1]) by mx.receiver.example (Postfix)", false},
		{"an address in qmail's form", "from unknown (HELO 203.0.113.77) (192.0.2.1) by 0", false},
		{"an address literal behind helo=", "from [192.0.2.1] (helo=[203.0.113.77]) by mx.receiver.example", false},
		{"an address after a space", "from host.isp.example ([192.0.2.1] helo=x [203.0.113.77]) by mx.receiver.example with esmtp (Exim 4.98)", false},
		{"the rest of a field without spaces", "from a([203.0.113.77])by(x (unknown [192.0.2.1]) by mx.receiver.example with ESMTP", false},
		{"a comment, Postfix", "from x (a [203.0.113.77]) (unknown [192.0.2.1]) by mx.receiver.example (Postfix)", true},
		{"a comment and by, Postfix", "from x (a [203.0.113.77]) by y (unknown [192.0.2.1]) by mx.receiver.example (Postfix)", true},
		{"a parenthesis left open", "from x ( (unknown [192.0.2.1])\r\n\tby mx.receiver.example (Postfix)", true},
		{"an angle bracket left open", "from x <by (unknown [192.0.2.1]) by mx.receiver.example (Postfix) for <a@b>", true},
		{"a comment, Exim", "from host.isp.example ([192.0.2.1] helo=x) (a [203.0.113.77]) by mx.receiver.example with esmtp (Exim 4.98)", true},
		{"Exim's form, Postfix", "from a ([203.0.113.77] helo=b) (unknown [192.0.2.1]) by mx.receiver.example (Postfix)", true},
		{"helo= in Postfix", "from x(helo=y (unknown [192.0.2.1]) by mx.receiver.example (Postfix)", false},
		{"the recipient", `from x (unknown [192.0.2.1]) by mx.receiver.example (Postfix) for <"a (b [203.0.113.77]) by c"@receiver.example>`, false},
		{"the login name", "from x (unknown [192.0.2.1]) (Authenticated sender: a [203.0.113.77]) by mx.receiver.example (Postfix)", false},
		{"the certificate", `from x (unknown [192.0.2.1]) (Client CN "a [203.0.113.77]", Issuer "b" (verified OK)) by mx.receiver.example (Postfix)`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := Parse(tt.body)
			if h.IP.String() != "192.0.2.1" || (h.Doubt != "") != tt.doubt {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestProtocols(t *testing.T) {
	for _, tt := range []struct {
		tail, by, with string
		smtp           bool
	}{
		{"by a.example (Postfix) with ESMTPS id 4", "a.example", "ESMTPS", true},
		{"by a.example (10.0.0.1) with Microsoft SMTP Server (version=TLS1_2) id 15 via Frontend Transport", "a.example", "Microsoft SMTP Server", true},
		{"by a.example with LMTPA; Sat", "a.example", "LMTPA", false},
		{"by a.example with mapi id 15", "a.example", "mapi", false},
		{"by a.example with HTTPS; Sat", "a.example", "HTTPS", false},
		{"by a.example with POP3 (fetchmail-6.4.39)", "a.example", "POP3", false},
		{"by a.example via HTTP; Sat", "a.example", "HTTP", false},
		{"by a.example", "a.example", "", true},
		{"", "", "", true},
	} {
		if h := Parse("from x ([192.0.2.1]) " + tt.tail); h.By != tt.by || h.With != tt.with || h.SMTP() != tt.smtp {
			t.Errorf("%q: %+v, SMTP %v", tt.tail, h, h.SMTP())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("mx.sender.example")
	f.Add("x (a [203.0.113.77]) by y")
	f.Add("[203.0.113.77]")
	// Whatever a client says in HELO, in one word, Postfix's field names the client.
	f.Fuzz(func(t *testing.T, helo string) {
		Parse(helo)
		if helo == "" || strings.ContainsAny(helo, space) || helo[0] == '(' {
			return
		}
		h := Parse("from " + helo + " (unknown [192.0.2.1]) by mx.receiver.example (Postfix) with ESMTP id 1; Sat, 28 Nov 2026 10:00:02 +0000")
		if h.IP.String() != "192.0.2.1" || h.Doubt != "" {
			t.Errorf("%q: %+v", helo, h)
		}
	})
}
