package inspect

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// This file looks at the terms of the domain's own record, which can be read.

// spfTerms is on terms that do harm or nothing.
func (in *inspection) spfTerms(n *spfNode) {
	in.spfMistyped(n)
	in.spfPTR(n)
	in.spfBehindAll(n)
	in.spfTwice(n)
	in.spfLong(n)
}

// edited returns the change of a record to one with other terms.
func edited(n *spfNode, terms []string) []Change {
	value := strings.Join(append([]string{"v=spf1"}, terms...), " ")
	return []Change{remedy.Replace(visible.Domain(n.Domain), value, n.Record)}
}

// picked returns the texts of those terms for which ok holds, and of the others.
func picked(r *spf.Record, ok func(i int, t *spf.Term) bool) (those, others []string) {
	for i := range r.Terms {
		if t := &r.Terms[i]; ok(i, t) {
			those = append(those, t.Text)
		} else {
			others = append(others, t.Text)
		}
	}
	return those, others
}

// spfMistyped is on terms that can be read, and are not what was meant: "ipv4=192.0.2.1" is a
// modifier that nobody knows.
func (in *inspection) spfMistyped(n *spfNode) {
	r := mistyped(n)
	if r == nil {
		return
	}
	at := visible.Domain(n.Domain)
	f := remedy.SPFText(Fix{Text: "Correct the SPF record of " + at + "."}, at, n.Record)
	in.found.add("spf-typo", "The SPF record of "+at+" has a term that is not what was meant. "+r.Faults[0].Text, n.Record, f)
}

// mistyped returns what a record was meant to be, if that is something else than it says; or nil.
func mistyped(n *spfNode) *mend.Record {
	if r, meant := mend.SPF(n.Record); meant && len(r.Faults) > 0 {
		return r
	}
	return nil
}

// spfPTR is on ptr, and on the macro that costs the same.
func (in *inspection) spfPTR(n *spfNode) {
	those, _ := picked(n.parsed, func(_ int, t *spf.Term) bool {
		return t.Kind == spf.KindPTR || strings.Contains(t.Domain(), "%{p") || strings.Contains(t.Domain(), "%{P")
	})
	if len(those) == 0 {
		return
	}
	at := visible.Domain(n.Domain)
	in.found.add("spf-ptr", "The SPF record of "+at+" uses the names that clients give themselves (ptr). That is slow, and large receivers skip it (RFC 7208, section 5.5).",
		strings.Join(those, " "), remedy.LeaveOut(Fix{
			Text: "Take " + remedy.List(those) + " out of the SPF record of " + at + ", and name the servers by their addresses.",
		}, at, n.parsed, those))
}

// spfBehindAll is on terms that nobody reads.
func (in *inspection) spfBehindAll(n *spfNode) {
	all := -1
	for i := range n.parsed.Terms {
		if n.parsed.Terms[i].Kind == spf.KindAll {
			all = i
			break
		}
	}
	if all < 0 {
		return
	}
	at := visible.Domain(n.Domain)
	behind, before := picked(n.parsed, func(i int, t *spf.Term) bool { return i > all && !t.Kind.IsModifier() })
	if len(behind) > 0 {
		in.found.add("spf-after-all", "Terms stand behind all in the SPF record of "+at+". Nobody reads them there.", strings.Join(behind, " "), Fix{
			Text:    "Move what sends for you before " + n.Terms[all].Text + ", and drop the rest.",
			Broken:  remedy.Marked(at, n.parsed, behind),
			Changes: edited(n, moved(before, all, behind)),
		})
	}
	redirect, others := picked(n.parsed, func(_ int, t *spf.Term) bool { return t.Kind == spf.KindRedirect })
	if len(redirect) > 0 {
		in.found.add("spf-redirect-ignored", "The SPF record of "+at+" has "+redirect[0]+" beside "+n.Terms[all].Text+". The redirect is ignored.", n.Record, Fix{
			Text:    "Take " + redirect[0] + " out of the SPF record of " + at + ", or all.",
			Note:    "To allow what it names, write include in place of redirect, before " + n.Terms[all].Text + ".",
			Broken:  remedy.Marked(at, n.parsed, redirect),
			Changes: edited(n, others),
		})
	}
}

// moved returns terms with others, but for further alls, put in at an index.
func moved(terms []string, at int, others []string) []string {
	list := append([]string(nil), terms[:at]...)
	for _, text := range others {
		if !strings.EqualFold(strings.TrimLeft(text, "+-~?"), "all") {
			list = append(list, text)
		}
	}
	return append(list, terms[at:]...)
}

// spfTwice is on terms that stand in the record twice, and networks within others.
func (in *inspection) spfTwice(n *spfNode) {
	isTwice := func(i int, t *spf.Term) bool {
		for j := range n.parsed.Terms {
			other := &n.parsed.Terms[j]
			if j == i || other.Qualifier != t.Qualifier {
				continue
			}
			same := strings.EqualFold(other.String(), t.String()) && j < i
			wider := t.Network().IsValid() && other.Network().IsValid() && covers(other.Network(), t.Network()) &&
				(other.Network().Masked() != t.Network().Masked() || j < i)
			if same || wider {
				return true
			}
		}
		return false
	}
	twice, once := picked(n.parsed, func(i int, t *spf.Term) bool {
		return t.Kind != spf.KindAll && t.Kind != spf.KindUnknown && isTwice(i, t)
	})
	if len(twice) == 0 {
		return
	}
	at := visible.Domain(n.Domain)
	in.found.add("spf-duplicate", "The SPF record of "+at+" says the same twice.", strings.Join(twice, " "), Fix{
		Text:    "Take out what the record says already: " + remedy.List(twice) + ".",
		Changes: edited(n, once),
	})
}

// maxAnswer is how many octets of TXT records fit into an answer of 512 octets: RFC 7208, section
// 3.4.
const maxAnswer = 450

// spfLong is on answers that do not fit into one packet.
func (in *inspection) spfLong(n *spfNode) {
	size := 0
	for _, text := range n.texts {
		size += len(text)
	}
	if size <= maxAnswer {
		return
	}
	evidence := strconv.Itoa(size) + " octets, of which the SPF record has " + strconv.Itoa(len(n.Record))
	f := Fix{Text: "Delete TXT records of " + visible.Domain(n.Domain) + " that are no longer needed, such as old proofs of ownership."}
	if len(n.Record) > maxAnswer {
		f.Text = "Shorten the SPF record of " + visible.Domain(n.Domain) + ": move addresses into a record of their own, and include that."
	}
	in.found.add("spf-too-long", "The TXT records of "+visible.Domain(n.Domain)+" are more than 450 octets. Some receivers get no answer so long.", evidence, f)
}

// spfDefault is on what the record says of all other servers.
func (in *inspection) spfDefault(n *spfNode) {
	if n.parsed == nil {
		return
	}
	at := visible.Domain(n.Domain)
	for i := range n.parsed.Terms {
		t := &n.parsed.Terms[i]
		if t.Kind == spf.KindRedirect {
			return
		}
		if t.Kind != spf.KindAll {
			continue
		}
		if t.Qualifier == spf.StatusNeutral {
			terms := make([]string, 0, len(n.Terms))
			for j := range n.Terms {
				terms = append(terms, n.Terms[j].Text)
			}
			terms[i] = "~all"
			in.found.add("spf-neutral-all", "The SPF record of "+at+" ends in ?all. That says nothing of servers that it does not list.", n.Record, Fix{
				Text:    "End the SPF record of " + at + " in ~all.",
				Note:    "Once you are sure that all your servers are listed, -all is better still.",
				Broken:  remedy.Marked(at, n.parsed, []string{t.Text}),
				Changes: edited(n, terms),
			})
		}
		return
	}
	terms, _ := picked(n.parsed, func(int, *spf.Term) bool { return true })
	in.found.add("spf-no-all", "The SPF record of "+at+" does not end in all. It says nothing of servers that it does not list.", n.Record, Fix{
		Text:    "End the SPF record of " + at + " in ~all.",
		Note:    "Once you are sure that all your servers are listed, -all is better still.",
		Changes: edited(n, append(terms, "~all")),
	})
}
