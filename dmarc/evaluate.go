package dmarc

import (
	"cmp"
	"errors"
	"strconv"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// An Input is all that a verdict depends on.
type Input struct {
	// SPF is the result for MAIL FROM, or nil where there is none. A result for HELO
	// does not count. Only Status, Identity, Domain and Err matter.
	SPF *spf.Result

	// DKIM are the results of the signatures. Only Status, Domain and Err matter.
	DKIM []*dkim.Result

	// Discovery is the policy: see Verifier.Discover, which has to be told of the
	// domains of SPF and DKIM.
	Discovery *discovery.Result

	// Draw is a random number from 0 to less than 1, for pct with public suffix
	// discovery: the message is sampled if it is below pct/100.
	Draw float64

	// TempError says what is recommended for a verdict of temperror.
	TempError TempErrorRule

	// Reject says what is recommended where the Domain Owner asks for reject. Indirect is
	// what shows that the message came by way of somebody else: strong evidence in it may
	// change Disposition, and nothing in it changes Status.
	Reject   Reject
	Indirect []indirect.Evidence
}

// Evaluate says whether a message passes DMARC, and what is recommended to be done with it:
// RFC 9989, sections 5.3.3 to 5.3.6. It is a function of its input: no DNS, no clock, no
// chance.
//
// A failure of DNS makes the verdict temperror exactly where its answer could have changed
// the verdict or the disposition: not where an aligned identifier passed all the same, nor
// where the identifier that it leaves open could not align.
func Evaluate(in Input) Verdict {
	ids := identifiers(nil, in.SPF, in.DKIM)
	align(ids, in.Discovery)
	var v Verdict
	v.evaluate(&in, ids)
	return v
}

// evaluate is Evaluate for those identifiers, aligned, which become part of v. That is empty.
func (v *Verdict) evaluate(in *Input, ids []Identifier) {
	d := in.Discovery
	if d == nil {
		d = &discovery.Result{Err: ErrPolicyUnknown}
	}
	v.AuthorDomain, v.OrganizationalDomain = d.AuthorDomain, d.Organization(d.AuthorDomain).Organizational
	v.Standard = d.Mode.Standard()
	v.Identifiers, v.Discovery, v.Err = ids, d, d.Err
	q := d.Query()
	if q != nil {
		v.PolicyDomain, v.Record = q.Domain, q.Text
	}
	if d.Err == nil && q != nil {
		v.PolicyAssumed = q.Record.PolicyAssumed
		v.judge(in, q.Record)
		return
	}
	switch {
	case d.Err == nil:
		v.Err = ErrNoRecord
	case errors.Is(d.Err, ErrPolicyUnknown):
		v.Status, v.Unanswered = StatusTempError, d.Unanswered
		v.Disposition = in.TempError.disposition(record.PolicyReject)
	case errors.Is(d.Err, ErrFromDomain):
		v.Status, v.Evaluated, v.Disposition = StatusPermError, DispositionReject, DispositionReject
	}
}

// judge holds the identifiers against a policy: section 5.3.5.
func (v *Verdict) judge(in *Input, r *record.Record) {
	v.SPFAligned, v.DKIMAligned = v.aligned(MethodSPF), v.aligned(MethodDKIM)
	v.Policy, v.PolicyTag = v.Discovery.Policy()
	v.Applied, _ = relax(v.Policy, r, -1) // below every pct: without pct, which is for failures only

	// What a failure comes to. Where DNS left open which of sp and np applies, it may be
	// either.
	policy, other := v.Policy, v.Policy
	if v.PolicyTag == "" {
		policy, other = r.SubdomainPolicy, r.NonexistentPolicy
	}
	applied, override := relax(policy, r, in.Draw)
	otherwise, _ := relax(other, r, in.Draw)

	unanswered, open := v.open(in)
	switch {
	case v.SPFAligned || v.DKIMAligned:
		v.Status = StatusPass
		return
	case open != nil:
		v.Err, v.Unanswered = open, unanswered
	case applied != otherwise:
		v.Err, v.Unanswered = ErrExistenceUnknown, v.AuthorDomain
	default:
		v.Status, v.Err, v.Applied = StatusFail, v.failure(), applied
		v.Evaluated, v.Override = asked(applied), override
		v.Disposition = v.Evaluated
		v.override(in)
		return
	}
	v.Status, v.Disposition = StatusTempError, in.TempError.disposition(max(applied, otherwise))
}

// asked returns what a policy asks for.
func asked(p record.Policy) Disposition {
	switch p {
	case record.PolicyQuarantine:
		return DispositionQuarantine
	case record.PolicyReject:
		return DispositionReject
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
	for n := range v.Identifiers {
		if i := &v.Identifiers[n]; i.Method == m && i.counts() {
			return true
		}
	}
	return false
}

// open finds an identifier that might have been an aligned pass if DNS had answered. It returns
// the domain that DNS did not answer for, and an error that says what is not known. The error
// is nil if there is no such identifier.
func (v *Verdict) open(in *Input) (unanswered string, err error) {
	for n := range v.Identifiers {
		switch i := &v.Identifiers[n]; {
		case i.Alignment == discovery.NotAligned:
		case i.Open:
			failure := i.failure(in)
			return unansweredBy(i, failure), cause.Wrap(ErrResultUnknown, i.Method.String()+" for "+i.Domain, failure)
		case i.Authenticated && i.Alignment == discovery.AlignmentOpen:
			unanswered := cmp.Or(v.Discovery.Organization(i.Domain).Unanswered, v.Discovery.Organization(v.AuthorDomain).Unanswered)
			return unanswered, cause.Wrap(ErrAlignmentUnknown, i.Domain, nil)
		}
	}
	return "", nil
}

// unansweredBy returns the domain that left an identifier open. For SPF that may be one which
// the record names, such as one that it includes.
func unansweredBy(i *Identifier, failure error) string {
	if i.Method == MethodSPF {
		if e, ok := errors.AsType[*resolver.Error](failure); ok && domain.Check(e.Question.Name) == nil {
			return e.Question.Name
		}
	}
	return i.Domain
}

// failure says why no identifier counts.
func (v *Verdict) failure() error {
	for n := range v.Identifiers {
		if v.Identifiers[n].Authenticated {
			return ErrNotAligned
		}
	}
	return ErrNotAuthenticated
}
