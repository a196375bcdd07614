package rollout

import (
	"fmt"
	"time"

	"github.com/mailverdict/mailverdict/internal/figure"
)

// A Block is a reason not to make p stricter yet, or a sender whose mail p=reject loses now.
type Block struct {
	Kind   BlockKind `json:"kind"`
	Source string    `json:"source,omitempty"` // its name
	Text   string    `json:"text"`             // a sentence
	Fix    *Fix      `json:"fix,omitempty"`
}

// BlockKind says what keeps a policy from becoming stricter.
type BlockKind string

const (
	BlockSource    BlockKind = "source"    // a sender of the domain's own mail fails
	BlockReports   BlockKind = "reports"   // there are too few reports to tell
	BlockTime      BlockKind = "time"      // the policy is too young
	BlockNothing   BlockKind = "nothing"   // no mail proves to be the domain's own, and nobody said that it sends none
	BlockPeople    BlockKind = "people"    // people write from the domain, or nobody said that none do
	BlockForwarded BlockKind = "forwarded" // much of the mail is forwarded, and fails
)

// What a step needs: a month of reports under the policy that is published now, and next to none of
// the domain's own mail that fails.
const (
	MinDays       = 28
	MaxQuarantine = 0.005 // of the own mail may fail before p=quarantine
	MaxReject     = 0.001 // and before p=reject
)

const (
	minWorkdays = 15 // with reports, in a month of mail that is sent on working days alone

	// Of the own mail that may be forwarded and fail before p=quarantine and before p=reject.
	maxForwardedQuarantine = 0.05
	maxForwardedReject     = 0.01
)

// enough reports whether the reports cover a month.
func enough(in Input) bool {
	const month = (MinDays - 3) * 24 * time.Hour // a month of working days may begin and end with free ones
	return in.Covered >= MinDays || !in.First.IsZero() && in.Covered >= minWorkdays && in.Now.Sub(in.First) >= month
}

// young reports whether p has been what it is for less than a month.
func young(in Input) bool {
	return !in.Since.IsZero() && in.Now.Sub(in.Since) < MinDays*24*time.Hour
}

// next returns the value that p may have next, and the share of own mail that may fail before it. A domain
// that sends nothing has nothing to lose on the way. A policy that is tested is applied next.
func (p *Plan) next() (value string, share float64) {
	switch {
	case p.P.Policy == "reject" && p.Testing == "":
		return "", MaxReject
	case p.P.Policy == "reject", p.P.Policy == "quarantine" && p.Testing == "", p.P.sendsNothing():
		return "reject", MaxReject
	}
	return "quarantine", MaxQuarantine
}

// blocks returns what keeps p from its next value.
func blocks(in Input, p *Plan) (list []Block) {
	value, share := p.next()
	if value == "" || in.NoMail && p.P.sendsNothing() { // then no report tells more than the domain does
		return failingSources(in, p, value, share)
	}
	if !enough(in) {
		list = append(list, Block{Kind: BlockReports, Text: fmt.Sprintf(
			"Reports cover %d of the last %d days. Wait until they cover a month, or look at more days: some senders write once a month.", in.Covered, in.Days)})
	}
	if young(in) {
		text := fmt.Sprintf("p=%s has been published since %s.", p.P.Policy, in.Since.UTC().Format(time.DateOnly))
		if in.Since.Equal(in.Now) {
			text = fmt.Sprintf("p=%s is published, and no report tells of it yet.", p.P.Policy)
		}
		list = append(list, Block{Kind: BlockTime, Text: text + " Let it stand for a month before the next step."})
	}
	list = append(list, failingSources(in, p, value, share)...)
	switch {
	case p.P.sendsNothing() && p.P.Unknown > 0:
		return append(list, Block{Kind: BlockNothing, Text: fmt.Sprintf(
			"%s messages came in the domain's name, and none proves to be yours. Either the domain sends no mail: then say so. Or nothing is set up for what it sends.", figure.Of(p.P.Unknown)),
			Fix: &Fix{Text: "If it sends no mail, publish an SPF record that lets nobody send.", Records: []Record{{Name: in.Domain, Type: "TXT", Value: "v=spf1 -all"}}}})
	case p.P.sendsNothing():
		return list
	}
	return append(list, indirect(in, p, value)...)
}

// indirect returns what keeps a domain from a policy because of the way that its mail goes, though all of it is set up.
func indirect(in Input, p *Plan, value string) (list []Block) {
	limit, does := maxForwardedQuarantine, "have them put into spam"
	if value == "reject" {
		limit, does = maxForwardedReject, "have them refused"
	}
	switch {
	case value == "reject" && in.People == "yes":
		return []Block{{Kind: BlockPeople, Text: "People write from this domain. Mailing lists change their mail and forward it, and reject would have it " +
			"refused: RFC 9989, section 7.4, advises against reject for such a domain. quarantine is where it stays."}}
	case value == "reject" && in.People == "":
		list = append(list, Block{Kind: BlockPeople, Text: "Say whether people write from this domain, who may post to mailing lists, or programs only. " +
			"For people reject is not advised (RFC 9989, section 7.4)."})
	}
	if all := sum(p.P.Own(), p.P.Forwarded); float64(p.P.Forwarded) > limit*float64(all) {
		list = append(list, Block{Kind: BlockForwarded, Text: fmt.Sprintf(
			"%s messages of yours were forwarded and fail, %.1f %% of your own. p=%s would %s. Mail with a DKIM signature of the domain passes where a forwarder does not change it.",
			figure.Of(p.P.Forwarded), 100*float64(p.P.Forwarded)/float64(all), value, does)})
	}
	return list
}

// failingSources returns the senders because of whom too much of the domain's own mail would be lost, or is:
// all those that matter, if the sum of them does.
func failingSources(in Input, p *Plan, value string, share float64) (list []Block) {
	own := float64(p.P.Own())
	if float64(p.P.Misaligned) <= share*own {
		return nil
	}
	var flows []Flow
	for i := range in.Flows {
		if f := &in.Flows[i]; f.Class == Misaligned && p.partOf(f, in) == &p.P {
			flows = append(flows, *f)
		}
	}
	advice := "Set it up before p=" + value
	if value == "" {
		advice = "p=reject has them refused: set it up"
	}
	for _, s := range Sources(in.Domain, flows) {
		if len(list) > 0 && float64(s.Misaligned) < share*own/10 {
			break
		}
		list = append(list, Block{Kind: BlockSource, Source: s.Name, Fix: s.Fix, Text: fmt.Sprintf(
			"%s sent %s messages that fail, %.1f %% of your own. %s, or make sure that it is not yours.",
			s.Name, figure.Of(s.Misaligned), 100*float64(s.Misaligned)/own, advice)})
	}
	return list
}

// String returns the text.
func (b Block) String() string { return b.Text }

// String returns the word.
func (k BlockKind) String() string { return string(k) }
