package resolver

import (
	"context"
	"sync"
)

// A resolverFunc is a Resolver made of a function.
type resolverFunc func(ctx context.Context, q Question) (Answer, error)

func (f resolverFunc) Resolve(ctx context.Context, q Question) (Answer, error) { return f(ctx, q) }

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
