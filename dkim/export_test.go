package dkim

// What the tests outside of the package look at.

func CanonicalField(c Canonicalization, field string) string {
	return string(appendField(nil, c, []byte(field)))
}

func CanonicalBody(c Canonicalization, text []byte) string {
	return canonicalBody(c == Relaxed, text)
}
