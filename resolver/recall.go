package resolver

import (
	"context"
	"slices"
	"time"
)

// A Recaller is a Resolver that may know the answer to a question without waiting
// for it: from memory.
//
// It is to Resolver what io.WriterTo is to io.Reader: nobody needs to implement it,
// but whoever asks can then go without a goroutine, which costs more than looking
// into a cache does.
type Recaller interface {
	Resolver

	// Recall returns what Resolve would, if that takes no waiting. Where it
	// would, ok is false, and nothing was asked.
	Recall(ctx context.Context, q Question) (a Answer, ok bool, err error)
}

// Recall asks r for what it can answer without waiting. Where ok is false, because r
// cannot, is no [Recaller] or panics, Resolve is to be asked. So it is where a [Trace]
// watches, which would see questions twice, and where ctx has ended.
func Recall(ctx context.Context, r Resolver, q Question) (a Answer, ok bool, err error) {
	recaller, can := r.(Recaller)
	if !can || traceOf(ctx) != nil || ctx.Err() != nil {
		return Answer{}, false, nil
	}
	defer func() {
		if recover() != nil {
			a, ok, err = Answer{}, false, nil
		}
	}()
	return recaller.Recall(ctx, q)
}

// Recall answers q if no fault of the zone delays that. It implements [Recaller].
func (z Zone) Recall(ctx context.Context, q Question) (a Answer, ok bool, err error) {
	a, wait, err := z.answer(q)
	if wait > 0 {
		return Answer{}, false, nil
	}
	return a, true, err
}

// Recall answers q if the outcome is remembered. It implements [Recaller].
func (c *Cache) Recall(ctx context.Context, q Question) (a Answer, ok bool, err error) {
	if err := q.check(); err != nil {
		return Answer{}, true, err
	}
	c.once.Do(c.open)
	now := time.Now()
	e, ok := c.entries.GetIfPresent(q)
	if !ok || !now.Before(e.expiry) {
		return Answer{}, false, nil
	}
	a, err = e.outcome(now)
	return a, true, err
}

// Recall answers q if its Resolver recalls it, which counts like a question that is
// asked. It implements [Recaller].
func (b *Budget) Recall(ctx context.Context, q Question) (a Answer, ok bool, err error) {
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
