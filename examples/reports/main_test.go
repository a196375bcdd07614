package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// run runs the program.
func run(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs}
	status = p.run(t.Context(), args)
	return status, out.String(), errs.String()
}

// oneReport returns a report about example.com with a row that passes and one that does not.
func oneReport(id string) *aggregate.Report {
	return &aggregate.Report{
		Org: "reporter.example", Email: "dmarc@reporter.example", ID: id, Begin: day, End: day.Add(24*time.Hour - time.Second),
		Policy: aggregate.Policy{Domain: "example.com", P: "none", SP: "none", NP: "reject", DKIMAlignment: "r", SPFAlignment: "r"},
		Rows: []aggregate.Row{
			{Source: netip.MustParseAddr("192.0.2.1"), Count: 10, Disposition: "pass", DKIM: "pass", SPF: "pass", HeaderFrom: "example.com",
				AuthDKIM: []aggregate.Auth{{Domain: "example.com", Selector: "s", Result: "pass"}},
				AuthSPF:  []aggregate.Auth{{Domain: "example.com", Scope: "mfrom", Result: "pass"}}},
			{Source: netip.MustParseAddr("198.51.100.7"), Count: 3, Disposition: "none", DKIM: "fail", SPF: "fail", HeaderFrom: "example.com",
				AuthSPF: []aggregate.Auth{{Domain: "spam.example", Scope: "mfrom", Result: "pass"}}},
		},
	}
}

func xmlOf(t *testing.T, r *aggregate.Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteXML(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mailOf(t *testing.T, r *aggregate.Report) string {
	t.Helper()
	m := aggregate.Mail{Report: r, Submitter: "reporter.example", From: "dmarc@reporter.example", To: []string{"rua@example.com"}, Date: r.End}
	text, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// put writes files into a new folder and returns it.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func compressed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.String()
}

func TestReadPrintsAReportWithTheKeysThatOthersRelyOn(t *testing.T) {
	status, out, errs := run(t, xmlOf(t, oneReport("one")), "read", "-")
	if status != exitOK || errs != "" {
		t.Fatalf("status %d, %s", status, errs)
	}
	want := `{"file":"-","kind":"aggregate","version":"rfc9990","org":"reporter.example","report_id":"one","domain":"example.com",` +
		`"begin":1772323200,"end":1772409599,"policy":{"p":"none","sp":"none","np":"reject","adkim":"r","aspf":"r"},"rows":2,"messages":13,` +
		`"disposition":{"none":3,"pass":10,"quarantine":0,"reject":0},"problems":[]}` + "\n"
	if out != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
}

func TestReadTakesReportsAsPeopleHaveThem(t *testing.T) {
	mbox := ""
	for _, id := range []string{"first", "second"} {
		mbox += "From a@example.com Sun Mar  1 00:00:00 2026\n" + strings.ReplaceAll(mailOf(t, oneReport(id)), "\r\n", "\n") + "\n"
	}
	for name, test := range map[string]struct {
		files map[string]string
		ids   string
	}{
		"a folder with folders in it": {map[string]string{"a.xml": xmlOf(t, oneReport("xml")), "b/c.xml.gz": compressed(t, xmlOf(t, oneReport("gzip")))}, "xml gzip"},
		"names that lie":              {map[string]string{"a.zip": compressed(t, xmlOf(t, oneReport("gzip"))), "b": mailOf(t, oneReport("mail"))}, "gzip mail"},
		"an mbox":                     {map[string]string{"box": mbox}, "first second"},
		"a Maildir, without what is under way": {map[string]string{
			"cur/1:2,S": mailOf(t, oneReport("cur")), "new/2": mailOf(t, oneReport("new")), "tmp/3": mailOf(t, oneReport("tmp")),
			"dovecot-uidlist": "3 V1", ".Reports/cur/5": mailOf(t, oneReport("folder")), ".Reports/new/6": mailOf(t, oneReport("folder2"))},
			"folder folder2 cur new"},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, errs := run(t, "", "read", put(t, test.files))
			var ids []string
			for line := range strings.Lines(out) {
				var d document
				if err := json.Unmarshal([]byte(line), &d); err != nil {
					t.Fatal(err)
				}
				ids = append(ids, d.ReportID)
			}
			if status != exitOK || errs != "" || strings.Join(ids, " ") != test.ids {
				t.Errorf("status %d, %q, %s", status, ids, errs)
			}
		})
	}
}

func TestWhatCannotBeReadIsOneLineAndTheRestIsDone(t *testing.T) {
	dir := put(t, map[string]string{
		"1.xml": "not a report", "2.xml": xmlOf(t, oneReport("good")), "3.xml": xmlOf(t, oneReport("cut"))[:1500],
		"4.json": `{"organization-name":"a","date-range":{}}`, "5\x1b.xml": "",
	})
	status, out, errs := run(t, "", "read", dir, filepath.Join(dir, "none"))
	if status != exitUsage || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"good"`) || !strings.Contains(out, `"reason":"the report ends too soon`) {
		t.Errorf("status %d\n%s", status, out)
	}
	for i, want := range []string{"1.xml: no aggregate report", "3.xml: the report ends too soon", "4.json: this is a TLS report", `5\u001b.xml: no aggregate`, "none: no such file"} {
		lines := strings.Split(errs, "\n")
		if len(lines) != 6 || !strings.Contains(lines[i], want) {
			t.Errorf("no line %d %q in\n%s", i, want, errs)
		}
	}
}

func TestAReportThatIsReadTwiceIsMarked(t *testing.T) {
	text := xmlOf(t, oneReport("same"))
	_, out, _ := run(t, "", "read", put(t, map[string]string{"a.xml": text, "b.xml.gz": compressed(t, text)}))
	if lines := strings.Split(out, "\n"); strings.Contains(lines[0], "repeated") || !strings.Contains(lines[1], `"repeated":true`) {
		t.Error(out)
	}
}

func TestReadTellsFailureReports(t *testing.T) {
	const mail = "From: dmarc@reporter.example\r\nSubject: FW: a failure\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nfailed\r\n" +
		"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nVersion: 1\r\nSource-IP: 192.0.2.9\r\nReported-Domain: example.com\r\n" +
		"Auth-Failure: dmarc\r\nIdentity-Alignment: none\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: a@example.com\r\nSubject: x\r\n\r\n--b--\r\n"
	status, out, errs := run(t, mail, "read", "-")
	if status != exitOK || !strings.Contains(out, `"kind":"failure"`) || !strings.Contains(out, `"domain":"example.com"`) || !strings.Contains(out, `"source_ip":"192.0.2.9"`) {
		t.Errorf("status %d %s %s", status, out, errs)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"mail"}, {"read"}, {"read", "-x", "a"}} {
		if status, out, errs := run(t, "", args...); status != exitUsage || out != "" || errs == "" {
			t.Errorf("%q: status %d %s %s", args, status, out, errs)
		}
	}
	for _, args := range [][]string{{"-h"}, {"read", "-h"}} {
		if status, out, errs := run(t, "", args...); status != exitOK || !strings.HasPrefix(out, "usage: ") || errs != "" {
			t.Errorf("%q: status %d %s %s", args, status, out, errs)
		}
	}
}

func TestAddressesOfMailboxesThatCannotBeUsed(t *testing.T) {
	for address, want := range map[string]string{
		"imaps://host/INBOX":          "imaps://USER@HOST/FOLDER",
		"imaps://a:secret@host/INBOX": "-imap-password",
		"imaps://a@host/%zz":          "no URL",
		"imaps://a@127.0.0.1:1/INBOX": "connection refused",
	} {
		status, out, errs := run(t, "", "read", address)
		if status != exitUsage || out != "" || !strings.Contains(errs, want) || strings.Contains(errs, "secret") {
			t.Errorf("%s: status %d %s%s", address, status, out, errs)
		}
	}
}

func TestWhatCannotBeReadIsKept(t *testing.T) {
	keep := t.TempDir()
	for range 2 { // the same is kept once
		status, _, errs := run(t, "no report, and nowhere but on standard input", "read", "-keep", keep, "-")
		if status != exitUsage || !strings.Contains(errs, "(kept as "+keep) {
			t.Errorf("status %d %s", status, errs)
		}
	}
	files, _ := filepath.Glob(filepath.Join(keep, "*"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	if text, err := os.ReadFile(files[0]); err != nil || !strings.HasPrefix(string(text), "no report") {
		t.Errorf("%s %v", text, err)
	}
}
