package authres

import (
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf/receivedspf"
)

// Claims reports whether an Authentication-Results or Received-SPF field claims to be written
// by the receiver whose authserv-id is id. The field comes with its name, with CRLF or LF in
// its folds. Claims says of each field what a Filter would do with it, for programs that are
// handed one field after the other, such as milters:
//
//	if authres.Claims(id, name+":"+value) {
//		remove it
//	}
//
// Any other field claims nothing.
func Claims(id, field string) bool {
	m := matcher{receivedSPF: true}
	for i := 0; i < len(field) && m.value == 0 && !m.failed; i++ {
		m.next(field[i])
	}
	if m.value == 0 {
		return false
	}
	payload := strings.TrimSuffix(strings.TrimSuffix(field[m.value:], "\n"), "\r")
	return newClaim(id).makes(m.name, payload[:min(len(payload), rfc8601.MaxOctets)], true, len(payload) <= rfc8601.MaxOctets)
}

// A claim is the authserv-id that only we may use.
type claim struct {
	canonical string // as a domain name, or "" where it is none
	bare      string // without all that may vary: see bareText
}

func newClaim(id string) claim {
	name, _ := domain.Canonical(id) // "" where it is none
	return claim{name, bareText(id)}
}

// makes reports whether a field of that name, in lower case, may claim the id, by what stands
// behind its colon. Whole is false where that is only the beginning of the field. Unix says
// that its folds may be LF.
func (c claim) makes(name, text string, unix, whole bool) bool {
	if c.bare == "" {
		return true
	}
	if name == lowerReceived {
		return !whole || c.received(text)
	}
	if unix {
		text = strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n").Replace(text)
	}
	id, clear := rfc8601.ReadID(text, whole)
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

// received reports whether a Received-SPF field may be ours: all but one that can be read and
// whose receiver= is another host.
func (c claim) received(text string) bool {
	field, err := receivedspf.Parse(lowerReceived + ":" + text)
	if err != nil || c.is(field.Receiver) {
		return true
	}
	_, err = domain.Canonical(field.Receiver)
	return err != nil
}

// is reports whether an authserv-id is ours, by a generous comparison.
func (c claim) is(id string) bool {
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
