package resolver

import (
	"context"
	"slices"
	"time"
)

// Recall asks r for what it can answer without waiting: what a [Zone] holds or a [Cache]
// remembers, also behind a [Budget]. Who needs an answer can then go without a goroutine,
// which costs more than looking into memory does. Where ok is false nothing was asked, and
// Resolve is to be: for every other Resolver, where a [Trace] watches, which would see the
// question twice, and where ctx has ended.
//
// It goes by the type of r and not by a method, so that a Resolver which embeds one of these
// is asked through its own Resolve.
func Recall(ctx context.Context, r Resolver, q Question) (a Answer, ok bool, err error) {
	if traceOf(ctx) == nil && ctx.Err() == nil {
		switch r := r.(type) {
		case Zone:
			return r.recall(q)
		case *Cache:
			if r != nil { // else Resolve panics, where that is contained
				return r.recall(q)
			}
		case *Budget:
			if r != nil {
				return r.recall(ctx, q)
			}
		}
	}
	return Answer{}, false, nil
}

// recall answers q if no fault of the zone delays that.
func (z Zone) recall(q Question) (a Answer, ok bool, err error) {
	a, wait, err := z.answer(q)
	if wait > 0 {
		return Answer{}, false, nil
	}
	return a, true, err
}

// recall answers q if the outcome is remembered.
func (c *Cache) recall(q Question) (a Answer, ok bool, err error) {
	if err := q.check(); err != nil {
		return Answer{}, true, err
	}
	now := time.Now()
	e := c.fresh(q, now)
	if e == nil {
		return Answer{}, false, nil
	}
	a, err = e.outcome(now)
	return a, true, err
}

// recall answers q if its Resolver recalls it, which counts like a question that is
// asked.
func (b *Budget) recall(ctx context.Context, q Question) (a Answer, ok bool, err error) {
	a, ok, err = Recall(ctx, b.resolver(), q)
	if !ok {
		return Answer{}, false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls[q] == nil {
		if err := b.count(q); err != nil {
			return Answer{}, true, &Error{Question: q, Err: err}
		}
		if !slices.Contains(b.recalled, q) {
			if b.recalled == nil {
				b.recalled = b.room[:0]
			}
			b.recalled = append(b.recalled, q)
		}
	}
	return a, true, err
}
