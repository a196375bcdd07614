package dmarc

import "github.com/mailverdict/mailverdict/internal/enum"

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

// Policy is a Domain Owner Assessment Policy: what p, sp and np can ask for (RFC
// 9989, section 4.7).
type Policy uint8

const (
	PolicyUnset      Policy = iota // there is none
	PolicyNone                     // treat the message as any other
	PolicyQuarantine               // regard it as suspicious
	PolicyReject                   // regard it as forged
)

var policyWords = []string{"", "none", "quarantine", "reject"}

// String returns the value of the tag, or "" for PolicyUnset.
func (p Policy) String() string { return enum.String(policyWords, p) }

// MarshalText returns the word of String.
func (p Policy) MarshalText() ([]byte, error) { return enum.MarshalText(policyWords, p) }

// UnmarshalText reads a word that MarshalText wrote.
func (p *Policy) UnmarshalText(text []byte) error { return enum.UnmarshalText(policyWords, p, text) }

// lower returns the policy one level below p: what t=y and a message outside of the
// pct sample ask for.
func (p Policy) lower() Policy {
	if p > PolicyNone {
		p--
	}
	return p
}

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

// disposition returns what p asks for.
func (p Policy) disposition() Disposition {
	switch p {
	case PolicyQuarantine:
		return DispositionQuarantine
	case PolicyReject:
		return DispositionReject
	}
	return DispositionNone
}

// PSD is the psd tag: whether the owner of a record says that strangers have domains
// below it (RFC 9989, section 4.7).
type PSD uint8

const (
	PSDUnknown PSD = iota // psd=u, or no psd tag
	PSDYes                // psd=y: a Public Suffix Domain
	PSDNo                 // psd=n: an Organizational Domain, whatever stands above
)

var psdWords = []string{"u", "y", "n"}

// String returns the value of the tag.
func (p PSD) String() string { return enum.String(psdWords, p) }

// MarshalText returns the word of String.
func (p PSD) MarshalText() ([]byte, error) { return enum.MarshalText(psdWords, p) }

// UnmarshalText reads a word that MarshalText wrote.
func (p *PSD) UnmarshalText(text []byte) error { return enum.UnmarshalText(psdWords, p, text) }
