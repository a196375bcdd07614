package resolver

import (
	"context"
	"fmt"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/contain"
	"github.com/mailverdict/mailverdict/internal/seam"
)

// Wrap returns a Resolver that asks r, and then calls after with each outcome, before
// Resolve returns it. It is how a program counts or logs questions without losing
// speed: what a [Zone] or [Cache] holds in memory is still answered without a
// goroutine, which a Resolver of the program's own around them would prevent.
//
// After is called once for each outcome, in the goroutine that asked; questions asked
// side by side call it side by side. It must be safe for concurrent use, return soon,
// and not change the Answer. Equal questions are outcomes of their own, unless a
// [Budget] or Cache around the returned Resolver asks them once.
//
// If r is nil, it is [Default].
func Wrap(r Resolver, after func(ctx context.Context, q Question, a Answer, err error)) Resolver {
	return &observed{orDefault(r), after}
}

type observed struct {
	resolver Resolver
	after    func(ctx context.Context, q Question, a Answer, err error)
}

// Resolve implements [Resolver].
func (o *observed) Resolve(ctx context.Context, q Question) (a Answer, err error) {
	Contained(seam.Internal{}, ctx, o.resolver, q, func(answer Answer, failure error) {
		a, err = answer, failure
		o.after(ctx, q, a, err)
	})
	return a, err
}

// recall answers q if the Resolver that is wrapped recalls it.
func (o *observed) recall(at *clock.Moment, ctx context.Context, q Question) *remembered {
	e := recall(at, ctx, o.resolver, q)
	if e != nil {
		found := e.outcome(at.Now())
		o.after(ctx, q, found.answer, found.err)
	}
	return e
}

// Contained puts q to r and calls done once with the outcome. It is for this module
// alone.
//
// A panic of r's is an ErrPanic, since one question must not take down what asks it.
// So is runtime.Goexit in r: then done is called, and the goroutine ends. An answer
// without records, which r must not give, is ErrNoData.
func Contained(_ seam.Internal, ctx context.Context, r Resolver, q Question, done func(Answer, error)) {
	var a Answer
	var err error
	contain.Call(func() { a, err = r.Resolve(ctx, q) }, func(failure error) {
		switch {
		case failure != nil:
			err = &Error{Question: q, Err: fmt.Errorf("%w: %w", ErrPanic, failure)}
		case err == nil && a.Count() == 0:
			err = &Error{Question: q, Err: ErrNoData, TTL: a.TTL, Authentic: a.Authentic}
		}
		if err != nil {
			a = Answer{}
		}
		done(a, err)
	})
}
