package inspect

import (
	"bytes"
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/resolver"
)

func TestThePolicyOfAnyNameByBothWays(t *testing.T) {
	zone := resolver.Zone{
		"shop.example":             {TXT: []string{"v=spf1 -all"}, MX: []string{"0 ."}},
		"_dmarc.shop.example":      {TXT: []string{"v=DMARC1; p=reject; sp=quarantine; np=none; rua=mailto:d@shop.example"}},
		"a.eu.shop.example":        {A: []string{"192.0.2.1"}},
		"_dmarc.eu.shop.example":   {TXT: []string{"v=DMARC1; p=quarantine; psd=n; t=y"}},
		"news.shop.example":        {A: []string{"192.0.2.1"}},
		"*.wild.shop.example":      {A: []string{"192.0.2.1"}},
		"_dmarc.wild.shop.example": {TXT: []string{"v=DMARC1; p=none; np=reject"}},
		"x.none.example":           {A: []string{"192.0.2.1"}},
	}
	for _, tt := range []struct {
		name                    string
		walk, list, nonexistent string // "record domain tag=policy effect organization"
		differ, wildcard        bool
	}{
		{"shop.example", "shop.example p=reject reject shop.example", "shop.example p=reject reject shop.example", "shop.example np=none none shop.example", false, false},
		{"news.shop.example", "shop.example sp=quarantine quarantine shop.example", "shop.example sp=quarantine quarantine shop.example", "shop.example np=none none shop.example", false, false},
		{"gone.shop.example", "shop.example np=none none shop.example", "shop.example sp=quarantine quarantine shop.example", "shop.example np=none none shop.example", true, false},
		{"a.eu.shop.example", "eu.shop.example p=quarantine none eu.shop.example", "shop.example sp=quarantine quarantine shop.example", "eu.shop.example p=quarantine none eu.shop.example", true, false},
		{"wild.shop.example", "wild.shop.example p=none none shop.example", "wild.shop.example p=none none shop.example", "shop.example sp=quarantine quarantine shop.example", false, true},
		{"x.none.example", "  =  x.none.example", "  =  none.example", "", true, false},
	} {
		r := inspected(t, zone, tt.name)
		if r.DMARC == nil {
			if tt.walk != "" {
				t.Errorf("%s: nothing applies", tt.name)
			}
			continue
		}
		text := func(a published.Applied) string {
			return strings.Join([]string{cmp.Or(a.FoundAt, " "), a.Applies + "=" + a.Policy, cmp.Or(a.Effect, ""), a.Organizational}, " ")
		}
		d := r.DMARC
		if text(d.Applied) != tt.walk || text(d.BySuffixList) != tt.list || d.Differ != tt.differ || d.Wildcard != tt.wildcard || d.Why == "" {
			t.Errorf("%s: %q by the walk, %q by the list, differ %v, wildcard %v", tt.name, text(d.Applied), text(d.BySuffixList), d.Differ, d.Wildcard)
		}
		if (d.Nonexistent == nil) != (tt.nonexistent == "") || d.Nonexistent != nil && text(*d.Nonexistent) != tt.nonexistent {
			t.Errorf("%s: a name below it gets %+v, want %q", tt.name, d.Nonexistent, tt.nonexistent)
		}
		if f := findingOf(r, "dmarc-inherited"); d.FoundAt != "" && (d.FoundAt != tt.name || d.Differ) != (f != nil) || f != nil && d.Differ && !strings.Contains(f.Message, "public suffix list") {
			t.Errorf("%s: %v", tt.name, f)
		}
	}
}

func TestDestinationsOfReports(t *testing.T) {
	zone := plus(dmarcIs("v=DMARC1; p=reject; rua=mailto:a@good.example,mailto:b@mailer.example,mailto:c@agreed.example,nothing,mailto:d@gone.good.example,mailto:e@slow.example; ruf=mailto:f@mailer.example"), resolver.Zone{
		"agreed.example": {MX: []string{"10 mx.mailer.example"}},
		"good.example._report._dmarc.agreed.example": {TXT: []string{"v=DMARC1;"}},
		"slow.example": {Fault: resolver.Fault{Err: resolver.ErrTimeout}},
		"good.example._report._dmarc.slow.example": {Fault: resolver.Fault{Err: resolver.ErrTimeout}},
	})
	var got []string
	r := inspected(t, zone, "good.example")
	for _, d := range r.DMARC.Destinations {
		got = append(got, d.Tag+" "+d.Address+" "+d.Status)
	}
	want := []string{
		"rua a@good.example ok", "rua b@mailer.example unauthorized", "rua c@agreed.example ok", "rua nothing malformed",
		"rua d@gone.good.example no-mx", "rua e@slow.example unknown", "ruf f@mailer.example unauthorized",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	f := findingOf(r, "dmarc-rua-unauthorized")
	if f == nil || f.Publish == nil || f.Publish.Name != "good.example._report._dmarc.mailer.example" || f.Publish.Value != "v=DMARC1" || f.Publish.Zone != "mailer.example" {
		t.Errorf("%+v", f)
	}
}

func TestNetworksAreCountedOnce(t *testing.T) {
	prefixes := func(list ...string) (out []netip.Prefix) {
		for _, s := range list {
			out = append(out, netip.MustParsePrefix(s))
		}
		return out
	}
	for _, tt := range []struct {
		list, want []netip.Prefix
		ipv4, ipv6 uint64
	}{
		{nil, nil, 0, 0},
		{prefixes("192.0.2.7/24", "192.0.2.0/25", "192.0.2.128/25"), prefixes("192.0.2.0/24"), 256, 0},
		{prefixes("192.0.2.0/25", "192.0.2.128/26", "192.0.2.192/26", "192.0.3.0/24"), prefixes("192.0.2.0/23"), 512, 0},
		{prefixes("192.0.3.0/24", "192.0.4.0/24"), prefixes("192.0.3.0/24", "192.0.4.0/24"), 512, 0},
		{prefixes("0.0.0.0/0", "10.0.0.0/8"), prefixes("0.0.0.0/0"), 1 << 32, 0},
		{prefixes("0.0.0.0/1", "128.0.0.0/1"), prefixes("0.0.0.0/0"), 1 << 32, 0},
		{prefixes("2001:db8::/48", "2001:db8::1/128", "2001:db8:1::5/128"), prefixes("2001:db8::/48", "2001:db8:1::5/128"), 0, 1<<16 + 1},
		{prefixes("::/0"), prefixes("::/0"), 0, 1<<64 - 1},
		{prefixes("::/1", "8000::/2"), prefixes("::/1", "8000::/2"), 0, 1<<63 + 1<<62},
	} {
		ipv4, ipv6 := counted(tt.list)
		if got := merged(tt.list); !slices.Equal(got, tt.want) || ipv4 != tt.ipv4 || ipv6 != tt.ipv6 {
			t.Errorf("%v: %v, %d, %d; want %v, %d, %d", tt.list, got, ipv4, ipv6, tt.want, tt.ipv4, tt.ipv6)
		}
	}
}

func TestWhoMaySend(t *testing.T) {
	zone := plus(apex("v=spf1 a:mx.mailer.example/30 mx -ip4:198.51.100.0/24 include:_spf.mailer.example ?ip4:203.0.113.0/24 exists:%{i}.x.example -all"), resolver.Zone{})
	s := inspected(t, zone, "good.example").SPF
	if s.IPv4Addresses != 256+1 || s.IPv6Networks != 1 || !slices.Equal(s.Unknown, []string{"exists:%{i}.x.example"}) {
		t.Errorf("%d, %d, %q", s.IPv4Addresses, s.IPv6Networks, s.Unknown)
	}
	if len(s.Overlaps) != 1 || s.Overlaps[0].Network.String() != "198.51.100.24/30" || s.Overlaps[0].Terms != [2]string{"include:_spf.mailer.example", "a:mx.mailer.example/30"} {
		t.Errorf("%v", s.Overlaps)
	}
	include := s.Tree.Terms[3]
	if include.Lookups != 1 || include.IPv4Addresses != 256 || include.Without == nil || include.Without.Lookups != s.Lookups-1 || include.Without.IPv4Addresses != 5 {
		t.Errorf("%+v %+v", include, include.Without)
	}
}

// TestEveryProviderIsRecognised publishes what sets a domain up with each provider.
func TestEveryProviderIsRecognised(t *testing.T) {
	for _, p := range provider.All() {
		zone, known := providerZone(&p)
		r := inspected(t, zone, "good.example")
		if !known {
			i := Inspector{Resolver: zone, Options: Options{Senders: []string{p.Signs[0]}}}
			r = i.Inspect(context.Background(), "good.example")
		}
		if !slices.Contains(r.Providers, p.ID) {
			t.Errorf("%s is not among %q", p.ID, r.Providers)
			continue
		}
		for _, s := range r.Setup {
			for _, step := range s.Steps {
				if s.Provider == p.ID && (step.State == stepMissing || step.Fix.Text == "") {
					t.Errorf("%s: %+v", p.ID, step)
				}
			}
		}
	}
}

// providerZone is the good zone, set up with a provider. Known is false where its records do not tell
// whose they are.
func providerZone(p *provider.Provider) (zone resolver.Zone, known bool) {
	zone = goodZone()
	good := zone["good.example"]
	if len(p.Include) > 0 {
		known = true
		good.TXT = []string{"v=spf1 mx include:" + p.Include[0] + " -all"}
		zone[p.Include[0]] = resolver.Records{TXT: []string{"v=spf1 ip4:198.51.100.0/24 -all"}}
	}
	zone["good.example"] = good
	for _, fix := range p.Fixes {
		for _, r := range fix.For("good.example").Records {
			label, isKey := strings.CutSuffix(r.Host, "._domainkey")
			if !isKey || strings.Contains(label, "<") {
				continue
			}
			known = known || provider.OfSelector(label) != nil
			if r.Type == "CNAME" {
				target := "k." + cmp.Or(first(p.CNAME), "provider.example")
				zone[r.Host+".good.example"] = resolver.Records{CNAME: target}
				zone[target] = resolver.Records{TXT: []string{ed25519Key}}
				known = known || len(p.CNAME) > 0
				continue
			}
			zone[r.Host+".good.example"] = resolver.Records{TXT: []string{ed25519Key}}
		}
	}
	return zone, known
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func TestAWildcardOfOtherRecordsIsNoFault(t *testing.T) {
	zone := plus(goodZone(), resolver.Zone{
		"*.good.example":               {TXT: []string{"v=spf1 -all"}},
		"dkim._domainkey.good.example": {TXT: []string{ed25519Key}},
	})
	delete(zone, "_dmarc.good.example")
	r := inspected(t, zone, "good.example")
	if got := ids(r); got != "dmarc-missing bimi-policy" {
		t.Errorf("found %s", got)
	}
	if len(r.DKIM) != 1 {
		t.Errorf("%d keys", len(r.DKIM))
	}
}

func TestTheRecordOfAnotherOwnerIsSaidToBeHis(t *testing.T) {
	for name, not := range map[string]bool{"broken.mailer.example": true, "broken.good.example": false} {
		r := inspected(t, plus(apex("v=spf1 mx include:"+name+" -all"), txt(name, "v=spf1 ip4:x -all")), "good.example")
		f := findingOf(r, "spf-syntax")
		if f == nil || strings.Contains(f.Fix.Note, "take include:"+name+" out of yours") != not {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestAReportIsWritten(t *testing.T) {
	r := inspected(t, spfWith(11), "good.example")
	for _, o := range []TextOptions{{}, {Width: 10}, {Width: 40, Lookups: true}, {Width: 120, Color: true, Lookups: true}} {
		var b bytes.Buffer
		if err := r.Text(&b, o); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); !strings.HasPrefix(strings.TrimPrefix(text, "\x1b[1m\x1b[31m"), "good.example: 1 error") || strings.Contains(text, "\x1b") != o.Color {
			t.Errorf("%+v: %q", o, text)
		}
	}
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`class="mv-inspect mv-error"`, `class="mv-finding mv-error"`, "spf-too-many-lookups", `class="mv-value"`, `<li><code>include:a.mailer.example</code> <span class="mv-cost">1 IPv4, 1 look-up</span>`, "good.example: 1 error"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q in\n%s", want, page.String())
		}
	}
}
