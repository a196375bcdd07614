package ask

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

var question = resolver.Question{Name: "example.com", Type: resolver.TypeTXT}

var memory = resolver.Zone{"example.com": {TXT: []string{"text"}}}

type resolverFunc func(ctx context.Context) (resolver.Answer, error)

func (f resolverFunc) Resolve(ctx context.Context, _ resolver.Question) (resolver.Answer, error) {
	return f(ctx)
}

// after answers when a time has passed, or the context has ended.
func after(d time.Duration) resolver.Resolver {
	return resolver.Zone{"example.com": {TXT: []string{"text"}, Fault: resolver.Fault{Delay: d}}}
}

var ends = []struct {
	what string
	r    resolver.Resolver
	want error
}{
	{"from memory", memory, nil},
	{"absent in memory", resolver.Zone{}, resolver.ErrNXDomain},
	{"after a while", after(time.Second), nil},
	{"no records", resolverFunc(func(context.Context) (resolver.Answer, error) { return resolver.Answer{}, nil }), resolver.ErrNoData},
	{"a panic", resolverFunc(func(context.Context) (resolver.Answer, error) { panic("broken") }), resolver.ErrPanic},
	{"a panic in a cache", &resolver.Cache{Resolver: resolverFunc(func(context.Context) (resolver.Answer, error) { panic("broken") })}, resolver.ErrPanic},
	{"a nil pointer", (*resolver.Cache)(nil), resolver.ErrPanic},
	{"a goroutine that ended", resolverFunc(func(context.Context) (resolver.Answer, error) {
		runtime.Goexit()
		return resolver.Answer{}, nil
	}), resolver.ErrPanic},
}

func TestDoReturnsWithAnOutcomeWhateverTheResolverDoes(t *testing.T) {
	for _, tt := range ends {
		synctest.Test(t, func(t *testing.T) {
			a, err := Do(t.Context(), tt.r, question)
			if !errors.Is(err, tt.want) || (a.Count() == 1) != (tt.want == nil) {
				t.Errorf("%s: %v, %v", tt.what, a, err)
			}
		})
	}
}

func TestNoResolverIsTheDefaultOne(t *testing.T) {
	none := resolver.Question{Type: resolver.TypeTXT} // which takes no network to refuse
	if _, err := Do(t.Context(), nil, none); !errors.Is(err, resolver.ErrName) {
		t.Error(err)
	}
	var g Group
	g.Begin(t.Context(), nil)
	defer g.Close()
	g.Ask(none, TakerFunc(func(_ *resolver.Answer, err error) {
		if !errors.Is(err, resolver.ErrName) {
			t.Error(err)
		}
	}))
	g.Wait()
}

func TestAuthenticIsThatOfTheAnswerOrOfItsAbsence(t *testing.T) {
	for _, tt := range []struct {
		a    resolver.Answer
		err  error
		want resolver.Authentic
	}{
		{resolver.Answer{Authentic: resolver.AuthenticYes}, nil, resolver.AuthenticYes},
		{resolver.Answer{Authentic: resolver.AuthenticYes}, resolver.ErrNXDomain, resolver.AuthenticUnknown},
		{resolver.Answer{}, fmt.Errorf("asked: %w", &resolver.Error{Err: resolver.ErrNXDomain, Authentic: resolver.AuthenticNo}), resolver.AuthenticNo},
	} {
		if got := Authentic(&tt.a, tt.err); got != tt.want {
			t.Errorf("%v, %v: %v, want %v", tt.a, tt.err, got, tt.want)
		}
	}
}

func TestAGroupTakesEveryOutcomeOnce(t *testing.T) {
	for _, tt := range ends {
		synctest.Test(t, func(t *testing.T) {
			var g Group
			g.Begin(t.Context(), tt.r)
			defer g.Close()
			var taken atomic.Int32
			g.Ask(question, TakerFunc(func(a *resolver.Answer, err error) {
				if !errors.Is(err, tt.want) || (a.Count() == 1) != (tt.want == nil) {
					t.Errorf("%s: %v, %v", tt.what, a, err)
				}
				taken.Add(1)
			}))
			g.Wait()
			if n := taken.Load(); n != 1 {
				t.Errorf("%s: taken %d times", tt.what, n)
			}
		})
	}
}

func TestWaitWaitsForQuestionsThatAnOutcomeLeadsTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		g.Begin(t.Context(), after(time.Second))
		left := 3
		var next TakerFunc
		next = func(*resolver.Answer, error) {
			if left--; left > 0 {
				g.Ask(question, next)
			}
		}
		start := time.Now()
		g.Ask(question, next)
		g.Wait()
		if d := time.Since(start); left != 0 || d != 3*time.Second {
			t.Errorf("%d left after %v", left, d)
		}
		g.Close()
	})
}

func TestCloseEndsWhatIsUnderWayAndWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		g.Begin(t.Context(), after(time.Hour))
		outcome := errors.New("none")
		take := TakerFunc(func(_ *resolver.Answer, err error) { outcome = err })
		g.Ask(question, take)
		start := time.Now()
		g.Close()
		if !errors.Is(outcome, context.Canceled) || time.Since(start) != 0 {
			t.Errorf("%v after %v", outcome, time.Since(start))
		}
		g.Close()
	})
}

func TestAClosedGroupAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		g.Begin(t.Context(), after(time.Hour))
		g.Close()
		var outcome error
		g.Ask(question, TakerFunc(func(_ *resolver.Answer, err error) { outcome = err }))
		g.Wait()
		if !errors.Is(outcome, context.Canceled) {
			t.Error(outcome)
		}
	})
}

func TestAFunctionOfAGroupIsWaitedForHoweverItEnds(t *testing.T) {
	for _, tt := range []struct {
		what string
		f    func(context.Context)
		want error
	}{
		{"a return", func(ctx context.Context) { Do(ctx, after(time.Second), question) }, nil},
		{"a panic", func(context.Context) { panic(fmt.Errorf("%w", resolver.ErrNXDomain)) }, resolver.ErrPanic},
		{"its goroutine ended", func(context.Context) { runtime.Goexit() }, resolver.ErrPanic},
	} {
		synctest.Test(t, func(t *testing.T) {
			var g Group
			g.Begin(t.Context(), memory)
			defer g.Close()
			returned := false
			var failure error
			g.Go(func(ctx context.Context) { tt.f(ctx); returned = true }, func(err error) { failure = err })
			g.Wait()
			if returned != (tt.want == nil) || !errors.Is(failure, tt.want) || errors.Is(failure, resolver.ErrNotFound) {
				t.Errorf("%s: %t, %v", tt.what, returned, failure)
			}
		})
	}
}

type lookup struct {
	answer *resolver.Answer
	err    error
}

func (l *lookup) Take(a *resolver.Answer, err error) { l.answer, l.err = a, err }

func TestAnswersFromMemoryAllocateNothing(t *testing.T) {
	memory := &resolver.Cache{Resolver: memory}
	lookups := make([]lookup, 3)
	if n := testing.AllocsPerRun(100, func() {
		var g Group
		g.Begin(t.Context(), memory)
		for i := range lookups {
			g.Ask(question, &lookups[i])
		}
		g.Wait()
		g.Close()
		Do(t.Context(), memory, question)
	}); n > 1 { // the Group itself
		t.Errorf("%v allocations", n)
	}
	for _, l := range lookups {
		if l.err != nil || l.answer.Count() != 1 {
			t.Errorf("%v, %v", l.answer, l.err)
		}
	}
}

func BenchmarkDo(b *testing.B) {
	for what, r := range map[string]resolver.Resolver{
		"memory": memory,
		"a resolver that answers at once": resolverFunc(func(context.Context) (resolver.Answer, error) {
			return resolver.Answer{TXT: []string{"text"}}, nil
		}),
	} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Do(b.Context(), r, question)
			}
		})
	}
}
