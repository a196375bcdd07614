package discovery_test

import (
	"testing"

	. "github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/suite"
)

func TestBelowAPublicSuffixEverybodyIsAStranger(t *testing.T) {
	const reject, none = "v=DMARC1; p=reject", "v=DMARC1; p=none"
	type zone = map[string]string
	for _, tt := range []struct {
		name               string
		zone               zone
		author, identifier string

		org, suffix  string
		rule         Rule
		alignment    Alignment
		literal      Alignment // with TreeWalkLiteral
		policyDomain string
		source       Source
	}{
		{
			name: "a record above the suffix and none at it",
			zone: zone{"sch.uk": reject, "victim.kent.sch.uk": reject}, author: "victim.kent.sch.uk", identifier: "attacker.devon.sch.uk",
			org: "victim.kent.sch.uk", suffix: "kent.sch.uk", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "victim.kent.sch.uk", source: SourceAuthor,
		},
		{
			name: "the record above the suffix is the policy, as that of a Public Suffix Domain",
			zone: zone{"sch.uk": reject}, author: "www.victim.kent.sch.uk", identifier: "mail.victim.kent.sch.uk",
			org: "victim.kent.sch.uk", suffix: "kent.sch.uk", rule: RuleFloor, alignment: Aligned, literal: Aligned,
			policyDomain: "sch.uk", source: SourcePublicSuffix,
		},
		{
			name: "a record at the new Organizational Domain goes before it",
			zone: zone{"sch.uk": reject, "victim.kent.sch.uk": none}, author: "www.victim.kent.sch.uk", identifier: "victim.kent.sch.uk",
			org: "victim.kent.sch.uk", suffix: "kent.sch.uk", rule: RuleFloor, alignment: Aligned, literal: Aligned,
			policyDomain: "victim.kent.sch.uk", source: SourceOrganizational,
		},
		{
			name: "a customer in the name of the platform above the suffix",
			zone: zone{"amazonaws.com": reject}, author: "amazonaws.com", identifier: "attacker.us-east-1.compute.amazonaws.com",
			org: "amazonaws.com", rule: RuleShortest, alignment: NotAligned, literal: Aligned,
			policyDomain: "amazonaws.com", source: SourceAuthor,
		},
		{
			name: "the same where the suffix cannot be asked",
			zone: zone{"amazonaws.com": reject, "us-east-1.compute.amazonaws.com": "SERVFAIL"}, author: "amazonaws.com",
			identifier: "attacker.us-east-1.compute.amazonaws.com",
			org:        "amazonaws.com", rule: RuleShortest, alignment: NotAligned, literal: AlignmentOpen,
			policyDomain: "amazonaws.com", source: SourceAuthor,
		},
		{
			name: "the platform in the name of a customer",
			zone: zone{"amazonaws.com": reject}, author: "victim.us-east-1.compute.amazonaws.com", identifier: "amazonaws.com",
			org: "victim.us-east-1.compute.amazonaws.com", suffix: "us-east-1.compute.amazonaws.com", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "amazonaws.com", source: SourcePublicSuffix,
		},
		{
			name: "the suffix itself in the name of a customer",
			zone: zone{"github.io": reject}, author: "alice.github.io", identifier: "github.io",
			org: "alice.github.io", suffix: "github.io", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "github.io", source: SourcePublicSuffix,
		},
		{
			name: "a customer in the name of the suffix itself",
			zone: zone{"github.io": reject}, author: "github.io", identifier: "mallory.github.io",
			org: "github.io", rule: RuleShortest, alignment: NotAligned, literal: Aligned,
			policyDomain: "github.io", source: SourceAuthor,
		},
		{
			name: "a suffix whose record is that of one above it is its own Organizational Domain",
			zone: zone{"io": reject}, author: "github.io", identifier: "mallory.io",
			org: "github.io", suffix: "github.io", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "io", source: SourcePublicSuffix,
		},
		{
			name: "the lowest of a chain of suffixes counts",
			zone: zone{"jp": reject}, author: "victim.ne.jp", identifier: "attacker.ne.jp",
			org: "victim.ne.jp", suffix: "ne.jp", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "jp", source: SourcePublicSuffix,
		},
		{
			name: "psd=y above the lowest of a chain makes a suffix of it, and not an organization",
			zone: zone{"jp": "v=DMARC1; p=reject; psd=y"}, author: "victim.ne.jp", identifier: "attacker.ne.jp",
			org: "victim.ne.jp", suffix: "ne.jp", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "jp", source: SourcePublicSuffix,
		},
		{
			name: "a suffix that says psd=n is none",
			zone: zone{"ne.jp": "v=DMARC1; p=reject; psd=n"}, author: "a.ne.jp", identifier: "b.ne.jp",
			org: "ne.jp", rule: RulePSDNo, alignment: Aligned, literal: Aligned,
			policyDomain: "ne.jp", source: SourceOrganizational,
		},
		{
			name: "psd=n at a suffix above does not help one below",
			zone: zone{"jp": "v=DMARC1; p=reject; psd=n"}, author: "a.ne.jp", identifier: "b.ne.jp",
			org: "a.ne.jp", suffix: "ne.jp", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "jp", source: SourcePublicSuffix,
		},
		{
			name: "what says psd=n is not raised to a name above it",
			zone: zone{"x.kawasaki.jp": "v=DMARC1; p=reject; psd=n", "y.kawasaki.jp": "v=DMARC1; p=reject; psd=n"}, author: "a.x.kawasaki.jp", identifier: "a.y.kawasaki.jp",
			org: "x.kawasaki.jp", rule: RulePSDNo, alignment: NotAligned, literal: NotAligned,
			policyDomain: "x.kawasaki.jp", source: SourceOrganizational,
		},
		{
			name: "a wildcard rule",
			zone: zone{"kawasaki.jp": reject}, author: "a.victim.kawasaki.jp", identifier: "a.attacker.kawasaki.jp",
			org: "a.victim.kawasaki.jp", suffix: "victim.kawasaki.jp", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "kawasaki.jp", source: SourcePublicSuffix,
		},
		{
			name: "an exception from it",
			zone: zone{"jp": reject}, author: "a.city.kawasaki.jp", identifier: "b.city.kawasaki.jp",
			org: "city.kawasaki.jp", suffix: "kawasaki.jp", rule: RuleFloor, alignment: Aligned, literal: Aligned,
			policyDomain: "jp", source: SourcePublicSuffix,
		},
		{
			name: "an exception and a name below the wildcard",
			zone: zone{"kawasaki.jp": reject}, author: "city.kawasaki.jp", identifier: "x.y.kawasaki.jp",
			org: "city.kawasaki.jp", suffix: "kawasaki.jp", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "kawasaki.jp", source: SourcePublicSuffix,
		},
		{
			name: "a top-level domain that is not on the list is a suffix",
			zone: zone{"corp": reject}, author: "a.corp", identifier: "b.corp",
			org: "a.corp", suffix: "corp", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "corp", source: SourcePublicSuffix,
		},
		{
			name: "also where its record says psd=u",
			zone: zone{"corp": "v=DMARC1; p=reject; psd=u"}, author: "a.corp", identifier: "b.corp",
			org: "a.corp", suffix: "corp", rule: RuleFloor, alignment: NotAligned, literal: Aligned,
			policyDomain: "corp", source: SourcePublicSuffix,
		},
		{
			name: "but not where it says psd=n",
			zone: zone{"corp": "v=DMARC1; p=reject; psd=n"}, author: "a.corp", identifier: "b.corp",
			org: "corp", rule: RulePSDNo, alignment: Aligned, literal: Aligned,
			policyDomain: "corp", source: SourceOrganizational,
		},
		{
			name: "a suffix without a record changes nothing",
			zone: zone{"shop.co.uk": reject}, author: "www.shop.co.uk", identifier: "mail.shop.co.uk",
			org: "shop.co.uk", rule: RuleShortest, alignment: Aligned, literal: Aligned,
			policyDomain: "shop.co.uk", source: SourceOrganizational,
		},
		{
			name: "a record in between stays an Organizational Domain of its own",
			zone: zone{"b.shop.co.uk": reject}, author: "a.b.shop.co.uk", identifier: "shop.co.uk",
			org: "b.shop.co.uk", rule: RuleShortest, alignment: NotAligned, literal: NotAligned,
			policyDomain: "b.shop.co.uk", source: SourceOrganizational,
		},
		{
			name: "psd=y where the walk starts ends it",
			zone: zone{"a.shop.co.uk": "v=DMARC1; p=none; psd=y", "shop.co.uk": reject}, author: "a.shop.co.uk", identifier: "b.shop.co.uk",
			org: "a.shop.co.uk", rule: RuleShortest, alignment: NotAligned, literal: NotAligned,
			policyDomain: "a.shop.co.uk", source: SourceAuthor,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := Identifier{Domain: tt.identifier, Tag: TagSPF, Authenticated: true}
			r := Discover(t.Context(), suite.Policies(tt.zone), tt.author, Options{}, id)
			if o := r.Organization(tt.author); o.Organizational != tt.org || o.Suffix != tt.suffix || o.Rule != tt.rule {
				t.Errorf("Organizational Domain %q by %s, suffix %q; want %q by %s, %q", o.Organizational, o.Rule, o.Suffix, tt.org, tt.rule, tt.suffix)
			}
			if r.PolicyDomain != tt.policyDomain || r.Source != tt.source {
				t.Errorf("policy of %q (%s), want that of %q (%s)", r.PolicyDomain, r.Source, tt.policyDomain, tt.source)
			}
			if _, got := r.Align(id); got != tt.alignment {
				t.Errorf("aligned: %s, want %s", got, tt.alignment)
			}
			r = Discover(t.Context(), suite.Policies(tt.zone), tt.author, Options{Mode: TreeWalkLiteral}, id)
			if _, got := r.Align(id); got != tt.literal {
				t.Errorf("to the letter: aligned: %s, want %s", got, tt.literal)
			}
		})
	}
}
