package inspect

import (
	"context"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

func stepOf(r *Report, provider, text string) string {
	for _, s := range r.Setup {
		for _, step := range s.Steps {
			if s.Provider == provider && strings.Contains(step.Fix.Text, text) {
				return step.State
			}
		}
	}
	return ""
}

func TestAStepWithABrokenKeyIsNotDone(t *testing.T) {
	zone := with(txt("google._domainkey.good.example", rsaKey(2048)[:120]))
	r := inspected(t, zone, "good.example")
	if got := stepOf(r, "google-workspace", "Make a key"); got != stepUnusable {
		t.Errorf("the step is %q", got)
	}
	f := findingOf(r, "dkim-malformed")
	if f == nil || f.Publish == nil || !strings.Contains(f.Publish.Value, "Google Admin console") {
		t.Errorf("%+v", f)
	}
}

func TestTheSecondSelectorOfACompanyMayHaveNoKeyYet(t *testing.T) {
	const one, two = "selector1-good-example._domainkey.x.onmicrosoft.com", "selector2-good-example._domainkey.x.onmicrosoft.com"
	zone := with(resolver.Zone{
		"selector1._domainkey.good.example": {CNAME: one},
		"selector2._domainkey.good.example": {CNAME: two},
		one:                                 {TXT: []string{rsaKey(2048)}},
	})
	if f := findingOf(inspected(t, zone, "good.example"), "dkim-dangling"); f != nil {
		t.Error(f)
	}
	if f := findingOf(inspected(t, zone, "good.example", "selector2"), "dkim-dangling"); f == nil {
		t.Error("a selector that was asked for has no key, and nothing is said")
	}
	delete(zone, one)
	if f := findingOf(inspected(t, zone, "good.example"), "dkim-dangling"); f == nil {
		t.Error("neither has a key, and nothing is said")
	}
}

func TestNoRecordIsToBePublishedWhereAnAliasStands(t *testing.T) {
	const target = "selector1-good-example._domainkey.x.onmicrosoft.com"
	for _, key := range []string{rsaKey(2048)[:120], rsaKey(512), rsaKey(1024), rsaKey(2048) + "; t=y", rsaKey(2048) + "; h=sha1", rsaKey(2048) + "; s=tlsrpt"} {
		zone := with(resolver.Zone{"selector1._domainkey.good.example": {CNAME: target}, target: {TXT: []string{key}}})
		found := false
		for _, f := range inspected(t, zone, "good.example").Findings {
			if strings.HasPrefix(f.ID, "dkim-") {
				found = true
				if f.Publish != nil || f.Fix == nil || !strings.Contains(f.Fix.Text, "Microsoft") {
					t.Errorf("%s: %+v %+v", f.ID, f.Publish, f.Fix)
				}
			}
		}
		if !found {
			t.Errorf("nothing is said about %s", key[len(key)-12:])
		}
	}
}

func TestNoAdviceTurnsAShopIntoADomainWithoutMail(t *testing.T) {
	loop := plus(apex("v=spf1 include:a.good.example -all"), txt("a.good.example", "v=spf1 include:good.example -all"))
	for name, zone := range map[string]resolver.Zone{
		"an include without a record": apex("v=spf1 include:none.example -all"),
		"a redirect without a record": apex("v=spf1 redirect=none.example"),
		"a loop":                      loop,
		"ptr":                         apex("v=spf1 ptr -all"),
		"+all":                        apex("v=spf1 +all"),
	} {
		for _, f := range inspected(t, zone, "good.example").Findings {
			if f.Publish != nil && strings.HasPrefix(f.Publish.Value, "v=spf1") && !strings.Contains(f.Publish.Value, "<your servers") {
				t.Errorf("%s: %s publishes %q", name, f.ID, f.Publish.Value)
			}
		}
	}
}

func TestALoopIsCutWhereItStands(t *testing.T) {
	zone := plus(apex("v=spf1 mx include:a.good.example -all"), txt("a.good.example", "v=spf1 ip4:192.0.2.77 include:good.example -all"))
	f := findingOf(inspected(t, zone, "good.example"), "spf-loop")
	if f == nil || f.Publish == nil || f.Publish.Name != "a.good.example" || f.Publish.Value != "v=spf1 ip4:192.0.2.77 -all" {
		t.Errorf("%+v", f)
	}
}

func TestADomainThatACompanySendsForIsNotSilenced(t *testing.T) {
	zone := resolver.Zone{
		"good.example":                     {A: []string{"192.0.2.80"}},
		"s1._domainkey.good.example":       {CNAME: "s1.domainkey.u1.wl1.sendgrid.net"},
		"s1.domainkey.u1.wl1.sendgrid.net": {TXT: []string{rsaKey(2048)}},
	}
	r := inspected(t, zone, "good.example")
	f := findingOf(r, "dmarc-missing")
	if f == nil || f.Publish == nil || !strings.HasPrefix(f.Publish.Value, "v=DMARC1; p=none; rua=") || findingOf(r, "mail-parked") != nil {
		t.Errorf("%+v %s", f, ids(r))
	}
	delete(zone, "s1._domainkey.good.example")
	if f := findingOf(inspected(t, zone, "good.example"), "dmarc-missing"); f == nil || f.Publish.Value != "v=DMARC1; p=reject" || !strings.Contains(f.Fix.Note, "If it does send mail") {
		t.Errorf("%+v", f)
	}
}

func TestTheFirstSPFRecordNamesWhatIsSeenToSend(t *testing.T) {
	zone := resolver.Zone{
		"good.example":    {TXT: []string{"hello"}, MX: []string{"1 smtp.google.com", "10 mx.good.example"}},
		"smtp.google.com": {A: []string{"142.250.1.26"}},
		"mx.good.example": {A: []string{"192.0.2.25"}},
	}
	f := findingOf(inspected(t, zone, "good.example"), "spf-missing")
	if f == nil || f.Publish == nil || f.Publish.Value != "v=spf1 mx include:_spf.google.com ~all" {
		t.Errorf("%+v", f)
	}
}

func TestAFailureOfDNSIsNeverWrittenAsNone(t *testing.T) {
	var text strings.Builder
	r := inspected(t, failing{}, "good.example")
	r.Text(&text, TextOptions{})
	if strings.Contains(text.String(), "none") || strings.Contains(text.String(), "no key") || strings.Count(text.String(), noAnswer) != 5 || !r.DMARC.Unknown || !r.Mail.Unknown {
		t.Errorf("%s", text.String())
	}
}

// failing is DNS that is down.
type failing struct{}

func (failing) Resolve(context.Context, resolver.Question) (resolver.Answer, error) {
	return resolver.Answer{}, resolver.ErrTimeout
}

func TestARecordIsGivenOnceAndRivalsAreNamed(t *testing.T) {
	var text, page strings.Builder
	r := inspected(t, resolver.Zone{"good.example": {A: []string{"192.0.2.80"}}}, "good.example")
	r.Text(&text, TextOptions{})
	if n := strings.Count(text.String(), "value    v=spf1 -all"); n != 1 || !strings.Contains(text.String(), "As above: TXT good.example and TXT _dmarc.good.example.") || r.rivals() != "" {
		t.Errorf("%d times:\n%s", n, text.String())
	}
	r = inspected(t, apex("v=spf1 mx ptr mx -all"), "good.example")
	r.HTML(&page)
	if !strings.Contains(r.rivals(), "TXT good.example") || !strings.Contains(page.String(), "mv-rivals") {
		t.Errorf("%q\n%s", r.rivals(), page.String())
	}
	if r := inspected(t, goodZone(), "good.example"); r.rivals() != "" {
		t.Error(r.rivals())
	}
}

func TestWhatDNSDidNotAnswerComesBeforeWarnings(t *testing.T) {
	zone := dmarcIs("v=DMARC1; p=none")
	zone["good.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrTimeout}}
	if r := inspected(t, zone, "good.example"); r.Findings[0].ID != "dns-unanswered" || len(r.Findings) < 2 {
		t.Error(ids(r))
	}
	zone = dmarcIs("v=DMARC1; p=none")
	zone["_mta-sts.good.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrTimeout}}
	if r := inspected(t, zone, "good.example"); r.Findings[0].ID == "dns-unanswered" {
		t.Error(ids(r))
	}
}

func TestARecordThatHasAllOfTheOthersStays(t *testing.T) {
	const all = "v=spf1 mx include:_spf.mailer.example -all"
	f := findingOf(inspected(t, apex("v=spf1 mx -all", all), "good.example"), "spf-multiple")
	if f == nil || f.Publish != nil || len(f.Fix.Changes) != 1 || f.Fix.Changes[0].Action != "delete" || f.Fix.Changes[0].Value != "v=spf1 mx -all" || !strings.Contains(f.Fix.Note, all) {
		t.Errorf("%+v %+v", f, f.Fix)
	}
}

func TestOnlyWhatIsNotThereIsToBePublished(t *testing.T) {
	zone := plus(apex("v=spf1 mx include:servers.mcsv.net -all"), resolver.Zone{
		"servers.mcsv.net":           {TXT: []string{"v=spf1 ip4:205.201.128.0/20 -all"}},
		"k2._domainkey.good.example": {CNAME: "dkim2.mcsv.net"}, // and no key there
	})
	f := findingOf(inspected(t, zone, "good.example"), "provider-setup")
	if f == nil || len(f.Fix.Changes) != 1 || f.Fix.Changes[0].Name != "k3._domainkey.good.example" || strings.Contains(f.Evidence, "k2") {
		t.Errorf("%+v", f)
	}
}

func TestAReturnPathIsNotToldToHaveOneBelowIt(t *testing.T) {
	zone := plus(goodZone(), resolver.Zone{
		"bounce.good.example":                   {MX: []string{"10 feedback-smtp.eu-west-1.amazonses.com"}, TXT: []string{"v=spf1 include:amazonses.com ~all"}},
		"feedback-smtp.eu-west-1.amazonses.com": {A: []string{"198.51.100.1"}},
		"amazonses.com":                         {TXT: []string{"v=spf1 ip4:199.255.192.0/22 -all"}},
	})
	r := inspected(t, zone, "bounce.good.example")
	if len(r.Setup) != 1 || r.Setup[0].Provider != "amazon-ses" || len(r.Setup[0].Steps) != 0 {
		t.Errorf("%+v", r.Setup)
	}
}

func TestReportsAreNotSentWhereNoMailIsTaken(t *testing.T) {
	zone := resolver.Zone{"good.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}}}
	f := findingOf(inspected(t, zone, "good.example"), "dmarc-missing")
	if f == nil || f.Publish == nil || f.Publish.Value != "v=DMARC1; p=none; rua=mailto:<an address of yours>" || len(f.Publish.Placeholders) != 1 {
		t.Errorf("%+v", f.Publish)
	}
	zone["_dmarc.good.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=none"}}
	if f := findingOf(inspected(t, zone, "good.example"), "dmarc-rua-missing"); f == nil || f.Publish == nil || len(f.Publish.Placeholders) != 1 {
		t.Errorf("%+v", f)
	}
	zone["good.example"] = resolver.Records{TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}, MX: []string{"10 mx.good.example"}}
	if f := findingOf(inspected(t, zone, "good.example"), "dmarc-rua-missing"); f == nil || f.Publish == nil || len(f.Publish.Placeholders) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestARecordBesideAnAliasIsSaidNotToGo(t *testing.T) {
	const there = "_dmarc.good.example.managed.example"
	zone := with(resolver.Zone{
		"_dmarc.good.example":  {CNAME: there},
		there:                  {TXT: []string{"v=DMARC1; p=none"}},
		"www.good.example":     {CNAME: "shops.mailer.example"},
		"shops.mailer.example": {A: []string{"192.0.2.1"}},
	})
	f := findingOf(inspected(t, zone, "good.example"), "dmarc-none")
	if f == nil || !strings.HasPrefix(f.Fix.Note, "_dmarc.good.example is an alias (CNAME) of "+there+", and no other record") {
		t.Errorf("%+v", f)
	}
	f = findingOf(inspected(t, zone, "www.good.example"), "spf-missing")
	if f == nil || !strings.HasPrefix(f.Fix.Note, "www.good.example is an alias") {
		t.Errorf("%+v", f)
	}
}

func TestNoAdviceEndsInTwoDMARCRecords(t *testing.T) {
	const misplaced = "v=DMARC1; p=reject; rua=mailto:dmarc@good.example"
	spf := "v=spf1 mx ip4:192.0.2.0/28 ip6:2001:db8::/48 -all"
	for name, zone := range map[string]resolver.Zone{
		"one at the apex, a broken one in place": plus(apex(spf, misplaced), txt("_dmarc.good.example", "v=DMARC1 p=none")),
		"one at the apex, two in place":          plus(apex(spf, misplaced), txt("_dmarc.good.example", "v=DMARC1; p=none", "v=DMARC1; p=reject")),
		"one at the apex, one in place":          plus(apex(spf, misplaced), txt("_dmarc.good.example", misplaced)),
		"two elsewhere":                          plus(apex(spf, misplaced), resolver.Zone{"_dmarc.good.example": {}, "dmarc.good.example": {TXT: []string{"v=DMARC1; p=none"}}}),
	} {
		for _, f := range inspected(t, zone, "good.example").Findings {
			if f.Fix != nil && f.Severity == SeverityError {
				zone = publish(t, zone, f.Fix)
			}
		}
		if n := len(zone["_dmarc.good.example"].TXT); n != 1 {
			t.Errorf("%s: %d records: %q", name, n, zone["_dmarc.good.example"].TXT)
		}
	}
}

func TestOneSPFRecordIsAdvisedAlone(t *testing.T) {
	zone := resolver.Zone{"good.example": {MX: []string{"1 smtp.google.com"}}, "smtp.google.com": {A: []string{"142.250.1.26"}}}
	r := inspected(t, zone, "good.example")
	var values []string
	for _, f := range r.Findings {
		if f.Publish != nil && strings.HasPrefix(f.Publish.Value, "v=spf1") {
			values = append(values, f.Publish.Value)
		}
	}
	for _, s := range r.Setup {
		for _, step := range s.Steps {
			for _, c := range step.Fix.Changes {
				if strings.HasPrefix(c.Value, "v=spf1") {
					values = append(values, c.Value)
				}
			}
		}
	}
	if len(values) != 1 || values[0] != "v=spf1 include:_spf.google.com ~all" {
		t.Errorf("%q", values)
	}
}

func TestAnAddressThatCannotBeUsedIsReplacedByOne(t *testing.T) {
	f := findingOf(inspected(t, dmarcIs("v=DMARC1; p=reject; rua=https://good.example/"), "good.example"), "dmarc-rua-malformed")
	if f == nil || f.Publish == nil || f.Publish.Value != "v=DMARC1; p=reject; rua=mailto:dmarc@good.example" {
		t.Errorf("%+v %+v", f, f.Publish)
	}
	f = findingOf(inspected(t, dmarcIs("v=DMARC1; p=reject; rua=dmarc@good.example"), "good.example"), "dmarc-rua-malformed")
	if f == nil || f.Publish == nil || f.Publish.Value != "v=DMARC1; p=reject; rua=mailto:dmarc@good.example" {
		t.Errorf("%+v %+v", f, f.Publish)
	}
}
