package inspect

import (
	"cmp"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// includes returns names that a record includes and their records, n of them.
func includes(n int) (terms string, zone resolver.Zone) {
	zone = resolver.Zone{}
	for i := range n {
		name := string(rune('a'+i)) + ".mailer.example"
		terms += " include:" + name
		zone[name] = resolver.Records{TXT: []string{"v=spf1 ip4:198.51.100." + string(rune('0'+i%10)) + " -all"}}
	}
	return terms, zone
}

// spfWith returns the good zone with an SPF record that includes n names.
func spfWith(n int) resolver.Zone {
	terms, zone := includes(n)
	z := apex("v=spf1" + terms + " -all")
	z.Add(zone)
	return z
}

// plus returns a zone with more records at some names.
func plus(z resolver.Zone, more resolver.Zone) resolver.Zone {
	for name, r := range more {
		z[name] = r
	}
	return z
}

var long = strings.Repeat("x", 420)

// fixtures are zones of good.example that have one fault, and such that nearly have it.
var fixtures = []struct {
	id        string
	has       resolver.Zone
	name      string // "" for good.example
	selectors []string
	lacks     resolver.Zone // nil for the good zone
	publish   string        // what Publish has, if it is worth saying
}{
	{id: "domain-missing", has: goodZone(), name: "gone.good.example"},
	{id: "dns-unanswered", has: with(resolver.Zone{"_dmarc.good.example": {Fault: resolver.Fault{Err: resolver.ErrServFail}}})},

	{id: "spf-missing", has: apex("hello"), publish: "v=spf1 mx ~all"},
	{id: "spf-multiple", has: apex("v=spf1 mx -all", "v=spf1 include:_spf.mailer.example ~all"), publish: "v=spf1 mx include:_spf.mailer.example ~all"},
	{id: "spf-syntax", has: apex("v=spf1 mx ip4:192.0.2.300 -all")},
	{id: "spf-almost", has: apex("v=spf1include:_spf.mailer.example -all"), publish: "v=spf1 include:_spf.mailer.example -all", lacks: apex("v=spf1 include:_spf.mailer.example -all")},
	{id: "spf-almost", has: apex("“v=spf1 mx -all”"), publish: "v=spf1 mx -all"},
	{id: "spf-almost", has: apex("V=SPF 1 mx -all")},
	{id: "spf-almost", has: apex("spf1 mx -all")},
	{id: "spf-almost", has: apex("v=spf2.0 mx -all")},
	{id: "spf-almost", has: apex(` "v=spf1 mx -all"`)},
	{id: "spf-typo", has: apex("v=spf1 mx ipv4:192.0.2.1 -all"), publish: "v=spf1 mx ip4:192.0.2.1 -all"},
	{id: "spf-typo", has: apex("v=spf1 mx ip:192.0.2.1 -all"), publish: "v=spf1 mx ip4:192.0.2.1 -all"},
	{id: "spf-typo", has: apex("v=spf1 mx 192.0.2.1 -all"), publish: "v=spf1 mx ip4:192.0.2.1 -all"},
	{id: "spf-typo", has: apex("v=spf1 mx ip4: 192.0.2.1 -all"), publish: "v=spf1 mx ip4:192.0.2.1 -all"},
	{id: "spf-typo", has: apex("v=spf1 mx,ip4:192.0.2.1 -all"), publish: "v=spf1 mx ip4:192.0.2.1 -all"},
	{id: "spf-typo", has: apex("v=spf1 includes:_spf.mailer.example -all"), publish: "v=spf1 include:_spf.mailer.example -all"},
	{id: "spf-typo", has: apex("v=spf1 mx -al"), publish: "v=spf1 mx -all"},
	{id: "spf-typo", has: apex("v=spf1 mx ip4:2001:db8::1 -all"), publish: "v=spf1 mx ip6:2001:db8::1 -all"},
	{id: "spf-typo", has: apex("v=spf1 include:https://_spf.mailer.example -all"), publish: "v=spf1 include:_spf.mailer.example -all"},
	{id: "spf-typo", has: apex("v=spf1 mx ipv4=192.0.2.1 -all"), publish: "v=spf1 mx ip4:192.0.2.1 -all"},
	{id: "spf-too-many-lookups", has: spfWith(11), lacks: spfWith(10)},
	{id: "spf-void-lookups", has: apex("v=spf1 a:n1.good.example a:n2.good.example a:n3.good.example mx -all"), publish: "v=spf1 mx -all",
		lacks: apex("v=spf1 a:n1.good.example a:n2.good.example mx -all")},
	{id: "spf-over-limit", has: apex("v=spf1 mx exp=" + strings.Repeat("x", 9000) + ".example -all")},
	{id: "spf-near-limit", has: spfWith(9), lacks: spfWith(8)},
	{id: "spf-loop", has: plus(apex("v=spf1 mx include:a.good.example -all"), txt("a.good.example", "v=spf1 include:good.example -all")), publish: "v=spf1 mx -all"},
	{id: "spf-include-without-record", has: apex("v=spf1 mx include:mailer.example -all"), publish: "v=spf1 mx -all"},
	{id: "spf-include-without-record", has: apex("v=spf1 mx redirect=gone.example")},
	{id: "spf-pass-all", has: apex("v=spf1 mx +all"), publish: "v=spf1 mx ~all"},
	{id: "spf-pass-all", has: apex("v=spf1 mx ip4:128.0.0.0/1 -all"), publish: "v=spf1 mx -all", lacks: apex("v=spf1 mx ip4:10.0.0.0/8 -all")},
	{id: "spf-pass-all", has: apex("v=spf1 mx ip6:2000::/3 -all")},
	{id: "spf-pass-all", has: plus(apex("v=spf1 mx include:open.mailer.example -all"), txt("open.mailer.example", "v=spf1 +all")), publish: "v=spf1 mx -all"},
	{id: "spf-pass-all", has: apex("v=spf1 mx a/0 -all"), publish: "v=spf1 mx -all"},
	{id: "spf-pass-all", has: apex("v=spf1 mx exists:mx.good.example -all"), publish: "v=spf1 mx -all", lacks: apex("v=spf1 mx exists:none.good.example -all")},
	{id: "spf-neutral-all", has: apex("v=spf1 mx ?all"), publish: "v=spf1 mx ~all", lacks: apex("v=spf1 mx ~all")},
	{id: "spf-no-all", has: apex("v=spf1 mx"), publish: "v=spf1 mx ~all", lacks: apex("v=spf1 redirect=_spf.mailer.example")},
	{id: "spf-ptr", has: apex("v=spf1 mx ptr -all"), publish: "v=spf1 mx -all"},
	{id: "spf-after-all", has: apex("v=spf1 mx -all include:_spf.mailer.example"), publish: "v=spf1 mx include:_spf.mailer.example -all"},
	{id: "spf-redirect-ignored", has: apex("v=spf1 mx redirect=_spf.mailer.example -all"), publish: "v=spf1 mx -all"},
	{id: "spf-duplicate", has: apex("v=spf1 mx include:_spf.mailer.example include:_SPF.mailer.example -all"), publish: "v=spf1 mx include:_spf.mailer.example -all"},
	{id: "spf-duplicate", has: apex("v=spf1 mx ip4:192.0.2.0/24 ip4:192.0.2.7 -all"), publish: "v=spf1 mx ip4:192.0.2.0/24 -all"},
	{id: "spf-too-long", has: apex("v=spf1 mx ip4:192.0.2.0/28 -all", long), lacks: apex("v=spf1 mx ip4:192.0.2.0/28 -all", long[:400])},
	{id: "spf-type-99", has: with(resolver.Zone{"good.example": {SPF: []string{"v=spf1 mx -all"}, MX: []string{"10 mx.good.example"}}}), publish: "v=spf1 mx -all"},
	{id: "spf-macro", has: plus(apex("v=spf1 mx include:%{d1r}._spf.mailer.example -all"), txt("good._spf.mailer.example", "v=spf1 -all")), lacks: apex("v=spf1 mx exists:%{i}.mailer.example -all")},
	{id: "spf-helo", has: with(resolver.Zone{"mx.good.example": {A: []string{"192.0.2.25"}}}), publish: "v=spf1 a -all"},

	{id: "dkim-no-key", has: goodZone(), selectors: []string{"s2026"}},
	{id: "dkim-revoked", has: keyIs("v=DKIM1; p="), selectors: []string{"dkim"}},
	{id: "dkim-malformed", has: keyIs(`v=DKIM1\; k=rsa\; p=` + rsaKey(2048)[18:]), publish: rsaKey(2048)},
	{id: "dkim-malformed", has: keyIs(rsaKey(2048)[:255])},
	{id: "dkim-malformed", has: keyIs(`"` + rsaKey(2048) + `"`), publish: rsaKey(2048)},
	{id: "dkim-malformed", has: keyIs(rsaKey(2048) + rsaKey(2048)[18:]), publish: rsaKey(2048)},
	{id: "dkim-malformed", has: with(txt("s9._domainkey.good.example.good.example", rsaKey(2048))), selectors: []string{"s9"}, publish: rsaKey(2048)},
	{id: "dkim-too-small", has: keyIs(rsaKey(512))},
	{id: "dkim-short", has: keyIs(rsaKey(1024)), lacks: keyIs(ed25519Key)},
	{id: "dkim-testing", has: keyIs(rsaKey(2048) + "; t=y"), publish: rsaKey(2048), lacks: keyIs(rsaKey(2048) + "; t=s")},
	{id: "dkim-several", has: keyIs(rsaKey(2048), rsaKey(1024))},
	{id: "dkim-sha1-only", has: keyIs(rsaKey(2048) + "; h=sha1"), lacks: keyIs(rsaKey(2048) + "; h=sha1:sha256")},
	{id: "dkim-not-email", has: keyIs(rsaKey(2048) + "; s=tlsrpt"), lacks: keyIs(rsaKey(2048) + "; s=*")},
	{id: "dkim-dangling", has: with(resolver.Zone{"s1._domainkey.good.example": {CNAME: "s1.domainkey.u1.wl1.sendgrid.net"}})},
	{id: "dkim-wildcard", has: with(txt("*._domainkey.good.example", rsaKey(2048))), lacks: with(txt("*._domainkey.good.example", "v=DKIM1; p="))},
	{id: "dkim-none-found", has: with(resolver.Zone{"dkim._domainkey.good.example": {}})},

	{id: "dmarc-missing", has: with(resolver.Zone{"_dmarc.good.example": {}}), publish: "v=DMARC1; p=none; rua=mailto:dmarc@good.example"},
	{id: "dmarc-multiple", has: dmarcIs("v=DMARC1; p=none; rua=mailto:d@good.example", "v=DMARC1; p=reject; rua=mailto:d@good.example")},
	{id: "dmarc-syntax", has: dmarcIs("v=DMARC1; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=none; rua=mailto:dmarc@good.example"},
	{id: "dmarc-syntax", has: dmarcIs("v=DMARC1; p=rejct"), publish: "v=DMARC1; p=reject"},
	{id: "dmarc-almost", has: dmarcIs("v=DMARC1 p=reject; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"},
	{id: "dmarc-almost", has: dmarcIs("V=dmarc1; p=reject"), publish: "v=DMARC1; p=reject"},
	{id: "dmarc-almost", has: dmarcIs("p=reject; v=DMARC1")},
	{id: "dmarc-almost", has: dmarcIs(`"v=DMARC1; p=reject"`)},
	{id: "dmarc-almost", has: dmarcIs(`v=DMARC1\; p=reject`)},
	{id: "dmarc-almost", has: dmarcIs("v=spf1 mx -all")},
	{id: "dmarc-misplaced", has: plus(apex("v=spf1 mx -all", "v=DMARC1; p=reject"), resolver.Zone{"_dmarc.good.example": {}}), publish: "v=DMARC1; p=reject"},
	{id: "dmarc-misplaced", has: with(txt("_dmarc._dmarc.good.example", "v=DMARC1; p=reject"))},
	{id: "dmarc-misplaced", has: with(txt("dmarc.good.example", "v=DMARC1; p=reject"))},
	{id: "dmarc-none", has: dmarcIs("v=DMARC1; p=none; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=quarantine; rua=mailto:dmarc@good.example"},
	{id: "dmarc-weak-subdomains", has: dmarcIs("v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example",
		lacks: dmarcIs("v=DMARC1; p=quarantine; sp=reject; np=reject; rua=mailto:dmarc@good.example")},
	{id: "dmarc-testing", has: dmarcIs("v=DMARC1; p=reject; t=y; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"},
	{id: "dmarc-removed-tag", has: dmarcIs("v=DMARC1; p=reject; pct=50; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"},
	{id: "dmarc-removed-tag", has: dmarcIs("v=DMARC1; p=reject; rua=mailto:dmarc@good.example!10m"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"},
	{id: "dmarc-unknown-tag", has: dmarcIs("v=DMARC1; p=reject; rua=mailto:dmarc@good.example; xyz=1"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"},
	{id: "dmarc-duplicate-tag", has: dmarcIs("v=DMARC1; p=reject; p=reject; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"},
	{id: "dmarc-bad-value", has: dmarcIs("v=DMARC1; p=reject; adkim=relaxed; rua=mailto:dmarc@good.example"), publish: "v=DMARC1; p=reject; adkim=r; rua=mailto:dmarc@good.example"},
	{id: "dmarc-rua-missing", has: dmarcIs("v=DMARC1; p=reject")},
	{id: "dmarc-rua-malformed", has: dmarcIs("v=DMARC1; p=reject; rua=dmarc@good.example"), publish: "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"},
	{id: "dmarc-rua-unauthorized", has: dmarcIs("v=DMARC1; p=reject; rua=mailto:r@mailer.example"), publish: "v=DMARC1",
		lacks: plus(dmarcIs("v=DMARC1; p=reject; rua=mailto:r@mailer.example"), txt("good.example._report._dmarc.mailer.example", "v=DMARC1;"))},
	{id: "dmarc-rua-no-mx", has: dmarcIs("v=DMARC1; p=reject; rua=mailto:r@nowhere.good.example")},
	{id: "dmarc-ruf", has: dmarcIs("v=DMARC1; p=reject; rua=mailto:r@good.example; ruf=mailto:r@good.example")},
	{id: "dmarc-fo-without-ruf", has: dmarcIs("v=DMARC1; p=reject; rua=mailto:r@good.example; fo=1"), publish: "v=DMARC1; p=reject; rua=mailto:r@good.example"},
	{id: "dmarc-strict", has: dmarcIs("v=DMARC1; p=reject; rua=mailto:r@good.example; aspf=s"), publish: "v=DMARC1; p=reject; rua=mailto:r@good.example"},
	{id: "dmarc-inherited", has: goodZone(), name: "mx.good.example"},
	{id: "dmarc-psd", has: dmarcIs("v=DMARC1; p=reject; psd=y; rua=mailto:r@good.example"), publish: "v=DMARC1; p=reject; rua=mailto:r@good.example",
		lacks: dmarcIs("v=DMARC1; p=reject; psd=n; rua=mailto:r@good.example")},
	{id: "dmarc-reject-users", has: plus(goodZone(), resolver.Zone{
		"good.example":       {MX: []string{"10 aspmx.l.google.com"}, TXT: []string{"v=spf1 include:_spf.google.com -all"}},
		"_spf.google.com":    {TXT: []string{"v=spf1 ip4:198.51.100.0/24 -all"}},
		"aspmx.l.google.com": {A: []string{"198.51.100.26"}},
	})},

	{id: "mail-parked", has: resolver.Zone{"good.example": {TXT: []string{"v=spf1 -all"}, A: []string{"192.0.2.1"}}}, publish: "0 ."},
	{id: "mail-mx-no-address", has: with(resolver.Zone{"mx.good.example": {}})},
	{id: "mail-null-mx", has: with(resolver.Zone{"good.example": {TXT: []string{"v=spf1 mx -all"}, MX: []string{"0 .", "10 mx.good.example"}}})},
	{id: "mta-sts-broken", has: with(txt("_mta-sts.good.example", "v=STSv1"))},
	{id: "tls-rpt-broken", has: with(txt("_smtp._tls.good.example", "v=TLSRPTv1; rua=tls@good.example"))},
	{id: "bimi-policy", has: dmarcIs("v=DMARC1; p=none; rua=mailto:dmarc@good.example")},
	{id: "provider-setup", has: plus(goodZone(), resolver.Zone{
		"good.example":    {MX: []string{"10 mx.good.example"}, TXT: []string{"v=spf1 mx include:_spf.google.com -all"}},
		"_spf.google.com": {TXT: []string{"v=spf1 ip4:198.51.100.0/24 -all"}},
	})},
}

const ed25519Key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

func TestEveryRuleHasAZoneThatBreaksItAndOneThatDoesNot(t *testing.T) {
	tested := map[string]bool{}
	for _, f := range fixtures {
		tested[f.id] = true
		name := cmp.Or(f.name, "good.example")
		r := inspected(t, f.has, name, f.selectors...)
		found := findingOf(r, f.id)
		if found == nil {
			t.Errorf("%s: not found among %q", f.id, ids(r))
			continue
		}
		if found.Message == "" || found.Severity != severityOf(f.id) {
			t.Errorf("%s: %+v", f.id, found)
		}
		if f.publish != "" && (found.Publish == nil || found.Publish.Value != f.publish) {
			t.Errorf("%s: publishes %+v, want %q", f.id, found.Publish, f.publish)
		}
		lacks, selectors := f.lacks, []string(nil)
		if lacks == nil {
			lacks = goodZone()
		}
		if r := inspected(t, lacks, "good.example", selectors...); findingOf(r, f.id) != nil {
			t.Errorf("%s: found where it is not: %+v", f.id, findingOf(r, f.id))
		}
	}
	for _, rule := range rules {
		if !tested[rule.ID] {
			t.Errorf("%s has no zone", rule.ID)
		}
	}
}

func findingOf(r *Report, id string) *Finding {
	for i := range r.Findings {
		if r.Findings[i].ID == id {
			return &r.Findings[i]
		}
	}
	return nil
}

func TestEveryIDOfTheNotesIsARule(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(suite.Dir(t), "..", "notes", "inspect.md"))
	if os.IsNotExist(err) {
		t.Skipf("the notes are not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]Severity{}
	for _, rule := range rules {
		known[rule.ID] = rule.Severity
	}
	noted := 0
	severity := regexp.MustCompile(`\b(error|warning|info)\b`)
	for _, line := range strings.Split(string(text), "\n") {
		list := regexp.MustCompile(`\b(spf|dkim|dmarc)(-[a-z0-9]+)+`).FindAllStringIndex(line, -1)
		for i, at := range list {
			id := line[at[0]:at[1]]
			if strings.HasPrefix(id, "spf-dkim") || strings.HasPrefix(id, "dmarc-setup") {
				continue
			}
			noted++
			want := severity.FindString(line[at[1]:])
			if _, ok := known[id]; !ok {
				t.Errorf("%s is not looked for", id)
			} else if string(known[id]) != want && i == len(list)-1 {
				t.Errorf("%s is of severity %s, want %s", id, known[id], want)
			}
		}
	}
	if noted < 50 {
		t.Errorf("only %d ids in the notes", noted)
	}
}
