package dmarc

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
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
	Discovery *discovery.Result

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

	// Standard is the RFC whose rules the policy was found and read by.
	Standard record.Standard `json:"standard"`

	// The record that applies and what it asks for: the published Policy and the tag
	// that it comes from, before t and pct. PolicyTag is the one that was stated, so
	// "p" for a subdomain where the record has no sp. Both are empty where DNS left
	// open which of sp and np it is.
	PolicyDomain string        `json:"policy_domain,omitempty"`
	Record       string        `json:"record,omitempty"` // as DNS gave it: not safe to print
	Policy       record.Policy `json:"policy,omitempty"`
	PolicyTag    string        `json:"policy_tag,omitempty"`

	// PolicyAssumed says that the record states no valid policy, and that Policy is none
	// since it asks for reports: RFC 9989, section 4.10.1.
	PolicyAssumed bool `json:"policy_assumed,omitempty"`

	// Applied is Policy after t and, where the message fails, pct.
	Applied record.Policy `json:"applied,omitempty"`

	// Evaluated is what Policy asks for a message that fails, or what is asked for one
	// without a single Author Domain; none for every other message. Override says why
	// Disposition is another one.
	Evaluated Disposition `json:"evaluated"`
	Override  *Override   `json:"override,omitempty"`

	// Whether an authenticated identifier of the kind is aligned.
	SPFAligned  bool `json:"spf_aligned"`
	DKIMAligned bool `json:"dkim_aligned"`

	Identifiers []Identifier      `json:"identifiers,omitempty"`
	Discovery   *discovery.Result `json:"discovery,omitempty"`

	// Unanswered is the domain whose missing answer from DNS left the verdict open, where
	// Status is StatusTempError and one domain is known to be it.
	Unanswered string `json:"unanswered,omitempty"`

	// Err says why Status is not Pass. It wraps one of the package's exported errors:
	// errors.Is(v.Err, dmarc.ErrNotAligned).
	Err error `json:"-"`
}

// An Override is why something else than the policy is done.
type Override struct {
	Type    string `json:"type"` // one of those below
	Comment string `json:"comment,omitempty"`
}

// The types of Override: the words of RFC 9990 (PolicyOverrideType) and of RFC 7489.
const (
	OverrideTestMode   = "policy_test_mode"
	OverrideLocal      = "local_policy"
	OverrideSampledOut = "sampled_out" // RFC 7489: pct
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
		d = &discovery.Result{Err: ErrPolicyUnknown}
	}
	v := Verdict{
		AuthorDomain:         d.AuthorDomain,
		OrganizationalDomain: d.Organization(d.AuthorDomain).Organizational,
		Standard:             d.Mode.Standard(),
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
			v.Status, v.Disposition = StatusTempError, in.TempError.disposition(record.PolicyReject)
			v.Unanswered = d.Unanswered
		case errors.Is(d.Err, ErrFromDomain):
			v.Status, v.Disposition, v.Evaluated = StatusPermError, DispositionReject, DispositionReject
		case d.Err == nil:
			v.Err = ErrNoRecord
		}
		return v
	}
	for i := range v.Identifiers {
		v.Identifiers[i].align(d)
	}
	v.SPFAligned, v.DKIMAligned = v.aligned(MethodSPF), v.aligned(MethodDKIM)
	v.Policy, v.PolicyTag = d.Policy()
	v.PolicyAssumed = q.Record.PolicyAssumed
	v.Applied, _ = relax(v.Policy, q.Record, -1) // within the sample
	published, nonexistent := v.Policy, v.Policy
	if v.PolicyTag == "" { // sp or np
		published, nonexistent = q.Record.SubdomainPolicy, q.Record.NonexistentPolicy
	}
	applied, override := relax(published, q.Record, in.Draw)
	other, _ := relax(nonexistent, q.Record, in.Draw)
	switch {
	case v.SPFAligned || v.DKIMAligned:
		v.Status = StatusPass
	case v.open(in.SPF):
		v.Status = StatusTempError
		v.Disposition = in.TempError.disposition(max(applied, other))
	case applied != other:
		v.Status, v.Err, v.Unanswered = StatusTempError, ErrExistenceUnknown, v.AuthorDomain
		v.Disposition = in.TempError.disposition(max(applied, other))
	default:
		v.Status, v.Err, v.Applied = StatusFail, v.failure(), applied
		v.Evaluated, v.Disposition, v.Override = asked(published), asked(applied), override
	}
	return v
}

// disposition returns what the rule recommends where applied is the policy for a failure.
func (r TempErrorRule) disposition(applied record.Policy) Disposition {
	if r == TempErrorTempFail || r == TempErrorByPolicy && applied > record.PolicyNone {
		return DispositionTempFail
	}
	return DispositionNone
}

// relax returns what a policy comes to for this message. RFC 9989, section 4.7: with t=y
// the next lower level; RFC 7489, section 6.6.4: outside of the pct sample, likewise.
func relax(p record.Policy, r *record.Record, draw float64) (record.Policy, *Override) {
	switch {
	case p.Lower() == p:
	case r.Standard == record.RFC7489 && draw*100 >= float64(r.Percent):
		return p.Lower(), &Override{OverrideSampledOut, "pct=" + strconv.Itoa(r.Percent)}
	case r.Testing:
		return p.Lower(), &Override{OverrideTestMode, "t=y"}
	}
	return p, nil
}

// aligned reports whether an authenticated identifier of a method is aligned.
func (v *Verdict) aligned(m Method) bool {
	return slices.ContainsFunc(v.Identifiers, func(i Identifier) bool {
		return i.Method == m && i.Authenticated && i.Alignment == discovery.Aligned
	})
}

// open reports whether an answer that DNS did not give could have made an aligned pass, and
// says in v.Err and v.Unanswered what was left open.
func (v *Verdict) open(s *spf.Result) bool {
	for _, i := range v.Identifiers {
		if i.Alignment == discovery.NotAligned {
			continue
		}
		switch {
		case i.Open:
			v.Err = cause.Wrap(ErrResultUnknown, i.Method.String()+" for "+i.Domain, nil)
			v.Unanswered = unanswered(i, s)
			return true
		case i.Authenticated && i.Alignment == discovery.AlignmentOpen:
			v.Err = cause.Wrap(ErrAlignmentUnknown, i.Domain, nil)
			v.Unanswered = cmp.Or(v.Discovery.Organization(i.Domain).Unanswered, v.Discovery.Organization(v.AuthorDomain).Unanswered)
			return true
		}
	}
	return false
}

// unanswered returns the domain that left an identifier open. For SPF that may be one which
// the record names, such as one that it includes.
func unanswered(i Identifier, s *spf.Result) string {
	var failed *resolver.Error
	if i.Method == MethodSPF && s != nil && errors.As(s.Err, &failed) && domain.Check(failed.Question.Name) == nil {
		return failed.Question.Name
	}
	return i.Domain
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
