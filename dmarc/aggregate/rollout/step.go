package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/figure"
)

// A change is a tag that is to have another value, and why.
type change struct{ tag, value, reason string }

// step returns the step that is safe now: the tags for names that send nothing first, and p where
// nothing blocks it.
func step(in Input, p *Plan, now policies) Step {
	if in.Covered == 0 && in.Record == "" {
		return Step{Reason: "There is neither a report nor a record to tell from."}
	}
	changes := slices.DeleteFunc([]change{stepP(p), stepSP(in, p), stepNP(in, p)}, func(c change) bool { return c.value == "" })
	if len(changes) == 0 {
		return Step{Reason: stay(p)}
	}
	var tags, reasons []string
	for _, c := range changes {
		tags = append(tags, c.tag+"="+c.value)
		reasons = append(reasons, c.reason)
	}
	text, kept := changed(in, now, changes)
	if len(kept) > 0 {
		reasons = append(reasons, fmt.Sprintf("%s in the record is what holds now for names below the domain, and would change with p.", strings.Join(kept, " and ")))
	}
	return Step{Change: strings.Join(tags, " "), Name: "_dmarc." + in.Domain, Record: text, Reason: strings.Join(reasons, " ")}
}

func stepP(p *Plan) (c change) {
	value, _ := p.next()
	if value == "" || len(p.Blocks) > 0 {
		return c
	}
	c = change{tag: "p", value: value}
	if p.P.sendsNothing() {
		c.reason = fmt.Sprintf("The domain sends no mail, as its SPF record says or reports tell; %s messages came in its name.", figure.Of(p.P.Unknown))
		return c
	}
	c.reason = fmt.Sprintf("Of %s messages of your own %s fail", figure.Of(p.P.Own()), figure.Of(p.P.Misaligned))
	does := map[string]string{"quarantine": "go to spam", "reject": "be refused"}[value]
	switch {
	case p.P.Misaligned > 0 && p.P.Forwarded > 0:
		c.reason += fmt.Sprintf(", and %s that were forwarded: they would %s.", figure.Of(p.P.Forwarded), does)
	case p.P.Forwarded > 0:
		c.reason += fmt.Sprintf(". %s that were forwarded fail: they would %s.", figure.Of(p.P.Forwarded), does)
	case p.P.Misaligned > 0:
		c.reason += ": they would " + does + "."
	default:
		c.reason += "."
	}
	if p.Testing != "" {
		c.reason += fmt.Sprintf(" %s is left out, which keeps a policy from being applied to all mail.", p.Testing)
	}
	return c
}

// stepSP returns the step of sp: to reject where names below the domain send nothing, and else to quarantine, after p.
func stepSP(in Input, p *Plan) (c change) {
	if !enough(in) || p.SP.Policy == "reject" || len(doubtful(in)) > 0 {
		return c
	}
	if p.SP.sendsNothing() {
		return change{"sp", "reject", "No name below the domain sends mail of your own."}
	}
	behind := p.SP.Policy == "none" && p.P.Policy != "none" && p.Testing == "" && !young(in)
	if own := p.SP.Own(); behind && own > 0 && float64(p.SP.Misaligned) <= MaxQuarantine*float64(own) {
		return change{"sp", "quarantine", fmt.Sprintf("Of %s messages of your own in names below the domain %s fail.", figure.Of(own), figure.Of(p.SP.Misaligned))}
	}
	return c
}

func stepNP(in Input, p *Plan) (c change) {
	if p.NP.Policy == "reject" || !p.NP.sendsNothing() || len(unasked(in)) > 0 {
		return c
	}
	c = change{"np", "reject", "Names that do not exist send no mail of yours."}
	if p.NP.Unknown > 0 {
		c.reason = fmt.Sprintf("Names that do not exist send no mail of yours: %s messages came in such names, and none proves to be yours.", figure.Of(p.NP.Unknown))
	}
	return c
}

// unasked returns the names below the domain that send mail of its own, or may, and of which DNS did not say whether
// they exist.
func unasked(in Input) map[string]int64 {
	return names(in, func(f *Flow) bool {
		_, asked := in.Missing[f.HeaderFrom]
		return !asked && f.Class != Unknown
	})
}

// doubtful returns the names below the domain that may exist, and from which mail came that proves nothing: it may be
// the domain's own, sent by what is not set up. What stands as OtherNames is too little of each.
func doubtful(in Input) map[string]int64 {
	return names(in, func(f *Flow) bool {
		return !in.Missing[f.HeaderFrom] && f.Class == Unknown && f.HeaderFrom != OtherNames
	})
}

// names returns the names below the domain that have flows of a kind, and how many messages.
func names(in Input, is func(*Flow) bool) map[string]int64 {
	list := make(map[string]int64)
	for i := range in.Flows {
		if f := &in.Flows[i]; f.HeaderFrom != in.Domain && f.HeaderFrom != "" && is(f) {
			list[f.HeaderFrom] = sum(list[f.HeaderFrom], f.Messages)
		}
	}
	return list
}

// stay says why nothing is to be published now.
func stay(p *Plan) string {
	isSource := func(b Block) bool { return b.Kind == BlockSource }
	switch {
	case slices.ContainsFunc(p.Blocks, isSource) && p.P.Policy == "reject" && p.Testing == "":
		return fmt.Sprintf("Of %s messages of your own %s fail, and are refused. Have their senders pass; if that takes long, go back to p=none until they do.",
			figure.Of(p.P.Own()), figure.Of(p.P.Misaligned))
	case slices.ContainsFunc(p.Blocks, isSource):
		return "First have your own senders pass: see what blocks."
	case len(p.Blocks) > 0:
		return p.Blocks[0].Text
	case p.SP.Policy != "reject" || p.NP.Policy != "reject":
		return fmt.Sprintf("p is as strict as it can be; sp=%s and np=%s stay for what names below the domain send.", p.SP.Policy, p.NP.Policy)
	}
	return "All is as strict as it can be."
}

func notes(in Input, p *Plan) (list []string) {
	if p.P.Forwarded > 0 && p.P.Policy != "reject" {
		list = append(list, fmt.Sprintf("%s messages came by way of forwarders and lists and fail. Under reject they would be lost, unless the receiver knows the forwarder.", figure.Of(p.P.Forwarded)))
	}
	list = append(list, "Only receivers that send reports are counted. How much of the mail that is, nobody can tell.")
	if doubts := doubtful(in); len(doubts) > 0 && p.SP.Policy != "reject" {
		list = append(list, fmt.Sprintf("Mail that proves nothing came in names below the domain: %s. Set up those that are yours. If none of them sends mail, sp=reject is safe for them.", largestOf(doubts)))
	}
	if in.NoMail && !enough(in) && p.SP.Messages == 0 && p.SP.Policy != "reject" {
		list = append(list, "If no name below the domain sends mail either, sp=reject is safe too.")
	}
	if p.SP.Own() > 0 && p.P.Policy != "none" && p.SP.Policy != "reject" {
		list = append(list, "Names below the domain send mail. One that is ready for a stricter policy than sp can have a record of its own, and then sp is for the other ones.")
	}
	if silent := unasked(in); len(silent) > 0 && p.NP.Policy != "reject" {
		list = append(list, fmt.Sprintf("DNS did not say whether these names below the domain exist, which np=reject would be for: %s.", largestOf(silent)))
	}
	if in.Missing == nil && p.SP.Messages > 0 {
		list = append(list, "DNS was not asked which names exist: all names below the domain are counted under sp.")
	}
	return list
}

// largestOf lists names with their numbers of messages: the five with the most.
func largestOf(names map[string]int64) string {
	const most = 5
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(names[b], names[a]), cmp.Compare(a, b)) })
	more := len(list) - most
	list = list[:min(len(list), most)]
	for i, name := range list {
		list[i] = fmt.Sprintf("%s (%s messages)", name, figure.Of(names[name]))
	}
	text := strings.Join(list, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
