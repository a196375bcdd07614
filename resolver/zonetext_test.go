package resolver

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseZoneLeavesRecordsOfOtherTypesAside(t *testing.T) {
	z, err := ParseZone(strings.NewReader(`
$ORIGIN example.com.
$TTL 300
@	IN	SOA	ns.example.com. host\.master.example.com. (
		2026112900 ; serial
		3600 600 86400 ; "quoted" (in a comment)
		0 )
@	NS	ns
	TXT	"v=spf1 -all"
alias	CNAME	@
alias	RRSIG	CNAME 13 3 300 20300101000000 20200101000000 1 example.com. AAAA==
alias	NSEC	www.example.com. CNAME RRSIG NSEC
@	DNSKEY	257 3 13 (
		not!base64 )
@	CAA	0 issue "letsencrypt.org; x=\"y\""
@	NAPTR	100 50 "s" "SIP+D2U" "!^.*$!sip:\\1@example.com!" _sip._udp
_25._tcp.mx	TLSA	3 1 1 garbage
@	1h	IN	SVCB	1 . alpn="h2,h3" key65535="\000\255" nonsense
@	IN	1h30m	HTTPS	0 other.example.
@	TYPE65534	\# 5 ( 08 0000
		0001 )
@	type257 \# 1 broken
My\032Printer._ipp._tcp	SRV	0 0 631 printer ; DNS-SD
host\.master	TXT	"a dot inside of a label"
local\255	TXT	"beyond ASCII"
mx1	MX	10 a\.b
mx1	MX	20 mx
moved	DNAME	elsewhere.example.
host.elsewhere.example.	A	192.0.2.1
ann\+x\061y	TXT	"escaped"
@	CH	TXT	"another class"
$GENERATE 1-2 gen$ SRV what the parser would refuse
tilde~\126	A	192.0.2.12
semi\059colon	SRV	\059\000\255
semi\059colon	A	192.0.2.13
$GENERATE 1-2 gen$ A 192.0.2.$
zero	0	A	192.0.2.9
high	4294967295	A	192.0.2.9
TXT	A	192.0.2.10
after	A	192.0.2.11
`), "zone")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		q    Question
		want string
		err  error
	}{
		{Question{"example.com", TypeTXT}, "v=spf1 -all", nil},
		{Question{"alias.example.com", TypeTXT}, "v=spf1 -all", nil},
		{Question{"ann+x=y.example.com", TypeTXT}, "escaped", nil},
		{Question{"my printer._ipp._tcp.example.com", TypeTXT}, "", ErrNoData},
		{Question{"_25._tcp.mx.example.com", TypeTXT}, "", ErrNoData},
		{Question{"host.master.example.com", TypeTXT}, "", ErrNXDomain},
		{Question{"host.moved.example.com", TypeA}, "192.0.2.1", nil},
		{Question{"gen2.example.com", TypeA}, "192.0.2.2", nil},
		{Question{"tilde~~.example.com", TypeA}, "192.0.2.12", nil},
		{Question{"semi;colon.example.com", TypeA}, "192.0.2.13", nil},
		{Question{"txt.example.com", TypeA}, "192.0.2.10", nil},
		{Question{"after.example.com", TypeA}, "192.0.2.11", nil},
	} {
		a, err := z.Resolve(ctx, tt.q)
		got := strings.Join(a.TXT, "")
		if len(a.Addrs) > 0 {
			got = a.Addrs[0].String()
		}
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%v: %q, %v; want %q, %v", tt.q, got, err, tt.want, tt.err)
		}
	}
	if a, err := z.Resolve(ctx, Question{"mx1.example.com", TypeMX}); err != nil || len(a.MX) != 1 || a.MX[0] != (MX{20, "mx.example.com"}) {
		t.Errorf("MX: %v, %v", a.MX, err)
	}
	for name := range z {
		if err := checkName(name); err != nil {
			t.Errorf("%q is no name: %v", name, err)
		}
	}
	for name, want := range map[string]time.Duration{"example.com": 5 * time.Minute, "zero.example.com": 0, "high.example.com": 0} {
		if a, err := z.Resolve(ctx, Question{name, TypeA}); err == nil && a.TTL != want {
			t.Errorf("TTL of %s: %v, want %v", name, a.TTL, want)
		}
	}
}

func TestParseZoneChecksTheTextOfOtherTypes(t *testing.T) {
	for _, tt := range []struct{ name, zone, want string }{
		{"a string that is not closed", "a.example. A 192.0.2.1\nb.example. CAA 0 issue \"x\n\n\n", "line 2"},
		{"a parenthesis that is not closed", "b.example. DNSKEY ( 257\n\n", "line 1"},
		{"a parenthesis that was not opened", "\nb.example. DNSKEY 257 )\n", "line 2"},
		{"an escape that is no octet", "b.example. SRV 0 0 0 \\256\n", "line 1"},
		{"an escape that is cut short", "b.example. SRV 0 0 0 \\25x\n", "line 1"},
		{"an escape at the end of a line", "b.example. SRV 0 0 0 x\\\n", "line 1"},
		{"an escape at the end of the file", "b.example. SRV 0 0 0 x\\", "line 1"},
		{"an entry that does not end", "b.example. TXT (\n" + strings.Repeat("x\n", maxEntry/2), "line 524"},
		{"a type that is none", "b.example. TEXT x\n", "line: 1"},
		{"a type number that is none", "b.example. TYPE65536 x\n", "line: 1"},
		{"a record after others of several lines", "a.example. DNSKEY (\n257\n)\nb.example. A x\n", "line: 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseZone(strings.NewReader(tt.zone), "my.zone")
			if err == nil || !strings.Contains(err.Error(), "my.zone: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with the file and %q", err, tt.want)
			}
		})
	}
}
