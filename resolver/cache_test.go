package resolver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

func TestCacheRemembers(t *testing.T) {
	absence := func(err error, ttl time.Duration) resolverFunc {
		return func(_ context.Context, q Question) (Answer, error) {
			return Answer{}, &Error{Question: q, Err: err, TTL: ttl, Authentic: AuthenticYes}
		}
	}
	answer := func(ttl time.Duration) resolverFunc {
		return func(context.Context, Question) (Answer, error) {
			return Answer{TXT: []string{"x"}, TTL: ttl, Authentic: AuthenticYes}, nil
		}
	}
	for _, tt := range []struct {
		name  string
		inner Resolver
		cache *Cache
		want  time.Duration
	}{
		{"an answer for its TTL", answer(time.Minute), &Cache{}, time.Minute},
		{"an answer of a short TTL for five seconds", answer(time.Second), &Cache{}, DefaultMinTTL},
		{"an answer of unknown TTL for five seconds", answer(TTLUnknown), &Cache{}, DefaultMinTTL},
		{"an answer of a long TTL for an hour", answer(24 * time.Hour), &Cache{}, DefaultMaxTTL},
		{"an answer within limits that were set", answer(24 * time.Hour), &Cache{MaxTTL: 48 * time.Hour}, 24 * time.Hour},
		{"absence for its TTL", absence(ErrNXDomain, time.Minute), &Cache{}, time.Minute},
		{"absence of unknown TTL for five seconds", absence(ErrNotFound, TTLUnknown), &Cache{}, DefaultMinTTL},
		{"absence that says no TTL for five seconds", resolverFunc(func(context.Context, Question) (Answer, error) { return Answer{}, ErrNXDomain }), &Cache{}, DefaultMinTTL},
		{"an answer of a short TTL, where there is no lower bound", answer(time.Millisecond), &Cache{MinTTL: -1}, time.Millisecond},
		{"an answer of a long TTL, where there is no upper bound", answer(1000 * time.Hour), &Cache{MaxTTL: -1}, 1000 * time.Hour},
		{"absence for an hour at most", absence(ErrNoData, 24*time.Hour), &Cache{}, DefaultMaxTTL},
		{"a failure for five seconds", absence(ErrServFail, time.Hour), &Cache{}, failureTTL},
		{"a failure for less, where MinTTL is less", absence(ErrTimeout, 0), &Cache{MinTTL: time.Second}, time.Second},
		{"a failure for five seconds, where MinTTL is more", absence(ErrTimeout, 0), &Cache{MinTTL: time.Minute}, failureTTL},
		{"a panic for five seconds", resolverFunc(func(context.Context, Question) (Answer, error) { panic("broken") }), &Cache{}, failureTTL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := counting(tt.inner)
				c := tt.cache
				c.Resolver = r
				a1, err1 := c.Resolve(t.Context(), txt)
				time.Sleep(tt.want - time.Nanosecond)
				a2, err2 := c.Resolve(t.Context(), txt)
				if n := r.count(txt); n != 1 {
					t.Errorf("asked %d times before %v", n, tt.want)
				}
				if a1.Count() != a2.Count() || a1.Authentic != a2.Authentic || errors.Is(err1, ErrNotFound) != errors.Is(err2, ErrNotFound) || Temporary(err1) != Temporary(err2) {
					t.Errorf("remembered %+v, %v as %+v, %v", a1, err1, a2, err2)
				}
				time.Sleep(time.Nanosecond)
				c.Resolve(t.Context(), txt)
				if n := r.count(txt); n != 2 {
					t.Errorf("asked %d times after %v", n, tt.want)
				}
			})
		})
	}
}

func TestCacheKeepsAnAnswerOfAnEndlessTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := counting(resolverFunc(func(context.Context, Question) (Answer, error) {
			return Answer{TXT: []string{"x"}, TTL: math.MaxInt64}, nil
		}))
		c := &Cache{Resolver: r, MaxTTL: -1, MaxStale: -1}
		c.Resolve(t.Context(), Question{Name: "other.example", Type: TypeTXT})
		for range 3 { // also later than when the Cache was opened
			time.Sleep(1000 * time.Hour)
			c.Resolve(t.Context(), txt)
		}
		if n := r.count(txt); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestCacheForgetsWhatHasATTLOfZero(t *testing.T) {
	outcomes := map[string]resolverFunc{
		"an answer": func(context.Context, Question) (Answer, error) { return Answer{TXT: []string{"x"}}, nil },
		"no name": func(_ context.Context, q Question) (Answer, error) {
			return Answer{}, &Error{Question: q, Err: ErrNXDomain}
		},
		"no records": func(_ context.Context, q Question) (Answer, error) {
			return Answer{}, &Error{Question: q, Err: ErrNoData}
		},
	}
	for what, outcome := range outcomes {
		r := counting(outcome)
		c := &Cache{Resolver: r, MinTTL: time.Minute, MaxStale: time.Hour}
		for range 3 {
			a, err := c.Resolve(ctx, txt)
			if failure, ok := errors.AsType[*Error](err); Temporary(err) || a.TTL != 0 || ok && failure.TTL != 0 {
				t.Errorf("%s: %v, %v", what, a, err)
			}
		}
		if n := r.count(txt); n != 3 {
			t.Errorf("%s: asked %d times, want each time", what, n)
		}
	}
}

func TestCacheGivesNoStaleAnswerOnceThereWasANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcomes := []struct {
			ttl time.Duration
			err error
		}{{time.Minute, nil}, {0, nil}, {0, ErrServFail}}
		c := &Cache{MaxStale: -1, Resolver: resolverFunc(func(context.Context, Question) (Answer, error) {
			o := outcomes[0]
			outcomes = outcomes[1:]
			return Answer{TXT: []string{"x"}, TTL: o.ttl}, o.err
		})}
		for _, want := range []error{nil, nil, ErrServFail} {
			if _, err := c.Resolve(t.Context(), txt); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestCacheAgesTTLs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cache{Resolver: resolverFunc(func(_ context.Context, q Question) (Answer, error) {
			if q.Type == TypeTXT {
				return Answer{TXT: []string{"x"}, TTL: time.Minute}, nil
			}
			return Answer{}, &Error{Question: q, Err: ErrNXDomain, TTL: time.Minute, Authentic: AuthenticYes}
		})}
		for _, left := range []time.Duration{60 * time.Second, 50 * time.Second} {
			if a, err := c.Resolve(t.Context(), txt); err != nil || a.TTL != left {
				t.Errorf("answer %+v, %v, want TTL %v", a, err, left)
			}
			_, err := c.Resolve(t.Context(), Question{"example.com", TypeA})
			if failure, ok := errors.AsType[*Error](err); !ok || failure.TTL != left || !errors.Is(err, ErrNXDomain) || failure.Authentic != AuthenticYes {
				t.Errorf("absence %+v, want TTL %v", failure, left)
			}
			time.Sleep(10 * time.Second)
		}
	})
}

func TestCacheAsksOnceForAllWhoAskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := counting(Zone{"example.com": {TXT: []string{"x"}, A: []string{"192.0.2.1"}, Fault: Fault{Delay: time.Second}}})
		c := &Cache{Resolver: r}
		var all sync.WaitGroup
		for range 100 {
			for _, qt := range []Type{TypeTXT, TypeA} {
				all.Go(func() {
					if a, err := c.Resolve(t.Context(), Question{"example.com", qt}); err != nil || a.Count() != 1 {
						t.Error(a, err)
					}
				})
			}
		}
		all.Wait()
		for q, n := range r.asked {
			if n != 1 {
				t.Errorf("%v was asked %d times", q, n)
			}
		}
	})
}

func TestCacheCallerThatGoesAwayDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := counting(Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: 2 * time.Second}}})
		c := &Cache{Resolver: r}
		start := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Resolve(ctx, txt); !errors.Is(err, ErrTimeout) || time.Since(start) != time.Second {
				t.Errorf("the one who went: %v after %v", err, time.Since(start))
			}
		})
		synctest.Wait()
		all.Go(func() {
			if a, err := c.Resolve(t.Context(), txt); err != nil || a.Count() != 1 || time.Since(start) != 2*time.Second {
				t.Errorf("the one who stayed: %v, %v after %v", a, err, time.Since(start))
			}
		})
		all.Wait()
		if n := r.count(txt); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// In a bubble a goroutine that stays behind is a failure of the test.
func TestCacheQuestionThatNobodyWaitsForEndsAndIsAskedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: time.Minute}}}
		r := counting(z)
		c := &Cache{Resolver: r}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := c.Resolve(ctx, txt); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		z["example.com"] = Records{TXT: []string{"x"}}
		if _, err := c.Resolve(t.Context(), txt); err != nil || r.count(txt) != 2 {
			t.Errorf("asked anew: %v, after %d questions", err, r.count(txt))
		}
		if _, err := c.Resolve(ctx, Question{"example.com", TypeA}); !errors.Is(err, context.Canceled) {
			t.Errorf("asked with a context that has ended: %v", err)
		}
	})
}

func TestCacheQuestionEndsAfterAWhileWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cache{Resolver: Zone{"example.com": {Fault: Fault{Delay: time.Hour}}}}
		start := time.Now()
		if _, err := c.Resolve(t.Context(), txt); !errors.Is(err, ErrTimeout) || time.Since(start) != queryTime {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestCacheDoesNotRememberALimit(t *testing.T) {
	r := counting(&Budget{Resolver: Zone{}, Questions: 1})
	c := &Cache{Resolver: r}
	c.Resolve(ctx, Question{"other.example", TypeA})
	for range 2 {
		if _, err := c.Resolve(ctx, txt); !errors.Is(err, ErrLimit) {
			t.Error(err)
		}
	}
	if n := r.count(txt); n != 2 {
		t.Errorf("asked %d times, want twice", n)
	}
}

func TestCacheGivesStaleAnswersOnlyWhereAllowedAndOnFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failing atomic.Bool
		var asked atomic.Int32
		inner := resolverFunc(func(_ context.Context, q Question) (Answer, error) {
			asked.Add(1)
			switch {
			case failing.Load():
				return Answer{}, &Error{Question: q, Err: ErrServFail}
			case q.Type == TypeA:
				return Answer{}, &Error{Question: q, Err: ErrNXDomain, TTL: time.Minute}
			}
			return Answer{TXT: []string{"x"}, TTL: time.Minute, Authentic: AuthenticYes}, nil
		})
		strict, lax := &Cache{Resolver: inner}, &Cache{Resolver: inner, MaxStale: time.Hour}
		absent := Question{"example.com", TypeA}
		for _, c := range []*Cache{strict, lax} {
			c.Resolve(t.Context(), txt)
			c.Resolve(t.Context(), absent)
		}
		failing.Store(true)
		time.Sleep(time.Minute)
		if _, err := strict.Resolve(t.Context(), txt); !errors.Is(err, ErrServFail) {
			t.Errorf("by default: %v", err)
		}
		if _, err := lax.Resolve(t.Context(), absent); !errors.Is(err, ErrServFail) {
			t.Errorf("absence: %v, want it not to be given past its time", err)
		}
		before := asked.Load()
		for range 30 { // one second each
			ctx, events := collect(t.Context())
			a, err := lax.Resolve(ctx, txt)
			stale := (*events)[0].Stale
			if err != nil || a.Count() != 1 || a.TTL > staleTTL || a.TTL <= 0 || a.Authentic != AuthenticUnknown || !stale {
				t.Fatalf("%+v, %v, stale: %v; want the stale answer", a, err, stale)
			}
			time.Sleep(time.Second)
		}
		if n := asked.Load() - before; n != 1 {
			t.Errorf("asked %d times in 30 s of failure, want once", n)
		}
		lax.Resolve(t.Context(), txt)
		failing.Store(false)
		time.Sleep(staleTTL)
		if a, err := lax.Resolve(t.Context(), txt); err != nil || a.TTL != time.Minute || a.Authentic != AuthenticYes {
			t.Errorf("once the server is back: %+v, %v", a, err)
		}
		failing.Store(true)
		time.Sleep(time.Minute + time.Hour)
		if _, err := lax.Resolve(t.Context(), txt); !errors.Is(err, ErrServFail) {
			t.Errorf("after MaxStale: %v", err)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cache  *Cache
		octets int // of each answer
		most   int // entries
	}{
		{"in entries", &Cache{MaxEntries: 100}, 10, 100},
		{"in bytes", &Cache{MaxBytes: 1 << 20}, 10_000, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.cache
			long := strings.Repeat("x", tt.octets)
			c.Resolver = resolverFunc(func(context.Context, Question) (Answer, error) {
				return Answer{TXT: []string{long}, TTL: time.Hour}, nil
			})
			for i := range 1000 {
				if _, err := c.Resolve(ctx, Question{fmt.Sprintf("n%d.example", i), TypeTXT}); err != nil {
					t.Fatal(err)
				}
			}
			c.entries.CleanUp()
			if n := c.entries.EstimatedSize(); n > tt.most || n < tt.most/2 {
				t.Errorf("%d entries are held, want at most %d", n, tt.most)
			}
		})
	}
}

func TestCacheAnswersWhatIsTooLargeToHold(t *testing.T) {
	c := &Cache{MaxBytes: 1000, Resolver: Zone{"example.com": {TXT: []string{strings.Repeat("x", 2000)}, TTL: time.Hour}}}
	for range 3 {
		if a, err := c.Resolve(ctx, txt); err != nil || a.Count() != 1 {
			t.Error(a, err)
		}
	}
}

func TestCacheOverAClientOnTheWire(t *testing.T) {
	var asked atomic.Int32
	c := &Cache{Resolver: &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		asked.Add(1)
		w.WriteMsg(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT x"}, nil))
	})}}}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if a, err := c.Resolve(ctx, txt); err != nil || a.Count() != 1 {
				t.Error(a, err)
			}
		})
	}
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times", n)
	}
}

func TestCacheDoesNotAskForWhatIsNoName(t *testing.T) {
	r := counting(Zone{})
	q := Question{"a..b", TypeA}
	if _, err := (&Cache{Resolver: r}).Resolve(ctx, q); !errors.Is(err, ErrName) || r.count(q) != 0 {
		t.Error(err)
	}
}

func BenchmarkCacheHit(b *testing.B) {
	for _, goroutines := range []int{1, 2, 8} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			z := Zone{}
			var questions []Question
			for i := range 1000 {
				name := fmt.Sprintf("selector%d._domainkey.example%d.com", i, i)
				z[name] = Records{TXT: []string{"v=DKIM1"}, TTL: time.Hour}
				questions = append(questions, Question{name, TypeTXT})
			}
			c := &Cache{Resolver: z}
			for _, q := range questions {
				c.Resolve(ctx, q)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for g := range goroutines {
				all.Go(func() {
					for i := range b.N / goroutines {
						if _, err := c.Resolve(ctx, questions[(i*7+g*100)%len(questions)]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "questions/s")
		})
	}
}
