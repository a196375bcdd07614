package explain_test

import (
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/resolver"
)

// answerStories are about what is wrong with a record, and what it should be.
func answerStories() []story {
	shop := []dmarctest.Signature{{Domain: "shop.example"}}
	const own = "orders@shop.example"
	txt := func(name string, texts ...string) resolver.Zone {
		return resolver.Zone{name: {TXT: texts}}
	}
	key := func(name string, change func(string) string) story {
		return story{name: name, sign: shop, key: change}
	}
	with := func(s story, fix string) story {
		s.fix = fix
		return s
	}
	const at = "test._domainkey.shop.example"
	return []story{
		{
			name: "SPF passed, and yet DMARC fails", sign: nil,
			summary: "mail.provider.example sent it, and nothing proves that shop.example asked for that.",
			reason:  "SPF: pass, and yet it does not count (not aligned). It is about mail.provider.example, where bounces go (MAIL FROM). The From line says shop.example, and about that SPF said nothing.",
			fix:     "Ask mail.provider.example, which sent this, to sign your mail in the name of shop.example (DKIM).",
		},

		// SPF records.
		{
			name: "two SPF records are merged", mailFrom: own,
			records: txt("shop.example", "v=spf1 ip4:198.51.100.1 -all", "v=spf1 include:_spf.provider.example ~all"),
			fix: "Publish one SPF record for shop.example in place of 2. Several count as none. " +
				"[replace TXT shop.example: v=spf1 ip4:198.51.100.1 include:_spf.provider.example ~all] " +
				"[delete TXT shop.example: v=spf1 include:_spf.provider.example ~all]",
		},
		{
			name: "an address without ip4: gets it", mailFrom: own, records: txt("shop.example", "v=spf1 192.0.2.25 -all"),
			fix: "{v=spf1 »192.0.2.25« -all} [replace TXT shop.example: v=spf1 ip4:192.0.2.25 -all]",
		},
		{
			name: "a space behind ip4: goes", mailFrom: own, records: txt("shop.example", "v=spf1 ip4: 192.0.2.25 -all"),
			fix: "{v=spf1 ip4:» «192.0.2.25 -all} [replace TXT shop.example: v=spf1 ip4:192.0.2.25 -all]",
		},
		{
			name: "commas become spaces", mailFrom: own, records: txt("shop.example", "v=spf1 ip4:192.0.2.25,ip4:192.0.2.26 -all"),
			fix: "{v=spf1 ip4:192.0.2.25»,«ip4:192.0.2.26 -all} [replace TXT shop.example: v=spf1 ip4:192.0.2.25 ip4:192.0.2.26 -all]",
		},
		{
			name: "a space that is missing behind v=spf1 is marked", mailFrom: own, records: txt("shop.example", "v=spf1include:_spf.provider.example -all"),
			fix: "Correct the SPF record of shop.example. As it is written it does not count as one. {v=spf1»«include:_spf.provider.example -all} " +
				"[replace TXT shop.example: v=spf1 include:_spf.provider.example -all]",
		},
		{
			name: "quotation marks in an SPF record go", mailFrom: own, records: txt("shop.example", `"v=spf1 ip4:192.0.2.25 -all"`),
			fix: "[replace TXT shop.example: v=spf1 ip4:192.0.2.25 -all]",
		},
		{
			name: "a fault in an included record is that of the record", mailFrom: own,
			records: resolver.Zone{
				"shop.example":          {TXT: []string{"v=spf1 include:_spf.provider.example -all"}},
				"_spf.provider.example": {TXT: []string{"v=spf1 ipv4:192.0.2.25 -all"}},
			},
			fix: "Correct the SPF record of _spf.provider.example: a part of it cannot be read. {v=spf1 »ipv4:192.0.2.25« -all}",
		},
		{
			name: "a term that nobody can make sense of is marked alone", mailFrom: own, records: txt("shop.example", "v=spf1 moo -all"),
			fix: "{v=spf1 »moo« -all} \n",
		},
		{
			name: "a record that includes itself is called a loop", mailFrom: own,
			records: txt("shop.example", "v=spf1 include:shop.example ip4:192.0.2.25 -all"),
			fix: "Take include:shop.example out of the SPF record of shop.example. It leads back to the record itself: a loop. " +
				"{v=spf1 »include:shop.example« ip4:192.0.2.25 -all} [replace TXT shop.example: v=spf1 ip4:192.0.2.25 -all]",
			reason: "it includes itself: a loop",
		},
		{
			name: "of eleven look-ups it is told what each include costs", mailFrom: own,
			records: resolver.Zone{
				"shop.example":   {TXT: []string{"v=DMARC1; p=none", "v=spf1 include:one.example include:five.example include:six.example -all"}},
				"one.example":    {TXT: []string{"v=spf1 ip4:198.51.100.1 ?all"}},
				"five.example":   {TXT: []string{"v=spf1 a:h.example a:h.example a:h.example a:h.example ?all"}},
				"six.example":    {TXT: []string{"v=spf1 a:h.example a:h.example a:h.example a:h.example a:h.example ?all"}},
				"h.example":      {A: []string{"198.51.100.2"}},
				"_dmarc.example": {},
			},
			fix: "The SPF record of shop.example needs more than ten look-ups in DNS. Take out the companies that no longer send for you. " +
				"{v=spf1 include:one.example »include:five.example« include:six.example -all} " +
				"[replace TXT shop.example: v=spf1 include:one.example include:six.example -all]",
		},
		{
			name: "the look-ups of a record that another redirects to are its own", mailFrom: own,
			records: resolver.Zone{
				"shop.example":      {TXT: []string{"v=spf1 redirect=_spf.shop.example"}},
				"_spf.shop.example": {TXT: []string{"v=spf1 include:nine.example mx a ip4:192.0.2.25 -all"}},
				"nine.example":      {TXT: []string{"v=spf1 a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example ?all"}},
				"h.example":         {A: []string{"198.51.100.2"}},
			},
			fix: "{v=spf1 »include:nine.example« mx a ip4:192.0.2.25 -all} [replace TXT _spf.shop.example: v=spf1 mx a ip4:192.0.2.25 -all]",
		},
		{
			name: "an include that leads nowhere is left out", mailFrom: own, records: txt("shop.example", "v=spf1 include:gone.example ip4:192.0.2.25 -all"),
			fix: "{v=spf1 »include:gone.example« ip4:192.0.2.25 -all} [replace TXT shop.example: v=spf1 ip4:192.0.2.25 -all]",
		},
		{
			name: "terms that find nothing are left out", mailFrom: own,
			records: txt("shop.example", "v=spf1 a:g1.example mx:g2.example a:g3.example ip4:192.0.2.25 -all"),
			fix:     "[replace TXT shop.example: v=spf1 ip4:192.0.2.25 -all]",
		},
		{
			name: "+all warns on a pass", mailFrom: own, records: txt("shop.example", "v=spf1 ip4:198.51.100.1 +all"), fix: "-",
			summary: "PASS: this message is from shop.example.",
			advice: "Close the SPF record of shop.example. It lets everybody send mail in your name: +all. {v=spf1 ip4:198.51.100.1 »+all«} " +
				"[replace TXT shop.example: v=spf1 ip4:198.51.100.1 ~all]",
		},
		{
			name: "an all without a sign is as open as +all", mailFrom: own, fix: "-",
			records: resolver.Zone{
				"shop.example":         {TXT: []string{"v=spf1 include:all.provider.example all"}},
				"all.provider.example": {TXT: []string{"v=spf1 ip4:198.51.100.1 ?all"}},
			},
			advice: "{v=spf1 include:all.provider.example »all«} [replace TXT shop.example: v=spf1 include:all.provider.example ~all]",
		},
		{
			name: "a network that is half of the world warns on a pass", mailFrom: own, records: txt("shop.example", "v=spf1 ip4:192.0.2.25/1 -all"), fix: "-",
			advice: "It lets everybody send mail in your name: ip4:192.0.2.25/1.",
		},
		{
			name: "a broken SPF record is advice where a signature passes", mailFrom: own, sign: shop, fix: "-",
			records: txt("shop.example", "v=spf1 ipv4:192.0.2.25 -all"),
			advice:  "Correct the SPF record of shop.example: a part of it cannot be read. {v=spf1 »ipv4:192.0.2.25« -all}",
		},
		{
			name: "an unknown client is no reason for advice on SPF", mailFrom: own, unknown: true,
			records: txt("shop.example", "v=spf1 ipv4:192.0.2.25 -all"),
			fix:     "Sign your mail in the name of shop.example (DKIM). The program or company that sends it says how. \n", advice: "-",
			reason: "SPF: not checked, since the address of the server that sent the message is not known.",
		},

		// DMARC records.
		{
			name: "a semicolon that is missing in v=DMARC1 is marked", records: txt("_dmarc.shop.example", "v=DMARC1 p=reject"),
			summary: "What shop.example publishes does not count as a DMARC record, as it is written.",
			fix:     "Correct the DMARC record of shop.example. {v=DMARC1» «p=reject} [replace TXT _dmarc.shop.example: v=DMARC1; p=reject]",
		},
		{
			name: "backslashes in a DMARC record go", records: txt("_dmarc.shop.example", `v=DMARC1\; p=reject`),
			fix: `{v=DMARC1»\«; p=reject} [replace TXT _dmarc.shop.example: v=DMARC1; p=reject]`,
		},
		{
			name: "a DMARC record at the domain itself has to move", sign: shop,
			records:  resolver.Zone{"_dmarc.shop.example": {}, "shop.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all", "v=DMARC1; p=none"}}},
			mailFrom: own,
			fix: "Move the DMARC record of shop.example to _dmarc.shop.example. Nobody looks for it where it stands now. " +
				"[add TXT _dmarc.shop.example: v=DMARC1; p=none] [delete TXT shop.example: v=DMARC1; p=none]",
		},
		{
			name: "p=monitor means p=none", records: txt("_dmarc.shop.example", "v=DMARC1; p=monitor"),
			fix: "{v=DMARC1; »p=monitor«} [replace TXT _dmarc.shop.example: v=DMARC1; p=none]",
		},
		{
			name: "a policy that cannot be read is advice where reports are asked for", records: txt("_dmarc.shop.example", "v=DMARC1; p=rejct; rua=mailto:a@shop.example"),
			advice: "[replace TXT _dmarc.shop.example: v=DMARC1; p=reject; rua=mailto:a@shop.example]",
		},
		{
			name: "a report address that cannot be used is advice on a pass", sign: shop, fix: "-",
			records: txt("_dmarc.shop.example", "v=DMARC1; p=reject; rua=reports@shop.example"),
			advice:  "[replace TXT _dmarc.shop.example: v=DMARC1; p=reject; rua=mailto:reports@shop.example]",
		},
		{
			name: "a From line with a comma is taken, and advice", sign: shop, fix: "-", from: "Doe, Jane <orders@shop.example>",
			advice: "Mend the From line: a comma in a name that is not quoted",
		},

		// Keys.
		with(key("backslashes in a key go", func(k string) string { return strings.ReplaceAll(k, ";", `\;`) }), "[replace TXT "+at+": v=DKIM1; k=rsa; p="),
		with(key("quotation marks in a key go", func(k string) string { return `"` + k + `"` }), "[replace TXT "+at+": v=DKIM1; k=rsa; p="),
		with(key("a key that is cut says so", func(k string) string { return k[:255] }),
			"[replace TXT "+at+": v=DKIM1; k=rsa; p=<the public key of the server that signs>]"),
		with(key("a key that was pasted twice is halved", func(k string) string { return k + k }), "[replace TXT "+at+": v=DKIM1; k=rsa; p="),
		{
			name: "a key that is missing may stand at the doubled name", sign: shop, records: resolver.Zone{at: {}},
			fix: "some panels add the domain by themselves, and it now stands at " + at + ".shop.example.",
		},
		{
			name: "a key that is missing does not matter where SPF passes, and is advice", mailFrom: own, sign: shop, fix: "-",
			records: resolver.Zone{at: {}, "shop.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}}},
			advice:  "Publish the key of the signature (DKIM) at " + at + ".",
		},

		// DNS.
		{
			name: "DNS that refused us is not blamed on the sender", refuse: []string{"_dmarc.shop.example"},
			summary: "The DNS server that was asked here did not want to answer. That is not the sender's fault.",
			fix:     "Check the message again, with another DNS server.",
		},
		{
			name: "a domain of one label cannot publish a policy", from: "root@localhost", fix: "Send from an address whose domain is yours.",
		},
	}
}

// providerStories are about companies that send mail for others.
func providerStories() []story {
	const flowers = "orders@flowers.example"
	policy := func(tags string) resolver.Records {
		return resolver.Records{TXT: []string{"v=DMARC1; p=reject" + tags}}
	}
	ses := resolver.Zone{
		"_dmarc.flowers.example":  policy(""),
		"eu-west-1.amazonses.com": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}},
	}
	strict := resolver.Zone{"_dmarc.flowers.example": policy("; aspf=s"), "eu-west-1.amazonses.com": ses["eu-west-1.amazonses.com"]}
	const bounce = "0102@eu-west-1.amazonses.com"
	easyDKIM := "[add CNAME <TOKEN 1>._domainkey.flowers.example: <TOKEN 1>.dkim.amazonses.com] " +
		"[add CNAME <TOKEN 2>._domainkey.flowers.example: <TOKEN 2>.dkim.amazonses.com] " +
		"[add CNAME <TOKEN 3>._domainkey.flowers.example: <TOKEN 3>.dkim.amazonses.com] "
	return []story{
		{
			name: "SES without anything set up", from: flowers, mailFrom: bounce, records: ses, sign: []dmarctest.Signature{{Domain: "amazonses.com"}},
			summary: "This message claims to be from flowers.example. Amazon SES sent it, and nothing proves that flowers.example asked for that.",
			fix:     easyDKIM,
		},
		{
			name: "SES without a return address of one's own gets its records", from: flowers, mailFrom: bounce, records: ses,
			fix: "[add MX bounce.flowers.example: 10 feedback-smtp.<REGION>.amazonses.com] [add TXT bounce.flowers.example: v=spf1 include:amazonses.com ~all]",
		},
		{
			name: "SES under aspf=s can only be set up by signatures", from: flowers, mailFrom: bounce, records: strict,
			fix: easyDKIM + "Copy names and values from the SES console. In some regions the value has the region in it.\n",
		},
		{
			name: "Google Workspace signs with a name of its own until it is set up", from: flowers,
			records: resolver.Zone{"_dmarc.flowers.example": policy("")},
			sign:    []dmarctest.Signature{{Domain: "flowers-example.20230601.gappssmtp.com"}}, mailFrom: "x@gone.example",
			summary: "Google Workspace sent it",
			fix:     "[add TXT google._domainkey.flowers.example: v=DKIM1; k=rsa; p=<copy the key from the Google Admin console>]",
		},
		{
			name: "Microsoft 365 signs with the tenant's name until it is set up", from: flowers,
			records: resolver.Zone{"_dmarc.flowers.example": policy("")},
			sign:    []dmarctest.Signature{{Domain: "flowers.onmicrosoft.com"}}, mailFrom: "x@gone.example",
			fix: "[add CNAME selector1._domainkey.flowers.example: selector1-flowers-example._domainkey.<copy the rest from the Defender portal>]",
		},
		{
			name: "Microsoft 365 that SPF does not list is included", from: flowers, mailFrom: flowers, helo: "mail-am7eur03.outbound.protection.outlook.com",
			records: resolver.Zone{"_dmarc.flowers.example": policy(""), "flowers.example": {TXT: []string{"v=spf1 mx ~all"}}},
			fix: "If Microsoft 365 sends your mail, let the SPF record of flowers.example allow it. " +
				"[replace TXT flowers.example: v=spf1 mx include:spf.protection.outlook.com ~all]",
		},
		{
			name: "SendGrid is set up by three records", from: flowers, mailFrom: "b@u1234.wl5.sendgrid.net",
			records: resolver.Zone{"_dmarc.flowers.example": policy(""), "u1234.wl5.sendgrid.net": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}}},
			fix:     "[add CNAME s1._domainkey.flowers.example: s1.domainkey.<u1234567.wl123>.sendgrid.net]",
		},
		{
			name: "Mailchimp is set up by two records, ready to copy", from: flowers, mailFrom: "b@mail1.mcsv.net",
			records: resolver.Zone{"_dmarc.flowers.example": policy(""), "mail1.mcsv.net": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}}},
			fix:     "[add CNAME k2._domainkey.flowers.example: dkim2.mcsv.net] [add CNAME k3._domainkey.flowers.example: dkim3.mcsv.net]",
		},
		{
			name: "Shopify has written an address of its own into From", from: "store+123@shopifyemail.com", mailFrom: "b@shopifyemail.com",
			records: resolver.Zone{"_dmarc.shopifyemail.com": policy(""), "shopifyemail.com": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}}},
			summary: "PASS", fix: "-",
			advice: "Your customers see an address of Shopify in From, not yours.",
		},
		{
			name: "a key of Zendesk's that is missing is a CNAME", from: flowers, records: resolver.Zone{
				"_dmarc.flowers.example": policy(""), "zendesk1._domainkey.flowers.example": {},
			},
			sign: []dmarctest.Signature{{Domain: "flowers.example", Selector: "zendesk1"}},
			fix:  "[add CNAME zendesk1._domainkey.flowers.example: zendesk1._domainkey.zendesk.com]",
		},
	}
}
