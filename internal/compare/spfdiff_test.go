package compare

import (
	"context"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"testing"

	peerspf "blitiri.com.ar/go/spf"

	"github.com/mailverdict/mailverdict/spf"
)

const spfCases = 10_000

// Reasons that several differences share.
const (
	whyWhole = "RFC 7208, section 4.6: a record with a syntax error anywhere is in error, also behind a term that matches"
	whyVoid  = "a name that cannot be asked for is no match, and no void lookup since there is no lookup"
	whyQuote = "RFC 5321, section 4.1.2: the domain begins behind the last @ outside of quotes"
)

// spfDifferences are the disagreements with blitiri.com.ar/go/spf v1.6.0 that are
// meant.
var spfDifferences = []difference{
	{"a broken term at the end", "permerror", anyStatus, whyWhole},
	{"octets above ASCII", "permerror", anyStatus, "RFC 7208, section 4.6.1: a record is US-ASCII"},
	{"exp= twice", "permerror", anyStatus, "RFC 7208, section 6: exp must not stand twice"},
	{"a length with a leading zero", "permerror", anyStatus, "RFC 7208, section 5.6: ip4-cidr-length has no leading zeros"},
	{"ip4 with an address of IPv6", "permerror", anyStatus, "RFC 7208, section 5.6: ip4 takes an ip4-network"},
	{"ip6 with an address of IPv4", "permerror", anyStatus, "RFC 7208, section 5.6: ip6 takes an ip6-network"},
	{"a name with an empty label", anyStatus, "permerror", whyVoid},
	{"a name with an octet that names do not have", "permerror", anyStatus, "RFC 7208, section 7.1: such a name is asked for, and that it does not exist is a void lookup"},
	{"a sender with two @", anyStatus, "none", whyQuote},
	{"the null sender", anyStatus, "permerror", "RFC 7208, section 4.3: the null sender is postmaster@HELO, in macros too; theirs expand to nothing"},
	{"exchangers without addresses", "permerror", anyStatus, "lookups of the addresses of exchangers count as void lookups too; RFC 7208, section 4.6.4, makes no exception"},
	{"a host of one family", "permerror", anyStatus, "only the addresses of the client's family are asked for: RFC 7208, section 5; theirs count none as void if the other family has some"},
	{"a host fails in DNS", anyStatus, "temperror", "the exchangers are looked at in order, and what comes behind a match is of no matter"},

	// With a second peculiarity that lets theirs match before they come upon the error.
	{"a percent sign alone", "permerror", anyStatus, whyWhole},
	{"include: without a domain", "permerror", anyStatus, whyWhole},
	{"tabs between terms", "permerror", anyStatus, whyWhole},
}

func TestSPFAgreesWithBlitiri(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 10))
	agreed := agreement{differences: spfDifferences}
	for range spfCases {
		c := newSPFCase(random)
		ours := (&spf.Checker{Resolver: c.zone}).Check(context.Background(), c.session)
		peer, peerErr := checkPeerSPF(newPeerDNS(c.zone), c.session)
		if agreed.on(c.peculiarities, ours.Status.String(), string(peer)) {
			continue
		}
		t.Errorf("%q: ours %s (%v), blitiri %s (%v)", c.peculiarities, ours.Status, ours.Err, peer, peerErr)
		if agreed.open <= 20 {
			t.Logf("%+v", c.session)
			for _, name := range slices.Sorted(maps.Keys(c.zone)) {
				t.Logf("%s: %+v", name, c.zone[name])
			}
		}
	}
	agreed.report(t)
}

func checkPeerSPF(dns *peerDNS, s spf.Envelope) (peerspf.Result, error) {
	return peerspf.CheckHostWithSender(net.IP(s.IP.AsSlice()), s.HELO, s.MailFrom, peerspf.WithResolver(dns))
}
