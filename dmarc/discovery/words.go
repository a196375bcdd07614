package discovery

import (
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/enum"
)

// Mode is a way to find policies and Organizational Domains.
type Mode uint8

const (
	// TreeWalk is the DNS Tree Walk of RFC 9989, section 4.10, with the public suffix
	// list as a floor: the default.
	TreeWalk Mode = iota

	// TreeWalkLiteral is the Tree Walk to the letter, without the floor.
	TreeWalkLiteral

	// PublicSuffix goes by the public suffix list, as RFC 7489 did: two names are asked
	// at most (section 6.6.3), and records are read by that standard, with pct and
	// without np, psd and t.
	PublicSuffix

	// PublicSuffixICANN is PublicSuffix without the private section of the list, so that
	// all customers of one hosting company are one organization.
	PublicSuffixICANN
)

var modeWords = []string{"tree-walk", "tree-walk-literal", "public-suffix", "public-suffix-icann"}

// Standard returns the RFC that the mode follows.
func (m Mode) Standard() record.Standard {
	if m == PublicSuffix || m == PublicSuffixICANN {
		return record.RFC7489
	}
	return record.RFC9989
}

// String returns "tree-walk", "tree-walk-literal", "public-suffix" or
// "public-suffix-icann".
func (m Mode) String() string { return enum.String(modeWords, m) }

// MarshalText returns the word of String.
func (m Mode) MarshalText() ([]byte, error) { return enum.MarshalText(modeWords, m) }

// UnmarshalText reads a word that MarshalText wrote.
func (m *Mode) UnmarshalText(text []byte) error { return enum.UnmarshalText(modeWords, m, text) }

// Source says whose record a policy comes from: RFC 9989, section 4.10.1.
type Source uint8

const (
	SourceNone           Source = iota // there is none
	SourceAuthor                       // the Author Domain's own
	SourceOrganizational               // its Organizational Domain's
	SourcePublicSuffix                 // its Public Suffix Domain's, or what the floor takes for one
)

var sourceWords = []string{"", "author", "organizational", "public-suffix"}

// String returns "author", "organizational", "public-suffix" or "".
func (s Source) String() string { return enum.String(sourceWords, s) }

// MarshalText returns the word of String.
func (s Source) MarshalText() ([]byte, error) { return enum.MarshalText(sourceWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Source) UnmarshalText(text []byte) error { return enum.UnmarshalText(sourceWords, s, text) }

// Rule says why a name is an Organizational Domain.
type Rule uint8

const (
	RuleSelf     Rule = iota // no record was found: the name is its own (RFC 9989, section 4.10.2)
	RulePSDNo                // its record says psd=n
	RulePSDYes               // it is one label below a Public Suffix Domain (psd=y)
	RuleShortest             // of the names with a record it has the fewest labels
	RuleList                 // the public suffix list (RFC 7489, section 3.2)
	RuleFloor                // the public suffix list, in place of what the Tree Walk found
)

var ruleWords = []string{"self", "psd=n", "psd=y", "shortest", "list", "floor"}

// String returns "self", "psd=n", "psd=y", "shortest", "list" or "floor".
func (r Rule) String() string { return enum.String(ruleWords, r) }

// MarshalText returns the word of String.
func (r Rule) MarshalText() ([]byte, error) { return enum.MarshalText(ruleWords, r) }

// UnmarshalText reads a word that MarshalText wrote.
func (r *Rule) UnmarshalText(text []byte) error { return enum.UnmarshalText(ruleWords, r, text) }

// Alignment says whether an identifier is in alignment with the Author Domain.
type Alignment uint8

const (
	NotAligned    Alignment = iota
	Aligned                 // RFC 9989, section 4.10.2
	AlignmentOpen           // DNS did not answer what would decide it
)

var alignmentWords = []string{"no", "yes", "open"}

// String returns "no", "yes" or "open".
func (a Alignment) String() string { return enum.String(alignmentWords, a) }

// MarshalText returns the word of String.
func (a Alignment) MarshalText() ([]byte, error) { return enum.MarshalText(alignmentWords, a) }

// UnmarshalText reads a word that MarshalText wrote.
func (a *Alignment) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(alignmentWords, a, text)
}

// Existence says whether the Author Domain exists, where that mattered.
type Existence uint8

const (
	ExistenceNotAsked Existence = iota
	ExistenceYes
	ExistenceNo   // NXDOMAIN: RFC 9989, section 3.2.13
	ExistenceOpen // DNS did not say
)

var existenceWords = []string{"", "yes", "no", "open"}

// String returns "yes", "no", "open", or "" for ExistenceNotAsked.
func (e Existence) String() string { return enum.String(existenceWords, e) }

// MarshalText returns the word of String.
func (e Existence) MarshalText() ([]byte, error) { return enum.MarshalText(existenceWords, e) }

// UnmarshalText reads a word that MarshalText wrote.
func (e *Existence) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(existenceWords, e, text)
}

// DiscardReason says why a TXT record at a name is not its DMARC record.
type DiscardReason uint8

const (
	NotDMARC DiscardReason = iota // it does not begin with "v=DMARC1"
	Several                       // it is one of several DMARC records, which all do not count
)

var discardReasonWords = []string{
	`it does not begin with "v=DMARC1"`,
	"it is one of several DMARC records at this name, which all do not count",
}

// String returns the reason in words.
func (d DiscardReason) String() string { return enum.String(discardReasonWords, d) }

// MarshalText returns the words of String.
func (d DiscardReason) MarshalText() ([]byte, error) { return enum.MarshalText(discardReasonWords, d) }

// UnmarshalText reads what MarshalText wrote.
func (d *DiscardReason) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(discardReasonWords, d, text)
}

// Tag says by which tag of the policy record an identifier is held to strict or relaxed
// alignment.
type Tag uint8

const (
	TagSPF  Tag = iota // aspf, for the MAIL FROM domain: RFC 9989, section 4.4.2
	TagDKIM            // adkim, for the SDID of a signature: section 4.4.1
)

var tagWords = []string{"aspf", "adkim"}

// String returns "aspf" or "adkim".
func (t Tag) String() string { return enum.String(tagWords, t) }

// MarshalText returns the word of String.
func (t Tag) MarshalText() ([]byte, error) { return enum.MarshalText(tagWords, t) }

// UnmarshalText reads a word that MarshalText wrote.
func (t *Tag) UnmarshalText(text []byte) error { return enum.UnmarshalText(tagWords, t, text) }
