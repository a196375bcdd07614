// Package arc verifies Authenticated Received Chains: RFC 8617.
//
// A forwarder or mailing list that changes a message breaks its DKIM signatures, and SPF
// speaks for the forwarder. ARC lets each of them write down what it saw and seal that. A
// chain that passes shows that the sealers said so, and no more: what a sealer says is worth
// as much as the receiver trusts it. The package says who sealed and whether the seals hold;
// package dmarc has the list of trusted sealers.
//
//	var v arc.Verifier
//	chain, err := v.Verify(ctx, message)
//	fmt.Println(chain.Status, chain.Sealers())
//
// A chain consists of sets, numbered from 1 by their instance (i=). A set has an
// ARC-Authentication-Results field (what the sealer saw), an ARC-Message-Signature (a
// signature over the message as it left the sealer, much as DKIM's), and an ARC-Seal (a
// signature over all sets up to this one). [Result] has a [Set] for each, and the status of
// the chain by RFC 8617, section 5.2.
//
// A DNS failure makes the chain StatusTempError, which RFC 8617 does not know: a field that
// is written for others says fail.
//
// The package does not seal.
package arc

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/keys"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Verifier verifies the chains of messages. The zero Verifier works. It is safe for
// concurrent use, and must not be copied after its first use.
type Verifier struct {
	// Resolver answers the DNS questions. Nil means resolver.Default.
	Resolver resolver.Resolver

	// Options are copied when the Verifier is first used. Later changes have no effect.
	Options

	once sync.Once
	used Options // the copy, with defaults filled in
	keys keys.Cache
}

// Options say how chains are verified. In every limit zero is the default, and a negative
// number no limit.
type Options struct {
	// Sets is how many sets a chain may have. Default 50, which RFC 8617, section 5.1.1,
	// allows at most. More is StatusFail, ErrLimit.
	Sets int

	// FieldOctets is how long one ARC field may be, line ends included. Default 10 KiB.
	// Longer is StatusFail, ErrLimit.
	FieldOctets int

	// Keys is how many different keys a chain may need. Default 20. More is StatusFail,
	// ErrLimit.
	Keys int

	// ClockSkew is how far in the future t= may be. Default 300 s.
	ClockSkew time.Duration

	// Now is the clock that t= and x= are compared with. Nil means time.Now.
	Now func() time.Time
}

// options returns the options in use.
func (v *Verifier) options() *Options {
	v.once.Do(func() {
		v.used = v.Options
		v.used.Sets = min(limit.Of(v.Sets, maxSets), maxInstance)
		v.used.FieldOctets = limit.Of(v.FieldOctets, 10<<10)
		v.used.Keys = limit.Of(v.Keys, 20)
		v.used.ClockSkew = limit.Of(v.ClockSkew, 300*time.Second)
		if v.Now == nil {
			v.used.Now = time.Now
		}
	})
	return &v.used
}

const (
	maxSets     = 50
	maxInstance = 99 // by the grammar of i=, two digits at most
)

// Verify reads a message to its end and returns what its chain is worth; a message without
// ARC fields has StatusNone. The error is that of the reader, of a context that ended before
// the end of the message, or that of a header that exceeds a limit. If the header was read by
// then, a chain that it does not break is StatusTempError, ErrInterrupted; otherwise the
// result is nil.
func (v *Verifier) Verify(ctx context.Context, r io.Reader) (*Result, error) {
	m := message.New(message.Limits{})
	var questions ask.Group
	questions.Begin(ctx, v.Resolver)
	defer questions.Close()
	check := headerCheck{verifier: v, questions: &questions}
	m.Attach(&check)
	if _, err := io.Copy(whileOpen{ctx, m}, r); err != nil {
		m.Fail(err)
	}
	err := m.End()
	if m.Header() == nil {
		return nil, err
	}
	if check.finish == nil {
		return new(Result), err
	}
	return check.finish(), err
}

// whileOpen is a message that fails once the context has ended.
type whileOpen struct {
	ctx context.Context
	*message.Message
}

func (w whileOpen) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Message.Write(p)
}

// A headerCheck starts to verify the chain of a message that nothing else checks.
type headerCheck struct {
	verifier  *Verifier
	questions *ask.Group
	finish    func() *Result
}

func (c *headerCheck) HeaderEnded(m *message.Message) { c.finish = c.verifier.Start(m, c.questions) }

// Start starts to verify the chain of a message whose header has ended, and asks for keys with
// questions. It returns nil if the message has no ARC field, and costs nothing then. It is for
// this module alone, which calls it before the first octet of the body of m. After m has ended
// or failed, finish waits for the keys and returns the result.
func (v *Verifier) Start(m *message.Message, questions *ask.Group) (finish func() *Result) {
	fields := m.Header().Fields
	for i := range fields {
		if isARC(&fields[i]) {
			c := &chain{verifier: v, options: v.options(), message: m, questions: questions, result: new(Result)}
			c.begin()
			return c.finish
		}
	}
	return nil
}

// isARC reports whether a field is one of the three that make a set.
func isARC(f *header.Field) bool {
	switch string(f.LowerName()) {
	case "arc-seal", "arc-message-signature", "arc-authentication-results":
		return true
	}
	return false
}
