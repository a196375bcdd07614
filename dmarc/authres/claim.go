package authres

import (
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// A claim is the authserv-id that only we may use.
type claim struct {
	canonical string // as a domain name, or "" where it is none
	bare      string // without all that may vary: see bareText
}

func newClaim(id string) claim {
	name, err := domain.Canonical(id)
	if err != nil {
		name = ""
	}
	return claim{name, bareText(id)}
}

// madeBy reports whether a field may claim the id, by what stands behind its colon. Whole
// is false where that is only the beginning of the field. Unix says that its folds may be LF.
func (c claim) madeBy(payload []byte, unix, whole bool) bool {
	if c.bare == "" {
		return true
	}
	text := string(payload)
	if unix {
		text = strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n").Replace(text)
	}
	id, clear := readID(text, whole)
	if c.is(id) {
		return true
	}
	if _, err := domain.Canonical(id); clear && err == nil {
		return false // somebody else's, whatever follows
	}
	// What cannot be read by the rules may be read by somebody. An encoded word
	// (RFC 2047) may hold anything.
	for _, shown := range []string{text, withoutComments(text)} {
		if strings.Contains(bareText(shown), c.bare) || strings.Contains(shown, "=?") {
			return true
		}
	}
	return !whole
}

// readID reads the authserv-id at the beginning of a field, as far as it can be read. It
// is clear if nothing but a version and the ";" follow.
func readID(text string, whole bool) (id string, clear bool) {
	l := &lexer{text: text}
	l.cfws()
	id = l.value()
	l.cfws()
	if c := l.peek(); '0' <= c && c <= '9' {
		l.number()
		l.cfws()
	}
	return id, l.err == nil && (l.peek() == ';' || whole && l.pos == len(text))
}

// is reports whether an authserv-id is ours, by a generous comparison.
func (c claim) is(id string) bool {
	if id == "" {
		return false
	}
	name, err := domain.Canonical(id)
	return err == nil && name == c.canonical || bareText(id) == c.bare
}

// bareText returns text in lower case, without anything but letters, digits, and "-_.",
// octets outside of ASCII included, and without a dot at its end.
func bareText(text string) string {
	b := make([]byte, 0, len(text))
	for i := range len(text) {
		if c := text[i]; isAlphanumeric(c) || c >= 0x80 || strings.IndexByte("-_.", c) >= 0 {
			b = append(b, c)
		}
	}
	return strings.TrimSuffix(domain.ToLower(string(b)), ".")
}

// withoutComments returns text without what stands in parentheses. One that is never
// closed takes the rest with it.
func withoutComments(text string) string {
	b := make([]byte, 0, len(text))
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && depth > 0:
			i++
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b = append(b, c)
		}
	}
	return string(b)
}
