package spf

import (
	"iter"
	"slices"
	"sync"
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
// called off and waited for when the check ends. So that little is asked in vain,
// it is never more than mostAhead questions ahead: the rest waits its turn.
//
// Nothing is asked ahead before the reading has waited for an answer. As long as
// answers come at once, from a cache or a zone in memory, a goroutine would cost
// more than it saves. The first question of a record the reading asks itself, so
// that a record with only one starts no goroutine either.

// atOnce is what an answer takes at most that nobody waited for: far more than
// looking it up in memory takes, and far less than asking a server.
const atOnce = 50 * time.Microsecond

// mostAhead is how many questions may have been asked ahead that the reading has
// not come to. A check thus leads to at most Limits.Questions + mostAhead questions,
// whatever the zone and the timing. Ten is what one mx term has at most to ask for.
const mostAhead = 10

// A prefetch asks DNS beside the reading of one check. It has copies of what it
// needs to know, and shares the register of questions.
type prefetch struct {
	facts
	limits   Limits
	resolver resolver.Resolver
	limit    *timeLimit

	mu sync.Mutex // for what is below
	register
	terms   int      // how many were asked for, or wait to be
	room    int      // how many more questions may be asked ahead: at most mostAhead
	waiting []errand // what is to be asked when there is room, in order

	running sync.WaitGroup
}

// An errand is a question to ask ahead, and what to do with its answer.
type errand struct {
	question resolver.Question
	ofTerm   bool          // it is the first of a term
	then     func(*lookup) // or nil
}

// ahead returns what asks ahead, or nil as long as nothing is to be asked ahead.
func (c *check) ahead() *prefetch {
	if c.beside == nil && c.parallel && c.waited {
		c.beside = &prefetch{
			facts: c.facts, limits: c.limits, resolver: c.resolver, limit: c.limit, register: c.own,
			room: mostAhead,
		}
	}
	return c.beside
}

// end starts nothing more and waits until nothing is running any more. The context
// has ended by then.
func (p *prefetch) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.room = 0
	p.mu.Unlock()
	p.running.Wait()
}

// unread is the rest of a record that the reading is in, for when it first waits.
type unread struct {
	terms []Term
	name  string
	outer *unread // the record that this one is included in
}

// enter begins the reading of a record.
func (c *check) enter(record *Record, name string) {
	if record.asking < 2 {
		return // nothing to ask beside anything
	}
	if p := c.ahead(); p != nil {
		p.read(record.Terms, name, c.terms, true)
	} else if c.parallel {
		c.unread = &unread{terms: record.Terms, name: name, outer: c.unread}
	}
}

// leave ends the reading of a record.
func (c *check) leave(record *Record) {
	if record.asking > 1 && c.unread != nil {
		c.unread = c.unread.outer
	}
}

// catchUp starts what is left of the records that the reading is in, when it has
// waited for the first time.
func (c *check) catchUp() {
	if c.unread == nil || c.ahead() == nil {
		return
	}
	for u := c.unread; u != nil; u = u.outer {
		c.beside.read(u.terms, u.name, c.terms, false)
	}
	c.unread = nil
}

// read starts what the reading of terms may come to when it has counted so many
// before. With own, the first question is left to the reading itself.
func (p *prefetch) read(terms []Term, current string, counted int, own bool) {
	for counted, t := range p.prospects(terms, counted) {
		if !own {
			p.pursue(t, current, counted)
		}
		own = false
	}
}

// prospects yields those of the terms that the reading may ask DNS for, each with
// the number of such terms that it will at least have come to by then.
func (p *prefetch) prospects(terms []Term, counted int) iter.Seq2[int, *Term] {
	return func(yield func(int, *Term) bool) {
		var redirect *Term
		for i := range terms {
			t := &terms[i]
			switch {
			case t.Kind == KindAll, p.inNetwork(t):
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

// pursue asks the question of a term, and those that its answer leads to.
func (p *prefetch) pursue(t *Term, current string, counted int) {
	if t.letters.has(letterSet("p")) || p.unmatchable(t) {
		return
	}
	name, fit := p.name(t, current, "")
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
		q = resolver.Question{Name: reverseName(p.ip), Type: resolver.TypePTR}
	case KindExists:
		q.Type = resolver.TypeA
	default:
		q.Type = p.family()
	}
	p.start(q, true, func(l *lookup) {
		switch {
		case l.err != nil:
		case t.Kind == KindMX:
			if hosts := exchangers(l.answer.MX); len(hosts) <= p.limits.MXHosts {
				p.hosts(hosts)
			}
		case t.Kind == KindPTR:
			p.hosts(within(pointers(l.answer.PTR, p.limits.PTRNames), name))
		case q.Type == resolver.TypeTXT && l.early.stop == nil:
			p.read(l.early.record.Terms, name, counted, false)
		}
	})
}

// askHostsAhead starts the questions for the addresses of hosts, but the first.
func (c *check) askHostsAhead(hosts []string) {
	if p := c.ahead(); p != nil {
		p.hosts(hosts[1:])
	}
}

// hosts starts the questions for the addresses of hosts.
func (p *prefetch) hosts(names []string) {
	for _, host := range names {
		p.start(resolver.Question{Name: host, Type: p.family()}, false, nil)
	}
}

// start asks a question in a goroutine of its own as soon as there is room, unless
// it has been asked or must not be; then is called with the answer.
func (p *prefetch) start(q resolver.Question, ofTerm bool, then func(*lookup)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ofTerm && p.terms >= p.limits.Terms || p.find(q) != nil || p.waits(q) {
		return
	}
	if ofTerm {
		p.terms++
	}
	p.waiting = append(p.waiting, errand{q, ofTerm, then})
	p.proceed()
}

// waits reports whether a question is among those that wait. They are few: those
// of Limits.Terms terms and of the hosts that these name.
func (p *prefetch) waits(q resolver.Question) bool {
	return slices.ContainsFunc(p.waiting, func(e errand) bool { return e.question == q })
}

// proceed starts what waits, as far as there is room. It is called with p.mu held.
func (p *prefetch) proceed() {
	for p.room > 0 && p.count < p.limits.Questions && len(p.waiting) > 0 {
		next := p.waiting[0]
		p.waiting = p.waiting[1:]
		if p.find(next.question) != nil { // the reading was faster
			if next.ofTerm {
				p.terms--
			}
			continue
		}
		p.room--
		have := p.add(next.question)
		have.early = &early{done: make(chan struct{})}
		p.running.Go(func() { p.ask(have, next.then) })
	}
}

// ask asks a question, and hands its answer on.
func (p *prefetch) ask(l *lookup, then func(*lookup)) {
	l.answer, l.err = resolve(p.limit, p.resolver, l.question)
	if l.question.Type == resolver.TypeTXT {
		l.early.record, l.early.stop = l.read(p.limits, new(pile))
	}
	close(l.early.done)
	if then != nil && p.limit.Err() == nil {
		then(l)
	}
}

// taken makes room for another question, since the reading has come to one that was
// asked ahead. It is called with p.mu held.
func (p *prefetch) taken() {
	p.room++
	p.proceed()
}
