package resolver

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestBudgetOfQuestions(t *testing.T) {
	for _, limit := range []int{0, 3} {
		r := counting(Zone{})
		b := &Budget{Resolver: r, Questions: limit}
		want := max(limit, 0)
		if limit == 0 {
			want = DefaultQuestions
		}
		for i := range want {
			if _, err := b.Resolve(ctx, Question{fmt.Sprintf("n%d.example", i), TypeA}); !errors.Is(err, ErrNotFound) {
				t.Fatalf("question %d: %v", i, err)
			}
		}
		_, err := b.Resolve(ctx, Question{"more.example", TypeA})
		if !errors.Is(err, ErrQuestionLimit) || errors.Is(err, ErrTimeLimit) || !errors.Is(err, ErrLimit) || !Temporary(err) ||
			!strings.Contains(err.Error(), fmt.Sprint(want)) {
			t.Errorf("beyond the limit: %v", err)
		}
		if _, err := b.Resolve(ctx, Question{"n0.example", TypeA}); !errors.Is(err, ErrNotFound) {
			t.Errorf("a question asked before: %v", err)
		}
		if len(r.asked) != want || b.Asked() != want {
			t.Errorf("%d questions were asked, %d counted, want %d", len(r.asked), b.Asked(), want)
		}
	}
}

func TestBudgetAsksEqualQuestionsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := counting(Zone{
			"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: time.Second}},
			"example.org": {Fault: Fault{Err: ErrServFail, Delay: time.Second}},
		})
		b := &Budget{Resolver: r}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if a, err := b.Resolve(t.Context(), txt); err != nil || a.Count() != 1 {
					t.Error(a, err)
				}
				if _, err := b.Resolve(t.Context(), Question{"example.org", TypeTXT}); !errors.Is(err, ErrServFail) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for q, n := range r.asked {
			if n != 1 {
				t.Errorf("%v was asked %d times", q, n)
			}
		}
	})
}

func TestBudgetDoesNotCountWhatIsNoName(t *testing.T) {
	b := &Budget{Resolver: resolverFunc(func(context.Context, Question) (Answer, error) {
		t.Error("it was asked")
		return Answer{}, nil
	})}
	if _, err := b.Resolve(ctx, Question{"a..b", TypeA}); !errors.Is(err, ErrName) || b.Asked() != 0 {
		t.Error(err, b.Asked())
	}
}

func TestBudgetOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: time.Hour}}}
		b := &Budget{Resolver: z}
		start := time.Now()
		for range 2 { // the second outcome is remembered
			_, err := b.Resolve(t.Context(), txt)
			if !errors.Is(err, ErrTimeLimit) || errors.Is(err, ErrQuestionLimit) || !Temporary(err) || !strings.Contains(err.Error(), "30s") {
				t.Errorf("%v, want the limit named", err)
			}
			if time.Since(start) != DefaultTime {
				t.Errorf("it took %v", time.Since(start))
			}
		}
		if _, err := b.Resolve(t.Context(), Question{"example.com", TypeA}); !errors.Is(err, ErrLimit) || time.Since(start) != DefaultTime {
			t.Errorf("another question after that: %v after %v", err, time.Since(start))
		}
	})
}

func TestBudgetOfTimeIsOneForQuestionsThatOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := Fault{Delay: time.Minute}
		b := &Budget{Resolver: Zone{"a.example": {Fault: slow}, "b.example": {Fault: slow}}, Time: 30 * time.Second}
		start := time.Now()
		var all sync.WaitGroup
		for _, name := range []string{"a.example", "b.example"} {
			all.Go(func() {
				if _, err := b.Resolve(t.Context(), Question{name, TypeA}); !errors.Is(err, ErrTimeLimit) || time.Since(start) != 30*time.Second {
					t.Errorf("%s: %v after %v", name, err, time.Since(start))
				}
			})
			time.Sleep(20 * time.Second)
		}
		all.Wait()
	})
}

func TestBudgetNamesItsLimitThroughEveryResolver(t *testing.T) {
	silentNetwork := network{"a:53": silent, "b:53": silent}
	for name, r := range map[string]Resolver{
		"Client":                       &Client{Servers: []string{"a", "b"}, dial: silentNetwork.dial},
		"Cache":                        &Cache{Resolver: &Client{Servers: []string{"a"}, dial: silentNetwork.dial}},
		"a Budget of a Budget":         &Budget{Resolver: &Client{Servers: []string{"a"}, dial: silentNetwork.dial}},
		"one that gives ctx.Err alone": resolverFunc(func(ctx context.Context, _ Question) (Answer, error) { <-ctx.Done(); return Answer{}, ctx.Err() }),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &Budget{Resolver: r, Time: time.Second}
				start := time.Now()
				_, err := b.Resolve(t.Context(), txt)
				if !errors.Is(err, ErrTimeLimit) || !strings.Contains(err.Error(), "1s") || time.Since(start) != time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				if c, ok := r.(*Cache); ok {
					// What the cache saw is that its caller went, which is no outcome.
					synctest.Wait()
					if _, err := c.Resolve(t.Context(), txt); errors.Is(err, ErrLimit) {
						t.Errorf("the cache remembers a limit: %v", err)
					}
				}
			})
		})
	}
}

func TestBudgetCountsTimeInWhichQuestionsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := Zone{}
		for i := range 6 {
			z[fmt.Sprintf("n%d.example", i)] = Records{TXT: []string{"x"}, Fault: Fault{Delay: 20 * time.Second}}
		}
		b := &Budget{Resolver: z}
		ask := func(i int) error {
			_, err := b.Resolve(t.Context(), Question{fmt.Sprintf("n%d.example", i), TypeTXT})
			return err
		}
		var all sync.WaitGroup
		for i := range 5 { // 20 s side by side are 20 s
			all.Go(func() {
				if err := ask(i); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Hour) // the client sends its message
		start := time.Now()
		if err := ask(5); !errors.Is(err, ErrLimit) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v, want the limit after the 10 s that are left", err, time.Since(start))
		}
	})
}

func TestBudgetCallerThatGoesAwayDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := counting(Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: 2 * time.Second}}})
		b := &Budget{Resolver: r}
		var all sync.WaitGroup
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := b.Resolve(ctx, txt); !errors.Is(err, ErrTimeout) || errors.Is(err, ErrLimit) {
				t.Errorf("the one who went: %v", err)
			}
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() {
				if a, err := b.Resolve(t.Context(), txt); err != nil || a.Count() != 1 {
					t.Errorf("one who stayed: %v, %v", a, err)
				}
			})
		}
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second/2, cancel)
			if _, err := b.Resolve(ctx, txt); !errors.Is(err, context.Canceled) || !Temporary(err) {
				t.Errorf("one who waited and went: %v", err)
			}
		})
		all.Wait()
		if n := r.count(txt); n != 2 {
			t.Errorf("asked %d times, want twice", n)
		}
	})
}

func TestBudgetContainsAPanic(t *testing.T) {
	b := &Budget{Resolver: resolverFunc(func(context.Context, Question) (Answer, error) { panic("broken") })}
	for range 2 {
		if _, err := b.Resolve(ctx, txt); !errors.Is(err, ErrPanic) || !Temporary(err) || !strings.Contains(err.Error(), "broken") {
			t.Errorf("%v, want %v", err, ErrPanic)
		}
	}
}

func TestNobodyWaitsForAResolverThatEndsItsGoroutine(t *testing.T) {
	ends := resolverFunc(func(context.Context, Question) (Answer, error) {
		time.Sleep(time.Second)
		runtime.Goexit()
		return Answer{}, nil
	})
	for what, r := range map[string]Resolver{
		"a budget":              &Budget{Resolver: ends},
		"a cache":               &Cache{Resolver: ends},
		"a budget over a cache": &Budget{Resolver: &Cache{Resolver: ends}},
		"a cache over a budget": &Cache{Resolver: &Budget{Resolver: ends}},
		"an observed cache":     Wrap(&Cache{Resolver: ends}, func(context.Context, Question, Answer, error) {}),
	} {
		synctest.Test(t, func(t *testing.T) {
			go r.Resolve(t.Context(), txt)
			synctest.Wait()
			if _, err := r.Resolve(t.Context(), txt); !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "Goexit") {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
}

func TestBudgetTakesAnAnswerWithoutRecordsForAbsence(t *testing.T) {
	b := &Budget{Resolver: resolverFunc(func(context.Context, Question) (Answer, error) { return Answer{}, nil })}
	if _, err := b.Resolve(ctx, txt); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
}

func TestBudgetIsOneAllocation(t *testing.T) {
	z := Zone{}
	var b *Budget
	if n := testing.AllocsPerRun(100, func() { b = &Budget{Resolver: z} }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	runtime.KeepAlive(b)
}

func BenchmarkBudget(b *testing.B) {
	z := Zone{"example.com": {TXT: []string{"x"}}}
	b.Run("asked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			(&Budget{Resolver: z}).Resolve(ctx, txt)
		}
	})
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		budget := &Budget{Resolver: z}
		for b.Loop() {
			budget.Resolve(ctx, txt)
		}
	})
}
