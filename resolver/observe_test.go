package resolver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// failing ends each question in its own way.
type failing func()

func (f failing) Resolve(context.Context, resolver.Question) (resolver.Answer, error) {
	f()
	return resolver.Answer{}, nil
}

func TestAnObserverSeesEachOutcomeOnce(t *testing.T) {
	q := resolver.Question{Name: "example.com", Type: resolver.TypeTXT}
	zone := resolver.Zone{"example.com": {TXT: []string{"text"}}}
	for _, tt := range []struct {
		what string
		r    resolver.Resolver
		want error
	}{
		{"an answer", zone, nil},
		{"an absence", resolver.Zone{}, resolver.ErrNXDomain},
		{"a cache that is asked twice", &resolver.Cache{Resolver: zone}, nil},
		{"a panic", failing(func() { panic("broken") }), resolver.ErrPanic},
		{"no records", failing(func() {}), resolver.ErrNoData},
	} {
		var seen []string
		w := resolver.Wrap(tt.r, func(_ context.Context, asked resolver.Question, a resolver.Answer, err error) {
			if asked != q || !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, %v", tt.what, asked, err)
			}
			seen = append(seen, fmt.Sprint(a.TXT))
		})
		a, err := w.Resolve(t.Context(), q)
		want := []string{fmt.Sprint(a.TXT)}
		if !errors.Is(err, tt.want) || !slices.Equal(seen, want) {
			t.Errorf("%s: %v, seen %q", tt.what, err, seen)
		}
		if _, ok, _ := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), w, q); ok {
			want = append(want, want[0])
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%s, recalled: seen %q", tt.what, seen)
		}
	}
}
