package inspect

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// This file reads an SPF record and all that it includes, without a client that it is checked for:
// every term up to all, in every record. What it counts is what a check costs that no term matches
// (RFC 7208, section 4.6.4); a test holds it against package spf.

// maxRecords is how many records of one tree are read.
const maxRecords = 100

// maxDepth is how deep includes may be nested.
const maxDepth = 20

// An spfTree is an SPF record on the way to its SPF.
type spfTree struct {
	dns   *asker
	root  *spfNode
	nodes []*spfNode // all, outermost first
}

// An spfNode is one record of the tree.
type spfNode struct {
	*published.SPFRecord
	parsed *spf.Record
	above  *spfNode
	inTerm int  // of above, the term that leads here
	passes bool // a match here lets pass

	texts []string // the TXT records of the name
	err   error    // why the record cannot be used: it wraps an error of package spf
	void  bool     // DNS has nothing at the name
	terms []spfCost
}

// An spfCost is what a term costs by itself, and what it lets pass.
type spfCost struct {
	lookups, voids int
	networks       []netip.Prefix
	err            error
	nested         *spfNode
	unknown        bool // a macro decides
	everybody      bool // every client matches
}

// readTree reads the record of a domain and all below it.
func readTree(dns *asker, name string) *spfTree {
	t := &spfTree{dns: dns, root: &spfNode{SPFRecord: &published.SPFRecord{Domain: name}, passes: true}}
	level := []*spfNode{t.root}
	for depth := 0; len(level) > 0; depth++ {
		t.nodes = append(t.nodes, level...)
		level = t.read(level, depth)
	}
	t.root.sum()
	return t
}

// read reads the records of a level, and returns those that they lead to.
func (t *spfTree) read(level []*spfNode, depth int) []*spfNode {
	var names []string
	for _, n := range level {
		names = append(names, n.Domain)
	}
	t.dns.ahead(questions(resolver.TypeTXT, names...)...)
	for _, n := range level {
		n.choose(t.dns)
	}
	t.hosts(level)
	var next []*spfNode
	for _, n := range level {
		for i := range n.Terms {
			child := n.follow(i)
			switch {
			case child == nil:
			case depth == maxDepth || len(t.nodes)+len(next) >= maxRecords:
				n.terms[i].err = cause.Wrap(spf.ErrTermLimit, "too many records to be read", nil)
			default:
				n.terms[i].nested = child
				next = append(next, child)
			}
		}
	}
	return next
}

// choose finds the SPF record among the TXT records of the name: RFC 7208, section 4.5.
func (n *spfNode) choose(dns *asker) {
	texts, err := dns.txt(n.Domain, true)
	n.texts = texts
	if err != nil {
		n.err = cause.Wrap(spf.ErrDNS, "", err)
		return
	}
	n.void = len(texts) == 0
	found := remedy.SPFRecords(texts)
	switch {
	case len(found) == 0:
		n.err = spf.ErrNoRecord
	case len(found) > 1:
		n.Record, n.err = found[0], spf.ErrMultipleRecords
	default:
		n.Record = found[0]
		n.parse()
	}
}

// The limits of package spf for one record.
const (
	maxRecordOctets = 8 << 10
	maxRecordTerms  = 500
)

func (n *spfNode) parse() {
	if len(n.Record) > maxRecordOctets {
		n.err = spf.ErrRecordLimit
		return
	}
	n.parsed, _, n.err = spf.Parse(n.Record)
	if n.err != nil {
		n.parsed = nil
		return
	}
	if len(n.parsed.Terms) > maxRecordTerms {
		n.parsed, n.err = nil, spf.ErrRecordLimit
		return
	}
	n.terms = make([]spfCost, len(n.parsed.Terms))
	for i := range n.parsed.Terms {
		n.Terms = append(n.Terms, published.SPFTerm{Text: n.parsed.Terms[i].Text})
	}
}

// read reports whether a term is evaluated if none before it matches: mechanisms up to all, and
// redirect where there is no all.
func (n *spfNode) reads(i int) bool {
	all := len(n.parsed.Terms)
	for j := range n.parsed.Terms {
		if n.parsed.Terms[j].Kind == spf.KindAll {
			all = j
			break
		}
	}
	if n.parsed.Terms[i].Kind == spf.KindRedirect {
		return all == len(n.parsed.Terms)
	}
	return !n.parsed.Terms[i].Kind.IsModifier() && i <= all
}

// follow returns the node of the record that a term leads to, or nil.
func (n *spfNode) follow(i int) *spfNode {
	term := &n.parsed.Terms[i]
	if term.Kind != spf.KindInclude && term.Kind != spf.KindRedirect || !n.reads(i) {
		return nil
	}
	cost := &n.terms[i]
	cost.lookups = 1
	if hasMacro(term) {
		cost.unknown = true
		return nil
	}
	name := targetOf(term, n.Domain)
	if domain.Labels(name) < 2 {
		cost.err = cause.Wrap(spf.ErrNoTarget, "not a domain name", nil)
		return nil
	}
	for up := n; up != nil; up = up.above {
		if up.Domain == name {
			cost.err = spf.ErrLoop
			return nil
		}
	}
	if p := provider.OfInclude(name); p != nil {
		n.Terms[i].Provider = p.ID
	}
	return &spfNode{
		SPFRecord: &published.SPFRecord{Domain: name}, above: n, inTerm: i,
		passes: n.passes && (term.Kind == spf.KindRedirect || term.Qualifier == spf.StatusPass),
	}
}

// hasMacro reports whether the message decides which name a term is about.
func hasMacro(t *spf.Term) bool { return strings.Contains(t.Domain(), "%") }

// targetOf returns the name that a term is about.
func targetOf(t *spf.Term, name string) string {
	if spec := t.Domain(); spec != "" {
		return domain.ToLower(strings.TrimSuffix(spec, "."))
	}
	return name
}

// sum adds up what the terms of the record cost, those of records below included.
func (n *spfNode) sum() {
	if n.err != nil {
		n.Problem = n.err.Error()
	}
	for i := range n.terms {
		cost, term := &n.terms[i], &n.Terms[i]
		if child := cost.nested; child != nil {
			child.sum()
			term.Include = child.SPFRecord
			cost.lookups += child.Lookups
			cost.voids += child.VoidLookups
			if child.void {
				cost.voids++
			}
			if n.parsed.Terms[i].Kind == spf.KindRedirect || n.parsed.Terms[i].Qualifier == spf.StatusPass {
				cost.networks = child.networks()
			}
			if errors.Is(child.err, spf.ErrNoRecord) {
				cost.err = cause.Wrap(spf.ErrNoTarget, "", child.err)
			}
		}
		if cost.err != nil {
			term.Problem = cost.err.Error()
		}
		term.Lookups, term.Voids = cost.lookups, cost.voids
		term.IPv4Addresses, term.IPv6Networks = counted(cost.networks)
		n.Lookups += cost.lookups
		n.VoidLookups += cost.voids
	}
}

// networks are what the terms of the record let pass.
func (n *spfNode) networks() []netip.Prefix {
	var list []netip.Prefix
	for i := range n.terms {
		list = append(list, n.terms[i].networks...)
	}
	return list
}

// evaluation returns the record as package spf would have evaluated it, up to a fault if it is not
// nil: what remedies are made of.
func (n *spfNode) evaluation(fault *spfFault) *spf.Evaluation {
	e := &spf.Evaluation{Domain: n.Domain, Record: n.Record, Err: n.err}
	lookups, voids := 0, 0
	for i := range n.terms {
		cost := &n.terms[i]
		if !n.reads(i) {
			continue
		}
		lookups += cost.lookups
		voids += cost.voids
		s := spf.Step{Term: n.Terms[i].Text, Lookups: lookups, VoidLookups: voids, Err: cost.err}
		if cost.nested != nil {
			s.Nested = cost.nested.evaluation(fault)
		}
		if fault != nil && n.leadsTo(i, fault) {
			s.Err = fault.err
			e.Steps = append(e.Steps, s)
			break
		}
		e.Steps = append(e.Steps, s)
	}
	return e
}

// leadsTo reports whether a fault is that of a term, or stands in a record that it leads to.
func (n *spfNode) leadsTo(i int, fault *spfFault) bool {
	if fault.node == n {
		return fault.term == i
	}
	for below := fault.node; below != nil; below = below.above {
		if below.above == n {
			return below.inTerm == i
		}
	}
	return false
}
