package resolver

import (
	"fmt"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// A name in a Question, an Answer or a Zone is a string of raw octets, in which a dot
// always separates two labels. Zone files and the dns library write the octets that
// are special there as escapes (RFC 1035, section 5.1: \DDD and \X). This file goes
// from one form to the other.

// checkName returns why name is not the name of a Question, or nil. A name from a
// message or signature has letters, digits, hyphens and underscores; what SPF expands a
// macro to may have any octet from space to "~" (RFC 7208, section 7.1).
func checkName(name string) error {
	switch {
	case domain.IsCanonical(name):
		return nil // as names mostly are
	case name == "":
		return fmt.Errorf("%w: %w", ErrName, domain.ErrEmpty)
	case len(name) > domain.MaxLength:
		return fmt.Errorf("%w: %w", ErrName, domain.ErrLong)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return fmt.Errorf("%w: %w", ErrName, domain.ErrEmptyLabel)
		}
		if len(label) > domain.MaxLabel {
			return fmt.Errorf("%w: %w", ErrName, domain.ErrLabelLong)
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'A' <= c && c <= 'Z':
				// It would be a second name for the same thing in a Cache, and a missing
				// one in a Zone.
				return fmt.Errorf("%w: upper case", ErrName)
			case c < ' ' || c > '~':
				return fmt.Errorf("%w: an octet that is not printable ASCII", ErrName)
			}
		}
	}
	return nil
}

// isPlain reports whether c needs no escape in a name. The dot is among these octets,
// since it separates labels.
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || 'A' <= c && c <= 'Z'
}

// escapeName returns a name with each octet but letters, digits, "-", "_" and dots
// written as \DDD: a form that is safe to print and that every reader of RFC 1035 takes
// for the same name.
func escapeName(name string) string {
	for i := range len(name) {
		if !isPlain(name[i]) {
			return escape(name, i)
		}
	}
	return name
}

// escape is escapeName for a name that has an octet to escape, the first at index i.
func escape(name string, i int) string {
	b := append(make([]byte, 0, len(name)+16), name[:i]...)
	for ; i < len(name); i++ {
		if c := name[i]; isPlain(c) {
			b = append(b, c)
		} else {
			b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		}
	}
	return string(b)
}

// unescapeName returns the raw octets of a name with escapes, in lower case and without
// a trailing dot; the root is "". It returns false if a label of the name holds a dot,
// since the raw form of that would be another name.
func unescapeName(escaped string) (name string, ok bool) {
	if strings.IndexByte(escaped, '\\') < 0 {
		return domain.ToLower(strings.TrimSuffix(escaped, ".")), true
	}
	b := make([]byte, 0, len(escaped))
	for s := escaped; s != ""; {
		c, size := nextOctet(s)
		if c == '.' && size > 1 {
			return "", false
		}
		b, s = append(b, c), s[size:]
	}
	return domain.ToLower(strings.TrimSuffix(string(b), ".")), true
}

// nextOctet returns the first octet that s, which is not empty, stands for, and how many
// octets of s that takes: \DDD is the octet of that decimal number, and \X is X where X
// does not begin such a number. A backslash at the end is itself.
func nextOctet(s string) (c byte, size int) {
	if s[0] != '\\' || len(s) == 1 {
		return s[0], 1
	}
	if len(s) >= 4 {
		if n, ok := decimalOctet(s[1:4]); ok {
			return n, 4
		}
	}
	return s[1], 2
}

// decimalOctet returns the octet that three digits stand for.
func decimalOctet(digits string) (byte, bool) {
	n := 0
	for i := range len(digits) {
		if digits[i] < '0' || '9' < digits[i] {
			return 0, false
		}
		n = n*10 + int(digits[i]-'0')
	}
	return byte(n), n <= 255
}

// unescapeText returns the octets of a text with escapes.
func unescapeText(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for s != "" {
		c, size := nextOctet(s)
		b, s = append(b, c), s[size:]
	}
	return string(b)
}

// joinTXT returns the octets of a TXT record: its strings one after the other,
// without separator (RFC 7208, section 3.3; RFC 6376, section 3.6.2.2). The strings
// are joined first, since reading a long one may have cut it inside an escape.
func joinTXT(strs []string) string { return unescapeText(strings.Join(strs, "")) }
