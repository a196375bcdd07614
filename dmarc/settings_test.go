package dmarc_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// heloZone is a zone in which HELO passes by its second term, and others follow.
func heloZone() resolver.Zone {
	zone := shop()
	zone["mail.shop.example"] = resolver.Records{TXT: []string{"v=spf1 a:first.example ip4:192.0.2.1 a:third.example a:fourth.example -all"}}
	for _, name := range []string{"first.example", "third.example", "fourth.example"} {
		zone[name] = resolver.Records{A: []string{"198.51.100.1"}}
	}
	return zone
}

func TestTheCheckOfHELOAsksNothingInVain(t *testing.T) {
	b := charge(t, &dmarc.Verifier{}, heloZone(), fromShop, strings.NewReader(letter))
	if b.result.HELO.Status != spf.StatusPass {
		t.Fatal(b.result.HELO)
	}
	if asked := append(b.dns.asked("third.example"), b.dns.asked("fourth.example")...); len(asked) > 0 {
		t.Errorf("asked %q, which the result did not take", asked)
	}
}

func TestTheQuestionsForHELOAreBounded(t *testing.T) {
	for _, tt := range []struct {
		most, mailFrom int
		want           spf.Status
	}{
		{0, 0, spf.StatusPass},
		{2, 0, spf.StatusPass},
		{1, 0, spf.StatusPermError},
		{16, 1, spf.StatusPermError}, // no more than MAIL FROM may take
		{-1, 0, spf.StatusPass},
		{-1, -1, spf.StatusPass},
	} {
		v := &dmarc.Verifier{Resolver: heloZone(), HELOQuestions: tt.most, SPF: spf.Options{Limits: spf.Limits{Questions: tt.mailFrom}}}
		r, err := v.Verify(t.Context(), fromShop, strings.NewReader(letter))
		if err != nil || r.HELO.Status != tt.want || r.DMARC.Status != dmarc.StatusPass {
			t.Errorf("%d and %d: HELO %v, %v (%v); want %s", tt.most, tt.mailFrom, r.HELO, r, err, tt.want)
		}
	}
}

func TestANegativeLimitIsNone(t *testing.T) {
	zone, message := busy(t)
	v := &dmarc.Verifier{
		Resolver: slow{zone}, Time: -1, HELOQuestions: -1,
		SPF:       spf.Options{Limits: spf.Limits{Questions: -1}},
		DKIM:      dkim.Options{Limits: dkim.Limits{Signatures: -1, BodyHashes: -1, HeaderOctets: -1, FieldOctets: -1, HeaderFields: -1}},
		Discovery: discovery.Options{Questions: -1, Time: -1},
	}
	r, err := v.Verify(t.Context(), fromShop, strings.NewReader(message))
	if err != nil || r.DMARC.Status != dmarc.StatusPass || !r.DMARC.SPFAligned || !r.DMARC.DKIMAligned {
		t.Errorf("%v (%v), want a pass by both", r, err)
	}
}

func TestTheClockOfAVerifierIsThatOfItsSignatures(t *testing.T) {
	zone := shop()
	signed := sign(t, zone, letter, "shop.example")
	now, yesterday := time.Now(), time.Now().Add(-24*time.Hour)
	for _, tt := range []struct {
		verifier, signatures func() time.Time
		want                 dkim.Status
	}{
		{func() time.Time { return now }, nil, dkim.StatusPass},
		{func() time.Time { return yesterday }, nil, dkim.StatusPermError}, // the signature is from the future
		{func() time.Time { return yesterday }, func() time.Time { return now }, dkim.StatusPass},
	} {
		v := &dmarc.Verifier{Resolver: zone, Now: tt.verifier, DKIM: dkim.Options{Now: tt.signatures}}
		r, err := v.Verify(t.Context(), fromShop, strings.NewReader(signed))
		if err != nil || r.DKIM[0].Status != tt.want || !r.Time.Equal(tt.verifier()) {
			t.Errorf("%v at %s (%v), want %s", r.DKIM[0], r.Time, err, tt.want)
		}
	}
}

func TestTheRulesHaveWords(t *testing.T) {
	for word, value := range map[string]interface {
		MarshalText() ([]byte, error)
		String() string
	}{
		"reject": dmarc.InvalidAuthorReject, "quarantine": dmarc.InvalidAuthorQuarantine, "accept": dmarc.InvalidAuthorAccept,
		"evaluate-all": dmarc.InvalidAuthorEvaluateAll,
		"by-policy":    dmarc.TempErrorByPolicy, "tempfail": dmarc.TempErrorTempFail,
	} {
		text, err := value.MarshalText()
		if err != nil || string(text) != word || value.String() != word {
			t.Errorf("%s: %s, %s, %v", word, text, value, err)
		}
	}
	var a dmarc.InvalidAuthor
	var r dmarc.TempErrorRule
	if a.UnmarshalText([]byte("evaluate-all")) != nil || a != dmarc.InvalidAuthorEvaluateAll || a.UnmarshalText([]byte("never")) == nil {
		t.Error(a)
	}
	if r.UnmarshalText([]byte("accept")) != nil || r != dmarc.TempErrorAccept || r.UnmarshalText([]byte("never")) == nil {
		t.Error(r)
	}
}

func TestTheTimeOfEachKindOfQuestionIsBounded(t *testing.T) {
	for _, name := range []string{"shop.example", "mail.shop.example", "s._domainkey.shop.example", "_dmarc.shop.example"} {
		zone := shop()
		signed := sign(t, zone, letter, "shop.example")
		slowName(zone, time.Hour, name)
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			v := &dmarc.Verifier{Resolver: zone, Time: 3 * time.Second}
			if _, err := v.Verify(t.Context(), fromShop, strings.NewReader(signed)); err != nil || time.Since(start) != 3*time.Second {
				t.Errorf("%s: %v after %s, want the limit of 3 s", name, err, time.Since(start))
			}
		})
	}
}

// Each of several Author Domains has as many questions as one.
func TestSeveralAuthorDomainsDoNotShareTheirQuestions(t *testing.T) {
	zone := resolver.Zone{}
	for _, name := range []string{"one.example", "two.example", "three.example", "four.example"} {
		zone["_dmarc."+name] = resolver.Records{TXT: []string{"v=DMARC1; p=none"}}
	}
	const from = "From: a@one.example, b@two.example, c@three.example, d@four.example\r\n\r\nhi\r\n"
	for most, want := range map[int]dmarc.Status{2: dmarc.StatusFail, 1: dmarc.StatusTempError, -1: dmarc.StatusFail} {
		v := &dmarc.Verifier{Resolver: zone, InvalidAuthor: dmarc.InvalidAuthorEvaluateAll, Discovery: discovery.Options{Questions: most}}
		r, err := v.Verify(t.Context(), fromShop, strings.NewReader(from))
		if err != nil || r.DMARC.Status != want || len(r.Others) != 4 {
			t.Errorf("%d questions: %v, %v (%v); want %s", most, r, r.Others, err, want)
		}
	}
}

// What SPF and signatures will speak for is asked for before they have spoken.
func TestTheOrganizationOfWhoSendsIsAskedForAhead(t *testing.T) {
	for name, mailFrom := range map[string]string{"MAIL FROM": "x@bounce.mail.shop.example", "the null sender": ""} {
		zone := shop()
		zone["bounce.mail.shop.example"] = resolver.Records{TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}}
		zone["mail.shop.example"] = resolver.Records{TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}}
		synctest.Test(t, func(t *testing.T) {
			e := fromShop
			e.MailFrom = mailFrom
			start := time.Now()
			r, err := (&dmarc.Verifier{Resolver: slow{zone}}).Verify(t.Context(), e, strings.NewReader(letter))
			if err != nil || !r.DMARC.SPFAligned || time.Since(start) != 20*time.Millisecond {
				t.Errorf("%s: %v (%v) after %s, want a pass after one round trip", name, r, err, time.Since(start))
			}
		})
	}
}
