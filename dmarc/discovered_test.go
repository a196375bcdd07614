package dmarc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// What discovery found becomes part of the verdict as it is.

func TestThePolicyBesideAVerdictIsTheOneThatApplies(t *testing.T) {
	const policy = "v=DMARC1; p=quarantine; sp=none; np=reject"
	exists := resolver.Records{TXT: []string{"x"}}
	fails := resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	for _, tt := range []struct {
		name, text  string
		author      *resolver.Records // of the Author Domain, nil where there is no such name
		spf         spf.Status
		want        Status
		disposition Disposition
		policy      record.Policy
		tag         string
		applied     record.Policy
	}{
		{"a pass of a name that does not exist", policy, nil, spf.StatusPass, StatusPass, none, record.PolicyReject, "np", record.PolicyReject},
		{"a pass of a name that exists", policy, &exists, spf.StatusPass, StatusPass, none, record.PolicyNone, "sp", record.PolicyNone},
		{"a pass where that is open", policy, &fails, spf.StatusPass, StatusPass, none, record.PolicyUnset, "", record.PolicyUnset},
		{"a failure where that is open", policy, &fails, spf.StatusFail, StatusTempError, tempfail, record.PolicyUnset, "", record.PolicyUnset},
		{"open SPF where that is open", policy, &fails, spf.StatusTempError, StatusTempError, tempfail, record.PolicyUnset, "", record.PolicyUnset},
		{"np is the same as sp", "v=DMARC1; p=none; sp=reject; np=reject", &fails, spf.StatusFail, StatusFail, reject, record.PolicyReject, "sp", record.PolicyReject},
		{
			"np comes to the same as sp in test mode", "v=DMARC1; p=none; np=quarantine; t=y", &fails, spf.StatusFail,
			StatusFail, none, record.PolicyUnset, "", record.PolicyNone,
		},
		{"a pass in test mode", "v=DMARC1; p=reject; t=y", &exists, spf.StatusPass, StatusPass, none, record.PolicyReject, "p", record.PolicyQuarantine},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := suite.Policies(map[string]string{"victim.example": tt.text})
			if tt.author != nil {
				zone["shop.victim.example"] = *tt.author
			}
			s := scenario{from: "shop.victim.example", spf: spfResult(tt.spf, "victim.example")}
			v := s.evaluate(t, &Verifier{Resolver: zone}, 0)
			if v.Status != tt.want || v.Disposition != tt.disposition {
				t.Errorf("%s, %s (%v); want %s, %s", v.Status, v.Disposition, v.Err, tt.want, tt.disposition)
			}
			if v.Policy != tt.policy || v.PolicyTag != tt.tag || v.Applied != tt.applied {
				t.Errorf("%s=%s, applied %s; want %s=%s, %s", v.PolicyTag, v.Policy, v.Applied, tt.tag, tt.policy, tt.applied)
			}
		})
	}
}

func TestAPassIsNotInTheSample(t *testing.T) {
	zone := suite.Policies(map[string]string{"a.example": "v=DMARC1; p=reject; pct=0"})
	by := func() *Verifier {
		return &Verifier{Resolver: zone, Discovery: discovery.Options{Mode: discovery.PublicSuffix}}
	}
	s := scenario{from: "a.example", spf: spfResult(spf.StatusPass, "a.example")}
	if v := s.evaluate(t, by(), 0); v.Applied != record.PolicyReject || v.Override != nil {
		t.Errorf("a pass: applied %s, %+v", v.Applied, v.Override)
	}
	s.spf = spfResult(spf.StatusFail, "a.example")
	if v := s.evaluate(t, by(), 0); v.Applied != record.PolicyQuarantine || v.Override == nil {
		t.Errorf("a failure: applied %s, %+v", v.Applied, v.Override)
	}
}

func TestAFailureAtASuffixDoesNotSoftenWhatEveryAnswerLeadsTo(t *testing.T) {
	for _, failing := range []string{"us-east-1.compute.amazonaws.com", "compute.amazonaws.com", "com"} {
		s := scenario{
			zone: map[string]string{"amazonaws.com": "v=DMARC1; p=reject", failing: "SERVFAIL"}, from: "amazonaws.com",
			spf:  spfResult(spf.StatusPass, "attacker.us-east-1.compute.amazonaws.com"),
			want: StatusFail, disposition: reject, cause: ErrNotAligned,
		}
		s.check(t, s.evaluate(t, &Verifier{}, 0))
	}
}

func TestTheDomainThatLeftAVerdictOpenIsNamed(t *testing.T) {
	question := &resolver.Error{Question: resolver.Question{Name: "_spf.provider.example", Type: resolver.TypeTXT}, Err: resolver.ErrServFail}
	for _, tt := range []struct {
		name string
		zone map[string]string
		spf  *spf.Result
		dkim []*dkim.Result
		want string
		org  string
	}{
		{"the policy", map[string]string{"a.victim.example": "SERVFAIL"}, nil, nil, "a.victim.example", "a.victim.example"},
		{"the policy, which may stand above", map[string]string{"victim.example": "SERVFAIL"}, nil, nil, "victim.example", ""},
		{
			"SPF, by a domain that its record names", map[string]string{"a.victim.example": "v=DMARC1; p=reject"},
			&spf.Result{Status: spf.StatusTempError, Domain: "a.victim.example", Err: question}, nil, "_spf.provider.example", "a.victim.example",
		},
		{
			"SPF, which does not say", map[string]string{"a.victim.example": "v=DMARC1; p=reject"},
			spfResult(spf.StatusTempError, "x.a.victim.example"), nil, "x.a.victim.example", "a.victim.example",
		},
		{
			"a key", map[string]string{"a.victim.example": "v=DMARC1; p=reject"}, nil,
			[]*dkim.Result{signature(dkim.StatusTempError, "a.victim.example")}, "a.victim.example", "a.victim.example",
		},
		{
			"the Organizational Domain of an identifier", map[string]string{"a.victim.example": "v=DMARC1; p=reject", "x.a.victim.example": "SERVFAIL"}, nil,
			[]*dkim.Result{signature(dkim.StatusPass, "x.a.victim.example")}, "x.a.victim.example", "a.victim.example",
		},
		{
			"that of the Author Domain", map[string]string{"a.victim.example": "v=DMARC1; p=reject", "victim.example": "SERVFAIL", "b.victim.example": "v=DMARC1; p=none; psd=n"}, nil,
			[]*dkim.Result{signature(dkim.StatusPass, "victim.example")}, "victim.example", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := scenario{zone: tt.zone, from: "a.victim.example", spf: tt.spf, dkim: tt.dkim}
			v := s.evaluate(t, &Verifier{}, 0)
			if v.Status != StatusTempError || v.Unanswered != tt.want || v.OrganizationalDomain != tt.org {
				t.Errorf("%s (%v), unanswered %q, organization %q; want temperror, %q, %q", v.Status, v.Err, v.Unanswered, v.OrganizationalDomain, tt.want, tt.org)
			}
		})
	}
	zone := suite.Policies(map[string]string{"victim.example": "v=DMARC1; p=none; np=reject"})
	zone["a.victim.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	s := scenario{from: "a.victim.example"}
	if v := s.evaluate(t, &Verifier{Resolver: zone}, 0); v.Unanswered != "a.victim.example" || !errors.Is(v.Err, ErrExistenceUnknown) {
		t.Errorf("%s (%v), unanswered %q", v.Status, v.Err, v.Unanswered)
	}
}

func TestARecordOverTheLimitIsNamedInTheVerdict(t *testing.T) {
	s := scenario{
		zone: map[string]string{"a.example": "v=DMARC1; p=reject; x=" + strings.Repeat("x", 8<<10)}, from: "a.example",
		want: StatusNone, cause: ErrRecordLimit,
	}
	v := s.evaluate(t, &Verifier{}, 0)
	s.check(t, v)
	if !errors.Is(v.Err, ErrNoPolicy) || !strings.Contains(v.Err.Error(), "8 KiB") {
		t.Errorf("%v", v.Err)
	}
}

func TestAStrictModeHoldsForItsOwnMethod(t *testing.T) {
	for _, tt := range []struct {
		tags      string
		spf, dkim bool
	}{{"", true, true}, {"; aspf=s", false, true}, {"; adkim=s", true, false}, {"; adkim=s; aspf=s", false, false}} {
		s := scenario{
			zone: map[string]string{"victim.example": "v=DMARC1; p=reject" + tt.tags}, from: "victim.example",
			spf: spfResult(spf.StatusPass, "a.victim.example"), dkim: []*dkim.Result{signature(dkim.StatusPass, "b.victim.example")},
		}
		v := s.evaluate(t, &Verifier{}, 0)
		if v.SPFAligned != tt.spf || v.DKIMAligned != tt.dkim || (v.Status == StatusPass) != (tt.spf || tt.dkim) {
			t.Errorf("%q: %s, SPF %v, DKIM %v", tt.tags, v.Status, v.SPFAligned, v.DKIMAligned)
		}
	}
}

func TestTheTimeOfDiscoveryIsThatOfItsOptionsElseOfTheVerifier(t *testing.T) {
	slow := resolver.Zone{"_dmarc.a.example": {TXT: []string{"v=DMARC1; p=none"}, Fault: resolver.Fault{Delay: time.Hour}}}
	for _, tt := range []struct{ discovery, verifier, want time.Duration }{
		{0, 0, 30 * time.Second}, {0, 2 * time.Second, 2 * time.Second}, {3 * time.Second, 2 * time.Second, 3 * time.Second}, {-1, 2 * time.Second, time.Hour},
	} {
		for name, find := range map[string]func(ctx context.Context, v *Verifier) error{
			"Verify": func(ctx context.Context, v *Verifier) error {
				r, _ := v.Verify(ctx, Envelope{}, strings.NewReader("From: x@a.example\r\n\r\n"))
				return r.DMARC.Err
			},
			"Discover": func(ctx context.Context, v *Verifier) error { return v.Discover(ctx, "a.example", nil, nil).Err },
		} {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := find(t.Context(), &Verifier{Resolver: slow, Time: tt.verifier, Discovery: discovery.Options{Time: tt.discovery}})
				if took := time.Since(start); took != tt.want || errors.Is(err, ErrPolicyUnknown) != (tt.want < time.Hour) {
					t.Errorf("%s, %v: %v after %s", name, tt, err, took)
				}
			})
		}
	}
}
