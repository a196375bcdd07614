package aggregate_test

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

func reportMail() *aggregate.Mail {
	return &aggregate.Mail{
		Report: full(), Submitter: "receiver.example", From: "dmarc@receiver.example", To: []string{"rua@example.com", "b@example.com"},
		Date: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func mailBytes(t testing.TB, m *aggregate.Mail) []byte {
	t.Helper()
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheMailOfAReport(t *testing.T) {
	text := mailBytes(t, reportMail())
	m, err := netmail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Subject":        "Report Domain: example.com Submitter: receiver.example Report-ID: k3j4h5",
		"From":           "<dmarc@receiver.example>",
		"To":             "<rua@example.com>, <b@example.com>",
		"Date":           "Thu, 02 Jan 2025 03:04:05 +0000",
		"Message-Id":     "<k3j4h5@receiver.example>",
		"Mime-Version":   "1.0",
		"Auto-Submitted": "auto-generated",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for line := range strings.SplitSeq(string(text), "\r\n") {
		if len(line) > 200 || strings.ContainsAny(line, "\r\n") || strings.ContainsFunc(line, func(c rune) bool { return c > '~' }) {
			t.Errorf("line %q", line)
		}
	}
	r := read(t, string(text))
	if r.ID != "k3j4h5" || r.Messages() != full().Messages() {
		t.Errorf("read back as %v", r)
	}
	part := string(text[bytes.Index(text, []byte("Content-Type: application/gzip")):])
	header, err := netmail.ReadMessage(strings.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(header.Header.Get("Content-Disposition"))
	if want := "receiver.example!example.com!1735689600!1735775999!k3j4h5.xml.gz"; err != nil || parameters["filename"] != want {
		t.Errorf("file name %q (%v), want %q", parameters["filename"], err, want)
	}
}

func TestTheSameReportMakesTheSameMail(t *testing.T) {
	one, two := mailBytes(t, reportMail()), mailBytes(t, reportMail())
	if !bytes.Equal(one, two) {
		t.Error("two mails of one report differ")
	}
}

func TestNamesOfHostileDomainsAreHarmless(t *testing.T) {
	m := reportMail()
	m.Report.Policy.Domain = "a/../b_c!d\r\nBcc: x\u00fc.example"
	m.Report.ID = "a!b/c"
	if got, want := m.Filename(), "receiver.example!a-..-b-c-d--Bcc--x-.example!1735689600!1735775999.xml.gz"; got != want {
		t.Errorf("file name %q, want %q", got, want)
	}
	if s := m.Subject(); strings.ContainsAny(s, "\r\n!/_") {
		t.Errorf("subject %q", s)
	}
	text := string(mailBytes(t, m))
	if header, _, _ := strings.Cut(text, "\r\n\r\n"); strings.Contains(header, "\r\nBcc") {
		t.Errorf("header\n%s", header)
	}
	m.To[0] = "x@a.example>\r\nBcc: <y@b.example"
	if text, err := m.Bytes(); err == nil && bytes.Contains(text, []byte("\nBcc")) {
		t.Errorf("%s", text)
	}
}

func TestRowsThatDoNotFitAreNamed(t *testing.T) {
	m := reportMail()
	m.Rows = someRows(5000)
	whole := mailBytes(t, m)
	if n := len(read(t, string(whole)).Rows); n != 5000 {
		t.Fatalf("%d rows", n)
	}
	m.MaxSize = len(whole) / 3
	text := mailBytes(t, m)
	r := read(t, string(text))
	if len(text) > m.MaxSize || len(text) < m.MaxSize*2/3 {
		t.Errorf("%d octets, at most %d are allowed", len(text), m.MaxSize)
	}
	n := len(r.Rows)
	if r.Rows[0].Count != 5000 || r.Rows[n-1].Count != int64(5001-n) {
		t.Errorf("rows of %d to %d messages", r.Rows[0].Count, r.Rows[n-1].Count)
	}
	messages := int64(5000*5001/2) - r.Messages()
	want := fmt.Sprintf("the tag x is <unknown>; %d records with %d messages are left out, as the report would be too large", 5000-n, messages)
	if len(r.Errors) != 1 || r.Errors[0] != want {
		t.Errorf("errors %q, want %q", r.Errors, want)
	}
	m.MaxSize = 4500
	if _, err := m.Bytes(); !errors.Is(err, aggregate.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}
