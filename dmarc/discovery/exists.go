package discovery

import (
	"errors"
	"sync"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/resolver"
)

// An existence finds out whether a domain exists, for the np tag. RFC 9989, section 3.2.13,
// goes by NXDOMAIN, which RFC 8020 makes the same for every record type: a name without
// the type that was asked for exists.
//
// A resolver that cannot tell NXDOMAIN from an empty answer is asked for the other types
// too; a name that has none of them is taken not to exist.
type existence struct {
	group     *ask.Group
	question  resolver.Question
	pending   sync.WaitGroup
	exists    Existence
	authentic resolver.Authentic
}

// existenceTypes are the types that are asked for, in this order.
var existenceTypes = [...]resolver.Type{resolver.TypeA, resolver.TypeAAAA, resolver.TypeMX, resolver.TypeTXT}

// askExistence asks whether the Author Domain exists, where the policy depends on it: it
// comes from a name above, and has an np tag. RFC 7489 has none.
func (s *Search) askExistence() {
	c := s.how.policy(s.author, s.ofAuthor)
	if c.query == nil || c.query.noPolicy != nil || c.source == SourceAuthor || !c.query.Record.Stated("np") {
		return
	}
	e := &s.existence
	e.group, e.question.Name = s.group, s.author
	e.pending.Add(1)
	e.ask(0)
}

func (e *existence) ask(n int) {
	if n == len(existenceTypes) {
		e.exists = ExistenceNo
		e.pending.Done()
		return
	}
	e.question.Type = existenceTypes[n]
	e.group.Ask(e.question, ask.TakerFunc(func(answer *resolver.Answer, err error) {
		switch {
		case err == nil:
			e.exists, e.authentic = ExistenceYes, answer.Authentic
		case errors.Is(err, resolver.ErrNoData):
			e.exists, e.authentic = ExistenceYes, ask.Authentic(answer, err)
		case errors.Is(err, resolver.ErrNXDomain):
			e.exists, e.authentic = ExistenceNo, ask.Authentic(answer, err)
		case resolver.Temporary(err):
			e.exists = ExistenceOpen
		default:
			e.ask(n + 1)
			return
		}
		e.pending.Done()
	}))
}

// asked reports whether somebody asked.
func (e *existence) asked() bool { return e.group != nil }

// wait returns the outcome, ExistenceNotAsked if nobody asked.
func (e *existence) wait() (Existence, resolver.Authentic) {
	e.pending.Wait()
	return e.exists, e.authentic
}
