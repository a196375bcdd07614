package rollout

import (
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
