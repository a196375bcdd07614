package spf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestAResultIsOneLineForAnOperator(t *testing.T) {
	zone := resolver.Zone{
		"example.com":      {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"mail.example.com": {TXT: []string{"v=spf1 moo"}},
		"neutral.example":  {TXT: []string{"v=spf1"}},
	}
	c := spf.Checker{Resolver: zone}
	unknown, hostile, neutral := client, client, client
	unknown.MailFromUnknown = true
	hostile.MailFrom = "a@b\r\n\x1b[31m"
	neutral.MailFrom = "a@neutral.example"
	for _, test := range []struct {
		result *spf.Result
		want   string
		log    string
	}{
		{c.Check(t.Context(), client), "pass for example.com (mailfrom) by ip4:192.0.2.1",
			"spf.status=pass spf.identity=mailfrom spf.domain=example.com spf.mechanism=ip4:192.0.2.1 spf.lookups=0"},
		{c.CheckHELO(t.Context(), client),
			`permerror for mail.example.com (helo): the SPF record is malformed: "moo" at octet 7: want one of the mechanisms all, include, a, mx, ptr, ip4, ip6, exists`,
			`spf.status=permerror spf.identity=helo spf.domain=mail.example.com spf.cause=syntax spf.reason="the SPF record is malformed: \"moo\" at octet 7: want one of the mechanisms all, include, a, mx, ptr, ip4, ip6, exists" spf.lookups=0`},
		{c.Check(t.Context(), unknown), "none (mailfrom): MAIL FROM is not known",
			`spf.status=none spf.identity=mailfrom spf.cause=no-mail-from spf.reason="MAIL FROM is not known" spf.lookups=0`},
		{c.Check(t.Context(), hostile), `none for b\013\010\027[31m (mailfrom): the domain of the identity is not one that can have a record: domain name has an octet other than a letter, digit, hyphen, underscore or dot`,
			`spf.status=none spf.identity=mailfrom spf.domain=b\013\010\027[31m spf.cause=bad-domain spf.reason="the domain of the identity is not one that can have a record: domain name has an octet other than a letter, digit, hyphen, underscore or dot" spf.lookups=0`},
		{c.Check(t.Context(), neutral), "neutral for neutral.example (mailfrom): no term of the record matches and it has no default",
			`spf.status=neutral spf.identity=mailfrom spf.domain=neutral.example spf.cause=no-match spf.reason="no term of the record matches and it has no default" spf.lookups=0`},
	} {
		if got := test.result.String(); got != test.want {
			t.Errorf("got %s\nwant %s", got, test.want)
		}
		var b bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key != "spf" {
				return slog.Attr{}
			}
			return a
		}}))
		logger.Info("checked", "spf", test.result)
		if got := b.String(); got != test.log+"\n" {
			t.Errorf("got %swant %s", got, test.log)
		}
	}
}

func TestAnUnknownMailFromIsAFactOfTheResult(t *testing.T) {
	e := client
	e.MailFromUnknown = true
	c := spf.Checker{Resolver: resolver.Zone{
		"example.com":      {TXT: []string{"v=spf1 +all"}},
		"mail.example.com": {TXT: []string{"v=spf1 +all"}},
	}}
	r := c.Check(t.Context(), e)
	if r.Status != spf.StatusNone || !errors.Is(r.Err, spf.ErrNoMailFrom) || r.Domain != "" || r.Sender != "" || r.Questions != 0 {
		t.Errorf("got %v", r)
	}
	if helo := c.CheckHELO(t.Context(), e); helo.Status != spf.StatusPass {
		t.Errorf("HELO: got %v", helo)
	}
}

func TestTheStepsOfATraceAreLines(t *testing.T) {
	zone := resolver.Zone{
		"example.com":   {TXT: []string{"v=spf1 a:gone.example.com include:i.example.com moo=x a ip4:192.0.2.1"}, A: []string{"203.0.113.1", "203.0.113.2"}},
		"i.example.com": {TXT: []string{"v=spf1 moo"}},
	}
	r := (&spf.Checker{Resolver: zone, Options: spf.Options{Trace: true}}).Check(t.Context(), client)
	const broken = `the SPF record is malformed: "moo" at octet 7: want one of the mechanisms all, include, a, mx, ptr, ip4, ip6, exists`
	e := r.Evaluation
	for _, test := range []struct{ got, want string }{
		{e.String(), "example.com: permerror: include:i.example.com: " + broken},
		{e.Steps[0].String(), "a:gone.example.com: no match"},
		{e.Steps[0].Answers[0].String(), "gone.example.com A: no such domain name"},
		{e.Steps[1].String(), "include:i.example.com: " + broken},
		{e.Steps[1].Nested.String(), "i.example.com: permerror: " + broken},
		{e.Steps[1].Answers[0].String(), `i.example.com TXT: "v=spf1 moo"`},
		{spf.Answer{Question: resolver.Question{Name: "a\n", Type: resolver.TypeA}, Records: []string{"192.0.2.1", "\x1b"}}.String(), `a\010 A: 192.0.2.1, \027`},
		{spf.Step{Term: "-all", Match: true}.String(), "-all: match"},
		{spf.Evaluation{Domain: "example.com", Status: spf.StatusFail}.String(), "example.com: fail"},
	} {
		if test.got != test.want {
			t.Errorf("got %s\nwant %s", test.got, test.want)
		}
	}
}

func TestJSONByValueIsJSONByPointer(t *testing.T) {
	r := (&spf.Checker{Resolver: hosts("v=spf1 a:far.example.com include:example.com"), Options: spf.Options{Trace: true}}).Check(t.Context(), client)
	for _, pair := range [][2]any{{r, *r}, {r.Evaluation, *r.Evaluation}, {&r.Evaluation.Steps[1], r.Evaluation.Steps[1]}, {&r.Evaluation.Steps[0].Answers[0], r.Evaluation.Steps[0].Answers[0]}} {
		pointer, err1 := json.Marshal(pair[0])
		value, err2 := json.Marshal(pair[1])
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(pointer, value) {
			t.Errorf("%s\n%s (%v)", pointer, value, err)
		}
	}
}

func TestOptionsAreCopiedAtTheFirstCheck(t *testing.T) {
	c := &spf.Checker{Resolver: hosts("v=spf1 a:far.example.com -all")}
	first := c.Check(t.Context(), client)
	c.Limits.Terms, c.Trace = 1, true
	c.Limits.Questions = 1
	if again := c.Check(t.Context(), client); asJSON(t, again) != asJSON(t, first) {
		t.Errorf("got %s, then %s", first, again)
	}
}

func TestWhatCouldNotBeTakenAsARecordIsShown(t *testing.T) {
	tests := []struct {
		name, domain string
		want         []string
		at           string
	}{
		{"a malformed record", "malformed.example", []string{"v=spf1 ipv4:192.0.2.1 -all"}, "malformed.example"},
		{"several records", "several.example", []string{"v=spf1 a -all", "v=spf1 mx -all"}, "several.example"},
		{"texts that were meant as a record", "nearly.example", []string{"v=spf1include:a.example -all", "v=DMARC1; p=none"}, "nearly.example"},
		{"a record that is included", "includes.example", []string{"v=spf1 moo"}, "included.example"},
		{"nothing of the kind", "nothing.example", nil, ""},
		{"a DMARC record beside the one that is taken", "good.example", []string{"v=DMARC1; p=none"}, "good.example"},
	}
	c := spf.Checker{Resolver: resolver.Zone{
		"malformed.example": {TXT: []string{"unrelated", "v=spf1 ipv4:192.0.2.1 -all"}},
		"several.example":   {TXT: []string{"v=spf1 a -all", "v=spf1 mx -all", "site-verification=1"}},
		"nearly.example":    {TXT: []string{"v=spf1include:a.example -all", "v=DMARC1; p=none", "site-verification=1"}},
		"includes.example":  {TXT: []string{"v=spf1 include:included.example -all"}},
		"included.example":  {TXT: []string{"v=spf1 moo"}},
		"nothing.example":   {TXT: []string{"site-verification=1"}},
		"good.example":      {TXT: []string{"v=spf1 -all", "v=DMARC1; p=none"}},
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := client
			e.MailFrom = "a@" + test.domain
			r := c.Check(t.Context(), e)
			if !slices.Equal(r.Rejected, test.want) || r.RejectedDomain != test.at {
				t.Errorf("got %q at %q, want %q at %q", r.Rejected, r.RejectedDomain, test.want, test.at)
			}
		})
	}
}

func TestWhatIsRejectedIsBounded(t *testing.T) {
	texts := slices.Repeat([]string{"v=spf1 " + strings.Repeat("x", 5000)}, 100)
	c := spf.Checker{Resolver: resolver.Zone{"example.com": {TXT: texts}}}
	r := c.Check(t.Context(), client)
	if len(r.Rejected) != 5 || len(r.Rejected[0]) != 2<<10 {
		t.Errorf("%d texts, the first of %d octets", len(r.Rejected), len(r.Rejected[0]))
	}
}
