package dmarc

import (
	"context"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// sameIdentity reports whether the check of MAIL FROM is one of HELO: the null sender has the
// identity postmaster@HELO.
func (w *work) sameIdentity() bool {
	return w.envelope.MailFrom == "" && !w.envelope.MailFromUnknown
}

// SPF waits for the results for MAIL FROM and HELO and returns them: a server may answer RCPT
// with them. Ctx bounds the wait and nothing else; if it ends before the results are there,
// its error is returned, and SPF may be called again. After Close it returns ErrClosed.
func (s *Session) SPF(ctx context.Context) (mailFrom, helo *spf.Result, err error) {
	switch {
	case s.result != nil:
		return s.result.SPF, s.result.HELO, nil
	case s.work == nil:
		return nil, nil, s.err
	}
	if mailFrom = s.given; mailFrom == nil {
		if mailFrom, err = s.mailFrom.outcome(ctx); err != nil {
			return nil, nil, err
		}
	}
	if s.sameIdentity() {
		same := *mailFrom
		same.Identity = spf.IdentityHELO
		return mailFrom, &same, nil
	}
	if helo, err = s.helo.outcome(ctx); err != nil {
		return nil, nil, err
	}
	return mailFrom, helo, nil
}

// UseSPF takes the result for MAIL FROM that somebody trusted has found already, such as a
// server in front of this one, in place of the one that is found here. The check of MAIL FROM
// ends, and that of HELO goes on. It is called before Finish; nil changes nothing.
func (s *Session) UseSPF(r *spf.Result) {
	if r != nil && s.work != nil {
		s.given = r
		s.mailFrom.stop()
	}
}

// An spfCheck is SPF for one identity. Where memory has all the answers, as for a sender that
// writes often, it is done when it starts. Otherwise it is done again beside the message.
type spfCheck struct {
	budget resolver.Budget
	result *spf.Result // filled once done is closed

	// Nil where memory has all the answers.
	done   chan struct{}
	cancel context.CancelFunc
	group  ask.Group
}

// start starts the check, by a Checker that serves all messages, into result.
func (c *spfCheck) start(result *spf.Result, at *clock.Moment, w *work, checker *spf.Checker, id spf.Identity, most int) {
	e := w.envelope
	c.budget.Resolver, c.budget.Questions, c.budget.Time = w.resolver, most, w.options.time
	c.result = result
	if checker.CheckBy(seam.Internal{}, result, at, w.ctx, &c.budget, id, e, true) {
		return
	}
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(w.ctx)
	c.done = make(chan struct{})
	c.group.Begin(ctx, &c.budget)
	c.group.Go(func(ctx context.Context) {
		checker.CheckBy(seam.Internal{}, result, new(clock.Moment), ctx, &c.budget, id, e, false)
		close(c.done)
	}, func(err error) {
		*result = spf.Result{Identity: id, Status: spf.StatusTempError, Domain: pathDomain(e), Err: cause.Wrap(spf.ErrDNS, "", err)}
		close(c.done)
	})
}

// outcome returns the result when it is there, or the error of ctx if that ends first.
func (c *spfCheck) outcome(ctx context.Context) (*spf.Result, error) {
	if c.done == nil {
		return c.result, nil
	}
	select {
	case <-c.done:
		return c.result, nil
	default:
	}
	select {
	case <-c.done:
		return c.result, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stop ends the check before it is done: the result is then temperror.
func (c *spfCheck) stop() {
	if c.cancel != nil {
		c.cancel()
	}
}

// wait waits until nothing of the check runs any more.
func (c *spfCheck) wait() {
	if c.done != nil {
		c.group.Close()
	}
}
