package explain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// maxText is how much of one text is shown, in characters.
const maxText = 400

// visible returns text as it can be shown on one line anywhere: what is not printable as a
// \u escape, what is not UTF-8 as U+FFFD, and cut. To apply it twice changes nothing.
func visible(text string) string {
	clean, n := true, 0
	for _, r := range text {
		n++
		clean = clean && unicode.IsPrint(r) && r != utf8.RuneError
	}
	if clean && n <= maxText {
		return text
	}
	var b strings.Builder
	n = 0
	for _, r := range text {
		if n++; n > maxText {
			return strings.TrimSuffix(b.String(), cut) + cut
		}
		switch {
		case unicode.IsPrint(r): // U+FFFD, for what is not UTF-8, among them
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// cut stands at the end of a text of which not all is shown.
const cut = "..."

// plainDomain returns a domain name for the middle of a sentence. Names in results that
// are no domain names, as those of broken identities may be, become "(no domain)".
func plainDomain(name string) string {
	if domain.Check(name) != nil {
		return "(no domain)"
	}
	return domain.ToLower(name)
}

// bothForms returns a domain name with its U-labels behind it, where it has some.
func bothForms(name string) string {
	if shown := domain.ToUnicode(name); shown != name {
		return name + " (" + shown + ")"
	}
	return name
}
