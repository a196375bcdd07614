package spf_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// expansion returns the name that exists:spec asks for, or "" where it asks nothing.
func expansion(t *testing.T, spec string, session spf.Envelope, zone resolver.Zone) string {
	t.Helper()
	_, name, _ := strings.Cut(session.MailFrom, "@")
	if zone == nil {
		zone = resolver.Zone{}
	}
	zone[name] = resolver.Records{TXT: []string{"v=spf1 exists:" + spec + " -all"}}
	dns := far(zone)
	r := (&spf.Checker{Resolver: dns}).Check(t.Context(), session)
	if r.Status != spf.StatusFail {
		t.Errorf("%s: got %v (%v)", spec, r.Status, r.Err)
	}
	close(dns.asked)
	last := ""
	for q := range dns.asked {
		if q.Type == resolver.TypeA {
			last = q.Name
		}
	}
	return last
}

func TestTheExpansionsOfRFC7208Section7_4(t *testing.T) {
	session := spf.Envelope{IP: mustAddr("192.0.2.3"), HELO: "mx.example.org", MailFrom: "strong-bad@email.example.com"}
	v6 := session
	v6.IP = mustAddr("2001:db8::cb01")
	for _, test := range []struct{ spec, want string }{
		{"%{o}", "email.example.com"}, {"%{d}", "email.example.com"}, {"%{d4}", "email.example.com"},
		{"%{d3}", "email.example.com"}, {"%{d2}", "example.com"}, {"%{d1}", "com"}, {"%{dr}", "com.example.email"},
		{"%{d2r}", "example.email"}, {"%{l}", "strong-bad"}, {"%{l-}", "strong.bad"}, {"%{lr}", "strong-bad"},
		{"%{lr-}", "bad.strong"}, {"%{l1r-}", "strong"},
		{"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
		{"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
		{"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
		{"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
		{"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := expansion(t, test.spec, session, nil); got != test.want {
				t.Errorf("%s: got %q, want %q", test.spec, got, test.want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		want := "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
		if got := expansion(t, "%{ir}.%{v}._spf.%{d2}", v6, nil); got != want {
			t.Errorf("IPv6: got %q", got)
		}
	})
}

// dotted253 is a name of 253 octets.
var dotted253 = strings.Repeat("a.", 126) + "c"

// octetRange returns the octets of a range, in order.
func octetRange(first, last byte) string {
	var b []byte
	for c := first; c <= last; c++ {
		b = append(b, c)
	}
	return string(b)
}

func TestMacrosThatMakeNames(t *testing.T) {
	long := strings.Repeat("a", 5000)
	for _, test := range []struct{ name, spec, local, helo, want string }{
		{"every letter in upper case", "%{L}.%{O}.%{D}.%{I}.%{V}.%{H}.x.org", "joe", "mx.x.org",
			"joe.example.com.example.com.192.0.2.1.in-addr.mx.x.org.x.org"},
		{"%{s} with its at-sign", "%{s}.x.org", "joe", "", "joe@example.com.x.org"},
		{"%{s} split at its at-sign's side", "%{s1}.x.org", "joe", "", "com.x.org"},
		{"URL escapes", "%{L}.x.org", "a b", "", "a%20b.x.org"},
		{"a plus", "%{l}.x.org", "joe+tag", "", "joe+tag.x.org"},
		{"octets from space on", "%{h}.x.org", "joe", strings.ReplaceAll(octetRange(' ', '?'), ".", ""), strings.ReplaceAll(octetRange(' ', '?'), ".", "") + ".x.org"},
		{"octets up to the tilde", "%{h}.x.org", "joe", octetRange('@', '~'), strings.ToLower(octetRange('@', '~')) + ".x.org"},
		{"DEL is no name", "%{h}.x.org", "joe", "a\x7f", ""},
		{"a line break is no name", "%{h}.x.org", "joe", "a\r\nb", ""},
		{"a plus as a delimiter", "%{l+}.x.org", "joe+tag", "", "joe.tag.x.org"},
		{"a delimiter at the beginning", "%{l1-}.x.org", "-bad", "", "bad.x.org"},
		{"a delimiter at the end", "%{l1r-}.x.org", "bad-", "", "bad.x.org"},
		{"a delimiter at the end, of which nothing is the last part", "%{l1-}.x.org", "bad-", "", ""},
		{"more parts than there are", "%{l9-}.x.org", "a-b", "", "a.b.x.org"},
		{"as many parts as there are", "%{l2r-}.x.org", "a-b", "", "b.a.x.org"},
		{"several delimiters", "%{lr+-}.x.org", "foo-bar+zip", "", "zip.bar.foo.x.org"},
		{"a control character is no name", "%{l}.x.org", "a\x00b", "", ""},
		{"a leading dot is no name", "%{l}.x.org", ".joe", "", ""},
		{"dots in a row are no name", "%{l}.x.org", "j..oe", "", ""},
		{"a quoted local-part", "%{l}.x.org", `"joe"`, "", `"joe".x.org`},
		{"quotes can be cut off", "%{l1r}.x.org", `joe."@"`, "", "joe.x.org"},
		{"a local-part beyond ASCII matches nothing", "%{l}.x.org", "pel\u00e9", "", ""},
		{"not even where it would be cut off", "%{l1r.}.x.org", "joe.pel\u00e9", "", ""},
		{"a HELO beyond ASCII is no name", "%{h}.x.org", "joe", "m\u00fcx.x.org", ""},
		{"a HELO with spaces", "%{h}", "joe", "JUMPIN' JUPITER", "jumpin' jupiter"},
		{"an address literal", "%{h}", "joe", "[192.0.2.1]", "[192.0.2.1]"},
		{"a label of 64 octets is no name", "%{l}.x.org", strings.Repeat("a", 64), "", ""},
		{"an expansion that is empty is no name", "%{h}", "joe", "", ""},
		{"a final dot", "%{h}", "joe", "mx.x.org.", "mx.x.org"},
		{"two final dots are no name", "%{h}", "joe", "mx.x.org..", ""},
		{"a label of 63 octets is one", "%{l}.x.org", strings.Repeat("a", 63), "", strings.Repeat("a", 63) + ".x.org"},
		{"253 octets stay", "%{h}", "joe", dotted253, dotted253},
		{"of 254 octets the first label is lost", "%{h}", "joe", "b" + dotted253, dotted253[2:]},
		{"of 254 octets an empty first label is lost", "%{h}", "joe", "." + dotted253, dotted253},
		{"of 254 octets in one label nothing is left", "%{h}", "joe", strings.Repeat("a", 254), ""},
		{"labels beyond 253 octets are lost from the left", "%{l}.%{l}.x.org", strings.Repeat("a.", 80) + "b", "",
			strings.Repeat("a.", 42) + "b." + strings.Repeat("a.", 80) + "b.x.org"},
		{"a label that is too long is lost as well", "%{l}.x.org", long, "", "x.org"},
		{"a count that would not fit an int", "%{d18446744073709551617r}.x.org", "joe", "", "com.example.x.org"},
		{"a count of 2^32", "%{d4294967296}.x.org", "joe", "", "example.com.x.org"},
		{"128 labels", "%{d127}", "joe", "", "example.com"},
		{"an upper-case R reverses", "%{dR}.x.org", "joe", "", "com.example.x.org"},
		{"%{p} of nobody", "%{p}.x.org", "joe", "", "unknown.x.org"},
	} {
		synctest.Test(t, func(t *testing.T) {
			session := spf.Envelope{IP: mustAddr("192.0.2.1"), HELO: test.helo, MailFrom: test.local + "@example.com"}
			zone := resolver.Zone{"example.com": {TXT: []string{"v=spf1 exists:" + test.spec + " -all"}}}
			dns := far(zone)
			r := (&spf.Checker{Resolver: dns}).Check(t.Context(), session)
			close(dns.asked)
			got := ""
			for q := range dns.asked {
				if q.Type == resolver.TypeA {
					got = q.Name
				}
			}
			if got != test.want || r.Status != spf.StatusFail {
				t.Errorf("%s: got %v and %q, want %q", test.name, r.Status, got, test.want)
			}
		})
	}
}

func TestTheNullSenderIsPostmasterInMacros(t *testing.T) {
	session := spf.Envelope{IP: mustAddr("192.0.2.1"), HELO: "mail.example.com"}
	r := (&spf.Checker{Resolver: resolver.Zone{
		"mail.example.com": {TXT: []string{"v=spf1 -all exp=x.org.example"}},
		"x.org.example":    {TXT: []string{"%{s} %{l} %{o} %{S}"}},
	}}).Check(t.Context(), session)
	if want := "postmaster@mail.example.com postmaster mail.example.com postmaster%40mail.example.com"; r.Explanation != want {
		t.Errorf("got %q", r.Explanation)
	}
}

func TestTheValidatedNameIsTheDomainThenOneBelowItThenAny(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  string
	}{
		{[]string{"other.org", "mx.example.com", "example.com"}, "example.com.x.org"},
		{[]string{"other.org", "mx.example.com"}, "mx.example.com.x.org"},
		{[]string{"lies.example.com", "other.org"}, "other.org.x.org"},
		{[]string{"lies.example.com"}, "unknown.x.org"},
	} {
		synctest.Test(t, func(t *testing.T) {
			right := resolver.Records{A: []string{"192.0.2.1"}}
			zone := resolver.Zone{
				"1.2.0.192.in-addr.arpa": {PTR: test.names},
				"other.org":              right, "mx.example.com": right, "lies.example.com": {A: []string{"203.0.113.1"}},
				"example.com": {TXT: []string{"v=spf1 exists:%{p}.x.org -all"}, A: right.A},
			}
			dns := far(zone)
			(&spf.Checker{Resolver: dns}).Check(t.Context(), client)
			close(dns.asked)
			last := resolver.Question{}
			for q := range dns.asked {
				last = q
			}
			if last.Name != test.want {
				t.Errorf("%v: got %q, want %q", test.names, last.Name, test.want)
			}
		})
	}
}
