package stored_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// memory is a Store of files by name.
type memory struct {
	files     map[string]string
	encrypted map[string]string
	breaks    string // the file that breaks off after its first octets
}

func (m *memory) Open(_ context.Context, name string) (io.ReadCloser, error) {
	text, ok := m.files[name]
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case name == m.breaks:
		return io.NopCloser(io.MultiReader(strings.NewReader(text[:len(text)/2]), broken{})), nil
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{strings.NewReader(text), io.NopCloser(nil)}, nil
}

func (m *memory) Encryption(_ context.Context, name string) (string, error) {
	return m.encrypted[name], nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// A line is what tests look at.
type line struct {
	File     string
	Envelope struct {
		IP       string
		MailFrom *string `json:"mail_from"`
	}
	From  struct{ IP, MailFrom string } `json:"envelope_from"`
	Time  time.Time
	SPF   struct{ Status string }
	DKIM  []struct{ Status string }
	DMARC struct {
		Verdict      string
		AuthorDomain string `json:"author_domain"`
	}
	Notes   []string
	Archive stored.About
	Skipped stored.Reason
}

// check returns the lines of a file.
func check(t *testing.T, c *stored.Checker, n stored.Name) []line {
	t.Helper()
	var list []line
	err := c.Check(t.Context(), n, func(l stored.Line) error {
		var parsed line
		if err := json.Unmarshal(l.Text, &parsed); err != nil || bytes.Count(l.Text, []byte("\n")) != 1 || parsed.File != l.File {
			t.Errorf("%s: %v: %s", l.File, err, l.Text)
		}
		list = append(list, parsed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// one returns the only line of a file.
func one(t *testing.T, c *stored.Checker, n stored.Name) line {
	t.Helper()
	list := check(t, c, n)
	if len(list) != 1 {
		t.Fatalf("%d lines, want one: %+v", len(list), list)
	}
	return list[0]
}

// shop returns a signed message as the receiver stored it, and DNS for it.
func shop(t *testing.T) (string, resolver.Zone) {
	zone := resolver.Zone{
		"shop.example":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}},
	}
	message := dmarctest.Message{From: "orders@shop.example", Date: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}.Bytes(t)
	signed := dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: "shop.example"})
	return trace(time.Now().Add(time.Hour)) + string(signed), zone
}

// trace returns the fields of a receiver.
func trace(at time.Time) string {
	return "Return-Path: <bounce@shop.example>\r\n" +
		"Received: from mx.shop.example (mx.shop.example [192.0.2.1]) by mx.receiver.example with ESMTPS id 1; " + at.Format(time.RFC1123Z) + "\r\n"
}

func TestAMessageHasItsVerdictAndTheTimeWhenItCame(t *testing.T) {
	message, zone := shop(t)
	c := &stored.Checker{Store: &memory{files: map[string]string{"a.eml": message}}, Resolver: zone, AsOf: "zone"}
	l := one(t, c, stored.Name{File: "a.eml"})
	if l.DMARC.Verdict != "pass" || l.SPF.Status != "pass" || l.DKIM[0].Status != "pass" || l.Archive.DNS != "zone" || l.Envelope.IP != "192.0.2.1" {
		t.Errorf("%+v", l)
	}
	if away := time.Until(l.Time); away < 30*time.Minute {
		t.Errorf("evaluated at %v, and not when the receiver got it", l.Time)
	}
}

func TestTheZoneBesideAMessageIsAllOfDNSForIt(t *testing.T) {
	message, _ := shop(t)
	c := &stored.Checker{Resolver: resolver.Zone{}, AsOf: stored.AsOfNow, Store: &memory{files: map[string]string{
		"a.eml": message, "a.zone": "_dmarc.shop.example. 60 IN TXT \"v=DMARC1; p=none\"\n",
		"a.json": `{"ip": "203.0.113.9", "mail_from": "x@other.example", "now": "2026-11-02T00:00:00Z"}`}}}
	l := one(t, c, stored.Name{File: "a.eml", Sidecar: "a.json", Zone: "a.zone"})
	if l.Archive.DNS != "stored" || l.DMARC.Verdict != "fail" || l.Envelope.IP != "203.0.113.9" || l.From.IP != "sidecar file" || l.Time.Day() != 2 {
		t.Errorf("%+v", l)
	}
}

const notification = `{"notificationType": "Received",
	"receipt": {"timestamp": "2026-11-01T12:00:03Z", "spfVerdict": {"status": "PASS"}, "dkimVerdict": {"status": "GRAY"},
		"dmarcVerdict": {"status": "FAIL"}, "dmarcPolicy": "reject", "action": {"type": "S3", "objectKey": "k"}},
	"mail": {"timestamp": "2026-11-01T12:00:00Z", "source": "bounce@mail.shop.example", "messageId": "k", "destination": ["a@b.example"]}}`

func TestANotificationOfSESIsTheEnvelopeAndItsVerdictsAreCompared(t *testing.T) {
	_, zone := shop(t)
	message := "Received: from mx.shop.example (mx.shop.example [192.0.2.1])\r\n by inbound-smtp.us-east-1.amazonaws.com with SMTP id abc\r\n for a@b.example;\r\n Sun, 01 Nov 2026 12:00:00 +0000 (UTC)\r\n" +
		"Received-SPF: pass (spfCheck: domain of mail.shop.example designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1; envelope-from=bounce@mail.shop.example; helo=mx.shop.example;\r\n" +
		string(dmarctest.Message{From: "orders@shop.example"}.Bytes(t))
	zone["mail.shop.example"] = resolver.Records{TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}}
	sns, err := json.Marshal(map[string]string{"Type": "Notification", "Message": notification})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"bare": notification, "in SNS": string(sns), "event of Lambda": `{"Records": [{"eventSource": "aws:ses", "ses": ` + notification + `}]}`,
		"event of SNS": `{"Records": [{"Sns": ` + string(sns) + `}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := &stored.Checker{Resolver: zone, AsOf: stored.AsOfNow, Store: &memory{files: map[string]string{"k": message, "k.json": text}}}
			l := one(t, c, stored.Name{File: "k", Sidecar: "k.json"})
			if l.From.MailFrom != "" && l.Envelope.MailFrom == nil || *l.Envelope.MailFrom != "bounce@mail.shop.example" || l.Envelope.IP != "192.0.2.1" || l.Time.Hour() != 12 {
				t.Errorf("%+v", l)
			}
			// SES said FAIL. By SPF of a subdomain, which is aligned, it is a pass.
			if l.DMARC.Verdict != "pass" || l.Archive.Stored.By != "Amazon SES" || !slices.Equal(l.Archive.Differs, []stored.Difference{{Method: "dmarc", Stored: "FAIL", Now: "pass"}}) {
				t.Errorf("%+v, %+v", l.Archive, l.DMARC)
			}
		})
	}
}

func TestStoredAuthenticationResultsAreCompared(t *testing.T) {
	message, zone := shop(t)
	fields := "Authentication-Results: mx.receiver.example; spf=softfail smtp.mailfrom=shop.example;\r\n dkim=fail header.d=x.example; dkim=pass header.d=shop.example\r\n" +
		"Authentication-Results: mx.receiver.example; dmarc=fail header.from=shop.example\r\n" +
		"Authentication-Results: forged.example; dmarc=pass\r\n"
	c := &stored.Checker{Resolver: zone, AsOf: "zone", Store: &memory{files: map[string]string{"a.eml": fields + message}}}
	l := one(t, c, stored.Name{File: "a.eml"})
	want := []stored.Difference{{Method: "spf", Stored: "softfail", Now: "pass"}, {Method: "dmarc", Stored: "fail", Now: "pass"}}
	if l.Archive.Stored.By != "mx.receiver.example" || !slices.Equal(l.Archive.Differs, want) {
		t.Errorf("%+v", l.Archive)
	}
	c.StoredID = "forged.example"
	if l := one(t, c, stored.Name{File: "a.eml"}); len(l.Archive.Differs) != 0 || l.Archive.Stored.DMARC != "pass" {
		t.Errorf("%+v", l.Archive)
	}
}

func TestSignaturesWhoseKeysHaveChangedAreToldApart(t *testing.T) {
	message, zone := shop(t)
	said := "Authentication-Results: mx.receiver.example; dkim=pass header.d=shop.example\r\n"
	others := resolver.Zone{}
	dmarctest.Sign(t, others, []byte("From: a@shop.example\r\n\r\nHi\r\n"), dmarctest.Signature{Domain: "shop.example", Key: signing.RSA(1024)})
	gone := resolver.Zone{"_dmarc.shop.example": zone["_dmarc.shop.example"]}
	changed := resolver.Zone{"_dmarc.shop.example": zone["_dmarc.shop.example"], "test._domainkey.shop.example": others["test._domainkey.shop.example"]}
	for _, tt := range []struct {
		name, message, asOf, how string
		zone                     resolver.Zone
	}{
		{"the key is gone", message, stored.AsOfNow, "gone", gone},
		{"the key is gone, and DNS is of then", message, "zone", "", gone},
		{"there is another key, and the receiver had said pass", said + message, stored.AsOfNow, "other", changed},
		{"there is another key, and nobody had said pass", message, stored.AsOfNow, "", changed},
		{"the body was changed", said + message + "more\r\n", stored.AsOfNow, "", zone},
		{"the key is the same", said + message, stored.AsOfNow, "", zone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &stored.Checker{Resolver: tt.zone, AsOf: tt.asOf, Store: &memory{files: map[string]string{"a.eml": tt.message}}}
			l := one(t, c, stored.Name{File: "a.eml"})
			how := ""
			if len(l.Archive.KeysChanged) > 0 {
				how = l.Archive.KeysChanged[0].How
			}
			if how != tt.how {
				t.Errorf("%q, want %q: %+v", how, tt.how, l)
			}
		})
	}
}

func TestWhatHasNoVerdictIsNamed(t *testing.T) {
	message, zone := shop(t)
	for _, tt := range []struct {
		name, file, text, kind, detail string
	}{
		{"the first object of a rule", "in/AMAZON_SES_SETUP_NOTIFICATION", "Hi\r\n", "setup-notification", "Amazon SES"},
		{"an object that its writer encrypted", "in/secret", "\x9f\x01\x02 noise\n\xff", "encrypted", "AES/GCM/NoPadding"},
		{"a large message", "large.eml", message + strings.Repeat("a line\r\n", 1<<16), "too-large", "more than 262144 octets"},
		{"a large header", "header.eml", strings.Repeat("X-A: b\r\n", 1<<16) + message, "too-large", "more than 262144 octets"},
		{"a PDF", "a.eml", "%PDF-1.7\n", "no-message", "a PDF"},
		{"nothing", "empty.eml", "", "no-message", "empty"},
		{"text", "notes.eml", "just words\n", "no-message", "no header field"},
		{"what the store does not give", "gone.eml", "", "unreadable", "not exist"},
		{"what the store breaks off", "breaks.eml", message, "unreadable", "connection reset"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := &memory{files: map[string]string{tt.file: tt.text}, encrypted: map[string]string{"in/secret": "AES/GCM/NoPadding"}, breaks: "breaks.eml"}
			if tt.file == "gone.eml" {
				store.files = nil
			}
			c := &stored.Checker{Store: store, Resolver: zone, AsOf: "zone", Options: stored.Options{MaxSize: 1 << 18}}
			l := one(t, c, stored.Name{File: tt.file})
			if l.Skipped.Kind != tt.kind || !strings.Contains(l.Skipped.Detail, tt.detail) || l.DMARC.Verdict != "" {
				t.Errorf("%+v", l.Skipped)
			}
		})
	}
}

func TestASidecarThatCannotBeReadIsNoEnvelope(t *testing.T) {
	message, zone := shop(t)
	c := &stored.Checker{Resolver: zone, AsOf: "zone", Store: &memory{files: map[string]string{"a.eml": message, "a.json": `{"ipp": "192.0.2.1"}`}}}
	if l := one(t, c, stored.Name{File: "a.eml", Sidecar: "a.json"}); l.Skipped.Kind != "sidecar" || !strings.Contains(l.Skipped.Detail, "unknown key") {
		t.Errorf("%+v", l)
	}
}

func TestAJournalReportIsUnwrappedWhereItIsAskedFor(t *testing.T) {
	message, zone := shop(t)
	report := "From: Journal <journal@receiver.example>\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nSender: orders@shop.example\r\nRecipient: a@receiver.example\r\n\r\n" +
		"--b\r\nContent-Type: message/rfc822\r\n\r\n" + message + "\r\n--b--\r\n"
	c := &stored.Checker{Resolver: zone, AsOf: "zone", Store: &memory{files: map[string]string{"j.eml": report}}}
	if l := one(t, c, stored.Name{File: "j.eml"}); l.DMARC.AuthorDomain != "receiver.example" || !strings.Contains(strings.Join(l.Notes, " "), "-journal") {
		t.Errorf("a message that calls itself a report was taken for one: %+v", l)
	}
	c.Journal = true
	l := one(t, c, stored.Name{File: "j.eml"})
	if l.DMARC.Verdict != "pass" || l.DMARC.AuthorDomain != "shop.example" || l.DKIM[0].Status != "pass" || !slices.Contains(l.Notes, "taken out of a journal report") {
		t.Errorf("%+v", l)
	}
	c.Store = &memory{files: map[string]string{"j.eml": "X-MS-Journal-Report:\r\nContent-Type: text/plain\r\n\r\nnothing\r\n"}}
	if l := one(t, c, stored.Name{File: "j.eml"}); l.Skipped.Kind != "no-message" || !strings.Contains(l.Skipped.Detail, "journal report") {
		t.Errorf("%+v", l)
	}
}

func TestGzipAndMboxAreRead(t *testing.T) {
	message, zone := shop(t)
	mbox := strings.ReplaceAll("From bounce@shop.example Sun Nov  1 12:00:00 2026\r\n"+message+"\r\nFrom x@y.example Sun Nov  1 12:00:00 2026\r\n"+message+"\r\n", "\r\n", "\n")
	for name, text := range map[string]string{"a.eml.gz": packed(t, message), "b.mbox": mbox, "b.mbox.gz": packed(t, mbox)} {
		c := &stored.Checker{Resolver: zone, AsOf: "zone", Store: &memory{files: map[string]string{name: text}}}
		lines := check(t, c, stored.Name{File: name})
		if want := map[bool]int{true: 2, false: 1}[strings.Contains(name, "mbox")]; len(lines) != want {
			t.Errorf("%s: %d lines", name, len(lines))
		}
		for _, l := range lines {
			if l.DMARC.Verdict != "pass" {
				t.Errorf("%s: %+v", name, l)
			}
		}
	}
	half := packed(t, message)[:200]
	c := &stored.Checker{Resolver: zone, AsOf: "zone", Store: &memory{files: map[string]string{"a.eml.gz": half}}}
	if l := one(t, c, stored.Name{File: "a.eml.gz"}); l.DMARC.Verdict == "pass" || l.Skipped.Kind == "" {
		t.Errorf("half of a message is %+v", l)
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// However an mbox is parted, each message is read once, and has the same name.
func TestTheMessagesOfAnMboxAreTheSameInParts(t *testing.T) {
	for _, end := range []string{"\n", "\r\n"} {
		var b strings.Builder
		for i := range 7 {
			fmt.Fprintf(&b, "From a@b.example Sun Nov  1 12:00:00 2026\nFrom: a@b%d.example\nSubject: x\n\ntext\nFrom here on\n\n>From quoted\n%s\n", i, strings.Repeat("y\n", i*3))
		}
		text := strings.ReplaceAll(b.String(), "\n", end)
		c := &stored.Checker{Resolver: resolver.Zone{}, AsOf: "zone", Store: &memory{files: map[string]string{"m": text}}}
		var whole []string
		for _, l := range check(t, c, stored.Name{File: "m"}) {
			whole = append(whole, l.File+" "+l.DMARC.AuthorDomain)
		}
		if len(whole) != 7 || whole[0] != "m@0 b0.example" {
			t.Fatalf("%q", whole)
		}
		for size := 1; size <= len(text); size += 1 + size/8 {
			var parts []string
			for offset := 0; offset < len(text); offset += size {
				for _, l := range check(t, c, stored.Name{File: "m", Offset: int64(offset), End: int64(min(offset+size, len(text)))}) {
					parts = append(parts, l.File+" "+l.DMARC.AuthorDomain)
				}
			}
			if !slices.Equal(parts, whole) {
				t.Fatalf("parts of %d octets: %q, want %q", size, parts, whole)
			}
		}
	}
}

func TestASummaryAddsUp(t *testing.T) {
	message, zone := shop(t)
	c := &stored.Checker{Resolver: zone, AsOf: "zone", Store: &memory{files: map[string]string{"a.eml": message,
		"b.eml": "Authentication-Results: x; dmarc=pass\r\nFrom: a@shop.example\r\n\r\nHi\r\n", "c.eml": "%PDF-"}}}
	var halves [2]stored.Summary
	for i, name := range []string{"a.eml", "b.eml", "c.eml"} {
		err := c.Check(t.Context(), stored.Name{File: name}, func(l stored.Line) error { return halves[i%2].Add(l.Text) })
		if err != nil {
			t.Fatal(err)
		}
	}
	halves[0].Merge(&halves[1])
	s := halves[0]
	if s.Messages != 2 || s.Verdicts["pass"] != 1 || s.Verdicts["fail"] != 1 || s.Dispositions["reject"] != 1 || s.Skipped["no-message"] != 1 ||
		s.Differences["dmarc pass fail"] != 1 || s.Domains["shop.example"].Verdicts["pass"] != 1 || s.DNS["zone"] != 2 {
		t.Errorf("%+v", s)
	}
}

// FuzzMboxInParts checks that the messages of an mbox are the same, however it is parted.
func FuzzMboxInParts(f *testing.F) {
	f.Add([]byte("From a\nFrom: a@b.example\n\nx\n\nFrom b\nFrom: a@b.example\n\n"), 10)
	f.Add([]byte("From a\r\n\r\n\r\nFrom b\r\n\n\nFrom "), 3)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		if !bytes.HasPrefix(text, []byte("From ")) || len(text) > 1<<10 || size < 1 {
			return
		}
		c := &stored.Checker{Resolver: resolver.Zone{}, AsOf: "zone", Store: &memory{files: map[string]string{"m": string(text)}}}
		names := func(n stored.Name) (list []string) {
			for _, l := range check(t, c, n) {
				list = append(list, l.File)
			}
			return list
		}
		var parts []string
		for offset := 0; offset < len(text); offset += size {
			parts = append(parts, names(stored.Name{File: "m", Offset: int64(offset), End: int64(min(offset+size, len(text)))})...)
		}
		if whole := names(stored.Name{File: "m"}); !slices.Equal(parts, whole) {
			t.Errorf("%q, want %q", parts, whole)
		}
	})
}
