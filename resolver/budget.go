package resolver

import (
	"context"
	"sync"
	"time"

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
// the one who asked first goes away, another asks anew.
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

	once sync.Once // copies the fields above
	dns  Resolver
	most int
	time time.Duration

	mu       sync.Mutex
	outcomes []asked            // of questions, in the order in which they came
	calls    map[Question]*call // under way
	count    int                // of questions
	since    time.Time          // when calls was last empty
	spent    time.Duration      // before that
}

type asked struct {
	question Question
	outcome  outcome
}

// A call is a question that the Resolver is at work on. Once done is closed, it has the
// outcome, unless it is abandoned: then who asked has gone away.
type call struct {
	done      chan struct{}
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

func (b *Budget) begin() {
	b.dns = orDefault(b.Resolver)
	b.most, b.time = limit.Of(b.Questions, DefaultQuestions), limit.Of(b.Time, DefaultTime)
}

func (b *Budget) resolve(ctx context.Context, q Question) outcome {
	if err := q.check(); err != nil {
		return outcome{err: err}
	}
	b.once.Do(b.begin)
	for ctx.Err() == nil {
		known, c, mine := b.join(q)
		switch {
		case c == nil:
			return known
		case mine:
			b.ask(ctx, q, c)
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
// a question that is asked.
func (b *Budget) recall(ctx context.Context, q Question) (a Answer, ok bool, err error) {
	if err := q.check(); err != nil {
		return Answer{}, true, err
	}
	b.once.Do(b.begin)
	b.mu.Lock()
	o, known := b.known(q)
	underway := b.calls[q] != nil
	b.mu.Unlock()
	if known || underway {
		return o.answer, known, o.err
	}
	a, ok, err = Recall(seam.Internal{}, ctx, b.dns, q) // may call a function of the user's
	if !ok {
		return Answer{}, false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if o, known := b.known(q); known {
		return o.answer, true, o.err // another goroutine was faster
	}
	b.count++
	b.keep(q, outcome{answer: a, err: err})
	return a, true, err
}

// known returns the outcome of q if there is one, or the error if no other question may
// be asked. The caller holds mu.
func (b *Budget) known(q Question) (o outcome, ok bool) {
	for i := range b.outcomes {
		if b.outcomes[i].question == q {
			return b.outcomes[i].outcome.again(), true
		}
	}
	if b.count >= b.most && b.calls[q] == nil {
		return failed(q, &limitError{ErrQuestionLimit, b.most}), true
	}
	return outcome{}, false
}

// keep adds the outcome of q. The caller holds mu.
func (b *Budget) keep(q Question, o outcome) {
	if b.outcomes == nil {
		b.outcomes = make([]asked, 0, 2) // enough for a check of a simple message
	}
	b.outcomes = append(b.outcomes, asked{q, o})
}

// join returns the outcome of q, or else the call for it. If there is none yet, it makes
// one, which is the caller's to ask.
func (b *Budget) join(q Question) (o outcome, c *call, mine bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o, ok := b.known(q); ok {
		return o, nil, false
	}
	if c := b.calls[q]; c != nil {
		return outcome{}, c, false
	}
	if b.calls == nil {
		b.calls = make(map[Question]*call)
	}
	if len(b.calls) == 0 {
		b.since = time.Now()
	}
	c = &call{done: make(chan struct{})}
	b.calls[q] = c
	b.count++
	return outcome{}, c, true
}

// ask puts q to the Resolver and fills c. What the caller's context cut short is an
// outcome for the caller alone.
func (b *Budget) ask(ctx context.Context, q Question, c *call) {
	defer b.finish(q, c)
	left, limit := b.left()
	if left <= 0 {
		c.outcome = failed(q, limit)
		return
	}
	within, cancel := context.WithTimeoutCause(ctx, left, limit)
	defer cancel()
	l := new(listener)
	if tracerOf(ctx) != nil {
		within, l = listen(within)
	}
	Contained(seam.Internal{}, within, b.dns, q, func(a Answer, err error) {
		c.outcome = outcome{a, err, l.details()}
		switch {
		case !Temporary(err):
		case ctx.Err() != nil:
			c.outcome, c.abandoned = failed(q, contextError(ctx)), true
		case within.Err() != nil:
			c.outcome = failed(q, limit)
		}
	})
}

// left returns how much time is left for questions, and the error to end them with after
// that.
func (b *Budget) left() (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.time - b.spent - time.Since(b.since), &limitError{ErrTimeLimit, b.time}
}

// finish hands the outcome to those who wait for it.
func (b *Budget) finish(q Question, c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, q)
	if len(b.calls) == 0 {
		b.spent += time.Since(b.since)
	}
	if !c.abandoned {
		b.keep(q, c.outcome)
	}
	close(c.done)
}
