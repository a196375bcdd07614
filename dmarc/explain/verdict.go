package explain

import (
	"strconv"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// verdictStep is the end of the explanation.
func verdictStep(r *dmarc.Result) Step {
	v := &r.DMARC
	s := Step{
		Kind:        KindVerdict,
		Title:       "Verdict",
		Input:       verdictQuestion(v),
		Outcome:     v.Status.String(),
		Tone:        verdictTone(v.Status),
		Rule:        "SPF or DKIM has to pass for a domain that is aligned with the Author Domain.",
		Section:     "RFC 9989, section 5.3.5",
		Consequence: verdictConsequence(v),
	}
	if byList(v) {
		s.Section = "RFC 7489, section 6.6.2"
	}
	if v.Status == dmarc.StatusPermError {
		s.Rule = "A message without a single Author Domain is not evaluated."
		s.Section = "RFC 9989, section 5.3.1"
	}
	proof(&s, v)
	if v.Err != nil {
		s.add("reason", v.Err.Error())
	}
	switch {
	case v.Policy == record.PolicyUnset:
	case v.PolicyAssumed:
		s.add("policy", "p=none is assumed: the record at "+v.PolicyDomain+" states no valid policy")
	default:
		s.add("policy", v.PolicyTag+"="+v.Policy.String()+" at "+v.PolicyDomain)
	}
	s.add("do", dispositionText(v.Disposition))
	if o := v.Override; o != nil {
		s.add("because", overrideText(o))
	}
	if reply, ok := r.SMTPReply(); ok {
		s.add("answer", reply.String())
	}
	s.add("what if", whatIf(v))
	for _, other := range r.Others {
		s.add("also", other.AuthorDomain+": "+other.Status.String()+", "+other.Disposition.String())
	}
	return s
}

func verdictQuestion(v *dmarc.Verdict) string {
	if v.AuthorDomain == "" {
		return "Whom is this message from?"
	}
	return "Is this message from " + visible.Domain(v.AuthorDomain) + "?"
}

// verdictConsequence says what a verdict means, in the words of the trade.
func verdictConsequence(v *dmarc.Verdict) string {
	name := visible.Domain(v.AuthorDomain)
	switch v.Status {
	case dmarc.StatusPass:
		return "What passed is aligned with " + name + ": the message is from " + name + "."
	case dmarc.StatusFail:
		return "Nothing that passed is aligned with " + name + ". The policy says what is recommended."
	case dmarc.StatusTempError:
		return "The answer that is missing could have changed the verdict."
	case dmarc.StatusPermError:
		return "Without one Author Domain there is no policy to look for."
	}
	return "Without a policy nothing is recommended. That says nothing about the message."
}

func verdictTone(status dmarc.Status) Tone {
	switch status {
	case dmarc.StatusPass:
		return ToneGood
	case dmarc.StatusFail, dmarc.StatusPermError:
		return ToneBad
	}
	return ToneOpen
}

// proof lists the identifiers that made the pass.
func proof(s *Step, v *dmarc.Verdict) {
	for _, i := range v.Identifiers {
		switch {
		case !i.Authenticated || i.Alignment != discovery.Aligned:
		case i.Method == dmarc.MethodSPF:
			s.add("proof", "SPF passes for "+i.Domain+", which is aligned")
		default:
			s.add("proof", "DKIM signature "+strconv.Itoa(i.Signature+1)+" passes for "+i.Domain+", which is aligned")
		}
	}
}

func dispositionText(d dmarc.Disposition) string {
	switch d {
	case dmarc.DispositionQuarantine:
		return "quarantine: set it aside, or deliver it marked as suspicious"
	case dmarc.DispositionReject:
		return "reject: refuse the message"
	case dmarc.DispositionTempFail:
		return "tempfail: refuse it for now, so that the sender tries again"
	}
	return "none: handle it as any other message"
}

func overrideText(o *dmarc.Override) string {
	switch o.Type {
	case dmarc.OverrideTestMode:
		return "the record says t=y: its owner is testing, so the next milder policy applies"
	case dmarc.OverrideSampledOut:
		return "the record says " + o.Comment + ", and this message is not in the sample"
	}
	return "this receiver has a rule of its own: " + o.Comment
}

// whatIf says what a stricter policy would have meant for the message.
func whatIf(v *dmarc.Verdict) string {
	switch {
	case v.Status == dmarc.StatusPass && v.Policy != record.PolicyUnset && v.Policy != record.PolicyReject:
		tag := policyTag(v)
		return tag + "=quarantine or " + tag + "=reject would have changed nothing for this message: it passes"
	case v.Status != dmarc.StatusFail:
		return ""
	case v.Policy == record.PolicyNone:
		return "with " + stricter(v, record.PolicyQuarantine) + " this message would have been set aside as suspicious, with " +
			stricter(v, record.PolicyReject) + " it would have been rejected"
	case v.Override != nil && v.Override.Type == dmarc.OverrideTestMode:
		return "without t=y this message would have been " + done(v.Policy)
	case v.Override != nil && v.Override.Type == dmarc.OverrideSampledOut:
		return "with pct=100 this message would have been " + done(v.Policy)
	case v.Policy == record.PolicyQuarantine:
		return "with " + stricter(v, record.PolicyReject) + " this message would have been rejected"
	}
	return ""
}

// done says what happens to a message that fails a policy.
func done(p record.Policy) string {
	if p == record.PolicyReject {
		return "rejected"
	}
	return "set aside as suspicious"
}
