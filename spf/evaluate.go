package spf

import (
	"slices"
	"strconv"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

// An evaluation is check_host (RFC 7208, section 4) for one identity. It reads records
// in order, one term after the other, in the goroutine that called Check. The result and
// all counts come of that alone: what is asked ahead of it only shortens its waiting.
//
// The calls go one way: from the evaluation of records (this file) to the matching of
// mechanisms (match.go, ptr.go), and from there to the questions (questions.go).
type evaluation struct {
	matcher
	decisive    decisive
	explanation string

	// TXT records that were not taken, and their domain: see Result.Rejected.
	rejected       []string
	rejectedDomain string

	trace      bool
	evaluation *Evaluation // of the record of the identity, with trace
}

// A frame is a record under evaluation.
type frame struct {
	domain   string // <domain> of RFC 7208, section 4.1
	record   *Record
	next     int  // index of the term after the one under evaluation
	included bool // an include led here, at once or further out
	void     bool // a lookup of the term under evaluation found nothing

	trace *Evaluation // nil unless Options.Trace
	step  *Step       // the term under evaluation in trace
}

// A place is where the evaluation left a record for another, by include or redirect.
type place struct {
	domain string // <domain> there
	rest   []Term // what is left of the record
}

// appendTo appends the place of f, if it is not nil, to the path of records.
func (f *frame) appendTo(path []place) []place {
	if f == nil {
		return path
	}
	if path == nil {
		path = make([]place, 0, 4)
	}
	return append(path, place{f.domain, f.record.Terms[f.next:]})
}

// An outcome is what came of one record.
type outcome struct {
	status Status
	err    error
}

// A decisive record is the one that the result comes from: that of the identity, or one that
// it was redirected to. Nothing is set if there is none.
type decisive struct {
	record *Record
	domain string
	term   *Term // that matched, or nil
}

// run evaluates the records and fills in what the result says of them.
func (e *evaluation) run(r *Result) {
	defer e.questions.end()
	o := e.host(e.domain, nil, false)
	r.Status, r.Err = o.status, o.err
	if d := &e.decisive; d.record != nil {
		r.Record, r.RecordDomain = d.record.Text, d.domain
		if d.term != nil {
			r.Mechanism = d.term.Text
		}
	}
	r.Lookups, r.VoidLookups, r.Questions = e.lookups, e.voids, e.questions.asked
	r.Authentic = e.authentic
	r.Explanation = e.explanation
	r.Evaluation = e.evaluation
	if len(e.rejected) > 0 {
		r.Rejected, r.RejectedDomain = e.rejected, e.rejectedDomain
	}
}

// host evaluates the record of a domain: check_host. Outer is the record whose include
// or redirect led here, or nil; included says that an include did, at once or further
// out.
func (e *evaluation) host(name string, outer *frame, included bool) outcome {
	f := frame{domain: name, included: included}
	if e.trace {
		f.trace = e.beginTrace(name, outer)
	}
	var o outcome
	record, stop := e.find(name, outer)
	if stop.err == nil {
		f.record = record
		f.traceRecord()
		e.prefetch.record(record, name, e.lookups)
		if outer == nil {
			o = e.evaluate(&f)
		} else {
			e.path = outer.appendTo(e.path)
			o = e.evaluate(&f)
			e.path = e.path[:len(e.path)-1]
		}
	} else {
		o = outcome(stop)
	}
	f.endTrace(o)
	return o
}

// find finds the record of a domain: RFC 7208, sections 4.4 to 4.6. It fails with
// StatusNone if there is none.
func (e *evaluation) find(name string, outer *frame) (*Record, ending) {
	l, stop := e.lookup(resolver.Question{Name: name, Type: resolver.TypeTXT}, outer, false)
	if stop.err != nil {
		return nil, stop
	}
	missing := l.missing()
	// The question for the record of the identity is no term's, so it is not a
	// void lookup: RFC 7208, section 4.6.4.
	if missing && outer != nil {
		if stop := e.void(outer); stop.err != nil {
			return nil, stop
		}
	}
	switch {
	case missing || l.refused():
		return nil, ending{StatusNone, cause.Wrap(ErrNoRecord, "", l.err)}
	case l.err != nil:
		return nil, unanswered(l.err)
	}
	record, stop := e.records.choose(l.answer.TXT, e.limits)
	if stop.err != nil {
		e.rejected, e.rejectedDomain = candidates(l.answer.TXT, seemsRecord), name
	} else if outer == nil && len(l.answer.TXT) > 1 {
		e.rejected, e.rejectedDomain = candidates(l.answer.TXT, seemsDMARC), name
	}
	return record, stop
}

// evaluate evaluates the record of f: RFC 7208, sections 4.6 and 4.7.
func (e *evaluation) evaluate(f *frame) outcome {
	if !f.included {
		e.decisive = decisive{record: f.record, domain: f.domain}
	}
	if o, ended := e.terms(f); ended {
		return o
	}
	if redirect := f.record.find(KindRedirect); redirect != nil {
		return e.redirect(redirect, f)
	}
	return outcome{StatusNeutral, ErrNoMatch}
}

// terms evaluates the mechanisms of a record in order, up to one that matches or fails, which
// is what ended says: RFC 7208, section 4.6.2.
func (e *evaluation) terms(f *frame) (o outcome, ended bool) {
	for i := range f.record.Terms {
		t := &f.record.Terms[i]
		if t.Kind.IsModifier() {
			continue
		}
		if f.trace == nil && t.isNetwork && !e.contains(t) { // as most terms, for which this is all
			continue
		}
		f.next = i + 1
		match, stop := e.term(t, f)
		if stop.err != nil {
			return outcome{stop.status, inTerm(t, stop.err)}, true
		}
		if match {
			if !f.included {
				e.matched(t, f)
			}
			return outcome{status: t.Qualifier}, true
		}
	}
	return o, false
}

// matched notes that a term of the decisive record, which is that of f, has matched.
func (e *evaluation) matched(t *Term, f *frame) {
	e.decisive.term = t
	if t.Qualifier == StatusFail {
		e.explain(f)
	}
}

// term evaluates one mechanism.
func (e *evaluation) term(t *Term, f *frame) (match bool, stop ending) {
	f.beginStep(t)
	f.void = false
	if t.Kind == KindInclude && !e.unmatchable(t) {
		match, stop = e.include(t, f)
	} else {
		match, stop = e.match(t, f)
	}
	f.endStep(match, stop, &e.matcher)
	return match, stop
}

// include evaluates the record of another domain: RFC 7208, section 5.2.
func (e *evaluation) include(t *Term, f *frame) (match bool, stop ending) {
	o, stop := e.follow(t, f, true)
	if stop.err != nil {
		return false, stop
	}
	switch o.status {
	case StatusTempError, StatusPermError:
		return false, ending(o)
	}
	return o.status == StatusPass, ending{}
}

// redirect evaluates the record that stands in place of the one of f: RFC 7208, section 6.1.
func (e *evaluation) redirect(t *Term, f *frame) outcome {
	f.next = len(f.record.Terms)
	f.beginStep(t)
	f.void = false
	next, stop := e.follow(t, f, f.included)
	f.endStep(false, stop, &e.matcher)
	if stop.err != nil {
		return outcome{stop.status, inTerm(t, stop.err)}
	}
	if next.err != nil {
		next.err = inTerm(t, next.err)
	}
	return next
}

// follow evaluates the record of the domain that an include or redirect names. That
// there is none is permerror.
func (e *evaluation) follow(t *Term, f *frame, included bool) (outcome, ending) {
	if stop := e.count(); stop.err != nil {
		return outcome{}, stop
	}
	name, fit, stop := e.target(t, f)
	if stop.err != nil {
		return outcome{}, stop
	}
	if !fit || domain.Labels(name) < 2 {
		return outcome{}, permError(ErrNoTarget, "not a domain name")
	}
	// A record that leads back to itself does so again and again: with the same
	// domain come the same macros and answers, up to a limit.
	if name == f.domain || slices.ContainsFunc(e.path, func(p place) bool { return p.domain == name }) {
		return outcome{}, permError(ErrLoop, strconv.Quote(name))
	}
	o := e.host(name, f, included)
	if o.status == StatusNone {
		return o, ending{StatusPermError, cause.Wrap(ErrNoTarget, "", o.err)}
	}
	return o, ending{}
}
