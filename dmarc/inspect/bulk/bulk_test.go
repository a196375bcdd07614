package bulk

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// newsletter is a message as large receivers want it, without its signature.
const newsletter = "From: News <news@good.example>\r\nTo: a@b.example\r\nSubject: News\r\nDate: Sun, 29 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@good.example>\r\n" +
	"List-Unsubscribe: <https://good.example/u/1>, <mailto:u@good.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello\r\n"

const signedFields = "from:to:subject:date:list-unsubscribe:list-unsubscribe-post"

// goodZone is a domain with nothing wrong.
func goodZone() resolver.Zone {
	key, err := signing.Record(signing.RSA(2048).Public())
	if err != nil {
		panic(err)
	}
	return resolver.Zone{
		"good.example":                 {TXT: []string{"v=spf1 mx -all"}, MX: []string{"10 mx.good.example"}},
		"mx.good.example":              {A: []string{"192.0.2.25"}},
		"25.2.0.192.in-addr.arpa":      {PTR: []string{"mx.good.example"}},
		"_dmarc.good.example":          {TXT: []string{"v=DMARC1; p=reject; rua=mailto:dmarc@good.example"}},
		"dkim._domainkey.good.example": {TXT: []string{key}},
		"mx.mailer.example":            {A: []string{"198.51.100.25"}},
	}
}

// checked signs a message, unless fields is empty, checks it, and returns the rules by "receiver rule".
func checked(t *testing.T, z resolver.Resolver, ip, message, fields string) map[string]Result {
	t.Helper()
	if fields != "" {
		var err error
		if message, err = (signing.Signature{Key: signing.RSA(2048), Domain: "good.example", Selector: "dkim", Header: fields}).Sign(message); err != nil {
			t.Fatal(err)
		}
	}
	envelope := dmarc.Envelope{HELO: "mx.good.example", MailFrom: "bounce@good.example"}
	if ip != "" {
		envelope.IP = netip.MustParseAddr(ip)
	}
	verifier := dmarc.Verifier{Resolver: z}
	result, err := verifier.Verify(context.Background(), envelope, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(message, "\r\n\r\n")
	byName := map[string]Result{}
	for _, r := range Check(context.Background(), z, Message{Result: result, Header: []byte(head + "\r\n")}) {
		byName[r.Receiver+" "+r.Rule] = r
	}
	return byName
}

// seen are the rules that can be seen.
var seen = []string{
	"google spf-or-dkim", "google reverse-dns", "google message-format", "google not-from-gmail", "google spf-and-dkim", "google dmarc-record",
	"google aligned", "google one-click-unsubscribe",
	"yahoo spf-or-dkim", "yahoo reverse-dns", "yahoo message-format", "yahoo spf-and-dkim", "yahoo dmarc-record", "yahoo dmarc-pass", "yahoo one-click-unsubscribe",
	"microsoft spf-and-dkim", "microsoft dmarc-record", "microsoft aligned",
	"apple spf-and-dkim", "apple dmarc-published", "apple reverse-dns", "apple message-format",
}

// unseenRules are those that nobody can see here.
var unseenRules = []string{
	"google tls", "google spam-rate", "google unsubscribe-link", "yahoo spam-rate", "yahoo unsubscribe-speed", "apple unsubscribe-link",
}

func TestAMessageAsLargeReceiversWantItMeetsWhatCanBeSeen(t *testing.T) {
	rules := checked(t, goodZone(), "192.0.2.25", newsletter, signedFields)
	for _, name := range seen {
		if rules[name].Status != Met {
			t.Errorf("%s: %+v", name, rules[name])
		}
	}
	for _, name := range unseenRules {
		if rules[name].Status != Unknown {
			t.Errorf("%s: %+v", name, rules[name])
		}
	}
	if len(rules) != len(seen)+len(unseenRules) {
		t.Errorf("%d rules, of which the test knows %d", len(rules), len(seen)+len(unseenRules))
	}
}

func TestEachRuleIsNotMetByAMessageThatLacksIt(t *testing.T) {
	without := func(fields ...string) string {
		var lines []string
		for _, line := range strings.SplitAfter(newsletter, "\r\n") {
			if name, _, _ := strings.Cut(line, ":"); !slices.Contains(fields, name) {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	ptr := func(names ...string) resolver.Zone {
		z := goodZone()
		z["25.2.0.192.in-addr.arpa"] = resolver.Records{PTR: names}
		return z
	}
	failing := func(name string) resolver.Zone {
		z := goodZone()
		z[name] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
		return z
	}
	const otherFrom = "From: a@other.example\r\n"
	for _, tt := range []struct {
		name                string
		zone                resolver.Resolver
		ip, message, fields string
		want                map[string]Status
	}{
		{"without a signature", goodZone(), "192.0.2.25", newsletter, "",
			map[string]Status{"google spf-or-dkim": Met, "google spf-and-dkim": NotMet, "microsoft spf-and-dkim": NotMet, "google one-click-unsubscribe": NotMet}},
		{"from a host that SPF does not list", goodZone(), "203.0.113.9", newsletter, signedFields,
			map[string]Status{"google spf-or-dkim": Met, "google spf-and-dkim": NotMet, "google aligned": Met, "google reverse-dns": NotMet}},
		{"with neither", goodZone(), "203.0.113.9", newsletter, "", map[string]Status{"google spf-or-dkim": NotMet, "yahoo dmarc-pass": NotMet, "google aligned": NotMet}},
		{"from a client that nobody knows", goodZone(), "", newsletter, signedFields,
			map[string]Status{"google reverse-dns": Unknown, "google spf-and-dkim": Unknown, "google spf-or-dkim": Met}},
		{"of a domain without DMARC", func() resolver.Zone { z := goodZone(); delete(z, "_dmarc.good.example"); return z }(), "192.0.2.25", newsletter, signedFields,
			map[string]Status{"google dmarc-record": NotMet, "apple dmarc-published": NotMet, "yahoo dmarc-pass": NotMet}},
		{"of a domain whose DNS is silent", failing("_dmarc.good.example"), "192.0.2.25", newsletter, signedFields, map[string]Status{"google dmarc-record": Unknown}},
		{"with a key that DNS does not give", failing("dkim._domainkey.good.example"), "192.0.2.25", newsletter, signedFields,
			map[string]Status{"google spf-and-dkim": Unknown, "google one-click-unsubscribe": Unknown}},
		{"from a host without a name", ptr(), "192.0.2.25", newsletter, signedFields, map[string]Status{"google reverse-dns": NotMet}},
		{"from a host with a name that leads elsewhere", ptr("mx.mailer.example"), "192.0.2.25", newsletter, signedFields, map[string]Status{"google reverse-dns": NotMet}},
		{"from a host whose name DNS does not give", failing("25.2.0.192.in-addr.arpa"), "192.0.2.25", newsletter, signedFields, map[string]Status{"google reverse-dns": Unknown}},
		{"in the name of another", goodZone(), "192.0.2.25", otherFrom + without("From"), signedFields,
			map[string]Status{"google aligned": NotMet, "microsoft aligned": NotMet, "google spf-and-dkim": Met}},
		{"in the name of somebody at Gmail", goodZone(), "192.0.2.25", "From: a@gmail.com\r\n" + without("From"), signedFields, map[string]Status{"google not-from-gmail": NotMet}},
		{"without a date", goodZone(), "192.0.2.25", without("Date"), signedFields, map[string]Status{"google message-format": NotMet}},
		{"with two subjects", goodZone(), "192.0.2.25", "Subject: x\r\n" + newsletter, signedFields, map[string]Status{"yahoo message-format": NotMet}},
		{"without List-Unsubscribe", goodZone(), "192.0.2.25", without("List-Unsubscribe"), signedFields, map[string]Status{"google one-click-unsubscribe": NotMet}},
		{"without List-Unsubscribe-Post", goodZone(), "192.0.2.25", without("List-Unsubscribe-Post"), signedFields, map[string]Status{"google one-click-unsubscribe": NotMet}},
		{"with mailto only", goodZone(), "192.0.2.25", "List-Unsubscribe: <mailto:u@good.example>\r\n" + without("List-Unsubscribe"), signedFields, map[string]Status{"google one-click-unsubscribe": NotMet}},
		{"whose signature leaves List-Unsubscribe-Post out", goodZone(), "192.0.2.25", newsletter, "from:subject:list-unsubscribe", map[string]Status{"google one-click-unsubscribe": NotMet, "google spf-and-dkim": Met}},
		{"of a list without ARC", goodZone(), "192.0.2.25", otherFrom + "List-Id: <l.good.example>\r\n" + without("From"), signedFields, map[string]Status{"google forwarder-marks": NotMet, "apple forwarder-arc": NotMet}},
	} {
		rules := checked(t, tt.zone, tt.ip, tt.message, tt.fields)
		for name, want := range tt.want {
			if rules[name].Status != want || rules[name].Message == "" {
				t.Errorf("a message %s: %s is %+v, want %s", tt.name, name, rules[name], want)
			}
		}
	}
}

func TestTheTablesOfReceiversCanBeRead(t *testing.T) {
	if len(receivers()) != 4 || len(bounces()) < 10 {
		t.Fatalf("%d receivers, %d bounces", len(receivers()), len(bounces()))
	}
	used := map[string]bool{}
	for _, r := range receivers() {
		if r.Name == "" || r.Source == "" || r.LookedUp == "" || r.Bulk == "" {
			t.Errorf("%s lacks something: %+v", r.Receiver, r)
		}
		for _, rule := range r.Rules {
			used[rule.Rule] = true
			if rules[rule.Rule] == nil || rule.For != "all" && rule.For != "bulk" {
				t.Errorf("%s: nobody checks %+v", r.Receiver, rule)
			}
		}
	}
	for rule := range rules {
		if !used[rule] {
			t.Errorf("no receiver has %s", rule)
		}
	}
	for _, b := range bounces() {
		if b.Means == "" || b.Do == "" || b.Rule != "" && rules[b.Rule] == nil || len(b.Codes)+len(b.Words) == 0 {
			t.Errorf("%+v", b)
		}
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		"421-4.7.30 This mail has been rate limited because DKIM does not pass.":                                                    "4.7.30",
		"550-5.7.26 Your email has been blocked because the sender is unauthenticated.":                                             "5.7.26",
		"550 5.7.515 Access denied, sending domain SHOP.EXAMPLE does not meet the required authentication level.":                   "5.7.515",
		"Diagnostic-Code: smtp; 421 4.7.32 no alignment":                                                                            "4.7.32",
		"454 Throttling failure: Maximum sending rate exceeded.":                                                                    "454",
		"554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: a@b.c": "554",
		"550 5.7.1 no": "",
		"55.7.26":      "",
		"5.7.260":      "",
		"":             "",
	} {
		got := ""
		for _, b := range Explain(text) {
			got += b.Code
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestTextsOfStrangersDoNothingToATerminalOrAPage(t *testing.T) {
	list := []Result{{"google", "x\x1b", "bulk", NotMet, "\x1b[2J<script>\u202e"}, {"nobody", "y", "all", "odd\x1b", "ok"}}
	var text, page bytes.Buffer
	if err := Text(&text, list, TextOptions{Width: 60}); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, list); err != nil {
		t.Fatal(err)
	}
	for _, c := range text.String() + page.String() {
		if c != '\n' && !unicode.IsPrint(c) {
			t.Fatalf("%U in\n%s%s", c, text.String(), page.String())
		}
	}
	if !strings.Contains(text.String(), "NOT MET") || strings.Contains(page.String(), "<script") || !strings.Contains(page.String(), "mv-not-met") {
		t.Errorf("%s%s", text.String(), page.String())
	}
}
