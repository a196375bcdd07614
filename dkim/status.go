package dkim

import "github.com/mailverdict/mailverdict/internal/enum"

// Status is a DKIM result in the words of RFC 8601, section 2.7.1.
type Status uint8

const (
	StatusNone      Status = iota // the message is not signed
	StatusPass                    // the signature is valid and acceptable
	StatusFail                    // the signature or the body hash does not match
	StatusPolicy                  // valid, but not acceptable: Options.Policy, Options.Limits
	StatusNeutral                 // the signature could not be processed
	StatusTempError               // DNS failed, or the message was cut short; later may be better
	StatusPermError               // the signature or its key is broken or missing
)

var statusWords = []string{"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"}

// String returns the word of RFC 8601.
func (s Status) String() string { return enum.String(statusWords, s) }

// MarshalText returns the word of String.
func (s Status) MarshalText() ([]byte, error) { return enum.MarshalText(statusWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error { return enum.UnmarshalText(statusWords, s, text) }
