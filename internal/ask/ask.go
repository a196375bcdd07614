// Package ask is how the checks of a message ask DNS. An answer that the resolver has in
// memory (a cache or a zone) is there at once; any other question runs in a goroutine while
// the message is still being read.
//
// A check of one message has a [Group]. It asks each of its questions with Ask, goes
// on with its own work, and calls Wait when it needs the outcomes:
//
//	var g ask.Group
//	g.Begin(ctx, r) // a nil Resolver is the default one
//	defer g.Close()
//	for i := range lookups {
//		g.Ask(lookups[i].question, &lookups[i]) // calls its Take
//	}
//	g.Wait()
//
// Take is called once for each question, before Ask returns if the answer is in
// memory, and otherwise in a goroutine of the question's own, where it may ask further
// questions of the same Group. Work that is more than one question, such as a whole SPF
// check, runs with Go; the questions in it are asked with [Do].
//
// A Resolver that panics or ends its goroutine (runtime.Goexit) has failed: the
// outcome is resolver.ErrPanic, and nobody waits for it in vain. An answer without
// records, which a Resolver must not give, is resolver.ErrNoData.
package ask

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/contain"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Taker takes the outcome of a question. The Answer is never nil, and is shared: it must not
// be changed. Its TTL is not to be relied on.
type Taker interface {
	Take(a *resolver.Answer, err error)
}

// TakerFunc is a function as a Taker.
type TakerFunc func(a *resolver.Answer, err error)

// Take calls f.
func (f TakerFunc) Take(a *resolver.Answer, err error) { f(a, err) }

// A Group asks the questions of one message. It must not be copied after Begin.
//
// The goroutines of a Group have a context of their own, which Close ends. It is made
// when the first goroutine starts: a message whose answers are all in memory has none.
type Group struct {
	ctx      context.Context // the caller's
	resolver resolver.Resolver
	wait     sync.WaitGroup

	mu     sync.Mutex
	own    context.Context // of the goroutines; nil before the first
	cancel context.CancelFunc
	closed bool
}

// Begin sets the Resolver that is asked, and the context of all questions: they are canceled
// when it ends. If r is nil, it is resolver.Default.
func (g *Group) Begin(ctx context.Context, r resolver.Resolver) {
	if r == nil {
		r = resolver.Default()
	}
	g.ctx, g.resolver = ctx, r
}

// Known returns the outcome for q, as a Taker gets it, if the Resolver holds it in memory. If
// ok is false, nothing was asked.
func (g *Group) Known(at *clock.Moment, q resolver.Question) (a *resolver.Answer, ok bool, err error) {
	return resolver.Recall(seam.Internal{}, at, g.ctx, g.resolver, q)
}

// Ask asks q and gives the outcome to t.
func (g *Group) Ask(q resolver.Question, t Taker) { g.AskAt(new(clock.Moment), q, t) }

// AskAt is Ask for one of several questions that are asked in the same moment.
func (g *Group) AskAt(at *clock.Moment, q resolver.Question, t Taker) {
	if a, ok, err := g.Known(at, q); ok {
		t.Take(a, err)
		return
	}
	ctx := g.context()
	g.wait.Go(func() {
		resolver.Contained(seam.Internal{}, ctx, g.resolver, q, func(a resolver.Answer, err error) { t.Take(&a, err) })
	})
}

// Go runs f in a goroutine, with a context that ends when the Group is closed. If f
// panics or ends its goroutine, failed is called with an error that wraps
// resolver.ErrPanic.
func (g *Group) Go(f func(ctx context.Context), failed func(err error)) {
	ctx := g.context()
	g.wait.Go(func() {
		contain.Call(func() { f(ctx) }, func(failure error) {
			if failure != nil {
				failed(fmt.Errorf("%w: %w", resolver.ErrPanic, failure))
			}
		})
	})
}

// Wait waits until every question has its outcome and every function has returned,
// those included that were started meanwhile by another.
func (g *Group) Wait() { g.wait.Wait() }

// Close ends what is under way, and waits for it. What is asked of a closed Group and
// not in memory fails as cancelled. Close may be called more than once.
func (g *Group) Close() {
	g.Cancel()
	g.wait.Wait()
}

// Cancel is Close without the wait, for who has several Groups to close at once.
func (g *Group) Cancel() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.cancel != nil {
		g.cancel()
	}
}

// context returns the context of the goroutines.
func (g *Group) context() context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.own == nil {
		g.own, g.cancel = context.WithCancel(g.ctx)
		if g.closed {
			g.cancel()
		}
	}
	return g.own
}

// Do asks r one question, and returns the outcome, as a Taker gets it, when it is there. If r
// is nil, it is resolver.Default.
func Do(ctx context.Context, r resolver.Resolver, q resolver.Question) (*resolver.Answer, error) {
	if r == nil {
		r = resolver.Default()
	}
	if a, ok, err := resolver.Recall(seam.Internal{}, new(clock.Moment), ctx, r, q); ok {
		return a, err
	}
	// In a goroutine, since that is what a Resolver may end.
	var o outcome
	o.wait.Go(func() { resolver.Contained(seam.Internal{}, ctx, r, q, o.take) })
	o.wait.Wait()
	return &o.answer, o.err
}

type outcome struct {
	wait   sync.WaitGroup
	answer resolver.Answer
	err    error
}

func (o *outcome) take(a resolver.Answer, err error) { o.answer, o.err = a, err }

// Authentic says whether DNSSEC vouches for an outcome: an answer, or the absence of one.
func Authentic(a *resolver.Answer, err error) resolver.Authentic {
	if err == nil {
		return a.Authentic
	}
	if failure, ok := errors.AsType[*resolver.Error](err); ok {
		return failure.Authentic
	}
	return resolver.AuthenticUnknown
}
