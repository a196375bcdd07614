package dmarc_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// These tests end a verification at every point at which it can end, each in a bubble of
// testing/synctest, which fails if a goroutine stays behind.

// At the n-th question that it is asked, an interrupter calls what it was given. It answers
// after a delay, as far as the context lets it.
type interrupter struct {
	resolver.Resolver
	delay time.Duration
	at    int
	call  func()

	mu    sync.Mutex
	asked int
}

func (r *interrupter) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	r.mu.Lock()
	r.asked++
	now := r.asked == r.at
	r.mu.Unlock()
	if now {
		if r.delay > 0 {
			time.Sleep(time.Nanosecond) // in a bubble: until the message was written, and all wait for DNS
		}
		r.call()
	}
	if r.delay > 0 {
		select {
		case <-time.After(r.delay):
		case <-ctx.Done():
			return resolver.Answer{}, ctx.Err()
		}
	}
	return r.Resolver.Resolve(ctx, q)
}

// questionsOf returns how many questions a message takes.
func questionsOf(t *testing.T, v *dmarc.Verifier, zone resolver.Zone, message string, delay time.Duration) int {
	t.Helper()
	r := &interrupter{Resolver: zone, delay: delay}
	v.Resolver = r
	synctest.Test(t, func(t *testing.T) {
		if _, err := v.Verify(t.Context(), fromShop, strings.NewReader(message)); err != nil {
			t.Fatal(err)
		}
	})
	return r.asked
}

// busyToday is busy, and what makes verifiers whose clock is that of the signatures: in a
// bubble it is another time.
func busyToday(t *testing.T) (resolver.Zone, string, func(resolver.Resolver) *dmarc.Verifier) {
	zone, message := busy(t)
	signed := time.Now()
	return zone, message, func(r resolver.Resolver) *dmarc.Verifier {
		return &dmarc.Verifier{Resolver: r, Now: func() time.Time { return signed }}
	}
}

// delays are those of a cache, and of a server.
var delays = [...]time.Duration{0, 20 * time.Millisecond}

func TestCancellingAtAnyQuestionEndsEverything(t *testing.T) {
	zone, message, today := busyToday(t)
	for _, delay := range delays {
		for n := range questionsOf(t, today(nil), zone, message, delay) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var ended time.Time
				r := &interrupter{Resolver: zone, delay: delay, at: n + 1, call: func() { ended = time.Now(); cancel() }}
				result, err := today(r).Verify(ctx, fromShop, strings.NewReader(message))
				// Questions from memory come up while the message is written, others after it.
				if err != nil && !errors.Is(err, context.Canceled) || err != nil && delay > 0 || result == nil {
					t.Fatalf("cancelled at question %d: error %v", n+1, err)
				}
				if problem := passProblem(result); problem != "" {
					t.Errorf("cancelled at question %d: %s", n+1, problem)
				}
				if went := time.Since(ended); went > 0 {
					t.Errorf("cancelled at question %d: went on for %s", n+1, went)
				}
			})
		}
	}
}

func TestCancellingAtAnyOctetEndsEverything(t *testing.T) {
	zone, message, today := busyToday(t)
	for n := range len(message) + 1 {
		for _, goOn := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := today(slow{zone}).Begin(ctx, fromShop)
				write(t, s, message[:n])
				synctest.Wait()
				start := time.Now()
				cancel()
				if goOn && n < len(message) {
					if _, err := s.Write([]byte(message[n:])); !errors.Is(err, context.Canceled) {
						t.Errorf("cancelled at octet %d: writing on gave %v", n, err)
					}
				}
				result, err := s.Finish()
				if wrote := goOn && n < len(message); errors.Is(err, context.Canceled) != wrote || (err == nil) == wrote || result == nil {
					t.Fatalf("cancelled at octet %d, written to after it %v: error %v", n, wrote, err)
				}
				if result.DMARC.Status == dmarc.StatusPass {
					t.Errorf("cancelled at octet %d: a pass without answers", n)
				}
				if went := time.Since(start); went > 0 {
					t.Errorf("cancelled at octet %d: went on for %s", n, went)
				}
			})
		}
	}
}

func write(t *testing.T, w io.Writer, s string) {
	t.Helper()
	if n, err := io.WriteString(w, s); n != len(s) || err != nil {
		t.Fatalf("wrote %d octets (%v), want %d", n, err, len(s))
	}
}

func TestAReaderThatFailsAtAnyOctetEndsEverything(t *testing.T) {
	zone, message, today := busyToday(t)
	broken := errors.New("broken pipe")
	for n := range len(message) + 1 {
		synctest.Test(t, func(t *testing.T) {
			reader := io.MultiReader(strings.NewReader(message[:n]), iotest.ErrReader(broken))
			result, err := today(slow{zone}).Verify(t.Context(), fromShop, reader)
			if err != broken || result == nil {
				t.Fatalf("failed at octet %d: error %v", n, err)
			}
			if problem := passProblem(result); problem != "" {
				t.Errorf("failed at octet %d: %s", n, problem)
			}
		})
	}
}

func TestAReaderThatStallsTakesNothingFromTheTimeForDNS(t *testing.T) {
	zone, message, today := busyToday(t)
	for n := range len(message) {
		synctest.Test(t, func(t *testing.T) {
			reader := io.MultiReader(strings.NewReader(message[:n]), &late{time.Hour, strings.NewReader(message[n:])})
			result, err := today(slow{zone}).Verify(t.Context(), fromShop, reader)
			if err != nil || result.DMARC.Status != dmarc.StatusPass || !result.DMARC.SPFAligned || !result.DMARC.DKIMAligned {
				t.Fatalf("stalled at octet %d: %s (%v), aligned %v, %v", n, outcome(result), err, result.DMARC.SPFAligned, result.DMARC.DKIMAligned)
			}
		})
	}
}

func TestAResolverThatPanicsAtAnyQuestionIsContained(t *testing.T) {
	zone, message, today := busyToday(t)
	for _, delay := range delays {
		for n := range questionsOf(t, today(nil), zone, message, delay) {
			synctest.Test(t, func(t *testing.T) {
				r := &interrupter{Resolver: zone, delay: delay, at: n + 1, call: func() { panic("defect") }}
				result, err := today(r).Verify(t.Context(), fromShop, strings.NewReader(message))
				if err != nil {
					t.Fatalf("panic at question %d: error %v", n+1, err)
				}
				if problem := passProblem(result); problem != "" {
					t.Errorf("panic at question %d: %s", n+1, problem)
				}
				if s := result.DMARC.Status; s != dmarc.StatusPass && s != dmarc.StatusTempError {
					t.Errorf("panic at question %d: %s (%v), want temperror or a pass by what was answered", n+1, s, result.DMARC.Err)
				}
			})
		}
	}
}

// The bubble ends when every goroutine in it has, and fails if one stays.
func TestOneVerifierServesManyMessagesAtOnce(t *testing.T) {
	zone, message, today := busyToday(t)
	synctest.Test(t, func(t *testing.T) {
		v := today(zone)
		first, err := v.Verify(t.Context(), fromShop, strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					result, err := v.Verify(t.Context(), fromShop, iotest.HalfReader(strings.NewReader(message)))
					if err != nil || outcome(result) != outcome(first) {
						t.Errorf("%v; %s, want\n%s", err, outcome(result), outcome(first))
					}
				}
			})
		}
		wg.Wait()
	})
}
