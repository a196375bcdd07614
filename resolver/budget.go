package resolver

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/latetimer"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/seam"
)

// The defaults of a Budget.
const (
	DefaultQuestions = 100
	DefaultTime      = 30 * time.Second
)

// A Budget bounds what DNS may cost for one message. Make one for each message; that
// is cheap. A sender chooses which questions a message takes and how slow the servers
// are that answer them; without a budget a few hundred octets of header hold a
// connection for minutes.
//
// A question beyond a limit gets [ErrQuestionLimit] or [ErrTimeLimit], which are temporary.
// Equal questions are asked once: who asks again shares the outcome, or waits for it. If
// the context of the first ends meanwhile, another one asks again.
//
// A panic in the Resolver, or a goroutine that it ends, is contained, and is ErrPanic.
//
// A Budget is safe for concurrent use and must not be copied after first use. It copies
// its fields when it is asked first.
type Budget struct {
	// Resolver is asked. Nil means Default().
	Resolver Resolver

	// Questions is how many questions may be put to Resolver. Zero means
	// DefaultQuestions, a negative number no limit.
	Questions int

	// Time is how long in all questions may be under way. Questions side by side
	// count once, and the time between questions does not count: a client may take
	// minutes to send its message. Zero means DefaultTime, a negative number no limit.
	// It is kept by deadlines on contexts, so Resolver must return when its context ends.
	Time time.Duration

	mu       sync.Mutex
	begun    bool // these are the fields above, with their defaults:
	dns      Resolver
	most     int
	time     time.Duration
	outcomes []asked       // of questions, in the order in which they came
	room     [2]asked      // memory of the first outcomes: all that a simple message has
	calls    []*call       // under way
	timeUp   error         // of calls that the limit of time ends
	count    int           // of questions
	since    time.Time     // when calls was last empty
	spent    time.Duration // before that
}

type asked struct {
	question Question
	recalled *remembered // or nil
	call     *call       // that asked, where it was not recalled
}

// A call is a question that the Resolver is at work on. Once it is done, it has the
// outcome, unless it is abandoned: then the context of who asked has ended.
type call struct {
	question  Question
	within    latetimer.Context
	done      chan struct{} // closed when it is; nil while nobody waits for it
	outcome   outcome
	abandoned bool
}

// Resolve answers q within the budget. It implements [Resolver].
func (b *Budget) Resolve(ctx context.Context, q Question) (Answer, error) {
	watch := observe(ctx, q)
	o := b.resolve(ctx, q)
	watch.end(o)
	return o.answer, o.err
}

// Asked returns how many questions have been put to the Resolver.
func (b *Budget) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count
}

// lock locks mu, and copies the fields once.
func (b *Budget) lock() {
	b.mu.Lock()
	if b.begun {
		return
	}
	b.begun = true
	b.outcomes = b.room[:0]
	b.dns = orDefault(b.Resolver)
	b.most, b.time = limit.Of(b.Questions, DefaultQuestions), limit.Of(b.Time, DefaultTime)
}

func (b *Budget) resolve(ctx context.Context, q Question) outcome {
	if err := q.check(); err != nil {
		return outcome{err: err}
	}
	for ctx.Err() == nil {
		known, c, mine := b.join(q)
		switch {
		case c == nil:
			return known
		case mine:
			b.ask(ctx, c)
			return c.outcome
		}
		select {
		case <-c.done:
			if !c.abandoned {
				return c.outcome.again()
			}
		case <-ctx.Done():
		}
	}
	return failed(q, contextError(ctx))
}

// recall answers q if its outcome is known, or its Resolver recalls it. That counts like
// a question that is asked, unless q is not one to be asked.
func (b *Budget) recall(at *clock.Moment, ctx context.Context, q Question) *remembered {
	b.lock()
	defer b.mu.Unlock()
	if known := b.known(q); known != nil {
		return known.remembered()
	}
	if b.call(q) != nil {
		return nil
	}
	before := b.count
	e := b.recallFrom(at, ctx, q)
	if e == nil || e.refused {
		return e
	}
	if b.count != before { // other goroutines have asked meanwhile
		if known := b.known(q); known != nil {
			return known.remembered()
		}
		if b.call(q) != nil { // which counts
			return e
		}
	}
	b.count++
	b.outcomes = append(b.outcomes, asked{question: q, recalled: e})
	return e
}

// recallFrom recalls from the Resolver. Where that may call a function of the user's, it gives
// mu, which the caller holds, away meanwhile.
func (b *Budget) recallFrom(at *clock.Moment, ctx context.Context, q Question) *remembered {
	if c, ok := b.dns.(*Cache); ok && c != nil { // as mostly
		return c.recall(at, q)
	}
	if e := refuse(q); e != nil {
		return e
	}
	b.mu.Unlock()
	defer b.mu.Lock()
	return recall(at, ctx, b.dns, q)
}

// known returns the outcome of q if there is one, or the error if no other question may
// be asked, or nil. The caller holds mu; the outcome does not change.
func (b *Budget) known(q Question) *asked {
	for i := range b.outcomes {
		if b.outcomes[i].question == q {
			return &b.outcomes[i]
		}
	}
	if b.count < b.most || b.call(q) != nil {
		return nil
	}
	if e := refuse(q); e != nil {
		return &asked{recalled: e}
	}
	err := &Error{Question: q, Err: &limitError{kind: ErrQuestionLimit, questions: b.most}}
	return &asked{recalled: &remembered{err: err, expiry: never}}
}

// remembered returns the outcome for who shares it.
func (a *asked) remembered() *remembered {
	if a.call != nil {
		return &remembered{answer: a.call.outcome.answer, err: a.call.outcome.err, expiry: never}
	}
	return a.recalled
}

// again returns the outcome for somebody who asks again.
func (a *asked) again() outcome {
	if a.call != nil {
		return a.call.outcome.again()
	}
	return a.recalled.outcome(clock.Now()).again()
}

// call returns the call for q that is under way, or nil. The caller holds mu.
func (b *Budget) call(q Question) *call {
	for _, c := range b.calls {
		if c.question == q {
			return c
		}
	}
	return nil
}

// join returns the outcome of q, or else the call for it. If there is none yet, it makes
// one, which is the caller's to ask.
func (b *Budget) join(q Question) (o outcome, c *call, mine bool) {
	b.lock()
	defer b.mu.Unlock()
	if known := b.known(q); known != nil {
		return known.again(), nil, false
	}
	if c := b.call(q); c != nil {
		if c.done == nil {
			c.done = make(chan struct{})
		}
		return outcome{}, c, false
	}
	if len(b.calls) == 0 {
		b.since = time.Now()
	}
	if b.timeUp == nil {
		b.timeUp = &limitError{kind: ErrTimeLimit, time: b.time}
	}
	c = &call{question: q}
	b.calls = append(b.calls, c)
	b.count++
	return outcome{}, c, true
}

// ask puts the question of c to the Resolver and fills c. What the caller's context cut
// short is an outcome for the caller alone.
func (b *Budget) ask(ctx context.Context, c *call) {
	defer b.finish(c)
	left := b.left()
	if left <= 0 {
		c.outcome = failed(c.question, b.timeUp)
		return
	}
	c.within.Begin(ctx, time.Now().Add(left), b.timeUp)
	defer c.within.Stop()
	var within context.Context = &c.within
	var l *listener
	if tracerOf(ctx) != nil {
		within, l = listen(within)
	}
	Contained(seam.Internal{}, within, b.dns, c.question, func(a Answer, err error) {
		c.outcome = l.outcome(a, err)
		switch {
		case !Temporary(err):
		case ctx.Err() != nil:
			c.outcome, c.abandoned = failed(c.question, contextError(ctx)), true
		case within.Err() != nil:
			c.outcome = failed(c.question, b.timeUp)
		}
	})
}

// left returns how much time is left for questions.
func (b *Budget) left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.time - b.spent - time.Since(b.since)
}

// finish hands the outcome to those who wait for it.
func (b *Budget) finish(c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = slices.DeleteFunc(b.calls, func(other *call) bool { return other == c })
	if len(b.calls) == 0 {
		b.spent += time.Since(b.since)
	}
	if !c.abandoned {
		b.outcomes = append(b.outcomes, asked{question: c.question, call: c})
	}
	if c.done != nil {
		close(c.done)
	}
}
