package resolver

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailverdict/mailverdict/internal/domain"
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
	if domain.IsCanonical(q.Name) {
		return nil
	}
	if err := domain.Check(q.Name); err != nil {
		return &Error{Question: q, Err: fmt.Errorf("%w: %w", ErrName, err)}
	}
	// Upper case would be a second name for the same thing in a cache, and a
	// missing one in a Zone.
	return &Error{Question: q, Err: fmt.Errorf("%w: upper case", ErrName)}
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
