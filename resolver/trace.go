package resolver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/seam"
)

// A tracer is told of the outcome of each question of a context.
type tracer func(q Question, a Answer, err error, d seam.Details)

type tracerKey struct{}

// Trace returns a context whose questions are told to done, and to whoever ctx tells them
// already. It is for package resolver/trace alone.
func Trace(_ seam.Internal, ctx context.Context, done func(Question, Answer, error, seam.Details)) context.Context {
	inner := tracer(done)
	if outer := tracerOf(ctx); outer != nil {
		inner = func(q Question, a Answer, err error, d seam.Details) {
			done(q, a, err, d)
			outer(q, a, err, d)
		}
	}
	return context.WithValue(ctx, tracerKey{}, inner)
}

func tracerOf(ctx context.Context) tracer {
	t, _ := ctx.Value(tracerKey{}).(tracer)
	return t
}

// An outcome is what became of a question.
type outcome struct {
	answer        Answer
	err           error
	server        string // host:port that answered, "" where not known
	cached, stale bool
}

// failed returns the outcome of a question that was not answered.
func failed(q Question, err error) outcome {
	return outcome{err: &Error{Question: q, Err: err}}
}

// again returns the outcome for somebody else than who asked.
func (o outcome) again() outcome {
	o.cached = true
	return o
}

// An observation is a question under way, for the tracer of its context. Without one, it
// costs nothing.
type observation struct {
	tracer   tracer
	question Question
	start    time.Time
}

func observe(ctx context.Context, q Question) observation {
	t := tracerOf(ctx)
	if t == nil {
		return observation{}
	}
	return observation{t, q, time.Now()}
}

// end tells the outcome.
func (o observation) end(found outcome) {
	if o.tracer == nil {
		return
	}
	if failure, ok := errors.AsType[*Error](found.err); ok && found.server == "" {
		found.server = failure.Server
	}
	o.tracer(o.question, found.answer, found.err, seam.Details{
		Server: found.server, Start: o.start, Duration: time.Since(o.start), Cached: found.cached, Stale: found.stale,
	})
}

// A listener takes the place of a context's tracer while a wrapper asks the resolver
// that it wraps, so that the wrapper can tell of the question once and in its caller's
// goroutine. What the resolver tells after the wrapper has returned is not passed on.
type listener struct {
	mu   sync.Mutex
	last seam.Details
}

// listen returns a context whose questions are told to the listener alone.
func listen(ctx context.Context) (context.Context, *listener) {
	l := new(listener)
	return context.WithValue(ctx, tracerKey{}, tracer(func(_ Question, _ Answer, _ error, d seam.Details) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.last = d
	})), l
}

// outcome returns the outcome that the wrapper has, with what the listener was told. A nil
// listener was told nothing.
func (l *listener) outcome(a Answer, err error) outcome {
	if l == nil {
		return outcome{answer: a, err: err}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return outcome{a, err, l.last.Server, l.last.Cached, l.last.Stale}
}
