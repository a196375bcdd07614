package inspect

import (
	"net/netip"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// This file finds which addresses the terms of SPF records are about, and what asking for them
// costs.

// maxMXHosts is how many hosts an mx term may have: RFC 7208, section 4.6.4.
const maxMXHosts = 10

// hosts fills in the terms that ask for hosts, and those that name networks, of a level of records.
func (t *spfTree) hosts(level []*spfNode) {
	t.dns.ahead(hostQuestions(level)...)
	var exchangers []resolver.Question
	for _, n := range level {
		for i := range n.Terms {
			if term := &n.parsed.Terms[i]; term.Kind == spf.KindMX && n.reads(i) && !hasMacro(term) {
				for _, host := range t.exchangers(targetOf(term, n.Domain)) {
					exchangers = append(exchangers, question(host, resolver.TypeA), question(host, resolver.TypeAAAA))
				}
			}
		}
	}
	t.dns.ahead(exchangers...)
	for _, n := range level {
		for i := range n.Terms {
			if n.reads(i) {
				t.term(n, i)
			}
		}
	}
}

// hostQuestions are the first questions of the terms.
func hostQuestions(level []*spfNode) []resolver.Question {
	var list []resolver.Question
	for _, n := range level {
		for i := range n.Terms {
			term := &n.parsed.Terms[i]
			if !n.reads(i) || hasMacro(term) {
				continue
			}
			name := targetOf(term, n.Domain)
			switch term.Kind {
			case spf.KindA:
				list = append(list, question(name, resolver.TypeA), question(name, resolver.TypeAAAA))
			case spf.KindMX:
				list = append(list, question(name, resolver.TypeMX))
			case spf.KindExists:
				list = append(list, question(name, resolver.TypeA))
			}
		}
	}
	return list
}

// exchangers returns the hosts of MX records, without the null MX, as many as are read.
func (t *spfTree) exchangers(name string) []string {
	answer, _ := t.dns.get(question(name, resolver.TypeMX), true)
	var hosts []string
	for _, mx := range answer.MX {
		if mx.Host != "" && mx.Host != "." && len(hosts) <= maxMXHosts {
			hosts = append(hosts, mx.Host)
		}
	}
	return hosts
}

// term fills in one term.
func (t *spfTree) term(n *spfNode, i int) {
	term, cost := &n.parsed.Terms[i], &n.terms[i]
	name := targetOf(term, n.Domain)
	switch term.Kind {
	case spf.KindIP4, spf.KindIP6:
		cost.add(term, term.Network().Addr())
	case spf.KindPTR:
		cost.lookups, cost.unknown = 1, true
	case spf.KindA, spf.KindMX, spf.KindExists:
		cost.lookups = 1
		switch {
		case hasMacro(term):
			cost.unknown = true
		case term.Kind == spf.KindA:
			t.host(term, cost, name)
		case term.Kind == spf.KindMX:
			t.mx(term, cost, name)
		default:
			answer, err := t.dns.get(question(name, resolver.TypeA), true)
			cost.fail(err)
			cost.void(err == nil && len(answer.Addrs) == 0)
			cost.everybody = len(answer.Addrs) > 0 && term.Qualifier == spf.StatusPass
		}
	}
}

// host takes the addresses of a host.
func (t *spfTree) host(term *spf.Term, cost *spfCost, name string) {
	for _, kind := range []resolver.Type{resolver.TypeA, resolver.TypeAAAA} {
		answer, err := t.dns.get(question(name, kind), true)
		cost.fail(err)
		cost.void(err == nil && kind == resolver.TypeA && len(answer.Addrs) == 0)
		for _, addr := range answer.Addrs {
			cost.add(term, addr)
		}
	}
}

// mx takes the addresses of the mail exchangers of a domain.
func (t *spfTree) mx(term *spf.Term, cost *spfCost, name string) {
	answer, err := t.dns.get(question(name, resolver.TypeMX), true)
	cost.fail(err)
	cost.void(err == nil && len(answer.MX) == 0)
	hosts := t.exchangers(name)
	if len(hosts) > maxMXHosts {
		cost.err = spf.ErrMXLimit
		return
	}
	for _, host := range hosts {
		t.host(term, cost, host)
	}
}

// void notes that a look-up of the term found nothing: it counts once.
func (c *spfCost) void(found bool) {
	if found {
		c.voids = 1
	}
}

// fail notes that DNS did not answer.
func (c *spfCost) fail(err error) {
	if err != nil && c.err == nil {
		c.err = cause.Wrap(spf.ErrDNS, "", err)
	}
}

// add adds the network around an address, if the term lets it pass.
func (c *spfCost) add(term *spf.Term, addr netip.Addr) {
	addr = addr.Unmap()
	bits := int(term.Bits6)
	if addr.Is4() {
		bits = int(term.Bits4)
	}
	if network, err := addr.Prefix(bits); err == nil && term.Qualifier == spf.StatusPass {
		c.networks = append(c.networks, network)
	}
}
