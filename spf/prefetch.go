package spf

import (
	"iter"
	"slices"

	"github.com/mailverdict/mailverdict/resolver"
)

// This file finds questions that the evaluation is likely to come to, and has them asked
// ahead, so that a check waits for the longest chain of questions and not for their sum.
//
// Only questions count that the evaluation, going by what is known at the time, could
// come to within the limits: those of terms up to the tenth, and of none behind a term
// that is sure to match. The evaluation takes their answers as if it had asked itself.
//
// Nothing is asked ahead before an answer has taken time. As long as answers come at
// once, from a cache or a zone in memory, a goroutine would cost more than it saves. The
// evaluation itself asks the first question of a record, so that a record with only one
// starts no goroutine either.

// A prefetch asks ahead for one check. Nil is one that asks nothing. It has copies of
// what it needs to know, since it works beside the evaluation.
type prefetch struct {
	arguments
	limits  *Limits
	records *keptRecords
	ahead   *ahead
}

func newPrefetch(m *matcher) *prefetch {
	m.questions.ahead = newAhead(&m.questions)
	return &prefetch{arguments: m.arguments, limits: m.limits, records: m.records, ahead: m.questions.ahead}
}

// rest asks for what is left of the records under evaluation, the innermost first.
// Counted is how many terms have asked DNS.
func (p *prefetch) rest(path []place, counted int) {
	for _, at := range slices.Backward(path) {
		p.terms(at.rest, at.domain, counted, false)
	}
}

// record asks for all of a record but its first question.
func (p *prefetch) record(r *Record, current string, counted int) {
	if p != nil && r.asking > 1 {
		p.terms(r.Terms, current, counted, true)
	}
}

// terms asks for terms of the record of a domain.
func (p *prefetch) terms(terms []Term, current string, counted int, butFirst bool) {
	for counted, t := range p.likely(terms, counted) {
		if !butFirst {
			p.term(t, current, counted)
		}
		butFirst = false
	}
}

// likely yields the terms that the evaluation may ask DNS for, each with the number of
// terms that will at least have asked DNS by then.
func (p *prefetch) likely(terms []Term, counted int) iter.Seq2[int, *Term] {
	return func(yield func(int, *Term) bool) {
		var redirect *Term
		for i := range terms {
			t := &terms[i]
			switch {
			case t.Kind == KindAll, t.isNetwork && p.contains(t):
				return // it matches, whatever comes before it
			case t.Kind == KindRedirect:
				redirect = t
				continue
			case !t.Kind.asksDNS():
				continue
			}
			if counted++; counted > p.limits.Terms || !yield(counted, t) {
				return
			}
		}
		if redirect != nil && counted < p.limits.Terms {
			yield(counted+1, redirect)
		}
	}
}

// term asks the question of a term, and then those that its answer leads to.
func (p *prefetch) term(t *Term, current string, counted int) {
	if t.letters.has(letter('p')) || p.unmatchable(t) {
		return
	}
	name, fit := p.name(t, current, "")
	if !fit {
		return
	}
	r := request{question: resolver.Question{Name: name}}
	switch t.Kind {
	case KindInclude, KindRedirect:
		r.question.Type = resolver.TypeTXT
		r.then = func(a *resolver.Answer) {
			if record, stop := p.records.choose(a.TXT, p.limits); stop.err == nil {
				p.terms(record.Terms, name, counted, false)
			}
		}
	case KindMX:
		r.question.Type = resolver.TypeMX
		r.then = func(a *resolver.Answer) {
			if hosts := appendExchangers(nil, a.MX); len(hosts) <= p.limits.MXHosts {
				p.hosts(hosts, false)
			}
		}
	case KindPTR:
		r.question = resolver.Question{Name: reverseName(p.ip), Type: resolver.TypePTR}
		r.reverse = true
		r.then = func(a *resolver.Answer) {
			p.hosts(within(pointers(a.PTR, p.limits.PTRNames), name), true)
		}
	case KindExists:
		r.question.Type = resolver.TypeA
	default:
		r.question.Type = p.family()
	}
	p.ahead.ask(r)
}

// hosts asks for the addresses of hosts: of mail exchangers, or in reverse of names that
// the client's address claims to have.
func (p *prefetch) hosts(names []string, reverse bool) {
	if p == nil {
		return
	}
	for _, host := range names {
		p.ahead.ask(request{question: resolver.Question{Name: host, Type: p.family()}, reverse: reverse})
	}
}
