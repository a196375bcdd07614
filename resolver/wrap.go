package resolver

import (
	"context"
	"fmt"
	"time"
)

// ask puts q to r on behalf of a wrapper. A panic of r's is an ErrPanic, since one
// question must not take down what asks it; an answer without records, which r must
// not give, is ErrNoData.
func ask(ctx context.Context, r Resolver, q Question) (a Answer, err error) {
	defer func() {
		if v := recover(); v != nil {
			a, err = Answer{}, &Error{Question: q, Err: fmt.Errorf("%w: %v", ErrPanic, v)}
		}
	}()
	a, err = r.Resolve(ctx, q)
	if err == nil && a.Count() == 0 {
		err = &Error{Question: q, Err: ErrNoData, TTL: a.TTL, Authentic: a.Authentic}
	}
	if err != nil {
		return Answer{}, err
	}
	return a, nil
}

// positive returns value, or the standard one where it is zero or less.
func positive[T int | time.Duration](value, standard T) T {
	if value > 0 {
		return value
	}
	return standard
}
