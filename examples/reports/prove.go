package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// A prover tells who sent a report.
type prover struct {
	verifier dmarc.Verifier
	now      func() time.Time
}

func newProver(r resolver.Resolver, now func() time.Time) *prover {
	return &prover{verifier: dmarc.Verifier{Resolver: r, Now: now}, now: now}
}

// reporter returns the domain for which a mail passes DMARC, or "" where it passes for none, or is no
// mail. A mail on disk has no SMTP session, so that its signatures decide. The question stays open
// where DNS failed.
func (p *prover) reporter(ctx context.Context, mail []byte) (domain string, open bool) {
	result, err := p.verifier.Verify(ctx, dmarc.Envelope{MailFromUnknown: true}, bytes.NewReader(mail))
	switch {
	case err != nil || result.DMARC.Status == dmarc.StatusTempError:
		return "", true
	case result.DMARC.Status == dmarc.StatusPass:
		return result.DMARC.AuthorDomain, false
	}
	return "", false
}

// trustedReporter stands for the domain of a reporter whose reports are taken for proven.
const trustedReporter = "(trusted)"

// A reporterList is domains whose reports are counted, with the names below them: an empty one is all. Whoever has a
// domain can send reports that prove to be from it, and say in them what he likes.
type reporterList []string

// Set adds a domain: it implements [flag.Value].
func (l *reporterList) Set(domain string) error {
	*l = append(*l, domainName(domain))
	return nil
}

// String returns the list.
func (l *reporterList) String() string { return strings.Join(*l, " ") }

func (l reporterList) has(reporter string) bool {
	return len(l) == 0 || slices.ContainsFunc(l, func(domain string) bool {
		return reporter == domain || strings.HasSuffix(reporter, "."+domain)
	})
}
