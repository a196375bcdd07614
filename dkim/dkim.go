// Package dkim verifies DKIM signatures: RFC 6376, 8301, 8463 and 8616.
//
//	var v dkim.Verifier
//	results, err := v.Verify(ctx, message)
//	for _, r := range results {
//		fmt.Println(r.Status, r.Domain, r.Err)
//	}
//
// There is one [Result] for each DKIM-Signature field, topmost first. Its Status is
// the word of RFC 8601; Err says why it is not a pass, and wraps one of the
// package's errors; Warnings are faults that a pass may have. A message that is not
// signed has no results. What a result is worth for the author of a message is a
// question of alignment, which package dmarc answers.
//
// A message is read once, in chunks of any size, and never held: memory is bounded
// by the header. The body is hashed once for each distinct canonicalization and
// length that the signatures ask for, and all keys are asked for side by side as
// soon as the header has ended. If the message comes in pieces, as in an SMTP
// server or a milter, [Verifier.Begin] gives a [Session] to write them to.
//
// Line ends: if the first line of the message ends in an LF without a CR, the
// message is taken as a Unix file and every LF reads as CRLF. Otherwise octets are
// taken as they are, and only CRLF ends a line.
//
// The package does not sign. rsa-sha1 never passes (RFC 8301). A signature that leaves
// part of the body unsigned (l=), or over whose fields another was added later, is
// StatusPolicy; [Policy] changes these and other rules, and [Limits] what a message may
// cost.
package dkim

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/keys"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/internal/reuse"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Verifier verifies the signatures of messages. The zero Verifier works. It is
// safe for concurrent use, and must not be copied after its first use. Between
// messages it keeps parsed keys and memory for the next ones, nothing else.
type Verifier struct {
	// Resolver answers the DNS questions. Nil means resolver.Default. Finish waits
	// for its calls to return, as they must when their context ends.
	Resolver resolver.Resolver

	// Options are copied when the Verifier is first used. Later changes have no
	// effect.
	Options

	once     sync.Once
	options  Options // the copy, with defaults filled in
	keys     keys.Cache
	messages message.Pool
	works    reuse.Pool[work]
}

// Options say how signatures are verified. The zero Options are recommended.
type Options struct {
	// Policy says which valid signatures are accepted. Zero fields have the
	// defaults that Policy documents.
	Policy Policy

	// Limits bound what one message may cost. Zero fields have the defaults that
	// Limits documents; negative numbers are no limit.
	Limits Limits

	// Now is the clock that t= and x= are compared with. Nil means time.Now.
	Now func() time.Time
}

// withDefaults returns a copy of o in which every field is set.
func (o Options) withDefaults() Options {
	o.Policy, o.Limits = o.Policy.withDefaults(), o.Limits.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// used returns the options in use.
func (v *Verifier) used() *Options {
	v.once.Do(func() { v.options = v.Options.withDefaults() })
	return &v.options
}

// Verify reads a message to its end and returns a result for every DKIM-Signature
// field, topmost first. It is Begin, io.Copy and Finish.
//
// The error is that of the reader, of a context that ended before the end of the
// message, or an ErrLimit of the header. If the header was read by then, signatures
// that it does not refuse are StatusTempError, ErrInterrupted.
func (v *Verifier) Verify(ctx context.Context, message io.Reader) ([]*Result, error) {
	s := v.Begin(ctx)
	defer s.Close() // if the reader panics
	// A reader with WriteTo may keep what it writes to: that has to be a Session, which stays
	// closed, and not its work, which is for other messages later.
	if _, err := io.CopyBuffer(s, message, s.message.Buffer()); err != nil {
		s.message.Fail(err)
	}
	return s.Finish()
}

// Begin starts to verify a message. Finish or Close must be called, whatever happens.
// The questions for keys live by ctx, which must not end before Finish returns.
func (v *Verifier) Begin(ctx context.Context) *Session {
	w := v.works.Get()
	w.verifier, w.ctx, w.message = v, ctx, v.messages.Get(v.messageLimits())
	w.questions.Begin(ctx, v.Resolver)
	w.signatures.attach(v, w.message, &w.questions)
	return &Session{work: w}
}

func (v *Verifier) messageLimits() message.Limits { return v.used().Limits.message() }

// Attach verifies the signatures of a message that another check reads, and asks for
// keys with questions; a gives the results. It is for this module alone, which calls it
// before the first octet of m.
func (v *Verifier) Attach(m *message.Message, questions *ask.Group, a *Attached) {
	a.signatures.attach(v, m, questions)
}

// Attached are the signatures of a message, once it was given to Attach. It must not be
// copied after that.
type Attached struct{ signatures signatures }

// Signatures yields the DKIM-Signature fields as far as they could be read, once the header
// has ended.
func (a *Attached) Signatures(yield func(*Signature) bool) {
	for _, c := range a.signatures.checks {
		if !yield(&c.signature) {
			return
		}
	}
}

// Finish waits for the keys and returns what Session.Finish does, after the message has
// ended or failed.
func (a *Attached) Finish() []*Result { return a.signatures.finish() }
