package dmarc_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/spf"
)

// An attackCheck tests what a case says must never happen, as far as its other expectations
// do not say it.
type attackCheck func(t *testing.T, r *attackRun)

func attackChecks() map[string]attackCheck {
	return map[string]attackCheck{
		"spf-01": both(identity("mailfrom.notexist.victim.example"), func(t *testing.T, r *attackRun) {
			if r.result.HELO.Status != spf.StatusPass || r.result.HELO.Identity != spf.IdentityHELO {
				t.Errorf("HELO: %s, want a pass of its own", r.result.HELO.Status)
			}
		}),
		"spf-03": both(neverAskedFor("victim.example"), mailFromIs("a.attacker.example", "")),
		"spf-04": both(identity("attacker.example"), both(mailFromIs("attacker.example"), neverAskedFor("victim.example"))),
		"spf-05": mailFromIs(""),
		"spf-06": both(neverAskedFor("attacker.example"), mailFromIs("")),
		"spf-07": identity("victim.example"),
		"spf-09": matched("open.example", "+all"),
		"spf-10": both(matched("bank.example", "include:_spf.cloud.example"), alignedBy(true, false)),
		"spf-11": both(matched("tenant-b.example", "include:relay.sharedmail.example"), alignedBy(true, false)),
		"spf-12": spfBecause(spf.ErrTermLimit),
		"spf-13": spfBecause(spf.ErrTermLimit),
		"spf-14": spfBecause(spf.ErrTermLimit),
		"spf-16": both(spfBecause(spf.ErrMXLimit), askedAtMost(10, ".target.example")),
		"spf-17": both(askedAtMost(10, ".ptr.attacker.example A"), neverAsked("p150.ptr")),
		"spf-18": spfBecause(spf.ErrVoidLimit),
		"spf-22": func(t *testing.T, r *attackRun) {
			if strings.Contains(r.text, "rejected") || strings.Contains(r.text, "queued") {
				t.Errorf("the sender's explanation is in the field\n%s", r.text)
			}
		},
		"spf-24": spfBecause(spf.ErrMultipleRecords),
		"spf-25": both(neverAsked(" AAAA"), matched("victim.example", "ip4:192.0.2.0/28")),

		"dkim-01": signatureBecause(dkim.ErrFromNotSigned),
		"dkim-04": signatureBecause(dkim.ErrFieldAdded),
		"dkim-05": bodyUnsigned,
		"dkim-06": bodyUnsigned,
		"dkim-07": func(t *testing.T, r *attackRun) {
			d := r.result.DKIM[0]
			if d.Signature.Time.IsZero() || !slices.Equal(d.Signed, []string{"from", "date"}) ||
				!slices.Contains(d.NotSigned, "Subject") || !slices.Contains(d.NotSigned, "To") {
				t.Errorf("t=%v, signed %q, not signed %q", d.Signature.Time, d.Signed, d.NotSigned)
			}
		},
		"dkim-08": neverAsked("_domainkey"),
		"dkim-09": both(neverAsked("_domainkey"), signerIs("")),
		"dkim-10": signatureBecause(dkim.ErrIdentity),
		"dkim-11": signatureBecause(dkim.ErrIdentity),
		"dkim-12": signatureBecause(dkim.ErrKeyStrict),
		"dkim-13": alignedBy(false, false),
		"dkim-14": signatureBecause(dkim.ErrExpired),
		"dkim-15": signatureBecause(dkim.ErrKeyRevoked),
		"dkim-16": signatureBecause(dkim.ErrKeyService),
		"dkim-17": signatureBecause(dkim.ErrSignatureMismatch),
		"dkim-18": signatureBecause(dkim.ErrSHA1),
		"dkim-19": signatureBecause(dkim.ErrKeyTooSmall),
		"dkim-20": signatureBecause(dkim.ErrKeyUnsafe),
		"dkim-22": signatureBecause(dkim.ErrKeyMalformed),
		"dkim-23": sameWithRecordsReversed,
		"dkim-24": signatureBecause(dkim.ErrDNS),
		"dkim-25": func(t *testing.T, r *attackRun) {
			askedAtMost(10, "_domainkey")(t, r)
			if r.dns.most > 20 || len(r.result.DKIM) > 100 {
				t.Errorf("%d questions at once, %d results", r.dns.most, len(r.result.DKIM))
			}
			last := r.result.DKIM[len(r.result.DKIM)-1]
			if !errors.Is(last.Err, dkim.ErrLimit) {
				t.Errorf("the last result is %s (%v), want one that stands for those over the limit", last.Status, last.Err)
			}
		},
		"dkim-27": signatureBecause(dkim.ErrFuture),

		"msg-01": verdictBecause(dmarc.ErrSeveralFrom),
		"msg-02": verdictBecause(dmarc.ErrHeader),
		"msg-03": verdictBecause(dmarc.ErrHeader),
		"msg-04": verdictBecause(dmarc.ErrHeader),
		"msg-05": verdictBecause(dmarc.ErrNoFrom),
		"msg-06": verdictBecause(dmarc.ErrSeveralDomains),
		"msg-11": verdictBecause(dmarc.ErrHeader),
		"msg-12": verdictBecause(dmarc.ErrFromDomain),
		"msg-16": verdictBecause(dmarc.ErrNoMailbox),
		"msg-20": verdictBecause(dmarc.ErrHeader),
		"msg-21": verdictBecause(dmarc.ErrHeaderLimit),
		"msg-22": askedAtMost(8, "_dmarc."),

		"dmarc-01": alignedBy(false, false),
		"dmarc-02": alignedBy(false, false),
		"dmarc-03": alignedBy(false, false),
		"dmarc-04": alignedBy(false, false),
		"dmarc-08": func(t *testing.T, r *attackRun) {
			if q := r.result.DMARC.Discovery.Queries[0]; len(q.Discarded) != 2 || q.Discarded[0].Reason != discovery.Several {
				t.Errorf("discarded %v, want both records and why", q.Discarded)
			}
		},
		"dmarc-09": policyFrom(discovery.SourceOrganizational, "wild.example"),
		"dmarc-10": askedAtMost(8, "_dmarc."),
		"dmarc-11": func(t *testing.T, r *attackRun) {
			if v := r.result.DMARC; v.PolicyTag != "np" || v.Discovery.Exists != discovery.ExistenceNo {
				t.Errorf("%s=%s, exists: %s; want np of a name that does not exist", v.PolicyTag, v.Policy, v.Discovery.Exists)
			}
		},
		"dmarc-12": func(t *testing.T, r *attackRun) {
			for _, q := range r.result.DMARC.Discovery.Queries {
				if q.Domain == "co.uk" && !q.PublicSuffix {
					t.Error("the result does not say that the list decided")
				}
			}
		},
		"dmarc-13": func(t *testing.T, r *attackRun) {
			other := *r
			other.draw = func() float64 { return 0 }
			other.verify(t, 0)
			if outcome(r.result) != outcome(other.result) {
				t.Error("chance plays a part")
			}
		},

		"ar-03": mailFromIs("attacker.example", ""),
		"ar-04": signerIs(),
		"ar-05": both(signerIs("attacker.example", ""), headerFromIs("victim.example")),
		"ar-06": headerFromIs("victim.example"),

		"dns-01": func(t *testing.T, r *attackRun) {
			for _, i := range r.result.DMARC.Identifiers {
				if i.Alignment != discovery.NotAligned {
					t.Errorf("%s could be aligned", i.Domain)
				}
			}
		},
		"dns-02": signatureBecause(dkim.ErrKeyTooSmall),
		"dns-04": neverAsked("_domainkey"),
	}
}

func both(a, b attackCheck) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		a(t, r)
		b(t, r)
	}
}

// identity checks which domain SPF for MAIL FROM was about.
func identity(name string) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if s := r.result.SPF; s.Identity != spf.IdentityMailFrom || s.Domain != name {
			t.Errorf("SPF is about %s %s, want MAIL FROM %s", s.Identity, s.Domain, name)
		}
	}
}

// matched checks that the result tells which term decided.
func matched(name, term string) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if s := r.result.SPF; s.RecordDomain != name || s.Mechanism != term {
			t.Errorf("matched %s of %s, want %s of %s", s.Mechanism, s.RecordDomain, term, name)
		}
	}
}

func alignedBy(bySPF, byDKIM bool) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if v := r.result.DMARC; v.SPFAligned != bySPF || v.DKIMAligned != byDKIM {
			t.Errorf("aligned: SPF %v, DKIM %v; want %v, %v", v.SPFAligned, v.DKIMAligned, bySPF, byDKIM)
		}
	}
}

// neverAsked checks that no question has the text.
func neverAsked(text string) attackCheck { return askedAtMost(0, text) }

// neverAskedFor checks that there is no question for a name.
func neverAskedFor(name string) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		for _, q := range r.dns.questions {
			if q.Name == name {
				t.Errorf("asked for %s", q)
			}
		}
	}
}

// askedAtMost checks how many questions have the text.
func askedAtMost(most int, text string) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if asked := r.dns.asked(text); len(asked) > most {
			t.Errorf("asked %q, want at most %d such questions", asked, most)
		}
	}
}

func spfBecause(want error) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if !errors.Is(r.result.SPF.Err, want) {
			t.Errorf("SPF: %v, want %v", r.result.SPF.Err, want)
		}
	}
}

// signatureBecause checks why the topmost signature is no pass.
func signatureBecause(want error) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if !errors.Is(r.result.DKIM[0].Err, want) {
			t.Errorf("DKIM: %v, want %v", r.result.DKIM[0].Err, want)
		}
	}
}

func verdictBecause(want error) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if !errors.Is(r.result.DMARC.Err, want) {
			t.Errorf("DMARC: %v, want %v", r.result.DMARC.Err, want)
		}
	}
}

func bodyUnsigned(t *testing.T, r *attackRun) {
	t.Helper()
	if d := r.result.DKIM[0]; !errors.Is(d.Err, dkim.ErrBodyUnsigned) || d.BodyUnsigned == 0 {
		t.Errorf("%d octets unsigned (%v)", d.BodyUnsigned, d.Err)
	}
}

func policyFrom(source discovery.Source, name string) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if d := r.result.DMARC.Discovery; d.Source != source || d.PolicyDomain != name {
			t.Errorf("policy from %s (%s), want %s (%s)", d.PolicyDomain, d.Source, name, source)
		}
	}
}

func sameWithRecordsReversed(t *testing.T, r *attackRun) {
	t.Helper()
	other := *r
	other.zone = reversed(r.zone)
	other.verify(t, 0)
	if outcome(r.result) != outcome(other.result) {
		t.Errorf("%s, and with the records in the other order\n%s", outcome(r.result), outcome(other.result))
	}
}

// mailFromIs checks smtp.mailfrom of the Authentication-Results field; "" is a missing one.
func mailFromIs(names ...string) attackCheck { return propertyIs("spf", "smtp", "mailfrom", names) }

// signerIs checks header.d of every dkim result.
func signerIs(names ...string) attackCheck {
	return propertyIs("dkim", "header", "d", append(names, ""))
}

func headerFromIs(names ...string) attackCheck { return propertyIs("dmarc", "header", "from", names) }

func propertyIs(method, ptype, property string, want []string) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		for _, result := range r.field.Results {
			if got := result.Property(ptype, property); result.Method == method && !slices.Contains(want, got) {
				t.Errorf("%s.%s is %q, want one of %q", ptype, property, got, want)
			}
		}
	}
}
