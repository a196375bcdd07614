package dmarc

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func spfResult(status spf.Status, name string) *spf.Result {
	return &spf.Result{Status: status, Domain: name}
}

func signature(status dkim.Status, name string) *dkim.Result {
	return &dkim.Result{Status: status, Domain: name}
}

// scenario is a policy zone with results, and what is to become of them.
type scenario struct {
	name string
	zone map[string]string
	spf  *spf.Result
	dkim []*dkim.Result
	from string

	want        Status
	disposition Disposition
	tag         string
	cause       error
	override    string
}

func (tt scenario) evaluate(t *testing.T, v *Verifier, draw float64) Verdict {
	t.Helper()
	if v.Resolver == nil {
		v.Resolver = suite.Policies(tt.zone)
	}
	return Evaluate(Input{
		SPF:       tt.spf,
		DKIM:      tt.dkim,
		Discovery: v.Discover(context.Background(), tt.from, tt.spf, tt.dkim),
		Draw:      draw,
		TempError: v.TempError,
	})
}

func (tt scenario) check(t *testing.T, got Verdict) {
	t.Helper()
	if got.Status != tt.want || got.Disposition != tt.disposition {
		t.Errorf("%s, %s (%v); want %s, %s", got.Status, got.Disposition, got.Err, tt.want, tt.disposition)
	}
	if tt.tag != "" && got.PolicyTag != tt.tag {
		t.Errorf("policy from %s=, want %s=", got.PolicyTag, tt.tag)
	}
	if tt.cause != nil && !errors.Is(got.Err, tt.cause) {
		t.Errorf("because %v, want %v", got.Err, tt.cause)
	}
	if (got.Err == nil) != (got.Status == StatusPass) {
		t.Errorf("%s with error %v", got.Status, got.Err)
	}
	override := ""
	if got.Override != nil {
		override = got.Override.Type
	}
	if override != tt.override {
		t.Errorf("override %q, want %q", override, tt.override)
	}
}

const (
	none       = DispositionNone
	quarantine = DispositionQuarantine
	reject     = DispositionReject
	tempfail   = DispositionTempFail
)

func TestEvaluate(t *testing.T) {
	victim := map[string]string{"victim.example": "v=DMARC1; p=reject; sp=quarantine"}
	for _, tt := range []scenario{
		{
			name: "SPF alone is aligned", zone: victim, from: "victim.example",
			spf: spfResult(spf.StatusPass, "bounce.victim.example"), want: StatusPass, disposition: none,
		},
		{
			name: "DKIM alone is aligned", zone: victim, from: "victim.example",
			spf: spfResult(spf.StatusFail, "victim.example"), dkim: []*dkim.Result{signature(dkim.StatusPass, "victim.example")},
			want: StatusPass, disposition: none,
		},
		{
			name: "a pass of one domain does not lend itself to another that failed", zone: victim, from: "victim.example",
			dkim: []*dkim.Result{signature(dkim.StatusFail, "victim.example"), signature(dkim.StatusPass, "attacker.example")},
			want: StatusFail, disposition: reject, cause: ErrNotAligned, tag: "p",
		},
		{
			name: "nothing passed", zone: victim, from: "victim.example",
			spf: spfResult(spf.StatusSoftFail, "victim.example"), want: StatusFail, disposition: reject, cause: ErrNotAuthenticated,
		},
		{
			name: "a pass of HELO does not count", zone: victim, from: "victim.example",
			spf:  &spf.Result{Status: spf.StatusPass, Identity: spf.IdentityHELO, Domain: "victim.example"},
			want: StatusFail, disposition: reject,
		},
		{
			name: "a subdomain has sp", zone: victim, from: "news.victim.example",
			want: StatusFail, disposition: quarantine, tag: "sp",
		},
		{
			name: "a subdomain has p where no sp is stated", zone: map[string]string{"victim.example": "v=DMARC1; p=reject"}, from: "a.victim.example",
			want: StatusFail, disposition: reject, tag: "p",
		},
		{
			name: "strict alignment refuses a subdomain", from: "victim.example",
			zone: map[string]string{"victim.example": "v=DMARC1; p=reject; adkim=s; aspf=s"},
			spf:  spfResult(spf.StatusPass, "a.victim.example"), dkim: []*dkim.Result{signature(dkim.StatusPass, "a.victim.example")},
			want: StatusFail, disposition: reject, cause: ErrNotAligned,
		},
		{
			name: "the alignment mode is that of the Author Domain's record", from: "victim.example",
			zone: map[string]string{"victim.example": "v=DMARC1; p=reject; adkim=s", "a.victim.example": "v=DMARC1; p=none; adkim=r"},
			dkim: []*dkim.Result{signature(dkim.StatusPass, "a.victim.example")},
			want: StatusFail, disposition: reject,
		},
		{name: "p=none", zone: map[string]string{"a.example": "v=DMARC1; p=none"}, from: "a.example", want: StatusFail, disposition: none},
		{name: "p=quarantine", zone: map[string]string{"a.example": "v=DMARC1; p=Quarantine"}, from: "a.example", want: StatusFail, disposition: quarantine},
		{name: "t=y lowers reject", zone: map[string]string{"a.example": "v=DMARC1; p=reject; t=y"}, from: "a.example", want: StatusFail, disposition: quarantine, override: OverrideTestMode},
		{name: "t=y lowers quarantine", zone: map[string]string{"a.example": "v=DMARC1; p=quarantine; t=y"}, from: "a.example", want: StatusFail, disposition: none, override: OverrideTestMode},
		{name: "t=y leaves none", zone: map[string]string{"a.example": "v=DMARC1; p=none; t=y"}, from: "a.example", want: StatusFail, disposition: none},
		{name: "t=n", zone: map[string]string{"a.example": "v=DMARC1; p=reject; t=n"}, from: "a.example", want: StatusFail, disposition: reject},
		{name: "p=foo without rua", zone: map[string]string{"a.example": "v=DMARC1; p=foo"}, from: "a.example", want: StatusNone, disposition: none, cause: ErrNoPolicy},
		{name: "p=foo with rua", zone: map[string]string{"a.example": "v=DMARC1; p=foo; rua=mailto:a@a.example"}, from: "a.example", want: StatusFail, disposition: none},
		{name: "sp=foo with rua", zone: map[string]string{"a.example": "v=DMARC1; p=reject; sp=foo; rua=mailto:a@a.example"}, from: "a.example", want: StatusFail, disposition: none},
		{name: "sp=foo without rua", zone: map[string]string{"a.example": "v=DMARC1; p=reject; sp=foo"}, from: "a.example", want: StatusNone, disposition: none, cause: ErrNoPolicy},
		{name: "no record", from: "a.example", spf: spfResult(spf.StatusPass, "a.example"), want: StatusNone, disposition: none, cause: ErrNoRecord},
		{
			name: "a broken optional tag does not sink the record", from: "a.example",
			zone: map[string]string{"a.example": "v=DMARC1; x=y; adkim=maybe; sp-none; p=reject"}, want: StatusFail, disposition: reject,
		},
		{name: "v=DMARC10 is no record", zone: map[string]string{"a.example": "v=DMARC10; p=reject"}, from: "a.example", want: StatusNone, disposition: none},
		{name: "a space before v is no record", zone: map[string]string{"a.example": " v=DMARC1; p=reject"}, from: "a.example", want: StatusNone, disposition: none},
		{
			name: "a Public Suffix Domain's record does not outrank the Organizational Domain's", from: "a.bank",
			zone: map[string]string{"bank": "v=DMARC1; p=reject; psd=y", "a.bank": "v=DMARC1; p=none"}, want: StatusFail, disposition: none,
		},
		{
			name: "an upper-case public suffix does not align strangers", from: "victim.CO.UK",
			zone: map[string]string{"victim.co.uk": "v=DMARC1; p=reject"},
			dkim: []*dkim.Result{signature(dkim.StatusPass, "attacker.CO.UK")}, want: StatusFail, disposition: reject,
		},
		{
			name: "only the suffix of a name in common", from: "victim.example", zone: victim,
			dkim: []*dkim.Result{signature(dkim.StatusPass, "notvictim.example")}, want: StatusFail, disposition: reject,
		},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, tt.evaluate(t, &Verifier{}, 0)) })
	}
}

func TestNonexistentSubdomains(t *testing.T) {
	const policy = "v=DMARC1; p=quarantine; sp=none; np=reject"
	for _, tt := range []struct {
		name        string
		record      resolver.Records
		known       bool
		want        Status
		disposition Disposition
		tag         string
	}{
		{name: "NXDOMAIN has np", want: StatusFail, disposition: reject, tag: "np"},
		{name: "an empty answer means that the name exists", known: true, record: resolver.Records{TXT: []string{"x"}}, want: StatusFail, disposition: none, tag: "sp"},
		{name: "a name with an address exists", known: true, record: resolver.Records{A: []string{"192.0.2.1"}}, want: StatusFail, disposition: none, tag: "sp"},
		{
			name: "SERVFAIL leaves open which policy applies", known: true,
			record: resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}, want: StatusTempError, disposition: tempfail,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := resolver.Zone{"_dmarc.victim.example": {TXT: []string{policy}}}
			if tt.known {
				zone["shop.victim.example"] = tt.record
			}
			s := scenario{from: "shop.victim.example", want: tt.want, disposition: tt.disposition, tag: tt.tag}
			s.check(t, s.evaluate(t, &Verifier{Resolver: zone}, 0))
		})
	}
	t.Run("np falls back to sp", func(t *testing.T) {
		s := scenario{
			from: "a.victim.example", zone: map[string]string{"victim.example": "v=DMARC1; p=reject; sp=quarantine"},
			want: StatusFail, disposition: quarantine, tag: "sp",
		}
		s.check(t, s.evaluate(t, &Verifier{}, 0))
	})
	t.Run("an aligned pass does not depend on it", func(t *testing.T) {
		zone := resolver.Zone{
			"_dmarc.victim.example": {TXT: []string{policy}},
			"shop.victim.example":   {Fault: resolver.Fault{Err: resolver.ErrServFail}},
		}
		s := scenario{from: "shop.victim.example", spf: spfResult(spf.StatusPass, "victim.example"), want: StatusPass}
		s.check(t, s.evaluate(t, &Verifier{Resolver: zone}, 0))
	})
}

// TestTempError has every combination of what can fail and whether it matters.
func TestTempError(t *testing.T) {
	pass, fail, open := spf.StatusPass, spf.StatusFail, spf.StatusTempError
	signed := func(status dkim.Status, names ...string) (list []*dkim.Result) {
		for _, name := range names {
			list = append(list, signature(status, name))
		}
		return list
	}
	for _, tt := range []struct {
		scenario
		tempFail, accept Disposition // with the other two rules
	}{
		{scenario{
			name: "the policy is not known and nothing passed", zone: map[string]string{"a.example": "SERVFAIL"},
			want: StatusTempError, disposition: tempfail, cause: ErrPolicyUnknown,
		}, tempfail, none},
		{scenario{
			name: "the policy is not known and all passed: it may be none as well", zone: map[string]string{"a.example": "SERVFAIL"},
			spf: spfResult(pass, "a.example"), want: StatusTempError, disposition: tempfail, cause: ErrPolicyUnknown,
		}, tempfail, none},
		{scenario{
			name: "SPF is open and DKIM is aligned", zone: map[string]string{"a.example": "v=DMARC1; p=reject"},
			spf: spfResult(open, "a.example"), dkim: signed(dkim.StatusPass, "a.example"), want: StatusPass,
		}, none, none},
		{scenario{
			name: "DKIM is open and SPF is aligned", zone: map[string]string{"a.example": "v=DMARC1; p=reject"},
			spf: spfResult(pass, "a.example"), dkim: signed(dkim.StatusTempError, "a.example"), want: StatusPass,
		}, none, none},
		{scenario{
			name: "SPF is open and could align under reject", zone: map[string]string{"a.example": "v=DMARC1; p=reject"},
			spf: spfResult(open, "mail.a.example"), want: StatusTempError, disposition: tempfail, cause: ErrResultUnknown,
		}, tempfail, none},
		{scenario{
			name: "SPF is open and could align under none", zone: map[string]string{"a.example": "v=DMARC1; p=none"},
			spf: spfResult(open, "a.example"), want: StatusTempError, disposition: none, cause: ErrResultUnknown,
		}, tempfail, none},
		{scenario{
			name: "SPF is open under quarantine in test mode", zone: map[string]string{"a.example": "v=DMARC1; p=quarantine; t=y"},
			spf: spfResult(open, "a.example"), want: StatusTempError, disposition: none,
		}, tempfail, none},
		{scenario{
			name: "SPF is open under reject in test mode", zone: map[string]string{"a.example": "v=DMARC1; p=reject; t=y"},
			spf: spfResult(open, "a.example"), want: StatusTempError, disposition: tempfail,
		}, tempfail, none},
		{scenario{
			name: "a key is open and could align", zone: map[string]string{"a.example": "v=DMARC1; p=quarantine"},
			spf: spfResult(fail, "a.example"), dkim: signed(dkim.StatusTempError, "b.example", "a.example"),
			want: StatusTempError, disposition: tempfail, cause: ErrResultUnknown,
		}, tempfail, none},
		{scenario{
			name: "what is open could not align", zone: map[string]string{"a.example": "v=DMARC1; p=reject"},
			spf: spfResult(open, "attacker.example"), dkim: signed(dkim.StatusTempError, "attacker.example"),
			want: StatusFail, disposition: reject, cause: ErrNotAuthenticated,
		}, reject, reject},
		{scenario{
			name: "what is open could not align strictly", zone: map[string]string{"a.example": "v=DMARC1; p=reject; aspf=s"},
			spf: spfResult(open, "mail.a.example"), want: StatusFail, disposition: reject,
		}, reject, reject},
		{scenario{
			name: "whether a pass is aligned is open", zone: map[string]string{"a.example": "v=DMARC1; p=reject", "b.a.example": "SERVFAIL"},
			dkim: signed(dkim.StatusPass, "b.a.example"), want: StatusTempError, disposition: tempfail, cause: ErrAlignmentUnknown,
		}, tempfail, none},
		{scenario{
			name: "whether a pass is aligned is open, and another is aligned", zone: map[string]string{"a.example": "v=DMARC1; p=reject", "b.a.example": "SERVFAIL"},
			dkim: signed(dkim.StatusPass, "b.a.example", "a.example"), want: StatusPass,
		}, none, none},
		{scenario{
			name: "what is open has an organization of its own", zone: map[string]string{"a.example": "v=DMARC1; p=reject", "b.a.example": "v=DMARC1; p=none; psd=n"},
			dkim: signed(dkim.StatusTempError, "b.a.example"), want: StatusFail, disposition: reject,
		}, reject, reject},
	} {
		tt.from = "a.example"
		t.Run(tt.name, func(t *testing.T) {
			tt.check(t, tt.evaluate(t, &Verifier{}, 0))
			for rule, want := range map[TempErrorRule]Disposition{TempErrorTempFail: tt.tempFail, TempErrorAccept: tt.accept} {
				if got := tt.evaluate(t, &Verifier{TempError: rule}, 0); got.Status != tt.want || got.Disposition != want {
					t.Errorf("rule %d: %s, %s; want %s, %s", rule, got.Status, got.Disposition, tt.want, want)
				}
			}
		})
	}
}

// TestWhereTheStandardsDiffer has the same message by RFC 9989 and by RFC 7489.
func TestWhereTheStandardsDiffer(t *testing.T) {
	for _, tt := range []struct {
		name      string
		zone      map[string]string
		from, dkm string
		walk      Verdict
		list      Verdict
	}{
		{
			name: "a record in the middle of the organization", zone: map[string]string{"b.a.co.uk": "v=DMARC1; p=reject"}, from: "c.b.a.co.uk",
			walk: Verdict{Status: StatusFail, Disposition: reject, OrganizationalDomain: "b.a.co.uk"},
			list: Verdict{Status: StatusNone, OrganizationalDomain: "a.co.uk"},
		},
		{
			name: "pct=0", zone: map[string]string{"a.example": "v=DMARC1; p=reject; pct=0"}, from: "a.example",
			walk: Verdict{Status: StatusFail, Disposition: reject, OrganizationalDomain: "a.example"},
			list: Verdict{Status: StatusFail, Disposition: quarantine, OrganizationalDomain: "a.example"},
		},
		{
			name: "t=y", zone: map[string]string{"a.example": "v=DMARC1; p=reject; t=y"}, from: "a.example",
			walk: Verdict{Status: StatusFail, Disposition: quarantine, OrganizationalDomain: "a.example"},
			list: Verdict{Status: StatusFail, Disposition: reject, OrganizationalDomain: "a.example"},
		},
		{
			name: "np for a name that does not exist", zone: map[string]string{"a.example": "v=DMARC1; p=reject; sp=none; np=reject"}, from: "x.a.example",
			walk: Verdict{Status: StatusFail, Disposition: reject, OrganizationalDomain: "a.example"},
			list: Verdict{Status: StatusFail, Disposition: none, OrganizationalDomain: "a.example"},
		},
		{
			name: "psd=n divides an organization", zone: map[string]string{"a.example": "v=DMARC1; p=reject", "b.a.example": "v=DMARC1; p=reject; psd=n"},
			from: "b.a.example", dkm: "a.example",
			walk: Verdict{Status: StatusFail, Disposition: reject, OrganizationalDomain: "b.a.example"},
			list: Verdict{Status: StatusPass, OrganizationalDomain: "a.example"},
		},
		{
			name: "a Public Suffix Domain's policy", zone: map[string]string{"bank": "v=DMARC1; p=reject; psd=y"}, from: "a.bank",
			walk: Verdict{Status: StatusFail, Disposition: reject, OrganizationalDomain: "a.bank"},
			list: Verdict{Status: StatusNone, OrganizationalDomain: "a.bank"},
		},
		{
			name: "two records at the Author Domain", zone: map[string]string{"b.a.example": "v=DMARC1; p=none|v=DMARC1; p=none", "a.example": "v=DMARC1; p=reject"}, from: "b.a.example",
			walk: Verdict{Status: StatusFail, Disposition: reject, OrganizationalDomain: "a.example"},
			list: Verdict{Status: StatusNone, OrganizationalDomain: "a.example"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := scenario{zone: tt.zone, from: tt.from}
			if tt.dkm != "" {
				s.dkim = []*dkim.Result{signature(dkim.StatusPass, tt.dkm)}
			}
			for how, want := range map[discovery.Mode]Verdict{discovery.TreeWalk: tt.walk, discovery.PublicSuffix: tt.list} {
				got := s.evaluate(t, &Verifier{Discovery: discovery.Options{Mode: how}}, 0.5)
				if got.Status != want.Status || got.Disposition != want.Disposition || got.OrganizationalDomain != want.OrganizationalDomain {
					t.Errorf("%s: %s, %s, organization %s; want %s, %s, %s", how, got.Status, got.Disposition,
						got.OrganizationalDomain, want.Status, want.Disposition, want.OrganizationalDomain)
				}
			}
		})
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		pct  int
		draw float64
		want Disposition
	}{
		{0, 0, quarantine}, {0, 0.999, quarantine},
		{100, 0, reject}, {100, 0.999, reject},
		{25, 0.249, reject}, {25, 0.25, quarantine},
	} {
		s := scenario{zone: map[string]string{"a.example": fmt.Sprintf("v=DMARC1; p=reject; pct=%d", tt.pct)}, from: "a.example"}
		if got := s.evaluate(t, &Verifier{Discovery: discovery.Options{Mode: discovery.PublicSuffix}}, tt.draw); got.Disposition != tt.want {
			t.Errorf("pct=%d, draw %v: %s, want %s", tt.pct, tt.draw, got.Disposition, tt.want)
		}
	}
}

// FuzzEvaluate makes up records, failures and results, and holds the verdict to what must
// always be true of it.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{9, 0, 0, 2, 2, 1, 3, 1, 1, 0, 7})
	texts := []string{
		"", "SERVFAIL", "v=DMARC1; p=reject", "v=DMARC1; p=none", "v=DMARC1; p=quarantine; psd=n", "v=DMARC1; p=reject; psd=y",
		"v=DMARC1; p=none; adkim=s; aspf=s", "v=DMARC1; p=reject; sp=none; np=quarantine", "v=DMARC1; t=y; p=reject", "v=DMARC1",
		"v=DMARC1; p=none|v=DMARC1; p=reject",
	}
	names := []string{"example", "a.example", "b.a.example", "c.b.a.example", "co.uk", "x.co.uk", "y.co.uk", "d.x.co.uk"}
	f.Fuzz(func(t *testing.T, in []byte) {
		next := func(n int) int {
			if len(in) == 0 {
				return 0
			}
			v := int(in[0]) % n
			in = in[1:]
			return v
		}
		s := scenario{zone: map[string]string{}, from: names[next(len(names))]}
		for _, name := range names {
			if text := texts[next(len(texts))]; text != "" {
				s.zone[name] = text
			}
		}
		s.spf = spfResult(spf.Status(next(7)), names[next(len(names))])
		for range next(3) {
			s.dkim = append(s.dkim, signature(dkim.Status(next(7)), names[next(len(names))]))
		}
		how := []discovery.Mode{discovery.TreeWalk, discovery.TreeWalkLiteral, discovery.PublicSuffix}[next(3)]
		v := Verifier{Discovery: discovery.Options{Mode: how}}
		got := s.evaluate(t, &v, 0.5)

		aligned, rejects := false, false
		for _, i := range got.Identifiers {
			aligned = aligned || i.Authenticated && i.Alignment == discovery.Aligned
		}
		if q := got.Discovery.Query(); q != nil {
			rejects = q.Record.Policy == record.PolicyReject || q.Record.SubdomainPolicy == record.PolicyReject || q.Record.NonexistentPolicy == record.PolicyReject
		}
		if got.Status == StatusPass && !aligned {
			t.Error("pass without an aligned pass")
		}
		if got.Disposition == reject && !rejects {
			t.Error("reject without a published reject")
		}
		if got.Status == StatusPass && got.Disposition != none {
			t.Errorf("pass with disposition %s", got.Disposition)
		}
		if (got.Err == nil) != (got.Status == StatusPass) {
			t.Errorf("%s with error %v", got.Status, got.Err)
		}
		// The Author Domain's own aligned pass never makes it worse.
		s.dkim = append(s.dkim, signature(dkim.StatusPass, s.from))
		better := s.evaluate(t, &v, 0.5)
		if stricter(&better, &got) > 0 {
			t.Errorf("%s, %s became %s, %s by an aligned pass", got.Status, got.Disposition, better.Status, better.Disposition)
		}
	})
}

func TestEvaluateLeavesOutWhatIsNull(t *testing.T) {
	s := scenario{zone: map[string]string{"a.example": "v=DMARC1; p=reject"}, from: "a.example", dkim: []*dkim.Result{nil, signature(dkim.StatusPass, "a.example")}}
	got := s.evaluate(t, &Verifier{}, 0)
	if got.Status != StatusPass || len(got.Identifiers) != 1 || got.Identifiers[0].Signature != 1 {
		t.Errorf("%v, identifiers %v; want a pass by the second signature", got, got.Identifiers)
	}
}

func TestAPolicyThatIsAssumedIsSaidToBe(t *testing.T) {
	for text, want := range map[string]bool{"v=DMARC1; rua=mailto:a@a.example": true, "v=DMARC1; p=none": false} {
		s := scenario{zone: map[string]string{"a.example": text}, from: "a.example"}
		if got := s.evaluate(t, &Verifier{}, 0); got.PolicyAssumed != want || got.Policy != record.PolicyNone {
			t.Errorf("%q: %s, assumed %v", text, got.Policy, got.PolicyAssumed)
		}
	}
}

func TestAVerdictNamesTheStandard(t *testing.T) {
	for mode, want := range map[discovery.Mode]record.Standard{
		discovery.TreeWalk: record.RFC9989, discovery.TreeWalkLiteral: record.RFC9989, discovery.PublicSuffix: record.RFC7489,
	} {
		s := scenario{from: "a.example"}
		if got := s.evaluate(t, &Verifier{Discovery: discovery.Options{Mode: mode}}, 0); got.Standard != want {
			t.Errorf("%s: %s, want %s", mode, got.Standard, want)
		}
	}
}

func TestADiscoveryWithoutARecordIsNone(t *testing.T) {
	v := Evaluate(Input{Discovery: &discovery.Result{AuthorDomain: "a.example"}})
	if v.Status != StatusNone || v.Err != ErrNoRecord || v.AuthorDomain != "a.example" {
		t.Errorf("%v (%v)", v, v.Err)
	}
}
