// Package spf checks whether a host may send mail for a domain: RFC 7208.
//
// A [Checker] takes an [Envelope], what the SMTP client said and where it spoke
// from, and gives a [Result]. Its zero value asks the system's resolver and has the
// RFC's limits:
//
//	result := new(spf.Checker).Check(ctx, spf.Session{
//		IP:       client,
//		HELO:     "mail.example.com",
//		MailFrom: "user@example.com",
//	})
//
// There are two identities. [Checker.Check] is for MAIL FROM, the one that DMARC
// looks at; [Checker.CheckHELO] is for the name after HELO or EHLO. Neither stands
// in for the other.
//
// A check never fails to give a result: a broken record is [StatusPermError], a DNS
// failure [StatusTempError], no record [StatusNone]. Result.Err says why, and wraps
// one of the package's errors for errors.Is. Which term decided, in which record,
// and what it cost are fields of the result; with Checker.Trace, so is every term
// that was looked at, with the DNS answers.
//
// [Parse] reads a record without evaluating it. [Result.ReceivedSPF] and
// [ParseReceivedSPF] write and read the Received-SPF header field.
//
// # What it asks
//
// Questions that are likely to be needed are asked side by side, within the limits,
// once DNS has been seen to take time; results are those of reading the records in
// order, and so are all counts. Only addresses of the client's family are asked
// for. A name that is made of what the client said is asked for only if it consists
// of letters, digits, hyphens and underscores: RFC 7208 leaves other names
// undefined, and here they match nothing.
//
// # Internationalized mail
//
// Domains of identities may be in U-labels; everything is asked and reported in
// A-labels. Terms with the local-part in them match nothing where it is not ASCII:
// RFC 8616, section 4.
package spf

import (
	"context"
	"net/netip"

	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/resolver"
)

// An Envelope is what the SMTP session knew of a message.
type Envelope struct {
	IP   netip.Addr `json:"ip"`   // address of the client; the zero Addr means not known
	HELO string     `json:"helo"` // argument of HELO or EHLO

	// MailFrom is the reverse-path between < and >, as the client gave it; empty
	// for the null sender, whose identity is postmaster@HELO (RFC 7208, section
	// 2.4).
	MailFrom string `json:"mail_from"`

	// MailFromUnknown says that nobody knows MAIL FROM, as for a file on disk.
	// MailFrom does not count then: its result is none, with ErrNoMailFrom, and
	// the HELO name does not stand in.
	MailFromUnknown bool `json:"mail_from_unknown,omitempty"`
}

// A Checker evaluates SPF. The zero Checker works and has the limits of RFC 7208.
// It is safe for concurrent use and keeps nothing between checks.
type Checker struct {
	// Resolver answers the DNS questions. Nil means resolver.Default().
	Resolver resolver.Resolver

	Options
}

// Options say how SPF is checked. The zero Options are those of RFC 7208.
type Options struct {
	// Limits bound what one check may cost. Zero fields have the defaults that
	// Limits documents.
	Limits Limits

	// Receiver is the name of the checking host, for the macro %{r} in
	// explanations. Empty means "unknown" (RFC 7208, section 7.3).
	Receiver string

	// Trace asks for Result.Evaluation, the record term by term.
	Trace bool

	// Sequential asks one DNS question after the other, in the order of the
	// record, and none that the result does not need. By default questions that are
	// likely to be needed are asked side by side, up to 10 ahead of the reading:
	// results are the same, and at most 10 questions are asked in vain.
	Sequential bool
}

// Check evaluates the MAIL FROM identity of s. It always returns a result; a
// context that ends before it is one with StatusTempError.
func (c *Checker) Check(ctx context.Context, s Envelope) *Result {
	r, _ := c.check(ctx, IdentityMailFrom, s, false)
	return r
}

// CheckHELO evaluates the HELO identity of s, as RFC 7208, section 2.3, recommends
// beside MAIL FROM. The two results are not exchangeable: a pass for HELO says
// nothing of MAIL FROM.
func (c *Checker) CheckHELO(ctx context.Context, s Envelope) *Result {
	r, _ := c.check(ctx, IdentityHELO, s, false)
	return r
}

// Recall is Check, or CheckHELO for that identity, if all questions can be answered without
// waiting: see [resolver.Recall]. Who serves many messages can then do without a goroutine.
// Where ok is false there is no result, and Check is to be called.
func (c *Checker) Recall(ctx context.Context, id Identity, s Envelope) (r *Result, ok bool) {
	return c.check(ctx, id, s, true)
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
