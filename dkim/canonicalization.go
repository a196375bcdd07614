package dkim

import (
	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// Canonicalization is the form of a header or a body that is hashed for a signature:
// RFC 6376, section 3.4.
type Canonicalization uint8

const (
	Simple  Canonicalization = iota // tolerates almost no change on the way
	Relaxed                         // tolerates changes of white space, and of the case of field names
)

var canonicalizationWords = []string{"simple", "relaxed"}

// String returns "simple" or "relaxed".
func (c Canonicalization) String() string { return enum.String(canonicalizationWords, c) }

// MarshalText returns the word of String.
func (c Canonicalization) MarshalText() ([]byte, error) {
	return enum.MarshalText(canonicalizationWords, c)
}

// UnmarshalText reads a word that MarshalText wrote.
func (c *Canonicalization) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(canonicalizationWords, c, text)
}

// read sets c to what a word in c= means. Words have no case.
func (c *Canonicalization) read(word string) (ok bool) {
	switch {
	case tagvalue.EqualFold(word, "simple"):
		*c = Simple
	case tagvalue.EqualFold(word, "relaxed"):
		*c = Relaxed
	default:
		return false
	}
	return true
}

func (c Canonicalization) form() canon.Form {
	if c == Relaxed {
		return canon.Relaxed
	}
	return canon.Simple
}
