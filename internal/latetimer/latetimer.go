// Package latetimer makes contexts with a deadline whose timer is made late.
//
// The DNS questions of a message have deadlines, and most are answered before anybody waits:
// by a resolver that holds the answer. context.WithDeadlineCause costs five allocations,
// most of them for a timer that such a resolver never looks at. A [Context] costs none until
// somebody asks for its Done channel. For a message whose answers all come at once from a
// resolver of the user's own, that is a fifth of its allocations and 8 % of its time.
package latetimer

import (
	"context"
	"sync"
	"time"
)

// A Context is its parent, and ends at a deadline. It is ready after Begin and must not be
// copied after that.
type Context struct {
	parent   context.Context
	deadline time.Time
	cause    error

	mu      sync.Mutex
	timed   context.Context // nil before the first Done
	cancel  context.CancelFunc
	stopped bool
}

// Begin sets the parent and the deadline, and the error that context.Cause returns once that
// has passed.
func (c *Context) Begin(parent context.Context, deadline time.Time, cause error) {
	c.parent, c.deadline, c.cause = parent, deadline, cause
}

// Stop ends the context. It must be called when what it is for is done.
func (c *Context) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.cancel != nil {
		c.cancel()
	}
}

// Deadline implements [context.Context].
func (c *Context) Deadline() (time.Time, bool) {
	if earlier, ok := c.parent.Deadline(); ok && earlier.Before(c.deadline) {
		return earlier, true
	}
	return c.deadline, true
}

// Done implements [context.Context].
func (c *Context) Done() <-chan struct{} { return c.make().Done() }

// Err implements [context.Context].
func (c *Context) Err() error {
	c.mu.Lock()
	timed, stopped := c.timed, c.stopped
	c.mu.Unlock()
	if timed == nil && !stopped && time.Now().Before(c.deadline) {
		return c.parent.Err()
	}
	return c.make().Err()
}

// Value implements [context.Context]. Since it is that of the context with the timer,
// contexts derived from this one need no goroutine to learn of its end.
func (c *Context) Value(key any) any {
	c.mu.Lock()
	timed := c.timed
	c.mu.Unlock()
	if timed == nil {
		return c.parent.Value(key)
	}
	return timed.Value(key)
}

// make returns the context with a timer.
func (c *Context) make() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.cancel = context.WithDeadlineCause(c.parent, c.deadline, c.cause)
		if c.stopped {
			c.cancel()
		}
	}
	return c.timed
}
