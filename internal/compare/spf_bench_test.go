package compare

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// spfBenchZones are the records of the benchmarks, of which only the last term of all
// matches the client.
var spfBenchZones = map[string]func(zone resolver.Zone, name string){
	"direct": func(zone resolver.Zone, name string) {
		zone[name] = resolver.Records{TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}}
	},
	// Four includes side by side, of 12 terms each.
	"nested": func(zone resolver.Zone, name string) {
		record := "v=spf1"
		for n := range 4 {
			included := fmt.Sprintf("spf%d.%s", n, name)
			record += " include:" + included
			zone[included] = resolver.Records{TXT: []string{"v=spf1 " + spfNetworks(n) + " ~all"}}
		}
		zone[name] = resolver.Records{TXT: []string{record + " -all"}}
	},
	// Each include in the one before.
	"chained": func(zone resolver.Zone, name string) {
		for n := range 4 {
			record := "v=spf1 " + spfNetworks(n)
			if n < 3 {
				record += fmt.Sprintf(" include:spf%d.%s", n+1, name)
			}
			zone[fmt.Sprintf("spf%d.%s", n, name)] = resolver.Records{TXT: []string{record + " ~all"}}
		}
		zone[name] = resolver.Records{TXT: []string{"v=spf1 include:spf0." + name + " -all"}}
	},
	// A host and mail exchangers that are not the client, and a name of macros that is there.
	// They have no number of parts: libspf2 takes one that is that of all for an error.
	"mixed": func(zone resolver.Zone, name string) {
		far := resolver.Records{A: []string{"203.0.113.1"}}
		zone["far."+name], zone["mx1."+name], zone["mx2."+name] = far, far, far
		zone["1.2.0.192.bounces.sbl."+name] = resolver.Records{A: []string{"127.0.0.2"}}
		zone[name] = resolver.Records{
			TXT: []string{"v=spf1 a:far." + name + " mx exists:%{ir}.%{lr-}.sbl.%{d} -all"},
			MX:  []string{"10 mx1." + name, "20 mx2." + name},
		}
	},
}

// spfNetworks are 12 terms, of which the last of the fourth record is the client.
func spfNetworks(record int) string {
	var terms []string
	for n := range 11 {
		if n%3 == 2 {
			terms = append(terms, fmt.Sprintf("ip6:2001:db8:%x:%x::/64", record, n))
		} else {
			terms = append(terms, fmt.Sprintf("ip4:198.51.%d.%d/28", record, n*16))
		}
	}
	last := "192.0.2.99"
	if record == 3 {
		last = "192.0.2.1"
	}
	return strings.Join(append(terms, "ip4:"+last), " ")
}

var spfBenchSession = spf.Envelope{
	IP: netip.MustParseAddr("192.0.2.1"), HELO: "mail.shop.example", MailFrom: "bounces@shop.example",
}

func BenchmarkSPF(b *testing.B) {
	for _, name := range []string{"direct", "nested", "chained", "mixed"} {
		b.Run("record="+name, func(b *testing.B) {
			zone := resolver.Zone{}
			spfBenchZones[name](zone, "shop.example")
			race{nil, []contestant{spfOurs(zone), spfPeer(newPeerDNS(zone))}}.bench(b)
		})
	}
}

func spfOurs(r resolver.Resolver) contestant {
	checker := &spf.Checker{Resolver: r}
	return contestant{"ours", func(io.Reader) error {
		if r := checker.Check(context.Background(), spfBenchSession); r.Status != spf.StatusPass {
			return fmt.Errorf("%s: %w", r.Status, r.Err)
		}
		return nil
	}}
}

func spfPeer(dns *peerDNS) contestant {
	return contestant{"blitiri", func(io.Reader) error {
		if status, err := checkPeerSPF(dns, spfBenchSession); status != "pass" {
			return fmt.Errorf("%s: %w", status, err)
		}
		return nil
	}}
}
