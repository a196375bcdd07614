package main

import (
	"context"
	"errors"

	"github.com/mailverdict/mailverdict/resolver"
)

// missing returns those of the names that do not exist in DNS. One of which DNS does not say so is
// taken to exist.
func missing(ctx context.Context, r resolver.Resolver, names []string) map[string]bool {
	absent := make(map[string]bool)
	for _, name := range names {
		if _, err := r.Resolve(ctx, resolver.Question{Name: name, Type: resolver.TypeA}); errors.Is(err, resolver.ErrNXDomain) {
			absent[name] = true
		}
	}
	return absent
}
