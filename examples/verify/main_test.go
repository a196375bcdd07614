package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/testdata"
)

var update = flag.Bool("update", false, "write the golden file of the default run")

// fixtures is where the shipped messages are.
const fixtures = "../../testdata"

func fixture(name string) string { return filepath.Join(fixtures, name) }

// A finished run of the program.
type finished struct {
	code           int
	stdout, stderr string
}

func verify(t *testing.T, stdin string, args ...string) finished {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return finished{code, out.String(), errs.String()}
}

// objects reads the JSON lines of a run.
func (f finished) objects(t *testing.T) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(f.stdout) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		list = append(list, o)
	}
	return list
}

func one(t *testing.T, f finished) map[string]any {
	t.Helper()
	list := f.objects(t)
	if len(list) != 1 {
		t.Fatalf("%d objects, stderr %q", len(list), f.stderr)
	}
	return list[0]
}

// at follows keys into an object.
func at(o map[string]any, keys ...string) any {
	var v any = o
	for _, k := range keys {
		v = v.(map[string]any)[k]
	}
	return v
}

// write makes files in a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheDefaultRunExplainsTheShippedMessages(t *testing.T) {
	f := verify(t, "", "-authserv-id", "mx.receiver.example")
	if f.code != exitFailed || f.stderr != "" {
		t.Errorf("exit %d, stderr %q", f.code, f.stderr)
	}
	golden := "testdata/default.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(f.stdout), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, golden); f.stdout != want {
		got, wanted := strings.Split(f.stdout, "\n"), strings.Split(want, "\n")
		for i := range min(len(got), len(wanted)) {
			if got[i] != wanted[i] {
				t.Fatalf("line %d is %q, want %q; go test -update writes %s", i+1, got[i], wanted[i], golden)
			}
		}
		t.Fatalf("%d lines, want %d; go test -update writes %s", len(got), len(wanted), golden)
	}
}

func TestTextHasNoEscapeSequencesAndFitsWhereItIsNoTerminal(t *testing.T) {
	f := verify(t, "", "-v", "-authserv-id", "mx.receiver.example")
	if strings.ContainsAny(f.stdout+f.stderr, "\x1b\r") {
		t.Error("there is an escape sequence or a CR")
	}
	for line := range strings.Lines(f.stdout) {
		if strings.HasPrefix(line, "v=") {
			continue // the value of a record, in one piece for copying
		}
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 && strings.Count(strings.TrimSpace(line), " ") > 1 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestEveryShippedMessageHasTheVerdictOfItsSidecar(t *testing.T) {
	for _, args := range [][]string{{"-json"}, {"-json", fixtures}, {"-json", "-j", "1", fixtures}, {"-json", "-j", "64"}} {
		f := verify(t, "", args...)
		paths, err := filepath.Glob(fixture("*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		list := f.objects(t)
		if f.code != exitFailed || f.stderr != "" || len(list) != len(paths) {
			t.Fatalf("%q: exit %d, stderr %q, %d objects for %d messages", args, f.code, f.stderr, len(list), len(paths))
		}
		for i, o := range list { // in the order of the names
			if got := filepath.Base(o["file"].(string)); got != filepath.Base(paths[i]) {
				t.Errorf("%q: message %d is %s, want %s", args, i, got, paths[i])
			}
			text, err := testdata.Files.ReadFile(strings.TrimSuffix(filepath.Base(paths[i]), ".eml") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var side struct {
				Want struct{ Verdict, Disposition, SPF string }
			}
			if err := json.Unmarshal(text, &side); err != nil {
				t.Fatal(err)
			}
			if at(o, "dmarc", "verdict") != side.Want.Verdict || at(o, "dmarc", "disposition") != side.Want.Disposition ||
				at(o, "spf", "status") != side.Want.SPF {
				t.Errorf("%q: %s: %v, want %+v", args, o["file"], o["dmarc"], side.Want)
			}
		}
	}
}

func TestTheKeysThatProgramsRelyOn(t *testing.T) {
	o := one(t, verify(t, "", "-json", "-authserv-id", "mx.example.net", fixture("shop-through-provider.eml")))
	for _, keys := range []string{
		"file", "spf.status", "spf.identity", "spf.domain", "spf.mechanism", "spf.lookups", "spf.void_lookups",
		"helo.status", "helo.identity", "helo.domain",
		"dmarc.verdict", "dmarc.disposition", "dmarc.author_domain", "dmarc.organizational_domain", "dmarc.policy_domain",
		"dmarc.policy", "dmarc.record", "dmarc.spf_aligned", "dmarc.dkim_aligned", "answer.verdict",
	} {
		if at(o, strings.Split(keys, ".")...) == nil {
			t.Errorf("no %s", keys)
		}
	}
	if at(o, "spf", "evaluation") != nil {
		t.Error("the terms of SPF are there without -v")
	}
	signature := o["dkim"].([]any)[0].(map[string]any)
	for _, key := range []string{"status", "domain", "selector", "algorithm", "key_bits"} {
		if signature[key] == nil {
			t.Errorf("no dkim[0].%s", key)
		}
	}
	if s, _ := o["authentication_results"].(string); !strings.HasPrefix(s, "mx.example.net; spf=pass ") {
		t.Errorf("authentication_results is %q", s)
	}

	dir := write(t, map[string]string{
		"a.eml": "From: Kock, Arne <a@example.com>\n\nHi\n", "a.zone": "_dmarc.example.com. TXT \"v=DMARC1; p=reject; p\"\n",
	})
	o = one(t, verify(t, "", "-json", filepath.Join(dir, "a.eml")))
	var kinds []string
	for _, p := range asList(o["problems"]) {
		kinds = append(kinds, p.(map[string]any)["kind"].(string))
		if p.(map[string]any)["detail"] == "" {
			t.Errorf("no detail in %v", p)
		}
	}
	if !slices.Equal(kinds, []string{"from-unquoted-comma", "policy-no-equals"}) {
		t.Errorf("problems are %q", kinds)
	}

	o = one(t, verify(t, "", "-json", fixture("spoofed-bank-reject.eml")))
	if o["problems"] != nil {
		t.Errorf("problems are %v", o["problems"])
	}
	if list, ok := o["dkim"].([]any); !ok || len(list) != 0 {
		t.Errorf("dkim is %v, want an empty array", o["dkim"])
	}
	if at(o, "dmarc", "reason") == nil || at(o, "spf", "explanation") != "203.0.113.200 does not send mail for First Savings Bank." {
		t.Errorf("reason and explanation are not there: %v", o)
	}
}

func TestASignatureThatExpiredSinceIsSaidToHave(t *testing.T) {
	message := read(t, fixture("expired-signature.eml"))
	zone := fixture("expired-signature.zone")
	// It came after its signature had expired.
	if f := verify(t, message, "-zone", zone, "-"); strings.Contains(f.stdout, "-now") {
		t.Error(f.stdout)
	}
	var at string
	for line := range strings.Lines(message) {
		if _, after, ok := strings.Cut(line, "; "); ok && strings.Contains(line, "+0000") && at == "" {
			at = after
		}
	}
	earlier := strings.Replace(message, at, "Mon, 02 Mar 2020 10:00:00 +0000\r\n", 1)
	f := verify(t, earlier, "-json", "-zone", zone, "-")
	notes := asList(one(t, f)["notes"])
	if len(notes) != 1 || !strings.HasSuffix(notes[0].(string), "after the message came: -now 2020-03-02T10:00:00Z checks it as of then") {
		t.Errorf("notes %q", notes)
	}
	if notes := one(t, verify(t, earlier, "-json", "-now", "2020-03-02T10:00:00Z", "-zone", zone, "-"))["notes"]; notes != nil {
		t.Errorf("notes %q", notes)
	}
}

func TestExitStatus(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.eml")
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"pass", []string{fixture("forwarded.eml")}, exitOK},
		{"none", []string{fixture("no-dmarc-record.eml")}, exitOK},
		{"fail", []string{fixture("spoofed-bank-reject.eml")}, exitFailed},
		{"fail that p=none lets through", []string{fixture("monitoring-owner.eml")}, exitFailed},
		{"permerror", []string{fixture("two-from-fields.eml")}, exitFailed},
		{"temperror", []string{fixture("policy-unavailable.eml")}, exitOpen},
		{"temperror after pass", []string{fixture("forwarded.eml"), fixture("policy-unavailable.eml")}, exitOpen},
		{"temperror and fail", []string{fixture("policy-unavailable.eml"), fixture("spoofed-bank-reject.eml")}, exitFailed},
		{"a file that is not there, and fail", []string{missing, fixture("spoofed-bank-reject.eml")}, exitUsage},
		{"help", []string{"-h"}, exitOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if f := verify(t, "", tt.args...); f.code != tt.want {
				t.Errorf("exit %d, want %d; stderr %q", f.code, tt.want, f.stderr)
			}
		})
	}
}

func TestFlagsMayStandAfterMessages(t *testing.T) {
	f := verify(t, "", fixture("forwarded.eml"), "-json", "-authserv-id", "mx.example.net", "--", fixture("bounce.eml"))
	if list := f.objects(t); len(list) != 2 || f.code != exitOK {
		t.Errorf("exit %d, %d objects, stderr %q", f.code, len(list), f.stderr)
	}
}

func TestFlagsGoBeforeTheSidecar(t *testing.T) {
	o := one(t, verify(t, "", "-json", "-ip", "198.51.100.10", "-helo", "mx.tulips.example", "-from", "<orders@tulips.example>",
		"-now", "1789400000", fixture("shop-through-provider.eml")))
	if at(o, "spf", "status") != "pass" || at(o, "dmarc", "spf_aligned") != true || o["time"] != "2026-09-14T15:33:20Z" ||
		at(o, "envelope_from", "ip") != "flags" || at(o, "helo", "domain") != "mx.tulips.example" {
		t.Errorf("%v", o)
	}
	o = one(t, verify(t, "", "-json", "-from", "<>", fixture("shop-through-provider.eml")))
	if at(o, "spf", "domain") != "out7.parcelpost.example" {
		t.Errorf("null sender: SPF checked %v", at(o, "spf", "domain"))
	}
	o = one(t, verify(t, "", "-json", "-now", "2026-10-06T00:00:00Z", fixture("expired-signature.eml")))
	if at(o, "dmarc", "verdict") != "pass" {
		t.Errorf("before it expired, the verdict is %v", at(o, "dmarc", "verdict"))
	}
	o = one(t, verify(t, "", "-json", "-now", "2026-09-01T00:00:00Z", fixture("shop-through-provider.eml")))
	if at(o, "dmarc", "verdict") != "fail" {
		t.Errorf("before it was signed, the verdict is %v", at(o, "dmarc", "verdict"))
	}
}

func TestZoneFilesAreAllOfDNS(t *testing.T) {
	dir := write(t, map[string]string{
		"a.zone": "tulips.example. TXT \"v=spf1 -all\"\n",
		"b.zone": "_dmarc.tulips.example. TXT \"v=DMARC1; p=quarantine\"\n",
	})
	o := one(t, verify(t, "", "-json", "-zone", filepath.Join(dir, "a.zone"), "-zone", filepath.Join(dir, "b.zone"),
		fixture("shop-through-provider.eml")))
	if at(o, "dmarc", "policy") != "quarantine" || at(o, "spf", "status") != "none" || o["dkim"].([]any)[0].(map[string]any)["status"] != "permerror" {
		t.Errorf("%v", o)
	}
}

func TestPublicSuffixDiscovery(t *testing.T) {
	o := one(t, verify(t, "", "-json", "-psl", fixture("subdomain-under-sp.eml")))
	if at(o, "dmarc", "discovery", "method") == at(one(t, verify(t, "", "-json", fixture("subdomain-under-sp.eml"))), "dmarc", "discovery", "method") {
		t.Errorf("the method is the same with -psl")
	}
}

func TestVerboseShowsEveryQuestion(t *testing.T) {
	f := verify(t, "", "-v", fixture("policy-unavailable.eml"))
	for _, want := range []string{"DNS questions: ", "_dmarc.example.net TXT", "the server failed (SERVFAIL)", "v=spf1 ip4:198.51.100.80 -all"} {
		if !strings.Contains(f.stdout, want) {
			t.Errorf("no %q in\n%s", want, f.stdout)
		}
	}
	o := one(t, verify(t, "", "-v", "-json", fixture("policy-unavailable.eml")))
	if events, _ := o["dns"].([]any); len(events) < 3 {
		t.Errorf("dns is %v", o["dns"])
	}
}

func TestStandardInputIsReadToItsEndOrTheSignal(t *testing.T) {
	message := read(t, fixture("forwarded.eml"))
	zone := fixture("forwarded.zone")
	f := verify(t, message, "-json", "-zone", zone, "-now", "2026-09-01T08:00:00Z", "-")
	o := one(t, f)
	if f.code != exitOK || o["file"] != "-" || at(o, "spf", "status") != "fail" || at(o, "envelope_from", "ip") != "Received field 1" ||
		at(o, "envelope_from", "mail_from") != "Return-Path field" {
		t.Errorf("exit %d, %v, stderr %q", f.code, o, f.stderr)
	}

	ctx, interrupt := context.WithCancel(t.Context())
	endless, keyboard := io.Pipe()
	defer keyboard.Close()
	var out, errs bytes.Buffer
	done := make(chan int)
	go func() { done <- run(ctx, []string{"-zone", zone, "-"}, endless, &out, &errs) }()
	if _, err := io.WriteString(keyboard, "From: kim@example.com\r\n\r\nHel"); err != nil {
		t.Fatal(err)
	}
	interrupt()
	if code := <-done; code != exitInterrupted || out.Len() != 0 || errs.String() != "verify: interrupted\n" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out.String(), errs.String())
	}
}

func TestAFailingOutputIsReported(t *testing.T) {
	var errs bytes.Buffer
	code := run(t.Context(), []string{"-json", fixture("bounce.eml")}, strings.NewReader(""), failingWriter{}, &errs)
	if code != exitUsage || !strings.Contains(errs.String(), "standard output: ") {
		t.Errorf("exit %d, stderr %q", code, errs.String())
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAMessageWithoutASession(t *testing.T) {
	dir := write(t, map[string]string{"bare.eml": "From: kim@example.com\nSubject: Hi\n\nHello\n"})
	o := one(t, verify(t, "", "-json", "-zone", fixture("forwarded.zone"), filepath.Join(dir, "bare.eml")))
	if at(o, "spf", "status") != "none" || at(o, "dmarc", "verdict") != "fail" || at(o, "spf", "reason") == nil {
		t.Errorf("%v", o)
	}
	f := verify(t, "", "-zone", fixture("forwarded.zone"), filepath.Join(dir, "bare.eml"))
	if !strings.Contains(f.stdout, "client not known, HELO not known, MAIL FROM not known") || strings.Contains(f.stdout, "null sender") {
		t.Errorf("the session is not said to be unknown:\n%s", f.stdout)
	}
	// A HELO name must not speak for a MAIL FROM that nobody knows.
	o = one(t, verify(t, "", "-json", "-zone", fixture("bounce.zone"), "-ip", "198.51.100.40", "-helo", "mail.example.com",
		filepath.Join(dir, "bare.eml")))
	if at(o, "spf", "status") != "none" || at(o, "dmarc", "spf_aligned") != false || at(o, "helo", "status") != "pass" {
		t.Errorf("%v", o)
	}
}

func TestWhatIsNotKnownOfTheEnvelopeIsAbsent(t *testing.T) {
	dir := write(t, map[string]string{"bare.eml": "From: kim@example.com\n\nHello\n", "empty.zone": ""})
	args := []string{"-json", "-zone", filepath.Join(dir, "empty.zone"), filepath.Join(dir, "bare.eml")}
	o := one(t, verify(t, "", args...))
	if e := at(o, "envelope").(map[string]any); len(e) != 0 {
		t.Errorf("%v", e)
	}
	o = one(t, verify(t, "", append(args, "-ip", "192.0.2.1", "-from", "<>", "-helo", "")...))
	e := at(o, "envelope").(map[string]any)
	if from, ok := e["mail_from"]; e["ip"] != "192.0.2.1" || !ok || from != "" || e["helo"] != "" {
		t.Errorf("%v", e)
	}
}

func TestAFaultInTheFirstLineIsAVerdict(t *testing.T) {
	empty := filepath.Join(write(t, map[string]string{"empty.zone": ""}), "empty.zone")
	for _, text := range []string{
		" From: a@b.example\r\n\r\nHi\r\n", "\tFrom : a@b.example\n\nHi\n", "no colon\n From: a@b.example\n", "From\n : a@b.example\n", " \n From: a@b.example\n",
	} {
		f := verify(t, text, "-json", "-zone", empty, "-")
		if o := one(t, f); f.code != exitFailed || at(o, "dmarc", "verdict") != "permerror" {
			t.Errorf("%q: exit %d, %v", text, f.code, o)
		}
	}
	for _, text := range []string{" no field\n\nFrom: a@b.example\n", " http\xff: x\n"} {
		if f := verify(t, text, "-json", "-zone", empty, "-"); f.code != exitUsage {
			t.Errorf("%q: exit %d, %s", text, f.code, f.stdout)
		}
	}
}

func TestTheSummaryCounts(t *testing.T) {
	f := verify(t, "", fixture("bounce.eml"), fixture("forwarded.eml"), fixture("two-from-fields.eml"))
	_, summary, _ := strings.Cut(f.stdout, "── Summary ")
	fields := func(line string) []string { return strings.Fields(line) }
	var lines [][]string
	for line := range strings.Lines(summary) {
		lines = append(lines, fields(line))
	}
	for _, want := range [][]string{
		{"bounce.eml", "pass", "yes", "-", "-", "pass", "none"},
		{"forwarded.eml", "fail", "-", "pass", "yes", "pass", "none"},
		{"two-from-fields.eml", "pass", "no", "policy", "-", "permerror", "reject"},
		{"pass", "2", "2", ".", ".", "."},
		{"permerror", "1", ".", ".", "1", "."},
		{"in", "all", "3"},
	} {
		if !slices.ContainsFunc(lines, func(got []string) bool { return slices.Equal(got, want) }) {
			t.Errorf("no line %q in\n%s", want, summary)
		}
	}
	if f := verify(t, "", fixture("bounce.eml")); strings.Contains(f.stdout, "Summary") {
		t.Error("one message has a summary")
	}
}
