// Package rollout says from the aggregate reports about a domain who sends mail in its name, and what
// a stricter policy would do to that mail.
//
// Of makes a Flow of a row of a report: it names the sender, as far as the row proves one, and puts
// him into a Class. Flows of many reports are summed, with Refine applied to them, and then answer two
// questions: Sources lists who sends, and Make says what p, sp and np would have done, and which step
// is safe now.
//
//	plan := rollout.Make(rollout.Input{Domain: "example.com", Flows: flows, Reported: aggregate.Policy{P: "none"}})
//	fmt.Println(plan.Step.Record, plan.Step.Reason)
//
// All of it is a function of its input: no DNS, no clock. Reports can be forged: sum the flows of those
// reports only whose mail passed DMARC for the domain of the reporter (RFC 9990, section 8.2).
package rollout

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/internal/provider"
)

// A Class says what kind of sender messages came from.
type Class string

const (
	Aligned    Class = "aligned"    // they passed DMARC
	Misaligned Class = "misaligned" // the domain's own mail, as it seems, sent in a way that is not set up
	Forwarded  Class = "forwarded"  // they came by way of a forwarder or mailing list, and failed for that
	Unknown    Class = "unknown"    // nothing shows that they have to do with the domain: most often forged
)

// A Flow is messages of one source that had the same outcome.
type Flow struct {
	Source      netip.Addr `json:"source_ip"`
	HeaderFrom  string     `json:"header_from"` // the Author Domain
	DKIM        bool       `json:"dkim"`        // an identifier of the kind is aligned
	SPF         bool       `json:"spf"`
	Disposition string     `json:"disposition"` // as Row has it

	Class Class `json:"class"`

	// Name is who sent: a provider, the domain that an identifier which passed belongs to, or
	// the selector of an aligned signature. It is empty where nothing is proven.
	Name     string `json:"name,omitempty"`
	Provider string `json:"provider,omitempty"` // its ID, where Name is a provider known here: "amazon-ses"

	Messages int64     `json:"messages"`
	First    time.Time `json:"first,omitzero"` // the first and last day with such messages
	Last     time.Time `json:"last,omitzero"`

	// Seen is when the first report came that shows the flow, where a store knows.
	Seen time.Time `json:"seen,omitzero"`

	// Hosts is how many addresses the flow is the sum of, where it is one. Source is the zero
	// Addr then.
	Hosts int `json:"hosts,omitempty"`
}

// OtherNames stands as the HeaderFrom of a Flow for the names below a domain that are not listed one by
// one.
const OtherNames = "*"

// Passed reports whether the messages passed DMARC.
func (f *Flow) Passed() bool { return f.DKIM || f.SPF }

// Sender returns the Name of the Source that the flow belongs to.
func (f *Flow) Sender() string {
	switch {
	case f.Name != "":
		return f.Name
	case f.Source.IsValid():
		return f.Source.String()
	}
	return Others
}

// Of returns the flow that a row is part of.
func Of(row *aggregate.Row) Flow {
	f := Flow{
		Source: row.Source, HeaderFrom: row.HeaderFrom, DKIM: row.DKIM == "pass", SPF: row.SPF == "pass",
		Disposition: row.Disposition, Messages: row.Count,
	}
	e := evidenceOf(row)
	f.Name, f.Provider = e.name()
	switch {
	case f.Passed():
		f.Class = Aligned
	case saysForwarded(row.Reasons):
		f.Class = Forwarded
	case e.provider != nil, e.strict:
		f.Class = Misaligned
	case e.broken && e.stranger != "":
		f.Class = Forwarded
	default:
		f.Class = Unknown
	}
	return f
}

// evidence is what the results in a row show of the sender.
type evidence struct {
	provider *provider.Provider // whom an identifier that passed belongs to, or a selector
	stranger string             // the organization of an identifier that passed and is another one's
	selector string             // of an aligned signature that passed
	strict   bool               // an identifier of the same organization passed
	broken   bool               // a signature of the same organization did not
}

func evidenceOf(row *aggregate.Row) (e evidence) {
	author := organization(row.HeaderFrom)
	take := func(name string) {
		if p := provider.OfDomain(name); p != nil && e.provider == nil {
			e.provider = p
		}
		if own := organization(name); own != author && e.stranger == "" {
			e.stranger = own
		}
	}
	for _, a := range row.AuthDKIM {
		switch own := organization(a.Domain) == author; {
		case own && a.Result != "pass":
			e.broken = true
		case own:
			e.strict = true
			if e.selector == "" {
				e.selector = a.Selector
			}
		case a.Result == "pass":
			take(a.Domain)
		}
	}
	for _, a := range row.AuthSPF {
		switch own := organization(a.Domain) == author; {
		case a.Result != "pass" || a.Scope == "helo" || a.Domain == "":
		case own:
			e.strict = true
		default:
			take(a.Domain)
		}
	}
	if e.provider == nil && e.selector != "" {
		e.provider = provider.OfSelector(e.selector)
	}
	return e
}

func (e *evidence) name() (name, id string) {
	switch {
	case e.provider != nil:
		return e.provider.Name, e.provider.ID
	case e.stranger != "":
		return e.stranger, ""
	case e.selector != "":
		return "selector " + e.selector, ""
	}
	return "", ""
}

func organization(name string) string {
	return alignment.PublicSuffix{}.Of(name).Organizational
}

// saysForwarded reports whether the reporter says that messages were forwarded. Several write what
// they found of a chain of seals into the comment: "arc=pass".
func saysForwarded(reasons []aggregate.Reason) bool {
	return slices.ContainsFunc(reasons, func(r aggregate.Reason) bool {
		switch r.Type {
		case "forwarded", "trusted_forwarder", "mailing_list":
			return true
		}
		return strings.Contains(strings.ToLower(r.Comment), "arc=pass")
	})
}

// Refine puts flows that fail, and of which their own rows do not show what they are, into a class by
// what else came from their addresses: a host from which mail passes SPF for the domain is the domain's
// own, and one from which its signed mail comes, but by SPF none of its own, forwards it.
func Refine(flows []Flow) {
	type seen struct{ own, forwards bool }
	hosts := make(map[netip.Addr]seen)
	for i := range flows {
		f := &flows[i]
		s := hosts[f.Source]
		s.own = s.own || f.SPF
		s.forwards = s.forwards || f.DKIM && !f.SPF
		hosts[f.Source] = s
	}
	for i := range flows {
		f := &flows[i]
		if f.Class != Unknown || !f.Source.IsValid() {
			continue
		}
		switch s := hosts[f.Source]; {
		case s.own:
			f.Class = Misaligned
		case s.forwards:
			f.Class = Forwarded
		}
	}
}

// String returns the word.
func (c Class) String() string { return string(c) }

// String returns the flow as one line: "192.0.2.1 example.com: 12 messages, misaligned, SendGrid".
func (f Flow) String() string {
	return fmt.Sprintf("%s %s: %d messages, %s, %s", f.Source, f.HeaderFrom, f.Messages, f.Class, f.Name)
}
