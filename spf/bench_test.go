package spf_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// networks are 12 terms of which only the last of the last record matches.
func networks(record int) string {
	var b strings.Builder
	for i := range 11 {
		if i%3 == 2 {
			fmt.Fprintf(&b, "ip6:2001:db8:%x:%x::/64 ", record, i)
		} else {
			fmt.Fprintf(&b, "ip4:198.51.%d.%d/28 ", record, i*16)
		}
	}
	fmt.Fprintf(&b, "ip4:192.0.2.%d", record)
	return b.String()
}

// includes are four records of networks beside each other, or one within the other.
func includes(nested bool) resolver.Zone {
	zone := resolver.Zone{"example.com": {TXT: []string{
		"v=spf1 include:i1.example.com include:i2.example.com include:i3.example.com include:i4.example.com -all",
	}}}
	if nested {
		zone["example.com"] = resolver.Records{TXT: []string{"v=spf1 include:i1.example.com -all"}}
	}
	for i := 1; i <= 4; i++ {
		next := ""
		if nested && i < 4 {
			next = fmt.Sprintf(" include:i%d.example.com", i+1)
		}
		zone[fmt.Sprintf("i%d.example.com", i)] = resolver.Records{TXT: []string{"v=spf1 " + networks(i) + next + " ~all"}}
	}
	return zone
}

func benchmark(b *testing.B, c *spf.Checker, ip string) {
	session := spf.Envelope{IP: netip.MustParseAddr(ip), HELO: "mail.example.com", MailFrom: "user@example.com"}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if r := c.Check(ctx, session); r.Status != spf.StatusPass {
			b.Fatal(r.Status, r.Err)
		}
	}
}

func BenchmarkOneMatch(b *testing.B) {
	zone := resolver.Zone{"example.com": {TXT: []string{"v=spf1 ip4:192.0.2.0/24 -all"}}}
	benchmark(b, &spf.Checker{Resolver: zone}, "192.0.2.1")
}

func BenchmarkFourIncludes(b *testing.B) {
	b.Run("beside", func(b *testing.B) {
		benchmark(b, &spf.Checker{Resolver: includes(false)}, "192.0.2.4")
	})
	b.Run("nested", func(b *testing.B) {
		benchmark(b, &spf.Checker{Resolver: includes(true)}, "192.0.2.4")
	})
	b.Run("nested, with trace", func(b *testing.B) {
		benchmark(b, &spf.Checker{Resolver: includes(true), Options: spf.Options{Trace: true}}, "192.0.2.4")
	})
}

// mixed is a zone in which a, mx, and exists with macros are asked for, and the last matches.
func mixed() resolver.Zone {
	far := resolver.Records{A: []string{"203.0.113.1"}}
	return resolver.Zone{
		"example.com": {
			TXT: []string{"v=spf1 a:far.example.com mx exists:%{ir}.%{l1r-}.sbl.%{d2} -all"},
			MX:  []string{"10 mx1.example.com", "20 mx2.example.com"},
		},
		"far.example.com": far, "mx1.example.com": far, "mx2.example.com": far,
		"4.2.0.192.user.sbl.example.com": {A: []string{"127.0.0.2"}},
	}
}

func BenchmarkMixed(b *testing.B) {
	benchmark(b, &spf.Checker{Resolver: mixed()}, "192.0.2.4")
}

// kept keeps a Result: one that its caller does not keep takes no memory.
var kept *spf.Result

func TestTheAllocationsOfAMatchAreFew(t *testing.T) {
	one := resolver.Zone{"example.com": {TXT: []string{"v=spf1 ip4:192.0.2.0/24 -all"}}}
	for _, test := range []struct {
		name string
		zone resolver.Zone
		ip   string
		want float64
	}{
		{"one ip4: the Result", one, "192.0.2.1", 1},
		{"four includes beside each other: the path of records too", includes(false), "192.0.2.4", 2},
		{"four nested includes", includes(true), "192.0.2.4", 2},
		{"a, mx and macros: a name and a part of it too", mixed(), "192.0.2.4", 3},
	} {
		session := spf.Envelope{IP: mustAddr(test.ip), HELO: "mail.example.com", MailFrom: "user@example.com"}
		checker := spf.Checker{Resolver: &resolver.Cache{Resolver: test.zone}}
		if n := testing.AllocsPerRun(100, func() { kept = checker.Check(t.Context(), session) }); n != test.want {
			t.Errorf("%s: %v allocations, want %v", test.name, n, test.want)
		}
	}
}

func TestOtherSpacingAndOtherRecordsAreNotTakenForAKeptRecord(t *testing.T) {
	zone := resolver.Zone{"example.com": {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}}}
	checker := spf.Checker{Resolver: zone}
	for _, test := range []struct {
		record string
		want   spf.Status
	}{
		{"v=spf1 ip4:192.0.2.1 -all", spf.StatusPass},
		{"v=spf1 ip4:192.0.2.2 -all", spf.StatusFail},
		{"v=spf1 ip4:192.0.2.1 -all", spf.StatusPass},
		{"v=spf1 ip4:192.0.2.1 -al", spf.StatusPermError},
		{"v=spf1 ip4:192.0.2.1 -al", spf.StatusPermError}, // a fault is kept too
	} {
		zone["example.com"] = resolver.Records{TXT: []string{test.record}}
		if r := checker.Check(t.Context(), client); r.Status != test.want || r.Err == nil && r.Record != test.record {
			t.Errorf("%s: got %v of %s", test.record, r, r.Record)
		}
	}
}
