package dkim

import (
	"bytes"

	"github.com/mailverdict/mailverdict/internal/header"
)

// What the tests outside of the package look at.

func CanonicalField(c Canonicalization, field string) string {
	f := header.Parse([]byte(field)).Fields[0]
	return string(appendField(nil, c, &f, bytes.ToLower(f.Name()), f.Body()))
}

func CanonicalBody(c Canonicalization, text []byte) string {
	return canonicalBody(c == Relaxed, text)
}
