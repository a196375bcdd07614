package rollout

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
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

	// First is the first day that has reports. Mail that is sent on working days alone has
	// reports of these: where First is known, a month of them is enough.
	First time.Time

	// Record is the policy record as it is published, or empty where that is not known. Then
	// Reported is what the last report says of it.
	Record   string
	Reported aggregate.Policy

	// Since is when Reported.P became what it is, as far as reports tell, or the zero time.
	Since time.Time

	// Missing has the names below Domain of which DNS said whether they exist, and is true for
	// those that do not, to which np applies. Other names are counted under sp.
	Missing map[string]bool

	// NotMine names senders, as Source.Name does, of which the owner knows that they are not his:
	// their mail counts as forged.
	NotMine []string

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

	// Testing is "t=y" or "pct=10", where the record has its policies tested, or applied to a part of
	// the mail. It is empty otherwise.
	Testing string `json:"testing,omitempty"`

	Step   Step     `json:"step"`
	Blocks []Block  `json:"blocks"`          // what keeps p from its next value, or what is lost under p=reject
	Notes  []string `json:"notes,omitempty"` // what else to know, a sentence each
}

// A Part is the mail that one tag of the record applies to. Quarantine and reject concern the same
// messages: those that do not pass.
type Part struct {
	Tag    string `json:"tag"`
	Policy string `json:"policy"` // what applies now, inherited if need be
	Counts
}

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

// Make returns the plan for a domain.
func Make(in Input) Plan {
	now := policiesOf(in)
	p := Plan{
		Domain: in.Domain, Days: in.Days, Covered: in.Covered, Testing: now.testing,
		P: Part{Tag: "p", Policy: now.p}, SP: Part{Tag: "sp", Policy: now.sp}, NP: Part{Tag: "np", Policy: now.np},
	}
	if reported := known(in.Reported.P); parsed(in.Record) != nil && reported != "" && reported != now.p {
		in.Since = in.Now // what is published is so new that no report tells of it
	}
	in.Flows = disowned(in.Flows, in.NotMine)
	for i := range in.Flows {
		f := &in.Flows[i]
		p.Messages = sum(p.Messages, f.Messages)
		p.partOf(f, in).add(f)
	}
	p.Blocks = append([]Block{}, blocks(in, &p)...)
	p.Step = step(in, &p, now)
	p.Notes = notes(in, &p)
	return p
}

// partOf returns the part that a flow belongs to. Where a reporter does not say what the Author Domain was, it is
// the domain.
func (p *Plan) partOf(f *Flow, in Input) *Part {
	switch {
	case f.HeaderFrom == in.Domain, f.HeaderFrom == "":
		return &p.P
	case in.Missing[f.HeaderFrom]:
		return &p.NP
	}
	return &p.SP
}

// disowned returns flows with the mail of senders that are not the owner's as what it is: forged.
func disowned(flows []Flow, notMine []string) []Flow {
	if len(notMine) == 0 {
		return flows
	}
	flows = slices.Clone(flows)
	for i := range flows {
		if f := &flows[i]; f.Class == Misaligned && slices.Contains(notMine, f.Sender()) {
			f.Class = Unknown
		}
	}
	return flows
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
