package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/mailverdict/mailverdict/resolver"
)

// hostileZones are what strangers may publish to hold somebody up, or to get text to where it does
// harm.
func hostileZones() map[string]resolver.Resolver {
	fan := resolver.Zone{}
	for i := range 40 {
		text := "v=spf1"
		for j := range 40 {
			text += fmt.Sprintf(" include:n%d.good.example", (i*40+j)%1000+1)
		}
		fan[fmt.Sprintf("n%d.good.example", i)] = resolver.Records{TXT: []string{text}}
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("v=spf1 include:n%d.good.example -all", i)
	}
	mx := make([]string, 1000)
	for i := range mx {
		mx[i] = fmt.Sprintf("10 mx%d.good.example", i)
	}
	const evil = "\x1b[31m\u202e<script>\r\n\"';--&<b>\x00\xff"
	return map[string]resolver.Resolver{
		"includes that include everything": plus(apex(fan["n0.good.example"].TXT[0]), fan),
		"a record that doubles itself": plus(apex("v=spf1 include:a.good.example include:a.good.example -all"), resolver.Zone{
			"a.good.example": {TXT: []string{"v=spf1 include:b.good.example include:b.good.example -all"}},
			"b.good.example": {TXT: []string{"v=spf1 include:c.good.example include:c.good.example -all"}},
			"c.good.example": {TXT: []string{"v=spf1 include:d.good.example include:d.good.example include:e.good.example -all"}},
			"d.good.example": {TXT: []string{"v=spf1 include:e.good.example include:e.good.example include:e.good.example -all"}},
			"e.good.example": {TXT: []string{"v=spf1 a mx ptr exists:x.good.example -all"}},
		}),
		"a thousand records":      plus(apex(many...), txt("_dmarc.good.example", many...)),
		"a thousand mail servers": with(resolver.Zone{"good.example": {TXT: []string{"v=spf1 mx -all"}, MX: mx}}),
		"long texts": plus(apex("v=spf1 "+strings.Repeat("a ", 30000)), resolver.Zone{
			"_dmarc.good.example":          {TXT: []string{"v=DMARC1; p=reject; " + strings.Repeat("x=y;", 15000)}},
			"dkim._domainkey.good.example": {TXT: []string{"v=DKIM1; p=" + strings.Repeat("A", 60000)}},
		}),
		"texts for terminals and pages": plus(apex("v=spf1 include:"+evil+" -all", evil, "v=DMARC1; p="+evil), resolver.Zone{
			"_dmarc.good.example":          {TXT: []string{"v=DMARC1; p=none; rua=mailto:" + evil + "@x.example, " + evil + "; x=" + evil}},
			"dkim._domainkey.good.example": {TXT: []string{"v=DKIM1; p=" + evil, evil}},
			"_mta-sts.good.example":        {TXT: []string{"v=STSv1" + evil}},
			"default._bimi.good.example":   {TXT: []string{"v=BIMI1" + evil}},
			"s1._domainkey.good.example":   {CNAME: evil + ".sendgrid.net"},
		}),
		"an own record with everything in it": apex("v=spf1 a mx ptr exists:%{i}.%{l}.good.example include:%{d}.good.example redirect=%{o}.good.example exp=" + strings.Repeat("x", 60) + ".example ?all +all"),
		"a resolver that panics":              panics{},
	}
}

type panics struct{}

func (panics) Resolve(context.Context, resolver.Question) (resolver.Answer, error) { panic("no") }

func TestHostileZonesAreAnsweredCalmly(t *testing.T) {
	for name, zone := range hostileZones() {
		start := time.Now()
		r := inspected(t, zone, "good.example", "s9", "\x1b[1m", strings.Repeat("x", 300))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
		if r.Questions > DefaultQuestions {
			t.Errorf("%s: %d questions", name, r.Questions)
		}
		if len(r.Findings) == 0 || len(r.Findings) > 60 {
			t.Errorf("%s: %d findings", name, len(r.Findings))
		}
		var text bytes.Buffer
		if err := r.Text(&text, TextOptions{Lookups: true}); err != nil {
			t.Error(err)
		}
		if text.Len() > 100<<10 {
			t.Errorf("%s: %d octets of text", name, text.Len())
		}
		for _, c := range text.String() {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Fatalf("%s: %U in the text", name, c)
			}
		}
		checkHTML(t, name, r)
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// elements are all that a report has in HTML.
var elements = " html head body section h2 h3 ul li span code pre p dl dt dd mark details summary "

func checkHTML(t *testing.T, name string, r *Report) {
	t.Helper()
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if page.Len() > 150<<10 {
		t.Errorf("%s: %d octets of HTML", name, page.Len())
	}
	root, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && !strings.Contains(elements, " "+n.Data+" ") {
			t.Errorf("%s: there is <%s>", name, n.Data)
		}
		for _, a := range n.Attr {
			if a.Key != "class" {
				t.Errorf("%s: there is %s=%q", name, a.Key, a.Val)
			}
		}
		if n.Type == html.TextNode {
			for _, c := range n.Data {
				if c != '\n' && !unicode.IsPrint(c) {
					t.Fatalf("%s: %U in the page", name, c)
				}
			}
		}
	}
}

func TestSPFTakesNoMoreThanTwoThirdsOfTheQuestions(t *testing.T) {
	i := Inspector{Resolver: hostileZones()["includes that include everything"], Options: Options{Questions: 150}}
	r := i.Inspect(context.Background(), "good.example")
	if r.Questions > 150 || r.DMARC.Policy != "reject" || len(r.DKIM) != 1 {
		t.Errorf("%d questions, policy %q, %d keys", r.Questions, r.DMARC.Policy, len(r.DKIM))
	}
}

func TestSilentNameServersAreSaidToBeSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := resolver.Zone{}
		for name, records := range goodZone() {
			records.Fault = resolver.Fault{Delay: time.Hour}
			zone[name] = records
		}
		start := time.Now()
		r := inspected(t, zone, "good.example")
		if took := time.Since(start); took > DefaultTime+time.Second {
			t.Errorf("it took %v", took)
		}
		if got := ids(r); got != "dns-unanswered" || !r.Open() {
			t.Errorf("found %s, open %v", got, r.Open())
		}
	})
}

func TestOneDeadNameServerDoesNotTakeTheTimeOfAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := plus(apex("v=spf1 mx include:dead.example -all"), resolver.Zone{
			"dead.example":          {Fault: resolver.Fault{Delay: time.Hour}},
			"_dmarc.example":        {Fault: resolver.Fault{Delay: time.Hour}},
			"mx.good.example":       {Fault: resolver.Fault{Delay: 50 * time.Millisecond}, A: []string{"192.0.2.25"}},
			"_mta-sts.good.example": {Fault: resolver.Fault{Delay: time.Hour}},
		})
		start := time.Now()
		r := inspected(t, zone, "good.example")
		if took := time.Since(start); took > DefaultTime || r.DMARC.Policy != "reject" || len(r.DKIM) != 1 || len(r.Unanswered) != 3 {
			t.Errorf("after %v: policy %q, %d keys, unanswered %v", took, r.DMARC.Policy, len(r.DKIM), r.Unanswered)
		}
	})
}

func TestAFailureOfDNSIsNeverTakenForAbsence(t *testing.T) {
	missing := map[string]string{
		"good.example":                 "spf-missing mail-parked dmarc-rua-no-mx",
		"_dmarc.good.example":          "dmarc-missing dmarc-none",
		"dkim._domainkey.good.example": "dkim-no-key dkim-none-found",
		"mx.good.example":              "mail-mx-no-address spf-helo",
		"25.2.0.192.in-addr.arpa":      "",
	}
	for name, ids := range missing {
		zone := goodZone()
		records := zone[name]
		records.Fault = resolver.Fault{Err: resolver.ErrTimeout}
		zone[name] = records
		r := inspected(t, zone, "good.example", "dkim")
		for id := range strings.FieldsSeq(ids) {
			if f := findingOf(r, id); f != nil {
				t.Errorf("%s does not answer, and there is %v", name, f)
			}
		}
		if findingOf(r, "dns-unanswered") == nil || r.Worst() == SeverityError {
			t.Errorf("%s does not answer, and there is %v", name, r.Findings)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add("v=spf1 include:a.good.example ~all", "v=DMARC1; p=none; rua=mailto:a@b.example", "v=DKIM1; p=AAAA", "a.good.example")
	f.Add("v=spf1 ip4:1.2.3.4/0 a//1 mx/3 redirect=%{d}", "v=DMARC1;p=x;sp=;np", "p=", "good.example")
	f.Fuzz(func(t *testing.T, spfText, dmarcText, keyText, name string) {
		zone := resolver.Zone{
			"good.example":                 {TXT: []string{spfText, dmarcText}, MX: []string{"10 a.good.example"}},
			"_dmarc.good.example":          {TXT: []string{dmarcText, spfText}},
			"dkim._domainkey.good.example": {TXT: []string{keyText}},
			"a.good.example":               {TXT: []string{spfText}},
		}
		for _, n := range []string{name, "good.example"} {
			r := inspected(t, zone, n, name)
			var text bytes.Buffer
			r.Text(&text, TextOptions{Lookups: true})
			for _, c := range text.String() {
				if c != '\n' && !unicode.IsPrint(c) {
					t.Fatalf("%U in the text", c)
				}
			}
			checkHTML(t, "fuzz", r)
		}
	})
}
