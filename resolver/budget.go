package resolver

import (
	"context"
	"slices"
	"sync"
	"time"

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
// A question beyond a limit gets a [*LimitError], which is temporary. Equal questions
// are asked once: who asks again shares the outcome, or waits for it. If the one who
// asked first goes away, another asks anew.
//
// A panic in the Resolver, or a goroutine that it ends, is contained, and is ErrPanic.
//
// A Budget is safe for concurrent use and must not be copied after first use.
type Budget struct {
	// Resolver is asked. Nil means Default().
	Resolver Resolver

	// Questions is how many questions may be put to Resolver. Zero or less means
	// DefaultQuestions.
	Questions int

	// Time is how long in all questions may be under way. Questions side by side
	// count once, and the time between questions does not count: a client may take
	// minutes to send its message. Zero or less means DefaultTime. It is kept by
	// deadlines on contexts, so Resolver must return when its context ends.
	Time time.Duration

	mu       sync.Mutex
	calls    map[Question]*call
	recalled []Question  // and so counted, besides those of calls
	room     [6]Question // for recalled, mostly enough
	asked    int
	underway int           // questions that Resolver is at work on
	since    time.Time     // when underway was last zero
	spent    time.Duration // before that
}

// A call is a question put to the Resolver, and its outcome once done is closed.
type call struct {
	done      chan struct{}
	answer    Answer
	err       error
	details   Event
	abandoned bool // there is no outcome: who asked has gone away
}

// Resolve answers q within the budget. It implements [Resolver].
func (b *Budget) Resolve(ctx context.Context, q Question) (Answer, error) {
	o := observe(ctx, q)
	a, details, err := b.resolve(ctx, q)
	o.end(a, err, details)
	return a, err
}

// Asked returns how many questions have been put to the Resolver.
func (b *Budget) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

func (b *Budget) resolve(ctx context.Context, q Question) (Answer, Event, error) {
	if err := q.check(); err != nil {
		return Answer{}, Event{}, err
	}
	for ctx.Err() == nil {
		c, mine, err := b.join(q)
		if err != nil {
			return Answer{}, Event{}, &Error{Question: q, Err: err}
		}
		if mine {
			b.ask(ctx, q, c)
			return c.answer, c.details, c.err
		}
		select {
		case <-c.done:
			if !c.abandoned {
				return c.answer, Event{Server: c.details.Server, Cached: true, Stale: c.details.Stale}, c.err
			}
		case <-ctx.Done():
		}
	}
	return Answer{}, Event{}, &Error{Question: q, Err: contextError(ctx)}
}

// join returns the call for q. If there is none yet, it makes one, which is the
// caller's to ask.
func (b *Budget) join(q Question) (c *call, mine bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.calls[q]; c != nil {
		return c, false, nil
	}
	if err := b.count(q); err != nil {
		return nil, false, err
	}
	if b.calls == nil {
		b.calls = make(map[Question]*call)
	}
	c = &call{done: make(chan struct{})}
	b.calls[q] = c
	return c, true, nil
}

// count counts a question, once.
func (b *Budget) count(q Question) error {
	if slices.Contains(b.recalled, q) {
		return nil
	}
	limit := positive(b.Questions, DefaultQuestions)
	if b.asked >= limit {
		return &LimitError{Questions: limit}
	}
	b.asked++
	return nil
}

// ask puts q to the Resolver and fills c. What the caller's context cut short is an
// outcome for the caller alone.
func (b *Budget) ask(ctx context.Context, q Question, c *call) {
	defer b.finish(q, c)
	left, limit := b.start()
	defer b.stop()
	if left <= 0 {
		c.err = &Error{Question: q, Err: limit}
		return
	}
	within, cancel := context.WithTimeoutCause(ctx, left, limit)
	defer cancel()
	var l listener
	if traceOf(ctx) != nil {
		within = l.listen(within)
	}
	Contained(seam.Internal{}, within, orDefault(b.Resolver), q, func(a Answer, err error) {
		c.answer, c.err, c.details = a, err, l.details()
		switch {
		case !Temporary(err):
		case ctx.Err() != nil:
			c.err, c.abandoned = &Error{Question: q, Err: contextError(ctx)}, true
		case within.Err() != nil:
			c.err = &Error{Question: q, Err: limit}
		}
	})
}

// start counts a question as under way, and returns how much time is left for it
// and the error to end it with after that.
func (b *Budget) start() (left time.Duration, limit *LimitError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	limit = &LimitError{Time: positive(b.Time, DefaultTime)}
	now := time.Now()
	if b.underway == 0 {
		b.since = now
	}
	b.underway++
	return limit.Time - b.spent - now.Sub(b.since), limit
}

func (b *Budget) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.underway--; b.underway == 0 {
		b.spent += time.Since(b.since)
	}
}

// finish hands the outcome to those who wait for it.
func (b *Budget) finish(q Question, c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.abandoned {
		delete(b.calls, q)
	}
	close(c.done)
}
