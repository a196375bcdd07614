package inspect

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// The limits of RFC 7208, section 4.6.4.
const (
	maxLookups = 10
	maxVoids   = 2
)

// readSPF reads the SPF record with all that it includes.
func (in *inspection) readSPF() {
	in.tree = readTree(in.dns.part(), in.name)
	in.report.SPF = in.tree.report()
	in.spfStatus()
}

// spf inspects the SPF record.
func (in *inspection) spf() {
	root := in.tree.root
	switch {
	case errors.Is(root.err, spf.ErrDNS):
		return
	case errors.Is(root.err, spf.ErrNoRecord):
		in.spfAbsent(root)
		return
	}
	in.spfFaults()
	in.spfCosts()
	in.spfChecked()
	if root.parsed == nil {
		return
	}
	in.spfEverybody()
	in.spfTerms(root)
	in.spfDefault(in.tree.last())
}

// report returns what the tree says.
func (t *spfTree) report() *published.SPF {
	r := &published.SPF{Record: t.root.Record, Lookups: t.root.Lookups, VoidLookups: t.root.VoidLookups}
	if t.root.Record != "" {
		r.Tree = t.root.SPFRecord
	}
	var sources []source
	for i := range t.root.terms {
		for _, network := range t.root.terms[i].networks {
			sources = append(sources, source{network.Masked(), t.root.Terms[i].Text})
		}
		if t.root.parsed != nil && t.root.reads(i) {
			t.root.Terms[i].Without = t.root.without(i)
		}
	}
	r.Networks = merged(t.root.networks())
	r.IPv4Addresses, r.IPv6Networks = counted(r.Networks)
	r.Overlaps = overlaps(sources)
	for _, n := range t.nodes {
		for i := range n.terms {
			if n.terms[i].unknown && n.passes && !slices.Contains(r.Unknown, n.Terms[i].Text) {
				r.Unknown = append(r.Unknown, n.Terms[i].Text)
			}
		}
	}
	return r
}

// without returns what the record comes to if a term is dropped.
func (n *spfNode) without(i int) *published.SPFRest {
	var rest []netip.Prefix
	for j := range n.terms {
		if j != i {
			rest = append(rest, n.terms[j].networks...)
		}
	}
	left := &published.SPFRest{Lookups: n.Lookups - n.terms[i].lookups}
	left.IPv4Addresses, left.IPv6Networks = counted(rest)
	return left
}

// last returns the record whose default counts: that of the domain, or the one that it redirects
// to.
func (t *spfTree) last() *spfNode {
	n := t.root
	for n.parsed != nil {
		next := n
		for i := range n.terms {
			if n.parsed.Terms[i].Kind == spf.KindRedirect && n.terms[i].nested != nil {
				next = n.terms[i].nested
			}
		}
		if next == n {
			break
		}
		n = next
	}
	return n
}

// spfStatus lets package spf check the record, for a client that it does not list.
func (in *inspection) spfStatus() {
	checker := spf.Checker{Resolver: in.dns.resolver}
	res := checker.Check(in.dns.ctx, spf.Envelope{IP: stranger(in.report.SPF.Networks), MailFrom: "postmaster@" + in.name, HELO: in.name})
	in.checked = res
	s := in.report.SPF
	switch res.Status {
	case spf.StatusNone, spf.StatusPermError, spf.StatusTempError:
		s.Status, s.Reason = res.Status.String(), visible.Value(res.Err.Error())
	default:
		s.Status = "valid"
	}
}

// stranger returns an address that no network covers, if there is one.
func stranger(networks []netip.Prefix) netip.Addr {
	var addr netip.Addr
	for _, text := range []string{"240.0.0.1", "192.0.2.254", "198.51.100.254", "203.0.113.254", "100.127.255.254", "9.9.9.1"} {
		addr = netip.MustParseAddr(text)
		if !slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			break
		}
	}
	return addr
}

// spfAbsent is for a domain without an SPF record.
func (in *inspection) spfAbsent(root *spfNode) {
	name := visible.Domain(in.name)
	for _, text := range root.texts {
		if r, meant := mend.SPF(text); meant {
			f, _ := remedy.NearlySPF(&spf.Result{Rejected: []string{text}, RejectedDomain: in.name})
			in.found.add("spf-almost", "A TXT record of "+name+" was meant to be an SPF record. As it is written it does not count as one.",
				text+faultText(r), f)
			return
		}
	}
	old, _ := in.dns.get(question(in.name, resolver.TypeSPF), false)
	for _, text := range old.TXT {
		if _, is, err := spf.Parse(text); is && err == nil {
			f := remedy.Fix{
				Text:    "Publish the SPF record of " + name + " as a TXT record. Nobody asks for the type SPF any more.",
				Changes: []Change{remedy.New(remedy.ActionAdd, name, "TXT", text)},
			}
			in.found.add("spf-type-99", "The only SPF record of "+name+" is of the type SPF (99), which was abolished.", text, f)
			in.found.add("spf-missing", name+" has no SPF record.", "TXT records of "+name+": none begins with v=spf1", f)
			return
		}
	}
	in.found.add("spf-missing", name+" has no SPF record.", "TXT records of "+name+": none begins with v=spf1", in.firstSPF())
}

// faultText says what is wrong with a record, behind its text.
func faultText(r *mend.Record) string {
	if len(r.Faults) == 0 {
		return ""
	}
	return " (" + strings.TrimSuffix(r.Faults[0].Text, ".") + ")"
}

// firstSPF is the record of a domain that has none: with its mail servers, or those of the company
// that has its mail, or with nobody where it takes no mail either.
func (in *inspection) firstSPF() Fix {
	name := visible.Domain(in.name)
	terms := in.firstTerms()
	if len(terms) == 0 {
		return Fix{
			Text:    "Publish an SPF record for " + name + " that says that it sends no mail.",
			Note:    "If it does send mail, name its servers and mail companies before -all.",
			Changes: []Change{remedy.New(remedy.ActionAdd, name, "TXT", "v=spf1 -all")},
		}
	}
	return Fix{
		Text:    "Publish an SPF record for " + name + ". It says which servers send its mail.",
		Note:    "Name all your servers and mail companies before ~all.",
		Changes: []Change{remedy.New(remedy.ActionAdd, name, "TXT", "v=spf1 "+strings.Join(terms, " ")+" ~all")},
	}
}

// firstTerms are what is known to send for a domain without an SPF record: companies that want to be
// included, and mail servers that are none of theirs.
func (in *inspection) firstTerms() []string {
	var terms []string
	for _, mx := range in.mx {
		if includeOf(providerOfHost(mx.Host)) == "" {
			terms = []string{"mx"}
		}
	}
	for _, p := range provider.All() {
		if include := includeOf(&p); include != "" && in.providers[p.ID] != nil {
			terms = append(terms, include)
		}
	}
	return terms
}

// spfCosts is on look-ups.
func (in *inspection) spfCosts() {
	root, name := in.tree.root, visible.Domain(in.name)
	limited := func(err error) Fix { return remedy.SPF(in.tree.result(spfFault{in.tree.last(), -1, err})) }
	lookups := strconv.Itoa(root.Lookups)
	switch {
	case root.Lookups > maxLookups:
		in.found.add("spf-too-many-lookups",
			"The SPF record of "+name+" needs "+lookups+" look-ups in DNS. Ten are allowed: with more, receivers do not use it.",
			root.costs(), limited(spf.ErrTermLimit))
	case root.Lookups >= maxLookups-1:
		in.found.add("spf-near-limit",
			"The SPF record of "+name+" needs "+lookups+" of the ten look-ups in DNS that are allowed. The next company that you add may break it.",
			root.costs(), Fix{Text: "Take out the companies that no longer send for you."})
	}
	if root.VoidLookups > maxVoids {
		in.found.add("spf-void-lookups",
			strconv.Itoa(root.VoidLookups)+" look-ups of the SPF record of "+name+" find nothing. Two are allowed: with more, receivers do not use it.",
			root.costs(), limited(spf.ErrVoidLimit))
	}
	for _, n := range in.tree.nodes {
		for i := range n.terms {
			if n.terms[i].unknown && (n.parsed.Terms[i].Kind == spf.KindInclude || n.parsed.Terms[i].Kind == spf.KindRedirect) {
				in.found.add("spf-macro", "What a term of the SPF record of "+visible.Domain(n.Domain)+" costs and lets pass depends on the message: its name has a macro.",
					n.Terms[i].Text, Fix{})
			}
		}
	}
}

// spfChecked is on what only a check shows, since the message decides: a record that is included by
// a name with macros.
func (in *inspection) spfChecked() {
	if in.checked.Status != spf.StatusPermError || in.found.hasError("spf-") {
		return
	}
	id := "spf-syntax"
	for _, known := range spfFaultIDs {
		if errors.Is(in.checked.Err, known.err) {
			id = known.id
			break
		}
	}
	in.found.add(id, "The SPF record of "+visible.Domain(in.name)+" cannot be used for mail from "+in.checked.Sender+": "+remedy.SPFFault(in.checked)+".",
		in.checked.Err.Error(), remedy.SPF(in.checked))
}

// costs says what the terms cost, the dearest first.
func (n *spfNode) costs() string {
	terms := slices.Clone(n.Terms)
	slices.SortStableFunc(terms, func(a, b published.SPFTerm) int { return b.Lookups - a.Lookups })
	var list []string
	for _, t := range terms {
		if t.Lookups > 0 {
			text := t.Text + " " + strconv.Itoa(t.Lookups)
			if t.Voids > 0 {
				text += " (" + strconv.Itoa(t.Voids) + " of them in vain)"
			}
			list = append(list, text)
		}
	}
	return strings.Join(list, ", ")
}

// ownTerm returns the term that leads to one of n, in the record of the domain or one that it redirects
// to: that term itself if it stands there.
func (n *spfNode) ownTerm(i int) (at *spfNode, term int) {
	for !n.isRedirected() {
		n, i = n.above, n.inTerm
	}
	return n, i
}

// spfEverybody is on records that let everybody send.
func (in *inspection) spfEverybody() {
	name := visible.Domain(in.name)
	for _, n := range in.tree.nodes {
		if !n.passes || n.parsed == nil {
			continue
		}
		for i := range n.parsed.Terms {
			t := &n.parsed.Terms[i]
			if !n.reads(i) || !remedy.Everybody(t) && !n.terms[i].everybody {
				continue
			}
			evidence := t.Text + " in the record of " + visible.Domain(n.Domain)
			var fix Fix
			if at, term := n.ownTerm(i); at == n && remedy.Everybody(t) {
				fix, _ = remedy.CloseSPF(visible.Domain(n.Domain), n.Record)
			} else {
				text := at.Terms[term].Text
				fix.Text = "Take " + text + " out of the SPF record of " + visible.Domain(at.Domain) + "."
				fix = remedy.LeaveOut(fix, visible.Domain(at.Domain), at.parsed, []string{text})
			}
			in.found.add("spf-pass-all", "The SPF record of "+name+" lets everybody send mail in its name, or nearly so.", evidence, fix)
			return
		}
	}
}
