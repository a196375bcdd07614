package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
	"github.com/mailverdict/mailverdict/spf"
)

// spfOnly checks SPF as at MAIL FROM time, and returns the exit status. Without -from, MAIL
// FROM is the null sender, for whom the HELO name speaks.
func (c *checker) spfOnly(ctx context.Context, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithTimeout(ctx, c.options.timeout)
	defer cancel()
	ctx, questions := c.trace(ctx)

	s := spf.Envelope{IP: c.options.ip}
	if c.options.from != nil {
		s.MailFrom = *c.options.from
	}
	if c.options.helo != nil {
		s.HELO = *c.options.helo
	}
	check := spf.Checker{Resolver: c.shared.Resolver, Options: c.shared.SPF}
	result := &dmarc.Result{
		Envelope: s,
		SPF:      check.Check(ctx, s),
	}
	if c.options.helo != nil {
		result.HELO = check.CheckHELO(ctx, s)
	}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		complain(stderr, errors.New("interrupted"))
		return exitInterrupted
	}
	var late *lateness
	if timeUp(ctx) {
		late = &lateness{limit: c.options.timeout}
	}
	var err error
	if c.options.json {
		err = outcome{result: result, dns: questions()}.object(c.options).WriteSPF(stdout)
	} else {
		err = writeSPF(stdout, result, late)
		writeQuestions(stdout, terminal.Of(stdout), questions())
	}
	if err != nil {
		complain(stderr, fmt.Errorf("standard output: %w", cause(err)))
		return exitUsage
	}
	switch result.SPF.Status {
	case spf.StatusFail, spf.StatusPermError:
		return exitFailed
	case spf.StatusTempError:
		return exitOpen
	}
	return exitOK
}
