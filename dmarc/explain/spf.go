package explain

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// spfSteps are SPF for MAIL FROM, its alignment, and SPF for HELO.
func spfSteps(r *dmarc.Result) []Step {
	var steps []Step
	if r.SPF != nil {
		steps = append(steps, spfStep(r, r.SPF))
		for _, i := range r.DMARC.Identifiers {
			if i.Method == dmarc.MethodSPF {
				steps = append(steps, alignmentSteps(&r.DMARC, i)...)
			}
		}
	}
	if r.HELO != nil && r.HELO.Status != spf.StatusNone && r.Envelope.MailFrom != "" {
		s := spfStep(r, r.HELO)
		s.Kind, s.Title, s.Steps = KindHELO, "SPF for HELO", nil
		s.Consequence = "This is about the name that the server gave itself. DMARC does not count it."
		s.Rule, s.Section = "The name that a server gives itself is checked beside MAIL FROM.", "RFC 7208, section 2.3"
		if s.Tone == ToneGood {
			s.Tone = ToneNone
		}
		steps = append(steps, s)
	}
	return steps
}

// spfStep is one check of SPF.
func spfStep(r *dmarc.Result, res *spf.Result) Step {
	s := Step{
		Kind:    KindSPF,
		Title:   "SPF",
		Input:   "May " + client(&r.Envelope) + " send mail for " + visible.Domain(res.Domain) + "?",
		Outcome: res.Status.String(),
		Tone:    spfTone(res.Status),
		Rule:    "The first term of the record that matches decides.",
		Section: "RFC 7208, section 4.6.2",
	}
	switch {
	case res.Identity == spf.IdentityHELO:
	case r.Envelope.MailFromUnknown:
		s.Input = "May " + client(&r.Envelope) + " send this mail?"
		s.add("identity", "MAIL FROM, which is not known")
	case r.Envelope.MailFrom == "":
		s.add("identity", "HELO, which stands in for the null sender (RFC 7208, section 2.4)")
	default:
		s.add("identity", "MAIL FROM, the address that bounces go to")
	}
	record, at := res.Record, res.RecordDomain
	if res.Evaluation != nil {
		record, at = res.Evaluation.Record, res.Evaluation.Domain
		s.Steps = termSteps(res.Evaluation)
	}
	if record != "" {
		s.add("record", record)
		if at != "" && at != res.Domain {
			s.add("found at", at)
		}
	}
	s.add("decided by", res.Mechanism)
	if res.Identity == spf.IdentityMailFrom && res.Lookups > 0 {
		s.add("cost", costText(res.Lookups, res.VoidLookups))
	}
	if res.Err != nil {
		s.add("reason", res.Err.Error())
	}
	if res.Explanation != "" {
		s.add("they say", `"`+res.Explanation+`"`)
	}
	s.Consequence = spfConsequence(r, res)
	return s
}

func spfTone(status spf.Status) Tone {
	switch status {
	case spf.StatusPass:
		return ToneGood
	case spf.StatusFail, spf.StatusSoftFail, spf.StatusPermError:
		return ToneBad
	}
	return ToneOpen
}

func spfConsequence(r *dmarc.Result, res *spf.Result) string {
	name, ip := visible.Domain(res.Domain), client(&r.Envelope)
	switch res.Status {
	case spf.StatusPass:
		return name + " lets this server send its mail."
	case spf.StatusFail:
		return name + " says that this server may not send its mail. A forger fails like this, and so does a forwarder."
	case spf.StatusSoftFail:
		return name + " says that " + ip + " is probably none of its servers (softfail: a mild no)."
	case spf.StatusNeutral:
		return name + " says nothing of " + ip + "."
	case spf.StatusTempError:
		return openText(res.Err)
	case spf.StatusPermError:
		return "The SPF record cannot be used as it is."
	}
	return "There is nothing to check the server against."
}

// labelCount is the running count after a term, those within it included. Text, where it
// would be in the way on every other line, has only the sum.
const labelCount = "count"

// costText says what has been spent of the limits of RFC 7208, section 4.6.4.
func costText(terms, voids int) string {
	text := strconv.Itoa(terms) + " of 10 terms that ask DNS"
	if voids > 0 {
		text += ", " + strconv.Itoa(voids) + " of 2 lookups that find nothing"
	}
	return text
}

// termSteps are the terms of a record, in order.
func termSteps(e *spf.Evaluation) []Step {
	steps := make([]Step, 0, len(e.Steps))
	for i := range e.Steps {
		steps = append(steps, termStep(&e.Steps[i]))
	}
	return steps
}

func termStep(t *spf.Step) Step {
	s := Step{Kind: KindSPFTerm, Title: t.Term, Outcome: "no match"}
	if len(t.Answers) > 0 && !isModifier(t.Term, "exp") {
		s.add(labelCount, costText(t.Lookups, t.VoidLookups))
	}
	if t.Expanded != "" && !strings.HasSuffix(strings.ToLower(t.Term), strings.ToLower(t.Expanded)) {
		s.add("asks about", t.Expanded)
	}
	for _, a := range t.Answers {
		answer := strings.Join(a.Records, ", ")
		if a.Err != nil {
			answer = causeText(a.Err)
		}
		if t.Nested == nil {
			s.add(a.Question.Type.String(), a.Question.Name+": "+or(answer, "nothing"))
		}
	}
	switch {
	case t.Err != nil:
		s.Outcome, s.Tone = "error", ToneBad
		s.add("reason", t.Err.Error())
	case t.Match:
		s.Outcome = "match"
	case isModifier(t.Term, "exp"):
		s.Outcome = "text"
	}
	if n := t.Nested; n != nil {
		s.add("record", or(n.Record, "none"))
		s.Steps = termSteps(n)
		if isModifier(t.Term, "redirect") {
			s.Outcome = n.Status.String()
		} else if t.Err == nil {
			s.add("result", n.Status.String())
		}
	}
	return s
}

func isModifier(term, name string) bool {
	return len(term) > len(name) && strings.EqualFold(term[:len(name)], name) && term[len(name)] == '='
}
