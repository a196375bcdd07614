package discovery_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	. "github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

func TestAWalkAsksAtMostEightNames(t *testing.T) {
	for _, tt := range []struct{ name, start, want string }{
		{"one label", "com", "com"},
		{"two labels", "example.com", "example.com com"},
		{"seven labels", "a.b.c.d.e.f.g", "a.b.c.d.e.f.g b.c.d.e.f.g c.d.e.f.g d.e.f.g e.f.g f.g g"},
		{"eight labels", "a.b.c.d.e.f.g.h", "a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h"},
		{"nine labels jump to seven", "z.a.b.c.d.e.f.g.h", "z.a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h"},
		{
			"the example of RFC 9989, section 4.10",
			"a.b.c.d.e.f.g.h.i.j.mail.example.com",
			"a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com " +
				"i.j.mail.example.com j.mail.example.com mail.example.com example.com com",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Discover(t.Context(), resolver.Zone{}, tt.start, Options{})
			if got := strings.Join(asked(r), " "); got != tt.want {
				t.Errorf("walk from %s asks\n%s, want\n%s", tt.start, got, tt.want)
			}
		})
	}
}

// asked returns the domains that were asked for records.
func asked(r *Result) []string {
	var names []string
	for _, q := range r.Queries {
		names = append(names, q.Domain)
	}
	return names
}

func TestDiscovery(t *testing.T) {
	const none, reject = "v=DMARC1; p=none", "v=DMARC1; p=reject"
	for _, tt := range []struct {
		name    string
		zone    map[string]string
		author  string
		literal bool

		policyDomain, org string
		source            Source
		rule              Rule
		cause             error
	}{
		{
			name: "the Author Domain's own record", zone: map[string]string{"example.com": reject}, author: "example.com",
			policyDomain: "example.com", source: SourceAuthor, org: "example.com", rule: RuleShortest,
		},
		{
			name: "the record of the Organizational Domain", zone: map[string]string{"example.com": reject}, author: "a.b.example.com",
			policyDomain: "example.com", source: SourceOrganizational, org: "example.com", rule: RuleShortest,
		},
		{
			name: "a record in between is no policy", zone: map[string]string{"example.com": reject, "b.example.com": none}, author: "a.b.example.com",
			policyDomain: "example.com", source: SourceOrganizational, org: "example.com", rule: RuleShortest,
		},
		{
			name: "a record only in between is that of the Organizational Domain", zone: map[string]string{"b.example.com": none}, author: "a.b.example.com",
			policyDomain: "b.example.com", source: SourceOrganizational, org: "b.example.com", rule: RuleShortest,
		},
		{
			name: "psd=n in the middle ends the walk", author: "a.b.example.com",
			zone:         map[string]string{"b.example.com": "v=DMARC1; p=none; psd=n", "example.com": reject},
			policyDomain: "b.example.com", source: SourceOrganizational, org: "b.example.com", rule: RulePSDNo,
		},
		{
			name: "psd=y with a record below it", author: "a.example.com",
			zone:         map[string]string{"com": "v=DMARC1; p=none; psd=y", "example.com": reject},
			policyDomain: "example.com", source: SourceOrganizational, org: "example.com", rule: RulePSDYes,
		},
		{
			name: "psd=y without a record below it", author: "a.example.com",
			zone:         map[string]string{"com": "v=DMARC1; p=reject; psd=y"},
			policyDomain: "com", source: SourcePublicSuffix, org: "example.com", rule: RulePSDYes,
		},
		{
			name: "psd=y at the start does not count", author: "bank.example",
			zone:         map[string]string{"bank.example": "v=DMARC1; p=reject; psd=y"},
			policyDomain: "bank.example", source: SourceAuthor, org: "bank.example", rule: RuleShortest,
		},
		{
			name: "psd=y just above the jump", author: "i.h.g.f.e.d.c.b.a",
			zone:         map[string]string{"g.f.e.d.c.b.a": "v=DMARC1; p=reject; psd=y"},
			policyDomain: "g.f.e.d.c.b.a", source: SourcePublicSuffix, org: "h.g.f.e.d.c.b.a", rule: RulePSDYes,
		},
		{
			name: "two records are as good as none, and the walk goes on", author: "a.example.com",
			zone:         map[string]string{"a.example.com": none + "|" + reject, "example.com": reject},
			policyDomain: "example.com", source: SourceOrganizational, org: "example.com", rule: RuleShortest,
		},
		{
			name: "a valid record beside another TXT", author: "example.com",
			zone:         map[string]string{"example.com": "v=spf1 -all|" + reject},
			policyDomain: "example.com", source: SourceAuthor, org: "example.com", rule: RuleShortest,
		},
		{
			name: "upper case and a trailing dot", author: "A.EXAMPLE.com.",
			zone:         map[string]string{"example.com": reject},
			policyDomain: "example.com", source: SourceOrganizational, org: "example.com", rule: RuleShortest,
		},
		{
			name: "a U-label", author: "bücher.example",
			zone:         map[string]string{"xn--bcher-kva.example": reject},
			policyDomain: "xn--bcher-kva.example", source: SourceAuthor, org: "xn--bcher-kva.example", rule: RuleShortest,
		},
		{name: "no record", author: "a.example.com", org: "a.example.com", rule: RuleSelf, cause: ErrNoRecord},
		{name: "a single label", author: "localhost", org: "localhost", rule: RuleSelf, cause: ErrNoRecord},
		{name: "an empty label", author: "a..example.com", cause: ErrAuthorDomain},
		{name: "over 253 octets", author: strings.Repeat("a.", 126) + "com", cause: ErrAuthorDomain},
		{name: "an address literal", author: "[192.0.2.1]", cause: ErrAuthorDomain},
		{name: "an address", author: "192.0.2.1", cause: ErrAuthorDomain},
		{name: "an injected line", author: "x\r\n250 ok", cause: ErrAuthorDomain},
		{name: "nothing", author: "", cause: ErrAuthorDomain},
		{
			name: "p missing without rua: no policy", zone: map[string]string{"example.com": "v=DMARC1; sp=reject"}, author: "example.com",
			policyDomain: "example.com", source: SourceAuthor, org: "example.com", rule: RuleShortest, cause: record.ErrNoPolicy,
		},
		{
			name: "p missing with rua: p=none", zone: map[string]string{"example.com": "v=DMARC1; rua=mailto:d@example.com"}, author: "example.com",
			policyDomain: "example.com", source: SourceAuthor, org: "example.com", rule: RuleShortest,
		},
		{
			name: "the Author Domain's own question fails", zone: map[string]string{"example.com": "SERVFAIL"}, author: "example.com",
			cause: ErrPolicyUnknown,
		},
		{
			name: "a question above psd=n fails", author: "a.b.example.com",
			zone:         map[string]string{"b.example.com": "v=DMARC1; p=none; psd=n", "example.com": "SERVFAIL"},
			policyDomain: "b.example.com", source: SourceOrganizational, org: "b.example.com", rule: RulePSDNo,
		},
		{
			name: "the question for the Organizational Domain fails", author: "a.example.com",
			zone:  map[string]string{"example.com": "SERVFAIL"},
			cause: ErrPolicyUnknown,
		},
		{
			name: "the top-level step only fails, where a record stands below", author: "a.example.com",
			zone:         map[string]string{"com": "SERVFAIL", "example.com": reject},
			policyDomain: "example.com", source: SourceOrganizational, org: "example.com", rule: RuleShortest,
		},
		{
			name: "the top-level step only fails, and nothing stands below", author: "a.example.com",
			zone:  map[string]string{"com": "SERVFAIL"},
			cause: ErrPolicyUnknown,
		},
		{
			name: "the top-level step only fails, to the letter", author: "a.example.com", literal: true,
			zone:  map[string]string{"com": "SERVFAIL", "example.com": reject},
			cause: ErrPolicyUnknown,
		},
		{
			name: "the floor: a suffix without psd=y is no Organizational Domain", author: "bank.co.uk",
			zone:         map[string]string{"co.uk": none},
			policyDomain: "co.uk", source: SourcePublicSuffix, org: "bank.co.uk", rule: RuleFloor,
		},
		{
			name: "the floor: a suffix below a suffix with a record is none either", author: "www.bank.co.uk",
			zone:         map[string]string{"bank.co.uk": reject, "uk": none},
			policyDomain: "bank.co.uk", source: SourceOrganizational, org: "bank.co.uk", rule: RuleFloor,
		},
		{
			name: "the floor gives way to psd=n", author: "bank.co.uk",
			zone:         map[string]string{"co.uk": "v=DMARC1; p=none; psd=n"},
			policyDomain: "co.uk", source: SourceOrganizational, org: "co.uk", rule: RulePSDNo,
		},
		{
			name: "without the floor a suffix is an Organizational Domain", author: "bank.co.uk", literal: true,
			zone:         map[string]string{"co.uk": none},
			policyDomain: "co.uk", source: SourceOrganizational, org: "co.uk", rule: RuleShortest,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Discover(t.Context(), suite.Policies(tt.zone), tt.author, options(tt.literal))
			if !errors.Is(d.Err, tt.cause) {
				t.Fatalf("error %v, want %v", d.Err, tt.cause)
			}
			if d.PolicyDomain != tt.policyDomain || d.Source != tt.source {
				t.Errorf("policy of %q (%s), want that of %q (%s)", d.PolicyDomain, d.Source, tt.policyDomain, tt.source)
			}
			if tt.org == "" {
				return
			}
			if o := d.Organizations[0]; o.Organizational != tt.org || o.Rule != tt.rule {
				t.Errorf("Organizational Domain %s by %s, want %s by %s", o.Organizational, o.Rule, tt.org, tt.rule)
			}
		})
	}
}

func TestACNAMEAtTheRecordsNameIsFollowed(t *testing.T) {
	zone := resolver.Zone{
		"_dmarc.example.com":          {CNAME: "_dmarc.provider.example"},
		"_dmarc.provider.example":     {TXT: []string{"v=DMARC1; p=reject"}},
		"*.wild.example":              {TXT: []string{"v=spf1 -all", "v=dmarc1; p=none"}},
		"_dmarc.wild.example":         {TXT: []string{"v=DMARC1; p=quarantine"}},
		"_dmarc.loop.example":         {CNAME: "_dmarc.other.loop.example"},
		"_dmarc.other.loop.example":   {CNAME: "_dmarc.loop.example"},
		"_dmarc.nothing-else.example": {TXT: []string{"v=spf1 -all"}},
	}
	for author, want := range map[string]string{
		"example.com":          "example.com",
		"pay.wild.example":     "wild.example", // wildcard answers are discarded
		"nothing-else.example": "",
		"loop.example":         "",
	} {
		d := Discover(t.Context(), zone, author, Options{})
		if d.PolicyDomain != want {
			t.Errorf("%s: policy of %q (%v), want that of %q", author, d.PolicyDomain, d.Err, want)
		}
	}
	if d := Discover(t.Context(), zone, "pay.wild.example", Options{}); len(d.Queries[0].Discarded) != 2 {
		t.Errorf("discarded at pay.wild.example: %v, want both records", d.Queries[0].Discarded)
	}
}

func TestRelaxedAlignment(t *testing.T) {
	const none = "v=DMARC1; p=none"
	for _, tt := range []struct {
		name               string
		zone               map[string]string
		author, identifier string
		want               Alignment
		literal            bool
	}{
		{"the same name", map[string]string{"a.example.com": none}, "a.example.com", "a.example.com", Aligned, false},
		{"the same organization", map[string]string{"example.com": none}, "a.example.com", "b.example.com", Aligned, false},
		{
			"an organization of its own by its own walk",
			map[string]string{"example.com": none, "b.example.com": "v=DMARC1; p=none; psd=n"},
			"a.example.com", "x.b.example.com", NotAligned, false,
		},
		{
			"siblings below a Public Suffix Domain",
			map[string]string{"a.bank": none, "bank": "v=DMARC1; p=none; psd=y"}, "a.bank", "b.bank", NotAligned, false,
		},
		{"only the top label in common", map[string]string{"victim.com": none}, "victim.com", "attacker.com", NotAligned, false},
		{"nothing in common", map[string]string{"victim.com": none}, "victim.com", "attacker.net", NotAligned, false},
		{"strangers below a suffix with a record", map[string]string{"bank.co.uk": none, "co.uk": none}, "bank.co.uk", "evil.co.uk", NotAligned, false},
		{"strangers below a suffix with a record, to the letter", map[string]string{"bank.co.uk": none, "co.uk": none}, "bank.co.uk", "evil.co.uk", Aligned, true},
		{
			"strangers below a suffix without a record, below a suffix with one",
			map[string]string{"bank.co.uk": none, "uk": none}, "bank.co.uk", "evil.co.uk", NotAligned, false,
		},
		{
			"strangers below a suffix without a record, below a suffix that says so",
			map[string]string{"www.bank.co.uk": none, "uk": "v=DMARC1; p=none; psd=y"}, "www.bank.co.uk", "evil.co.uk", NotAligned, false,
		},
		{
			"strangers below a suffix without a record, below one that cannot be asked",
			map[string]string{"bank.co.uk": none, "uk": "SERVFAIL"}, "bank.co.uk", "evil.co.uk", NotAligned, false,
		},
		{"a suffix below a suffix with a record", map[string]string{"bank.co.uk": none, "uk": none}, "bank.co.uk", "co.uk", NotAligned, false},
		{
			"the same organization below a suffix, below a suffix with a record",
			map[string]string{"www.bank.co.uk": none, "uk": none}, "www.bank.co.uk", "mail.bank.co.uk", Aligned, false,
		},
		{
			"a failure on the identifier's own part of the walk",
			map[string]string{"example.com": none, "b.example.com": "SERVFAIL"}, "example.com", "b.example.com", AlignmentOpen, false,
		},
		{
			"a failure at the top level where the organization is found below",
			map[string]string{"example.com": none, "com": "SERVFAIL"}, "example.com", "b.example.com", Aligned, false,
		},
		{
			"a failure at the top level does not align strangers",
			map[string]string{"victim.com": none, "com": "SERVFAIL"}, "victim.com", "attacker.com", NotAligned, false,
		},
		{
			"a failure above psd=n",
			map[string]string{"b.example.com": "v=DMARC1; p=none; psd=n", "example.com": "SERVFAIL"},
			"b.example.com", "x.b.example.com", Aligned, false,
		},
		{
			"a failure at the parent of the organization, to the letter",
			map[string]string{"victim.com": none, "com": "SERVFAIL"}, "victim.com", "attacker.com", AlignmentOpen, true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := Identifier{Domain: tt.identifier, Tag: TagDKIM, Authenticated: true}
			d := Discover(t.Context(), suite.Policies(tt.zone), tt.author, options(tt.literal), id)
			if _, got := d.Align(id); got != tt.want {
				t.Errorf("%s with %s: aligned %s, want %s (%v)", tt.identifier, tt.author, got, tt.want, d.Err)
			}
		})
	}
}

func TestQueriesOfOneMessageAreDeduplicated(t *testing.T) {
	zone := suite.Policies(map[string]string{"example.com": "v=DMARC1; p=none"})
	d := Discover(t.Context(), zone, "b.example.com", Options{},
		Identifier{Domain: "a.example.com", Authenticated: true},
		Identifier{Domain: "a.example.com", Tag: TagDKIM, Authenticated: true},
		Identifier{Domain: "elsewhere.com", Authenticated: true},
	)
	if got, want := asked(d), []string{"b.example.com", "example.com", "com", "a.example.com"}; !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func options(literal bool) Options {
	if literal {
		return Options{Mode: TreeWalkLiteral}
	}
	return Options{}
}
