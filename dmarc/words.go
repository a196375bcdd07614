package dmarc

import (
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/enum"
)

// Status is the outcome of DMARC for a message, in the words of RFC 8601 and RFC
// 9989, section 5.3.5.
type Status uint8

const (
	StatusNone      Status = iota // no policy applies to the Author Domain
	StatusPass                    // an Authenticated Identifier is aligned
	StatusFail                    // none is
	StatusTempError               // DNS failed where its answer could have changed the outcome
	StatusPermError               // the message has no single Author Domain
)

var statusWords = []string{"none", "pass", "fail", "temperror", "permerror"}

// String returns the word of RFC 8601.
func (s Status) String() string { return enum.String(statusWords, s) }

// MarshalText returns the word of String.
func (s Status) MarshalText() ([]byte, error) { return enum.MarshalText(statusWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error { return enum.UnmarshalText(statusWords, s, text) }

// Disposition is what is recommended to be done with a message. It is advice: a
// receiver that knows more (RFC 9989, section 7.4) may do otherwise.
type Disposition uint8

const (
	DispositionNone       Disposition = iota // handle as any other message
	DispositionQuarantine                    // set aside, or deliver as suspicious
	DispositionReject                        // refuse with a permanent error
	DispositionTempFail                      // refuse for now: DNS left the verdict open
)

var dispositionWords = []string{"none", "quarantine", "reject", "tempfail"}

// String returns "none", "quarantine", "reject" or "tempfail".
func (d Disposition) String() string { return enum.String(dispositionWords, d) }

// MarshalText returns the word of String.
func (d Disposition) MarshalText() ([]byte, error) { return enum.MarshalText(dispositionWords, d) }

// UnmarshalText reads a word that MarshalText wrote.
func (d *Disposition) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(dispositionWords, d, text)
}

// TempErrorRule says what is recommended for a message whose verdict DNS left open.
type TempErrorRule uint8

const (
	// TempErrorByPolicy recommends tempfail where the policy is not known or asks for
	// enforcement, and none where it is known not to.
	TempErrorByPolicy TempErrorRule = iota
	TempErrorTempFail               // always tempfail
	TempErrorAccept                 // always none
)

var tempErrorWords = []string{"by-policy", "tempfail", "accept"}

// String returns "by-policy", "tempfail" or "accept".
func (r TempErrorRule) String() string { return enum.String(tempErrorWords, r) }

// MarshalText returns the word of String.
func (r TempErrorRule) MarshalText() ([]byte, error) { return enum.MarshalText(tempErrorWords, r) }

// UnmarshalText reads a word that MarshalText wrote.
func (r *TempErrorRule) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(tempErrorWords, r, text)
}

// disposition returns what the rule recommends where applied is the policy for a failure.
func (r TempErrorRule) disposition(applied record.Policy) Disposition {
	if r == TempErrorTempFail || r == TempErrorByPolicy && applied > record.PolicyNone {
		return DispositionTempFail
	}
	return DispositionNone
}
