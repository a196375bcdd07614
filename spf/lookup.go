package spf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// A lookup is one DNS question of a check. Each question is asked once in a check,
// however often the records come to it.
type lookup struct {
	before   *lookup // the one asked before
	question resolver.Question
	answer   resolver.Answer
	err      error

	used bool // the reading has come to it, so that it counts

	early *early // nil where the reading itself asks and so has the answer when it goes on
}

// early is what the reading needs to know of a lookup that was asked ahead.
type early struct {
	done chan struct{} // closed when the answer is there, and what is below

	// Of TXT records: the SPF record among them, or why there is none.
	record Record
	stop   *ending
}

// A register holds the lookups of a check: the last of them, with those before it
// linked to it. There are few enough to look through.
type register struct {
	last  *lookup
	count int
	spare []lookup // for the next ones
}

// find returns the lookup of q, or nil.
func (r *register) find(q resolver.Question) *lookup {
	for have := r.last; have != nil; have = have.before {
		if have.question == q {
			return have
		}
	}
	return nil
}

// add registers a question that is not in r.
func (r *register) add(q resolver.Question) *lookup {
	if len(r.spare) == 0 {
		r.spare = make([]lookup, 4) // a record that has includes mostly has some
	}
	have := &r.spare[0]
	r.spare = r.spare[1:]
	have.question, have.before = q, r.last
	r.last = have
	r.count++
	return have
}

// lookups are the DNS questions of the reading.
type lookups struct {
	resolver resolver.Resolver
	ctx      context.Context // the caller's
	limit    *timeLimit      // the context of all questions, once one takes any time
	time     time.Duration   // Limits.Time
	most     int             // Limits.Questions

	recalls bool // nothing is to be waited for
	missed  bool // what would have to be

	used   int           // questions that the reading has come to
	passed time.Duration // from the first question that took any time to the last answer
	waited bool          // an answer took longer than atOnce

	own    register  // before anything was asked ahead
	beside *prefetch // asks ahead, and has the register then; or nil
}

// claim returns the lookup of q and counts it, if the reading has not come to it
// before. Mine is true where it is new and the caller's to ask. It returns nil where
// the reading may come to no more questions.
func (l *lookups) claim(q resolver.Question) (have *lookup, mine bool) {
	r := &l.own
	if l.beside != nil {
		l.beside.mu.Lock()
		defer l.beside.mu.Unlock()
		r = &l.beside.register
	}
	have = r.find(q)
	switch {
	case have != nil && have.used:
		return have, false
	case l.used >= l.most:
		return nil, false
	case have != nil: // it was asked ahead
		l.beside.taken()
	default:
		have, mine = r.add(q), true
	}
	have.used = true
	l.used++
	return have, mine
}

// get returns the answer to a question of the reading, from DNS or from what was
// asked ahead. It ends the check at the limits of time and questions, as the same
// reading without anything asked ahead would.
func (l *lookups) get(q resolver.Question) (*lookup, *ending) {
	if l.passed >= l.time || l.ended() != nil {
		return nil, l.interrupted(nil)
	}
	have, mine := l.claim(q)
	if have == nil {
		return nil, permError(ErrQuestionLimit, "")
	}
	if mine {
		l.ask(have)
	} else if have.early != nil {
		<-have.early.done
		l.look()
	}
	if resolver.Temporary(have.err) && l.ended() != nil {
		return have, l.interrupted(have.err)
	}
	return have, nil
}

// resolve asks a question. A resolver that panics has not answered: it must not take
// down a program that only reads mail.
func resolve(ctx context.Context, r resolver.Resolver, q resolver.Question) (a resolver.Answer, err error) {
	defer func() {
		if v := recover(); v != nil {
			a, err = resolver.Answer{}, &resolver.Error{Question: q, Err: fmt.Errorf("%w: %v", resolver.ErrPanic, v)}
		}
	}()
	return r.Resolve(ctx, q)
}

// ask asks a question of the reading. The clock starts with the first one that memory
// has no answer to: to look at it takes as long as an answer from there.
func (l *lookups) ask(have *lookup) {
	var known bool
	if have.answer, known, have.err = resolver.Recall(seam.Internal{}, l.ctx, l.resolver, have.question); known {
		return
	}
	if l.recalls {
		l.missed = true
		have.err = context.Canceled
		return
	}
	if l.limit == nil {
		l.limit = &timeLimit{parent: l.ctx, begun: time.Now(), most: l.time}
	}
	have.answer, have.err = resolve(l.limit, l.resolver, have.question)
	l.look()
}

// ended says why no more questions can be asked, if so.
func (l *lookups) ended() error {
	if l.limit == nil {
		return l.ctx.Err()
	}
	return l.limit.Err()
}

// look looks at the clock when the reading has an answer that took time. What is asked ahead
// is asked after such a one, so that the clock runs.
func (l *lookups) look() {
	before := l.passed
	l.passed = time.Since(l.limit.begun)
	l.waited = l.waited || l.passed-before > atOnce
}

// interrupted ends a check whose context has ended; beneath is what came of that.
// The cause of the caller's context is not passed on: it may be any error, one
// that says that there is no record among them.
func (l *lookups) interrupted(beneath error) *ending {
	if l.ctx.Err() == nil {
		return tempError(ErrTimeLimit, beneath)
	}
	if beneath == nil {
		beneath = l.ctx.Err()
	}
	return tempError(ErrCanceled, beneath)
}

// authentic says whether DNSSEC vouches for what the lookup found, absence
// included.
func (l *lookup) authentic() resolver.Authentic {
	if l.err == nil {
		return l.answer.Authentic
	}
	return resolver.AuthenticOf(l.err)
}

// missing reports whether DNS has proved that there is nothing to find.
func (l *lookup) missing() bool {
	return resolver.NotFound(l.err) || l.err == nil && l.answer.Count() == 0
}

// refused reports whether the name cannot be asked for.
func (l *lookup) refused() bool { return errors.Is(l.err, resolver.ErrName) }
