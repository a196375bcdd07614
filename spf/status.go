package spf

import "github.com/mailverdict/mailverdict/internal/enum"

// Identity is which name of the SMTP session was checked.
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
