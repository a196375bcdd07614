package resolver

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Trace is a set of hooks for watching questions, in the manner of
// net/http/httptrace. It travels in a context: see [WithTrace].
type Trace struct {
	// Done is called once for each question that a resolver of this package was
	// asked, when its outcome is known, in the goroutine that asked and before
	// Resolve returns. Questions asked side by side call it side by side: it must
	// be safe for concurrent use. Resolvers that wrap each other report a question
	// once.
	Done func(Event)
}

// An Event is a question and what became of it.
type Event struct {
	Question Question      `json:"question"`
	Answer   Answer        `json:"answer"`             // zero where Err is not nil
	Err      error         `json:"-"`                  // as Resolve returned it
	Server   string        `json:"server,omitempty"`   // host:port that answered, "" where not known
	Start    time.Time     `json:"start"`              // when it was asked
	Duration time.Duration `json:"duration,omitempty"` // until the outcome was known, in nanoseconds

	// Cached says that no server was asked for this: the outcome was remembered,
	// or another caller's question brought it.
	Cached bool `json:"cached,omitempty"`

	// Stale says that the answer is past its time and was given because asking
	// again failed. RFC 8767.
	Stale bool `json:"stale,omitempty"`
}

type traceKey struct{}

// WithTrace returns a context whose questions are reported to t, and to the Trace
// that ctx has already.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	if outer := traceOf(ctx); outer != nil {
		inner := t
		t = &Trace{Done: func(e Event) {
			inner.done(e)
			outer.done(e)
		}}
	}
	return context.WithValue(ctx, traceKey{}, t)
}

func traceOf(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}

func (t *Trace) done(e Event) {
	if t.Done != nil {
		t.Done(e)
	}
}

// An observation is a question under way, for the Trace of its context. Without
// one, it costs nothing.
type observation struct {
	trace    *Trace
	question Question
	start    time.Time
}

func observe(ctx context.Context, q Question) observation {
	t := traceOf(ctx)
	if t == nil {
		return observation{}
	}
	return observation{trace: t, question: q, start: time.Now()}
}

// end reports the outcome. Details are what else is known of it: Server, Cached,
// Stale.
func (o observation) end(a Answer, err error, details Event) {
	if o.trace == nil {
		return
	}
	e := details
	e.Question, e.Answer, e.Err = o.question, a, err
	e.Start, e.Duration = o.start, time.Since(o.start)
	if failure, ok := errors.AsType[*Error](err); ok && e.Server == "" {
		e.Server = failure.Server
	}
	o.trace.done(e)
}

// A listener takes the place of a context's Trace while a wrapper asks the resolver
// that it wraps, so that the wrapper can report the question once and in its
// caller's goroutine. The resolver may still be at work, or still talk, when the
// wrapper has turned away.
type listener struct {
	mu   sync.Mutex
	last Event
}

// listen returns a context whose questions are heard by l alone.
func (l *listener) listen(ctx context.Context) context.Context {
	return context.WithValue(ctx, traceKey{}, &Trace{Done: func(e Event) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.last = e
	}})
}

// details returns what was heard, for the wrapper's own event.
func (l *listener) details() Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Event{Server: l.last.Server, Cached: l.last.Cached, Stale: l.last.Stale}
}
