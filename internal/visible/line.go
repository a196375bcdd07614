package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// maxText is how much of one text is shown, in characters.
const maxText = 400

// cut stands at the end of a text of which not all is shown.
const cut = "..."

// maxValue is how much is shown of the value of a record.
const maxValue = 4000

// Line returns text as it can be shown on one line anywhere: what is not printable or
// shows nothing as a \u escape, what is not UTF-8 as U+FFFD, and no more than maxText. To
// apply it twice changes nothing.
func Line(text string) string { return lineTo(text, maxText) }

// Value is Line for the value of a record, which may be longer.
func Value(text string) string { return lineTo(text, maxValue) }

// lineTo is Line for a text of which no more than most characters are shown.
func lineTo(text string, most int) string {
	var b strings.Builder
	shown, end := 0, 0 // characters, and octets of those before which the cut would be
	for _, r := range text {
		piece := string(r)
		switch {
		case unicode.IsPrint(r) && !Blank(r): // U+FFFD, for what is not UTF-8, among them
		case r > 0xffff:
			piece = fmt.Sprintf(`\U%08x`, r)
		default:
			piece = fmt.Sprintf(`\u%04x`, r)
		}
		if shown += utf8.RuneCountInString(piece); shown > most {
			return b.String()[:end] + cut
		}
		b.WriteString(piece)
		if shown <= most-len(cut) {
			end = b.Len()
		}
	}
	return b.String()
}

// Blank reports whether a character that Unicode counts as a letter, a mark or a symbol shows
// nothing, so that texts which differ by it look alike: the default-ignorable ones (Hangul
// fillers, variation selectors, the combining grapheme joiner; Unicode, section 5.21), and
// those that are drawn as an empty space.
func Blank(r rune) bool {
	switch r {
	case '\u2800', // BRAILLE PATTERN BLANK
		'\U00013441', '\U00013442', // EGYPTIAN HIEROGLYPH FULL BLANK and HALF BLANK
		'\U00016FE4', // KHITAN SMALL SCRIPT FILLER
		'\U0001D159': // MUSICAL SYMBOL NULL NOTEHEAD
		return true
	}
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Domain returns a domain name for the middle of a sentence. Names in results that
// are no domain names, as those of broken identities may be, become "(no domain)".
func Domain(name string) string {
	if domain.Check(name) != nil {
		return "(no domain)"
	}
	return domain.ToLower(name)
}

// BothForms returns a domain name with its U-labels behind it, where it has some.
func BothForms(name string) string {
	if shown := domain.ToUnicode(name); shown != name {
		return name + " (" + shown + ")"
	}
	return name
}
