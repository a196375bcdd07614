package spf

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A timeLimit is the context of one check: the caller's, ended after Limits.Time.
//
// A check that resolver.Recall has all the answers for has none. It differs from what
// context.WithTimeout makes in that its timer is made when a resolver first waits for
// it, by asking for Done: a resolver of somebody else's may answer from memory too, and
// the timer would be the larger part of the cost. The reading looks at the clock
// between questions instead.
type timeLimit struct {
	parent context.Context
	begun  time.Time
	most   time.Duration

	mu      sync.Mutex                     // held to set what is below
	armed   atomic.Pointer[armedTimeLimit] // nil before anybody waits
	stopped bool
}

type armedTimeLimit struct {
	context.Context
	cancel context.CancelFunc
}

// arm returns the context with a timer.
func (t *timeLimit) arm() context.Context {
	if armed := t.armed.Load(); armed != nil {
		return armed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	armed := t.armed.Load()
	if armed == nil {
		armed = new(armedTimeLimit)
		armed.Context, armed.cancel = context.WithDeadlineCause(t.parent, t.begun.Add(t.most), ErrTimeLimit)
		t.armed.Store(armed)
		if t.stopped {
			armed.cancel()
		}
	}
	return armed
}

// stop ends the context, if there is one.
func (t *timeLimit) stop() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if armed := t.armed.Load(); armed != nil {
		armed.cancel()
	}
}

// current returns the context as it is by now.
func (t *timeLimit) current() context.Context {
	if armed := t.armed.Load(); armed != nil {
		return armed.Context
	}
	return t.parent
}

// Deadline implements [context.Context].
func (t *timeLimit) Deadline() (time.Time, bool) {
	own := t.begun.Add(t.most)
	if callers, ok := t.parent.Deadline(); ok && callers.Before(own) {
		return callers, true
	}
	return own, true
}

// Done implements [context.Context].
func (t *timeLimit) Done() <-chan struct{} { return t.arm().Done() }

// Err implements [context.Context].
func (t *timeLimit) Err() error { return t.current().Err() }

// Value implements [context.Context]. Since it is that of the context with the
// timer, contexts derived from this one find that, and need no goroutine to learn
// of its end.
func (t *timeLimit) Value(key any) any { return t.current().Value(key) }
