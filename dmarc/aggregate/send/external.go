package send

import (
	"context"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/feedback"
	"github.com/mailverdict/mailverdict/resolver"
)

var causes cause.Table

// Why reports do not go to an address.
var (
	// ErrNotConfirmed says that an address outside of the organization whose record names it
	// did not agree to get reports about it, or has them go where they must not.
	ErrNotConfirmed = causes.Adopt(feedback.ErrNotConfirmed)

	// ErrUnconfirmed says that DNS did not tell whether it agreed.
	ErrUnconfirmed = causes.Adopt(feedback.ErrUnconfirmed)
)

// Confirm says where reports about a policy domain go that its record has go to an address: there,
// or, where a domain that takes reports for others says so, to other addresses at the same host:
// RFC 9990, section 4. Nil as a Resolver means resolver.Default.
//
// The error wraps ErrNotConfirmed where they must not go there, and ErrUnconfirmed where a failure
// of DNS left that open, which is no agreement either.
func Confirm(ctx context.Context, r resolver.Resolver, policyDomain, address string) ([]string, error) {
	return feedback.Confirm(ctx, r, policyDomain, address)
}
