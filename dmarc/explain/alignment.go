package explain

import (
	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// alignmentSteps is how an identifier stands to the Author Domain: one step, or none where
// there is no policy that would ask for it.
func alignmentSteps(v *dmarc.Verdict, i dmarc.Identifier) []Step {
	d := v.Discovery
	if d == nil || d.Query() == nil || d.Err != nil {
		return nil
	}
	s := Step{
		Kind:  KindSPFAlignment,
		Title: "SPF alignment",
		Input: "Do " + i.Domain + " and " + v.AuthorDomain + " belong together (are they aligned)?",
	}
	if i.Domain == v.AuthorDomain {
		s.Input = "Is " + i.Domain + " the domain in From (aligned with it)?"
	}
	tag := "aspf"
	if i.Method == dmarc.MethodDKIM {
		s.Kind, s.Title, tag = KindDKIMAlignment, "DKIM alignment", "adkim"
	}
	stated := "default"
	if d.Query().Record.Stated(tag) {
		stated = tag + "=" + i.Mode.String()[:1]
	}
	s.Section = "RFC 9989, section 4.10.2"
	if byList(v) {
		s.Section = "RFC 7489, section 3.2"
	}
	if i.Mode == alignment.Strict {
		s.Rule = "The names have to be the same."
	} else {
		s.Rule = "The names have to belong to the same Organizational Domain."
	}
	s.add("mode", i.Mode.String()+" ("+stated+"): "+modeText(i.Mode))
	switch {
	case i.Domain == v.AuthorDomain:
		s.add("names", "the same")
	case i.Mode == alignment.Strict:
		s.add("names", "not the same")
	default:
		s.add("names", organization(d, i.Domain, v.OrganizationalDomain))
		s.add("and", organization(d, v.AuthorDomain, v.OrganizationalDomain))
	}
	s.Outcome, s.Tone, s.Consequence = alignmentOutcome(v, i)
	return []Step{s}
}

func modeText(m alignment.Mode) string {
	if m == alignment.Strict {
		return "the same name"
	}
	return "the same Organizational Domain"
}

// organization says what the Organizational Domain of a name is, and why.
func organization(d *discovery.Result, name, author string) string {
	o := d.Organization(name)
	switch {
	case o.Open:
		return name + ": DNS leaves its Organizational Domain open"
	case o.Organizational == "" && author != "" && !domain.Within(name, author):
		return name + " is not below " + author
	case o.Organizational == "":
		return name
	case o.Organizational == name:
		return name + " is an Organizational Domain: " + ruleText(o)
	}
	return name + " belongs to " + o.Organizational + ": " + ruleText(o)
}

func ruleText(o discovery.Organization) string {
	switch o.Rule {
	case discovery.RulePSDNo:
		return "its record says psd=n"
	case discovery.RulePSDYes:
		return "the name above it is a public suffix"
	case discovery.RuleShortest:
		return "the highest name with a DMARC record"
	case discovery.RuleList:
		return "by the public suffix list"
	case discovery.RuleFloor:
		return o.Suffix + " is on the public suffix list"
	}
	return "no name on the way up has a DMARC record"
}

func alignmentOutcome(v *dmarc.Verdict, i dmarc.Identifier) (outcome string, tone Tone, consequence string) {
	method := "SPF"
	if i.Method == dmarc.MethodDKIM {
		method = "the signature"
	}
	switch {
	case i.Alignment == discovery.Aligned && i.Authenticated:
		return "aligned", ToneGood, "It passed and it is aligned: that is a DMARC pass."
	case i.Alignment == discovery.Aligned && i.Open:
		return "aligned", ToneOpen, "It would count, but DNS left open whether " + method + " passes."
	case i.Alignment == discovery.Aligned:
		return "aligned", ToneOpen, "The name is right, but it does not count, since " + method + " did not pass."
	case i.Alignment == discovery.AlignmentOpen:
		return "open", ToneOpen, "DNS did not answer what would decide it."
	case i.Authenticated && v.Status == dmarc.StatusPass:
		return "not aligned", ToneOpen, "It passed for " + i.Domain + ", which says nothing about " + v.AuthorDomain + "."
	case i.Authenticated:
		return "not aligned", ToneBad, "It passed for " + i.Domain + ", which says nothing about " + v.AuthorDomain + "."
	}
	return "not aligned", ToneBad, "It does not count for " + v.AuthorDomain + ", and " + method + " did not pass either."
}
