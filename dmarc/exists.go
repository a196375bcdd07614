package dmarc

import (
	"context"
	"errors"

	"github.com/mailverdict/mailverdict/resolver"
)

// exists finds out whether a domain exists, for the np tag. RFC 9989, section 3.2.13,
// goes by NXDOMAIN, which RFC 8020 makes the same for every record type: a name without
// the type that was asked for exists.
//
// A resolver that cannot tell NXDOMAIN from an empty answer is asked for the other types
// too; a name that has none of them is taken not to exist.
func exists(ctx context.Context, r resolver.Resolver, name string) (Existence, resolver.Authentic) {
	for _, t := range []resolver.Type{resolver.TypeA, resolver.TypeAAAA, resolver.TypeMX, resolver.TypeTXT} {
		answer, err := r.Resolve(ctx, resolver.Question{Name: name, Type: t})
		switch {
		case err == nil:
			return ExistenceYes, answer.Authentic
		case errors.Is(err, resolver.ErrNoData):
			return ExistenceYes, resolver.AuthenticOf(err)
		case errors.Is(err, resolver.ErrNXDomain):
			return ExistenceNo, resolver.AuthenticOf(err)
		case resolver.Temporary(err):
			return ExistenceOpen, resolver.AuthenticUnknown
		}
	}
	return ExistenceNo, resolver.AuthenticUnknown
}
