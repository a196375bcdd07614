package spf

import (
	"errors"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// A lookup is one DNS question of a check. Each question is asked once in a check,
// however often the records come to it.
type lookup struct {
	before   *lookup // the one asked before
	question resolver.Question
	answer   resolver.Answer
	err      error

	// done is closed when the answer is there; nil where the reading itself asks
	// and so has the answer when it goes on.
	done chan struct{}

	used bool // the reading has come to it, so that it counts

	// The SPF record among the TXT records, or why there is none, once settled.
	settled bool
	record  Record
	stop    *ending
}

// lookups are all DNS questions of a check: those that the reading of the records
// has come to, and those that were asked ahead of it.
type lookups struct {
	resolver resolver.Resolver
	limit    timeLimit // the context of all questions
	most     int       // Limits.Questions
	guesses  int       // Limits.Terms

	used   int           // by the reading
	passed time.Duration // from the beginning of the check to the reading's last answer
	waited bool          // an answer took longer than atOnce

	mu      sync.Mutex // for what is below
	last    *lookup    // the one asked last, with those before it linked to it
	asked   int
	guessed int // how many terms were asked for ahead

	ahead sync.WaitGroup
}

// find returns the lookup of q, or nil. A check has few enough to look through.
func (l *lookups) find(q resolver.Question) *lookup {
	for have := l.last; have != nil; have = have.before {
		if have.question == q {
			return have
		}
	}
	return nil
}

// begin registers a question that has not been asked.
func (l *lookups) begin(q resolver.Question) *lookup {
	have := &lookup{question: q, before: l.last}
	l.last = have
	l.asked++
	return have
}

// reserve registers a question that is to be asked ahead. It returns nil where it
// has been asked already, or where a limit does not allow it.
func (l *lookups) reserve(q resolver.Question, ofTerm bool) *lookup {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked >= l.most || ofTerm && l.guessed >= l.guesses || l.find(q) != nil {
		return nil
	}
	if ofTerm {
		l.guessed++
	}
	have := l.begin(q)
	have.done = make(chan struct{})
	return have
}

// get returns the answer to a question of the reading, from DNS or from what was
// asked ahead. It ends the check at the limits of time and questions, as the same
// reading without anything asked ahead would.
func (l *lookups) get(q resolver.Question) (*lookup, *ending) {
	if l.passed >= l.limit.most || l.limit.Err() != nil {
		return nil, l.interrupted(nil)
	}
	l.mu.Lock()
	have := l.find(q)
	mine := have == nil
	if (mine || !have.used) && l.used >= l.most {
		l.mu.Unlock()
		return nil, permError(ErrQuestionLimit, "")
	}
	if mine {
		have = l.begin(q)
	}
	l.mu.Unlock()
	if mine {
		have.answer, have.err = l.resolver.Resolve(&l.limit, q)
		l.look()
	} else if have.done != nil {
		<-have.done
		l.look()
	}
	if !have.used {
		have.used = true
		l.used++
	}
	if resolver.Temporary(have.err) && l.limit.Err() != nil {
		return have, l.interrupted(have.err)
	}
	return have, nil
}

// look looks at the clock when the reading has an answer: once a question, since
// that takes as long as an answer from memory.
func (l *lookups) look() {
	before := l.passed
	l.passed = time.Since(l.limit.begun)
	l.waited = l.waited || l.passed-before > atOnce
}

// interrupted ends a check whose context has ended; beneath is what came of that.
// The cause of the caller's context is not passed on: it may be any error, one
// that says that there is no record among them.
func (l *lookups) interrupted(beneath error) *ending {
	if l.limit.parent.Err() == nil {
		return tempError(ErrTimeLimit, beneath)
	}
	if beneath == nil {
		beneath = l.limit.parent.Err()
	}
	return tempError(ErrCanceled, beneath)
}

// authentic says whether DNSSEC vouches for what the lookup found, absence
// included.
func (l *lookup) authentic() resolver.Authentic {
	if l.err == nil {
		return l.answer.Authentic
	}
	var dns *resolver.Error
	if errors.As(l.err, &dns) {
		return dns.Authentic
	}
	return resolver.AuthenticUnknown
}

// missing reports whether DNS has proved that there is nothing to find.
func (l *lookup) missing() bool {
	return resolver.NotFound(l.err) || l.err == nil && l.answer.Count() == 0
}

// refused reports whether the name cannot be asked for.
func (l *lookup) refused() bool { return errors.Is(l.err, resolver.ErrName) }
