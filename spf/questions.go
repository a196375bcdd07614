package spf

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/latetimer"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// questions are the DNS questions of one check. Each is asked once, and is counted when
// the evaluation first comes to it. Only the goroutine of the evaluation calls them.
type questions struct {
	ctx      context.Context // the caller's
	resolver resolver.Resolver
	limits   *Limits

	moment     clock.Moment // until an answer is waited for
	memoryOnly bool         // do not wait for an answer
	needsDNS   bool         // memoryOnly, and memory has not all answers

	asked int       // how many the evaluation came to
	first [6]lookup // the first of them, which is all in most checks
	more  []lookup  // and the others

	limit *timeLimit // nil before a question that memory has no answer to
	slow  bool       // an answer took longer than atOnce
	ahead *ahead     // what was asked ahead of the evaluation, or nil
}

// A lookup is a DNS question and its outcome.
type lookup struct {
	question resolver.Question
	answer   *resolver.Answer // shared; not nil
	err      error

	// overdue says that the question was one of reverse DNS and is failed because
	// their time is over: see timeLimit.reverse. Asked for anything else, it has
	// its full time.
	overdue bool
}

// atOnce is how long an answer takes at most that nobody waited for: far longer than
// looking it up in memory, and far shorter than asking a server.
const atOnce = 50 * time.Microsecond

// get returns the outcome of a question. Reverse says that it is for the name of the
// client's address: see timeLimit.reverse. The check ends at its limits of time and
// questions, and if memoryOnly is set and the answer is not in memory; the lookup is nil
// if there was none.
func (q *questions) get(question resolver.Question, reverse bool) (*lookup, ending) {
	if q.err() != nil {
		return nil, q.interrupted(nil)
	}
	l := q.find(question)
	switch {
	case l != nil && (reverse || !l.overdue):
		return l, ending{}
	case l == nil && q.asked >= q.limits.Questions:
		return nil, permError(ErrQuestionLimit, "")
	case l == nil:
		l = q.add(question)
	}
	q.ask(l, reverse)
	if q.needsDNS {
		return nil, tempError(ErrCanceled, nil)
	}
	if l.err != nil && q.err() != nil && resolver.Temporary(l.err) {
		return l, q.interrupted(l.err)
	}
	return l, ending{}
}

// find returns the lookup of a question that the evaluation came to before, or nil.
// They are few enough to look through.
func (q *questions) find(question resolver.Question) *lookup {
	for i := range q.asked {
		if l := q.at(i); l.question == question {
			return l
		}
	}
	return nil
}

// at returns the i-th lookup.
func (q *questions) at(i int) *lookup {
	if i < len(q.first) {
		return &q.first[i]
	}
	return &q.more[i-len(q.first)]
}

// add returns the lookup of a question that the evaluation comes to for the first time.
func (q *questions) add(question resolver.Question) *lookup {
	if q.asked >= len(q.first) {
		q.more = append(q.more, lookup{})
	}
	q.asked++
	l := q.at(q.asked - 1)
	l.question = question
	return l
}

// ask asks the question of l, unless it was asked ahead or memory has the answer.
func (q *questions) ask(l *lookup, reverse bool) {
	if p := q.ahead.claim(l.question); p != nil && q.await(p, l, reverse) {
		return
	}
	var known bool
	if l.answer, known, l.err = resolver.Recall(seam.Internal{}, &q.moment, q.ctx, q.resolver, l.question); known {
		return
	}
	if q.memoryOnly {
		q.needsDNS = true
		return
	}
	if q.limit == nil {
		q.limit = newTimeLimit(q.ctx, q.limits.Time)
	}
	var ctx context.Context = q.limit
	if reverse {
		if ctx = q.limit.reverse(); ctx.Err() != nil {
			l.fail()
			return
		}
	}
	q.moment = clock.Moment{} // that of the next question is a later one
	began := time.Now()
	l.answer, l.err = ask.Do(ctx, q.resolver, l.question)
	q.slow = q.slow || time.Since(began) > atOnce
	l.overdue = reverse && ctx.Err() != nil && resolver.Temporary(l.err)
}

// await waits for the outcome of a question that was asked ahead. It returns false if
// the outcome is overdue and the question is now asked for something else.
func (q *questions) await(p *pending, l *lookup, reverse bool) bool {
	var ctx context.Context = q.limit
	if reverse {
		ctx = q.limit.reverse()
	}
	q.moment = clock.Moment{}
	select {
	case <-p.done:
		l.answer, l.err, l.overdue = p.answer, p.err, p.overdue
		return reverse || !p.overdue
	case <-ctx.Done():
		l.fail()
		return true
	}
}

// err says why no more questions can be asked, or returns nil.
func (q *questions) err() error {
	if q.limit == nil {
		return q.ctx.Err()
	}
	return q.limit.Err()
}

// interrupted ends a check whose context has ended; beneath is the error that came of
// it. The cause of the caller's context is not passed on: it may be any error, one that
// says that there is no record among them.
func (q *questions) interrupted(beneath error) ending {
	if q.ctx.Err() == nil {
		return tempError(ErrTimeLimit, beneath)
	}
	if beneath == nil {
		beneath = q.ctx.Err()
	}
	return tempError(ErrCanceled, beneath)
}

// end ends the questions that are under way, and waits for them.
func (q *questions) end() {
	if q.limit != nil {
		q.limit.Stop()
		q.ahead.end()
	}
}

// A timeLimit is the time of the questions that memory has no answers to: a context
// that is the caller's and ends after Limits.Time.
type timeLimit struct {
	latetimer.Context // since a resolver may hold the answers itself

	once       sync.Once
	reverseDNS context.Context
}

func newTimeLimit(ctx context.Context, most time.Duration) *timeLimit {
	l := new(timeLimit)
	l.Begin(ctx, time.Now().Add(most), ErrTimeLimit)
	return l
}

// mostReverse is how long the questions about the name of the client's address may
// take in all, and no longer than a quarter of what is left when the first is asked.
// The owner of the address answers them or does not, and no answer is the same as no
// match (RFC 7208, section 5.5): the rest of the record must still have its time.
const mostReverse = 5 * time.Second

// reverse returns the context of these questions. Their time begins with the first call.
func (l *timeLimit) reverse() context.Context {
	l.once.Do(func() {
		most := mostReverse
		if until, ok := l.Deadline(); ok {
			most = min(most, time.Until(until)/4)
		}
		ctx, cancel := context.WithTimeout(l, most)
		context.AfterFunc(l, cancel)
		l.reverseDNS = ctx
	})
	return l.reverseDNS
}

// fail makes l the lookup of a question that there was no time for.
func (l *lookup) fail() {
	l.answer, l.err = new(resolver.Answer), &resolver.Error{Question: l.question, Err: resolver.ErrTimeout}
	l.overdue = true
}

// authentic says whether DNSSEC vouches for what the lookup found, absence
// included.
func (l *lookup) authentic() resolver.Authentic {
	if l.err == nil {
		return l.answer.Authentic // at once: most lookups are answered
	}
	return ask.Authentic(l.answer, l.err)
}

// missing reports whether DNS has proved that there is nothing to find.
func (l *lookup) missing() bool {
	if l.err == nil {
		return l.answer.Count() == 0
	}
	return errors.Is(l.err, resolver.ErrNotFound)
}

// refused reports whether the name cannot be asked for.
func (l *lookup) refused() bool { return errors.Is(l.err, resolver.ErrName) }
