package dmarc

import (
	"errors"
	"slices"
	"strconv"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/spf"
)

// An Input is all that a verdict depends on.
type Input struct {
	// SPF is the result for MAIL FROM, or nil where there is none. A result for HELO
	// does not count. Only Status, Identity and Domain matter.
	SPF *spf.Result

	// DKIM are the results of the signatures. Only Status and Domain matter.
	DKIM []*dkim.Result

	// Discovery is the policy: see Verifier.Discover, which has to be told of the
	// domains of SPF and DKIM.
	Discovery *Discovery

	// Draw is a random number from 0 to less than 1, for pct with public suffix
	// discovery: the message is sampled if it is below pct/100.
	Draw float64

	// TempError says what is recommended for a verdict of temperror.
	TempError TempErrorRule
}

// TempErrorRule says what is recommended for a message whose verdict DNS left open.
type TempErrorRule uint8

const (
	// TempErrorByPolicy recommends tempfail where the policy is not known or asks for
	// enforcement, and none where it is known not to.
	TempErrorByPolicy TempErrorRule = iota
	TempErrorTempFail               // always tempfail
	TempErrorAccept                 // always none
)

// A Verdict is what DMARC says of a message.
type Verdict struct {
	Status      Status      `json:"verdict"`
	Disposition Disposition `json:"disposition"`

	AuthorDomain         string `json:"author_domain,omitempty"` // A-labels
	OrganizationalDomain string `json:"organizational_domain,omitempty"`

	// The record that applies and what it asks for: the published Policy and the tag
	// that it comes from, before t and pct. PolicyTag is the one that was stated, so
	// "p" for a subdomain where the record has no sp. Both are empty where DNS left
	// open which of sp and np it is.
	PolicyDomain string        `json:"policy_domain,omitempty"`
	Record       string        `json:"record,omitempty"` // as DNS gave it: not safe to print
	Policy       record.Policy `json:"policy,omitempty"`
	PolicyTag    string        `json:"policy_tag,omitempty"`

	// Evaluated is what Policy asks for a message that fails, or what is asked for one
	// without a single Author Domain; none for every other message. Override says why
	// Disposition is another one.
	Evaluated Disposition `json:"evaluated"`
	Override  *Override   `json:"override,omitempty"`

	// Whether an authenticated identifier of the kind is aligned.
	SPFAligned  bool `json:"spf_aligned"`
	DKIMAligned bool `json:"dkim_aligned"`

	Identifiers []Identifier `json:"identifiers,omitempty"`
	Discovery   *Discovery   `json:"discovery,omitempty"`

	// Err says why Status is not Pass. It wraps one of the package's exported errors:
	// errors.Is(v.Err, dmarc.ErrNotAligned).
	Err error `json:"-"`
}

// An Override is why something else than the policy is done.
type Override struct {
	Type    OverrideType `json:"type"`
	Comment string       `json:"comment,omitempty"`
}

// OverrideType is a reason of RFC 9990 (PolicyOverrideType), or of RFC 7489.
type OverrideType string

const (
	OverrideTestMode   OverrideType = "policy_test_mode"
	OverrideLocal      OverrideType = "local_policy"
	OverrideSampledOut OverrideType = "sampled_out" // RFC 7489: pct
)

// Evaluate says whether a message passes DMARC, and what is recommended to be done with it:
// RFC 9989, sections 5.3.3 to 5.3.6. It is a function of its input: no DNS, no clock, no
// chance.
//
// A failure of DNS makes the verdict temperror exactly where its answer could have changed
// the verdict or the policy: not where an aligned identifier passed all the same, nor where
// the identifier that it leaves open could not align.
func Evaluate(in Input) Verdict { return evaluate(in, identifiers(in.SPF, in.DKIM)) }

// evaluate is Evaluate for those identifiers, which become part of the verdict.
func evaluate(in Input, ids []Identifier) Verdict {
	d := in.Discovery
	if d == nil {
		d = &Discovery{Err: ErrPolicyUnknown}
	}
	v := Verdict{
		AuthorDomain:         d.AuthorDomain,
		OrganizationalDomain: d.Organization(d.AuthorDomain).Organizational,
		Identifiers:          ids,
		Discovery:            d,
		Err:                  d.Err,
	}
	q := d.Query()
	if q != nil {
		v.PolicyDomain, v.Record = q.Domain, q.Text
	}
	if d.Err != nil || q == nil {
		switch {
		case errors.Is(d.Err, ErrPolicyUnknown):
			v.Status, v.Disposition = StatusTempError, in.TempError.disposition(DispositionTempFail)
		case errors.Is(d.Err, ErrFromDomain):
			v.Status, v.Disposition, v.Evaluated = StatusPermError, DispositionReject, DispositionReject
		case d.Err == nil:
			v.Err = ErrNoRecord
		}
		return v
	}
	for i := range v.Identifiers {
		v.Identifiers[i].align(d, q.Record)
	}
	v.SPFAligned, v.DKIMAligned = v.aligned(MethodSPF), v.aligned(MethodDKIM)
	v.Policy, v.PolicyTag = d.policy(q.Record)

	applied, override := d.relax(v.Policy, q.Record, in.Draw)
	enforced, existenceMatters := applied, false
	if d.Exists == ExistenceOpen {
		nonexistent, _ := d.relax(q.Record.NonexistentPolicy, q.Record, in.Draw)
		existenceMatters = nonexistent != applied
		enforced = max(enforced, nonexistent)
	}
	switch {
	case v.SPFAligned || v.DKIMAligned:
		v.Status = StatusPass
	case v.open():
		v.Status = StatusTempError
		v.Disposition = in.TempError.disposition(enforced)
	case existenceMatters:
		v.Status, v.Err = StatusTempError, ErrExistenceUnknown
		v.Disposition = in.TempError.disposition(enforced)
	default:
		v.Status, v.Err = StatusFail, v.failure()
		v.Evaluated, v.Disposition, v.Override = asked(v.Policy), applied, override
	}
	if existenceMatters && v.Status == StatusTempError {
		v.Policy, v.PolicyTag = record.PolicyUnset, "" // sp or np
	}
	return v
}

// disposition returns what the rule recommends where applied is what the policy asks for.
func (r TempErrorRule) disposition(applied Disposition) Disposition {
	if r == TempErrorTempFail || r == TempErrorByPolicy && applied != DispositionNone {
		return DispositionTempFail
	}
	return DispositionNone
}

// policy returns the published policy for the Author Domain and the tag that it comes
// from: RFC 9989, sections 4.7 and 4.10.1.
func (d *Discovery) policy(r *record.Record) (record.Policy, string) {
	policy := r.SubdomainPolicy
	switch {
	case d.Source == SourceAuthor:
		return r.Policy, "p"
	case d.Exists == ExistenceNo:
		policy = r.NonexistentPolicy
		if r.Stated("np") {
			return policy, "np"
		}
	}
	if r.Stated("sp") {
		return policy, "sp"
	}
	return policy, "p"
}

// relax returns what a policy comes to for this message. RFC 9989, section 4.7: with t=y
// the next lower level; RFC 7489, section 6.6.4: outside of the pct sample, likewise.
func (d *Discovery) relax(p record.Policy, r *record.Record, draw float64) (Disposition, *Override) {
	if p <= record.PolicyNone {
		return DispositionNone, nil
	}
	switch {
	case d.byList() && draw*100 >= float64(r.Percent):
		return asked(p.Lower()), &Override{OverrideSampledOut, "pct=" + strconv.Itoa(r.Percent)}
	case !d.byList() && r.Testing:
		return asked(p.Lower()), &Override{OverrideTestMode, "t=y"}
	}
	return asked(p), nil
}

// aligned reports whether an authenticated identifier of a method is aligned.
func (v *Verdict) aligned(m Method) bool {
	return slices.ContainsFunc(v.Identifiers, func(i Identifier) bool {
		return i.Method == m && i.Authenticated && i.Alignment == Aligned
	})
}

// open reports whether an answer that DNS did not give could have made an aligned pass, and
// says in v.Err what was left open.
func (v *Verdict) open() bool {
	for _, i := range v.Identifiers {
		if i.Alignment == NotAligned {
			continue
		}
		switch {
		case i.Open:
			v.Err = cause.Wrap(ErrResultUnknown, i.Method.String()+" for "+i.Domain, nil)
			return true
		case i.Authenticated && i.Alignment == AlignmentOpen:
			v.Err = cause.Wrap(ErrAlignmentUnknown, i.Domain, nil)
			return true
		}
	}
	return false
}

// failure says why no identifier counts.
func (v *Verdict) failure() error {
	for _, i := range v.Identifiers {
		if i.Authenticated {
			return ErrNotAligned
		}
	}
	return ErrNotAuthenticated
}
