package explain

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/spf"
)

// fixSPF says how SPF could make the pass, if that is in sight. Wrong is true where the record
// of the sender's own domain is what stands in the way.
func fixSPF(r *dmarc.Result) (list []Fix, wrong bool) {
	if r.SPF == nil || !r.Envelope.IP.IsValid() {
		return nil, false // nobody knows which server is to be allowed
	}
	for _, i := range r.DMARC.Identifiers {
		switch {
		case i.Method != dmarc.MethodSPF:
		case i.Alignment != discovery.Aligned:
			return ownReturnAddress(r, i), false
		case r.SPF.Status == spf.StatusPermError:
			return []Fix{mendSPF(r.SPF)}, true
		default:
			if f, ok := nearlySPF(r.SPF); ok && r.SPF.Status == spf.StatusNone {
				return []Fix{f}, true
			}
			return []Fix{allow(r)}, false
		}
	}
	return nil, false
}

// allow is for a server that the SPF record of the sender's own domain does not list.
func allow(r *dmarc.Result) Fix {
	name, ip := plainDomain(r.SPF.Domain), client(&r.Envelope)
	term, what := ipTerm(r.Envelope.IP), "If "+ip+" is a server of yours, add it to the SPF record of "+name+"."
	f := Fix{}
	if p := provider.OfHost(r.Envelope.HELO); p != nil {
		if include := includeOf(p); include != "" {
			term, f.Provider = include, p.ID
			what = "If " + p.Name + " sends your mail, let the SPF record of " + name + " allow it."
		}
	}
	f.Text = what
	record, at := r.SPF.Record, plainDomain(or(r.SPF.RecordDomain, r.SPF.Domain))
	if record == "" {
		f.Changes = []Change{change(ActionAdd, name, "TXT", "v=spf1 "+term+" ~all")}
		f.Note = "Name your other servers and mail companies before ~all, if there are any."
		return f
	}
	if value := addTerm(record, term); value != "" {
		f.Changes = []Change{replace(at, value, record)}
	}
	return f
}

// includeOf returns the term that allows a provider, or "".
func includeOf(p *provider.Provider) string {
	for _, fix := range p.Fixes {
		if fix.Kind == provider.KindInclude && len(fix.Records) == 1 {
			return fix.Records[0].Value
		}
	}
	return ""
}

func ipTerm(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return "ip4:" + ip.String()
	}
	return "ip6:" + ip.String()
}

// addTerm returns an SPF record with a further term before its default, or "".
func addTerm(text, term string) string {
	r, ok, err := spf.Parse(text)
	if !ok || err != nil {
		return ""
	}
	at := len(text)
	for _, t := range r.Terms {
		if t.Kind == spf.KindAll || t.Kind.IsModifier() {
			at = t.Offset
			break
		}
	}
	return strings.TrimRight(text[:at], " ") + " " + term + strings.TrimRight(" "+text[at:], " ")
}

// ownReturnAddress is for a return address of somebody else, such as a provider's.
func ownReturnAddress(r *dmarc.Result, i dmarc.Identifier) []Fix {
	name := plainDomain(r.DMARC.AuthorDomain)
	if domain.Check(name) != nil {
		return nil
	}
	server := "v=spf1 " + ipTerm(r.Envelope.IP) + " ~all"
	if i.Mode == alignment.Strict {
		return []Fix{{
			Text: "Let bounces go to an address at " + name + " itself, and allow the server there (SPF).",
			Note: "Its DMARC record lets only the exact name count (aspf=s).",
		}}
	}
	org := organizationOf(&r.DMARC)
	return []Fix{{
		Text:    "Let bounces go to an address below " + org + ", such as bounce." + org + ", and allow the server there (SPF).",
		Changes: []Change{change(ActionAdd, "bounce."+org, "TXT", server)},
		Note:    "The program or company that sends the mail has to use that address.",
	}}
}

// mendSPF is for an SPF record that cannot be used.
func mendSPF(res *spf.Result) Fix {
	is := func(err error) bool { return errors.Is(res.Err, err) }
	if is(spf.ErrMultipleRecords) || is(spf.ErrSyntax) || is(spf.ErrRecordLimit) {
		// The record in which the fault is may be one that is included.
		at := plainDomain(or(res.RejectedDomain, res.Domain))
		f := Fix{Text: "Correct the SPF record of " + at + ": " + spfFault(res) + "."}
		texts := spfRecords(res.Rejected)
		switch {
		case len(texts) == 0:
		case is(spf.ErrMultipleRecords):
			return mergeSPF(f, at, texts)
		case is(spf.ErrSyntax):
			return mendSPFText(f, at, texts[0])
		default:
			f.Broken = whole(at, texts[0])
		}
		return f
	}
	at := plainDomain(or(res.RecordDomain, res.Domain))
	e := evaluationAt(res.Evaluation, res.RecordDomain)
	f := Fix{Text: "Correct the SPF record of " + at + ": " + spfFault(res) + "."}
	r, isSPF, err := spf.Parse(res.Record)
	switch {
	case !isSPF || err != nil:
	case is(spf.ErrLoop):
		return dropLoop(f, at, r, e)
	case is(spf.ErrTermLimit):
		return dropTerms(f, at, r, e)
	case is(spf.ErrNoTarget), is(spf.ErrVoidLimit):
		return dropEmpty(f, at, r, e)
	default:
		f.Broken = whole(at, r.Text)
	}
	return f
}

// evaluationAt returns the evaluation of the record of a domain, which the initial one may
// redirect to; or nil.
func evaluationAt(e *spf.Evaluation, name string) *spf.Evaluation {
	for e != nil && e.Domain != name {
		if len(e.Steps) == 0 {
			return nil
		}
		e = e.Steps[len(e.Steps)-1].Nested // a redirect comes last
	}
	return e
}

// spfRecords returns those of some texts that are SPF records, broken or not.
func spfRecords(texts []string) []string {
	var list []string
	for _, text := range texts {
		if _, is, _ := spf.Parse(text); is {
			list = append(list, text)
		}
	}
	return list
}

// mendSPFText is for a record with a fault in its text.
func mendSPFText(f Fix, at, text string) Fix {
	r, meant := mend.SPF(text)
	if !meant || len(r.Faults) == 0 {
		f.Broken = whole(at, text)
		return f
	}
	f.Broken = show(at, r)
	if r.Mended != "" {
		f.Changes = []Change{replace(at, r.Mended, text)}
		f.Note = "This is what was probably meant. Compare it before you publish it."
	}
	return f
}

// mergeSPF is for several SPF records at one name.
func mergeSPF(f Fix, at string, records []string) Fix {
	merged := mend.Merge(records)
	if merged == "" {
		return f
	}
	f.Text = "Publish one SPF record for " + at + " in place of " + strconv.Itoa(len(records)) + ". Several count as none."
	f.Changes = []Change{replace(at, merged, records[0])}
	for _, text := range records[1:] {
		f.Changes = append(f.Changes, change(ActionDelete, at, "TXT", text))
	}
	f.Note = "This one allows all that they allowed. Take out what no longer sends for you."
	return f
}

// nearlySPF is for a text that was meant to be an SPF record, and is none.
func nearlySPF(res *spf.Result) (Fix, bool) {
	for _, text := range res.Rejected {
		if _, meant := mend.SPF(text); meant {
			at := plainDomain(res.RejectedDomain)
			return mendSPFText(Fix{Text: "Correct the SPF record of " + at + ". As it is written it does not count as one."}, at, text), true
		}
	}
	return Fix{}, false
}

// A cost is what a term of a record costs in look-ups, those that it leads to included.
type cost struct {
	term    string
	lookups int
	more    bool // the check ended within it
}

// costs returns what the terms of a record cost, as far as they were looked at.
func costs(e *spf.Evaluation) []cost {
	if e == nil {
		return nil
	}
	var list []cost
	before := 0
	for i := range e.Steps {
		s := &e.Steps[i]
		if n := s.Lookups - before; n > 0 || s.Err != nil {
			list = append(list, cost{s.Term, max(n, 1), s.Err != nil})
		}
		before = s.Lookups
	}
	return list
}

// leaveOut marks some terms of a record, and returns the fix with the record without them.
func leaveOut(f Fix, at string, r *spf.Record, terms []string) Fix {
	value := "v=spf1"
	for _, t := range r.Terms {
		if !slices.Contains(terms, t.Text) {
			value += " " + t.Text
		}
	}
	f.Broken = marked(at, r, terms)
	f.Changes = []Change{replace(at, value, r.Text)}
	return f
}

// dropTerms is for a record that needs too many look-ups.
func dropTerms(f Fix, at string, r *spf.Record, e *spf.Evaluation) Fix {
	f.Text = "The SPF record of " + at + " needs more than ten look-ups in DNS. Take out the companies that no longer send for you."
	f.Broken = whole(at, r.Text)
	terms := costs(e)
	if len(terms) == 0 {
		return f
	}
	drop := terms[0]
	var parts []string
	for _, c := range terms {
		n := strconv.Itoa(c.lookups)
		if c.more {
			n = "at least " + n
		}
		parts = append(parts, c.term+" "+n)
		if c.lookups > drop.lookups {
			drop = c
		}
	}
	f = leaveOut(f, at, r, []string{drop.term})
	f.Broken.Faults = []string{"Ten look-ups are allowed. Its parts need: " + strings.Join(parts, ", ") + "."}
	f.Note = "Here " + drop.term + " is left out, which costs most. It can move to a name below " + at + " and send from there."
	return f
}

// dropLoop is for a record that leads back to itself.
func dropLoop(f Fix, at string, r *spf.Record, e *spf.Evaluation) Fix {
	term := ""
	for _, t := range r.Terms {
		if (t.Kind == spf.KindInclude || t.Kind == spf.KindRedirect) && domain.ToLower(t.Domain()) == at {
			term = t.Text
		}
	}
	if term == "" && e != nil && len(e.Steps) > 0 {
		term = e.Steps[len(e.Steps)-1].Term // the check ended within the one that leads there
	}
	if term == "" {
		f.Broken = whole(at, r.Text)
		return f
	}
	f.Text = "Take " + term + " out of the SPF record of " + at + ". It leads back to the record itself: a loop."
	return leaveOut(f, at, r, []string{term})
}

// dropEmpty is for terms that lead nowhere.
func dropEmpty(f Fix, at string, r *spf.Record, e *spf.Evaluation) Fix {
	var terms []string
	if e != nil {
		voids := 0
		for i := range e.Steps {
			s := &e.Steps[i]
			if s.VoidLookups > voids || errors.Is(s.Err, spf.ErrNoTarget) || errors.Is(s.Err, spf.ErrVoidLimit) {
				terms = append(terms, s.Term)
			}
			voids = s.VoidLookups
		}
	}
	if len(terms) == 0 {
		f.Broken = whole(at, r.Text)
		return f
	}
	f = leaveOut(f, at, r, terms)
	f.Note = "Left out here, since DNS has nothing there: " + list(terms) + "."
	return f
}

// marked shows a record with some of its terms marked.
func marked(at string, r *spf.Record, terms []string) *Broken {
	b := &Broken{Name: at, Type: "TXT"}
	pos := 0
	for _, t := range r.Terms {
		if slices.Contains(terms, t.Text) {
			end := t.Offset + len(t.Text)
			b.Parts = append(b.Parts, Part{Text: r.Text[pos:t.Offset]}, Part{Text: t.Text, Wrong: true})
			pos = end
		}
	}
	if pos < len(r.Text) {
		b.Parts = append(b.Parts, Part{Text: r.Text[pos:]})
	}
	return b
}
