package show

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
	"github.com/mailverdict/mailverdict/examples/received"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
	"github.com/mailverdict/mailverdict/testdata"
)

// check verifies a message and returns its view, and all that was shown.
func check(t *testing.T, zone resolver.Resolver, e dmarc.Envelope, now time.Time, message []byte) (*View, string) {
	t.Helper()
	v := New(now, "here", e)
	v.AuthservID, v.Base = "mx.example", "/m"
	var all strings.Builder
	add := func(html template.HTML) { all.WriteString(string(html)) }
	verifier := dmarc.Verifier{Resolver: zone, Now: func() time.Time { return now }}
	verifier.SPF.Trace, verifier.SPF.Sequential = true, true
	ctx := trace.With(t.Context(), func(trace.Event) {})
	session := verifier.Begin(ctx, e)
	defer session.Close()
	mailFrom, helo, err := session.SPF(ctx)
	if err != nil {
		t.Fatal(err)
	}
	add(v.SPF(mailFrom, helo))
	fields, _, err := saved.ReadHeader(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	add(v.Header(fields))
	_, _ = session.Write(message)
	r, err := session.Finish()
	if err != nil {
		t.Fatal(err)
	}
	add(v.Received(int64(len(message))))
	for _, html := range v.Finish(r) {
		add(html)
	}
	return v, all.String()
}

// story verifies a message that ships with the repository.
func story(t *testing.T, name string) (*View, string) {
	t.Helper()
	read := func(ext string) sidecar.File {
		text, err := fs.ReadFile(testdata.Files, name+ext)
		if err != nil {
			t.Fatal(err)
		}
		return sidecar.File{Name: name + ext, Text: text}
	}
	said, err := sidecar.Read(read(".json"), read(".zone"))
	if err != nil {
		t.Fatal(err)
	}
	return check(t, said.Zone, dmarc.Envelope{IP: said.IP, HELO: *said.HELO, MailFrom: *said.MailFrom}, said.Now, read(".eml").Text)
}

func stories(t *testing.T) (names []string) {
	t.Helper()
	list, err := fs.Glob(testdata.Files, "*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		names = append(names, strings.TrimSuffix(name, ".eml"))
	}
	return names
}

// The record as it is published, said again, has to lead to the same verdict by the way that changed
// records go.
func TestTheSamePolicyHasTheSameVerdict(t *testing.T) {
	for _, name := range stories(t) {
		v, _ := story(t, name)
		if !v.CanChange() {
			continue
		}
		d := v.Result.DMARC.Discovery
		if d.Query() == nil {
			continue
		}
		same := v.WhatIf(Change{P: d.Query().Record.Policy.String()})
		if same.Disposition != v.Result.DMARC.Disposition.String() || same.Verdict != v.Answer().Verdict {
			t.Errorf("%s: %q and %s, want %q and %s", name, same.Verdict, same.Disposition, v.Answer().Verdict, v.Result.DMARC.Disposition)
		}
	}
}

func TestAnotherPolicyHasItsVerdict(t *testing.T) {
	for _, tt := range []struct {
		name, story       string
		change            Change
		verdict, disposed string
	}{
		{"p=reject in place of none", "monitoring-owner", Change{P: "reject"}, "FAIL", "reject"},
		{"p=none in place of reject", "spoofed-bank-reject", Change{P: "none"}, "FAIL", "none"},
		{"relaxed in place of strict SPF", "strict-alignment", Change{ASPF: "r"}, "PASS", "none"},
		{"relaxed in place of strict DKIM", "strict-alignment", Change{ADKIM: "r"}, "PASS", "none"},
		{"strict in place of relaxed", "custom-mail-from", Change{ADKIM: "s", ASPF: "s"}, "PASS", "none"},
		{"sp for a subdomain", "subdomain-under-sp", Change{SP: "reject"}, "FAIL", "reject"},
		{"sp for a subdomain that does not exist, where np says other", "non-existent-subdomain-np", Change{SP: "none"}, "FAIL", "reject"},
		{"p where sp is stated", "subdomain-under-sp", Change{P: "none"}, "FAIL", "quarantine"},
		{"a first record", "no-dmarc-record", Change{P: "reject"}, "PASS", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, _ := story(t, tt.story)
			w := v.WhatIf(tt.change)
			if !strings.HasPrefix(w.Verdict, tt.verdict) || w.Disposition != tt.disposed {
				t.Errorf("%s: %s, %s, want %s, %s", w.Record, w.Verdict, w.Disposition, tt.verdict, tt.disposed)
			}
		})
	}
}

func TestWhatCannotBeChangedIsNot(t *testing.T) {
	for name, want := range map[string]bool{"two-from-fields": false, "policy-unavailable": false, "bounce": true, "no-dmarc-record": true} {
		if v, _ := story(t, name); v.CanChange() != want {
			t.Errorf("%s can be changed: %v", name, v.CanChange())
		}
	}
	for _, c := range []Change{{P: "x"}, {SP: "<b>"}, {ADKIM: "relaxed"}, {ASPF: "S"}} {
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestEverythingHasItsPlaceOnThePage(t *testing.T) {
	v, shown := story(t, "mailing-list")
	for _, want := range []string{`id="spf"`, `id="dkim-1"`, `id="dkim-2"`, `id="dmarc"`, `id="verdict"`, `class="tree"`, `class="names"`, `class="ladder"`, `class="applies"`,
		`id="whatif"`, "Authentication-Results: mx.example", `href="https://www.rfc-editor.org/rfc/rfc7208#section-4.6.2"`} {
		if !strings.Contains(shown, want) || !strings.Contains(string(v.Page()), want) {
			t.Errorf("%s is missing", want)
		}
	}
	if v.Subject() != "[honey] When to split a strong hive?" {
		t.Errorf("the subject is %q", v.Subject())
	}
}

// What came piece by piece, and the page that is loaded later, are the same.
func TestThePiecesMakeThePage(t *testing.T) {
	for _, name := range stories(t) {
		v, shown := story(t, name)
		page := string(v.Page())
		for _, c := range v.Cards {
			html := string(render("card", c))
			if !strings.Contains(page, html) || !strings.Contains(shown, html) {
				t.Errorf("%s: the card %s is missing", name, c.ID)
			}
		}
	}
}

func TestOfFieldsWithANameTheLowestAreCoveredFirst(t *testing.T) {
	v, _ := story(t, "two-from-fields")
	var from [][]int
	for _, f := range v.Fields {
		if f.Is("From") {
			from = append(from, f.Covered)
		}
	}
	if len(from) != 2 || len(from[0]) != 0 || fmt.Sprint(from[1]) != "[1]" {
		t.Errorf("the From fields are covered by %v", from)
	}
	v, _ = story(t, "body-altered-in-transit")
	if fmt.Sprint(v.Body.Changed, v.Body.Covered) != "[1] []" {
		t.Errorf("%+v", v.Body)
	}
	v, _ = story(t, "appended-after-length")
	if len(v.Body.Covered)+len(v.Body.Changed) != 0 {
		t.Errorf("a body of which only a part is signed: %+v", v.Body)
	}
}

func TestTheCommonPartOfNamesIsWholeLabels(t *testing.T) {
	for _, tt := range [][5]string{
		{"shop.example", "mail.shop.example", "", "mail.", "shop.example"},
		{"a.example", "b.example", "a.", "b.", "example"},
		{"a.example", "a.example", "", "", "a.example"},
		{"xshop.example", "shop.example", "xshop.", "shop.", "example"},
		{"a.example", "b.test", "a.example", "b.test", ""},
	} {
		a, b, end := common(tt[0], tt[1])
		if a != tt[2] || b != tt[3] || end != tt[4] {
			t.Errorf("%s, %s: %q, %q, %q", tt[0], tt[1], a, b, end)
		}
	}
}

func TestTheTreeGrowsWithEachRecord(t *testing.T) {
	v := New(time.Now(), "here", dmarc.Envelope{MailFrom: "a@Shop.example"})
	for _, tt := range []struct {
		name, record string
		grows        bool
	}{
		{"_dmarc.shop.example", "v=spf1 a", false},
		{"other.example", "v=spf1 a", false},
		{"shop.example", "v=spf1 include:_spf.mailer.example -all", true},
		{"shop.example", "v=spf1 include:_spf.mailer.example -all", false},
		{"_spf.mailer.example", "v=spf1 ip4:192.0.2.0/24 include:shop.example redirect=%{d}.x.example -all", true},
	} {
		html := string(v.Question(trace.Event{
			Question: resolver.Question{Name: tt.name, Type: resolver.TypeTXT}, Answer: resolver.Answer{TXT: []string{"unrelated", tt.record}},
		}))
		if strings.Contains(html, `class="tree"`) != tt.grows {
			t.Errorf("%s: %s", tt.name, html)
		}
	}
	if html := string(render("card", v.liveCard())); !strings.Contains(html, "ip4:192.0.2.0/24") {
		t.Errorf("the tree:\n%s", html)
	}
}

func TestALoopOfRecordsIsShownOnce(t *testing.T) {
	zone := resolver.Zone{"a.example": {TXT: []string{"v=spf1 include:b.example include:b.example -all"}}, "b.example": {TXT: []string{"v=spf1 include:a.example include:a.example -all"}}}
	v := New(time.Now(), "here", dmarc.Envelope{MailFrom: "x@a.example"})
	for name, records := range zone {
		v.Question(trace.Event{Question: resolver.Question{Name: name, Type: resolver.TypeTXT}, Answer: resolver.Answer{TXT: records.TXT}})
	}
	if n := len(render("card", v.liveCard())); n > 40_000 {
		t.Errorf("the card has %d octets", n)
	}
}

// All that a sender can write is text in the page, wherever it comes from.
func TestWhatASenderWritesIsText(t *testing.T) {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	zone := resolver.Zone{
		"evil.example":              {TXT: []string{"v=spf1 include:" + evil + ".example exp=e.example -all"}},
		"e.example":                 {TXT: []string{evil}},
		"_dmarc.evil.example":       {TXT: []string{"v=DMARC1; p=reject; x=" + evil + "; rua=mailto:" + evil}},
		"s._domainkey.evil.example": {TXT: []string{"v=DKIM1; n=" + evil + "; p=AAAA"}},
	}
	message := "DKIM-Signature: v=1; a=" + evil + "; d=evil.example; s=s; h=from:" + evil + "; bh=AAAA; b=AAAA; i=" + evil + "@evil.example\r\n" +
		"From: " + evil + " <a@evil.example>\r\nSubject: " + evil + "\r\nX-" + evil + ": " + evil + "\r\nList-Id: " + evil + "\r\n\r\n" + evil
	e := dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.1"), HELO: evil, MailFrom: evil + "@evil.example"}
	v, shown := check(t, zone, e, time.Now(), []byte(message))
	shown += string(v.Say(false, evil)) + string(v.Note(evil)) + string(v.Fail(evil)) + string(v.Page())
	shown += string(v.Question(trace.Event{Question: resolver.Question{Name: evil, Type: resolver.TypeTXT}, Answer: resolver.Answer{TXT: []string{evil}}}))
	if lower := strings.ToLower(shown); strings.Contains(lower, "<script") || strings.Contains(lower, "<img") {
		t.Errorf("not all is text:\n%s", shown)
	}
	if !strings.Contains(shown, "&lt;script&gt;") {
		t.Error("nothing of it is shown")
	}
}

func TestLongThingsAreCut(t *testing.T) {
	var fields []received.Field
	for n := range 5000 {
		fields = append(fields, received.Field{Name: fmt.Sprintf("X-%d", n), Body: strings.Repeat("x", 10_000)})
	}
	v := New(time.Now(), "here", dmarc.Envelope{})
	if html := v.Header(fields); len(html) > 150_000 || !strings.Contains(string(html), "and 4850 more fields") {
		t.Errorf("%d octets", len(html))
	}
	for n := range 1000 {
		v.Question(trace.Event{Question: resolver.Question{Name: fmt.Sprintf("%d.example", n), Type: resolver.TypeTXT}})
	}
	if len(v.Questions) != maxQuestions {
		t.Errorf("%d questions", len(v.Questions))
	}
}
