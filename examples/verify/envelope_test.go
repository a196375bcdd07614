package main

import (
	"net/netip"
	"strings"
	"testing"
)

func TestReceivedFields(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		ip, helo   string // ip "" where there is no client
	}{
		{"Postfix", "from mx.example.com (rdns.example.net [192.0.2.1]) by mx.receiver.example (Postfix) with ESMTPS id 4cT", "192.0.2.1", "mx.example.com"},
		{"Postfix, no name", "from mx.example.com (unknown [192.0.2.1])\r\n\tby mx.receiver.example", "192.0.2.1", "mx.example.com"},
		{"Postfix, IPv6", "from mx.example.com (unknown [IPv6:2001:db8::1]) by mx.receiver.example", "2001:db8::1", "mx.example.com"},
		{"RFC 5321", "from mx.example.com ([192.0.2.1]) by mx.receiver.example", "192.0.2.1", "mx.example.com"},
		{"Gmail", "from mx.example.com (mx.example.com. [192.0.2.1])\r\n        by mx.google.example with ESMTPS id a1", "192.0.2.1", "mx.example.com"},
		{"Exim", "from rdns.example.net ([192.0.2.1] helo=mx.example.com) by mx.receiver.example with esmtps (TLS1.3)", "192.0.2.1", "mx.example.com"},
		{"Exim, no name", "from [192.0.2.1] (helo=mx.example.com) by mx.receiver.example", "192.0.2.1", "mx.example.com"},
		{"Exchange", "from mx.example.com (2001:db8::1) by\r\n AM0.receiver.example (2001:db8::2) with Microsoft SMTP", "2001:db8::1", "mx.example.com"},
		{"qmail", "from unknown (HELO mx.example.com) (192.0.2.1) by 0 with SMTP", "192.0.2.1", "mx.example.com"},
		{"HELO is an address literal", "from [198.51.100.9] (unknown [192.0.2.1]) by mx.receiver.example", "192.0.2.1", "[198.51.100.9]"},
		{"HELO in a comment claims an address", "from [192.0.2.1] (helo=[198.51.100.9]) by mx.receiver.example", "192.0.2.1", "[198.51.100.9]"},
		{"qmail, HELO is an address", "from unknown (HELO 198.51.100.9) (192.0.2.1) by 0", "192.0.2.1", "198.51.100.9"},
		{"IPv4-mapped", "from mx.example.com ([::ffff:192.0.2.1]) by mx.receiver.example", "192.0.2.1", "mx.example.com"},
		{"no address", "from mx.example.com by mx.receiver.example", "", ""},
		{"an address only after by", "by mx.receiver.example (192.0.2.1) with SMTP id x", "", ""},
		{"another hop within the site", "from localhost (localhost [127.0.0.1]) by mx.receiver.example", "", ""},
		{"a private address", "from filter.lan (filter.lan [10.0.0.7]) by mx.receiver.example", "", ""},
		{"parentheses that do not match", ")))((( from mx", "", ""},
		{"empty", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ok := parseReceived(strings.ReplaceAll(tt.body, "\r\n", ""))
			if tt.ip == "" {
				if ok {
					t.Errorf("got %+v, want none", c)
				}
				return
			}
			if !ok || c.ip != netip.MustParseAddr(tt.ip) || c.helo != tt.helo {
				t.Errorf("got %+v, %v, want %s %s", c, ok, tt.ip, tt.helo)
			}
		})
	}
}

func TestTheTopmostReceivedFieldWithAClientCounts(t *testing.T) {
	message := "Return-Path: <bounce@example.com>\r\n" +
		"Received: from localhost (localhost [127.0.0.1]) by mx.receiver.example\r\n" +
		"Received: from mx.example.com (mx.example.com [192.0.2.1]) by mx.receiver.example\r\n" +
		"Received: from forged.example (forged.example [198.51.100.1]) by mx.example.com\r\n\r\n"
	fields, _, err := readHeader(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	e, from := (&options{}).envelope(nil, fields)
	if e.IP.String() != "192.0.2.1" || e.HELO != "mx.example.com" || e.MailFrom != "bounce@example.com" || from.IP != "Received field 2" {
		t.Errorf("%+v, %+v", e, from)
	}
	// The name that one host gave says nothing about another.
	other := &options{ip: netip.MustParseAddr("203.0.113.1")}
	if e, _ := other.envelope(nil, fields); e.HELO != "" {
		t.Errorf("HELO is %q", e.HELO)
	}
}

func TestTheHelpAndTheOutputSayWhichReceivedFieldCounts(t *testing.T) {
	f := verify(t, "Received: from localhost (localhost [127.0.0.1]) by mx.receiver.example\n"+
		"Received: from mx.example.com (mx.example.com [192.0.2.1]) by mx.receiver.example\n"+
		"From: a@forwarded.example\n\nHi\n", "-zone", fixture("forwarded.zone"), "-")
	if !strings.Contains(f.stdout, "client from Received field 2, HELO from Received field 2") {
		t.Errorf("the field is not named:\n%s", f.stdout)
	}
	if !strings.Contains(usage, "Where that address is private or loopback") || !strings.Contains(usage, "the sender's own\ninvention") {
		t.Error("the help does not say how far a Received field can be trusted")
	}
}

func FuzzParseReceived(f *testing.F) {
	f.Add("from mx.example.com (rdns [192.0.2.1] helo=x) by y; date")
	f.Add("from unknown (HELO x) (2001:db8::1) by 0")
	f.Fuzz(func(t *testing.T, body string) {
		if c, ok := parseReceived(body); ok && (!c.ip.IsValid() || c.ip.IsPrivate()) {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzReadHeader(f *testing.F) {
	f.Add([]byte("From: a@example.com\n\nbody"))
	f.Fuzz(func(t *testing.T, message []byte) {
		fields, r, err := readHeader(strings.NewReader(string(message)))
		if err != nil {
			return
		}
		var all strings.Builder
		buf := make([]byte, 1+len(message))
		for {
			n, err := r.Read(buf)
			all.Write(buf[:n])
			if err != nil {
				break
			}
		}
		if all.String() != string(message) {
			t.Errorf("%d fields, and %d octets of %d are left to read", len(fields), all.Len(), len(message))
		}
	})
}
