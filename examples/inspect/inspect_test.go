package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// program runs the program on the domains of testdata.
func program(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(context.Background(), args, strings.NewReader(""), &out, &err)
	return status, out.String(), err.String()
}

func zoned(args ...string) []string {
	return append([]string{"-zone", filepath.Join("testdata", "domains.zone")}, args...)
}

func TestTheExitStatusSaysTheWorst(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.zone")
	if err := os.WriteFile(broken, []byte("a TXT \"x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"nothing is wrong", zoned("good.example"), exitOK},
		{"warnings are no errors", zoned("shop.example"), exitOK},
		{"an error", zoned("good.example", "typo.example"), exitErrors},
		{"a domain that does not exist", zoned("gone.example"), exitErrors},
		{"no domain name", zoned("a b"), exitErrors},
		{"too few questions to know", zoned("-questions", "1", "good.example"), exitOpen},
		{"no argument", nil, exitUsage},
		{"an unknown flag", zoned("-x", "good.example"), exitUsage},
		{"a zone that cannot be read", []string{"-zone", broken, "good.example"}, exitUsage},
		{"a zone that is not there", []string{"-zone", "none.zone", "good.example"}, exitUsage},
		{"a zone and a server", zoned("-dns", "127.0.0.1:53", "good.example"), exitUsage},
		{"a session without a message", zoned("-ip", "192.0.2.1", "good.example"), exitUsage},
		{"a message that is not there", zoned("-message", "none.eml"), exitUsage},
		{"help", []string{"-h"}, exitOK},
		{"the rules", []string{"-rules"}, exitOK},
	} {
		status, stdout, stderr := program(t, tt.args...)
		if status != tt.want {
			t.Errorf("%s: status %d, want %d\n%s%s", tt.name, status, tt.want, stdout, stderr)
		}
		if (status == exitUsage) != (stderr != "") || strings.Count(stderr, "\n") > 1 {
			t.Errorf("%s: standard error has %q", tt.name, stderr)
		}
	}
}

// contract are the keys of CLI.md.
type contract struct {
	Domain   string
	Findings []struct {
		ID, Severity, Message, Evidence string
		Publish                         *struct{ Name, Type, Value string }
	}
	SPF struct {
		Record      string
		Lookups     int
		VoidLookups int `json:"void_lookups"`
	}
	DMARC struct {
		Record, Applies, Policy string
		FoundAt                 string `json:"found_at"`
		Organizational          string `json:"organizational_domain"`
	}
	DKIM []struct {
		Selector string
		KeyType  string `json:"key_type"`
		KeyBits  int    `json:"key_bits"`
	}
	Providers []string
	Bulk      []struct{ Receiver, Rule, Status, Message string }
}

func TestTheJSONHasTheKeysOfTheContract(t *testing.T) {
	_, stdout, _ := program(t, zoned("-json", "eleven.example", "good.example", "shop.example")...)
	var list []contract
	decoder := json.NewDecoder(strings.NewReader(stdout))
	for decoder.More() {
		var c contract
		if err := decoder.Decode(&c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if len(list) != 3 || strings.Count(stdout, "\n") != 3 {
		t.Fatalf("%d objects:\n%s", len(list), stdout)
	}
	eleven, good, shop := list[0], list[1], list[2]
	if eleven.Domain != "eleven.example" || eleven.SPF.Lookups != 11 || eleven.SPF.VoidLookups != 1 || eleven.Findings[0].ID != "spf-too-many-lookups" ||
		eleven.Findings[0].Severity != "error" || eleven.Findings[0].Publish == nil || eleven.Findings[0].Publish.Type != "TXT" {
		t.Errorf("%+v", eleven)
	}
	if len(good.Findings) != 0 || good.DMARC.Applies != "p" || good.DMARC.Policy != "reject" || good.DMARC.FoundAt != "good.example" || good.DMARC.Organizational != "good.example" ||
		len(good.DKIM) != 1 || good.DKIM[0].Selector != "default" || good.DKIM[0].KeyType != "ed25519" || good.DKIM[0].KeyBits != 256 {
		t.Errorf("%+v", good)
	}
	if !slices.Equal(shop.Providers, []string{"amazon-ses"}) {
		t.Errorf("%+v", shop)
	}
}

func TestTheTreeShowsWhatEachTermCosts(t *testing.T) {
	_, stdout, _ := program(t, zoned("-lookups", "eleven.example")...)
	for _, want := range []string{
		"11 of 10 look-ups, 1 of 2 that find nothing",
		"include:a.mailer.example", "include:_netblocks2.google.com", "without it: 7 look-ups",
		"64.233.160.0/24 is in", "4 look-ups, 1 in vain",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

func TestSeveralDomainsAreSummedUp(t *testing.T) {
	_, stdout, _ := program(t, zoned("parked.example", "silent.example", "eleven.example", "typo.example")...)
	_, summary, found := strings.Cut(stdout, "── Summary")
	if !found || !strings.Contains(summary, "silent.example  p=reject") || !strings.Contains(summary, "      2  dmarc-missing") && !strings.Contains(summary, "1  spf-typo") {
		t.Errorf("the summary is\n%s", summary)
	}
	last := -1
	for _, domain := range []string{"parked.example", "silent.example", "eleven.example", "typo.example"} {
		at := strings.Index(stdout, "── "+domain)
		if at <= last {
			t.Errorf("%s has no part of its own, or not in its place", domain)
		}
		last = at
	}
}

func TestWhatStrangersWroteDoesNothingToATerminal(t *testing.T) {
	status, stdout, _ := program(t, zoned("-lookups", "evil.example")...)
	if status != exitErrors {
		t.Errorf("status %d", status)
	}
	for _, r := range stdout {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%U in\n%s", r, stdout)
		}
	}
}

func TestAMessageIsHeldAgainstTheRules(t *testing.T) {
	message := filepath.Join("..", "..", "testdata", "shop-through-provider")
	status, stdout, stderr := program(t, "-zone", message+".zone", "-message", message+".eml", "-ip", "192.0.2.25", "-helo", "x.example", "-from", "<a@tulips.example>", "-json")
	var c contract
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || status != exitOK {
		t.Fatal(status, stderr, err)
	}
	if c.Domain != "tulips.example" || len(c.Bulk) < 20 || c.Bulk[0].Receiver != "google" || c.Bulk[0].Rule != "spf-or-dkim" || c.Bulk[0].Status != "met" {
		t.Errorf("%+v", c)
	}
	_, stdout, _ = program(t, "-message", message+".eml") // the zone and the session stand beside it
	for _, want := range []string{"PASS: this message is from tulips.example.", "What large receivers ask", "NOT MET", "taken from: the sidecar file", "DKIM       pp1: RSA, 2048 bits"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

func TestARefusalIsExplained(t *testing.T) {
	if _, stdout, _ := program(t, "-bounce", "550 5.7.515 Access denied"); !strings.Contains(stdout, "5.7.515 (microsoft)") {
		t.Error(stdout)
	}
	if _, stdout, _ := program(t, "-bounce", "250 ok"); !strings.Contains(stdout, "No code") {
		t.Error(stdout)
	}
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if status := run(ctx, zoned("good.example"), strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}); status != exitInterrupted {
		t.Errorf("status %d", status)
	}
}

func TestADomainIsTakenOutOfWhatPeopleType(t *testing.T) {
	for _, text := range []string{"http://good.example/", "anna@good.example", "_dmarc.good.example", "default._domainkey.good.example"} {
		status, stdout, stderr := program(t, zoned("-json", text)...)
		if status != exitOK || !strings.HasPrefix(stdout, `{"domain":"good.example"`) || !strings.Contains(stderr, "taken for the domain good.example") {
			t.Errorf("%s: status %d\n%s%s", text, status, stdout, stderr)
		}
	}
	if status, _, stderr := program(t, zoned("good.example.")...); status != exitOK || stderr != "" {
		t.Errorf("with a dot at its end: status %d, %s", status, stderr)
	}
	for _, text := range []string{"", "-", "http://", "@"} {
		if status, stdout, stderr := program(t, zoned(text)...); status != exitUsage || stdout != "" || !strings.Contains(stderr, "such as example.com") {
			t.Errorf("%q: status %d\n%s%s", text, status, stdout, stderr)
		}
	}
	for _, text := range []string{"a..b", strings.Repeat("a", 300), "\x1b[31ma.example", "192.0.2.1", "a,b.example"} {
		status, stdout, stderr := program(t, zoned(text)...)
		if status != exitErrors || stderr != "" || !strings.Contains(stdout, "domain-missing") || strings.Contains(stdout, "\x1b") {
			t.Errorf("%q: status %d\n%s%s", text, status, stdout, stderr)
		}
	}
}
