package spf

import (
	"iter"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// This file asks DNS ahead of the reading, so that a check waits for the longest
// chain of questions and not for their sum.
//
// It only ever starts questions that the reading, going by what is known at the
// time, could come to within the limits: terms up to the tenth and not behind one
// that is sure to match, in all no more terms than Limits.Terms, and only while
// fewer than Limits.Questions have been asked. What it finds out, the reading
// takes as if it had asked itself; what it asks in vain counts for nothing, and is
// called off and waited for when the check ends.
//
// Nothing is asked ahead before the reading has waited for an answer. As long as
// answers come at once, from a cache or a zone in memory, a goroutine would cost
// more than it saves. The first question of a record the reading asks itself, so
// that a record with only one starts no goroutine either.

// atOnce is what an answer takes at most that nobody waited for: far more than
// looking it up in memory takes, and far less than asking a server.
const atOnce = 50 * time.Microsecond

// waits reports whether questions are to be asked ahead.
func (c *check) waits() bool { return c.parallel && c.waited }

// askAhead starts what the reading of the terms of a record may come to after
// their first question.
func (c *check) askAhead(terms []Term, current string) {
	first := true
	for counted, t := range c.prospects(terms, c.terms) {
		if !first {
			c.pursue(t, current, counted)
		}
		first = false
	}
}

// prospects yields those of the terms that the reading may ask DNS for, each with
// the number of such terms that it will at least have come to by then.
func (c *check) prospects(terms []Term, counted int) iter.Seq2[int, *Term] {
	return func(yield func(int, *Term) bool) {
		var redirect *Term
		for i := range terms {
			t := &terms[i]
			switch {
			case t.Kind == KindAll, t.Network().Contains(c.ip):
				return // it matches, whatever comes before it
			case t.Kind == KindRedirect:
				redirect = t
				continue
			case !t.Kind.asksDNS():
				continue
			}
			if counted++; counted > c.limits.Terms || !yield(counted, t) {
				return
			}
		}
		if redirect != nil && counted < c.limits.Terms {
			yield(counted+1, redirect)
		}
	}
}

// pursue asks the question of a term, and those that its answer leads to.
func (c *check) pursue(t *Term, current string, counted int) {
	if t.letters.has(letterSet("p")) || c.unmatchable(t) {
		return
	}
	name, fit := c.name(t, current, "")
	if !fit {
		return
	}
	q := resolver.Question{Name: name}
	switch t.Kind {
	case KindInclude, KindRedirect:
		q.Type = resolver.TypeTXT
	case KindMX:
		q.Type = resolver.TypeMX
	case KindPTR:
		q = resolver.Question{Name: reverseName(c.ip), Type: resolver.TypePTR}
	case KindExists:
		q.Type = resolver.TypeA
	default:
		q.Type = c.family()
	}
	c.start(q, true, func(l *lookup) {
		switch {
		case l.err != nil:
		case t.Kind == KindMX:
			if hosts := exchangers(l.answer.MX); len(hosts) <= c.limits.MXHosts {
				c.pursueHosts(hosts)
			}
		case t.Kind == KindPTR:
			c.pursueHosts(within(pointers(l.answer.PTR, c.limits.PTRNames), name))
		case l.settled && l.stop == nil:
			for counted, t := range c.prospects(l.record.Terms, counted) {
				c.pursue(t, name, counted)
			}
		}
	})
}

// askHostsAhead starts the questions for the addresses of hosts, but the first.
func (c *check) askHostsAhead(hosts []string) {
	if c.waits() && len(hosts) > 1 {
		c.pursueHosts(hosts[1:])
	}
}

func (c *check) pursueHosts(hosts []string) {
	for _, host := range hosts {
		c.start(resolver.Question{Name: host, Type: c.family()}, false, nil)
	}
}

// start asks a question in a goroutine of its own, unless it has been asked or
// must not be; then is called with the answer.
func (c *check) start(q resolver.Question, ofTerm bool, then func(*lookup)) {
	l := c.reserve(q, ofTerm)
	if l == nil {
		return
	}
	c.ahead.Go(func() {
		l.answer, l.err = c.resolver.Resolve(&c.limit, q)
		if q.Type == resolver.TypeTXT {
			l.settle(c.limits)
		}
		close(l.done)
		if then != nil && c.limit.Err() == nil {
			then(l)
		}
	})
}
