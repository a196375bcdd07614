package dmarc

import (
	"sync"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// An spfCheck is SPF for one identity. Where memory has all the answers, as for a sender
// that writes often, it is done when it starts; otherwise it is done again beside the
// message, in a goroutine, which costs more than the whole check from memory does.
type spfCheck struct {
	checker spf.Checker
	dns     resolver.Budget
	wait    sync.WaitGroup
	result  *spf.Result // nil until wait is over
}

// start starts the check, which asks c.dns. Options say how it is done.
func (c *spfCheck) start(life *lifetime, options spf.Options, id spf.Identity, s spf.Envelope) {
	c.checker = spf.Checker{Resolver: &c.dns, Options: options}
	var ok bool
	if c.result, ok = c.checker.Recall(life.outer, id, s); ok {
		return
	}
	check := c.checker.Check
	if id == spf.IdentityHELO {
		check = c.checker.CheckHELO
	}
	ctx := life.context()
	c.wait.Go(func() { c.result = check(ctx, s) })
}
