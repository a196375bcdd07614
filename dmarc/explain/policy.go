package explain

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// policySteps are where the policy was looked for, and what it says.
func policySteps(v *dmarc.Verdict) []Step {
	d := v.Discovery
	if d == nil {
		return nil
	}
	steps := []Step{discoveryStep(v, d)}
	if q := d.Query(); q != nil && q.Record != nil {
		steps = append(steps, policyStep(v, d, q.Record))
	}
	return steps
}

// discoveryStep is what DNS said where a DMARC record was looked for.
func discoveryStep(v *dmarc.Verdict, d *discovery.Result) Step {
	s := Step{
		Kind:  KindDiscovery,
		Title: "DMARC record",
		Input: "Where does DNS say what " + visible.Domain(d.AuthorDomain) + " wants?",
		Rule:  "The Author Domain's own record applies, else that of its Organizational Domain.",

		Section: "RFC 9989, section 4.10.1",
	}
	if byList(v) {
		s.Section = "RFC 7489, section 6.6.3"
	}
	var empty []string
	for _, q := range d.Queries {
		switch name := "_dmarc." + q.Domain; {
		case q.Err != nil:
			s.add("no answer", name+": "+causeText(q.Err))
		case q.Record != nil:
			s.add("record", name+": "+q.Text)
		case len(q.Discarded) == 0:
			empty = append(empty, name)
		}
		for _, discarded := range q.Discarded {
			s.add("ignored", "_dmarc."+q.Domain+": "+discarded.Text+" ("+discarded.Reason.String()+")")
		}
		if q.PublicSuffix {
			s.add("floor", q.Domain+" is on the public suffix list: names below it belong to different owners")
		}
	}
	s.add("no record", strings.Join(empty, ", "))
	switch d.Exists {
	case discovery.ExistenceNo:
		s.add("exists", "no: DNS has no such name as "+d.AuthorDomain)
	case discovery.ExistenceOpen:
		s.add("exists", "not known: DNS did not say whether there is a "+d.AuthorDomain)
	}
	switch {
	case v.Status == dmarc.StatusTempError && d.Query() == nil:
		s.Outcome, s.Tone = "open", ToneOpen
		s.Consequence = "Without an answer from DNS, nobody knows what is to be done with the message."
	case d.Query() == nil:
		s.Outcome, s.Tone = "none", ToneOpen
		s.Consequence = visible.Domain(d.AuthorDomain) + " publishes no DMARC policy."
	default:
		s.Outcome = "found"
		s.Consequence = sourceText(d)
	}
	return s
}

func sourceText(d *discovery.Result) string {
	switch d.Source {
	case discovery.SourceOrganizational:
		return "The record of " + d.PolicyDomain + ", the Organizational Domain of " + d.AuthorDomain + ", applies."
	case discovery.SourcePublicSuffix:
		return "The record of " + d.PolicyDomain + ", the public suffix that " + d.AuthorDomain + " stands below, applies."
	}
	return "It is the record of " + d.PolicyDomain + " itself that applies."
}

// policyStep is what the record asks for.
func policyStep(v *dmarc.Verdict, d *discovery.Result, r *record.Record) Step {
	s := Step{
		Kind:  KindPolicy,
		Title: "DMARC policy",
		Input: "What does " + d.PolicyDomain + " ask for?",
		Rule:  "p is for the domain of the record, sp for names below it, np for those of them that do not exist.",

		Section: "RFC 9989, section 4.7",
	}
	if r.Standard == record.RFC7489 {
		s.Rule, s.Section = "p is for the domain of the record, sp for names below it.", "RFC 7489, section 6.3"
	}
	tags(&s, r)
	switch {
	case r.Testing:
		s.add("t=y", "only testing: the next milder policy is applied")
	case r.Standard == record.RFC7489 && r.Percent < 100:
		pct := strconv.Itoa(r.Percent)
		s.add("pct="+pct, "asked for "+pct+" of 100 messages that fail: the next milder policy is applied to the others")
	}
	ignoredTags(&s, r)
	for _, p := range r.Problems {
		s.add("fault", p.Tag+": "+p.Text+"; taken as: "+p.Assumed)
	}
	switch {
	case v.Policy == record.PolicyUnset:
		s.Outcome, s.Tone = "none", ToneOpen
		s.Consequence = "The record states no policy that could be followed."
	case v.PolicyAssumed:
		s.Outcome, s.Tone = v.Policy.String(), ToneOpen
		s.Consequence = "The record states no valid policy (" + or(asWritten(r, "p", "sp", "np"), "there is no p") +
			"). Since it asks for reports, p=none is assumed: " + policyText(v.Policy) + "."
	default:
		s.Outcome = v.Policy.String()
		s.Consequence = "For " + v.AuthorDomain + whyTag(v, d) + " the record says " + v.PolicyTag + "=" + v.Policy.String() + ": " + policyText(v.Policy) + "."
	}
	return s
}

// whyTag says why p, sp or np is the tag that applies.
func whyTag(v *dmarc.Verdict, d *discovery.Result) string {
	switch {
	case d.Source == discovery.SourceAuthor:
		return ""
	case d.Exists == discovery.ExistenceNo:
		return ", which does not exist,"
	}
	return ", which is below " + v.PolicyDomain + ","
}

// policyText says what a policy asks for when a message fails.
func policyText(p record.Policy) string {
	switch p {
	case record.PolicyReject:
		return "reject what fails"
	case record.PolicyQuarantine:
		return "treat what fails as suspicious"
	}
	return "do nothing about what fails"
}
