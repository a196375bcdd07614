// Package spf checks whether a host may send mail for a domain: RFC 7208.
package spf

import (
	"context"
	"net/netip"

	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Session is what the SMTP client said and where it spoke from.
type Session struct {
	IP   netip.Addr // address of the client; the zero Addr means not known
	HELO string     // argument of HELO or EHLO

	// MailFrom is the reverse-path between < and >, as the client gave it; empty
	// for the null sender, whose identity is postmaster@HELO (RFC 7208, section
	// 2.4).
	MailFrom string
}

// A Checker evaluates SPF. The zero Checker works and has the limits of RFC 7208.
// It is safe for concurrent use and keeps nothing between checks.
type Checker struct {
	// Resolver answers the DNS questions. Nil means resolver.Net(nil).
	Resolver resolver.Resolver

	// Limits bound what one check may cost. Zero fields have the defaults that
	// Limits documents.
	Limits Limits

	// Receiver is the name of the checking host, for the macro %{r} in
	// explanations. Empty means "unknown" (RFC 7208, section 7.3).
	Receiver string

	// Trace asks for Result.Evaluation, the record term by term.
	Trace bool

	// Sequential asks one DNS question after the other, in the order of the
	// record. By default questions that are likely to be needed are asked side by
	// side; results are the same.
	Sequential bool
}

// Check evaluates the MAIL FROM identity of s. It always returns a result; a
// context that ends before it is one with StatusTempError.
func (c *Checker) Check(ctx context.Context, s Session) *Result {
	return c.check(ctx, IdentityMailFrom, s)
}

// CheckHELO evaluates the HELO identity of s, as RFC 7208, section 2.3, recommends
// beside MAIL FROM. The two results are not exchangeable: a pass for HELO says
// nothing of MAIL FROM.
func (c *Checker) CheckHELO(ctx context.Context, s Session) *Result {
	return c.check(ctx, IdentityHELO, s)
}

// Identity is which name of the session was checked.
type Identity uint8

const (
	IdentityMailFrom Identity = iota // RFC 7208, section 2.4
	IdentityHELO                     // RFC 7208, section 2.3
)

var identityWords = []string{"mailfrom", "helo"}

// String returns "mailfrom" or "helo", the words of RFC 7208, section 9.1.
func (i Identity) String() string { return enum.String(identityWords, i) }

// MarshalText returns the word of String.
func (i Identity) MarshalText() ([]byte, error) { return enum.MarshalText(identityWords, i) }

// UnmarshalText reads a word that MarshalText wrote.
func (i *Identity) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(identityWords, i, text)
}

// Status is an SPF result in the words of RFC 8601, section 2.7.2.
type Status uint8

const (
	StatusNone      Status = iota // no domain to check, or no record: RFC 7208, section 2.6.1
	StatusNeutral                 // the domain asserts nothing about this host: 2.6.2
	StatusPass                    // the host may send for the domain: 2.6.3
	StatusFail                    // the host may not: 2.6.4
	StatusSoftFail                // the host probably may not: 2.6.5
	StatusTempError               // DNS failed; later may be better: 2.6.6
	StatusPermError               // the records are broken: 2.6.7
)

var statusWords = []string{"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"}

// String returns the word of RFC 8601.
func (s Status) String() string { return enum.String(statusWords, s) }

// MarshalText returns the word of String.
func (s Status) MarshalText() ([]byte, error) { return enum.MarshalText(statusWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error { return enum.UnmarshalText(statusWords, s, text) }
