package inspect

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/reverse"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// rsaKey returns a key record with an RSA key of that many bits, the same one every time.
func rsaKey(bits int) string {
	text, err := signing.Record(signing.RSA(bits).Public())
	if err != nil {
		panic(err)
	}
	return text
}

// goodZone is a domain with nothing wrong.
func goodZone() resolver.Zone {
	return resolver.Zone{
		"good.example": {
			TXT: []string{"v=spf1 mx ip4:192.0.2.0/28 ip6:2001:db8::/48 -all"},
			MX:  []string{"10 mx.good.example"},
			A:   []string{"192.0.2.80"},
		},
		"mx.good.example":              {A: []string{"192.0.2.25"}, AAAA: []string{"2001:db8::25"}, TXT: []string{"v=spf1 a -all"}},
		"25.2.0.192.in-addr.arpa":      {PTR: []string{"mx.good.example"}},
		arpa6("2001:db8::25"):          {PTR: []string{"mx.good.example"}},
		"_dmarc.good.example":          {TXT: []string{"v=DMARC1; p=reject; rua=mailto:dmarc@good.example"}},
		"dkim._domainkey.good.example": {TXT: []string{rsaKey(2048)}},
		"_mta-sts.good.example":        {TXT: []string{"v=STSv1; id=20261129"}},
		"_smtp._tls.good.example":      {TXT: []string{"v=TLSRPTv1; rua=mailto:tls@good.example"}},
		"default._bimi.good.example":   {TXT: []string{"v=BIMI1; l=https://good.example/logo.svg"}},
		// Others, for includes and reports.
		"_spf.mailer.example": {TXT: []string{"v=spf1 ip4:198.51.100.0/24 -all"}},
		"mailer.example":      {MX: []string{"10 mx.mailer.example"}, TXT: []string{"hello"}},
		"mx.mailer.example":   {A: []string{"198.51.100.25"}},
	}
}

func arpa6(addr string) string { return reverse.Name(mustAddr(addr)) }

// with returns the good zone with other records at some names.
func with(changes resolver.Zone) resolver.Zone {
	z := goodZone()
	maps.Copy(z, changes)
	return z
}

// txt returns a zone with one TXT record, or several, at a name.
func txt(name string, texts ...string) resolver.Zone {
	return resolver.Zone{name: {TXT: texts}}
}

// apex returns the good zone with another SPF record.
func apex(texts ...string) resolver.Zone {
	r := goodZone()["good.example"]
	r.TXT = texts
	return with(resolver.Zone{"good.example": r})
}

func dmarcIs(texts ...string) resolver.Zone { return with(txt("_dmarc.good.example", texts...)) }
func keyIs(texts ...string) resolver.Zone   { return with(txt("dkim._domainkey.good.example", texts...)) }

func inspected(t *testing.T, z resolver.Resolver, name string, selectors ...string) *Report {
	t.Helper()
	i := Inspector{Resolver: z, Options: Options{Selectors: selectors}}
	return i.Inspect(context.Background(), name)
}

func ids(r *Report) string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.ID)
	}
	return strings.Join(list, " ")
}

func TestADomainWithNothingWrongHasNoFinding(t *testing.T) {
	r := inspected(t, goodZone(), "good.example")
	for _, f := range r.Findings {
		t.Errorf("%s: %s (%s)", f.ID, f.Message, f.Evidence)
	}
	if r.SPF.Status != "valid" || r.SPF.Lookups != 1 || r.DMARC.Policy != "reject" || len(r.DKIM) != 1 || r.DKIM[0].KeyBits != 2048 {
		t.Errorf("%+v %+v %+v", r.SPF, r.DMARC, r.DKIM)
	}
}
