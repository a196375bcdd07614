package spf

import (
	"sync"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/resolver"
)

// mostAhead is how many questions may have been asked ahead that the evaluation has
// not come to. A check thus leads to at most Limits.Questions + mostAhead questions,
// whatever the zone and the timing. Ten is what one mx term has at most to ask for.
const mostAhead = 10

// ahead asks questions beside the evaluation, before it comes to them. A question that
// the evaluation never comes to counts for nothing: it is called off and waited for when
// the check ends. Nil is an ahead that asks nothing.
type ahead struct {
	limit    *timeLimit
	resolver resolver.Resolver
	most     int // Limits.Questions

	forward ask.Group // the questions under way
	reverse ask.Group // those of them for the name of the client's address

	mu      sync.Mutex                     // for what is below
	asked   map[resolver.Question]*pending // nil: the evaluation itself asks
	waiting []request                      // what is to be asked when there is room, in order
	room    int                            // how many more questions may be asked ahead
	begun   bool                           // reverse has a context
}

// A request is a question to ask ahead.
type request struct {
	question resolver.Question
	reverse  bool                   // for the name of the client's address
	then     func(*resolver.Answer) // called with the answer if there is one; may be nil
}

// A pending is a question that was asked ahead.
type pending struct {
	claimed bool          // the evaluation has come to it
	done    chan struct{} // closed when the outcome is there
	answer  *resolver.Answer
	err     error
	overdue bool // as lookup.overdue
}

// newAhead returns an ahead that knows what the evaluation has asked so far.
func newAhead(q *questions) *ahead {
	a := &ahead{
		limit: q.limit, resolver: q.resolver, most: q.limits.Questions,
		asked: make(map[resolver.Question]*pending), room: mostAhead,
	}
	for i := range q.asked {
		a.asked[q.at(i).question] = nil
	}
	a.forward.Begin(q.limit, q.resolver)
	return a
}

// ask asks a question as soon as there is room, unless it was asked before.
func (a *ahead) ask(r request) {
	a.mu.Lock()
	a.waiting = append(a.waiting, r)
	a.mu.Unlock()
	a.proceed()
}

// claim returns a question that was asked ahead, now that the evaluation comes to it.
// Nil means that the evaluation has to ask itself.
func (a *ahead) claim(q resolver.Question) *pending {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	p := a.asked[q]
	if p == nil {
		a.asked[q] = nil
	} else if !p.claimed {
		p.claimed = true
		a.room++
	}
	a.mu.Unlock()
	a.proceed()
	return p
}

// proceed starts the questions that there is room for.
func (a *ahead) proceed() {
	for r, p := a.next(); p != nil; r, p = a.next() {
		group := &a.forward
		if r.reverse {
			group = &a.reverse
		}
		group.Ask(r.question, ask.TakerFunc(func(answer *resolver.Answer, err error) {
			p.answer, p.err = answer, err
			p.overdue = r.reverse && resolver.Temporary(err) && a.limit.reverse().Err() != nil
			close(p.done)
			if err == nil && r.then != nil {
				r.then(answer)
			}
		}))
	}
}

// next takes the next question to ask, if there is room for one.
func (a *ahead) next() (r request, p *pending) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.room > 0 && len(a.asked) < a.most && len(a.waiting) > 0 {
		r, a.waiting = a.waiting[0], a.waiting[1:]
		if _, known := a.asked[r.question]; known {
			continue
		}
		if r.reverse && !a.begun {
			a.reverse.Begin(a.limit.reverse(), a.resolver)
			a.begun = true
		}
		p = &pending{done: make(chan struct{})}
		a.asked[r.question] = p
		a.room--
		return r, p
	}
	return request{}, nil
}

// end starts no more questions, ends those that are under way and waits for them.
func (a *ahead) end() {
	if a == nil {
		return
	}
	a.mu.Lock()
	a.waiting, a.most = nil, 0
	a.mu.Unlock()
	a.forward.Close()
	a.reverse.Close()
}
