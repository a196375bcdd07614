package record

import "github.com/mailverdict/mailverdict/internal/enum"

// Standard is the RFC by which a record is read. The zero value is RFC 9989.
type Standard uint8

const (
	RFC9989 Standard = iota
	RFC7489
)

var standardWords = []string{"RFC 9989", "RFC 7489"}

// String returns "RFC 9989" or "RFC 7489".
func (s Standard) String() string { return enum.String(standardWords, s) }

// MarshalText returns the word of String.
func (s Standard) MarshalText() ([]byte, error) { return enum.MarshalText(standardWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Standard) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(standardWords, s, text)
}

// Policy is a Domain Owner Assessment Policy: what p, sp and np can ask for (RFC
// 9989, section 4.7). A stricter policy is a greater value.
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

// Lower returns the policy one level below p: what t=y asks for (RFC 9989, section 4.7),
// and what a message outside of the pct sample gets (RFC 7489, section 6.6.4). Nothing
// is below PolicyNone.
func (p Policy) Lower() Policy {
	if p > PolicyNone {
		p--
	}
	return p
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

// TagKind says what a standard makes of a tag.
type TagKind uint8

const (
	TagKnown   TagKind = iota // the standard defines it
	TagRemoved                // RFC 7489 defined it and RFC 9989 does not: pct, rf, ri; ignored
	TagLater                  // RFC 9989 defines it and RFC 7489 does not: np, psd, t; ignored
	TagUnknown                // neither defines it; ignored
	TagBroken                 // it is no tag at all; ignored
)

var tagKindWords = []string{"known", "removed", "later", "unknown", "broken"}

// String returns "known", "removed", "later", "unknown" or "broken".
func (k TagKind) String() string { return enum.String(tagKindWords, k) }

// MarshalText returns the word of String.
func (k TagKind) MarshalText() ([]byte, error) { return enum.MarshalText(tagKindWords, k) }

// UnmarshalText reads a word that MarshalText wrote.
func (k *TagKind) UnmarshalText(text []byte) error { return enum.UnmarshalText(tagKindWords, k, text) }

// ProblemKind says what is wrong with a record, and so what is assumed instead.
type ProblemKind uint8

const (
	ProblemNoEquals    ProblemKind = iota // an item without "=": ignored
	ProblemName                           // an item whose name no tag can have: ignored
	ProblemRepeated                       // a tag is repeated with the same value: taken once
	ProblemConflict                       // a tag is repeated with another value: no policy is stated
	ProblemValue                          // a tag has none of its values: its default; for p, sp and np no policy is stated
	ProblemList                           // fo has a value twice, or both 0 and 1: taken as it stands
	ProblemURI                            // an entry of rua or ruf that cannot be used: URI.Err says why
	ProblemMissing                        // there is no p: no policy is stated
	ProblemAssumed                        // no policy is stated, but reports are asked for: p=none
	ProblemRecordLimit                    // the record has more than 8 KiB: not read
)

var problemKindWords = []string{
	"no-equals", "name", "repeated", "conflict", "value", "list", "uri", "missing", "assumed", "record-limit",
}

// String returns a word for the kind.
func (k ProblemKind) String() string { return enum.String(problemKindWords, k) }

// MarshalText returns the word of String.
func (k ProblemKind) MarshalText() ([]byte, error) { return enum.MarshalText(problemKindWords, k) }

// UnmarshalText reads a word that MarshalText wrote.
func (k *ProblemKind) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(problemKindWords, k, text)
}
