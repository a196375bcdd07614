package resolver_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

var recallQuestion = resolver.Question{Name: "example.com", Type: resolver.TypeTXT}

// only is a resolver of one method.
type only struct{ resolver.Resolver }

// embedding has a Zone, and its own way to answer.
type embedding struct{ resolver.Zone }

func (embedding) Resolve(context.Context, resolver.Question) (resolver.Answer, error) {
	return resolver.Answer{}, resolver.ErrServFail
}

func nothing(context.Context, resolver.Question, resolver.Answer, error) {}

func TestWhatTakesNoWaitingIsRecalled(t *testing.T) {
	zone := resolver.Zone{
		"example.com":      {TXT: []string{"text"}},
		"slow.example.com": {TXT: []string{"text"}, Fault: resolver.Fault{Delay: time.Second}},
		"down.example.com": {Fault: resolver.Fault{Err: resolver.ErrServFail}},
		"long.example.com": {CNAME: "slow.example.com"},
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	traced := resolver.Trace(seam.Internal{}, t.Context(), func(resolver.Question, resolver.Answer, error, seam.Details) {})
	for _, tt := range []struct {
		what string
		ctx  context.Context
		r    resolver.Resolver
		name string
		ok   bool
		err  error
	}{
		{"an answer of a zone", t.Context(), zone, "example.com", true, nil},
		{"an absence in a zone", t.Context(), zone, "no.example.com", true, resolver.ErrNXDomain},
		{"a failure in a zone", t.Context(), zone, "down.example.com", true, resolver.ErrServFail},
		{"what is no name", t.Context(), zone, "example..com", true, resolver.ErrName},
		{"what is no name, of a cache", t.Context(), &resolver.Cache{Resolver: zone}, "example..com", true, resolver.ErrName},
		{"and of a budget", t.Context(), &resolver.Budget{Resolver: only{zone}}, "example..com", true, resolver.ErrName},
		{"a delayed answer of a zone", t.Context(), zone, "slow.example.com", false, nil},
		{"an alias of a delayed name", t.Context(), zone, "long.example.com", false, nil},
		{"a budget over a zone", t.Context(), &resolver.Budget{Resolver: zone}, "example.com", true, nil},
		{"a budget over a delayed zone", t.Context(), &resolver.Budget{Resolver: zone}, "slow.example.com", false, nil},
		{"a cache that is empty", t.Context(), &resolver.Cache{Resolver: zone}, "example.com", false, nil},
		{"an observed zone", t.Context(), resolver.Wrap(zone, nothing), "example.com", true, nil},
		{"an observed delayed name", t.Context(), resolver.Wrap(zone, nothing), "slow.example.com", false, nil},
		{"a budget over an observed zone", t.Context(), &resolver.Budget{Resolver: resolver.Wrap(zone, nothing)}, "example.com", true, nil},
		{"an observed resolver that embeds a zone", t.Context(), resolver.Wrap(embedding{zone}, nothing), "example.com", false, nil},
		{"a resolver of one method", t.Context(), only{zone}, "example.com", false, nil},
		{"a budget over a resolver of one method", t.Context(), &resolver.Budget{Resolver: only{zone}}, "example.com", false, nil},
		{"a resolver that embeds a zone", t.Context(), embedding{zone}, "example.com", false, nil},
		{"a context that ended", cancelled, zone, "example.com", false, nil},
		{"a context with a trace, which would see the question twice", traced, zone, "example.com", false, nil},
	} {
		q := resolver.Question{Name: tt.name, Type: resolver.TypeTXT}
		a, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), tt.ctx, tt.r, q)
		if ok != tt.ok || !errors.Is(err, tt.err) || (a != nil) != tt.ok || ok && (a.Count() > 0) != (tt.err == nil) {
			t.Errorf("%s: %v, %t, %v; want %t, %v", tt.what, a, ok, err, tt.ok, tt.err)
		}
	}
}

func TestACacheRecallsUntilTheTTLHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := &resolver.Cache{Resolver: resolver.Zone{"example.com": {TXT: []string{"text"}, TTL: time.Minute}}}
		if _, err := cache.Resolve(t.Context(), recallQuestion); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		if a, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), cache, recallQuestion); !ok || err != nil || a.Count() != 1 {
			t.Errorf("before: %v, %t, %v", a, ok, err)
		}
		time.Sleep(time.Second)
		if _, ok, _ := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), cache, recallQuestion); ok {
			t.Error("recalled after its TTL")
		}
	})
}

func TestUsersGetTheTTLThatIsLeftOfWhatIsRecalled(t *testing.T) {
	absent := resolver.Question{Name: "example.com", Type: resolver.TypeMX}
	for _, q := range []resolver.Question{recallQuestion, absent} {
		synctest.Test(t, func(t *testing.T) {
			cache := &resolver.Cache{Resolver: resolver.Zone{"example.com": {TXT: []string{"text"}, TTL: time.Minute}}}
			ttl := func(a resolver.Answer, err error) time.Duration {
				if failure, ok := errors.AsType[*resolver.Error](err); ok {
					return failure.TTL
				}
				return a.TTL
			}
			if got := ttl(cache.Resolve(t.Context(), q)); got != time.Minute {
				t.Errorf("%s, asked: %s", q, got)
			}
			time.Sleep(59 * time.Second)
			var seen time.Duration
			b := &resolver.Budget{Resolver: resolver.Wrap(cache, func(_ context.Context, _ resolver.Question, a resolver.Answer, err error) {
				seen = ttl(a, err)
			})}
			if _, ok, _ := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), b, q); !ok || seen != time.Second {
				t.Errorf("%s, watched: %t, %s", q, ok, seen)
			}
			if got := ttl(b.Resolve(t.Context(), q)); got != time.Second {
				t.Errorf("%s, from a budget: %s", q, got)
			}
			// Results keep errors, and so their TTL.
			if _, _, err := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), cache, q); err != nil && ttl(resolver.Answer{}, err) != time.Second {
				t.Errorf("%s, recalled: %s", q, ttl(resolver.Answer{}, err))
			}
		})
	}
}

// What cannot be asked stays so when a Budget is used up, and who watches behind a Budget does
// not see it, as with Resolve.
func TestABudgetTakesNoQuestionThatCannotBeAsked(t *testing.T) {
	none := resolver.Question{Name: "example..com", Type: resolver.TypeTXT}
	seen := 0
	watched := resolver.Wrap(resolver.Zone{"example.com": {TXT: []string{"text"}}}, func(context.Context, resolver.Question, resolver.Answer, error) { seen++ })
	for _, r := range []resolver.Resolver{watched, &resolver.Cache{Resolver: watched}} {
		b := &resolver.Budget{Resolver: r, Questions: 1}
		for range 2 {
			_, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), b, none)
			if _, asked := b.Resolve(t.Context(), none); !ok || !errors.Is(err, resolver.ErrName) || !errors.Is(asked, resolver.ErrName) || b.Asked() > 1 {
				t.Errorf("%T: %t, %v, %v after %d questions", r, ok, err, asked, b.Asked())
			}
			b.Resolve(t.Context(), recallQuestion)
		}
	}
	if seen != 2 { // the question that can be asked, once of each
		t.Errorf("seen %d", seen)
	}
}

func TestTheLimitOfABudgetCountsInTheOneAroundIt(t *testing.T) {
	seen := 0
	inner := &resolver.Budget{Resolver: resolver.Zone{}, Questions: 1}
	outer := &resolver.Budget{Resolver: resolver.Wrap(inner, func(context.Context, resolver.Question, resolver.Answer, error) { seen++ })}
	other := resolver.Question{Name: "www.example.com", Type: resolver.TypeTXT}
	for range 2 {
		for _, q := range []resolver.Question{recallQuestion, other} {
			if _, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), outer, q); !ok || errors.Is(err, resolver.ErrLimit) != (q == other) {
				t.Errorf("%s: %t, %v", q, ok, err)
			}
		}
	}
	if outer.Asked() != 2 || seen != 2 {
		t.Errorf("%d asked, %d seen", outer.Asked(), seen)
	}
}

func TestTheTTLOfAZoneIsThatOfItsRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen time.Duration
		w := resolver.Wrap(resolver.Zone{"example.com": {TXT: []string{"text"}, TTL: time.Minute}}, func(_ context.Context, _ resolver.Question, a resolver.Answer, _ error) {
			seen = a.TTL
		})
		if _, ok, _ := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), w, recallQuestion); !ok || seen != time.Minute {
			t.Errorf("%t, %s", ok, seen)
		}
	})
}

// A function that watches the questions of a Budget may ask it, too.
func TestABudgetIsNotLockedWhileItIsWatched(t *testing.T) {
	var b resolver.Budget
	asked := -1
	b.Resolver = resolver.Wrap(resolver.Zone{"example.com": {TXT: []string{"text"}}}, func(context.Context, resolver.Question, resolver.Answer, error) {
		asked = b.Asked()
	})
	if _, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), &b, recallQuestion); !ok || err != nil || asked != 0 || b.Asked() != 1 {
		t.Errorf("%t, %v, %d and %d asked", ok, err, asked, b.Asked())
	}
	outer := resolver.Budget{Resolver: resolver.Wrap(resolver.Zone{}, func(context.Context, resolver.Question, resolver.Answer, error) { panic("watching") })}
	func() {
		defer func() { recover() }()
		resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), &outer, recallQuestion)
	}()
	if n := outer.Asked(); n != 0 { // does not wait for ever
		t.Errorf("%d asked", n)
	}
}

func TestABudgetCountsWhatItRecallsAsIfItWereAsked(t *testing.T) {
	zone := resolver.Zone{"example.com": {TXT: []string{"text"}}}
	b := &resolver.Budget{Resolver: zone, Questions: 2}
	other := resolver.Question{Name: "www.example.com", Type: resolver.TypeTXT}
	for range 3 { // equal ones once
		for _, q := range []resolver.Question{recallQuestion, other} {
			if _, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), b, q); !ok || errors.Is(err, resolver.ErrLimit) {
				t.Fatalf("%s: %t, %v", q, ok, err)
			}
			if _, err := b.Resolve(t.Context(), q); errors.Is(err, resolver.ErrLimit) {
				t.Fatal(err)
			}
		}
	}
	if n := b.Asked(); n != 2 {
		t.Errorf("%d asked, want 2", n)
	}
	third := resolver.Question{Name: "ftp.example.com", Type: resolver.TypeTXT}
	if _, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), t.Context(), b, third); !ok || !errors.Is(err, resolver.ErrLimit) {
		t.Errorf("the third: %t, %v; want the limit", ok, err)
	}
}
