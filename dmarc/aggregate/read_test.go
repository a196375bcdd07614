package aggregate_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/text/encoding/unicode"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// document is a report of one row, as RFC 7489 has them.
const document = `<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <report_metadata>
    <org_name>Receiver</org_name>
    <email>dmarc@receiver.example</email>
    <report_id>abc</report_id>
    <date_range><begin>1735689600</begin><end>1735775999</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>example.com</domain>
    <p>none</p>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.1</source_ip>
      <count>7</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated>
    </row>
    <identifiers><header_from>example.com</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>
      <spf><domain>bounce.example.net</domain><result>softfail</result></spf>
    </auth_results>
  </record>
</feedback>
`

// with returns the document with one text of it replaced.
func with(t testing.TB, old, instead string) string {
	t.Helper()
	if strings.Count(document, old) != 1 {
		t.Fatalf("%q stands %d times in the document", old, strings.Count(document, old))
	}
	return strings.Replace(document, old, instead, 1)
}

func read(t testing.TB, text string) *aggregate.Report {
	t.Helper()
	reports, err := new(aggregate.Reader).Read(strings.NewReader(text))
	if err != nil || len(reports) != 1 {
		t.Fatalf("%d reports, error %v", len(reports), err)
	}
	return reports[0]
}

// problems returns what String says of the problems of a report.
func problems(r *aggregate.Report) []string {
	var list []string
	for _, p := range r.Problems {
		list = append(list, p.String())
	}
	return list
}

func wantProblems(t *testing.T, r *aggregate.Report, want ...string) {
	t.Helper()
	if got := problems(r); !slices.Equal(got, want) {
		t.Errorf("problems %q, want %q", got, want)
	}
}

func TestAReportIsReadWhole(t *testing.T) {
	want := &aggregate.Report{
		Org: "Receiver", Email: "dmarc@receiver.example", ID: "abc",
		Begin: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2025, 1, 1, 23, 59, 59, 0, time.UTC),
		Policy: aggregate.Policy{Domain: "example.com", P: "none"},
		Rows: []aggregate.Row{{
			Source: netip.MustParseAddr("192.0.2.1"), Count: 7, Disposition: "none", DKIM: "pass", SPF: "fail",
			HeaderFrom: "example.com",
			AuthDKIM:   []aggregate.Auth{{Domain: "example.com", Selector: "s1", Result: "pass"}},
			AuthSPF:    []aggregate.Auth{{Domain: "bounce.example.net", Result: "softfail"}},
		}},
	}
	if got := read(t, document); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%#v\nwant\n%#v", got, want)
	}
}

func TestEveryElementOfRFC9990IsRead(t *testing.T) {
	r := read(t, `<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0" xmlns:ext="urn:example:ext">
<version>1.0</version>
<report_metadata><org_name>o</org_name><email>e@o.example</email><extra_contact_info lang="de">c</extra_contact_info>
<report_id>i</report_id><date_range><begin>1</begin><end>2</end></date_range><error>one</error><generator>g</generator></report_metadata>
<policy_published><domain>d.example</domain><discovery_method>treewalk</discovery_method><p>reject</p><sp>quarantine</sp><np>none</np>
<fo>1:d</fo><adkim>s</adkim><aspf>r</aspf><testing>y</testing></policy_published>
<extension><ext:p>none</ext:p><p>none</p></extension>
<record><row><source_ip>2001:db8::1</source_ip><count>1</count>
<policy_evaluated><disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf>
<reason><type>mailing_list</type><comment>a list</comment></reason><reason><type>other</type></reason></policy_evaluated></row>
<identifiers><envelope_to>t.example</envelope_to><envelope_from>f.example</envelope_from><header_from>h.example</header_from></identifiers>
<auth_results><dkim><domain>k.example</domain><selector>s</selector><result>policy</result><human_result>why</human_result></dkim>
<spf><domain>f.example</domain><scope>mfrom</scope><result>temperror</result><human_result>dns</human_result></spf></auth_results>
<ext:row><source_ip>192.0.2.9</source_ip></ext:row></record></feedback>`)
	want := &aggregate.Report{
		RFC9990: true, Version: "1.0", Org: "o", Email: "e@o.example", Contact: "c", ID: "i", Generator: "g", Errors: []string{"one"},
		Begin: time.Unix(1, 0).UTC(), End: time.Unix(2, 0).UTC(),
		Policy: aggregate.Policy{Domain: "d.example", P: "reject", SP: "quarantine", NP: "none",
			DKIMAlignment: "s", SPFAlignment: "r", FailureOptions: "1:d", Testing: "y", Discovery: "treewalk"},
		Rows: []aggregate.Row{{
			Source: netip.MustParseAddr("2001:db8::1"), Count: 1, Disposition: "quarantine", DKIM: "fail", SPF: "fail",
			Reasons:    []aggregate.Reason{{Type: "mailing_list", Comment: "a list"}, {Type: "other"}},
			HeaderFrom: "h.example", EnvelopeFrom: "f.example", EnvelopeTo: "t.example",
			AuthDKIM: []aggregate.Auth{{Domain: "k.example", Selector: "s", Result: "policy", Comment: "why"}},
			AuthSPF:  []aggregate.Auth{{Domain: "f.example", Scope: "mfrom", Result: "temperror", Comment: "dns"}},
		}},
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got\n%#v\nwant\n%#v", r, want)
	}
}

func TestAReportIsOfRFC9990ByItsNamespaceOrItsElements(t *testing.T) {
	for _, row := range []struct {
		old, instead string
		want         bool
	}{
		{"<feedback>", "<feedback>", false},
		{"<feedback>", `<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">`, false},
		{"<feedback>", `<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">`, true},
		{"<p>none</p>", "<p>none</p><np>none</np>", true},
		{"<p>none</p>", "<p>none</p><testing>n</testing>", true},
		{"<p>none</p>", "<p>none</p><discovery_method>psl</discovery_method>", true},
		{"</policy_published>", "</policy_published><extension/>", true},
		{"<report_id>", "<generator>x</generator><report_id>", true},
	} {
		if got := read(t, with(t, row.old, row.instead)).RFC9990; got != row.want {
			t.Errorf("%s: RFC9990 is %v", row.instead, got)
		}
	}
}

// What senders do to documents, and what is read all the same.
func TestDocumentsThatAreXMLInIntentOnly(t *testing.T) {
	for _, row := range []struct {
		name         string
		old, instead string
		get          func(r *aggregate.Report) string
		want         string
		problem      string
	}{
		{"a wrong encoding in the prolog", `"UTF-8"`, `"UTF-16"`, domain, "example.com", ""},
		{"an encoding that nobody knows", `"UTF-8"`, `"ebcdic-cp-us"`, domain, "example.com", ""},
		{"no prolog", `<?xml version="1.0" encoding="UTF-8"?>`, ``, domain, "example.com", ""},
		{"a prolog that is not closed", `encoding="UTF-8"?>`, `encoding="UTF-8">`, domain, "example.com", ""},
		{"half a prolog", `<?xml version="1.0" encoding="UTF-8"?>`, `?xml version="1.0"?>`, domain, "example.com", ""},
		{"a byte order mark", `<?xml version`, "\ufeff<?xml version", domain, "example.com", ""},
		{"text before the document", `<?xml version`, "This is it.\n<?xml version", domain, "example.com", ""},
		{"a schema element that stays open", `<feedback>`, `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><feedback>`,
			domain, "example.com", "line 2: markup: after a stray xs:schema"},
		{"a schema element within", `<report_metadata>`, `<xs:schema><report_metadata>`,
			domain, "example.com", "line 3: markup: a stray xs:schema"},
		{"a stray end tag", `<report_metadata>`, `</xs:schema><report_metadata>`, domain, "example.com", "line 3: markup: no start tag for xs:schema"},
		{"a prefix", `<feedback>`, `<ns1:feedback xmlns:ns1="http://dmarc.org/dmarc-xml/0.1">`, domain, "example.com", ""},
		{"invalid UTF-8", `Receiver`, "Re\xffceiver", org, "Re\ufffdceiver", "line 4: octets in report_metadata/org_name"},
		{"Latin-1 as the prolog says", `encoding="UTF-8"?>`, "encoding=\"ISO-8859-1\"?><!--", domain, "", ""},
		{"control characters", `Receiver`, "Re\x00\x1bceiver", org, "Re\ufffd\ufffdceiver", "line 4: octets in report_metadata/org_name"},
		{"a Report-ID in angle brackets", `>abc<`, `><abc@receiver.example><`, id, "<abc@receiver.example>",
			`line 6: markup in report_metadata/report_id: a "<" that begins no tag was read as text`},
		{"a Report-ID that looks like a tag", `>abc<`, `><abc><`, id, "<abc>", "line 6: markup in report_metadata/report_id: <abc>"},
		{"a Report-ID with all of these", `>abc<`, `>a<b>c@d&e<`, id, "a<b>c@d&e", ""},
		{"an ampersand", `Receiver`, `A&B &amp; C &nbsp; &#x44; &#0;`, org, "A&B & C &nbsp; D &#0;",
			`line 4: markup in report_metadata/org_name: an "&" that begins no reference was read as text`},
		{"CDATA", `Receiver`, `a<![CDATA[<b>&amp;]]>c`, org, "a<b>&amp;c", ""},
		{"comments", `Receiver`, `a<!-- <b> -- -->c`, org, "ac", ""},
		{"an element that is not closed", `Receiver</org_name>`, `Receiver`, org, "Receiver", "line 5: markup in report_metadata/org_name: no end tag"},
		{"attributes without quotes", `<org_name>`, `<org_name lang=en>`, org, "Receiver", ""},
		{"results in capitals", `<dkim>pass`, `<dkim>PASS`, first, "192.0.2.1 7 none dkim=pass spf=fail example.com",
			"line 17: value in record/row/policy_evaluated/dkim: PASS"},
		{"an empty reason", `</spf></policy`, `</spf><reason></reason></policy`, first, "192.0.2.1 7 none dkim=pass spf=fail example.com",
			"line 17: missing in record/row/policy_evaluated/reason: type"},
		{"an empty envelope_from", `<header_from>`, `<envelope_from/><header_from>`, first, "192.0.2.1 7 none dkim=pass spf=fail example.com", ""},
		{"several errors", `<date_range>`, `<error>a</error><error>b</error><date_range>`,
			func(r *aggregate.Report) string { return strings.Join(r.Errors, ",") }, "a,b", ""},
		{"a span of a week", `1735775999`, `1736294400`, period, "2025-01-01 2025-01-08", ""},
		{"an end before the beginning", `1735775999`, `1735600000`, period, "2025-01-01 2024-12-30",
			"line 25: period: 2025-01-01 00:00:00 to 2024-12-30 23:06:40"},
		{"times with a decimal point", `<end>1735775999`, `<end>1735775999.5`, period, "2025-01-01 2025-01-01", ""},
		{"a time that is none", `<end>1735775999`, `<end>2025-01-01T00:00:00Z`, period, "2025-01-01 0001-01-01",
			"line 7: value in report_metadata/date_range/end: 2025-01-01T00:00:00Z"},
		{"a time after all times", `<end>1735775999`, `<end>9999999999999`, period, "2025-01-01 0001-01-01",
			"line 7: value in report_metadata/date_range/end: 9999999999999"},
		{"a count of none", `<count>7`, `<count>0`, count, "0", ""},
		{"a count beyond 32 bits", `<count>7`, `<count>5000000000`, count, "5000000000", ""},
		{"a count beyond 64 bits", `<count>7`, `<count>18446744073709551617`, count, "0", "line 16: value in record/row/count: 18446744073709551617"},
		{"a count below zero", `<count>7`, `<count>-1`, count, "0", "line 16: value in record/row/count: -1"},
		{"a domain in U-labels", `<header_from>example.com`, `<header_from>Bücher.example`,
			func(r *aggregate.Report) string { return r.Rows[0].HeaderFrom }, "xn--bcher-kva.example", ""},
		{"an IPv4 address within IPv6", `192.0.2.1`, `::ffff:192.0.2.1`, first, "192.0.2.1 7 none dkim=pass spf=fail example.com", ""},
		{"no policy_published", "<policy_published>\n    <domain>example.com</domain>\n    <p>none</p>\n  </policy_published>", "",
			first, "192.0.2.1 7 none dkim=pass spf=fail example.com", "line 22: missing: policy_published"},
		{"an old word for permerror", `softfail`, `unknown`, func(r *aggregate.Report) string { return r.Rows[0].AuthSPF[0].Result }, "permerror",
			"line 22: value in record/auth_results/spf/result: unknown"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := with(t, row.old, row.instead)
			if row.name == "Latin-1 as the prolog says" {
				text = strings.Replace(text, "<!--", "", 1)
				text = strings.Replace(text, "Receiver", "M\xfcnchen", 1)
				row.get, row.want, row.problem = org, "München", "line 4: octets in report_metadata/org_name"
			}
			r := read(t, text)
			if got := row.get(r); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			got := problems(r)
			if row.problem == "" && len(got) > 0 && row.name != "a Report-ID with all of these" ||
				row.problem != "" && !slices.Contains(got, row.problem) {
				t.Errorf("problems %q, want %q", got, row.problem)
			}
		})
	}
}

func domain(r *aggregate.Report) string { return r.Policy.Domain }
func org(r *aggregate.Report) string    { return r.Org }
func id(r *aggregate.Report) string     { return r.ID }
func first(r *aggregate.Report) string  { return r.Rows[0].String() }
func count(r *aggregate.Report) string  { return fmt.Sprint(r.Rows[0].Count) }
func period(r *aggregate.Report) string {
	return r.Begin.Format(time.DateOnly) + " " + r.End.Format(time.DateOnly)
}

func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, text := range files {
		name := fmt.Sprintf("file%d.xml", i)
		if text == "" {
			name = "folder/"
		}
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func mail(kind, body string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(body))
	for i := 76; i < len(encoded); i += 78 {
		encoded = encoded[:i] + "\r\n" + encoded[i:]
	}
	return "From: a@b.example\r\nSubject: Report domain: example.com\r\nContent-Type: " + kind + "\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + encoded + "\r\n"
}

func multipart(parts ...string) string {
	text := "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
	for _, part := range parts {
		text += "--B\r\n" + part + "\r\n"
	}
	return text + "--B--\r\n"
}

func TestWhatAReportComesIn(t *testing.T) {
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(document)
	if err != nil {
		t.Fatal(err)
	}
	stored := zipped(t, "", document)
	half := gzipped(document[:100])
	for name, text := range map[string]string{
		"XML":                             document,
		"UTF-16":                          utf16,
		"gzip":                            gzipped(document),
		"gzip in gzip":                    gzipped(gzipped(document)),
		"gzip of two members":             half + gzipped(document[100:]),
		"zip":                             zipped(t, document),
		"zip with a directory before it":  stored,
		"zip of gzip":                     zipped(t, gzipped(document)),
		"mail with gzip":                  mail("application/gzip", gzipped(document)),
		"mail with zip":                   mail("application/zip", zipped(t, document)),
		"mail that lies about it":         mail("application/zip; name=r.zip", gzipped(document)),
		"mail with octets":                mail("application/octet-stream", document),
		"mail with text":                  mail("text/xml", document),
		"mail in the body":                "From: a@b.example\r\n\r\n" + document,
		"mail of a charset nobody knows":  mail("text/xml; charset=x-none", document),
		"mail from a mailbox":             "From a@b.example Thu Jan  1 00:00:00 1970\n" + mail("application/gzip", gzipped(document)),
		"mail after empty lines":          "\r\n\r\n" + mail("application/gzip", gzipped(document)),
		"mail in gzip":                    gzipped(mail("application/gzip", gzipped(document))),
		"mail with a text before":         multipart("\r\nHello.", mail("application/gzip", gzipped(document))),
		"mail with an HTML text":          multipart("Content-Type: text/html\r\n\r\n<!DOCTYPE html><html>"+strings.Repeat("<p>", 99), mail("text/xml", document)),
		"mail in a forwarded message":     multipart("\r\nFwd", "Content-Type: message/rfc822\r\n\r\n"+mail("application/gzip", gzipped(document))),
		"mail without its last delimiter": strings.TrimSuffix(multipart(mail("application/gzip", gzipped(document))), "--B--\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			r := read(t, text)
			if r.ID != "abc" || r.Messages() != 7 {
				t.Errorf("read %v", r)
			}
			reports, err := new(aggregate.Reader).Read(iotest.OneByteReader(strings.NewReader(text)))
			if err != nil || len(reports) != 1 || !reflect.DeepEqual(reports[0], r) {
				t.Errorf("octet by octet: %v, error %v", reports, err)
			}
		})
	}
}

func TestAllReportsOfAMailAreRead(t *testing.T) {
	text := multipart(mail("application/gzip", gzipped(document)), mail("text/xml", strings.Replace(document, ">abc<", ">def<", 1)))
	reports, err := new(aggregate.Reader).Read(strings.NewReader(text))
	if err != nil || len(reports) != 2 || reports[0].ID != "abc" || reports[1].ID != "def" {
		t.Errorf("reports %v, error %v", reports, err)
	}
}

func TestWhatIsNoReportIsNamed(t *testing.T) {
	tls := `{"organization-name":"Company-X","date-range":{}}`
	for _, row := range []struct {
		name, text string
		want       error
	}{
		{"nothing", "", aggregate.ErrNoReport},
		{"a letter", "From: a@b.example\r\n\r\nHello.\r\n", aggregate.ErrNoReport},
		{"a page", "<html><body>Hello.</body></html>", aggregate.ErrNoReport},
		{"a TLS report", tls, aggregate.ErrTLSReport},
		{"a TLS report in gzip", gzipped(tls), aggregate.ErrTLSReport},
		{"the mail of a TLS report", multipart("Content-Type: text/html\r\n\r\n<!DOCTYPE html>", mail("application/tlsrpt+gzip", gzipped(tls))), aggregate.ErrTLSReport},
		{"a failure report", strings.Replace(multipart("Content-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\n"),
			"multipart/mixed", "multipart/report; report-type=feedback-report", 1), aggregate.ErrFailureReport},
		{"a document type declaration", `<!DOCTYPE feedback [<!ENTITY a "b">]>` + document, aggregate.ErrDTD},
		{"gzip that is none", "\x1f\x8bhello, this is no gzip", aggregate.ErrEncoded},
		{"gzip that is cut short", "\x1f\x8b\x08", aggregate.ErrTruncated},
		{"zip that is cut short", "PK\x03\x04", aggregate.ErrTruncated},
		{"zip that is encrypted", "PK\x03\x04\x14\x00\x01\x00\x08\x00" + strings.Repeat("\x00", 40), aggregate.ErrEncoded},
		{"zip of an unknown method", "PK\x03\x04\x14\x00\x00\x00\x0e\x00" + strings.Repeat("\x00", 40), aggregate.ErrEncoded},
		{"zip without a file", zipped(t, ""), aggregate.ErrEncoded},
		{"a mail whose header is none", "From a@b\nno header\n", aggregate.ErrNoReport},
		{"a mail without a boundary", "Content-Type: multipart/mixed\r\n\r\n--x\r\n", aggregate.ErrEncoded},
	} {
		t.Run(row.name, func(t *testing.T) {
			reports, err := new(aggregate.Reader).Read(strings.NewReader(row.text))
			if len(reports) != 0 || !errors.Is(err, row.want) {
				t.Errorf("%d reports, error %v, want %v", len(reports), err, row.want)
			}
		})
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	r := read(t, "<feedback><record/></feedback>")
	wantProblems(t, r,
		"line 1: missing in record: auth_results", "line 1: missing in record: identifiers", "line 1: missing in record: row",
		"line 1: missing: policy_published", "line 1: missing: report_metadata")
	r = read(t, "<feedback/>")
	wantProblems(t, r, "line 1: missing: policy_published",
		"line 1: missing: record", "line 1: missing: report_metadata")
}

func TestOneElementThatIsEmptyIsOneProblem(t *testing.T) {
	wantProblems(t, read(t, with(t, "Receiver", " ")), "line 4: missing in report_metadata/org_name")
	wantProblems(t, read(t, with(t, "<disposition>none</disposition>", "")), "line 17: missing in record/row/policy_evaluated: disposition")
}

func TestAReportThatIsCutShortStandsAsFarAsItGoes(t *testing.T) {
	long := withRows(100)
	packed := gzipped(long)
	message := mail("application/gzip", packed)
	for name, text := range map[string]string{
		"XML":            long[:len(long)*4/5],
		"gzip":           packed[:len(packed)*4/5],
		"gzip of a part": gzipped(long[:len(long)*4/5]),
		"mail":           message[:len(message)*4/5],
	} {
		reports, err := new(aggregate.Reader).Read(strings.NewReader(text))
		if len(reports) != 1 || !errors.Is(err, aggregate.ErrTruncated) || reports[0].Err != err {
			t.Fatalf("%s: reports %v, error %v", name, reports, err)
		}
		if n := len(reports[0].Rows); n < 50 || n > 90 || reports[0].Messages() != int64(7*n) {
			t.Errorf("%s: %d rows, %d messages", name, n, reports[0].Messages())
		}
	}
}

// oneRow is the row of document, and withRows a document of n like it, each from another address.
var oneRow = document[strings.Index(document, "  <record>"):strings.Index(document, "</feedback>")]

func withRows(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Replace(oneRow, "192.0.2.1", netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), 1))
	}
	return strings.Replace(document, oneRow, b.String(), 1)
}

func TestOctetsAfterAReportAreAProblemOnly(t *testing.T) {
	r := read(t, gzipped(document)+"trailing octets")
	if len(r.Problems) != 1 || r.Problems[0].Kind != aggregate.ProblemTrailing || r.Err != nil {
		t.Errorf("problems %v, error %v", r.Problems, r.Err)
	}
}

func TestALimitIsAnErrorThatNamesIt(t *testing.T) {
	rows := withRows(5)
	deep := with(t, "<row>", strings.Repeat("<row>", 40))
	long := with(t, "Receiver", strings.Repeat("x", 5000))
	longer := with(t, "Receiver", strings.Repeat("<a>", 2000))
	alike := gzipped(strings.Replace(document, "</feedback>", strings.Repeat(" ", 4<<20)+"</feedback>", 1))
	for _, c := range []struct {
		name, text, want string
		limits           aggregate.Limits
		rows             int
	}{
		{"rows", rows, "Rows is 3", aggregate.Limits{Rows: 3}, 3},
		{"depth", deep, "Depth is 32", aggregate.Limits{}, 0},
		{"text", long, "Text is 4000", aggregate.Limits{Text: 4000}, 0},
		{"text of tags", longer, "Text is 4000", aggregate.Limits{Text: 4000}, 0},
		{"size", rows, "Size is 2000", aggregate.Limits{Size: 2000}, 3},
		{"size inflated", gzipped(rows), "Size is 2000", aggregate.Limits{Size: 2000}, 3},
		{"ratio", alike, "Ratio is 300", aggregate.Limits{}, 1},
		{"layers", repeated(gzipped, 10, document), "layers is 8", aggregate.Limits{}, -1},
		{"layers of mail", repeated(func(s string) string { return "Content-Type: message/rfc822\r\n\r\n" + s }, 20, document), "layers is 8", aggregate.Limits{}, -1},
		{"parts", multipart(slices.Repeat([]string{"\r\nx"}, 300)...), "parts is 200", aggregate.Limits{}, -1},
	} {
		reports, err := (&aggregate.Reader{Limits: c.limits}).Read(strings.NewReader(c.text))
		if !errors.Is(err, aggregate.ErrLimit) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
		if c.rows >= 0 && (len(reports) != 1 || len(reports[0].Rows) != c.rows || reports[0].Err == nil) {
			t.Errorf("%s: %v, want %d rows", c.name, reports, c.rows)
		}
	}
}

func repeated(f func(string) string, n int, s string) string {
	for range n {
		s = f(s)
	}
	return s
}
