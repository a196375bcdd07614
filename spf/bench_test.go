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

// The zones of the benchmarks, which other libraries can be measured with too.
var (
	benchOneMatch = resolver.Zone{
		"example.com": {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
	}
	benchBeside = resolver.Zone{"example.com": {TXT: []string{
		"v=spf1 include:i1.example.com include:i2.example.com include:i3.example.com include:i4.example.com -all",
	}}}
	benchChain = resolver.Zone{"example.com": {TXT: []string{"v=spf1 include:i1.example.com -all"}}}
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

func init() {
	for i := 1; i <= 4; i++ {
		name := fmt.Sprintf("i%d.example.com", i)
		benchBeside[name] = resolver.Records{TXT: []string{"v=spf1 " + networks(i) + " ~all"}}
		next := ""
		if i < 4 {
			next = fmt.Sprintf(" include:i%d.example.com", i+1)
		}
		benchChain[name] = resolver.Records{TXT: []string{"v=spf1 " + networks(i) + next + " ~all"}}
	}
}

func benchmark(b *testing.B, c spf.Checker, ip string) {
	session := spf.Session{IP: netip.MustParseAddr(ip), HELO: "mail.example.com", MailFrom: "user@example.com"}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if r := c.Check(ctx, session); r.Status != spf.StatusPass {
			b.Fatal(r.Status, r.Err)
		}
	}
}

func BenchmarkOneMatch(b *testing.B) {
	benchmark(b, spf.Checker{Resolver: benchOneMatch}, "192.0.2.1")
}

func BenchmarkIncludes(b *testing.B) {
	for _, bench := range []struct {
		name string
		zone resolver.Zone
	}{{"beside", benchBeside}, {"chain", benchChain}} {
		b.Run(bench.name, func(b *testing.B) {
			benchmark(b, spf.Checker{Resolver: bench.zone}, "192.0.2.4")
		})
		b.Run(bench.name+"/sequential", func(b *testing.B) {
			benchmark(b, spf.Checker{Resolver: bench.zone, Sequential: true}, "192.0.2.4")
		})
	}
}
