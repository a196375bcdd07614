package resolver

import (
	"context"
	"errors"
	"fmt"
)

// check returns why q cannot be asked, or nil. Every resolver of this package calls
// it first, so that what a sender wrote reaches no server, cache or hosts file
// before it has the form of a name.
func (q Question) check() error {
	switch q.Type {
	case TypeA, TypeAAAA, TypeMX, TypePTR, TypeTXT:
	default:
		return &Error{Question: q, Err: ErrType}
	}
	if err := checkName(q.Name); err != nil {
		return &Error{Question: q, Err: err}
	}
	return nil
}

// contextError says why ctx ended, in the package's terms: a [*LimitError] where a
// [Budget] ended it, ErrTimeout for a deadline of the caller's.
//
// Other causes are not passed on. An errgroup cancels its context with the first
// error that one of its functions returned; were that an ErrNotFound, wrapping it
// would turn "cancelled" into "proven absent".
func contextError(ctx context.Context) error {
	if limit, ok := errors.AsType[*LimitError](context.Cause(ctx)); ok {
		return limit
	}
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
