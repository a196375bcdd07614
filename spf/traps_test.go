package spf_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// hosts is a zone with one record and a few names to test it on.
func hosts(record string) resolver.Zone {
	return resolver.Zone{
		"example.com":                       {TXT: []string{record}, A: []string{"192.0.2.1"}, AAAA: []string{"2001:db8::1"}, MX: []string{"10 mx.example.com"}},
		"mx.example.com":                    {A: []string{"192.0.2.1"}, AAAA: []string{"2001:db8::1"}},
		"far.example.com":                   {A: []string{"203.0.113.1"}, AAAA: []string{"2001:db8:f::1"}},
		"near.example.com":                  {A: []string{"192.0.2.200"}, AAAA: []string{"2001:db8:0:0:1::1"}},
		"_x.example.com":                    {A: []string{"192.0.2.1"}},
		"6.example.com":                     {AAAA: []string{"2001:db8::1"}},
		"mapped.example.com":                {AAAA: []string{"::ffff:192.0.2.1"}},
		"1.2.0.192.in-addr.arpa":            {PTR: []string{"mx.example.com", "mx.notvictim.com"}},
		"mx.notvictim.com":                  {A: []string{"192.0.2.1"}},
		"foo(bar.example.com":               {A: []string{"192.0.2.1"}},
		"foo bar.example.com":               {A: []string{"192.0.2.1"}},
		"%bar.example.com":                  {A: []string{"192.0.2.1"}},
		"foo%bar.example.com":               {A: []string{"192.0.2.1"}},
		"yes.example.com":                   {TXT: []string{"v=spf1 +all"}},
		"no.example.com":                    {TXT: []string{"v=spf1 -all"}},
		"self.example.com":                  {TXT: []string{"v=spf1 exists:%{d}.seen.example.com -all"}},
		"self.example.com.seen.example.com": {A: []string{"127.0.0.2"}},
	}
}

func TestSelectingTheRecord(t *testing.T) {
	zone := func(texts ...string) resolver.Zone { return resolver.Zone{"example.com": {TXT: texts}} }
	play(t, []scene{
		{name: "more than one record is permerror", want: spf.StatusPermError, err: spf.ErrMultipleRecords,
			zone: zone("v=spf1 +all", "V=SPF1 +all")},
		{name: "v=spf10 is not SPF", want: spf.StatusPass, zone: zone("v=spf10 -all", "v=spf1 +all")},
		{name: "v=spf1 in the middle is not SPF", want: spf.StatusNone, err: spf.ErrNoRecord, zone: zone("hello v=spf1 +all")},
		{name: "a record beyond ASCII is permerror", want: spf.StatusPermError, err: spf.ErrSyntax, zone: zone("v=spf1 a:b\xfccher.example +all")},
		{name: "another text beyond ASCII is nobody's business", want: spf.StatusPass, zone: zone("\xff\xfe", "v=spf1 +all")},
		{name: "a syntax error behind a match is permerror", want: spf.StatusPermError, err: spf.ErrSyntax, zone: zone("v=spf1 +all moo")},
		{name: "unknown modifiers that begin like mechanisms are ignored", want: spf.StatusPass, zone: zone("v=spf1 authid=x mxid=y all4=z ip4=q include=r +all")},
		{name: "redirect twice is permerror in any case", want: spf.StatusPermError, err: spf.ErrSyntax, zone: zone("v=spf1 redirect=a.org REDIRECT=a.org")},
		{name: "no term matches", want: spf.StatusNeutral, err: spf.ErrNoMatch, zone: zone("v=spf1")},
	})
}

func TestTermsAndTheirDomains(t *testing.T) {
	const pass, fail = spf.StatusPass, spf.StatusFail
	var scenes []scene
	for _, s := range []struct {
		name, record, ip string
		want             spf.Status
	}{
		{"a with an underscore", "v=spf1 a:_x.example.com -all", "", pass},
		{"a with a trailing dot", "v=spf1 a:mx.example.com. -all", "", pass},
		{"a in upper case", "v=spf1 A:MX.Example.COM -all", "", pass},
		{"macros in a", "v=spf1 a:%{d} -all", "", pass},
		{"macros in mx", "v=spf1 mx:%{o} -all", "", pass},
		{"macros in ptr", "v=spf1 ptr:%{d} -all", "", pass},
		{"%{d} in an include is the included domain", "v=spf1 include:self.example.com -all", "", pass},
		{"%{d} in a redirect is the domain redirected to", "v=spf1 redirect=self.example.com", "", pass},
		{"a//64 compares IPv6 by 64 bits", "v=spf1 a:near.example.com//64 -all", "2001:db8::1", pass},
		{"a//64 compares IPv4 whole", "v=spf1 a:near.example.com//64 -all", "", fail},
		{"a/24 compares IPv4 by 24 bits", "v=spf1 a:near.example.com/24 -all", "", pass},
		{"a/24//64 with IPv6", "v=spf1 a:near.example.com/24//64 -all", "2001:db8::1", pass},
		{"a/24//64 with IPv4", "v=spf1 a:near.example.com/24//64 -all", "", pass},
		{"a/0 with any address", "v=spf1 a:far.example.com/0 -all", "", pass},
		{"a/0 without an address of the family", "v=spf1 a:6.example.com/0 -all", "", fail},
		{"mx//0 with any host", "v=spf1 mx//0 -all", "2001:db8:ffff::1", pass},
		{"ip4 with an IPv4-mapped client", "v=spf1 ip4:192.0.2.0/24 -all", "::ffff:192.0.2.1", pass},
		{"ip6 with an IPv4-mapped client", "v=spf1 ip6:::ffff:0:0/96 ip6:::/0 -all", "::ffff:192.0.2.1", fail},
		{"a with an IPv4-mapped client", "v=spf1 a:mx.example.com -all", "::ffff:192.0.2.1", pass},
		{"AAAA of an IPv4-mapped address", "v=spf1 a:mapped.example.com -all", "", fail},
		{"a client with a zone", "v=spf1 ip6:fe80::1 -all", "fe80::1%eth0", pass},
		{"ptr on a label boundary", "v=spf1 ptr:victim.com -all", "", fail},
		{"ptr of the domain itself", "v=spf1 ptr:mx.notvictim.com -all", "", pass},
		{"ptr that does not resolve back", "v=spf1 ptr:example.com -all", "198.51.100.1", fail},
		{"an include that fails does not match", "v=spf1 include:no.example.com +all", "", pass},
		{"an include that passes takes the qualifier outside", "v=spf1 -include:yes.example.com +all", "", fail},
		{"a domain with an empty label is no match", "v=spf1 a:mx..example.com -all", "", fail},
		{"a domain with a label of 64 octets is no match", "v=spf1 a:" + strings.Repeat("x", 64) + ".example.com -all", "", fail},
		{"a parenthesis is asked for", "v=spf1 a:foo(bar.example.com -all", "", pass},
		{"a space is asked for", "v=spf1 a:foo%_bar.example.com -all", "", pass},
		{"a percent sign at the beginning is asked for", "v=spf1 a:%%bar.example.com -all", "", pass},
		{"a percent sign is asked for", "v=spf1 a:foo%%bar.example.com -all", "", pass},
	} {
		scenes = append(scenes, scene{name: s.name, zone: hosts(s.record), ip: s.ip, want: s.want, lookups: -1, voids: -1})
	}
	scenes = append(scenes,
		scene{name: "an include without a record is permerror", zone: hosts("v=spf1 include:mx.example.com +all"),
			want: spf.StatusPermError, err: spf.ErrNoTarget, lookups: 1, voids: 1},
		scene{name: "a redirect to nowhere is permerror", zone: hosts("v=spf1 redirect=gone.example.com"),
			want: spf.StatusPermError, err: spf.ErrNoTarget, lookups: 1, voids: 1},
		scene{name: "a redirect to a name of one label is permerror", zone: hosts("v=spf1 redirect=%{h}"), helo: "localhost",
			want: spf.StatusPermError, err: spf.ErrNoTarget, lookups: 1},
		scene{name: "an include of a broken record is permerror", want: spf.StatusPermError, err: spf.ErrSyntax, lookups: 1,
			zone: resolver.Zone{"example.com": {TXT: []string{"v=spf1 include:b.example.com +all"}}, "b.example.com": {TXT: []string{"v=spf1 moo"}}}},
	)
	play(t, scenes)
}

func TestARecordThatLeadsBackToItselfIsALoop(t *testing.T) {
	cycle := hosts("v=spf1 include:b.example.com -all")
	cycle["b.example.com"] = resolver.Records{TXT: []string{"v=spf1 a:far.example.com redirect=c.example.com"}}
	cycle["c.example.com"] = resolver.Records{TXT: []string{"v=spf1 ?include:B.example.com"}}
	play(t, []scene{
		{name: "by an include", want: spf.StatusPermError, err: spf.ErrLoop, lookups: 1,
			zone: hosts("v=spf1 include:example.com -all")},
		{name: "by a redirect", want: spf.StatusPermError, err: spf.ErrLoop, lookups: 1,
			zone: hosts("v=spf1 redirect=example.com")},
		{name: "by a macro", want: spf.StatusPermError, err: spf.ErrLoop, lookups: 1,
			zone: hosts("v=spf1 include:%{d} -all")},
		{name: "by others", want: spf.StatusPermError, err: spf.ErrLoop, lookups: 4, zone: cycle},
		{name: "which is a term limit too", want: spf.StatusPermError, err: spf.ErrTermLimit, lookups: 1,
			zone: hosts("v=spf1 include:example.com -all")},
		{name: "and ends without limits", want: spf.StatusPermError, err: spf.ErrLoop, lookups: 1,
			zone: hosts("v=spf1 include:example.com -all"), limits: spf.Limits{Terms: -1, VoidLookups: -1, Questions: -1}},
		{name: "but not behind a match", want: spf.StatusPass, lookups: 0,
			zone: hosts("v=spf1 ip4:192.0.2.1 include:example.com -all")},
		{name: "and not where a record is included twice", want: spf.StatusFail, lookups: 2,
			zone: hosts("v=spf1 include:no.example.com include:no.example.com -all")},
	})
	ten := resolver.Zone{}
	for i := range 12 {
		ten[fmt.Sprintf("l%d.example.com", i)] = resolver.Records{TXT: []string{fmt.Sprintf("v=spf1 include:l%d.example.com", (i+1)%12)}}
	}
	ten["example.com"] = ten["l0.example.com"]
	r := (&spf.Checker{Resolver: ten}).Check(t.Context(), client)
	if !errors.Is(r.Err, spf.ErrTermLimit) || errors.Is(r.Err, spf.ErrLoop) {
		t.Errorf("a limit that is hit before the loop closes: got %v", r.Err)
	}
}

func TestOnlyTheFamilyOfTheClientIsAskedFor(t *testing.T) {
	for ip, unwanted := range map[string]resolver.Type{"192.0.2.9": resolver.TypeAAAA, "::ffff:192.0.2.9": resolver.TypeAAAA, "2001:db8::9": resolver.TypeA} {
		dns := far(hosts("v=spf1 a mx -all"))
		session := client
		session.IP = mustAddr(ip)
		(&spf.Checker{Resolver: dns}).Check(t.Context(), session)
		close(dns.asked)
		for q := range dns.asked {
			if q.Type == unwanted {
				t.Errorf("for %s: asked %v", ip, q)
			}
		}
	}
}

func TestOnlyProvenAbsenceIsNotATempError(t *testing.T) {
	question := resolver.Question{Name: "x.example.com", Type: resolver.TypeTXT}
	temporary := map[string]error{
		"SERVFAIL":             &resolver.Error{Question: question, Err: resolver.ErrServFail},
		"REFUSED":              &resolver.Error{Question: question, Err: resolver.ErrRefused},
		"timeout":              &resolver.Error{Question: question, Err: resolver.ErrTimeout},
		"wrapped":              fmt.Errorf("asking: %w", &resolver.Error{Question: question, Err: resolver.ErrServFail}),
		"malformed":            resolver.ErrMalformed,
		"too many":             resolver.ErrLimit,
		"not of the package":   errors.New("broken pipe"),
		"net, with not found":  &net.DNSError{Err: "no such host", IsNotFound: true},
		"cancelled":            context.Canceled,
		"deadline of somebody": context.DeadlineExceeded,
	}
	for name, failure := range temporary {
		for _, place := range []struct{ name, record, failing string }{
			{"the record", "v=spf1 +all", "example.com"},
			{"an include", "v=spf1 include:x.example.com +all", "x.example.com"},
			{"a redirect", "v=spf1 redirect=x.example.com", "x.example.com"},
			{"an a", "v=spf1 a:x.example.com +all", "x.example.com"},
			{"an mx", "v=spf1 mx:x.example.com +all", "x.example.com"},
			{"a host of an mx", "v=spf1 mx:mx.example.com +all", "x.example.com"},
			{"an exists", "v=spf1 exists:x.example.com +all", "x.example.com"},
		} {
			t.Run(name+" for "+place.name, func(t *testing.T) {
				zone := resolver.Zone{
					"example.com":    {TXT: []string{place.record}},
					"mx.example.com": {MX: []string{"10 x.example.com"}},
				}
				dns := resolverFunc(func(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
					if q.Name == place.failing {
						// An answer beside the error must not be taken.
						return resolver.Answer{TXT: []string{"v=spf1 +all"}, Addrs: hostAddrs("192.0.2.1")}, failure
					}
					return zone.Resolve(ctx, q)
				})
				r := (&spf.Checker{Resolver: dns}).Check(t.Context(), client)
				want := spf.ErrDNS
				if failure == resolver.ErrLimit {
					want = spf.ErrCanceled // it was not DNS that failed
				}
				if r.Status != spf.StatusTempError || !errors.Is(r.Err, want) || !errors.Is(r.Err, failure) {
					t.Errorf("got %v (%v)", r.Status, r.Err)
				}
			})
		}
	}
}

func TestAContextThatHasEndedIsTempError(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(resolver.ErrNotFound) // a cause that must not be taken for an answer
	r := (&spf.Checker{Resolver: hosts("v=spf1 +all")}).Check(ctx, client)
	if r.Status != spf.StatusTempError || !errors.Is(r.Err, spf.ErrCanceled) || !errors.Is(r.Err, context.Canceled) ||
		errors.Is(r.Err, resolver.ErrNotFound) || r.Questions != 0 {
		t.Errorf("got %v (%v) after %d questions", r.Status, r.Err, r.Questions)
	}
}

func TestACheckThatTheCallerEndsDoesNotReadAsIfDNSHadFailed(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	budget := func(left int) *resolver.Budget {
		return &resolver.Budget{Resolver: hosts("v=spf1 a:far.example.com +all"), Questions: left}
	}
	for _, test := range []struct {
		name string
		ctx  context.Context
		dns  resolver.Resolver
	}{
		{"by its context", canceled, hosts("v=spf1 +all")},
		{"by its limit, at a term", t.Context(), budget(1)},
	} {
		r := (&spf.Checker{Resolver: test.dns}).Check(test.ctx, client)
		if r.Status != spf.StatusTempError || !errors.Is(r.Err, spf.ErrCanceled) || errors.Is(r.Err, spf.ErrDNS) {
			t.Errorf("%s: got %v (%v)", test.name, r.Status, r.Err)
		}
	}
}

func TestTheReasonNamesTheOutermostAndTheInnermostTerm(t *testing.T) {
	for record, want := range map[string]string{
		"v=spf1 redirect=example.com": "redirect=example.com: an include or redirect leads back to its own record: \"example.com\"",
		"v=spf1 include:example.com":  "include:example.com: an include or redirect leads back to its own record: \"example.com\"",
		"v=spf1 include:one.org":      "include:one.org: the domain has more than one SPF record: 2",
		"v=spf1 include:two.org":      "include:two.org: include:one.org: the domain has more than one SPF record: 2",
		"v=spf1 include:three.org":    "include:three.org: ...: include:one.org: the domain has more than one SPF record: 2",
		"v=spf1 redirect=four.org":    "redirect=four.org: ...: include:one.org: the domain has more than one SPF record: 2",
	} {
		zone := hosts(record)
		zone["one.org"] = resolver.Records{TXT: []string{"v=spf1", "v=spf1"}}
		zone["two.org"] = resolver.Records{TXT: []string{"v=spf1 include:one.org"}}
		zone["three.org"] = resolver.Records{TXT: []string{"v=spf1 redirect=two.org"}}
		zone["four.org"] = resolver.Records{TXT: []string{"v=spf1 include:three.org"}}
		if r := (&spf.Checker{Resolver: zone}).Check(t.Context(), client); r.Err.Error() != want {
			t.Errorf("%s: got %q", record, r.Err)
		}
	}
}

func TestAFailureOfReverseDNSIsNoMatch(t *testing.T) {
	broken := resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	forward, reverse := hosts("v=spf1 ptr -all"), hosts("v=spf1 ptr -all")
	forward["mx.example.com"] = broken
	reverse["1.2.0.192.in-addr.arpa"] = broken
	play(t, []scene{
		{name: "of a name (RFC 7208, section 5.5)", zone: forward, want: spf.StatusFail, lookups: 1},
		{name: "of the address", zone: reverse, want: spf.StatusFail, lookups: 1},
	})
}

func TestAPassOfHELODoesNotHideAFailOfMailFrom(t *testing.T) {
	zone := resolver.Zone{
		"example.com":      {TXT: []string{"v=spf1 -all"}},
		"mail.example.com": {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
	}
	checker := spf.Checker{Resolver: zone}
	from, helo := checker.Check(t.Context(), client), checker.CheckHELO(t.Context(), client)
	if from.Status != spf.StatusFail || from.Identity != spf.IdentityMailFrom || from.Domain != "example.com" {
		t.Errorf("MAIL FROM: got %v for %v %s", from.Status, from.Identity, from.Domain)
	}
	if helo.Status != spf.StatusPass || helo.Identity != spf.IdentityHELO || helo.Domain != "mail.example.com" || helo.Sender != "postmaster@mail.example.com" {
		t.Errorf("HELO: got %v for %v %s, sender %s", helo.Status, helo.Identity, helo.Domain, helo.Sender)
	}
}

func TestAPassOfAllSaysThatItIsOne(t *testing.T) {
	for record, want := range map[string]string{"v=spf1 a:far.example.com +all": "+all", "v=spf1 all": "all", "v=spf1 ALL": "ALL"} {
		r := (&spf.Checker{Resolver: hosts(record)}).Check(t.Context(), client)
		if r.Status != spf.StatusPass || r.Mechanism != want || r.Record != record || r.RecordDomain != "example.com" {
			t.Errorf("%q: got %v by %q of %q at %s", record, r.Status, r.Mechanism, r.Record, r.RecordDomain)
		}
	}
}

func TestTheTermThatDecidedIsNamedWithItsRecord(t *testing.T) {
	for _, test := range []struct{ record, mechanism, domain string }{
		{"v=spf1 ~include:yes.example.com -all", "~include:yes.example.com", "example.com"},
		{"v=spf1 redirect=no.example.com", "-all", "no.example.com"},
		{"v=spf1 mx/24", "mx/24", "example.com"},
		{"v=spf1 a:far.example.com", "", "example.com"},
	} {
		r := (&spf.Checker{Resolver: hosts(test.record)}).Check(t.Context(), client)
		if r.Mechanism != test.mechanism || r.RecordDomain != test.domain {
			t.Errorf("%q: got %q of %s", test.record, r.Mechanism, r.RecordDomain)
		}
	}
}

func TestAuthenticityIsThatOfTheWeakestAnswer(t *testing.T) {
	const yes = resolver.AuthenticYes
	for _, test := range []struct {
		name string
		host resolver.Records
		want resolver.Authentic
	}{
		{"all", resolver.Records{A: []string{"203.0.113.1"}, Authentic: yes}, yes},
		{"one not", resolver.Records{A: []string{"203.0.113.1"}, Authentic: resolver.AuthenticNo}, resolver.AuthenticNo},
		{"one unknown", resolver.Records{A: []string{"203.0.113.1"}}, resolver.AuthenticUnknown},
		{"absence that is proven", resolver.Records{AAAA: []string{"2001:db8::1"}, Authentic: yes}, yes},
		{"absence that is not", resolver.Records{AAAA: []string{"2001:db8::1"}, Authentic: resolver.AuthenticNo}, resolver.AuthenticNo},
	} {
		zone := resolver.Zone{"example.com": {TXT: []string{"v=spf1 a:h.example.com -all"}, Authentic: yes}, "h.example.com": test.host}
		if r := (&spf.Checker{Resolver: zone}).Check(t.Context(), client); r.Authentic != test.want {
			t.Errorf("%s: got %v, want %v", test.name, r.Authentic, test.want)
		}
	}
}

func TestAQuestionIsAskedOnce(t *testing.T) {
	dns := far(hosts("v=spf1 a:far.example.com mx:far.example.com a:far.example.com include:no.example.com include:no.example.com a:far.example.com/32 -all"))
	r := (&spf.Checker{Resolver: dns}).Check(t.Context(), client)
	close(dns.asked)
	var asked []resolver.Question
	for q := range dns.asked {
		if slices.Contains(asked, q) {
			t.Errorf("asked twice for %v", q)
		}
		asked = append(asked, q)
	}
	if r.Lookups != 6 || r.Questions != 4 || len(asked) != 4 {
		t.Errorf("got %d terms, %d questions, %d asked", r.Lookups, r.Questions, len(asked))
	}
}
