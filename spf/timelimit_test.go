package spf

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestATimeLimitIsAContextLikeThoseOfPackageContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		parent := context.WithValue(t.Context(), key{}, "value")
		limit := &timeLimit{parent: parent, begun: time.Now(), most: time.Second}
		if until, ok := limit.Deadline(); !ok || time.Until(until) != time.Second {
			t.Errorf("got deadline %v, %v", until, ok)
		}
		if limit.Err() != nil || limit.Value(key{}) != "value" {
			t.Errorf("got %v, %v", limit.Err(), limit.Value(key{}))
		}
		before := GoroutinesInBubble()
		child, cancel := context.WithCancel(limit)
		defer cancel()
		if now := GoroutinesInBubble(); now != before {
			t.Errorf("a context derived from it costs %d goroutines", now-before)
		}
		<-child.Done()
		if context.Cause(child) != ErrTimeLimit || !errors.Is(limit.Err(), context.DeadlineExceeded) || limit.Value(key{}) != "value" {
			t.Errorf("got %v, %v, %v", context.Cause(child), limit.Err(), limit.Value(key{}))
		}
	})
}

func TestATimeLimitHasTheDeadlineOfTheCallerWhereThatIsEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		limit := &timeLimit{parent: parent, begun: time.Now(), most: time.Hour}
		if until, ok := limit.Deadline(); !ok || time.Until(until) != time.Second {
			t.Errorf("got deadline %v, %v", until, ok)
		}
	})
}

func TestATimeLimitThatWasStoppedHasEndedForWhoeverComesLate(t *testing.T) {
	limit := &timeLimit{parent: t.Context(), begun: time.Now(), most: time.Hour}
	limit.stop()
	<-limit.Done()
	if limit.Err() == nil {
		t.Error("has not ended")
	}
}
