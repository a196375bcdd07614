// Package enum gives small integer types their words: one table of words per
// type, and the three methods that text, JSON and flags need.
package enum

import (
	"fmt"
	"strings"
)

// String returns the word of v, or "invalid(n)" where the table has none.
func String[T ~uint8](words []string, v T) string {
	if int(v) < len(words) {
		return words[v]
	}
	return fmt.Sprintf("invalid(%d)", uint8(v))
}

// MarshalText returns the word of v, or an error where the table has none.
func MarshalText[T ~uint8](words []string, v T) ([]byte, error) {
	if int(v) < len(words) {
		return []byte(words[v]), nil
	}
	return nil, fmt.Errorf("no word for value %d, want one of %s", uint8(v), strings.Join(words, ", "))
}

// Parse returns the value whose word is text, without regard to case.
func Parse[T ~uint8](words []string, text string) (v T, ok bool) {
	for i, w := range words {
		if strings.EqualFold(w, text) {
			return T(i), true
		}
	}
	return 0, false
}

// UnmarshalText sets v to what Parse returns, or returns an error.
func UnmarshalText[T ~uint8](words []string, v *T, text []byte) error {
	parsed, ok := Parse[T](words, string(text))
	if !ok {
		return fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
	}
	*v = parsed
	return nil
}
