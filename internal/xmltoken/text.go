package xmltoken

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// appendText appends text of the document as valid UTF-8 without characters that XML does not
// allow.
func (r *Reader) appendText(to, raw []byte, references bool) []byte {
	for len(raw) > 0 {
		n := 0
		for n < len(raw) && plain[raw[n]] {
			n++
		}
		to = append(to, raw[:n]...)
		if raw = raw[n:]; len(raw) == 0 {
			break
		}
		if raw[0] == '&' {
			size := 0
			if references {
				to, size = appendReference(to, raw)
				if size == 0 {
					r.fault(FaultReference)
				}
			}
			if size == 0 {
				to, size = append(to, '&'), 1
			}
			raw = raw[size:]
			continue
		}
		c, size := utf8.DecodeRune(raw)
		switch {
		case c == utf8.RuneError && size == 1 && r.latin:
			c = charmap.Windows1252.DecodeByte(raw[0])
			r.fault(FaultOctets)
		case c == utf8.RuneError && size == 1, !allowed(c):
			c = utf8.RuneError
			r.fault(FaultOctets)
		}
		to = utf8.AppendRune(to, c)
		raw = raw[size:]
	}
	return to
}

// plain are the octets that stand for themselves: all of ASCII that XML allows, except "&".
var plain = func() (table [256]bool) {
	for c := range 0x80 {
		table[c] = allowed(rune(c)) && c != '&'
	}
	return table
}()

// allowed reports whether XML allows a character: XML 1.0, section 2.2.
func allowed(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' ||
		c >= ' ' && c < 0xD800 || c >= 0xE000 && c < 0xFFFE || c >= 0x10000 && c <= utf8.MaxRune
}

// appendReference appends what the reference at the beginning of b stands for. The size is 0
// where none stands there.
func appendReference(to, b []byte) (_ []byte, size int) {
	const longest = len("&#x0010FFFF;")
	end := bytes.IndexByte(b[:min(len(b), longest)], ';')
	if end < 0 {
		return to, 0
	}
	c := character(string(b[1:end]))
	if !allowed(c) {
		return to, 0
	}
	return utf8.AppendRune(to, c), end + 1
}

// character returns the character that a reference names, or 0.
func character(name string) rune {
	switch name {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "amp":
		return '&'
	case "apos":
		return '\''
	case "quot":
		return '"'
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0
	}
	base := 10
	if rest, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = rest, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	if err != nil {
		return 0
	}
	return rune(n)
}

// namesLatin reports whether a prolog names an encoding of which Windows-1252 is a superset,
// which are what people mean when they name a wrong one.
func namesLatin(prolog []byte) bool {
	text := strings.ToLower(string(prolog))
	return strings.Contains(text, "iso-8859-1\"") || strings.Contains(text, "iso-8859-1'") ||
		strings.Contains(text, "windows-1252") || strings.Contains(text, "cp1252") || strings.Contains(text, "us-ascii")
}
