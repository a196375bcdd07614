package dmarc

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// An spfCheck is SPF for one identity. Where memory has all the answers, as for a sender
// that writes often, it is done when it starts; otherwise it is done again beside the
// message, in a goroutine, which costs more than the whole check from memory does.
type spfCheck struct {
	checker spf.Checker
	dns     recalling
	wait    sync.WaitGroup
	result  *spf.Result // nil until wait is over
}

// start starts the check, which asks c.dns. Checker says how it is done.
func (c *spfCheck) start(life *lifetime, checker spf.Checker, id spf.Identity, s spf.Session) {
	c.checker = checker
	c.checker.Resolver = &c.dns
	if c.check(life.outer, id, s); c.dns.missed.Load() {
		c.dns.patient = true
		ctx := life.context()
		c.wait.Go(func() { c.check(ctx, id, s) })
	}
}

func (c *spfCheck) check(ctx context.Context, id spf.Identity, s spf.Session) {
	if id == spf.IdentityHELO {
		c.result = c.checker.CheckHELO(ctx, s)
	} else {
		c.result = c.checker.Check(ctx, s)
	}
}

// recalling is a resolver that answers from memory only, until it is patient.
type recalling struct {
	resolver.Budget
	patient bool
	missed  atomic.Bool // a question that memory has no answer to
}

func (r *recalling) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	if r.patient {
		return r.Budget.Resolve(ctx, q)
	}
	answer, ok, err := resolver.Recall(ctx, &r.Budget, q)
	if !ok {
		r.missed.Store(true)
		return resolver.Answer{}, context.Canceled
	}
	return answer, err
}
