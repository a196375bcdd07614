package spf

import (
	"context"
	"strconv"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

// A check is one evaluation under way: check_host of RFC 7208, section 4.
//
// The records are read in order, one term after the other, by the goroutine that
// called Check, and every count and every result comes of that reading alone. What
// others ask ahead of it (ahead.go) only shortens its waiting.
type check struct {
	facts
	lookups
	limits   Limits
	parallel bool
	trace    bool

	terms    int  // that asked DNS, so far
	voids    int  // terms of which a lookup found nothing
	voided   bool // the term under way is one of them
	included int  // how many includes the reading is in

	explaining bool // the result is found, nothing can change it any more
	noted      bool // Result.Authentic speaks of an answer

	reading pile // of the records that the reading is in

	unread *unread // what asking ahead would begin with

	step *Step // under way; nil where nobody asked for a trace

	result *Result
}

// An outcome is what came of one record.
type outcome struct {
	status Status
	err    error

	// The term that matched and the record and domain that it is of; term is nil
	// where none did, record empty where there is none. That of an include must not be
	// looked at: its memory is used again.
	term   *Term
	record string
	domain string
}

// needed is what every check needs on the heap, in one piece.
type needed struct {
	result Result
	first  [1]lookup
	terms  [3]Term // of a record of the usual length
}

// check evaluates an identity. With recalls, nothing is waited for, and ok is false where
// something would have to be.
func (c *Checker) check(ctx context.Context, id Identity, s Envelope, recalls bool) (r *Result, ok bool) {
	k := &check{limits: c.Limits.withDefaults(), parallel: !c.Sequential, trace: c.Trace}
	k.setIP(s.IP)
	k.helo = s.HELO
	k.receiver = c.Receiver
	need := new(needed)
	k.result = &need.result
	k.result.Identity = id

	shown, err := k.identify(id, s)
	k.result.Domain = shown
	if err == nil {
		k.result.Sender = k.sender
		if !k.ip.IsValid() {
			err = ErrNoAddress
		}
	}
	if err != nil {
		k.result.Err = err
		return k.result, true
	}

	k.resolver = c.Resolver
	if k.resolver == nil {
		k.resolver = resolver.Default()
	}
	k.recalls = recalls
	k.ctx, k.time, k.most = ctx, k.limits.Time, k.limits.Questions
	k.own.spare, k.reading.terms = need.first[:], need.terms[:0]
	k.run()
	k.limit.stop()
	k.beside.end()
	if k.missed {
		return nil, false
	}
	// The result keeps nothing of these alive.
	need.first, need.terms = [1]lookup{}, [3]Term{}
	return k.result, true
}

func (c *check) run() {
	o := c.host(c.facts.domain)
	r := c.result
	r.Status, r.Err = o.status, o.err
	if o.record != "" {
		r.Record, r.RecordDomain = o.record, o.domain
	}
	if o.term != nil {
		r.Mechanism = o.term.Text
	}
	r.Lookups, r.VoidLookups, r.Questions = c.terms, c.voids, c.used
}

// host evaluates the record of a domain: check_host.
func (c *check) host(name string) outcome {
	t := c.traceRecord(name)
	var o outcome
	record, stop := c.record(name)
	if stop == nil {
		t.record(&record)
		o = c.read(&record, name, t)
	} else {
		o = outcome{status: stop.status, err: stop.err}
	}
	t.finish(o)
	return o
}

// read evaluates a record: RFC 7208, sections 4.6 and 4.7.
func (c *check) read(record *Record, name string, t *tracer) outcome {
	c.enter(record, name)
	o := c.readTerms(record, name, t)
	c.leave(record)
	if o.term != nil || o.err != nil {
		return o
	}
	if redirect := record.find(KindRedirect); redirect != nil {
		return c.redirect(redirect, o, t)
	}
	o.status, o.err = StatusNeutral, ErrNoMatch
	return o
}

// readTerms evaluates the mechanisms of a record in order, up to one that matches
// or fails: RFC 7208, section 4.6.2.
func (c *check) readTerms(record *Record, name string, t *tracer) outcome {
	o := outcome{record: record.Text, domain: name}
	for i := range record.Terms {
		term := &record.Terms[i]
		if term.Kind.IsModifier() {
			continue
		}
		if c.unread != nil && record.asking > 1 {
			c.unread.terms = record.Terms[i+1:]
		}
		c.beginStep(t, term)
		c.voided = false
		match, stop := c.match(term, name)
		c.endStep(t, match, stop)
		if stop != nil {
			o.status, o.err = stop.status, inTerm(term, stop.err)
			return o
		}
		if match {
			o.status, o.term = term.Qualifier, term
			if o.status == StatusFail && c.included == 0 {
				c.explain(record, name, t)
			}
			return o
		}
	}
	return o
}

// redirect evaluates the record that stands in place of the one of o: RFC 7208,
// section 6.1.
func (c *check) redirect(term *Term, o outcome, t *tracer) outcome {
	c.beginStep(t, term)
	c.voided = false
	next, stop := c.follow(term, o.domain)
	c.endStep(t, false, stop)
	if stop != nil {
		o.status, o.err = stop.status, inTerm(term, stop.err)
		return o
	}
	if next.record == "" {
		next.record, next.domain = o.record, o.domain
	}
	if next.err != nil {
		next.err = inTerm(term, next.err)
	}
	return next
}

// include evaluates the record of another domain: RFC 7208, section 5.2.
func (c *check) include(term *Term, current string) (match bool, stop *ending) {
	before := c.reading
	c.included++
	o, stop := c.follow(term, current)
	c.included--
	// Nothing refers to the terms that were read since, but for who asks ahead: unread has
	// left them, and of o only the status and the fault are looked at.
	if c.beside == nil {
		c.reading.backTo(before)
	}
	if stop != nil {
		return false, stop
	}
	switch o.status {
	case StatusTempError, StatusPermError:
		return false, &ending{o.status, o.err}
	}
	return o.status == StatusPass, nil
}

// follow evaluates the record of the domain that an include or redirect names.
// That there is none is permerror.
func (c *check) follow(term *Term, current string) (outcome, *ending) {
	if stop := c.count(); stop != nil {
		return outcome{}, stop
	}
	name, fit, stop := c.target(term, current)
	if stop != nil {
		return outcome{}, stop
	}
	if !fit || domain.Labels(name) < 2 || c.unmatchable(term) {
		return outcome{}, permError(ErrNoTarget, "not a domain name")
	}
	o := c.host(name)
	if o.status == StatusNone {
		return o, &ending{StatusPermError, cause.Wrap(ErrNoTarget, "", o.err)}
	}
	return o, nil
}

// count notes one more term that asks DNS: RFC 7208, section 4.6.4.
func (c *check) count() *ending {
	if c.terms >= c.limits.Terms {
		return permError(ErrTermLimit, "limit "+strconv.Itoa(c.limits.Terms))
	}
	c.terms++
	return nil
}

// void notes that a lookup of the term under way found nothing. RFC 7208, section
// 4.6.4, limits the number of terms for which that is so: an mx of which three hosts
// have no address of the client's family is one.
func (c *check) void() *ending {
	if c.explaining || c.voided {
		return nil
	}
	if c.voids >= c.limits.VoidLookups {
		return permError(ErrVoidLimit, "limit "+strconv.Itoa(c.limits.VoidLookups))
	}
	c.voids++
	c.voided = true
	return nil
}

// note takes an answer into account that the reading has come to.
func (c *check) note(l *lookup) {
	a := l.authentic()
	if c.noted {
		a = a.And(c.result.Authentic)
	}
	c.result.Authentic, c.noted = a, true
	c.traceAnswer(l)
	c.catchUp()
}
