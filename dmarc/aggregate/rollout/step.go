package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/record"
)

// currentPolicy returns the three values that apply now, those that are inherited filled in: RFC 9989,
// section 4.7.
func currentPolicy(in Input) (c aggregate.Policy) {
	c = in.Reported
	if in.Record != "" {
		if tags := tagsOf(in.Record); tags != nil {
			c.P, c.SP, c.NP = tags["p"], tags["sp"], tags["np"]
		}
	}
	c.P = cmp.Or(c.P, "none")
	c.SP = cmp.Or(c.SP, c.P)
	c.NP = cmp.Or(c.NP, c.SP)
	return c
}

// tagsOf returns the tags of a record that state a policy, or nil where it is none.
func tagsOf(text string) map[string]string {
	if _, isDMARC, _ := record.Parse(text, record.RFC9989); !isDMARC {
		return nil
	}
	tags := make(map[string]string)
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := tags[name]; !twice && (name == "p" || name == "sp" || name == "np") {
			tags[name] = strings.ToLower(strings.TrimSpace(value))
		}
	}
	return tags
}

// step returns the step that is safe now: the tags for names that send nothing first, and p where
// nothing blocks it.
func step(in Input, p *Plan, current aggregate.Policy) Step {
	var changes, reasons []string
	change := func(tag, value, reason string) {
		changes = append(changes, tag+"="+value)
		reasons = append(reasons, reason)
	}
	value, _ := next(&p.P)
	switch {
	case value == "" || len(p.Blocks) > 0:
	case p.P.sendsNothing():
		change("p", value, fmt.Sprintf("The domain sends no mail, as its SPF record says or reports tell; %d messages came in its name.", p.P.Unknown))
	default:
		change("p", value, fmt.Sprintf("Of %d messages of your own %d fail, and would be concerned.", p.P.Own(), p.P.Misaligned))
	}
	if in.Covered >= MinDays && p.SP.Policy != "reject" && p.SP.sendsNothing() {
		reason := "No name below the domain sends mail of your own."
		if p.SP.Unknown > 0 {
			reason = fmt.Sprintf("No name below the domain sends mail of your own, but %d messages came in such names.", p.SP.Unknown)
		}
		change("sp", "reject", reason)
	}
	known := in.Missing != nil || p.SP.Own() == 0 // no name that sends mail of the domain is a missing one
	if p.NP.Policy != "reject" && p.NP.Own() == 0 && known {
		change("np", "reject", "Names that do not exist send no mail of yours.")
	}
	if len(changes) == 0 {
		return Step{Reason: stay(p)}
	}
	return Step{
		Change: strings.Join(changes, " "), Name: "_dmarc." + in.Domain, Record: changed(in, current, changes),
		Reason: strings.Join(reasons, " "),
	}
}

// stay says why nothing is to be published now.
func stay(p *Plan) string {
	if len(p.Blocks) == 0 {
		return "All is as strict as it can be."
	}
	for _, b := range p.Blocks {
		if b.Kind == BlockSource {
			return "First have your own senders pass: see what blocks."
		}
	}
	return p.Blocks[0].Text
}

// changed returns the record with tags changed: the published one with all else as it is, or one that
// says what the reports tell of it.
func changed(in Input, current aggregate.Policy, changes []string) string {
	published := in.Record
	if published == "" || tagsOf(published) == nil {
		published = reported(in)
	}
	pending := make(map[string]string)
	for _, c := range changes {
		tag, value, _ := strings.Cut(c, "=")
		pending[tag] = value
	}
	// A stricter p goes for names below the domain too, where sp and np are not stated: state
	// what held for them.
	tags := tagsOf(published)
	if pending["p"] != "" && pending["sp"] == "" && tags["sp"] == "" {
		pending["sp"] = current.SP
	}
	if (pending["p"] != "" || pending["sp"] != "") && pending["np"] == "" && tags["np"] == "" {
		pending["np"] = current.NP
	}
	var parts []string
	for part := range strings.SplitSeq(published, ";") {
		part = strings.TrimSpace(part)
		name, _, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if value := pending[name]; value != "" {
			part = name + "=" + value
			delete(pending, name)
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	for _, tag := range []string{"np", "sp", "p"} { // inserted at the same place: p comes first then
		if value := pending[tag]; value != "" {
			at := min(1, len(parts))
			if tag != "p" && len(parts) > 1 {
				at = 2
			}
			parts = slices.Insert(parts, at, tag+"="+value)
		}
	}
	return strings.Join(parts, "; ")
}

// reported returns a record that has what the reports tell of the published one.
func reported(in Input) string {
	parts := []string{"v=DMARC1", "p=" + cmp.Or(in.Reported.P, "none")}
	add := func(tag, value, byDefault string) {
		if value != "" && value != byDefault {
			parts = append(parts, tag+"="+value)
		}
	}
	add("sp", in.Reported.SP, in.Reported.P)
	add("np", in.Reported.NP, cmp.Or(in.Reported.SP, in.Reported.P))
	add("adkim", in.Reported.DKIMAlignment, "r")
	add("aspf", in.Reported.SPFAlignment, "r")
	add("fo", in.Reported.FailureOptions, "0")
	return strings.Join(append(parts, "rua=<THE ADDRESS THAT YOU HAVE THERE>"), "; ")
}
