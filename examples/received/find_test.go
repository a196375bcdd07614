package received

import (
	"bufio"
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-message/textproto"
)

// fields reads the header of a message.
func fields(t *testing.T, message []byte) []Field {
	t.Helper()
	h, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(message)))
	if err != nil {
		t.Fatal(err)
	}
	var list []Field
	for f := h.Fields(); f.Next(); {
		list = append(list, Field{f.Key(), f.Value()})
	}
	return list
}

func TestTheClientIsFoundInWhatMailSystemsWrite(t *testing.T) {
	const helo = "mx.sender.example"
	for _, tt := range []struct {
		file, ip, helo   string
		ipFrom, heloFrom string
		doubt            string // a part of the only one; "" where there is none
	}{
		{"amavis", "192.0.2.1", helo, "Received field 3", "Received field 3", ""},
		{"exchange", "192.0.2.1", helo, "Received field 3", "Received field 3", ""},
		{"exim", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
		{"exim-literal", "192.0.2.1", "[192.0.2.1]", "Received field 1", "Received field 1", ""},
		{"exim-same-name", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
		{"exim-without-a-name", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
		{"fastmail", "192.0.2.1", helo, "Received-SPF field 1", "Received-SPF field 1", ""},
		{"fetchmail", "192.0.2.1", helo, "Received field 2", "Received field 2", ""},
		{"gateway", "192.0.2.1", helo, "Received field 2", "Received field 2", "field 1 was passed over: 203.0.113.9 is mx1.receiver.example, a host of the receiver's own site"},
		{"gmail", "192.0.2.1", helo, "Received field 2", "Received field 2", ""},
		{"gmail-ipv6", "2001:db8::1", helo, "Received field 2", "Received field 2", ""},
		{"gmail-to-gmail", "209.85.220.41", "mail-sor-f41.google.com", "Received field 2", "Received field 2", ""},
		{"icloud", "192.0.2.1", helo, "Received field 2", "Received field 2", ""},
		{"outlook", "192.0.2.1", helo, "Authentication-Results field 1", "Received field 4", ""},
		{"outlook-authentication-results", "192.0.2.1", helo, "Authentication-Results field 1", "Received field 4", ""},
		{"outlook-without-results", "192.0.2.1", helo, "Received field 4", "Received field 4", ""},
		{"outlook-from-microsoft-365", "2a01:111:f403:c20f::3", "EUR05-DB8-obe.outbound.protection.outlook.com", "Received field 4", "Received field 4", ""},
		{"postfix", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
		{"postfix-policyd-spf", "192.0.2.1", helo, "Received-SPF field 1", "Received-SPF field 1", ""},
		{"proton", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
		{"qmail", "192.0.2.1", helo, "Received field 2", "Received field 2", ""},
		{"qmail-ident", "192.0.2.1", helo, "Received field 2", "Received field 2", ""},
		{"sendmail", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
		{"ses", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
		{"submission", "192.0.2.1", "laptop.local", "Received field 1", "Received field 1", "a user who logged in"},
		{"yahoo", "192.0.2.1", helo, "Received field 1", "Received field 1", ""},
	} {
		t.Run(tt.file, func(t *testing.T) {
			message, err := os.ReadFile(filepath.Join("testdata", tt.file+".eml"))
			if err != nil {
				t.Fatal(err)
			}
			c := Find(fields(t, message))
			if c.IP != netip.MustParseAddr(tt.ip) || c.HELO != tt.helo || c.IPField != tt.ipFrom || c.HELOField != tt.heloFrom {
				t.Errorf("%+v", c)
			}
			if tt.doubt == "" && len(c.Doubts) > 0 || tt.doubt != "" && (len(c.Doubts) != 1 || !strings.Contains(c.Doubts[0], tt.doubt)) {
				t.Errorf("doubts %q, want %q", c.Doubts, tt.doubt)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) != 26 {
		t.Errorf("%d files, want one for each row: %v", len(files), err)
	}
}

// The header is that of a receiver with one host, and the sender's own below it.
func TestTheSendersOwnFieldsAreNotBelieved(t *testing.T) {
	received := Field{"Received", "from mx.sender.example (host.isp.example [192.0.2.1]) by mx.receiver.example with ESMTPS"}
	for _, tt := range []struct {
		name   string
		header []Field
		doubt  string
	}{
		{"Received-SPF below the receiver's field", []Field{received, {"Received-SPF", "pass client-ip=203.0.113.77; helo=x"}}, "may be the sender's own"},
		{"sender IP below the receiver's field", []Field{received, {"Authentication-Results", "spf=pass (sender IP is 203.0.113.77) smtp.mailfrom=x"}}, "may be the sender's own"},
		{"Received-SPF below the sender's Received", []Field{received,
			{"Received", "from a ([203.0.113.77]) by mx.sender.example"}, {"Received-SPF", "pass client-ip=203.0.113.77"}}, ""},
		{"a HELO name of the receiver's site", []Field{
			{"Received", "from mx1.receiver.example (host.isp.example [192.0.2.1]) by mx.receiver.example with ESMTPS"},
			{"Received", "from a (a [203.0.113.77]) by mx1.receiver.example with ESMTPS"}}, ""},
		{"a HELO name of Microsoft's", []Field{
			{"Received", "from a.eurprd04.prod.outlook.com (192.0.2.1) by b.mail.protection.outlook.com (10.0.0.1) with Microsoft SMTP Server"},
			{"Received", "from a (203.0.113.77) by a.eurprd04.prod.outlook.com with Microsoft SMTP Server"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Find(tt.header)
			if c.IP.String() != "192.0.2.1" {
				t.Errorf("%+v", c)
			}
			if tt.doubt == "" && len(c.Doubts) > 0 || tt.doubt != "" && (len(c.Doubts) != 1 || !strings.Contains(c.Doubts[0], tt.doubt)) {
				t.Errorf("doubts %q, want %q", c.Doubts, tt.doubt)
			}
		})
	}
}

func TestWhatTheReceiverStatesIsComparedWithReceived(t *testing.T) {
	received := Field{"Received", "from gw.filter.example (gw.filter.example [198.51.100.7]) by mx.receiver.example with ESMTPS"}
	for _, tt := range []struct {
		name      string
		header    []Field
		ip, doubt string
	}{
		{"another address", []Field{{"Received-SPF", "pass client-ip=192.0.2.1"}, received}, "192.0.2.1", "Received field 1 says 198.51.100.7"},
		{"no Received field", []Field{{"Received-SPF", "pass client-ip=192.0.2.1"}}, "192.0.2.1", "no Received field has it"},
		{"two addresses in one field", []Field{{"Received-SPF", "pass client-ip=192.0.2.1; helo=x; client-ip=203.0.113.77"}, received}, "198.51.100.7", ""},
		{"an address in a comment", []Field{{"Received-SPF", `pass (domain of "; client-ip=203.0.113.77; x"@a.example) client-ip=198.51.100.7`}, received}, "198.51.100.7", ""},
		{"an address in a quoted string", []Field{{"Received-SPF", `pass envelope-from="a\"; client-ip=203.0.113.77; x"; client-ip=198.51.100.7`}, received}, "198.51.100.7", ""},
		{"a private address", []Field{{"Received-SPF", "none client-ip=10.0.0.1"}, received}, "198.51.100.7", ""},
		{"sender IP outside of a comment", []Field{{"Authentication-Results", "spf=pass smtp.mailfrom=sender IP is 203.0.113.77"}, received}, "198.51.100.7", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Find(tt.header)
			if c.IP.String() != tt.ip {
				t.Errorf("%+v", c)
			}
			if tt.doubt == "" && len(c.Doubts) > 0 || tt.doubt != "" && (len(c.Doubts) != 1 || !strings.Contains(c.Doubts[0], tt.doubt)) {
				t.Errorf("doubts %q, want %q", c.Doubts, tt.doubt)
			}
		})
	}
}

func TestNoClientIsFoundWhereNoneIs(t *testing.T) {
	for _, tt := range []struct{ name, body string }{
		{"a name alone", "from mx.sender.example by mx.receiver.example with ESMTP"},
		{"a HELO name that is an address", "from [192.0.2.1] by mx.receiver.example with ESMTP"},
		{"an address only after by", "by mx.receiver.example (192.0.2.1) with SMTP id x"},
		{"LMTP", "from mx.sender.example (mx.sender.example [192.0.2.1]) by imap.receiver.example with LMTP"},
		{"IMAP", "from mx.sender.example ([192.0.2.1]) by desk.lan with IMAP"},
		{"a web page", "from [192.0.2.1] by web1.receiver.example via HTTP"},
		{"loopback", "from localhost (localhost [127.0.0.1]) by mx.receiver.example with ESMTP"},
		{"a private address", "from filter.lan (filter.lan [10.0.0.7]) by mx.receiver.example with ESMTP"},
		{"a private IPv6 address", "from filter.lan (filter.lan [IPv6:fd00::7]) by mx.receiver.example with ESMTP"},
		{"shared address space", "from filter.lan (filter.lan [100.64.0.7]) by mx.receiver.example with ESMTP"},
		{"a private address as 6to4", "from x (x [IPv6:2002:a05:1::1]) by mx.receiver.example with ESMTP"},
		{"link-local", "from x ([fe80::1%4]) by mx.receiver.example with ESMTP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if c := Find([]Field{{"Received", tt.body}}); c.IP.IsValid() {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestAHopWithoutAnAddressIsADoubt(t *testing.T) {
	c := Find([]Field{
		{"Received", "from mx.sender.example by mx.receiver.example with ESMTP"},
		{"Received", "from a (a [192.0.2.1]) by mx.sender.example with ESMTP"},
	})
	if c.IP.String() != "192.0.2.1" || len(c.Doubts) != 1 || !strings.Contains(c.Doubts[0], "Received field 1 was passed over: it has no address") {
		t.Errorf("%+v", c)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("from a (b [192.0.2.1]) by c with ESMTP", "pass (x) client-ip=192.0.2.1; helo=y", "spf=pass (sender IP is 192.0.2.1)")
	f.Fuzz(func(t *testing.T, received, spf, authres string) {
		c := Find([]Field{{"Received-SPF", spf}, {"Authentication-Results", authres}, {"Received", received}})
		if c.IP.IsValid() != (c.IPField != "") || c.IP.IsValid() && !public(c.IP) {
			t.Errorf("%+v", c)
		}
	})
}
