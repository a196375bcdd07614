package failure_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/failure"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/suite"
)

const arf = "Feedback-Type: auth-failure\r\nVersion: 1\r\nUser-Agent: R/1\r\nAuth-Failure: dmarc\r\nIdentity-Alignment: dkim, spf\r\n" +
	"Source-IP: 192.0.2.2\r\nReported-Domain: example.com\r\nArrival-Date: Tue, 19 Jul 2022 00:57:48 -0500\r\n"

const original = "Received: from a\r\n by b\r\nFrom: Boss <boss@example.com>\r\nSubject: Invoice\r\n\r\nSecret body.\r\n"

// mail joins parts, each of which has its type before an empty line.
func mail(top string, parts ...string) string {
	text := "From: Reporter <dmarc@receiver.example>\r\nSubject: =?utf-8?q?Failure_=C3=BC?=\r\nDate: Tue, 19 Jul 2022 08:00:00 +0200\r\n" +
		"Content-Type: " + top + "; boundary=B\r\n\r\nPreamble.\r\n"
	for _, part := range parts {
		text += "--B\r\n" + part + "\r\n"
	}
	return text + "--B--\r\n"
}

const report = "multipart/report; report-type=feedback-report"

func part(kind, body string) string { return "Content-Type: " + kind + "\r\n\r\n" + body }

func encoded(kind, body string) string {
	return "Content-Type: " + kind + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(body))
}

func read(t *testing.T, text string) *failure.Report {
	t.Helper()
	r, err := failure.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAReportIsReadWhole(t *testing.T) {
	got := read(t, mail(report, part("text/plain", "For people."), part("message/feedback-report", arf), part("message/rfc822", original)))
	want := &failure.Report{
		From: "Reporter <dmarc@receiver.example>", Subject: "Failure ü", Date: time.Date(2022, 7, 19, 6, 0, 0, 0, time.UTC),
		Structured: true, Type: "auth-failure", UserAgent: "R/1", Failure: "dmarc", Incidents: 1,
		NotAligned: []string{"dkim", "spf"}, AlignmentKnown: true,
		Source: netip.MustParseAddr("192.0.2.2"), Arrival: time.Date(2022, 7, 19, 5, 57, 48, 0, time.UTC),
		Domains: []string{"example.com"}, AuthorDomain: "example.com",
		Header: []failure.Field{{"Received", "from a by b"}, {"From", "Boss <boss@example.com>"}, {"Subject", "Invoice"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if text := got.String(); text != "192.0.2.2, example.com: dmarc, not aligned: dkim, spf" {
		t.Errorf("%s", text)
	}
}

// TestTheSampleOfTheRFC reads the report of RFC 9991, appendix B, with its faults.
func TestTheSampleOfTheRFC(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(suite.Dir(t), "..", "specs", "draft-ietf-dmarc-failure-reporting.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, sample, ok := strings.Cut(string(text), "``` RFC5322\n")
	sample, _, found := strings.Cut(sample, "\n```")
	if !ok || !found {
		t.Fatal("the specification has no sample")
	}
	r := read(t, strings.ReplaceAll(sample, "\n", "\r\n"))
	if r.Source != netip.MustParseAddr("192.0.2.2") || r.SourcePort != 12345 || r.Failure != "dmarc" || !slices.Equal(r.NotAligned, []string{"dkim"}) ||
		r.DKIMDomain != "consumer.example" || r.DKIMSelector != "epsilon" || r.DKIMIdentity != "@consumer.example" ||
		r.MailFrom != "author=gen.example@forwarder.example" || r.EnvelopeID != "65E1A3F0A0" || r.AuthorDomain != "consumer.example" ||
		len(r.AuthResults) != 1 || r.Subject != "FW: This is the original subject" || len(r.Header) < 25 {
		t.Errorf("%+v", r)
	}
	if len(r.Problems) > 0 {
		t.Errorf("problems %v", r.Problems)
	}
}

func TestEveryFieldIsRead(t *testing.T) {
	r := read(t, mail(report, part("message/feedback-report", arf+
		"Incidents: 7\r\nDelivery-Result: Reject\r\nSource-Port: 4711\r\nOriginal-Mail-From: <b@example.com>\r\nOriginal-Rcpt-To: <x@receiver.example>\r\n"+
		"Original-Rcpt-To: y@receiver.example\r\nOriginal-Envelope-Id: q1\r\nReported-Domain: Bücher.example\r\nDKIM-Domain: example.com\r\n"+
		"DKIM-Identity: @example.com\r\nDKIM-Selector: s1\r\nSPF-DNS: txt : example.com :\r\n \"v=spf1 -all\"\r\nAuthentication-Results: a.example;\r\n\tdmarc=fail\r\nX-Other: y\r\n")))
	got := []any{r.Incidents, r.Result, r.SourcePort, r.MailFrom, r.Recipients, r.EnvelopeID, r.Domains, r.DKIMDomain, r.DKIMIdentity, r.DKIMSelector, r.SPFRecords, r.AuthResults}
	want := []any{int64(7), "reject", uint16(4711), "b@example.com", []string{"x@receiver.example", "y@receiver.example"}, "q1",
		[]string{"example.com", "xn--bcher-kva.example"}, "example.com", "@example.com", "s1", []string{`txt : example.com : "v=spf1 -all"`}, []string{"a.example; dmarc=fail"}}
	if !reflect.DeepEqual(got, want) || len(r.Problems) > 0 {
		t.Errorf("got\n%q\nwant\n%q\nproblems %v", got, want, r.Problems)
	}
}

// What senders do, and what is read all the same.
func TestReportsThatAreNotQuiteAsTheyShouldBe(t *testing.T) {
	const source = "192.0.2.2"
	people := "A message claiming to be from you has failed the published DMARC\npolicy for your domain.\n\n  Sender Domain: example.com\n  Sender IP Address: 192.0.2.2\n" +
		"  Received Date: Tue, 19 Jul 2022 00:57:48 -0500\n  SPF Alignment: no\n"
	for name, text := range map[string]string{
		"as multipart/mixed":             mail("multipart/mixed", part("message/feedback-report", arf), part("message/rfc822", original)),
		"in base64":                      mail("multipart/mixed", encoded("message/feedback-report; name=ATT1", "\n"+strings.ReplaceAll(arf, "\r\n", "\n"))),
		"in a mailbox":                   "From a@b Tue Jul 19 00:57:48 2022\n" + mail(report, part("message/feedback-report", arf)),
		"with the header only":           mail(report, part("message/feedback-report", arf), part("text/rfc822-headers", original)),
		"forwarded":                      mail("multipart/mixed", part("text/plain", "FYI"), part("message/rfc822", strings.ReplaceAll(strings.Replace(mail(report, part("message/feedback-report", arf)), "boundary=B", "boundary=C", 1), "--B", "--C"))),
		"without the last delimiter":     strings.TrimSuffix(mail(report, part("message/feedback-report", arf)), "--B--\r\n"),
		"for people only":                "From: a@b.example\r\nSubject: DMARC failure\r\n\r\n" + people,
		"for people, the message beside": mail("multipart/mixed", part("text/plain", people), part("message/rfc822", original)),
		"as RFC 6591 suggests": mail(report, part("text/plain", "This is an email abuse report for an email message received from IP 192.0.2.2 on Tue, 19 Jul 2022 00:57:48 -0500.\r\nMore."),
			part("message/rfc822", original)),
	} {
		t.Run(name, func(t *testing.T) {
			r := read(t, text)
			if r.Source != netip.MustParseAddr(source) || r.AuthorDomain != "example.com" || !r.Arrival.Equal(time.Date(2022, 7, 19, 5, 57, 48, 0, time.UTC)) {
				t.Errorf("%+v", r)
			}
			if structured := strings.Contains(text, "feedback-report") && !strings.Contains(name, "suggests"); r.Structured != structured {
				t.Errorf("structured is %v", r.Structured)
			}
			if strings.Contains(name, "delimiter") != (len(r.Problems) > 0) {
				t.Errorf("problems %v", r.Problems)
			}
		})
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	r := read(t, mail(report, part("message/feedback-report", "this is no field\r\nSource-IP: nowhere\r\nSource-IP: [IPv6:2001:db8::1]\r\nSource-IP: 192.0.2.9\r\n"+
		"Arrival-Date: then\r\nIncidents: -5\r\nSource-Port: 99999\r\nAuth-Failure: dmarc\r\nAuth-Failure: spf\r\nIdentity-Alignment: spf-dkim, arc\r\nReported-Domain: a b\r\n: x\r\n")))
	var kinds []string
	for _, p := range r.Problems {
		kinds = append(kinds, string(p.Kind)+" "+p.Field)
	}
	want := []string{"field ", "field ", "value Source-IP", "value Arrival-Date", "value Incidents", "value Source-Port", "repeated Auth-Failure", "value Identity-Alignment", "value Reported-Domain"}
	if !slices.Equal(kinds, want) {
		t.Errorf("problems %q, want %q", kinds, want)
	}
	if r.Source != netip.MustParseAddr("2001:db8::1") || r.Incidents != 1 || r.Failure != "dmarc" || !slices.Equal(r.NotAligned, []string{"spf", "dkim"}) {
		t.Errorf("%+v", r)
	}
	if text := r.Problems[2].String(); text != "value in Source-IP: nowhere" {
		t.Errorf("%s", text)
	}
	r = read(t, mail(report, part("text/plain", "Nothing."), part("message/rfc822", original)))
	if len(r.Problems) != 1 || r.Problems[0].Kind != failure.ProblemNoSource || r.AlignmentKnown {
		t.Errorf("problems %v", r.Problems)
	}
	r = read(t, mail(report, part("message/feedback-report", "Identity-Alignment: none\r\nSource-IP: 192.0.2.1")))
	if !r.AlignmentKnown || len(r.NotAligned) > 0 || len(r.Problems) > 0 {
		t.Errorf("none: %+v", r)
	}
}

func TestWhatIsNoReport(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"a letter":         "From: a@b.example\r\n\r\nHello: you.\r\n",
		"a bounce":         mail("multipart/report; report-type=delivery-status", part("text/plain", "No."), part("message/rfc822", original)),
		"a broken header":  "From: a\r\nno field\r\n\r\n",
		"too many parts":   mail(report, slices.Repeat([]string{part("text/html", "x")}, 200)...),
		"an aggregate one": mail("multipart/mixed", part("application/gzip", "\x1f\x8b")),
	} {
		r, err := failure.Read(strings.NewReader(text))
		want := failure.ErrNoReport
		if name == "too many parts" {
			want = failure.ErrLimit
		}
		if r != nil || !errors.Is(err, want) {
			t.Errorf("%s: %v, error %v", name, r, err)
		}
	}
	broken := errors.New("the disk is broken")
	text := mail(report, part("message/feedback-report", arf))
	for _, n := range []int{0, 20, len(text) / 2, len(text) - 10} {
		if _, err := failure.Read(io.MultiReader(strings.NewReader(text[:n]), iotest.ErrReader(broken))); err != broken {
			t.Errorf("a reader that breaks after %d octets: %v", n, err)
		}
	}
}

func TestWhatAReportMayTakeIsBounded(t *testing.T) {
	r := read(t, mail(report, part("message/feedback-report", arf+strings.Repeat("no field\r\n", 5000)),
		part("message/rfc822", original[:len(original)-17]+strings.Repeat("X: y\r\n", 5000)+"\r\n")))
	if len(r.Problems) != 100 || len(r.Header) != 1000 {
		t.Errorf("%d problems, %d fields", len(r.Problems), len(r.Header))
	}
	r = read(t, mail(report, part("message/feedback-report", arf+"X: "+strings.Repeat("x", 1<<20))))
	if len(r.Problems) != 0 || !r.Source.IsValid() {
		t.Errorf("a long line: %v", r.Problems)
	}
}

func TestTextOfOthersIsHarmless(t *testing.T) {
	r := read(t, mail(report, part("message/feedback-report", "Auth-Failure: \x1b[31m\x00dmarc\xff\r\nReported-Domain: \x1b]0;x\r\n"+arf),
		part("message/rfc822", "From: \x1b[2J <a@b\x07.example>\r\nX\x1b: y\r\n\r\n")))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "report", r)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{r.String(), log.String(), string(text), r.Failure} {
		if strings.ContainsAny(s, "\x1b\x00\x07") || !utf8.ValidString(s) {
			t.Errorf("%q", s)
		}
	}
	var back failure.Report
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(&back, r) {
		t.Errorf("%v, read back as\n%+v\nwant\n%+v", err, &back, r)
	}
}

func TestAsked(t *testing.T) {
	rec, _, err := record.Parse("v=DMARC1; p=none; fo=1; ruf=mailto:f@example.com,https://x.example/", record.RFC9989)
	if err != nil {
		t.Fatal(err)
	}
	r := &dmarc.Result{DMARC: dmarc.Verdict{Status: dmarc.StatusFail, Discovery: &discovery.Result{
		PolicyDomain: "example.com", Queries: []*discovery.Query{{Domain: "example.com", Record: rec}}}}}
	options, addresses := failure.Asked(r)
	if !slices.Equal(options, []string{"1"}) || !slices.Equal(addresses, []string{"f@example.com"}) {
		t.Errorf("%q, %q", options, addresses)
	}
	r.DMARC.SPFAligned, r.DMARC.DKIMAligned, r.DMARC.Status = true, true, dmarc.StatusPass
	if options, addresses := failure.Asked(r); options != nil || addresses != nil {
		t.Errorf("a pass: %q, %q", options, addresses)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(mail(report, part("text/plain", "received from IP 192.0.2.2 on x"), part("message/feedback-report", arf), part("message/rfc822", original))))
	f.Add([]byte("From: a\r\n\r\nSender IP Address: 1.2.3.4\nReceived Date: x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := failure.Read(strings.NewReader(string(text)))
		if (r == nil) == (err == nil) {
			t.Fatalf("%v, error %v", r, err)
		}
		if r == nil {
			return
		}
		if len(r.Problems) > 100 || len(r.Header) > 1000 || r.Incidents < 1 || strings.ContainsAny(r.String(), "\r\n\x1b") {
			t.Errorf("%+v", r)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
