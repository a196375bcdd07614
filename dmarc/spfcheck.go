package dmarc

import (
	"sync"

	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// An spfCheck is SPF for one identity. Where memory has all the answers, as for a sender
// that writes often, it is done when it starts; otherwise it is done again beside the
// message, in a goroutine, which costs more than the whole check from memory does.
type spfCheck struct {
	dns    resolver.Budget
	wait   sync.WaitGroup
	result *spf.Result // nil until wait is over
}

// start starts the check by a Checker that serves all messages. It asks c.dns.
func (c *spfCheck) start(life *lifetime, checker *spf.Checker, id spf.Identity, e spf.Envelope) {
	var ok bool
	if c.result, ok = checker.CheckBy(seam.Internal{}, life.outer, &c.dns, id, e, true); ok {
		return
	}
	ctx := life.context()
	c.wait.Go(func() { c.result, _ = checker.CheckBy(seam.Internal{}, ctx, &c.dns, id, e, false) })
}
