package resolver

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/mailverdict/mailverdict/internal/clock"
)

// Recall returns the outcome for q if r holds it in memory, as a [Zone] and a [Cache] do, also
// behind a [Budget] or [Wrap]. It never waits and starts no goroutine. If ok is false, nothing
// was asked: call Resolve. The Answer is never nil if ok is true, and is shared: it must not be
// changed. TTLs are those when the outcome was remembered. At is the moment in which that is
// done. Recall is for this module alone.
//
// Recall goes by the type of r and not by a method, so that a Resolver which embeds a Zone
// or Cache is asked by its own Resolve. Ok is false if ctx has ended, and where its questions
// are traced: the trace would show this one twice.
func Recall(at *clock.Moment, ctx context.Context, r Resolver, q Question) (a *Answer, ok bool, err error) {
	if tracerOf(ctx) != nil || ctx.Err() != nil {
		return nil, false, nil
	}
	if c, ok := r.(*Cache); ok && c != nil { // as mostly
		if e := c.fresh(at, q); e != nil {
			return &e.answer, true, e.err
		}
		m, ok := refuse(q)
		return m.answer, ok, m.err
	}
	m, ok := recall(at, ctx, r, q)
	return m.answer, ok, m.err
}

// A memory is an outcome as it was remembered, and how long it may still be. The Answer is
// never nil, and is shared.
type memory struct {
	answer  *Answer
	err     error
	left    time.Duration
	refused bool // the question was not one to be asked
}

// refusal returns the memory of a question that was not asked.
func refusal(err error) memory {
	return memory{answer: new(Answer), err: err, left: math.MaxInt64, refused: true}
}

// refuse answers q if it is not one to be asked.
func refuse(q Question) (m memory, ok bool) {
	if err := q.check(); err != nil {
		return refusal(err), true
	}
	return m, false
}

// outcome returns the outcome with the TTL that is left of it. A TTL that is not known stays
// so.
func (m memory) outcome() (Answer, error) {
	a := *m.answer
	a.TTL = min(a.TTL, m.left)
	if failure, ok := errors.AsType[*Error](m.err); ok && failure.TTL > m.left {
		aged := *failure
		aged.TTL = m.left
		return a, &aged
	}
	return a, m.err
}

// recall is Recall for a context that has not ended and is not traced.
func recall(at *clock.Moment, ctx context.Context, r Resolver, q Question) (m memory, ok bool) {
	switch r := r.(type) {
	case Zone:
		return r.recall(q)
	case *Cache:
		if r != nil { // else Resolve panics, where that is contained
			return r.recall(at, q)
		}
	case *Budget:
		if r != nil {
			return r.recall(at, ctx, q)
		}
	case *observed:
		return r.recall(at, ctx, q)
	}
	return m, false
}

// recall answers q if no fault of the zone delays that.
func (z Zone) recall(q Question) (m memory, ok bool) {
	if m, ok = refuse(q); ok {
		return m, true
	}
	answer, wait, err := z.answer(q)
	if wait > 0 {
		return m, false
	}
	return memory{answer: &answer, err: err, left: math.MaxInt64}, true
}

// recall answers q if the outcome is remembered.
func (c *Cache) recall(at *clock.Moment, q Question) (m memory, ok bool) {
	if e := c.fresh(at, q); e != nil {
		return e.memory(at.Now()), true
	}
	return refuse(q)
}
