package cause

import "github.com/mailverdict/mailverdict/resolver"

// DNS returns the table of the resolver's errors, for the answers that results
// show and for the tables of packages that want to tell them apart.
func DNS() Table {
	return Table{
		{"nxdomain", resolver.ErrNXDomain},
		{"nodata", resolver.ErrNoData},
		{"not-found", resolver.ErrNotFound},
		{"name", resolver.ErrName},
		{"servfail", resolver.ErrServFail},
		{"refused", resolver.ErrRefused},
		{"format", resolver.ErrFormat},
		{"timeout", resolver.ErrTimeout},
		{"malformed", resolver.ErrMalformed},
		{"limit", resolver.ErrLimit},
		{"panic", resolver.ErrPanic},
	}
}
