package resolver

import (
	"context"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/seam"
)

// Recall returns the outcome for q if r holds it in memory, as a [Zone] and a [Cache] do, also
// behind a [Budget] or [Wrap]. It never waits and starts no goroutine. If ok is false, nothing
// was asked: call Resolve. The Answer is never nil if ok is true, and is shared: it must not be
// changed. Its TTL is that when it was remembered; that of an error is what is left. At is the
// moment in which this is done. Recall is for this module alone.
//
// Recall goes by the type of r and not by a method, so that a Resolver which embeds a Zone
// or Cache is asked by its own Resolve. Ok is false if ctx has ended, and where its questions
// are traced: the trace would show this one twice.
func Recall(_ seam.Internal, at *clock.Moment, ctx context.Context, r Resolver, q Question) (a *Answer, ok bool, err error) {
	if tracerOf(ctx) != nil || ctx.Err() != nil {
		return nil, false, nil
	}
	var e *remembered
	if c, ok := r.(*Cache); ok && c != nil { // as mostly; it saves a twentieth of an SPF check
		e = c.recall(at, q)
	} else {
		e = recall(at, ctx, r, q)
	}
	if e == nil {
		return nil, false, nil
	}
	if e.err != nil {
		return &e.answer, true, aged(e.err, e.left(at.Now())) // results keep it
	}
	return &e.answer, true, nil
}

// recall is Recall for a context that has not ended and is not traced. It returns nil if
// nothing was asked.
func recall(at *clock.Moment, ctx context.Context, r Resolver, q Question) *remembered {
	switch r := r.(type) {
	case *Cache:
		if r != nil { // else Resolve panics, where that is contained
			return r.recall(at, q)
		}
	case Zone:
		return r.recall(q)
	case *Budget:
		if r != nil {
			return r.recall(at, ctx, q)
		}
	case *observed:
		return r.recall(at, ctx, q)
	}
	return nil
}

// refuse returns the outcome of a question that is not one to be asked, nil for any other.
func refuse(q Question) *remembered {
	if err := q.check(); err != nil {
		return &remembered{err: err, expiry: never, refused: true}
	}
	return nil
}

// recall answers q if no fault of the zone delays that.
func (z Zone) recall(q Question) *remembered {
	if e := refuse(q); e != nil {
		return e
	}
	answer, wait, err := z.answer(q)
	if wait > 0 {
		return nil
	}
	return &remembered{answer: answer, err: err, expiry: never}
}

// recall answers q if the outcome is remembered.
func (c *Cache) recall(at *clock.Moment, q Question) *remembered {
	if e := c.fresh(at, q); e != nil {
		return e
	}
	return refuse(q)
}
