package dmarc_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestAResultIsOneLine(t *testing.T) {
	bank := resolver.Zone{
		"_dmarc.bank.example":  {TXT: []string{"v=DMARC1; p=reject"}},
		"_dmarc.shop.example":  {TXT: []string{"v=DMARC1; p=quarantine; t=y"}},
		"_dmarc.loose.example": {TXT: []string{"v=DMARC1; rua=mailto:a@loose.example"}},
		"mail.other.example":   {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"shop.example":         {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"_dmarc.slow.example":  {Fault: resolver.Fault{Err: resolver.ErrServFail}},
		"open.bank.example":    {Fault: resolver.Fault{Err: resolver.ErrServFail}},
	}
	for _, tt := range []struct{ from, mailFrom, want string }{
		{"a@bank.example", "x@mail.other.example", "dmarc=fail (p=reject, disposition reject) from=bank.example spf=pass (mail.other.example, not aligned) dkim=none"},
		{"a@shop.example", "x@shop.example", "dmarc=pass (p=quarantine) from=shop.example spf=pass (shop.example, aligned) dkim=none"},
		{"a@shop.example", "x@mail.other.example", "dmarc=fail (p=quarantine, disposition none, policy_test_mode (t=y)) from=shop.example spf=pass (mail.other.example, not aligned) dkim=none"},
		{"a@loose.example", "x@mail.other.example", "dmarc=fail (p=none, disposition none) from=loose.example spf=pass (mail.other.example, not aligned) dkim=none"},
		{"a@no.example", "x@no.example", "dmarc=none (no-record) from=no.example spf=none (no.example) dkim=none"},
		{"a@slow.example", "x@no.example", "dmarc=temperror (policy-unknown, disposition tempfail) from=slow.example spf=none (no.example) dkim=none"},
		{"a@bank.example", "x@open.bank.example", "dmarc=temperror (p=reject, result-unknown, disposition tempfail) from=bank.example spf=temperror (open.bank.example, aligned) dkim=none"},
		{"a@bank.example, b@shop.example", "x@shop.example", "dmarc=permerror (several-domains, disposition reject) spf=pass (shop.example) dkim=none"},
	} {
		e := fromShop
		e.MailFrom = tt.mailFrom
		r, err := (&dmarc.Verifier{Resolver: bank}).Verify(t.Context(), e, strings.NewReader("From: "+tt.from+"\r\n\r\nhi\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.String(); got != tt.want || fmt.Sprint(r) != got || fmt.Sprint(*r) != got {
			t.Errorf("%s\nwant\n%s", got, tt.want)
		}
	}
}

func TestAnIdentifierIsOneLine(t *testing.T) {
	for want, i := range map[string]dmarc.Identifier{
		"spf a.example, authenticated, aligned":       {Domain: "a.example", Authenticated: true, Alignment: discovery.Aligned},
		"dkim a.example, open, alignment open":        {Method: dmarc.MethodDKIM, Domain: "a.example", Open: true, Alignment: discovery.AlignmentOpen},
		"dkim a.example, not aligned":                 {Method: dmarc.MethodDKIM, Domain: "a.example"},
		"spf a.example, authenticated, not aligned":   {Domain: "a.example", Authenticated: true},
		`spf a\n.example, authenticated, not aligned`: {Domain: "a\n.example", Authenticated: true},
	} {
		if got := i.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestALineNamesThreeSignatures(t *testing.T) {
	zone := shop()
	message := []byte(letter)
	for _, name := range []string{"a.example", "b.example", "c.example", "shop.example", "d.example"} {
		message = dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: name})
	}
	r, err := (&dmarc.Verifier{Resolver: zone}).Verify(t.Context(), fromShop, bytes.NewReader(message))
	const want = " dkim=pass (d.example, not aligned) dkim=pass (shop.example, aligned) dkim=pass (c.example, not aligned) and 2 more"
	if err != nil || !strings.HasSuffix(r.String(), want) {
		t.Errorf("%s (%v), want …%s", r, err, want)
	}
}

// hostileResult has the text of a sender in every slot that a line or a reply could show.
func hostileResult(s string) *dmarc.Result {
	err := cause.Wrap(dmarc.ErrFromSyntax, s, nil)
	return &dmarc.Result{
		Envelope: dmarc.Envelope{HELO: s, MailFrom: s},
		SPF:      &spf.Result{Domain: s, Mechanism: s, Err: err},
		DKIM:     []*dkim.Result{{Domain: s, Selector: s, Algorithm: s, Err: err}, nil},
		DMARC: dmarc.Verdict{
			Status: dmarc.StatusFail, Disposition: dmarc.DispositionReject, AuthorDomain: s, PolicyDomain: s, Record: s,
			Policy: record.PolicyReject, PolicyTag: s, Override: &dmarc.Override{Type: s, Comment: s}, Unanswered: s,
			Identifiers: []dmarc.Identifier{{Domain: s, Alignment: discovery.Aligned}, {Method: dmarc.MethodDKIM, Domain: s}}, Err: err,
		},
	}
}

func TestNothingHostileLeavesInALineOrALog(t *testing.T) {
	for _, s := range []string{"a\r\nb", "\x1b[31m", "\x00", "é\u202e", "\xff"} {
		r := hostileResult(s)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("checked", "result", r, "verdict", r.DMARC)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("checked", "result", *r, "verdict", &r.DMARC)
		texts := map[string]string{
			"Result": r.String(), "Verdict": r.DMARC.String(), "Override": r.DMARC.Override.String(), "Identifier": r.DMARC.Identifiers[0].String(),
			"log": strings.ReplaceAll(log.String(), "\n", ""),
		}
		for _, status := range []dmarc.Status{dmarc.StatusFail, dmarc.StatusTempError, dmarc.StatusPermError} {
			for _, d := range []dmarc.Disposition{dmarc.DispositionReject, dmarc.DispositionTempFail} {
				r.DMARC.Status, r.DMARC.Disposition = status, d
				reply, _ := r.SMTPReply()
				texts[fmt.Sprint(status, d)] = reply.String()
			}
		}
		for what, text := range texts {
			if !printable(text) {
				t.Errorf("%s: %q", what, text)
			}
		}
	}
}

func TestAResultIsAGroupInALog(t *testing.T) {
	zone, message := busy(t)
	r, err := (&dmarc.Verifier{Resolver: zone}).Verify(t.Context(), fromShop, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("checked", "message", r)
	for _, want := range []string{
		"message.verdict=pass", "message.disposition=none", "message.author_domain=shop.example", "message.policy=reject", "message.client=192.0.2.1",
		"message.spf.status=pass", "message.spf.domain=shop.example", "message.dkim.1.status=pass", "message.dkim.3.domain=list.example",
		"message.spf_aligned=true", "message.dkim_aligned=true",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in\n%s", want, log.String())
		}
	}
}

func TestTheOverrideStandsInALog(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("checked", "verdict", dmarc.Verdict{Override: &dmarc.Override{Type: dmarc.OverrideTestMode}, Unanswered: "a.example"})
	if got := log.String(); !strings.Contains(got, "verdict.override=policy_test_mode") || !strings.Contains(got, "verdict.unanswered=a.example") {
		t.Error(got)
	}
}

func TestSMTPReply(t *testing.T) {
	wrap := func(err error) error { return cause.Wrap(dmarc.ErrResultUnknown, "dkim for shop.example", err) }
	for _, tt := range []struct {
		name    string
		verdict dmarc.Verdict
		want    string
		code    [3]int
	}{
		{"none", dmarc.Verdict{Status: dmarc.StatusPass}, "", [3]int{}},
		{"quarantine", dmarc.Verdict{Status: dmarc.StatusFail, Disposition: dmarc.DispositionQuarantine}, "", [3]int{}},
		{
			"reject", dmarc.Verdict{Status: dmarc.StatusFail, Disposition: dmarc.DispositionReject, AuthorDomain: "shop.example"},
			"550 5.7.1 Message refused per DMARC policy for shop.example", [3]int{5, 7, 1},
		},
		{
			"tempfail", dmarc.Verdict{Status: dmarc.StatusTempError, Disposition: dmarc.DispositionTempFail, AuthorDomain: "shop.example", Err: wrap(resolver.ErrServFail)},
			"451 4.7.0 DMARC for shop.example could not be checked because of a DNS failure, try again later", [3]int{4, 7, 0},
		},
		{
			"the time was over", dmarc.Verdict{Status: dmarc.StatusTempError, Disposition: dmarc.DispositionTempFail, AuthorDomain: "shop.example", Err: wrap(context.DeadlineExceeded)},
			"451 4.7.0 DMARC for shop.example could not be checked because the check ended before DNS had answered, try again later", [3]int{4, 7, 0},
		},
		{
			"the body was not read", dmarc.Verdict{Status: dmarc.StatusTempError, Disposition: dmarc.DispositionTempFail, AuthorDomain: "shop.example", Err: wrap(dkim.ErrInterrupted)},
			"451 4.7.0 DMARC for shop.example could not be checked because the message was not read to its end, try again later", [3]int{4, 7, 0},
		},
		{
			"the header was not read", dmarc.Verdict{Status: dmarc.StatusTempError, Disposition: dmarc.DispositionTempFail, Err: cause.Wrap(dmarc.ErrInterrupted, "", context.Canceled)},
			"451 4.7.0 The message could not be checked because the message was not read to its end, try again later", [3]int{4, 7, 0},
		},
		{
			"two From fields", dmarc.Verdict{Status: dmarc.StatusPermError, Disposition: dmarc.DispositionReject, Err: dmarc.ErrSeveralFrom},
			"550 5.6.0 Message refused: the message has more than one From field", [3]int{5, 6, 0},
		},
		{
			"without a reason", dmarc.Verdict{Status: dmarc.StatusPermError, Disposition: dmarc.DispositionReject},
			"550 5.6.0 Message refused: it has no single Author Domain", [3]int{5, 6, 0},
		},
	} {
		reply, ok := (&dmarc.Result{DMARC: tt.verdict}).SMTPReply()
		if ok != (tt.want != "") || ok && reply.String() != tt.want || reply.EnhancedCode != tt.code {
			t.Errorf("%s: %q, %v, %v; want %q", tt.name, reply, reply.EnhancedCode, ok, tt.want)
		}
	}
}
