package feedback_test

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/internal/feedback"
	"github.com/mailverdict/mailverdict/resolver"
)

const rua = "; rua=mailto:agg@example.com; ruf=mailto:fail@example.com"

// A mail is a message and what DNS says of its domain.
type mail struct {
	record   string // of example.com
	from     string // default a@example.com
	mailFrom string // default b@bounce.example.net, for which SPF passes; "<>" is the null sender
	signers  []string
	mode     discovery.Mode
}

func verify(t *testing.T, m mail) *dmarc.Result {
	t.Helper()
	zone := resolver.Zone{
		"example.com":            {A: []string{"192.0.2.99"}, TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"_dmarc.example.com":     {TXT: []string{m.record}},
		"bounce.example.net":     {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"soft.example.net":       {TXT: []string{"v=spf1 ~all"}},
		"broken.example.net":     {TXT: []string{"v=spf1 oops:x"}},
		"mail.example.net":       {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"_dmarc.sub.example.com": {TXT: []string{}},
	}
	from := m.from
	if from == "" {
		from = "a@example.com"
	}
	message := dmarctest.Message{From: from}.Bytes(t)
	for _, signer := range slices.Backward(m.signers) {
		name, broken := strings.CutPrefix(signer, "!")
		signature := dmarctest.Signature{Domain: name, Selector: "s"}
		if broken {
			message = dmarctest.Sign(t, nil, message, signature)
			zone["s._domainkey."+name] = resolver.Records{TXT: []string{"v=DKIM1; p="}}
		} else {
			message = dmarctest.Sign(t, zone, message, signature)
		}
	}
	envelope := dmarc.Envelope{IP: netip.MustParseAddr("::ffff:192.0.2.1"), HELO: "mail.example.net", MailFrom: m.mailFrom}
	switch m.mailFrom {
	case "":
		envelope.MailFrom = "b@bounce.example.net"
	case "<>":
		envelope.MailFrom = ""
	}
	v := dmarc.Verifier{Resolver: zone, Discovery: discovery.Options{Mode: m.mode}, Draw: func() float64 { return 0.99 }}
	r, err := v.Verify(context.Background(), envelope, strings.NewReader(string(message)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheRowOfAMessage(t *testing.T) {
	mfrom := feedback.Auth{Domain: "bounce.example.net", Result: "pass"}
	source := netip.MustParseAddr("192.0.2.1")
	for _, row := range []struct {
		name    string
		mail    mail
		applied dmarc.Disposition
		reasons []feedback.Reason
		want    feedback.Row
	}{
		{"a pass by DKIM", mail{record: "v=DMARC1; p=reject" + rua, signers: []string{"example.com"}}, dmarc.DispositionNone, nil,
			feedback.Row{Disposition: "pass", DKIM: true, HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net",
				AuthDKIM: []feedback.Auth{{"example.com", "s", "pass"}}, AuthSPF: mfrom}},
		{"a pass by SPF that was put aside by a filter of spam", mail{record: "v=DMARC1; p=none" + rua, mailFrom: "x@example.com"}, dmarc.DispositionQuarantine, nil,
			feedback.Row{Disposition: "pass", SPF: true, HeaderFrom: "example.com", EnvelopeFrom: "example.com",
				AuthSPF: feedback.Auth{Domain: "example.com", Result: "pass"}}},
		{"a fail that was rejected", mail{record: "v=DMARC1; p=reject" + rua}, dmarc.DispositionReject, nil,
			feedback.Row{Disposition: "reject", HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom}},
		{"a fail that was accepted all the same", mail{record: "v=DMARC1; p=reject" + rua}, dmarc.DispositionNone, nil,
			feedback.Row{Disposition: "none", HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom,
				Reasons: []feedback.Reason{{Type: "local_policy"}}}},
		{"a fail that was accepted for a reason", mail{record: "v=DMARC1; p=reject" + rua}, dmarc.DispositionNone,
			[]feedback.Reason{{"mailing_list", "users.example"}},
			feedback.Row{Disposition: "none", HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom,
				Reasons: []feedback.Reason{{"mailing_list", "users.example"}}}},
		{"a fail under p=none", mail{record: "v=DMARC1; p=none" + rua}, dmarc.DispositionNone, nil,
			feedback.Row{Disposition: "none", HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom}},
		{"a fail under t=y", mail{record: "v=DMARC1; p=reject; t=y" + rua}, dmarc.DispositionQuarantine, nil,
			feedback.Row{Disposition: "quarantine", HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom,
				Reasons: []feedback.Reason{{"policy_test_mode", "t=y"}}}},
		{"a fail under t=y that was accepted", mail{record: "v=DMARC1; p=reject; t=y" + rua}, dmarc.DispositionNone, nil,
			feedback.Row{Disposition: "none", HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom,
				Reasons: []feedback.Reason{{Type: "local_policy"}}}},
		{"a fail outside of the sample", mail{record: "v=DMARC1; p=reject; pct=50" + rua, mode: discovery.PublicSuffix}, dmarc.DispositionQuarantine, nil,
			feedback.Row{Disposition: "quarantine", HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom,
				Reasons: []feedback.Reason{{"sampled_out", "pct=50"}}}},
		{"the null sender", mail{record: "v=DMARC1; p=none" + rua, mailFrom: "<>"}, dmarc.DispositionNone, nil,
			feedback.Row{Disposition: "none", HeaderFrom: "example.com", AuthSPF: feedback.Auth{Domain: "mail.example.net", Result: "pass"}}},
		{"a MAIL FROM without a domain", mail{record: "v=DMARC1; p=none" + rua, mailFrom: "x@[192.0.2.1]"}, dmarc.DispositionNone, nil,
			feedback.Row{Disposition: "none", HeaderFrom: "example.com"}},
		{"signatures in the order of RFC 9990",
			mail{record: "v=DMARC1; p=none" + rua, from: "a@sub.example.com",
				signers: []string{"!broken.example", "other.example", "example.com", "sub.example.com", "!sub.example.org", "x.example.com"}},
			dmarc.DispositionNone, nil,
			feedback.Row{Disposition: "pass", DKIM: true, HeaderFrom: "sub.example.com", EnvelopeFrom: "bounce.example.net", AuthSPF: mfrom,
				AuthDKIM: []feedback.Auth{{"sub.example.com", "s", "pass"}, {"example.com", "s", "pass"}, {"x.example.com", "s", "pass"},
					{"other.example", "s", "pass"}, {"broken.example", "s", "permerror"}, {"sub.example.org", "s", "permerror"}}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.want.Source = source
			got, why := feedback.RowOf(verify(t, row.mail), row.applied, row.reasons)
			if why != "" || !reflect.DeepEqual(got, row.want) {
				t.Errorf("%s\n%+v\nwant\n%+v", why, got, row.want)
			}
		})
	}
}

func TestAFailureOfDNSIsAReasonOfItsOwn(t *testing.T) {
	r := verify(t, mail{record: "v=DMARC1; p=reject" + rua})
	r.DMARC.Status, r.DMARC.Err = dmarc.StatusTempError, dmarc.ErrResultUnknown
	row, _ := feedback.RowOf(r, dmarc.DispositionNone, nil)
	if want := []feedback.Reason{{"other", "DNS left the result open"}}; !reflect.DeepEqual(row.Reasons, want) {
		t.Errorf("reasons %+v", row.Reasons)
	}
}

func TestMessagesWithoutARow(t *testing.T) {
	for want, change := range map[feedback.Why]func(m *mail, r *dmarc.Result, applied *dmarc.Disposition){
		feedback.WhyNoRecord: func(m *mail, r *dmarc.Result, _ *dmarc.Disposition) { m.record = "v=spf1" },
		feedback.WhyNotAsked: func(m *mail, r *dmarc.Result, _ *dmarc.Disposition) {
			m.record = "v=DMARC1; p=none; rua=https://a.example/"
		},
		feedback.WhyNoSource:   func(m *mail, r *dmarc.Result, _ *dmarc.Disposition) { r.Envelope.IP = netip.Addr{} },
		feedback.WhyComesAgain: func(m *mail, r *dmarc.Result, applied *dmarc.Disposition) { *applied = dmarc.DispositionTempFail },
		feedback.WhyNoAuthor:   func(m *mail, r *dmarc.Result, _ *dmarc.Disposition) { m.from = "a@example.com, b@example.org" },
		feedback.WhyInterrupted: func(m *mail, r *dmarc.Result, _ *dmarc.Disposition) {
			r.DMARC.Status, r.DMARC.Err = dmarc.StatusTempError, fmt.Errorf("x: %w", dmarc.ErrInterrupted)
		},
	} {
		m, applied := mail{record: "v=DMARC1; p=none" + rua}, dmarc.DispositionNone
		change(&m, new(dmarc.Result), &applied)
		r := verify(t, m)
		change(&m, r, &applied)
		if _, why := feedback.RowOf(r, applied, nil); why != want {
			t.Errorf("why %q, want %q", why, want)
		}
	}
	if _, why := feedback.RowOf(&dmarc.Result{}, 0, nil); why != feedback.WhyNoRecord {
		t.Errorf("the zero result: %q", why)
	}
}

func TestWhatWasPublished(t *testing.T) {
	for _, row := range []struct {
		record string
		mode   discovery.Mode
		want   feedback.Policy
	}{
		{"v=DMARC1; p=reject" + rua, discovery.TreeWalk,
			feedback.Policy{"example.com", "reject", "reject", "reject", "r", "r", "0", "n", "treewalk", ""}},
		{"v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; fo=1:d; t=y; pct=5" + rua, discovery.TreeWalkLiteral,
			feedback.Policy{"example.com", "reject", "quarantine", "none", "s", "s", "1:d", "y", "treewalk", ""}},
		{"v=DMARC1; p=reject; sp=quarantine; np=none; t=y; pct=5" + rua, discovery.PublicSuffix,
			feedback.Policy{"example.com", "reject", "quarantine", "", "r", "r", "0", "", "psl", "5"}},
	} {
		if got := feedback.PolicyOf(verify(t, mail{record: row.record, mode: row.mode})); got != row.want {
			t.Errorf("%s by %s\n%+v\nwant\n%+v", row.record, row.mode, got, row.want)
		}
	}
}

func TestWhenAFailureReportIsAskedFor(t *testing.T) {
	aligned, broken := []string{"example.com"}, []string{"!other.example"}
	for _, row := range []struct {
		record   string
		mailFrom string
		signers  []string
		want     string
	}{
		{"", "", nil, "0"},
		{"", "", aligned, ""},
		{"fo=0", "x@example.com", nil, ""},
		{"fo=1", "", nil, "1"},
		{"fo=1", "", aligned, "1"},
		{"fo=1", "x@example.com", aligned, ""},
		{"fo=d", "", nil, ""},
		{"fo=d", "", broken, "d"},
		{"fo=d", "", aligned, ""},
		{"fo=s", "", nil, ""},
		{"fo=s", "x@soft.example.net", aligned, "s"},
		{"fo=s", "x@broken.example.net", nil, "s"},
		{"fo=s", "x@none.example.net", nil, ""},
		{"fo=1:d:s", "x@soft.example.net", broken, "1ds"},
		{"psd=y", "", nil, ""},
	} {
		r := verify(t, mail{record: "v=DMARC1; p=none" + rua + "; " + row.record, mailFrom: row.mailFrom, signers: row.signers})
		if got := strings.Join(feedback.FailureOptions(r), ""); got != row.want {
			t.Errorf("%s, %s, %s: %q, want %q", row.record, row.mailFrom, row.signers, got, row.want)
		}
	}
	without := verify(t, mail{record: "v=DMARC1; p=none; rua=mailto:a@example.com; ruf=https://a.example/"})
	open := verify(t, mail{record: "v=DMARC1; p=none" + rua})
	open.DMARC.Status = dmarc.StatusTempError
	for _, r := range []*dmarc.Result{without, open, verify(t, mail{record: "none"}), {}} {
		if got := feedback.FailureOptions(r); got != nil {
			t.Errorf("%v: %q", r.DMARC.Status, got)
		}
	}
}

func TestAStatusThatLeavesASignatureOpenIsNoFailure(t *testing.T) {
	r := verify(t, mail{record: "v=DMARC1; p=none; fo=d" + rua, signers: []string{"!other.example"}})
	for status, want := range map[dkim.Status]bool{
		dkim.StatusFail: true, dkim.StatusPermError: true, dkim.StatusPolicy: true,
		dkim.StatusPass: false, dkim.StatusTempError: false, dkim.StatusNone: false,
	} {
		r.DKIM[0].Status = status
		if got := len(feedback.FailureOptions(r)) == 1; got != want {
			t.Errorf("%s: %v", status, got)
		}
	}
}

func TestWhereReportsGo(t *testing.T) {
	r := verify(t, mail{record: "v=DMARC1; p=none; rua=mailto:a@example.com,mailto:a@example.com!10m,MAILTO:b@Sub.Example.com?bcc=x@y.example," +
		"https://example.com/,mailto:c@other.example,mailto:bad@@x", from: "a@sub.example.com"})
	got := feedback.Addresses(feedback.Record(r).AggregateReports)
	if want := []string{"a@example.com", "b@Sub.Example.com", "c@other.example"}; !slices.Equal(got, want) {
		t.Errorf("addresses %q, want %q", got, want)
	}
	for address, want := range map[string]bool{
		"a@example.com": false, "a@x.Example.com": false, "a@other.example": true, "a@notexample.com": true, "a@b\x00": true,
	} {
		if feedback.External(r, address) != want {
			t.Errorf("%s: external is %v", address, !want)
		}
	}
	r.DMARC.PolicyDomain = "com" // a public suffix's
	if feedback.External(r, "a@registry.com") || !feedback.External(r, "a@registry.net") {
		t.Error("the organization of a public suffix is its own")
	}
}

func TestFaultsOfARecordAreBounded(t *testing.T) {
	r := verify(t, mail{record: "v=DMARC1; p=none; " + strings.Repeat("\x01"+strings.Repeat("x", 300)+";", 20) + rua})
	text := feedback.Faults(feedback.Record(r))
	if len(text) > 1500 || !strings.HasSuffix(text, " more") || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		t.Errorf("%d octets: %q", len(text), text)
	}
	if text := feedback.Faults(feedback.Record(verify(t, mail{record: "v=DMARC1; p=none" + rua}))); text != "" {
		t.Errorf("%q", text)
	}
}
