//go:build integration

package inspect

import (
	"context"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/realdns"
	"github.com/mailverdict/mailverdict/resolver"
)

// TestRealNameServers inspects domains that nsd serves, by way of unbound: aliases that lead to
// nothing, records of type 99, and a zone whose answers are bogus.
func TestRealNameServers(t *testing.T) {
	servers := realdns.Start(t, map[string]realdns.Zone{
		"shop.example": {Records: `
@ TXT "v=spf1 include:_spf a.shop.example -all"
@ MX 10 mx
mx A 192.0.2.25
mx TXT "v=spf1 a -all"
s1._domainkey CNAME nowhere.shop.example.
default._domainkey CNAME key
key TXT "` + ed25519Key + `"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@shop.example"
`},
		"example":       {Records: "other TXT x\n"},
		"old.example":   {Records: "@ TYPE99 \\# 12 0b763d73706631202d616c6c\n_dmarc TXT \"v=DMARC1; p=reject\"\n"},
		"bogus.example": {Records: "@ TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n", Signed: true, Spoiled: []string{"_dmarc.bogus.example"}},
	})
	i := Inspector{Resolver: &resolver.Client{Servers: []string{servers.Address}}}
	for name, want := range map[string]string{
		"shop.example":  "spf-syntax dkim-dangling",
		"old.example":   "spf-missing spf-type-99",
		"bogus.example": "dns-unanswered",
		"gone.example":  "domain-missing",
	} {
		r := i.Inspect(context.Background(), name)
		for id := range strings.FieldsSeq(want) {
			if findingOf(r, id) == nil {
				t.Errorf("%s: no %s among %q; unanswered %v", name, id, ids(r), r.Unanswered)
			}
		}
		if name == "shop.example" && (len(r.DKIM) != 1 || r.DKIM[0].Alias != "key.shop.example") {
			t.Errorf("the keys are %+v", r.DKIM)
		}
		if name == "bogus.example" && (!r.Open() || findingOf(r, "dmarc-missing") != nil) {
			t.Errorf("bogus is taken for missing: %q", ids(r))
		}
	}
}
