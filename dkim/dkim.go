// Package dkim verifies DKIM signatures: RFC 6376, 8301, 8463 and 8616.
package dkim

import (
	"context"
	"io"
	"time"

	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Verifier verifies the signatures of messages. The zero Verifier works. It is
// safe for concurrent use and keeps nothing of a message.
type Verifier struct {
	// Resolver answers the DNS questions. Nil means resolver.Net(nil).
	Resolver resolver.Resolver

	// Policy says which valid signatures are accepted. Zero fields have the
	// defaults that Policy documents.
	Policy Policy

	// Limits bound what one message may cost. Zero fields have the defaults that
	// Limits documents.
	Limits Limits

	// Now is the clock that t= and x= are held against. Nil means time.Now.
	Now func() time.Time
}

// Verify reads a message to its end and returns a result for every DKIM-Signature
// field, topmost first. It is Begin, io.Copy and Finish.
func (v *Verifier) Verify(ctx context.Context, message io.Reader) ([]*Result, error) {
	panic("unwritten")
}

// Begin starts to verify a message whose octets are then written, in chunks of any
// size. Finish must be called, whatever happened, and releases everything.
func (v *Verifier) Begin(ctx context.Context) *Verification { panic("unwritten") }

// A Verification is a message on its way through a Verifier.
type Verification struct{}

// Write takes the next octets of the message. It fails only where the message
// exceeds a limit or Finish was called.
func (v *Verification) Write(p []byte) (int, error) { panic("unwritten") }

// Header returns the header block as it was taken (line ends as the package comment
// says), the empty line after it not included, once all of it has been written;
// before, and after Finish, ok is false.
func (v *Verification) Header() (raw []byte, ok bool) { panic("unwritten") }

// Finish ends the message and returns a result for every DKIM-Signature field,
// topmost first. The error is that of a context that ended or a message that
// exceeds a limit; results that could be had are returned beside it.
func (v *Verification) Finish() ([]*Result, error) { panic("unwritten") }

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
