package rollout

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// An Input is what is known of a domain and of the mail in its name.
type Input struct {
	Domain string
	Flows  []Flow // refined

	// Now is the time of the plan, and Days how many days before it the flows are from, of which
	// Covered have reports.
	Now     time.Time
	Days    int
	Covered int

	// Record is the policy record as it is published, or empty where that is not known. Then
	// Reported is what the last report says of it.
	Record   string
	Reported aggregate.Policy

	// Since is when p became what it is, as far as reports tell, or the zero time.
	Since time.Time

	// Missing has the names below Domain that do not exist in DNS, to which np applies. The
	// other ones are taken to exist. Nil means that nobody asked.
	Missing map[string]bool

	// NoMail says that the SPF record of Domain lets nobody send: "v=spf1 -all".
	NoMail bool

	// People says whether people write from the domain, who post to mailing lists: "yes", "no",
	// or "" where nobody told.
	People string
}

// A Plan is what a stricter policy would have done to the mail, and the step that is safe now.
type Plan struct {
	Domain   string `json:"domain"`
	Days     int    `json:"days"`
	Covered  int    `json:"days_with_reports"`
	Messages int64  `json:"messages"`

	// P, SP and NP are the mail of the domain itself, of names below it, and of names below it
	// that do not exist.
	P  Part `json:"p"`
	SP Part `json:"sp"`
	NP Part `json:"np"`

	Step   Step     `json:"step"`
	Blocks []Block  `json:"blocks"`          // what keeps p from its next value
	Notes  []string `json:"notes,omitempty"` // what else to know, a sentence each
}

// A Part is the mail that one tag of the record applies to. Quarantine and reject concern the same
// messages: those that do not pass.
type Part struct {
	Tag      string `json:"tag"`
	Policy   string `json:"policy"` // what applies now, inherited if need be
	Messages int64  `json:"messages"`
	Aligned  int64  `json:"aligned"` // they pass, and no policy changes anything for them

	// What would be quarantined or refused.
	Misaligned int64 `json:"misaligned"`
	Forwarded  int64 `json:"forwarded"`
	Unknown    int64 `json:"unknown"`
}

// Failing returns how many messages a policy of quarantine or reject concerns.
func (p *Part) Failing() int64 { return sum(sum(p.Misaligned, p.Forwarded), p.Unknown) }

// sendsNothing reports whether no mail shows that anybody sends in the name.
func (p *Part) sendsNothing() bool { return p.Own() == 0 && p.Forwarded == 0 }

// Own returns how many messages are the domain's own, as far as that is known.
func (p *Part) Own() int64 { return sum(p.Aligned, p.Misaligned) }

// A Step is what to do next.
type Step struct {
	// Change says which tags change: "np=reject sp=reject". It is empty where nothing is to be
	// published now.
	Change string `json:"change,omitempty"`
	Name   string `json:"name,omitempty"`   // where the record stands
	Record string `json:"record,omitempty"` // all of it, ready to publish
	Reason string `json:"reason"`           // a sentence or two
}

// A Block is a reason not to make p stricter yet.
type Block struct {
	Kind   BlockKind `json:"kind"`
	Source string    `json:"source,omitempty"` // its name
	Text   string    `json:"text"`             // a sentence
	Fix    *Fix      `json:"fix,omitempty"`
}

// BlockKind says what keeps a policy from becoming stricter.
type BlockKind string

const (
	BlockSource  BlockKind = "source"  // a sender of the domain's own mail fails
	BlockReports BlockKind = "reports" // there are too few reports to tell
	BlockTime    BlockKind = "time"    // the policy is too young
	BlockNothing BlockKind = "nothing" // no mail proves to be the domain's own, and nobody said that it sends none
	BlockPeople  BlockKind = "people"  // people write from the domain, or nobody said that none do
)

// What a step needs: a month of reports under the policy that is published now, and next to none of
// the domain's own mail that fails.
const (
	MinDays       = 28
	MaxQuarantine = 0.005 // of the own mail may fail before p=quarantine
	MaxReject     = 0.001 // and before p=reject
)

// Make returns the plan for a domain.
func Make(in Input) Plan {
	p := Plan{Domain: in.Domain, Days: in.Days, Covered: in.Covered, Blocks: []Block{}}
	current := currentPolicy(in)
	p.P, p.SP, p.NP = Part{Tag: "p", Policy: current.P}, Part{Tag: "sp", Policy: current.SP}, Part{Tag: "np", Policy: current.NP}
	for i := range in.Flows {
		f := &in.Flows[i]
		p.Messages = sum(p.Messages, f.Messages)
		part := &p.SP
		switch {
		case f.HeaderFrom == in.Domain:
			part = &p.P
		case in.Missing[f.HeaderFrom]:
			part = &p.NP
		}
		part.add(f)
	}
	p.Blocks = append(p.Blocks, blocks(in, &p)...)
	p.Step = step(in, &p, current)
	p.Notes = notes(in, &p)
	return p
}

func (p *Part) add(f *Flow) {
	p.Messages = sum(p.Messages, f.Messages)
	switch f.Class {
	case Aligned:
		p.Aligned = sum(p.Aligned, f.Messages)
	case Misaligned:
		p.Misaligned = sum(p.Misaligned, f.Messages)
	case Forwarded:
		p.Forwarded = sum(p.Forwarded, f.Messages)
	default:
		p.Unknown = sum(p.Unknown, f.Messages)
	}
}

// next returns the value that follows that of p, and the share of own mail that may fail before it. A domain
// that sends nothing has nothing to lose on the way.
func next(p *Part) (value string, share float64) {
	switch {
	case p.Policy == "reject":
		return "", 0
	case p.Policy == "quarantine", p.sendsNothing():
		return "reject", MaxReject
	}
	return "quarantine", MaxQuarantine
}

// blocks returns what keeps p from its next value.
func blocks(in Input, p *Plan) (list []Block) {
	value, share := next(&p.P)
	if value == "" {
		return nil
	}
	if in.Covered < MinDays {
		list = append(list, Block{Kind: BlockReports, Text: fmt.Sprintf(
			"Reports cover %d of the last %d days. Wait until it is %d: some senders write once a month.", in.Covered, in.Days, MinDays)})
	}
	if held := in.Now.Sub(in.Since); !in.Since.IsZero() && held < MinDays*24*time.Hour {
		list = append(list, Block{Kind: BlockTime, Text: fmt.Sprintf(
			"p=%s has been published since %s. Let it stand for a month before the next step.", p.P.Policy, in.Since.UTC().Format(time.DateOnly))})
	}
	list = append(list, failingSources(in, p, value, share)...)
	switch {
	case p.P.sendsNothing() && p.P.Unknown > 0 && !in.NoMail:
		list = append(list, Block{Kind: BlockNothing, Text: fmt.Sprintf(
			"%d messages came in the domain's name, and none proves to be yours. Either the domain sends no mail: then say so. Or nothing is set up for what it sends.", p.P.Unknown),
			Fix: &Fix{Text: "If it sends no mail, publish an SPF record that lets nobody send.", Records: []Record{{Name: in.Domain, Type: "TXT", Value: "v=spf1 -all"}}}})
	case p.P.sendsNothing():
	case value == "reject" && in.People == "yes":
		list = append(list, Block{Kind: BlockPeople, Text: "People write from this domain. Mailing lists change their mail and forward it, and reject would have it " +
			"refused: RFC 9989, section 7.4, advises against reject for such a domain. quarantine is where it stays."})
	case value == "reject" && in.People == "":
		list = append(list, Block{Kind: BlockPeople, Text: "Say whether people write from this domain, who may post to mailing lists, or programs only. " +
			"For people reject is not advised (RFC 9989, section 7.4)."})
	}
	return list
}

// failingSources returns the senders because of whom too much of the domain's own mail would be lost:
// all those that matter, if the sum of them does.
func failingSources(in Input, p *Plan, value string, share float64) (list []Block) {
	own := float64(p.P.Own())
	if float64(p.P.Misaligned) <= share*own {
		return nil
	}
	var flows []Flow
	for _, f := range in.Flows {
		if f.HeaderFrom == in.Domain && f.Class == Misaligned {
			flows = append(flows, f)
		}
	}
	for _, s := range Sources(in.Domain, flows) {
		if len(list) > 0 && float64(s.Misaligned) < share*own/10 {
			break
		}
		list = append(list, Block{Kind: BlockSource, Source: s.Name, Fix: s.Fix, Text: fmt.Sprintf(
			"%s sent %d messages that fail, %.1f %% of your own. Set it up before p=%s, or make sure that it is not yours.",
			s.Name, s.Misaligned, 100*float64(s.Misaligned)/own, value)})
	}
	return list
}

func notes(in Input, p *Plan) (list []string) {
	if p.P.Forwarded > 0 && p.P.Policy != "reject" {
		list = append(list, fmt.Sprintf("%d messages came by way of forwarders and lists and fail. Under reject they would be lost, unless the receiver knows the forwarder.", p.P.Forwarded))
	}
	list = append(list, "Only receivers that send reports are counted. How much of the mail that is, nobody can tell.")
	if in.Missing == nil && p.SP.Messages > 0 {
		list = append(list, "DNS was not asked which names exist: all names below the domain are counted under sp.")
	}
	return list
}

// String returns the plan as one line: "example.com, 30 days: p=none, 12 of 1000 messages fail; next: np=reject".
func (p Plan) String() string {
	return fmt.Sprintf("%s, %d days: p=%s, %d of %d messages fail; next: %s", p.Domain, p.Days, p.P.Policy, p.P.Failing(), p.P.Messages,
		cmp.Or(p.Step.Change, "nothing to publish"))
}

// LogValue returns what String says, as attributes.
func (p Plan) LogValue() slog.Value {
	return slog.GroupValue(slog.String("domain", p.Domain), slog.Int("days", p.Days), slog.String("p", p.P.Policy),
		slog.Int64("messages", p.P.Messages), slog.Int64("failing", p.P.Failing()), slog.String("change", p.Step.Change))
}

// String returns the part as one line: "sp=none: 12 of 1000 messages fail".
func (p Part) String() string {
	return fmt.Sprintf("%s=%s: %d of %d messages fail", p.Tag, p.Policy, p.Failing(), p.Messages)
}

// String returns the text.
func (b Block) String() string { return b.Text }

// String returns the word.
func (k BlockKind) String() string { return string(k) }
