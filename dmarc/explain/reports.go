package explain

import (
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/feedback"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// reportsSteps say what the Domain Owner gets to know of a message: one step, or none where no policy
// record applies or it does not speak of reports.
func reportsSteps(r *dmarc.Result) []Step {
	rec := feedback.Record(r)
	if rec == nil || !rec.Stated("rua") && !rec.Stated("ruf") && !rec.Stated("fo") {
		return nil
	}
	v := &r.DMARC
	s := Step{
		Kind:    KindReports,
		Title:   "Reports",
		Input:   "What does " + visible.Domain(v.PolicyDomain) + " ask to be told about this message?",
		Rule:    "rua names who gets aggregate reports, ruf who gets failure reports, and fo for which messages.",
		Section: "RFC 9989, section 4.7",
	}
	if byList(v) {
		s.Section = "RFC 7489, section 7"
	}
	row, why := feedback.RowOf(r, v.Disposition, nil)
	if why == "" {
		s.Outcome = "counted"
		s.Consequence = "A receiver that reports counts the message in the row above. No address of a person is in it."
		rowFacts(&s, &row)
		destinations(&s, "to", r, rec.AggregateReports)
	} else {
		s.Outcome = "not counted"
		s.Consequence = "The message is in no aggregate report: " + string(why) + "."
	}
	failureFacts(&s, r, rec)
	return []Step{s}
}

// rowFacts show the row of an aggregate report that a message is counted in: RFC 9990, section 3.1.
func rowFacts(s *Step, row *feedback.Row) {
	s.add("row", row.Source.String()+", disposition="+row.Disposition+", dkim="+outcomeWord(row.DKIM)+", spf="+outcomeWord(row.SPF))
	for _, reason := range row.Reasons {
		s.add("reason", strings.TrimSuffix(reason.Type+": "+reason.Comment, ": "))
	}
	s.add("From", row.HeaderFrom)
	s.add("MAIL FROM", row.EnvelopeFrom)
	for _, a := range row.AuthDKIM {
		s.add("dkim", a.Domain+", selector "+a.Selector+": "+a.Result)
	}
	if row.AuthSPF.Domain != "" {
		s.add("spf", row.AuthSPF.Domain+": "+row.AuthSPF.Result)
	}
}

func outcomeWord(aligned bool) string {
	if aligned {
		return "pass"
	}
	return "fail"
}

// destinations lists where reports go, and who has to agree first.
func destinations(s *Step, label string, r *dmarc.Result, uris []record.URI) {
	for _, address := range feedback.Addresses(uris) {
		text := address
		if feedback.External(r, address) {
			host := address[strings.LastIndexByte(address, '@')+1:]
			text += ", if DNS has a record v=DMARC1 at " + r.DMARC.PolicyDomain + "._report._dmarc." + host
		}
		s.add(label, text)
	}
}

// failureFacts say whether a failure report is asked for: RFC 9991.
func failureFacts(s *Step, r *dmarc.Result, rec *record.Record) {
	asked := feedback.FailureOptions(r)
	switch {
	case len(feedback.Addresses(rec.FailureReports)) == 0:
		if rec.Stated("fo") {
			s.add("failure", "no report asked for: the record has fo, but no address in ruf")
		}
	case len(asked) > 0:
		for _, option := range asked {
			s.add("failure", "report asked for by fo="+option+": "+failureOptionText(option))
		}
		destinations(s, "to", r, rec.FailureReports)
		s.Consequence += " Few receivers send failure reports, since they contain people's mail."
	case rec.PSD == record.PSDYes:
		s.add("failure", "no report asked for: the record is a public suffix's")
	case r.DMARC.Status != dmarc.StatusPass && r.DMARC.Status != dmarc.StatusFail:
		s.add("failure", "no report asked for: the verdict is "+r.DMARC.Status.String())
	default:
		s.add("failure", "no report asked for: fo="+strings.Join(rec.FailureOptions, ":")+" does not apply to this message")
	}
}

// failureOptionText says when a value of fo asks for a failure report.
func failureOptionText(option string) string {
	switch option {
	case "0":
		return "neither SPF nor DKIM passed with alignment"
	case "1":
		return "SPF or DKIM did not pass with alignment"
	case "d":
		return "a signature failed"
	case "s":
		return "SPF failed"
	}
	return option
}
