package authres

import (
	"strings"
	"unicode"

	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// Whatever is printed passes through a function of this file. Each has a grammar that
// is narrower than RFC 8601's, so that the value reads the same to a program that knows
// nothing of quotes and comments.

// safeDomain returns a domain name of A-labels in lower case, or "" for what is none.
// Nothing is mapped: a text that merely looks like a name is not made into one.
func safeDomain(name string) string {
	if domain.Check(name) != nil {
		return ""
	}
	return domain.ToLower(name)
}

// safeWord returns a name made of letters, digits and hyphens, such as an algorithm, or
// "".
func safeWord(word string) string {
	for i := range len(word) {
		if c := word[i]; !isAlphanumeric(c) && c != '-' {
			return ""
		}
	}
	if len(word) > domain.MaxLabel {
		return ""
	}
	return word
}

// safeAddress returns an AUID, whose local part may be missing, or "". Local parts that
// are not a plain word with dots, which includes all quoted ones, are not printed.
func safeAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || at > domain.MaxLabel+1 {
		return ""
	}
	for i := range at {
		if c := address[i]; !isAlphanumeric(c) && strings.IndexByte("-_+.", c) < 0 {
			return ""
		}
	}
	if at > 0 && (address[0] == '.' || address[at-1] == '.' || strings.Contains(address[:at], "..")) {
		return ""
	}
	name := safeDomain(address[at+1:])
	if name == "" {
		return ""
	}
	return address[:at+1] + name
}

// maxMore is how much is printed of a text that somebody else gives, in octets.
const maxMore = 255

// safeResult returns a result that somebody else gives, with all its texts made safe.
func (f Formatter) safeResult(r Result) Result {
	safe := func(text string) string {
		text = rfc8601.SafeText(strings.ToValidUTF8(text[:min(len(text), maxMore)], "?"))
		if !f.SMTPUTF8 {
			text = strings.Map(toASCII, text)
		}
		return text
	}
	word := func(text string) string { return rfc8601.Keyword(text[:min(len(text), domain.MaxLabel)]) }
	out := Result{Method: word(r.Method), MethodVersion: r.MethodVersion, Value: word(r.Value), Reason: safe(r.Reason)}
	for _, text := range r.Comments {
		out.Comments = append(out.Comments, safe(text))
	}
	for _, p := range r.Properties {
		if p.Type != "" && p.Name != "" {
			out.Properties = append(out.Properties, Property{Type: word(p.Type), Name: word(p.Name), Value: safe(p.Value)})
		}
	}
	return out
}

func toASCII(r rune) rune {
	if r > unicode.MaxASCII {
		return '?'
	}
	return r
}

// authservID returns the receiver's id as it stands in the field: a domain name in
// A-labels, or another word. It comes from the receiver's own configuration, so that it is
// only kept from breaking the field. An empty id is "unknown".
func authservID(id string) string {
	if name, err := domain.Canonical(id); err == nil {
		return name
	}
	if id == "" {
		return "unknown"
	}
	b := []byte(id[:min(len(id), domain.MaxLength)])
	for i, c := range b {
		if !rfc8601.IsToken(c) {
			b[i] = '_'
		}
	}
	return string(b)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
