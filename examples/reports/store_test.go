package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// zoneText is the DNS of the reporter, who signs with key, and of the domain that is reported about.
func zoneText() string {
	public := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	return "$ORIGIN .\n" +
		`s._domainkey.reporter.example. 3600 IN TXT "v=DKIM1; k=ed25519; p=` + public + `"` + "\n" +
		`_dmarc.reporter.example. 3600 IN TXT "v=DMARC1; p=reject"` + "\n" +
		`_dmarc.example.com. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:d@example.com"` + "\n" +
		`www.example.com. 3600 IN A 192.0.2.80` + "\n"
}

func signed(t *testing.T, mail string) string {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(mail), &dkim.SignOptions{Domain: "reporter.example", Selector: "s", Signer: key})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// a world is a store and the DNS of its tests.
type world struct {
	t           *testing.T
	store, zone string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := put(t, map[string]string{"dns.zone": zoneText()})
	return &world{t, newStore(t), filepath.Join(dir, "dns.zone")}
}

// newStore returns the URL of a store for a test. Another file has the same tests run with PostgreSQL.
var newStore = func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "a ?#%.db") }

// run runs a command with the store, which has to succeed.
func (w *world) run(command string, args ...string) (stdout, stderr string) {
	w.t.Helper()
	args = append([]string{command, "-store", w.store}, args...)
	args = append(args, "-zone", w.zone)
	status, out, errs := run(w.t, "", args...)
	if status != exitOK {
		w.t.Fatalf("%q: status %d, %s", args, status, errs)
	}
	return out, errs
}

// month fills the store with the signed reports of 30 days.
func (w *world) month(change func(n int, r *aggregate.Report)) {
	w.t.Helper()
	files := make(map[string]string)
	for n := range 30 {
		r := oneReport(fmt.Sprint("day", n))
		r.Begin, r.End = r.Begin.AddDate(0, 0, n), r.End.AddDate(0, 0, n)
		r.Rows[0].Count = 1000
		change(n, r)
		files[fmt.Sprintf("%d.eml", n)] = signed(w.t, mailOf(w.t, r))
	}
	w.run("read", "-quiet", put(w.t, files))
}

var monthEnd = day.AddDate(0, 0, 29).Format(time.DateOnly)

func TestReportsAreStoredOnceAndForgedOnesApart(t *testing.T) {
	w := newWorld(t)
	mail := signed(t, mailOf(t, oneReport("one")))
	forged := mailOf(t, oneReport("forged"))
	dir := put(t, map[string]string{"1.eml": mail, "2.eml": mail, "3.eml": forged})
	out, errs := w.run("read", dir)
	if strings.Count(out, `"reporter":"reporter.example"`) != 2 || strings.Count(out, "\n") != 3 {
		t.Error(out)
	}
	if !strings.Contains(errs, "3 reports: 2 new, 1 that the store had") || !strings.Contains(errs, "1 came in no mail that passes DMARC") {
		t.Error(errs)
	}
	if _, errs := w.run("read", dir); !strings.Contains(errs, "3 reports: 0 new") {
		t.Error(errs)
	}
	var v view
	out, _ = w.run("show", "-json", "-now", "2026-03-02", "EXAMPLE.com.")
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatal(err)
	}
	if v.Domain != "example.com" || v.Messages != 13 || v.Passed != 10 || v.Unproven != 13 || len(v.Sources) != 2 || len(v.Reporters) != 2 {
		t.Errorf("%+v", v)
	}
}

func TestReportsOfStrangersAreCountedApart(t *testing.T) {
	for reporter, want := range map[string]int64{"google.example": 0, "porter.example": 0, "Reporter.example.": 13, "example": 13} {
		w := newWorld(t)
		_, errs := w.run("read", "-reporter", reporter, put(t, map[string]string{"1.eml": signed(t, mailOf(t, oneReport("one")))}))
		var v view
		out, _ := w.run("show", "-json", "-now", "2026-03-02", "example.com")
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatal(err)
		}
		if v.Messages != want || v.Unproven != 13-want || strings.Contains(errs, "1 came from others than -reporter names") != (want == 0) {
			t.Errorf("%s: %d messages, %d unproven, %s", reporter, v.Messages, v.Unproven, errs)
		}
	}
}

func TestShowNamesHostsByReverseDNSThatIsConfirmed(t *testing.T) {
	w := newWorld(t)
	w.run("read", "-trusted", "-quiet", put(t, map[string]string{"1.xml": xmlOf(t, &aggregate.Report{
		Org: "reporter.example", Email: "dmarc@reporter.example", ID: "names", Begin: day, End: day.Add(time.Hour), Policy: aggregate.Policy{Domain: "example.com", P: "none"},
		Rows: []aggregate.Row{
			{Source: netip.MustParseAddr("198.51.100.1"), Count: 3, DKIM: "fail", SPF: "fail", Disposition: "none", HeaderFrom: "example.com"},
			{Source: netip.MustParseAddr("2001:db8::2"), Count: 2, DKIM: "fail", SPF: "fail", Disposition: "none", HeaderFrom: "example.com"},
		},
	})}))
	offline := func() string {
		out, _ := w.run("show", "-offline", "-now", "2026-03-02")
		return out
	}
	if out := offline(); !strings.Contains(out, "198.51.100.1 ") {
		t.Error(out)
	}
	// The second host claims the name of the first one.
	text := zoneText() + "1.100.51.198.in-addr.arpa. 3600 IN PTR mail.example.net.\nmail.example.net. 3600 IN A 198.51.100.1\n" +
		"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 3600 IN PTR mail.example.net.\n"
	w.zone = filepath.Join(put(t, map[string]string{"names.zone": text}), "names.zone")
	out, _ := w.run("show", "-now", "2026-03-02")
	for _, got := range []string{out, offline()} { // the store has it then
		if !strings.Contains(got, "198.51.100.1 (mail.example.net)") || strings.Contains(got, "2001:db8::2 (") {
			t.Error(got)
		}
	}
}

func TestTrustedFilesAreTakenForProven(t *testing.T) {
	w := newWorld(t)
	w.run("read", "-trusted", put(t, map[string]string{"1.xml": xmlOf(t, oneReport("one"))}))
	if out, _ := w.run("show", "-now", "2026-03-02"); !strings.HasPrefix(out, "example.com, 30 days: 13 messages, 10 of them pass (76.9 %)\n") {
		t.Error(out)
	}
}

// A domain that was mistyped has no report, and is not to look like one that sends nothing.
func TestADomainWithoutReportsIsSaidToHaveNone(t *testing.T) {
	w := newWorld(t)
	w.run("read", "-trusted", put(t, map[string]string{"1.xml": xmlOf(t, oneReport("one"))}))
	for _, command := range []string{"show", "rollout"} {
		for domain, want := range map[string]bool{"exmaple.com": true, "example.com": false} {
			out, _ := w.run(command, "-offline", "-now", "2026-03-02", domain)
			if got := strings.Contains(strings.ToLower(out), "the store has no report"); got != want {
				t.Errorf("%s %s:\n%s", command, domain, out)
			}
		}
	}
}

func TestShowTellsWhoSendsAndWhatIsNew(t *testing.T) {
	w := newWorld(t)
	w.month(func(_ int, r *aggregate.Report) {
		r.Rows[1].AuthSPF = []aggregate.Auth{{Domain: "em1.sendgrid.net", Scope: "mfrom", Result: "pass"}}
	})
	out, _ := w.run("show", "-now", monthEnd)
	for _, want := range []string{"selector s", "30,000", "SendGrid", "yours, not aligned", "SendGrid is not set up for example.com:", "s1._domainkey.example.com  CNAME"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "new") {
		t.Errorf("all is new at the first look:\n%s", out)
	}
	r := oneReport("later")
	r.Rows[1].HeaderFrom, r.Rows[1].AuthSPF = "example.com", []aggregate.Auth{{Domain: "x\x1b[31m.spam.example", Result: "pass"}}
	w.run("read", "-trusted", put(t, map[string]string{"1.xml": xmlOf(t, r)}))
	out, _ = w.run("show", "-now", monthEnd)
	if strings.Contains(out, "\x1b") {
		t.Errorf("an escape sequence in %q", out)
	}
}

func TestRolloutTellsTheStepAndTheRecord(t *testing.T) {
	w := newWorld(t)
	w.month(func(n int, r *aggregate.Report) {
		other := r.Rows[1]
		other.HeaderFrom, other.Count = "invented.example.com", 7
		r.Rows = append(r.Rows, other)
		other.HeaderFrom = "www.example.com"
		r.Rows = append(r.Rows, other)
	})
	out, _ := w.run("rollout", "-now", monthEnd, "example.com")
	const record = "_dmarc.example.com  TXT  v=DMARC1; p=quarantine; sp=none; np=reject; rua=mailto:d@example.com"
	if !strings.Contains(out, record) {
		t.Errorf("no %q in\n%s", record, out)
	}
	var p plan
	out, _ = w.run("rollout", "-json", "-now", monthEnd, "example.com")
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	if p.P.Aligned != 30_000 || p.P.Unknown != 90 || p.NP.Unknown != 210 || p.SP.Unknown != 210 || p.Windows[0].Days != 7 || p.Windows[0].P.Aligned != 7000 || p.Covered != 30 {
		t.Errorf("%+v", p)
	}
}

func TestARecordThatWasTakenAwayAsksForNothing(t *testing.T) {
	w := newWorld(t)
	w.month(func(_ int, r *aggregate.Report) { r.Policy.P = "quarantine" })
	w.zone = filepath.Join(put(t, map[string]string{"dns.zone": "$ORIGIN .\nexample.com. 3600 IN A 192.0.2.80\n"}), "dns.zone")
	out, _ := w.run("rollout", "-now", monthEnd, "-people", "no", "example.com")
	if !strings.HasPrefix(out, "example.com: p=none; reports of 30") || !strings.Contains(out, "v=DMARC1; p=quarantine;") || !strings.Contains(out, "No record is published") {
		t.Error(out)
	}
}

func TestRolloutNamesWhatBlocks(t *testing.T) {
	w := newWorld(t)
	w.month(func(_ int, r *aggregate.Report) {
		r.Rows[1].Count = 20
		r.Rows[1].AuthSPF = []aggregate.Auth{{Domain: "em1.sendgrid.net", Scope: "mfrom", Result: "pass"}}
	})
	out, _ := w.run("rollout", "-now", monthEnd, "-people", "no", "example.com")
	if !strings.Contains(out, "- SendGrid sent 600 messages that fail, 2.0 % of your own.") || !strings.Contains(out, `-not-mine "SendGrid"`) || strings.Contains(out, "p=quarantine;") {
		t.Error(out)
	}
	out, _ = w.run("rollout", "-now", monthEnd, "-people", "no", "-not-mine", "SendGrid", "example.com")
	if !strings.Contains(out, "v=DMARC1; p=quarantine;") {
		t.Error(out)
	}
}

func TestRolloutTellsWhoReportsAndWhoDoesNotAnyMore(t *testing.T) {
	w := newWorld(t)
	w.month(func(n int, r *aggregate.Report) {
		if n >= 20 {
			r.Org, r.Rows[0].Count = "Another", 1
		}
	})
	// The mails of both are from one domain, and so is who sent them.
	if out, _ := w.run("rollout", "-now", monthEnd, "example.com"); !strings.Contains(out, "\nReported by reporter.example (99.8 %), Another <reporter.example> (0.2 %).\n") {
		t.Error(out)
	}
	later := day.AddDate(0, 0, 45).Format(time.DateOnly)
	if out, _ := w.run("rollout", "-now", later, "example.com"); !strings.Contains(out, "Not in the last 8 days, but before: reporter.example, Another <reporter.example>.\n") {
		t.Error(out)
	}
}

func TestStoreAddresses(t *testing.T) {
	for _, store := range []string{"", "mysql://a:secret@b", "sqlite:", "a.db"} {
		status, _, errs := run(t, "", "show", "-store", store)
		if status != exitUsage || strings.Contains(errs, "secret") || errs == "" {
			t.Errorf("%q: status %d, %s", store, status, errs)
		}
	}
}
