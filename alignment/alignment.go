// Package alignment says whether an Authenticated Identifier speaks for an Author
// Domain, and finds Organizational Domains by the public suffix list.
//
// It asks no DNS and reads nothing: names in, an answer out. Every comparison of this module
// is made here: also that of Organizational Domains which package dmarc/discovery found by
// the DNS Tree Walk of RFC 9989, or by the list.
//
//	author := alignment.PublicSuffix{}.Of("news.shop.co.uk")
//	signer := alignment.PublicSuffix{}.Of("shop.co.uk")
//	alignment.Relaxed.Aligned(author, signer) // true
//	alignment.Strict.Aligned(author, signer)  // false
package alignment

import (
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/enum"
)

// Mode is how closely an identifier has to match: the values of the DMARC tags adkim and
// aspf (RFC 9989, section 4.7). The zero value is the default, relaxed.
type Mode uint8

const (
	Relaxed Mode = iota // the same Organizational Domain
	Strict              // the same name
)

var modeWords = []string{"relaxed", "strict"}

// A Domain is a name with the Organizational Domain that was found for it. A name
// without one has its own name there.
type Domain struct {
	Name           string `json:"name"`
	Organizational string `json:"organizational"`
}

// Aligned reports whether identifier is in alignment with author: RFC 9989, section
// 4.10.2. Names are compared as A-labels without regard to case or a trailing dot; a
// name that is not a domain name is aligned with nothing.
func (m Mode) Aligned(author, identifier Domain) bool {
	if m == Strict {
		return same(author.Name, identifier.Name)
	}
	return same(author.Organizational, identifier.Organizational)
}

func same(a, b string) bool {
	if a == b {
		_, err := domain.Canonical(a)
		return err == nil
	}
	a, err := domain.Canonical(a)
	if err != nil {
		return false
	}
	b, err = domain.Canonical(b)
	return err == nil && a == b
}

// String returns "relaxed" or "strict".
func (m Mode) String() string { return enum.String(modeWords, m) }

// MarshalText returns the word of String.
func (m Mode) MarshalText() ([]byte, error) { return enum.MarshalText(modeWords, m) }

// UnmarshalText reads a word that MarshalText wrote.
func (m *Mode) UnmarshalText(text []byte) error { return enum.UnmarshalText(modeWords, m, text) }
