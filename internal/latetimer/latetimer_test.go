package latetimer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errTimeUp = errors.New("time is up")

type key struct{}

// Every test is made with a context of the standard library's too.
func both(t *testing.T, test func(t *testing.T, begin func(parent context.Context, most time.Duration) (ctx context.Context, stop func()))) {
	t.Run("late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, func(parent context.Context, most time.Duration) (context.Context, func()) {
				c := new(Context)
				c.Begin(parent, time.Now().Add(most), errTimeUp)
				return c, c.Stop
			})
		})
	})
	t.Run("standard", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, func(parent context.Context, most time.Duration) (context.Context, func()) {
				ctx, cancel := context.WithTimeoutCause(parent, most, errTimeUp)
				return ctx, cancel
			})
		})
	})
}

func TestTheDeadlineEndsIt(t *testing.T) {
	both(t, func(t *testing.T, begin func(context.Context, time.Duration) (context.Context, func())) {
		ctx, stop := begin(t.Context(), time.Second)
		defer stop()
		if err := ctx.Err(); err != nil {
			t.Error(err)
		}
		start := time.Now()
		<-ctx.Done()
		if d := time.Since(start); d != time.Second || ctx.Err() != context.DeadlineExceeded || context.Cause(ctx) != errTimeUp {
			t.Errorf("%v, %v after %v", ctx.Err(), context.Cause(ctx), d)
		}
	})
}

func TestItHasEndedForWhoLooksAfterTheDeadline(t *testing.T) {
	both(t, func(t *testing.T, begin func(context.Context, time.Duration) (context.Context, func())) {
		ctx, stop := begin(t.Context(), time.Second)
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		if ctx.Err() != context.DeadlineExceeded || context.Cause(ctx) != errTimeUp {
			t.Errorf("%v, %v", ctx.Err(), context.Cause(ctx))
		}
		<-ctx.Done()
	})
}

func TestItEndsWithItsParent(t *testing.T) {
	both(t, func(t *testing.T, begin func(context.Context, time.Duration) (context.Context, func())) {
		for _, waits := range []bool{true, false} {
			parent, cancel := context.WithCancel(t.Context())
			ctx, stop := begin(parent, time.Hour)
			if waits {
				ctx.Done()
			}
			cancel()
			if ctx.Err() != context.Canceled || context.Cause(ctx) != context.Canceled {
				t.Errorf("%v, %v", ctx.Err(), context.Cause(ctx))
			}
			<-ctx.Done()
			stop()
		}
	})
}

func TestItEndsWhenItIsStopped(t *testing.T) {
	both(t, func(t *testing.T, begin func(context.Context, time.Duration) (context.Context, func())) {
		for _, waits := range []bool{true, false} {
			ctx, stop := begin(t.Context(), time.Hour)
			if waits {
				ctx.Done()
			}
			stop()
			<-ctx.Done()
			if ctx.Err() != context.Canceled {
				t.Error(ctx.Err())
			}
		}
	})
}

func TestTheEarlierDeadlineHolds(t *testing.T) {
	both(t, func(t *testing.T, begin func(context.Context, time.Duration) (context.Context, func())) {
		for _, parents := range []time.Duration{time.Second, time.Minute} {
			parent, cancel := context.WithTimeout(t.Context(), parents)
			ctx, stop := begin(parent, 2*time.Second)
			want := min(parents, 2*time.Second)
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) != want {
				t.Errorf("deadline in %v, want %v", time.Until(deadline), want)
			}
			start := time.Now()
			<-ctx.Done()
			if d := time.Since(start); d != want {
				t.Errorf("ended after %v, want %v", d, want)
			}
			stop()
			cancel()
		}
	})
}

func TestDerivedContextsEndWithIt(t *testing.T) {
	both(t, func(t *testing.T, begin func(context.Context, time.Duration) (context.Context, func())) {
		ctx, stop := begin(context.WithValue(t.Context(), key{}, "value"), time.Second)
		defer stop()
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		if inner.Value(key{}) != "value" || ctx.Value(key{}) != "value" {
			t.Error("the parent's values are lost")
		}
		<-inner.Done()
		if inner.Err() != context.DeadlineExceeded || context.Cause(inner) != errTimeUp {
			t.Errorf("%v, %v", inner.Err(), context.Cause(inner))
		}
	})
}

func TestWhoNeverWaitsAllocatesNothing(t *testing.T) {
	c := new(Context)
	if n := testing.AllocsPerRun(100, func() {
		*c = Context{}
		c.Begin(t.Context(), time.Now().Add(time.Hour), errTimeUp)
		if c.Err() != nil || c.Value(key{}) != nil {
			t.Error("it has ended, or has a value")
		}
		c.Stop()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
