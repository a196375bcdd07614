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
// soon as the header has ended. Where the message comes in pieces, as in an SMTP
// server or a milter, [Verifier.Begin] gives a [Session] to write them to, and
// [Session.Reset] makes it ready for the next message.
//
// Line ends: if the first line of the message ends in an LF without a CR, the
// message is taken as a Unix file and every LF reads as CRLF. Otherwise octets are
// taken as they are, and only CRLF ends a line.
//
// What is not done: messages are not signed, l= is not honoured beyond the
// arithmetic unless [Policy] says so, and rsa-sha1 is not computed at all.
package dkim

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Verifier verifies the signatures of messages. The zero Verifier works. It is
// safe for concurrent use and takes nothing from one message to the next but keys that
// it parsed, and memory. It must not be copied after its first use.
type Verifier struct {
	// Resolver answers the DNS questions. Nil means resolver.Default(). Finish waits
	// for its calls to return, as they must when their context ends.
	Resolver resolver.Resolver

	Options

	keys       keyCache
	workspaces sync.Pool // of *workspace
	readings   sync.Pool // of *reading
}

// Options say how signatures are verified. The zero Options are recommended.
type Options struct {
	// Policy says which valid signatures are accepted. Zero fields have the
	// defaults that Policy documents.
	Policy Policy

	// Limits bound what one message may cost. Zero fields have the defaults that
	// Limits documents.
	Limits Limits

	// Now is the clock that t= and x= are held against. Nil means time.Now.
	Now func() time.Time
}

// A reading is the memory of Verify, which no result refers to.
type reading struct {
	verification Session
	chunk        [32 << 10]byte
}

// Verify reads a message to its end and returns a result for every DKIM-Signature
// field, topmost first. It is Begin, io.Copy and Finish. An error of the reader is
// returned without results, since they would be those of another message.
func (v *Verifier) Verify(ctx context.Context, message io.Reader) ([]*Result, error) {
	r, ok := v.readings.Get().(*reading)
	if !ok {
		r = &reading{verification: Session{verifier: v}}
	}
	r.verification.Reset(ctx, v.resolver())
	if _, err := io.CopyBuffer(&r.verification, message, r.chunk[:]); err != nil {
		r.verification.abort(err)
	}
	results, err := r.verification.Finish()
	v.readings.Put(r) // not where the reader panics: a question may be under way
	return results, err
}

// Begin starts to verify a message whose octets are then written, in chunks of any
// size. Finish, or Reset, must be called, whatever happened, and releases everything.
func (v *Verifier) Begin(ctx context.Context) *Session {
	return v.BeginWith(ctx, v.resolver())
}

// BeginWith is Begin with a Resolver for this message alone, such as a
// resolver.Budget.
func (v *Verifier) BeginWith(ctx context.Context, r resolver.Resolver) *Session {
	verification := &Session{verifier: v}
	verification.Reset(ctx, r)
	return verification
}

func (v *Verifier) resolver() resolver.Resolver {
	if v.Resolver == nil {
		return resolver.Default()
	}
	return v.Resolver
}

func (v *Verifier) getWorkspace() *workspace {
	w, ok := v.workspaces.Get().(*workspace)
	if !ok {
		w = new(workspace)
		w.reset()
	}
	return w
}

func (v *Verifier) putWorkspace(w *workspace) {
	w.reset()
	v.workspaces.Put(w)
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

// Status is a DKIM result in the words of RFC 8601, section 2.7.1.
type Status uint8

const (
	StatusNone      Status = iota // the message is not signed
	StatusPass                    // the signature is valid and acceptable
	StatusFail                    // the signature or the body hash does not match
	StatusPolicy                  // valid, but not acceptable: Verifier.Policy
	StatusNeutral                 // the signature could not be processed
	StatusTempError               // DNS failed; later may be better
	StatusPermError               // the signature or its key is broken or missing
)

var statusWords = []string{"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"}

// String returns the word of RFC 8601.
func (s Status) String() string { return enum.String(statusWords, s) }

// MarshalText returns the word of String.
func (s Status) MarshalText() ([]byte, error) { return enum.MarshalText(statusWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error { return enum.UnmarshalText(statusWords, s, text) }
