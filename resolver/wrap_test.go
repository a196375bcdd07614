package resolver

import (
	"context"
	"sync"

	"github.com/mailverdict/mailverdict/internal/seam"
)

// A resolverFunc is a Resolver made of a function.
type resolverFunc func(ctx context.Context, q Question) (Answer, error)

func (f resolverFunc) Resolve(ctx context.Context, q Question) (Answer, error) { return f(ctx, q) }

// An event is what a trace is told.
type event struct {
	seam.Details
	Question Question
	Answer   Answer
	Err      error
}

// collect returns a context whose events are appended to the slice, without a lock:
// they come in the goroutine that asks.
func collect(ctx context.Context) (context.Context, *[]event) {
	events := new([]event)
	return Trace(seam.Internal{}, ctx, func(q Question, a Answer, err error, d seam.Details) {
		*events = append(*events, event{d, q, a, err})
	}), events
}

// A counter counts the questions that reach a Resolver.
type counter struct {
	Resolver
	mu    sync.Mutex
	asked map[Question]int
}

func counting(r Resolver) *counter { return &counter{Resolver: r, asked: map[Question]int{}} }

func (c *counter) Resolve(ctx context.Context, q Question) (Answer, error) {
	c.mu.Lock()
	c.asked[q]++
	c.mu.Unlock()
	return c.Resolver.Resolve(ctx, q)
}

func (c *counter) count(q Question) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[q]
}
