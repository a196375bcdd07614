// Package spf checks whether a host may send mail for a domain: RFC 7208.
//
// A [Checker] takes an [Envelope], which is what the SMTP session knew, and gives a
// [Result]. One Checker serves a whole program; its zero value asks the system's DNS
// servers and has the RFC's limits:
//
//	var checker spf.Checker
//
//	result := checker.Check(ctx, spf.Envelope{
//		IP:       client,
//		HELO:     "mail.example.com",
//		MailFrom: "user@example.com",
//	})
//	if result.Status == spf.StatusFail {
//		log.Print(result) // fail for example.com (mailfrom) by -all
//	}
//
// There are two identities. [Checker.Check] is for MAIL FROM, the one that DMARC
// looks at; [Checker.CheckHELO] is for the name after HELO or EHLO. Neither stands
// in for the other.
//
// # Results
//
// A check never fails to give a result: a broken record is [StatusPermError], a DNS
// failure [StatusTempError], no record [StatusNone]. Result.Err says why, and wraps
// one of the package's errors for errors.Is. Result.Mechanism is the term that decided,
// in the record that it stands in, and Result.Lookups is what the check cost. With
// Options.Trace, Result.Evaluation holds every term that was evaluated, with the DNS
// answers.
//
// A Result is one line by its String method, a group for log/slog, and JSON.
//
// # Records
//
// [Parse] reads a record without evaluating it, for programs that show or mend records. A
// [Record] has [Term] values, each with its place in the text; a [SyntaxError] says where
// a record is broken and what would be right.
//
// # DNS
//
// Questions that are likely to be needed are asked side by side, within the limits,
// once DNS has been seen to take time. Results and counts are those of evaluating the
// records in order, one question after the other. Only addresses of the client's family
// are asked for. Give the Checker a resolver.Cache to keep answers between checks; parsed
// records it keeps itself, bounded and by their text.
//
// The name that a term is about may hold any octet from space to "~", in labels of at
// most 63 octets, whether written out or expanded from macros: local-parts such as
// "bounce+ann=example.net" are everyday mail. A term whose name is empty or holds another
// octet matches nothing.
//
// # Limits
//
// [Limits] bound what strangers' records can make a check cost. Hitting one is a result
// that says which: [StatusPermError] for what the records ask for, [StatusTempError] for
// time. A record that leads back to itself is [ErrLoop].
//
// # Internationalized mail
//
// Domains of identities may be in U-labels; everything is asked and reported in
// A-labels. Terms with the local-part in them match nothing if it is not ASCII:
// RFC 8616, section 4.
//
// The header field Received-SPF is in package spf/receivedspf.
package spf

import (
	"context"
	"net/netip"
	"sync"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/seam"
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

// A Checker evaluates SPF. The zero Checker works and has the limits of RFC 7208. It is
// safe for concurrent use, and one serves a whole program: between checks it keeps parsed
// records by their text, nothing else. It must not be copied after its first check.
type Checker struct {
	// Resolver answers the DNS questions. Nil means resolver.Default(). It must not
	// be changed while a check is under way.
	Resolver resolver.Resolver

	// Options are copied at the first check. Later changes have no effect.
	Options

	once    sync.Once
	options Options // the copy, with defaults
	records keptRecords
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
	// likely to be needed are asked side by side, up to 10 ahead of the evaluation:
	// results are the same, and at most 10 questions are asked in vain.
	Sequential bool
}

// Check evaluates the MAIL FROM identity of e. It always returns a result; a
// context that ends before it is one with StatusTempError.
func (c *Checker) Check(ctx context.Context, e Envelope) *Result {
	r := new(Result)
	c.check(r, new(clock.Moment), ctx, c.Resolver, IdentityMailFrom, e, false)
	return r
}

// CheckHELO evaluates the HELO identity of e, as RFC 7208, section 2.3, recommends
// beside MAIL FROM. The two results are not exchangeable: a pass for HELO says
// nothing of MAIL FROM.
func (c *Checker) CheckHELO(ctx context.Context, e Envelope) *Result {
	r := new(Result)
	c.check(r, new(clock.Moment), ctx, c.Resolver, IdentityHELO, e, false)
	return r
}

// CheckBy is Check or CheckHELO by another Resolver, into memory that the caller has. With
// memoryOnly it waits for no answer, and ok is false, and result of no use, if one is not in
// memory. At is the moment in which the check begins. CheckBy is for this module alone: package
// dmarc has a Resolver for each message.
func (c *Checker) CheckBy(_ seam.Internal, result *Result, at *clock.Moment, ctx context.Context, r resolver.Resolver, id Identity, e Envelope, memoryOnly bool) (ok bool) {
	return c.check(result, at, ctx, r, id, e, memoryOnly)
}

func (c *Checker) check(result *Result, at *clock.Moment, ctx context.Context, r resolver.Resolver, id Identity, envelope Envelope, memoryOnly bool) (ok bool) {
	c.once.Do(func() {
		c.options = c.Options
		c.options.Limits = c.Options.Limits.withDefaults()
	})
	var e evaluation
	*result = Result{Identity: id}
	result.Domain, result.Err = e.identify(id, &envelope)
	if result.Err != nil {
		return true
	}
	result.Sender = e.sender
	if !e.ip.IsValid() {
		result.Err = ErrNoAddress
		return true
	}
	if r == nil {
		r = resolver.Default()
	}
	e.receiver, e.sequential, e.trace = c.options.Receiver, c.options.Sequential, c.options.Trace
	e.limits, e.records = &c.options.Limits, &c.records
	q := &e.questions
	q.ctx, q.resolver, q.limits, q.moment, q.memoryOnly = ctx, r, e.limits, *at, memoryOnly
	e.run(result)
	*at = q.moment
	return !e.questions.needsDNS
}
