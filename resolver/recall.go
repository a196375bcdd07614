package resolver

import (
	"context"

	"github.com/mailverdict/mailverdict/internal/seam"
)

// Recall gives the outcome for q, an answer in a or an error, if r holds it in memory, as a
// [Zone] and a [Cache] do, also behind a [Budget] or [Wrap]. It never waits and starts no
// goroutine. If ok is false, nothing was asked: call Resolve. It is for this module alone.
//
// Recall goes by the type of r and not by a method, so that a Resolver which embeds a Zone
// or Cache is asked by its own Resolve. Ok is false if ctx has ended, and where its questions
// are traced: the trace would show this one twice.
func Recall(_ seam.Internal, ctx context.Context, r Resolver, q Question, a *Answer) (ok bool, err error) {
	if tracerOf(ctx) != nil || ctx.Err() != nil {
		return false, nil
	}
	switch r := r.(type) {
	case Zone:
		return r.recall(q, a)
	case *Cache:
		if r != nil { // else Resolve panics, where that is contained
			return r.recall(q, a)
		}
	case *Budget:
		if r != nil {
			return r.recall(ctx, q, a)
		}
	case *observed:
		return r.recall(ctx, q, a)
	}
	return false, nil
}

// recall answers q if no fault of the zone delays that.
func (z Zone) recall(q Question, a *Answer) (ok bool, err error) {
	answer, wait, err := z.answer(q)
	if wait > 0 {
		return false, nil
	}
	*a = answer
	return true, err
}

// recall answers q if the outcome is remembered.
func (c *Cache) recall(q Question, a *Answer) (ok bool, err error) {
	e, now := c.fresh(q)
	if e == nil {
		err = q.check()
		return err != nil, err
	}
	return true, e.at(now, a)
}
