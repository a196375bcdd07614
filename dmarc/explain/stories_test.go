package explain_test

import (
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/resolver"
)

// recordStories are about what a record says and how it is read.
func recordStories() []story {
	record := func(text string) resolver.Zone {
		return resolver.Zone{"_dmarc.shop.example": {TXT: []string{text}}}
	}
	const news = "orders@news.shop.example"
	return []story{
		{
			name: "the tag that applies to a subdomain is the one that would have to change", from: news,
			records: record("v=DMARC1; p=reject; sp=none"),
			summary: "shop.example asks to do nothing about such mail (sp=none).",
			facts:   []string{"verdict what if: with sp=quarantine this message would have been set aside as suspicious, with sp=reject it would have been rejected"},
		},
		{
			name: "the tag that applies to a domain that does not exist is np", from: news,
			records: record("v=DMARC1; p=reject; np=none"),
			summary: "There is no such domain as news.shop.example. No mail can be from it. shop.example asks to do nothing about such mail (np=none).",
		},
		{
			name: "sp=quarantine is what would have to be sp=reject", from: news,
			records: record("v=DMARC1; p=reject; sp=quarantine"),
			facts:   []string{"verdict what if: with sp=reject this message would have been rejected"},
		},
		{
			name: "sp=quarantine found by the public suffix list is what would have to be sp=reject", from: news, byList: true,
			records: record("v=DMARC1; p=reject; sp=quarantine"),
			facts:   []string{"verdict what if: with sp=reject this message would have been rejected"},
		},
		{
			name: "a subdomain that passes under sp=none would pass under sp=reject", from: news, fix: "-",
			sign: []dmarctest.Signature{{Domain: "news.shop.example"}}, records: record("v=DMARC1; p=reject; sp=none"),
			facts: []string{"verdict what if: sp=quarantine or sp=reject would have changed nothing"},
		},
		{
			name:    "a stricter policy alone does not reject in test mode",
			records: record("v=DMARC1; p=none; t=y"),
			summary: "(p=none)",
		},
		{
			name:    "a policy that is assumed is not said to be stated",
			records: record("v=DMARC1; p=rejct; rua=mailto:agg@shop.example"),
			summary: "The DMARC record of shop.example has no valid policy. So nothing is done about the message.",
			facts: []string{
				"policy stated: p=rejct",
				"policy assumed: p=none, sp=none, np=none",
				"policy so: The record states no valid policy (p=rejct). Since it asks for reports, p=none is assumed",
				"verdict policy: p=none is assumed: the record at shop.example states no valid policy",
			},
		},
		{
			name:    "a policy that is assumed where there is no p says so",
			records: record("v=DMARC1; rua=mailto:agg@shop.example"),
			facts:   []string{"policy so: The record states no valid policy (there is no p)."},
		},
		{
			name:    "a tag that cannot be read is shown as it stands",
			records: record("v=DMARC1; p=Reject; adkim=x"),
			facts:   []string{"policy stated: p=reject, adkim=x", "policy fault: adkim: "},
		},
		{
			name: "discovery by the public suffix list is explained by RFC 7489", from: news, byList: true,
			mailFrom: "b@bounce.shop.example", sign: []dmarctest.Signature{{Domain: "shop.example"}}, fix: "-",
			records: record("v=DMARC1; p=reject; np=none; psd=n; t=y; ri=3600"),
			facts: []string{
				"author in: RFC 7489, section 6.6.1",
				"spf-alignment in: RFC 7489, section 3.2",
				"dkim-alignment in: RFC 7489, section 3.2",
				"discovery in: RFC 7489, section 6.6.3",
				"policy in: RFC 7489, section 6.3",
				"verdict in: RFC 7489, section 6.6.2",
				"policy stated: p=reject",
				"policy default: sp=reject, adkim=relaxed, aspf=relaxed, pct=100",
				"policy ignored: np=none, which RFC 7489 does not have",
				"policy ignored: psd=n, which RFC 7489 does not have",
				"policy ignored: t=y, which RFC 7489 does not have",
			},
		},
		{
			name: "two records at the Organizational Domain are what a subdomain's owner has to mend", from: news,
			records: resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject", "v=DMARC1; p=none"}}},
			fix:     "Keep one DMARC record for shop.example and delete the others.",
		},
		{
			name: "two records at the Organizational Domain by the public suffix list likewise", from: news, byList: true,
			records: resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject", "v=DMARC1; p=none"}}},
			fix:     "Keep one DMARC record for shop.example and delete the others.",
		},
		{
			name: "two records at a public suffix are not the sender's to mend", from: "orders@shop.co.uk",
			records: resolver.Zone{"_dmarc.co.uk": {TXT: []string{"v=DMARC1; p=reject", "v=DMARC1; p=none"}}},
			fix:     "Publish a DMARC record for shop.co.uk. It says what to do with mail that nothing proves. [add TXT _dmarc.shop.co.uk: v=DMARC1; p=none]",
		},
		{
			name: "a message outside of the sample is said to be treated more mildly", byList: true, draw: 0.9,
			records: record("v=DMARC1; p=reject; pct=50"),
			summary: "shop.example asks to refuse a share of such mail (pct), and this is not in it. Treat it as suspicious.",
			facts: []string{
				"policy stated: p=reject, pct=50",
				"policy pct=50: asked for 50 of 100 messages",
				"verdict what if: with pct=100 this message would have been rejected",
			},
		},
		{
			name: "a message outside of the sample of a quarantine is as any other", byList: true, draw: 0.9,
			records: record("v=DMARC1; p=quarantine; pct=50"),
			summary: "shop.example asks for a share of such mail to be stopped (pct), and this is not in it.",
		},
		{
			name: "a stricter policy alone does not reject all of a sample", byList: true,
			records: record("v=DMARC1; p=none; pct=50"),
			summary: "(p=none)",
		},
	}
}

// openStories are about whose name servers have to answer. Those of the top level never do,
// and never matter.
func openStories() []story {
	return []story{
		{
			name: "the domain of a key without an answer is named, not a failure that does not matter",
			sign: []dmarctest.Signature{{Domain: "shop.example"}},
			fail: []string{"_dmarc.example", "test._domainkey.shop.example"},
			fix:  "see that the name servers of shop.example answer",
		},
		{
			name: "the domain that an SPF record includes is named if it is what does not answer", mailFrom: "orders@shop.example",
			records: resolver.Zone{
				"shop.example":          {TXT: []string{"v=spf1 include:_spf.provider.example -all"}},
				"_spf.provider.example": {TXT: []string{"v=spf1 -all"}},
			},
			fail: []string{"_dmarc.example", "_spf.provider.example"},
			fix:  "see that the name servers of _spf.provider.example answer",
		},
		{
			name: "the Author Domain is named where it is not known whether it exists", from: "orders@news.shop.example",
			records: resolver.Zone{
				"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=none; np=reject"}},
				"news.shop.example":   {A: []string{"192.0.2.1"}},
			},
			fail: []string{"_dmarc.example", "news.shop.example"},
			fix:  "see that the name servers of news.shop.example answer",
		},
		{
			name: "the identifier is named where its Organizational Domain is not known", mailFrom: "b@bounce.shop.example",
			records: resolver.Zone{"bounce.shop.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}}},
			fail:    []string{"_dmarc.example", "_dmarc.bounce.shop.example"},
			fix:     "see that the name servers of bounce.shop.example answer",
			facts:   []string{"verdict reason: whether an identifier is aligned could not be found out"},
		},
		{
			name: "the Organizational Domain is named where the policy would stand there", from: "orders@news.shop.example",
			fail: []string{"_dmarc.example", "_dmarc.shop.example"},
			fix:  "see that the name servers of shop.example answer",
		},
	}
}
