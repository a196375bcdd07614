package resolver

import "github.com/mailverdict/mailverdict/internal/enum"

// Authentic says whether DNSSEC vouches for an answer: the AD bit of a validating
// server that was asked for it (RFC 4035, section 3.2.3). The zero value is
// AuthenticUnknown: nobody asked, or the resolver cannot tell.
type Authentic uint8

const (
	AuthenticUnknown Authentic = iota
	AuthenticNo                // asked, and the server did not vouch for it
	AuthenticYes               // the server validated it
)

var authenticWords = []string{"unknown", "no", "yes"}

// And returns what can be said of two answers together: no if one of them is not
// authentic, unknown if one of them is not known to be, else yes.
func (a Authentic) And(b Authentic) Authentic {
	if a == AuthenticNo || b == AuthenticNo {
		return AuthenticNo
	}
	return min(a, b)
}

// String returns "unknown", "no" or "yes".
func (a Authentic) String() string { return enum.String(authenticWords, a) }

// MarshalText returns the word of String.
func (a Authentic) MarshalText() ([]byte, error) { return enum.MarshalText(authenticWords, a) }

// UnmarshalText reads a word that MarshalText wrote.
func (a *Authentic) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(authenticWords, a, text)
}
